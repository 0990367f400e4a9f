//! Reading what is committed, while the journal goes on.

use std::sync::Arc;
use std::vec;

use parking_lot::RwLock;
use trailkeep_event::{Cut, Partition};

use crate::frame::Frame;
use crate::live::{Live, Point, Span, first_beyond};
use crate::write::{Found, WriteReader};
use crate::{Error, Result};

/// How much of the journal one call reads at most once it has a frame to return: frames of one
/// partition lie between those of the others.
const SCAN_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Reads committed frames by position. Cheap to clone; works beside the writer, from any thread.
#[derive(Clone, Debug)]
pub struct JournalReader {
    live: Arc<RwLock<Live>>,
}

impl JournalReader {
    pub(crate) fn new(live: Arc<RwLock<Live>>) -> Self {
        Self { live }
    }

    /// Returns the next frame number of each partition: what is below is durable.
    pub fn next(&self) -> Cut {
        self.live.read().next()
    }

    /// Reads frames of one partition, in order from `from`: as many as `bytes_max` holds, at
    /// least one; none when `from` is the next frame to be written. Reads up to 64 KiB and one
    /// write in vain.
    ///
    /// # Errors
    /// [`Error::Gap`] when `from` was released or lies beyond the end; no frame is ever skipped.
    pub fn read(&self, partition: Partition, from: u64, bytes_max: usize) -> Result<Vec<Frame>> {
        let (first, next, spans) = {
            let live = self.live.read();
            let spans = live.spans(|cut| cut.frame(partition) <= from);
            (live.first().frame(partition), live.next().frame(partition), spans)
        };
        let gap = |found| Error::Gap { partition, expected: from, found };
        if from < first {
            return Err(gap(first));
        }
        if from > next {
            return Err(gap(next));
        }
        if from == next {
            return Ok(Vec::new());
        }
        let mut frames: Vec<Frame> = Vec::new();
        let mut bytes_left = bytes_max;
        let mut walk = Walk::new(spans);
        while walk.advance()? {
            for stored in walk.reader.frames() {
                if stored.partition != partition || stored.number < from {
                    continue;
                }
                if !frames.is_empty() && stored.batch.len() > bytes_left {
                    return Ok(frames);
                }
                bytes_left = bytes_left.saturating_sub(stored.batch.len());
                frames.push(Frame::parse(&stored)?);
            }
            if !frames.is_empty() && walk.bytes >= SCAN_BYTES_MAX {
                break;
            }
        }
        if frames.is_empty() { Err(gap(next)) } else { Ok(frames) }
    }

    /// Calls `visit` with every frame at or after the cut, in the order of the files: all that was
    /// committed before the call. Holds one write in memory.
    ///
    /// # Errors
    /// [`Error::Gap`] when a frame at or after the cut was released, or the cut lies beyond the
    /// end; the visitor's own errors.
    pub fn replay(&self, from: &Cut, visit: &mut dyn FnMut(Frame) -> Result<()>) -> Result<()> {
        let (first, next, spans) = {
            let live = self.live.read();
            let spans = live.spans(|cut| first_beyond(cut, from).is_none());
            (live.first(), live.next(), spans)
        };
        if let Some((partition, found, expected)) = first_beyond(&first, from) {
            return Err(Error::Gap { partition, expected, found });
        }
        if let Some((partition, expected, found)) = first_beyond(from, &next) {
            return Err(Error::Gap { partition, expected, found });
        }
        let mut walk = Walk::new(spans);
        while walk.advance()? {
            for stored in walk.reader.frames() {
                if stored.number >= from.frame(stored.partition) {
                    visit(Frame::parse(&stored)?)?;
                }
            }
        }
        Ok(())
    }
}

/// Goes from write to write.
struct Walk {
    spans: vec::IntoIter<Span>,
    span: Option<Span>,
    reader: WriteReader,
    /// How much was read.
    bytes: u64,
}

impl Walk {
    fn new(spans: Vec<Span>) -> Self {
        let mut spans = spans.into_iter();
        Self { span: spans.next(), spans, reader: WriteReader::default(), bytes: 0 }
    }

    /// Loads the next write, or returns `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        while let Some(span) = &mut self.span {
            if span.from.offset >= span.to {
                self.span = self.spans.next();
                continue;
            }
            let Point { offset, write, next } = &mut span.from;
            let Found::Write { bytes } = self.reader.load(&span.file, *offset, *write, next)?
            else {
                return Err(span.file.corrupt(*offset, "a committed write is gone"));
            };
            *offset = offset.saturating_add(bytes);
            *write = write.saturating_add(1);
            self.bytes = self.bytes.saturating_add(bytes);
            return Ok(true);
        }
        Ok(false)
    }
}
