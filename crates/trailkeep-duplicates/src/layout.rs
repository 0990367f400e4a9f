//! The bytes of a run: `header 4096 | entry blocks 4096 each | filter | fences`.

use trailkeep_event::EventId;

use crate::{Fingerprint, Known};

pub(crate) const MAGIC: [u8; 4] = *b"TKD1";
pub(crate) const BLOCK_BYTES: usize = 4096;
pub(crate) const ENTRY_BYTES: usize = 32;
/// A block starts with one entry's room: `n_entries u32 | block number u32 | zeros | crc32c u32`.
pub(crate) const BLOCK_ENTRIES: usize = BLOCK_BYTES / ENTRY_BYTES - 1;

/// One entry: `fingerprint 12 | check u32 LE | id 16`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) known: Known,
}

impl Entry {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.fingerprint.0);
        out.extend_from_slice(&self.known.check.to_le_bytes());
        out.extend_from_slice(&self.known.id.0);
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let fingerprint = Fingerprint(bytes.get(..12)?.try_into().ok()?);
        let check = u32::from_le_bytes(bytes.get(12..16)?.try_into().ok()?);
        let id = EventId(bytes.get(16..ENTRY_BYTES)?.try_into().ok()?);
        Some(Self { fingerprint, known: Known { check, id } })
    }
}

/// The fixed part at the front of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) n_entries: u64,
    pub(crate) n_blocks: u64,
    pub(crate) filter_bytes: u64,
    pub(crate) filter_crc: u32,
    pub(crate) fences_crc: u32,
}

impl Header {
    /// `magic 4 | version u32 = 1 | n_entries u64 | n_blocks u64 | filter_bytes u64 |
    /// filter_crc u32 | fences_crc u32 | zeros | crc32c u32`
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BLOCK_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&1_u32.to_le_bytes());
        out.extend_from_slice(&self.n_entries.to_le_bytes());
        out.extend_from_slice(&self.n_blocks.to_le_bytes());
        out.extend_from_slice(&self.filter_bytes.to_le_bytes());
        out.extend_from_slice(&self.filter_crc.to_le_bytes());
        out.extend_from_slice(&self.fences_crc.to_le_bytes());
        close_block(&mut out);
        out
    }

    pub(crate) fn read(block: &[u8]) -> Option<Self> {
        let body = checked_block(block)?;
        let known = body.get(..4)? == MAGIC && u32_at(body, 4)? == 1;
        known.then_some(())?;
        Some(Self {
            n_entries: u64_at(body, 8)?,
            n_blocks: u64_at(body, 16)?,
            filter_bytes: u64_at(body, 24)?,
            filter_crc: u32_at(body, 32)?,
            fences_crc: u32_at(body, 36)?,
        })
    }
}

/// Writes one block of at most [`BLOCK_ENTRIES`] entries. The checksum stands last and covers
/// the block's number, so that blocks cannot change places.
pub(crate) fn write_block(number: u64, entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK_BYTES);
    let n_entries = u32::try_from(entries.len()).unwrap_or(0);
    out.extend_from_slice(&n_entries.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    // The rest of the first entry's room, less the four bytes of the checksum.
    out.resize(ENTRY_BYTES - 4, 0);
    for entry in entries {
        entry.write(&mut out);
    }
    close_block(&mut out);
    out
}

/// Reads one block's entries; `None` where a byte is not what was written.
pub(crate) fn read_block(number: u64, block: &[u8]) -> Option<Vec<Entry>> {
    let body = checked_block(block)?;
    let n_entries = usize::try_from(u32_at(body, 0)?).ok()?;
    if u64_at(body, 4)? != number || n_entries > BLOCK_ENTRIES {
        return None;
    }
    let entries = body.get(ENTRY_BYTES - 4..)?;
    entries.chunks_exact(ENTRY_BYTES).take(n_entries).map(Entry::read).collect()
}

fn close_block(out: &mut Vec<u8>) {
    out.resize(BLOCK_BYTES - 4, 0);
    let crc = crc32c::crc32c(out);
    out.extend_from_slice(&crc.to_le_bytes());
}

fn checked_block(block: &[u8]) -> Option<&[u8]> {
    if block.len() != BLOCK_BYTES {
        return None;
    }
    let (body, crc) = block.split_at_checked(BLOCK_BYTES - 4)?;
    (crc32c::crc32c(body).to_le_bytes() == crc).then_some(body)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// Returns the part of a fingerprint that fences are made of.
pub(crate) fn fence(fingerprint: Fingerprint) -> u64 {
    fingerprint.0.first_chunk().map_or(0, |front| u64::from_be_bytes(*front))
}
