//! The limits of one event.

/// The limits that one event must keep.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "a limit ends in `_max`")]
pub struct EventLimits {
    /// The largest row in bytes, after texts were cut.
    pub event_bytes_max: usize,
    /// The largest event in bytes as sent.
    pub input_bytes_max: usize,
    /// The deepest nesting of objects and lists.
    pub depth_max: usize,
    /// The most object members in one event, all levels together.
    pub keys_max: usize,
}

impl EventLimits {
    /// The limits of a server whose configuration names none.
    pub const STANDARD: Self = Self {
        event_bytes_max: 64 * 1024,
        input_bytes_max: 1024 * 1024,
        depth_max: 64,
        keys_max: 1000,
    };
}
