//! The files in use: what the writer changes and the readers look at.

use std::collections::VecDeque;
use std::sync::Arc;

use trailkeep_event::{Cut, Partition};

use crate::JournalOptions;
use crate::file::JournalFile;
use crate::header::{FileHeader, HEADER_BYTES};

/// How far apart the places are at which a reader can start: it reads at most so much in vain.
/// Each costs 144 bytes of memory, 0.2 % of the files.
const STRIDE_BYTES: u64 = 64 * 1024;

/// A place between two writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Where the next write starts.
    pub(crate) offset: u64,
    /// The next write's number.
    pub(crate) write: u64,
    /// The next frame number of each partition.
    pub(crate) next: Cut,
}

/// A file and the durable writes in it.
#[derive(Debug)]
pub(crate) struct LiveFile {
    pub(crate) file: Arc<JournalFile>,
    /// Where the next write goes.
    pub(crate) end: Point,
    /// Where a reader can start; the first is the file's first write.
    points: Vec<Point>,
}

impl LiveFile {
    /// Starts with no write.
    pub(crate) fn new(file: JournalFile) -> Self {
        let header = &file.header;
        let start = Point { offset: HEADER_BYTES, write: header.first_write, next: header.start };
        Self { file: Arc::new(file), end: start, points: vec![start] }
    }

    /// Takes a write of so many bytes into account.
    pub(crate) fn extend(&mut self, bytes: u64, next: Cut) {
        self.end.offset = self.end.offset.saturating_add(bytes);
        self.end.write = self.end.write.saturating_add(1);
        self.end.next = next;
        assert!(self.end.offset <= self.file.header.bytes, "a write never spans files");
        let last = self.points.last().map_or(0, |point| point.offset);
        if self.end.offset.saturating_sub(last) >= STRIDE_BYTES {
            self.points.push(self.end);
        }
    }

    /// Tells whether a write of so many bytes can follow.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        bytes <= self.file.room_after(self.end.offset) && bytes <= self.file.header.write_bytes_max
    }
}

/// A part of one file: writes from one place to another.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) file: Arc<JournalFile>,
    pub(crate) from: Point,
    pub(crate) to: u64,
}

/// The files in use, oldest first; there is always one.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) files: VecDeque<LiveFile>,
}

impl Live {
    /// Returns the next frame number of each partition.
    pub(crate) fn next(&self) -> Cut {
        self.files.back().map_or(Cut::default(), |last| last.end.next)
    }

    /// Returns the first held frame number of each partition.
    pub(crate) fn first(&self) -> Cut {
        self.files.front().map_or(Cut::default(), |first| first.file.header.start)
    }

    /// Describes the file that follows the last one.
    pub(crate) fn next_header(&self, options: JournalOptions) -> FileHeader {
        let last = self.files.back().map(|last| (&last.file.header, &last.end));
        FileHeader::following(last, options)
    }

    /// Takes the first file out where every frame in it lies below the cut and it is not the last.
    pub(crate) fn pop_below(&mut self, sealed: &Cut) -> Option<LiveFile> {
        let after = &self.files.get(1)?.file.header.start;
        first_beyond(after, sealed).is_none().then(|| self.files.pop_front())?
    }

    /// Returns everything from the last known place that satisfies `before` up to the end; nothing where
    /// no place does. `before` must be false for all places after one for which it is false.
    pub(crate) fn spans(&self, before: impl Fn(&Cut) -> bool) -> Vec<Span> {
        let skipped = self.files.partition_point(|live| before(&live.file.header.start));
        let Some(first) = skipped.checked_sub(1) else { return Vec::new() };
        let mut spans: Vec<Span> = self.files.iter().skip(first).map(span_of).collect();
        if let (Some(span), Some(live)) = (spans.first_mut(), self.files.get(first)) {
            let n_before = live.points.partition_point(|point| before(&point.next));
            let start = n_before.checked_sub(1).and_then(|last| live.points.get(last));
            span.from = start.copied().unwrap_or(span.from);
        }
        spans
    }
}

fn span_of(live: &LiveFile) -> Span {
    let from = live.points.first().copied().unwrap_or(live.end);
    Span { file: Arc::clone(&live.file), from, to: live.end.offset }
}

/// Returns the first partition in which `cut` is beyond `end`, with both frame numbers.
pub(crate) fn first_beyond(cut: &Cut, end: &Cut) -> Option<(Partition, u64, u64)> {
    Partition::all()
        .map(|partition| (partition, cut.frame(partition), end.frame(partition)))
        .find(|(_partition, cut, end)| cut > end)
}
