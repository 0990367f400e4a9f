//! Puts the values of a column together, page by page.

use std::sync::Arc;

use arrow_array::{
    BinaryArray, BooleanArray, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray,
};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::dictionary::Dictionary;
use super::header::PageEncoding;
use super::hybrid::Runs;
use super::levels::Levels;
use super::picks::Picks;
use super::{delta, plain};
use crate::column::Column;
use crate::layout::{ColumnKind, UUID_BYTES};

/// The code of a row without a value.
pub(crate) const NO_CODE: u32 = u32::MAX;

/// The body of a data page, decompressed.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) encoding: PageEncoding,
    /// The values; where they are codes or differences, 16 other bytes follow.
    pub(crate) bytes: &'a [u8],
    /// The same without what follows.
    pub(crate) exact: &'a [u8],
    pub(crate) levels: Levels<'a>,
    pub(crate) n_rows: usize,
    pub(crate) dictionary: Option<Arc<Dictionary>>,
}

/// The values of a column so far.
#[derive(Debug)]
pub(crate) struct Values {
    kind: ColumnKind,
    shape: Shape,
    present: BooleanBufferBuilder,
}

#[derive(Debug)]
enum Shape {
    Nothing,
    Codes(Vec<u32>, Arc<Dictionary>),
    Texts { bytes: Vec<u8>, ends: Vec<i32> },
    Numbers(Vec<i64>),
    Fixed(Vec<u8>),
}

impl Values {
    pub(crate) fn new(kind: ColumnKind) -> Self {
        Self { kind, shape: Shape::Nothing, present: BooleanBufferBuilder::new(0) }
    }

    /// Appends the picked rows of a page; `None` where the page is malformed.
    pub(crate) fn append(&mut self, body: &Body<'_>, picks: &Picks) -> Option<()> {
        if picks.end() > body.n_rows {
            return None;
        }
        let first = self.present.len();
        let (present, places) = body.levels.places(picks)?;
        let start = std::mem::replace(&mut self.shape, Shape::Nothing);
        self.shape = match (body.encoding, self.kind) {
            (PageEncoding::Codes, _) => {
                let dictionary = body.dictionary.as_ref()?;
                let codes = codes(body, &places, dictionary)?;
                let codes = spread(codes, &present, NO_CODE)?;
                start.with_codes(codes, dictionary, first)?
            }
            (PageEncoding::Plain, ColumnKind::Text | ColumnKind::Shape | ColumnKind::Bytes) => {
                let (mut bytes, mut ends) = start.texts(first)?;
                let mut new = Vec::with_capacity(places.len());
                plain::texts(body.exact, &places, &mut bytes, &mut new)?;
                let mut new = new.into_iter();
                for is_there in &present {
                    let end = if is_there { new.next()? } else { *ends.last()? };
                    ends.push(end);
                }
                Shape::Texts { bytes, ends }
            }
            (PageEncoding::Plain, ColumnKind::Uuid) => {
                let mut bytes = match start {
                    Shape::Nothing => Vec::new(),
                    Shape::Fixed(bytes) => bytes,
                    _ => return None,
                };
                let mut new = Vec::with_capacity(places.len().checked_mul(UUID_BYTES)?);
                plain::fixed(body.exact, UUID_BYTES, &places, &mut new)?;
                let mut new = new.chunks_exact(UUID_BYTES);
                for is_there in &present {
                    let value = if is_there { new.next()? } else { &[0; UUID_BYTES] };
                    bytes.extend_from_slice(value);
                }
                Shape::Fixed(bytes)
            }
            _ => {
                let numbers = start.numbers(first)?;
                let new = spread(self.kind.numbers(body, &places)?, &present, 0)?;
                Shape::Numbers(joined(numbers, new))
            }
        };
        self.present.append_buffer(&present);
        Some(())
    }

    /// Returns the column.
    pub(crate) fn finish(mut self) -> Option<Column> {
        let present = self.present.finish();
        let n_rows = present.len();
        let nulls =
            || Some(NullBuffer::new(present.clone())).filter(|nulls| nulls.null_count() > 0);
        Some(match (self.shape, self.kind) {
            (Shape::Nothing, _) => Column::Absent(n_rows),
            (Shape::Codes(codes, dictionary), _) => Column::Coded(codes.into(), dictionary),
            (Shape::Texts { bytes, ends }, ColumnKind::Text | ColumnKind::Shape) => {
                let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
                Column::Text(StringArray::try_new(ends, bytes.into(), nulls()).ok()?)
            }
            (Shape::Texts { bytes, ends }, ColumnKind::Bytes) => {
                let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
                Column::Bytes(BinaryArray::try_new(ends, bytes.into(), nulls()).ok()?)
            }
            (Shape::Fixed(bytes), _) => Column::Uuid(bytes.into(), present),
            (Shape::Numbers(numbers), ColumnKind::Int) => {
                Column::Int(Int64Array::try_new(numbers.into(), nulls()).ok()?)
            }
            (Shape::Numbers(numbers), ColumnKind::Millis) => {
                Column::Millis(TimestampMillisecondArray::try_new(numbers.into(), nulls()).ok()?)
            }
            (Shape::Numbers(numbers), ColumnKind::Time) => {
                let times = TimestampMicrosecondArray::try_new(numbers.into(), nulls()).ok()?;
                Column::Time(times.with_timezone("UTC"))
            }
            (Shape::Numbers(numbers), ColumnKind::Small) => {
                let low = |number: &i64| {
                    let [a, b, c, d, ..] = number.to_le_bytes();
                    i32::from_le_bytes([a, b, c, d])
                };
                let smalls: Vec<i32> = numbers.iter().map(low).collect();
                Column::Small(Int32Array::try_new(smalls.into(), nulls()).ok()?)
            }
            (Shape::Numbers(numbers), ColumnKind::Bool) => {
                let truths = BooleanBuffer::collect_bool(n_rows, |row| {
                    numbers.get(row).is_some_and(|number| *number != 0)
                });
                Column::Bool(BooleanArray::new(truths, nulls()))
            }
            _ => return None,
        })
    }
}

