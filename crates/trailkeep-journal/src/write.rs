//! A write: the frames of one group commit, as they are stored. The byte table is in
//! `docs/format/journal.md`.

use std::ops::Range;

use crc32c::{crc32c, crc32c_append};
use trailkeep_event::{Cut, Partition};

use crate::Result;
use crate::file::JournalFile;
use crate::sector::{SECTOR_BYTES, SECTOR_PAYLOAD_BYTES, SectorKind, SectorStamp, SectorWriter};

const MAGIC: [u8; 4] = *b"TKW1";
const HEADER_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 17;
const CRC_BYTES: usize = 4;

/// One frame, borrowed from what is to be written or was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameBytes<'a> {
    pub(crate) partition: Partition,
    pub(crate) number: u64,
    pub(crate) batch: &'a [u8],
}

/// Returns how many bytes a write of these frames has before it is spread over sectors.
pub(crate) fn payload_bytes(frames: &[FrameBytes<'_>]) -> usize {
    frames.iter().fold(HEADER_BYTES.saturating_add(CRC_BYTES), |sum, frame| {
        sum.saturating_add(FRAME_HEADER_BYTES).saturating_add(frame.batch.len())
    })
}

/// Returns how many bytes of a file a payload takes.
pub(crate) fn sectors_bytes(payload_bytes: usize) -> u64 {
    let sectors = payload_bytes.div_ceil(SECTOR_PAYLOAD_BYTES);
    u64::try_from(sectors.saturating_mul(SECTOR_BYTES)).unwrap_or(u64::MAX)
}

/// Encodes a write into `sectors`. Costs a copy and two checksums: 0.13 us a KiB.
///
/// # Panics
/// Where the payload is 4 GiB or more: [`crate::JournalOptions`] has a smaller limit.
pub(crate) fn encode(number: u64, frames: &[FrameBytes<'_>], sectors: &mut Vec<u8>) {
    let payload_len = u32::try_from(payload_bytes(frames)).unwrap_or(u32::MAX);
    assert!(payload_len < u32::MAX, "a write is shorter than 4 GiB");
    let n_frames = u32::try_from(frames.len()).unwrap_or(u32::MAX);
    let mut writer = SectorWriter::new(sectors, SectorStamp::of_write(number));
    let mut crc = 0;
    let mut push = |bytes: &[u8]| {
        crc = crc32c_append(crc, bytes);
        writer.push(bytes);
    };
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&payload_len.to_le_bytes());
    header.extend_from_slice(&number.to_le_bytes());
    header.extend_from_slice(&n_frames.to_le_bytes());
    header.extend_from_slice(&crc32c(&header).to_le_bytes());
    push(&header);
    for frame in frames {
        let len = u32::try_from(frame.batch.len()).unwrap_or(u32::MAX);
        push(&len.to_le_bytes());
        push(&frame_crc(frame).to_le_bytes());
        push(&[frame.partition.number()]);
        push(&frame.number.to_le_bytes());
        push(frame.batch);
    }
    writer.push(&crc.to_le_bytes());
    writer.finish();
}

fn frame_crc(frame: &FrameBytes<'_>) -> u32 {
    let crc = crc32c(&[frame.partition.number()]);
    crc32c_append(crc32c_append(crc, &frame.number.to_le_bytes()), frame.batch)
}

/// The fixed start of a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct WriteHeader {
    pub(crate) payload_bytes: usize,
    pub(crate) number: u64,
    pub(crate) n_frames: u32,
}

impl WriteHeader {
    /// Reads the header from a write's first sector.
    pub(crate) fn parse(sector: &[u8]) -> Option<Self> {
        let mut at = 0;
        let magic: [u8; 4] = take(sector, &mut at)?;
        let payload_bytes = usize::try_from(u32::from_le_bytes(take(sector, &mut at)?)).ok()?;
        let number = u64::from_le_bytes(take(sector, &mut at)?);
        let n_frames = u32::from_le_bytes(take(sector, &mut at)?);
        let crc = crc32c(sector.get(..at)?);
        let stored = u32::from_le_bytes(take(sector, &mut at)?);
        let sound = magic == MAGIC && crc == stored && payload_bytes >= at;
        sound.then_some(Self { payload_bytes, number, n_frames })
    }
}

/// What is found where a write is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// A whole write of so many bytes; [`WriteReader::frames`] has its frames.
    Write { bytes: u64 },
    /// The first sector is zero: no write, or one that lost its first sector.
    Blank,
    /// A sound first sector, and at least one of the others is zero.
    Torn { bytes: u64, n_stamped: u64 },
}

/// Reads writes one after the other, in the memory of one.
#[derive(Debug, Default)]
pub(crate) struct WriteReader {
    sectors: Vec<u8>,
    payload: Vec<u8>,
    frames: Vec<FrameSpan>,
}

#[derive(Debug)]
struct FrameSpan {
    partition: Partition,
    number: u64,
    range: Range<usize>,
}

impl WriteReader {
    /// Reads the write with this number at `offset`, and moves `next` over its frames.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`] for everything that an unfinished write cannot be.
    pub(crate) fn load(
        &mut self,
        file: &JournalFile,
        offset: u64,
        number: u64,
        next: &mut Cut,
    ) -> Result<Found> {
        let found = self.load_alone(file, offset, number)?;
        if let Found::Write { .. } = found {
            *next = self.follow(next).map_err(|what| file.corrupt(offset, what))?;
        }
        Ok(found)
    }

