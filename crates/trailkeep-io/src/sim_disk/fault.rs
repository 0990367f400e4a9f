//! Faults on request.

/// A kind of operation that can be made to fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultOp {
    /// A write, or a change of a file's length.
    Write,
    /// Making a file durable.
    Sync,
    /// Making the names in a folder durable.
    SyncDir,
    /// Opening or creating a file.
    Open,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
    /// A read.
    Read,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// It fails and has no effect.
    NotDone,
    /// It fails although it had its effect.
    Done,
    /// It fails with [`std::io::ErrorKind::StorageFull`] and has no effect.
    NoSpace,
    /// It and all later operations fail; its own effect may be there, not yet durable.
    PowerOff,
}

/// One planned failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// What fails.
    pub op: FaultOp,
    /// Which one fails: 1 is the next of its kind.
    pub nth: u64,
    /// How it fails.
    pub kind: FaultKind,
}

/// How many operations of each kind were tried.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpCounts {
    /// Writes and changes of length.
    pub writes: u64,
    /// Syncs of files.
    pub syncs: u64,
    /// Syncs of folders.
    pub sync_dirs: u64,
    /// Files opened or created.
    pub opens: u64,
    /// Renames.
    pub renames: u64,
    /// Removals.
    pub removes: u64,
    /// Reads.
    pub reads: u64,
}

impl OpCounts {
    /// Returns the count of one kind.
    pub fn of(self, op: FaultOp) -> u64 {
        match op {
            FaultOp::Write => self.writes,
            FaultOp::Sync => self.syncs,
            FaultOp::SyncDir => self.sync_dirs,
            FaultOp::Open => self.opens,
            FaultOp::Rename => self.renames,
            FaultOp::Remove => self.removes,
            FaultOp::Read => self.reads,
        }
    }

    fn add(&mut self, op: FaultOp) {
        let count = match op {
            FaultOp::Write => &mut self.writes,
            FaultOp::Sync => &mut self.syncs,
            FaultOp::SyncDir => &mut self.sync_dirs,
            FaultOp::Open => &mut self.opens,
            FaultOp::Rename => &mut self.renames,
            FaultOp::Remove => &mut self.removes,
            FaultOp::Read => &mut self.reads,
        };
        *count = count.saturating_add(1);
    }
}

/// The faults still to come; `nth` counts from the start of the disk here.
#[derive(Debug, Default)]
pub(super) struct Faults {
    armed: Vec<Fault>,
    counts: OpCounts,
}

impl Faults {
    pub(super) fn arm(&mut self, fault: Fault) {
        let nth = fault.nth.saturating_add(self.counts.of(fault.op));
        self.armed.push(Fault { nth, ..fault });
    }

    pub(super) fn counts(&self) -> OpCounts {
        self.counts
    }

    /// Counts an operation and returns how it is to fail, if it is.
    pub(super) fn fire(&mut self, op: FaultOp) -> Option<FaultKind> {
        self.counts.add(op);
        let nth = self.counts.of(op);
        let at = self.armed.iter().position(|fault| fault.op == op && fault.nth == nth)?;
        Some(self.armed.swap_remove(at).kind)
    }
}
