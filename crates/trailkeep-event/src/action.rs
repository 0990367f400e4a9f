//! The form of an action that matching uses.

/// Returns the action in lower case without `.`, `_`, `-` and spaces, so that
/// `license.suspended` and `LICENSE_SUSPENDED` are the same.
///
/// ```
/// # use trailkeep_event::action_key;
/// assert_eq!(action_key("license.suspended"), action_key("LICENSE_SUSPENDED"));
/// ```
pub fn action_key(action: &str) -> String {
    action
        .chars()
        .filter(|c| !matches!(c, '.' | '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}
