//! What a person can do about damage.

use std::fmt;

/// What a person can do about damage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WayOut {
    /// [`crate::repair_headers`] writes the header again: no frame is lost.
    RepairHeader,
    /// [`crate::cut_tail`] cuts off what follows: acknowledged frames are lost.
    CutTail,
    /// Nothing here can make up for it: what follows is sound and would be lost.
    Restore,
    /// A reader met it in a running store: opening finds out more.
    Reopen,
    /// The note of cuts is no part of the journal: without it only the entry about a cut is lost.
    RemoveNote,
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RepairHeader => {
                "stop the server; `trailkeep doctor --cut-tail --yes` writes the header again"
            }
            Self::CutTail => {
                "stop the server; `trailkeep doctor --cut-tail --yes` cuts off what follows"
            }
            Self::Restore => "restore a backup",
            Self::Reopen => "restart the server to learn what can be saved",
            Self::RemoveNote => {
                "remove this file: then the store opens, without an entry about what was cut"
            }
        })
    }
}
