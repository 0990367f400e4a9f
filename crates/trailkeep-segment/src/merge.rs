//! Merges segments into one, column by column.

mod checksum;
mod chunk;
mod input;
mod run;

use std::ops::Range;
use std::sync::Arc;

use trailkeep_event::{Cut, IdKey, Micros, Partition};

use self::chunk::Chunk;
use self::input::Input;
pub(crate) use self::run::Run;
use crate::expected::{Expected, FileColumns};
use crate::layout::Effort;
use crate::shape::Shapes;
use crate::writer::{Coverage, SegmentWriter};
use crate::{Error, SegmentMeta, SegmentReader, SegmentStore};

/// Writes the rows of some segments as one and returns its description once it is durable. The
/// inputs stay: the caller swaps them in the catalog and removes them later.
///
/// Values are moved as they are stored; then the result is read and must have the same checksum
/// over all values of all rows as the inputs. A row that an input stores with its section bytes
/// keeps them. Costs 3 to 5 us a row. Memory: a few pages an input, and the encoded result.
///
/// # Errors
/// Where an input is corrupt, the store refuses, or the result has other values than the inputs;
/// then nothing but orphans is left. [`Error::Stopped`] where `stop` said so, which is asked every
/// few thousand rows.
///
/// # Panics
/// Where the inputs leave a gap between them: the result would claim frames that it lacks.
pub fn merge(
    store: &Arc<SegmentStore>,
    key: &IdKey,
    inputs: &[Arc<SegmentMeta>],
    id: [u8; 16],
    stop: Stop<'_>,
) -> Result<SegmentMeta, Error> {
    let coverage = union(inputs);
    let mut readers = Vec::with_capacity(inputs.len());
    let mut expected = Expected::new();
    for meta in inputs {
        let reader = SegmentReader::open(Arc::clone(store), Arc::clone(meta), key.clone())?;
        expected.segment(&reader);
        readers.push(reader);
    }
    let file = expected.columns();
    let filled = match Merger::new(id, &readers, &file, stop)?.fill()? {
        Some(filled) => Some(filled),
        None => Merger::new(id, &readers, &file.all(), stop)?.fill()?,
    };
    let Some((writer, checksum)) = filled else { return Err(Error::Empty) };
    let meta = writer.finish(store, &coverage)?;
    let expected: u64 = inputs.iter().map(|meta| u64::from(meta.rows)).sum();
    assert_eq!(u64::from(meta.rows), expected, "a merge lost or doubled rows");
    check(store, key, &meta, checksum, stop)?;
    tracing::info!(
        segment = %meta.id, inputs = inputs.len(), rows = meta.rows, bytes = meta.bytes,
        "merged segments"
    );
    Ok(meta)
}

/// Reads a segment that was just written and compares its rows with a checksum. One with other
/// rows is removed; a crash before leaves it as an orphan.
fn check(
    store: &Arc<SegmentStore>,
    key: &IdKey,
    meta: &SegmentMeta,
    checksum: u64,
    stop: Stop<'_>,
) -> Result<(), Error> {
    let meta = Arc::new(meta.clone());
    let reader = SegmentReader::open(Arc::clone(store), Arc::clone(&meta), key.clone())?;
    let mut input = Input::new(reader, 0);
    let mut stopped = stop();
    while !stopped && input.pass()? {
        stopped = stop();
    }
    if !stopped && input.checksum() == checksum {
        return Ok(());
    }
    for key in meta.keys() {
        store.delete(key)?;
    }
    let segment = meta.id.clone();
    Err(if stopped { Error::Stopped { segment } } else { Error::Changed { segment } })
}

/// Tells whether a merge has to stop.
type Stop<'a> = &'a dyn Fn() -> bool;

/// One merge under way.
struct Merger<'a> {
    stop: Stop<'a>,
    writer: SegmentWriter,
    file: &'a FileColumns,
    inputs: Vec<Input>,
    shapes: Shapes,
    chunk: Chunk,
    /// For each input the number of its run in the chunk, and the next row there.
    heads: Vec<Option<(usize, usize)>>,
}

impl<'a> Merger<'a> {
    fn new(
        id: [u8; 16],
        readers: &[SegmentReader],
        file: &'a FileColumns,
        stop: Stop<'a>,
    ) -> Result<Self, Error> {
        let inputs = readers.iter().cloned().zip(0..);
        Ok(Self {
            stop,
            writer: SegmentWriter::new(id, file, Effort::Thorough)?,
            file,
            inputs: inputs.map(|(reader, number)| Input::new(reader, number)).collect(),
            shapes: Shapes::default(),
            chunk: Chunk::default(),
            heads: vec![None; readers.len()],
        })
    }

