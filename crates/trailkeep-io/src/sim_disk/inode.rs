//! One file: what is written and what is durable.

use std::collections::BTreeSet;
use std::io;

use super::image::{Image, SECTOR_BYTES};
use crate::splitmix::SplitMix;

/// A file's live and durable bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    live: Image,
    durable: Image,
    /// Sectors that the next sync writes.
    dirty: BTreeSet<usize>,
    /// Sectors that a failed sync gave up: the next sync leaves them alone.
    stranded: BTreeSet<usize>,
}

impl Inode {
    pub(super) fn durable_of(bytes: &[u8]) -> Self {
        let mut image = Image::default();
        image.write(bytes, 0);
        Self::of(image)
    }

    pub(super) fn live(&self) -> &Image {
        &self.live
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let sectors = self.live.write(bytes, offset);
        if !bytes.is_empty() {
            self.dirty.extend(sectors);
        }
    }

    pub(super) fn set_len(&mut self, bytes: usize) {
        self.dirty.extend(self.live.set_len(bytes));
    }

    pub(super) fn sync(&mut self) {
        for number in &self.dirty {
            self.durable.copy_sector(*number, &self.live);
            self.stranded.remove(number);
        }
        self.dirty.clear();
        self.durable.set_len(self.live.len());
    }

    /// Notes that a sync failed: what it was to write is no longer waiting to be written.
    pub(super) fn strand(&mut self) {
        self.stranded.append(&mut self.dirty);
    }

    /// Returns the file as a power cut leaves it.
    pub(super) fn survive(&self, random: &mut SplitMix) -> Self {
        let mut image = self.durable.clone();
        for number in self.dirty.union(&self.stranded) {
            if random.coin() {
                image.copy_sector(*number, &self.live);
            }
        }
        image.set_len(self.surviving_len(random));
        Self::of(image)
    }

    pub(super) fn flip_bit(&mut self, byte_offset: u64, bit: u8) -> io::Result<()> {
        match usize::try_from(byte_offset) {
            Ok(byte) if byte < self.live.len() => {
                self.live.flip_bit(byte, bit);
                self.durable.flip_bit(byte, bit);
                Ok(())
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn of(image: Image) -> Self {
        Self { live: image.clone(), durable: image, ..Self::default() }
    }

    fn surviving_len(&self, random: &mut SplitMix) -> usize {
        let (old, new) = (self.durable.len(), self.live.len());
        match random.up_to(2) {
            0 => old,
            1 => new,
            _ if new <= old => new,
            _ => (old + random.up_to(new - old)).next_multiple_of(SECTOR_BYTES).min(new),
        }
    }
}
