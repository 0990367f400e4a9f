//! What a principal may write.

use serde::{Deserialize, Serialize};
use trailkeep_event::{Field, Fields, Rejection, RejectionCode, ValueRef};

use crate::Allow;

/// What a principal may write, and how fast.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteScope {
    /// The accounts that may be written to.
    pub accounts: Allow,
    /// The applications that events may name. An event without one needs [`Allow::All`].
    pub applications: Allow,
    /// The categories that events may have.
    pub categories: Allow,
    /// Whether an unknown account is created (`accounts:create`).
    pub accounts_create: bool,
    /// The largest `sample_rate` that an event may state.
    pub sample_rate_max: u32,
    /// How many events a second this principal may send; `None` is no limit.
    pub events_per_second_max: Option<u32>,
}

/// The event is outside the scope.
pub type Denial = Rejection;

impl WriteScope {
    /// Returns the scope of the bootstrap key: everything, also new accounts.
    pub fn everything() -> Self {
        Self {
            accounts: Allow::All,
            applications: Allow::All,
            categories: Allow::All,
            accounts_create: true,
            sample_rate_max: 1_000_000,
            events_per_second_max: None,
        }
    }

    /// Checks an event against the scope.
    ///
    /// # Errors
    /// [`RejectionCode::NotAllowed`] with a pointer to the member that is not covered.
    pub fn admit(&self, event: &impl Fields) -> Result<(), Denial> {
        Self::admit_text(event, Field::AccountId, &self.accounts)?;
        Self::admit_text(event, Field::ApplicationId, &self.applications)?;
        Self::admit_text(event, Field::Category, &self.categories)?;
        let rate = event.get(Field::SampleRate).and_then(ValueRef::as_int).unwrap_or(1);
        if rate > i64::from(self.sample_rate_max) {
            let detail = format!("this key may state a sample rate up to {}", self.sample_rate_max);
            return Err(denial(Field::SampleRate, detail));
        }
        Ok(())
    }

    fn admit_text(event: &impl Fields, field: Field, allow: &Allow) -> Result<(), Denial> {
        let value = event.text(field);
        let admitted = match (allow, value) {
            (Allow::All, _) => true,
            (Allow::Only(_), Some(value)) => allow.allows(value),
            (Allow::Only(_), None) => false,
        };
        if admitted {
            return Ok(());
        }
        let detail = match value {
            Some(_) => format!("this key may not write to this {}", field.name()),
            None => format!("this key must state an {} that it may write to", field.name()),
        };
        Err(denial(field, detail))
    }
}

fn denial(field: Field, detail: String) -> Denial {
    Rejection::at(RejectionCode::NotAllowed, field.name(), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::{EventLimits, RowBuilder, read_event};

    #[test]
    fn the_scope_names_the_member_that_it_does_not_cover() {
        let scope = WriteScope {
            accounts: Allow::only(["acme"]),
            applications: Allow::only(["web"]),
            categories: Allow::only(["api"]),
            sample_rate_max: 10,
            ..WriteScope::everything()
        };
        let cases = [
            (r#""account_id":"acme","application_id":"web""#, None),
            (r#""account_id":"other","application_id":"web""#, Some("/account_id")),
            (r#""account_id":"acme""#, Some("/application_id")),
            (r#""account_id":"acme","application_id":"web","category":"auth""#, Some("/category")),
            (
                r#""account_id":"acme","application_id":"web","sample_rate":11"#,
                Some("/sample_rate"),
            ),
        ];
        for (members, pointer) in cases {
            let text =
                format!("{{\"action\":\"a\",\"occurred_at\":\"2026-01-01T00:00:00Z\",{members}}}");
            let row =
                read_event(text.as_bytes(), &EventLimits::STANDARD, &mut RowBuilder::default())
                    .unwrap();
            let found = scope.admit(&row.view()).err().map(|denial| denial.pointer);
            assert_eq!(found.as_deref(), pointer, "{members}");
        }
    }
}
