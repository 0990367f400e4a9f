//! The formats that are built in.

use std::fmt;
use std::str::FromStr;

/// A format whose mapping is built in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Trailkeep's own events, one JSON object a line.
    Ndjson,
    /// AWS `CloudTrail` records.
    CloudTrail,
    /// The access log of Apache and nginx, combined or common.
    Combined,
    /// Windows security audit records as JSON lines.
    Windows,
}

/// Says that a text names no built-in format.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no format is called `{0}`; there are ndjson, cloudtrail, combined and windows")]
pub struct FormatError(String);

impl Format {
    /// Every built-in format.
    pub const ALL: &'static [Self] =
        &[Self::Ndjson, Self::CloudTrail, Self::Combined, Self::Windows];

    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::CloudTrail => "cloudtrail",
            Self::Combined => "combined",
            Self::Windows => "windows",
        }
    }

    /// Returns what its records are, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ndjson => "Trailkeep's own events, a JSON object a line",
            Self::CloudTrail => {
                "CloudTrail records, as {\"Records\":[...]} or as a JSON object a line"
            }
            Self::Combined => "the lines of an access log, combined or common",
            Self::Windows => "Windows security audit records, a JSON object a line",
        }
    }

    /// Returns the built-in mapping file, to copy and to change.
    pub fn mapping_toml(self) -> &'static str {
        match self {
            Self::Ndjson => include_str!("../mappings/ndjson.toml"),
            Self::CloudTrail => include_str!("../mappings/cloudtrail.toml"),
            Self::Combined => include_str!("../mappings/combined.toml"),
            Self::Windows => include_str!("../mappings/windows.toml"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text {
            "ndjson" => Ok(Self::Ndjson),
            "cloudtrail" => Ok(Self::CloudTrail),
            "combined" | "apache" | "nginx" => Ok(Self::Combined),
            "windows" => Ok(Self::Windows),
            _ => Err(FormatError(text.chars().take(64).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(*format));
        }
        assert_eq!("nginx".parse(), Ok(Format::Combined));
        assert_eq!("apache".parse(), Ok(Format::Combined));
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("`xml`"));
    }
}
