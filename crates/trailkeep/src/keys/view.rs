//! A key as it is shown.

use serde::{Deserialize, Serialize};
use trailkeep_catalog::KeyRecord;
use trailkeep_event::Micros;
use trailkeep_scope::{Allow, ReadScope, WriteScope};

use crate::output::push_safe;

/// A key as it is shown; its token is not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct KeyView {
    pub(super) key_id: String,
    name: String,
    masked: String,
    read: Option<ReadScope>,
    write: Option<WriteScope>,
    operator: bool,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

/// A key that was just made. Not to be shown anywhere else, so it has no `Debug`.
#[derive(Deserialize, Serialize)]
pub(super) struct MadeKey {
    pub(super) token: String,
    pub(super) key: KeyView,
}

impl From<KeyRecord> for KeyView {
    fn from(key: KeyRecord) -> Self {
        Self {
            key_id: key.key_id,
            name: key.name,
            masked: key.masked,
            read: key.read,
            write: key.write,
            operator: key.operator,
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
        }
    }
}

impl KeyView {
    /// Describes the key in one line.
    pub(super) fn line(&self, now: Micros) -> String {
        let mut rights = Vec::new();
        if self.operator {
            rights.push("operator".to_owned());
        }
        rights.extend(self.read.as_ref().map(|scope| format!("read({})", words(&scope.accounts))));
        rights
            .extend(self.write.as_ref().map(|scope| format!("write({})", words(&scope.accounts))));
        let mut line = format!("{}  {}  ", self.key_id, self.masked);
        push_safe(&mut line, &rights.join(" "));
        line.push_str("  made ");
        line.push_str(&self.created_at);
        line.push_str(&self.state(now));
        line.push_str("  ");
        push_safe(&mut line, &self.name);
        line
    }

    fn state(&self, now: Micros) -> String {
        if let Some(at) = &self.revoked_at {
            return format!("  REVOKED {at}");
        }
        let Some(at) = &self.expires_at else { return String::new() };
        let over = Micros::parse(at).is_ok_and(|at| at <= now);
        if over { format!("  EXPIRED {at}") } else { format!("  until {at}") }
    }
}

fn words(allow: &Allow) -> String {
    match allow {
        Allow::All => "all accounts".to_owned(),
        Allow::Only(accounts) => accounts.iter().cloned().collect::<Vec<_>>().join(", "),
    }
}
