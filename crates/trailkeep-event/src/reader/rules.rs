//! What a text must be in its field.

use crate::account::has_control;
use crate::position::Admission;
use crate::{
    AccountId, Field, FieldKind, Rejection, RejectionCode as Code, SYSTEM_ACCOUNT, SystemCategory,
};

/// Tells whether a text is allowed in its field as it is, without a look at its characters. Where
/// it does not tell, the other rules here do.
#[inline]
pub(super) fn plainly_allowed(field: Field, text: &[u8]) -> bool {
    let printable = || text.iter().all(|byte| (b' '..0x7f).contains(byte));
    match (field, field.kind()) {
        (Field::AccountId | Field::Action, _) => {
            (1..=128).contains(&text.len()) && printable() && text != SYSTEM_ACCOUNT.as_bytes()
        }
        (_, FieldKind::Enum(words)) => {
            words.iter().any(|word| word.as_bytes() == text)
                && text != SystemCategory::WORD.as_bytes()
        }
        _ => text.len() <= field.bytes_max(),
    }
}

/// Checks an identifier.
pub(super) fn check_id(field: Field, text: &str) -> Admission<()> {
    if text.len() > field.bytes_max() {
        let detail = format!("{} bytes, at most {} are kept", text.len(), field.bytes_max());
        return Err(Rejection::new(Code::TooLong, detail));
    }
    match field {
        Field::AccountId if text == SYSTEM_ACCOUNT => {
            let detail = "this account holds Trailkeep's own entries";
            Err(Rejection::new(Code::ReservedField, detail))
        }
        Field::AccountId => AccountId::check(text)
            .map_err(|error| Rejection::new(Code::InvalidValue, error.to_string())),
        Field::Action => {
            // No text has more characters than bytes.
            let fits = (1..=128).contains(&text.len()) || (1..=128).contains(&text.chars().count());
            if fits && !has_control(text) {
                Ok(())
            } else {
                let detail = "an action has 1 to 128 printable characters";
                Err(Rejection::new(Code::InvalidValue, detail))
            }
        }
        _ => Ok(()),
    }
}

/// Checks a word of an enumeration.
pub(super) fn check_word(field: Field, text: &str, words: &[&str]) -> Admission<()> {
    if field == Field::Category && text == SystemCategory::WORD {
        let detail = "the category `system` is written by Trailkeep alone";
        return Err(Rejection::new(Code::ReservedField, detail));
    }
    if words.contains(&text) {
        return Ok(());
    }
    let allowed: Vec<&str> =
        words.iter().copied().filter(|word| *word != SystemCategory::WORD).collect();
    let detail = format!("expected one of {}", allowed.join(", "));
    Err(Rejection::new(Code::InvalidValue, detail))
}

/// Cuts a text that is too long and says so in its last characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> String {
    let mark = format!("...[cut, {} bytes in all]", text.len());
    let mut keep = bytes_max.saturating_sub(mark.len());
    while !text.is_char_boundary(keep) {
        keep = keep.saturating_sub(1);
    }
    format!("{}{mark}", text.get(..keep).unwrap_or(""))
}