impl ColumnKind {
    /// Reads the numbers at some places.
    fn numbers(self, body: &Body<'_>, places: &Picks) -> Option<Vec<i64>> {
        let mut numbers = Vec::with_capacity(places.len());
        match (body.encoding, self) {
            (PageEncoding::Delta, Self::Int | Self::Millis | Self::Time | Self::Small) => {
                let all = delta::read(body.bytes, places.end())?;
                if places.start() == 0 && places.len() == all.len() {
                    return Some(all);
                }
                places.each(|place| {
                    numbers.push(*all.get(place)?);
                    Some(())
                })?;
            }
            (PageEncoding::Split, Self::Int | Self::Millis | Self::Time) => {
                let n_values = body.exact.len() / 8;
                plain::split_longs(body.exact, n_values, places, &mut numbers)?;
            }
            (PageEncoding::Plain, Self::Int | Self::Millis | Self::Time) => {
                plain::longs(body.exact, places, &mut numbers)?;
            }
            (PageEncoding::Plain, Self::Small) => plain::smalls(body.exact, places, &mut numbers)?,
            (PageEncoding::Plain, Self::Bool) => plain::truths(body.exact, places, &mut numbers)?,
            _ => return None,
        }
        Some(numbers)
    }
}

/// Reads the codes at some places; each has a value in the dictionary.
fn codes(body: &Body<'_>, places: &Picks, dictionary: &Dictionary) -> Option<Vec<u32>> {
    let mut codes = Vec::with_capacity(places.len());
    if places.len() == 0 {
        return Some(codes);
    }
    let (width, bytes) = body.bytes.split_first()?;
    let runs = Runs::new(bytes, u32::from(*width))?;
    match places {
        Picks::Range(range) => runs.read(range.start, range.len(), &mut codes)?,
        Picks::List(list) => runs.pick(list, &mut codes)?,
    }
    let largest = codes.iter().copied().max().unwrap_or(0);
    (crate::numbers::index(largest) < dictionary.len()).then_some(codes)
}

/// Gives each row its value, and `nothing` where it has none.
fn spread<T: Copy>(values: Vec<T>, present: &BooleanBuffer, nothing: T) -> Option<Vec<T>> {
    if values.len() == present.len() {
        return Some(values);
    }
    let mut spread = vec![nothing; present.len()];
    let mut values = values.into_iter();
    for row in present.set_indices() {
        *spread.get_mut(row)? = values.next()?;
    }
    Some(spread)
}

/// Returns one list after the other.
fn joined<T: Copy>(mut first: Vec<T>, then: Vec<T>) -> Vec<T> {
    if first.is_empty() {
        return then;
    }
    first.extend(then);
    first
}

impl Shape {
    fn with_codes(
        self,
        new: Vec<u32>,
        dictionary: &Arc<Dictionary>,
        n_rows: usize,
    ) -> Option<Self> {
        match self {
            Self::Nothing if n_rows == 0 => Some(Self::Codes(new, Arc::clone(dictionary))),
            Self::Codes(codes, held) => Some(Self::Codes(joined(codes, new), held)),
            // A column whose dictionary grew too large goes on with plain values.
            other if dictionary.has_texts() => {
                let (mut bytes, mut ends) = other.texts(n_rows)?;
                resolve(&new, dictionary, &mut bytes, &mut ends)?;
                Some(Self::Texts { bytes, ends })
            }
            other => {
                let mut numbers = other.numbers(n_rows)?;
                numbers.extend(new.iter().map(|code| dictionary.int(*code).unwrap_or(0)));
                Some(Self::Numbers(numbers))
            }
        }
    }

    /// Returns what is there as texts.
    fn texts(self, n_rows: usize) -> Option<(Vec<u8>, Vec<i32>)> {
        match self {
            Self::Nothing if n_rows == 0 => Some((Vec::new(), vec![0])),
            Self::Texts { bytes, ends } => Some((bytes, ends)),
            Self::Codes(codes, dictionary) => {
                let (mut bytes, mut ends) = (Vec::new(), vec![0]);
                resolve(&codes, &dictionary, &mut bytes, &mut ends)?;
                Some((bytes, ends))
            }
            _ => None,
        }
    }

    /// Returns what is there as numbers.
    fn numbers(self, n_rows: usize) -> Option<Vec<i64>> {
        match self {
            Self::Nothing if n_rows == 0 => Some(Vec::new()),
            Self::Numbers(numbers) => Some(numbers),
            Self::Codes(codes, dictionary) => {
                Some(codes.iter().map(|code| dictionary.int(*code).unwrap_or(0)).collect())
            }
            _ => None,
        }
    }
}

/// Appends the texts of codes.
fn resolve(
    codes: &[u32],
    dictionary: &Dictionary,
    bytes: &mut Vec<u8>,
    ends: &mut Vec<i32>,
) -> Option<()> {
    for code in codes {
        bytes.extend_from_slice(dictionary.text(*code).unwrap_or("").as_bytes());
        ends.push(i32::try_from(bytes.len()).ok()?);
    }
    Some(())
}
