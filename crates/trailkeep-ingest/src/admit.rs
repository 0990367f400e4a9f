//! From the bytes of a body to masked events, or to rejections by index.

use trailkeep_event::{
    BodyError, BodyFormat, EventLimits, Rejection, RowBuilder, read_event, split_body,
};
use trailkeep_redact::Masked;
use trailkeep_scope::WriteScope;

/// An event that may be framed, or why it may not.
pub type Admitted = Result<Masked, Rejection>;

/// Reads a whole body: split, strict parse, scope, redaction. Pure and CPU-bound, about 3 us
/// an event: call it off the async runtime for large bodies.
///
/// # Errors
/// Where the body as a whole cannot be split; a bad event is rejected by its index instead.
pub fn admit(
    body: &[u8],
    format: BodyFormat,
    limits: &EventLimits,
    events_max: usize,
    scope: &WriteScope,
) -> Result<Vec<Admitted>, BodyError> {
    let events = split_body(body, format, limits, events_max)?;
    let mut builder = RowBuilder::default();
    let mut admitted = Vec::with_capacity(events.len());
    for event in events {
        admitted.push(admit_one(event, limits, scope, &mut builder).map(Masked::new));
    }
    Ok(admitted)
}

fn admit_one(
    event: &[u8],
    limits: &EventLimits,
    scope: &WriteScope,
    builder: &mut RowBuilder,
) -> Result<trailkeep_event::Row, Rejection> {
    let row = read_event(event, limits, builder)?;
    scope.admit(&row.view())?;
    Ok(row)
}