    /// Does what [`WriteReader::load`] does where it is not known which frames come before.
    pub(crate) fn load_alone(
        &mut self,
        file: &JournalFile,
        offset: u64,
        number: u64,
    ) -> Result<Found> {
        let stamp = SectorStamp::of_write(number);
        let mut first = [0; SECTOR_BYTES];
        if file.room_after(offset) < sectors_bytes(1) {
            return Ok(Found::Blank);
        }
        file.read(&mut first, offset)?;
        match SectorKind::of(&first, stamp) {
            SectorKind::Zero => return Ok(Found::Blank),
            SectorKind::Foreign => return Err(file.corrupt(offset, "a sector's stamp is wrong")),
            SectorKind::Stamped => {}
        }
        let header = WriteHeader::parse(&first).filter(|header| header.number == number);
        let header = header.ok_or_else(|| file.corrupt(offset, "a write's header is wrong"))?;
        let bytes = sectors_bytes(header.payload_bytes);
        if bytes > file.room_after(offset) {
            return Err(file.corrupt(offset, "a write is longer than its file"));
        }
        self.sectors.resize(usize::try_from(bytes).unwrap_or(usize::MAX), 0);
        file.read(&mut self.sectors, offset)?;
        let n_stamped = self.strip(file, offset, stamp)?;
        if sectors_bytes(1).saturating_mul(n_stamped) < bytes {
            return Ok(Found::Torn { bytes, n_stamped });
        }
        self.split(header).map_err(|what| file.corrupt(offset, what))?;
        Ok(Found::Write { bytes })
    }

    /// Returns the frames of the write that was loaded last.
    pub(crate) fn frames(&self) -> impl Iterator<Item = FrameBytes<'_>> {
        self.frames.iter().filter_map(|span| {
            let batch = self.payload.get(span.range.clone())?;
            Some(FrameBytes { partition: span.partition, number: span.number, batch })
        })
    }

    /// Joins the payload of the sectors and returns how many of them were written.
    fn strip(&mut self, file: &JournalFile, offset: u64, stamp: SectorStamp) -> Result<u64> {
        self.payload.clear();
        let mut n_stamped = 0_u64;
        let mut at = offset;
        for sector in self.sectors.chunks_exact(SECTOR_BYTES) {
            match SectorKind::of(sector, stamp) {
                SectorKind::Stamped => n_stamped = n_stamped.saturating_add(1),
                SectorKind::Zero => {}
                SectorKind::Foreign => return Err(file.corrupt(at, "a sector's stamp is wrong")),
            }
            self.payload.extend_from_slice(sector.get(..SECTOR_PAYLOAD_BYTES).unwrap_or_default());
            at = at.saturating_add(sectors_bytes(1));
        }
        Ok(n_stamped)
    }

    /// Checks that the frames continue their partitions, and returns what follows them.
    fn follow(&self, next: &Cut) -> std::result::Result<Cut, &'static str> {
        let mut next = *next;
        for span in &self.frames {
            if span.number != next.frame(span.partition) {
                return Err("a frame's number does not follow the one before");
            }
            next.set(span.partition, span.number.saturating_add(1));
        }
        Ok(next)
    }

    /// Finds the frames in the payload.
    fn split(&mut self, header: WriteHeader) -> std::result::Result<(), &'static str> {
        const LENGTH: &str = "a frame's length is wrong";
        self.frames.clear();
        let crc_at = header.payload_bytes.saturating_sub(CRC_BYTES);
        let body = self.payload.get(..crc_at).ok_or(LENGTH)?;
        let mut at = crc_at;
        let crc = u32::from_le_bytes(take(&self.payload, &mut at).ok_or(LENGTH)?);
        if crc != crc32c(body) {
            return Err("a write's checksum is wrong");
        }
        if self.payload.get(at..).unwrap_or_default().iter().any(|byte| *byte != 0) {
            return Err("a write's padding is not zero");
        }
        let mut at = HEADER_BYTES;
        for _frame in 0..header.n_frames {
            let (span, crc) = take_frame(body, &mut at).ok_or(LENGTH)?;
            let batch = body.get(span.range.clone()).ok_or(LENGTH)?;
            let frame = FrameBytes { partition: span.partition, number: span.number, batch };
            if frame_crc(&frame) != crc {
                return Err("a frame's checksum is wrong");
            }
            self.frames.push(span);
        }
        if at == crc_at { Ok(()) } else { Err(LENGTH) }
    }
}

fn take_frame(body: &[u8], at: &mut usize) -> Option<(FrameSpan, u32)> {
    let len = usize::try_from(u32::from_le_bytes(take(body, at)?)).ok()?;
    let crc = u32::from_le_bytes(take(body, at)?);
    let [partition] = take(body, at)?;
    let number = u64::from_le_bytes(take(body, at)?);
    let start = *at;
    *at = start.checked_add(len)?;
    Some((FrameSpan { partition: Partition::new(partition)?, number, range: start..*at }, crc))
}

/// Takes `N` bytes at `at` and moves it behind them.
pub(crate) fn take<const N: usize>(bytes: &[u8], at: &mut usize) -> Option<[u8; N]> {
    let end = at.checked_add(N)?;
    let taken = bytes.get(*at..end)?.try_into().ok()?;
    *at = end;
    Some(taken)
}
