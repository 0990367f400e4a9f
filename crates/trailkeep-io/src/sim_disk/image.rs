//! The bytes of one file, in sectors.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// What a disk writes whole or not at all.
pub(super) const SECTOR_BYTES: usize = 512;

type Sector = [u8; SECTOR_BYTES];

/// The bytes of a file; a sector that is not there is zero. Bytes past the end are zero too.
#[derive(Clone, Default)]
pub(super) struct Image {
    bytes: usize,
    sectors: BTreeMap<usize, Arc<Sector>>,
}

impl Image {
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.bytes];
        self.fill(&mut bytes, 0);
        bytes
    }

    pub(super) fn read_exact(&self, buffer: &mut [u8], offset: usize) -> io::Result<()> {
        match offset.checked_add(buffer.len()) {
            Some(end) if end <= self.bytes => self.fill(buffer, offset),
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    /// Writes `bytes`, which may be empty, and returns the sectors that they touch.
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) -> RangeInclusive<usize> {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = at % SECTOR_BYTES;
            let (now, later) = rest.split_at(rest.len().min(SECTOR_BYTES - start));
            let sector = self.sector_mut(at / SECTOR_BYTES);
            sector[start..start + now.len()].copy_from_slice(now);
            at += now.len();
            rest = later;
        }
        if !bytes.is_empty() {
            self.bytes = self.bytes.max(at);
        }
        offset / SECTOR_BYTES..=at.saturating_sub(1) / SECTOR_BYTES
    }

    /// Cuts or grows the file and returns the sectors whose bytes were cut.
    pub(super) fn set_len(&mut self, bytes: usize) -> Vec<usize> {
        self.bytes = bytes;
        let cut: Vec<usize> =
            self.sectors.range(bytes / SECTOR_BYTES..).map(|(number, _)| *number).collect();
        for number in &cut {
            let kept = bytes.saturating_sub(number * SECTOR_BYTES);
            if kept == 0 {
                self.sectors.remove(number);
            } else if kept < SECTOR_BYTES {
                self.sector_mut(*number)[kept..].fill(0);
            }
        }
        cut
    }

    /// Takes over one sector of another image.
    pub(super) fn copy_sector(&mut self, number: usize, other: &Self) {
        match other.sectors.get(&number) {
            Some(sector) => self.sectors.insert(number, Arc::clone(sector)),
            None => self.sectors.remove(&number),
        };
    }

    pub(super) fn flip_bit(&mut self, byte: usize, bit: u8) {
        if byte < self.bytes {
            self.sector_mut(byte / SECTOR_BYTES)[byte % SECTOR_BYTES] ^= 1 << (bit % 8);
        }
    }

    fn fill(&self, buffer: &mut [u8], offset: usize) {
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            let start = at % SECTOR_BYTES;
            let n = rest.len().min(SECTOR_BYTES - start);
            let (now, later) = rest.split_at_mut(n);
            match self.sectors.get(&(at / SECTOR_BYTES)) {
                Some(sector) => now.copy_from_slice(&sector[start..start + n]),
                None => now.fill(0),
            }
            at += n;
            rest = later;
        }
    }

    fn sector_mut(&mut self, number: usize) -> &mut Sector {
        let sector = self.sectors.entry(number).or_insert_with(|| Arc::new([0; SECTOR_BYTES]));
        Arc::make_mut(sector)
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} bytes)", self.bytes)
    }
}
