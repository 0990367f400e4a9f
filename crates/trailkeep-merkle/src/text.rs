//! Reading the lines of the texts.

/// Reads a decimal number as the specifications write it: without sign and leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let has_zero = text.len() > 1 && text.starts_with('0');
    if is_plain && !has_zero { text.parse().ok() } else { None }
}

/// Takes a line off the front; `None` where no line feed ends it.
pub(crate) fn line(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}

/// Tells whether a text can name a key: not empty, without spaces and plus signs.
pub(crate) fn names_key(name: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && c != '+' && !c.is_control();
    !name.is_empty() && name.len() <= KEY_NAME_BYTES_MAX && name.chars().all(fits)
}

/// The longest name of a key, in bytes.
const KEY_NAME_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "1e3", "x"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
