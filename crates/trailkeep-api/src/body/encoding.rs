//! How a body is compressed.

use axum::http::{HeaderMap, header};

use crate::{ErrorCode, Problem};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ContentEncoding {
    /// Not at all.
    Identity,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

impl ContentEncoding {
    /// Reads the header. A body that is compressed more than once is not read: it has no use but
    /// to hide its size.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Ok(Self::Identity) };
        let word = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
        match (word.as_str(), values.next()) {
            ("identity", None) => Ok(Self::Identity),
            ("gzip" | "x-gzip", None) => Ok(Self::Gzip),
            ("zstd", None) => Ok(Self::Zstd),
            _ => {
                let detail = "the body may be compressed with gzip or with zstd, once";
                let problem = Problem::new(ErrorCode::UnsupportedEncoding, detail);
                Err(problem.at_field("Content-Encoding"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn known_words() {
        use ContentEncoding::{Gzip, Identity, Zstd};
        let cases: &[(&[&str], Option<ContentEncoding>)] = &[
            (&[], Some(Identity)),
            (&["identity"], Some(Identity)),
            (&["GZip"], Some(Gzip)),
            (&["x-gzip"], Some(Gzip)),
            (&["zstd"], Some(Zstd)),
            (&["br"], None),
            (&[""], None),
            (&["gzip, gzip"], None),
            (&["gzip", "gzip"], None),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(ContentEncoding::of(&headers).ok(), *expected, "{values:?}");
        }
    }
}
