//! A size in bytes, as people write it.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A size in bytes: a number, or a text like `"64 MiB"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Size(pub(crate) u64);

const EXPECTED: &str = "a number of bytes, or a text like \"64 MiB\" (B, KiB, MiB, GiB, TiB)";

impl Size {
    /// Makes a size out of one in memory.
    pub(crate) fn of(bytes: usize) -> Self {
        Self(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Returns the size as one in memory.
    pub(crate) fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(at)?;
        let shift = match unit.trim() {
            "" | "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            "TiB" => 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(1 << shift).map(Self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes)
            .map(Size)
            .map_err(|_negative| E::invalid_value(Unexpected::Signed(bytes), &EXPECTED))
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &EXPECTED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("64 MiB", Some(64 << 20)),
            ("64MiB", Some(64 << 20)),
            ("1 GiB", Some(1 << 30)),
            ("7", Some(7)),
            ("7 B", Some(7)),
            ("7 MB", None),
            ("-1", None),
            ("", None),
            ("MiB", None),
            ("99999999999 TiB", None),
        ] {
            assert_eq!(Size::parse(text).map(|size| size.0), bytes, "{text:?}");
        }
    }
}
