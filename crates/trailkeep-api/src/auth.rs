//! Takes the bearer token out of a request.

use std::fmt;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::{ErrorCode, Problem};

/// The SHA-256 of a bearer token; the token itself is not kept.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a token.
    ///
    /// Tokens are random and long, so neither salt nor stretching is needed; and because what is
    /// looked up is the hash, the time a look-up takes tells nothing about a token that exists.
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Returns the hash's bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(****)")
    }
}

/// Returns the hash of a request's bearer token.
///
/// # Errors
/// [`ErrorCode::Unauthenticated`] where there is not exactly one `Authorization: Bearer`.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<TokenHash, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value,
        (None, _) => return Err(unauthenticated("send `Authorization: Bearer <token>`")),
        (Some(_), Some(_)) => return Err(unauthenticated("send one Authorization header only")),
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty());
    match token {
        Some(token) => Ok(TokenHash::of(token)),
        None => Err(unauthenticated("only `Authorization: Bearer <token>` is understood")),
    }
}

pub(crate) fn unauthenticated(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::Unauthenticated, detail).at_field("Authorization")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_bearer_token_is_asked_for() {
        let cases: &[(&[&str], bool)] = &[
            (&["Bearer s3cret"], true),
            (&["bearer  s3cret "], true),
            (&[], false),
            (&["Bearer other"], false),
            (&["Bearer "], false),
            (&["Bearer"], false),
            (&["Basic czNjcmV0"], false),
            (&["s3cret"], false),
            (&["Bearer s3cret", "Bearer s3cret"], false),
        ];
        for (values, known) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            let token = bearer_token(&headers).map_err(|problem| problem.code);
            assert_eq!(token == Ok(TokenHash::of("s3cret")), *known, "{values:?}");
            assert!(token.is_ok() || token == Err(ErrorCode::Unauthenticated), "{values:?}");
        }
    }

    #[test]
    fn a_token_does_not_show() {
        assert_eq!(format!("{:?}", TokenHash::of("s3cret")), "TokenHash(****)");
    }
}
