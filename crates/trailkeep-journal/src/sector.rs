//! Sectors: 508 bytes of a write, and a stamp that tells which write they belong to.

/// What a disk writes as a whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;
/// How much of a write one sector holds.
pub(crate) const SECTOR_PAYLOAD_BYTES: usize = 508;

const STAMP_BYTES: usize = SECTOR_BYTES - SECTOR_PAYLOAD_BYTES;

/// The last four bytes of every sector of a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SectorStamp([u8; STAMP_BYTES]);

impl SectorStamp {
    /// Returns the stamp of a write. Its first and last bit are set, so that no written sector
    /// is all zero, also with one bit flipped; an odd factor permutes the 30 bits between, so
    /// that the stamps of the next 2^30 writes all differ.
    pub(crate) fn of_write(number: u64) -> Self {
        let permuted = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0x3FFF_FFFF;
        let stamp = u32::try_from(permuted << 1).unwrap_or(0) | 0x8000_0001;
        debug_assert!(stamp.count_ones() >= 2, "a stamp has at least two set bits");
        Self(stamp.to_le_bytes())
    }
}

/// What a sector holds, seen from one write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SectorKind {
    /// Nothing was ever written here.
    Zero,
    /// It carries the write's stamp.
    Stamped,
    /// Anything else.
    Foreign,
}

impl SectorKind {
    /// Looks at a whole sector.
    pub(crate) fn of(sector: &[u8], stamp: SectorStamp) -> Self {
        if sector.get(SECTOR_PAYLOAD_BYTES..) == Some(&stamp.0) {
            Self::Stamped
        } else if sector == [0; SECTOR_BYTES] {
            Self::Zero
        } else {
            Self::Foreign
        }
    }
}

/// Spreads the payload of a write over sectors. Costs one copy.
#[derive(Debug)]
pub(crate) struct SectorWriter<'a> {
    sectors: &'a mut Vec<u8>,
    stamp: SectorStamp,
    room: usize,
}

impl<'a> SectorWriter<'a> {
    /// Starts the first sector.
    pub(crate) fn new(sectors: &'a mut Vec<u8>, stamp: SectorStamp) -> Self {
        sectors.clear();
        Self { sectors, stamp, room: SECTOR_PAYLOAD_BYTES }
    }

    /// Appends to the payload.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (fits, rest) = bytes.split_at(bytes.len().min(self.room));
            self.sectors.extend_from_slice(fits);
            self.room = self.room.saturating_sub(fits.len());
            if self.room == 0 {
                self.sectors.extend_from_slice(&self.stamp.0);
                self.room = SECTOR_PAYLOAD_BYTES;
            }
            bytes = rest;
        }
    }

    /// Fills the last sector with zeros.
    pub(crate) fn finish(self) {
        if self.room < SECTOR_PAYLOAD_BYTES {
            self.sectors.resize(self.sectors.len().saturating_add(self.room), 0);
            self.sectors.extend_from_slice(&self.stamp.0);
        }
        assert_eq!(self.sectors.len() % SECTOR_BYTES, 0, "a write is whole sectors");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_neighbours_differ() {
        let mut stamps: Vec<_> = (0..10_000).map(|n| SectorStamp::of_write(n).0).collect();
        stamps.sort_unstable();
        stamps.dedup();
        assert_eq!(stamps.len(), 10_000);
    }

    #[test]
    fn a_written_sector_is_never_zero_with_one_bit_flipped() {
        for number in [0, 1, 2, u64::MAX] {
            let mut sectors = Vec::new();
            let mut writer = SectorWriter::new(&mut sectors, SectorStamp::of_write(number));
            writer.push(&[0; SECTOR_PAYLOAD_BYTES]);
            writer.finish();
            for bit in 0..SECTOR_BYTES * 8 {
                let mut flipped = sectors.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let kind = SectorKind::of(&flipped, SectorStamp::of_write(number));
                assert_ne!(kind, SectorKind::Zero);
            }
        }
    }

    #[test]
    fn one_bit_in_an_empty_sector_is_no_stamp() {
        for bit in 0..SECTOR_BYTES * 8 {
            let mut sector = vec![0; SECTOR_BYTES];
            sector[bit / 8] = 1 << (bit % 8);
            for number in 0..64 {
                let kind = SectorKind::of(&sector, SectorStamp::of_write(number));
                assert_eq!(kind, SectorKind::Foreign);
            }
        }
    }
}
