//! Who asks, and what that opens.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trailkeep_catalog::KeyRecord;
use trailkeep_ingest::Submitter;
use trailkeep_scope::ReadScope;

use crate::auth::{bearer_token, unauthenticated};
use crate::desk::Desk;
use crate::{ErrorCode, Problem};

/// The bearer of a valid key.
#[derive(Clone, Debug)]
pub(crate) struct Principal(Arc<KeyRecord>);

impl FromRequestParts<Desk> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        let token = bearer_token(&parts.headers)?;
        let unknown = || unauthenticated("the token is not known or no longer valid");
        desk.keys.lookup(&token).map(Self).ok_or_else(unknown)
    }
}

impl Principal {
    pub(crate) fn key(&self) -> &KeyRecord {
        &self.0
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.0.key_id
    }

    /// Returns what may be read.
    pub(crate) fn reads(&self) -> Result<ReadScope, Problem> {
        self.0.read.clone().ok_or_else(|| not_allowed("this key may not read entries"))
    }

    /// Returns what may be written.
    pub(crate) fn writes(&self) -> Result<Submitter, Problem> {
        let scope = self.0.write.clone();
        let scope = scope.ok_or_else(|| not_allowed("this key may not write events"))?;
        Ok(Submitter { key_id: Arc::from(self.0.key_id.as_str()), scope: Arc::new(scope) })
    }

    /// Checks that the store may be administered.
    pub(crate) fn administers(&self) -> Result<(), Problem> {
        if self.0.operator {
            return Ok(());
        }
        Err(not_allowed("only an operator key may do this"))
    }
}

fn not_allowed(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::NotAllowed, detail)
}
