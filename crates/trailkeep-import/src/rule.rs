//! The rules of a mapping: where a member of the event comes from.

use std::borrow::Cow;

use crate::fit::{Fit, Fitted, fit, fit_text};
use crate::json::Value;
use crate::lookup::Lookup;
use crate::pointer::Pointer;
use crate::target::Target;
use crate::template::Template;
use crate::time::TimeFormat;

/// One way of finding a member of the event; absent where it finds nothing that fits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Rule {
    /// Always the same.
    Const(String),
    /// Values of the record inside a text.
    Template(Template),
    /// The first value of the record that fits.
    Pointer { pointers: Vec<Pointer>, absent: Vec<String>, reading: Reading },
}

/// What is made of a value of the record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    AsIs,
    Time(Vec<TimeFormat>),
    Lookup(Lookup),
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found<'r> {
    pub(crate) value: Fitted<'r>,
    /// The member of the record itself of which nothing is lost in the value.
    pub(crate) member: Option<&'r str>,
}

impl Rule {
    /// Finds the value for `target` in a record.
    pub(crate) fn find<'r>(&'r self, target: Target, record: &'r Value<'r>) -> Option<Found<'r>> {
        match self {
            Self::Const(text) => made(fit_text(target, Cow::Borrowed(text))?),
            Self::Template(template) => made(fit_text(target, Cow::Owned(template.fill(record)?))?),
            Self::Pointer { pointers, absent, reading } => pointers.iter().find_map(|pointer| {
                let value = pointer.find(record)?;
                if value.scalar().is_some_and(|text| absent.iter().any(|word| word == text)) {
                    return None;
                }
                let fit = reading.read(target, value)?;
                let member = pointer.top_member().filter(|_name| fit.whole);
                Some(Found { value: fit.value, member })
            }),
        }
    }

    /// Returns the pointers that the rule reads, for messages.
    pub(crate) fn pointers(&self) -> Vec<&Pointer> {
        match self {
            Self::Const(_) => Vec::new(),
            Self::Template(template) => template.pointers().collect(),
            Self::Pointer { pointers, .. } => pointers.iter().collect(),
        }
    }
}

impl Reading {
    fn read<'r>(&'r self, target: Target, value: &'r Value<'r>) -> Option<Fit<'r>> {
        match self {
            Self::AsIs => fit(target, value),
            Self::Time(formats) => formats.iter().find_map(|format| {
                let text = value.scalar()?;
                let at = format.read(text)?;
                // Only the plain form of a time can be written again from the instant.
                let whole = *format == TimeFormat::Rfc3339
                    && fit_text(target, Cow::Borrowed(text)).is_some_and(|fit| fit.whole);
                Some(Fit { value: Fitted::Time(at), whole })
            }),
            Self::Lookup(lookup) => {
                let fit = fit_text(target, Cow::Borrowed(lookup.find(value.scalar()?)?))?;
                Some(Fit { whole: false, ..fit })
            }
        }
    }
}

/// A value that is not one of the record's own: no member is used up by it.
#[expect(clippy::unnecessary_wraps, reason = "the arms of a match that yields an option")]
fn made(fit: Fit<'_>) -> Option<Found<'_>> {
    Some(Found { value: fit.value, member: None })
}
