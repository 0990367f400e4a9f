//! How the store behaves.

use std::time::Duration;

use trailkeep_event::EventLimits;
use trailkeep_journal::JournalOptions;
use trailkeep_segment::Compaction;

use crate::queue::QueueLimits;

/// How the store behaves. The `trailkeep` crate makes it from the configuration.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The limits of one event.
    pub event: EventLimits,
    /// How many events one submission may hold.
    pub events_max: usize,
    /// How much may wait for the writer.
    pub queue: QueueLimits,
    /// How many events a second one account may receive; `None` is no limit.
    pub account_events_per_second_max: Option<u32>,
    /// The tail is sealed when it holds so many bytes ...
    pub seal_bytes: u64,
    /// ... or when its first entry has waited for so long.
    pub seal_interval: Duration,
    /// New events are refused while the tail holds so many bytes: sealing has fallen behind.
    pub tail_bytes_max: u64,
    /// The journal's files.
    pub journal: JournalOptions,
    /// When segments are merged.
    pub compaction: Compaction,
    /// How long a replaced file stays for readers that have it open.
    pub garbage_delay: Duration,
    /// Where the disk is called full.
    pub disk: DiskMarks,
}

/// How much room the disk must have.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "the unit stands at the end")]
pub struct DiskMarks {
    /// Below this a warning is logged.
    pub high_bytes: u64,
    /// Below this new events are refused; reads go on.
    pub low_bytes: u64,
    /// The size of the file whose room is kept for `system` entries and for sealing: on a full disk
    /// no more of the tail is sealed at once than this.
    pub reserve_bytes: u64,
}

impl StoreOptions {
    /// The behaviour of a server whose configuration names none.
    pub fn standard() -> Self {
        Self {
            event: EventLimits::STANDARD,
            events_max: 200_000,
            queue: QueueLimits { bytes_max: 256 << 20, key_bytes_max: 128 << 20 },
            account_events_per_second_max: None,
            seal_bytes: 64 << 20,
            seal_interval: Duration::from_mins(3),
            tail_bytes_max: 512 << 20,
            journal: JournalOptions::STANDARD,
            compaction: Compaction::STANDARD,
            garbage_delay: Duration::from_secs(30),
            disk: DiskMarks { high_bytes: 2 << 30, low_bytes: 512 << 20, reserve_bytes: 4 << 20 },
        }
    }
}
