//! An entry's place in the journal.

use std::fmt;

use crate::rejection::Rejection;

/// How many partitions a store has. Fixed when the store is made.
pub const PARTITIONS: usize = 16;

/// One of the [`PARTITIONS`] ordered streams; an account lives in exactly one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Partition(u8);

impl Partition {
    /// Returns every partition, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..16).map(Self)
    }

    /// Returns the partition with that number, if there is one.
    pub fn new(number: u8) -> Option<Self> {
        (usize::from(number) < PARTITIONS).then_some(Self(number))
    }

    /// Returns the partition of an account: the low four bits of the FNV-1a hash of its id.
    ///
    /// The rule is part of the store's format.
    pub fn of_account(account_id: &str) -> Self {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in account_id.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // The low bits of FNV are its weakest: fold the high half in.
        let folded = hash ^ (hash >> 32) ^ (hash >> 17);
        Self(u8::try_from(folded & 15).unwrap_or(0))
    }

    /// Returns the partition's number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Returns the partition's number as an index into an array of [`PARTITIONS`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// An entry's place in the journal: ordered within a partition.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The stream.
    pub partition: Partition,
    /// The frame's number in its partition, from 0 without gaps.
    pub frame: u64,
    /// The row's number in its frame.
    pub ordinal: u32,
}

impl Position {
    /// The largest frame number that an identifier can carry (48 bits).
    pub const FRAME_MAX: u64 = (1 << 48) - 1;
    /// The largest row number that an identifier can carry (22 bits).
    pub const ORDINAL_MAX: u32 = (1 << 22) - 1;

    /// Parses the form that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (partition, rest) = text.strip_prefix('p')?.split_once('-')?;
        let (frame, ordinal) = rest.split_once('-')?;
        Some(Self {
            partition: Partition::new(partition.parse().ok()?)?,
            frame: frame.parse().ok()?,
            ordinal: ordinal.parse().ok()?,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.partition, self.frame, self.ordinal)
    }
}

/// The position that divides what is sealed from the tail: for each partition the number of
/// the first frame that is not sealed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Cut(pub [u64; PARTITIONS]);

impl Cut {
    /// Returns the first unsealed frame of a partition.
    pub fn frame(&self, partition: Partition) -> u64 {
        self.0.get(partition.index()).copied().unwrap_or(0)
    }

    /// Moves the cut of one partition.
    pub fn set(&mut self, partition: Partition, frame: u64) {
        if let Some(slot) = self.0.get_mut(partition.index()) {
            *slot = frame;
        }
    }

    /// Tells whether a position is sealed.
    pub fn covers(&self, position: Position) -> bool {
        position.frame < self.frame(position.partition)
    }
}

/// The result of reading one event.
pub(crate) type Admission<T> = Result<T, Rejection>;