    /// Writes all rows and returns their checksum; `None` where the file needs more columns.
    fn fill(mut self) -> Result<Option<(SegmentWriter, u64)>, Error> {
        for input in 0..self.inputs.len() {
            if self.load(input)?.is_none() {
                return Ok(None);
            }
        }
        while let Some((input, stretch)) = self.next_stretch() {
            let end = stretch.rows.end;
            let number = stretch.run;
            self.push(stretch)?;
            if let Some(slot) = self.heads.get_mut(input) {
                *slot = Some((number, end));
            }
            let is_over = self.chunk.run(number).is_none_or(|run| end >= run.n_rows());
            if is_over && self.load(input)?.is_none() {
                return Ok(None);
            }
            if self.chunk.is_full() {
                self.flush()?;
            }
        }
        self.flush()?;
        let checksum = self.inputs.iter().map(Input::checksum).fold(0, u64::wrapping_add);
        Ok(Some((self.writer, checksum)))
    }

    /// Reads the next run of an input; `None` where the file lacks a column that it needs.
    fn load(&mut self, number: usize) -> Result<Option<()>, Error> {
        let Some(input) = self.inputs.get_mut(number) else { return Ok(Some(())) };
        let head = match input.next()? {
            None => None,
            Some(raw) => match Run::new(raw, self.file, &mut self.shapes) {
                None => return Ok(None),
                Some(run) => Some((self.chunk.add(run), 0)),
            },
        };
        if let Some(slot) = self.heads.get_mut(number) {
            *slot = head;
        }
        Ok(Some(()))
    }

    /// Returns the next rows in order that stand together in one input.
    fn next_stretch(&self) -> Option<(usize, Stretch)> {
        let mut first: Option<(Key<'_>, usize, usize, usize)> = None;
        let mut second: Option<Key<'_>> = None;
        for (input, head) in self.heads.iter().enumerate() {
            let Some((number, row)) = *head else { continue };
            let Some(key) = self.chunk.run(number).and_then(|run| run.key(row)) else { continue };
            match first {
                Some((least, ..)) if least <= key => {
                    second = Some(second.map_or(key, |second| second.min(key)));
                }
                _ => {
                    second = first.map(|(least, ..)| least);
                    first = Some((key, input, number, row));
                }
            }
        }
        let (_, input, number, row) = first?;
        let rows_max = self.chunk.n_rows_to_border();
        let end = self.chunk.run(number)?.end(row, rows_max, second);
        Some((input, Stretch { run: number, rows: row..end }))
    }

    fn push(&mut self, stretch: Stretch) -> Result<(), Error> {
        let Some(run) = self.chunk.run(stretch.run) else { return Ok(()) };
        for row in stretch.rows.clone() {
            if let Some((account, sort_at, seq)) = run.key(row) {
                self.writer.place(account, sort_at, seq)?;
            }
        }
        self.writer.index().rows(run, &self.shapes, stretch.rows.clone());
        self.chunk.push(stretch);
        Ok(())
    }

    /// Writes the rows of the chunk, and lets go of the runs that are over.
    fn flush(&mut self) -> Result<(), Error> {
        if (self.stop)() {
            return Err(Error::Stopped { segment: self.writer.id().to_owned() });
        }
        if self.chunk.n_rows() > 0 {
            let failed = |source| Error::Columns { segment: self.writer.id().to_owned(), source };
            let schema = self.writer.schema();
            let batch = self.chunk.batch(self.file, schema, &self.shapes).map_err(failed)?;
            self.writer.write(batch)?;
        }
        self.chunk.clear(&mut self.heads);
        Ok(())
    }
}

/// A row's place in the order of a segment.
type Key<'a> = (&'a str, Micros, u64);

/// Some rows of a run that stand together.
#[derive(Clone, Debug)]
struct Stretch {
    run: usize,
    rows: Range<usize>,
}

/// Returns what all inputs cover together.
fn union(inputs: &[Arc<SegmentMeta>]) -> Coverage {
    let mut from = Cut::default();
    let mut to = Cut::default();
    for partition in Partition::all() {
        let bound = |cut: &[u64]| cut.get(partition.index()).copied().unwrap_or(0);
        let mut ranges: Vec<(u64, u64)> =
            inputs.iter().map(|meta| (bound(&meta.from), bound(&meta.to))).collect();
        ranges.sort_unstable();
        let Some((start, mut end)) = ranges.first().copied() else { continue };
        for (next, next_end) in ranges {
            assert!(next <= end, "merged segments leave a gap in partition {partition}");
            end = end.max(next_end);
        }
        from.set(partition, start);
        to.set(partition, end);
    }
    let level = inputs.iter().map(|meta| meta.level).max().unwrap_or(0).saturating_add(1);
    Coverage { from, to, level }
}
