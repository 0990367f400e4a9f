//! The finite list of what can be wrong.

use axum::http::StatusCode;

/// Says what is wrong with a request. Programs branch on it; the words never change.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorCode {
    /// A parameter is missing or not allowed.
    InvalidParameter,
    /// The body as a whole cannot be parsed.
    InvalidBody,
    /// The body's compressed data is damaged.
    InvalidEncoding,
    /// The body ended early or its framing is damaged.
    BrokenBody,
    /// There is no token, or it is not known.
    Unauthenticated,
    /// The token is known but may not do this.
    NotAllowed,
    /// There is no such thing, or none that the token may see.
    NotFound,
    /// The route exists, but not with this method.
    MethodNotAllowed,
    /// The request came too slowly.
    RequestTimeout,
    /// The request is in conflict with what is stored.
    Conflict,
    /// The body is too large, as sent or decompressed.
    PayloadTooLarge,
    /// The body's media type is not read here.
    UnsupportedMediaType,
    /// The body's compression is not read here.
    UnsupportedEncoding,
    /// The key or the account has used up its share.
    RateLimited,
    /// The answer needs more memory than one answer may take.
    AnswerTooLarge,
    /// Something went wrong inside.
    Internal,
    /// The server has too much to do.
    Overloaded,
    /// The server is starting, stopping, or has stopped taking events.
    Unavailable,
    /// The answer was not ready in time.
    AnswerTimeout,
}

impl ErrorCode {
    /// Every code, for documentation.
    pub const ALL: &'static [Self] = &[
        Self::InvalidParameter,
        Self::InvalidBody,
        Self::InvalidEncoding,
        Self::BrokenBody,
        Self::Unauthenticated,
        Self::NotAllowed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::RateLimited,
        Self::AnswerTooLarge,
        Self::Internal,
        Self::Overloaded,
        Self::Unavailable,
        Self::AnswerTimeout,
    ];

    /// Returns the code's word.
    pub fn as_str(self) -> &'static str {
        self.parts().1
    }

    /// Returns the code in words.
    pub fn title(self) -> &'static str {
        self.parts().2
    }

    /// Returns the status of an answer with this code.
    pub fn status(self) -> StatusCode {
        self.parts().0
    }

    /// Returns the code for an error answer that has none yet.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::FORBIDDEN => Self::NotAllowed,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::UNPROCESSABLE_ENTITY => Self::InvalidBody,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::InvalidParameter,
            _ => Self::Internal,
        }
    }

    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidParameter => (S::BAD_REQUEST, "invalid_parameter", "Invalid parameter"),
            Self::InvalidBody => (S::BAD_REQUEST, "invalid_body", "Unreadable body"),
            Self::InvalidEncoding => {
                (S::BAD_REQUEST, "invalid_encoding", "Damaged compressed body")
            }
            Self::BrokenBody => (S::BAD_REQUEST, "broken_body", "Incomplete body"),
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "Not authenticated"),
            Self::NotAllowed => (S::FORBIDDEN, "not_allowed", "Not allowed"),
            Self::NotFound => (S::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed")
            }
            Self::RequestTimeout => (S::REQUEST_TIMEOUT, "request_timeout", "Request too slow"),
            Self::Conflict => (S::CONFLICT, "conflict", "Conflict"),
            Self::PayloadTooLarge => (S::PAYLOAD_TOO_LARGE, "payload_too_large", "Body too large"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type")
            }
            Self::UnsupportedEncoding => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", "Unsupported compression")
            }
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::AnswerTooLarge => {
                (S::UNPROCESSABLE_ENTITY, "answer_too_large", "Answer takes too much memory")
            }
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Overloaded"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "Unavailable"),
            Self::AnswerTimeout => {
                (S::SERVICE_UNAVAILABLE, "answer_timeout", "Answer took too long")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_listed_once_and_is_an_error() {
        let words: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
