//! Turns the values of a column into small numbers, the same number for the same value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, TimestampMicrosecondArray};
use trailkeep_event::Micros;

use crate::columns::Shape;
use crate::groups::Fold;
use crate::member::Member;
use crate::memo::Memo;
use crate::numbers::index;
use crate::path::GroupBy;
use crate::{Cell, Step};

/// What is absent.
pub(crate) const ABSENT: u32 = 0;
const UNKNOWN: u32 = u32::MAX;
/// What a value takes beside its bytes, in both directions of the table.
const VALUE_BYTES: usize = 96;

/// How a column is looked at.
#[derive(Clone, Debug)]
enum View {
    Text,
    Member(Member),
    Int,
    Bool,
    Time(Option<Step>),
}

/// The values of a column that were met, numbered.
#[derive(Debug)]
pub(crate) struct Keys {
    view: View,
    texts: HashMap<Box<str>, u32, BuildHasherDefault<Fold>>,
    ints: HashMap<i64, u32, BuildHasherDefault<Fold>>,
    cells: Vec<Cell>,
    memo: Memo<u32>,
    /// The integer that was met last, and its number.
    last: (i64, u32),
    bytes: usize,
}

impl Keys {
    pub(crate) fn of(group: &GroupBy) -> Self {
        let path = group.path();
        Self::new(match Shape::of(path.field()) {
            Shape::Text if !path.member().is_empty() => View::Member(Member::new(path.member())),
            Shape::Text => View::Text,
            Shape::Int => View::Int,
            Shape::Bool => View::Bool,
            Shape::Time => View::Time(group.step()),
        })
    }

    fn new(view: View) -> Self {
        Self {
            view,
            texts: HashMap::default(),
            ints: HashMap::default(),
            cells: vec![Cell::Null],
            memo: Memo::default(),
            last: (0, UNKNOWN),
            bytes: 0,
        }
    }

    /// Returns the value of a number.
    pub(crate) fn cell(&self, id: u32) -> &Cell {
        self.cells.get(index(id)).unwrap_or(&Cell::Null)
    }

    /// Returns how many bytes were taken since this was asked last.
    pub(crate) fn grown(&mut self) -> usize {
        std::mem::take(&mut self.bytes)
    }

    /// Returns the number of each row's value.
    pub(crate) fn ids(&mut self, array: &ArrayRef) -> Vec<u32> {
        match self.view.clone() {
            View::Text => self.texts_of(array, |text| Some(Cow::Borrowed(text))),
            View::Member(member) => self.texts_of(array, |json| member.find(json)),
            View::Int => self.ints_of(array.as_primitive()),
            View::Bool => self.bools_of(array.as_boolean()),
            View::Time(None) => self.times_of(array.as_primitive()),
            View::Time(Some(step)) => self.steps_of(array.as_primitive(), step),
        }
    }

    fn texts_of(
        &mut self,
        array: &ArrayRef,
        look: impl Fn(&str) -> Option<Cow<'_, str>>,
    ) -> Vec<u32> {
        let mut memo = std::mem::take(&mut self.memo);
        let ids = memo
            .of_rows(array, ABSENT, |text| look(text).map_or(ABSENT, |text| self.text_id(&text)));
        self.memo = memo;
        ids
    }

    fn text_id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.texts.get(text) {
            return *id;
        }
        let id = self.add(Cell::Text(text.into()));
        self.bytes = self.bytes.saturating_add(text.len().saturating_mul(2));
        self.texts.insert(text.into(), id);
        id
    }

    fn ints_of(&mut self, array: &PrimitiveArray<Int64Type>) -> Vec<u32> {
        let id = |value: Option<i64>| value.map_or(ABSENT, |value| self.int_id(value, &Cell::Int));
        array.iter().map(id).collect()
    }

    fn bools_of(&mut self, array: &BooleanArray) -> Vec<u32> {
        array
            .iter()
            .map(|value| {
                value.map_or(ABSENT, |truth| {
                    self.int_id(i64::from(truth), &|int| Cell::Bool(int != 0))
                })
            })
            .collect()
    }

    fn times_of(&mut self, array: &TimestampMicrosecondArray) -> Vec<u32> {
        let id = |at: Option<i64>| at.map_or(ABSENT, |at| self.int_id(at, &time));
        array.iter().map(id).collect()
    }

    fn steps_of(&mut self, array: &TimestampMicrosecondArray, step: Step) -> Vec<u32> {
        // Neighbours are mostly in one bucket, and a comparison costs less than a division.
        let mut last = (0, 0, ABSENT);
        let mut id = |at: i64| {
            if at < last.0 || at >= last.1 {
                let start = step.floor(Micros(at)).0;
                last = (start, start.saturating_add(step.micros()), self.int_id(start, &time));
            }
            last.2
        };
        array.iter().map(|at| at.map_or(ABSENT, &mut id)).collect()
    }

    fn int_id(&mut self, value: i64, cell: &impl Fn(i64) -> Cell) -> u32 {
        if self.last.0 == value && self.last.1 != UNKNOWN {
            return self.last.1;
        }
        let known = self.ints.get(&value).copied();
        let id = known.unwrap_or_else(|| {
            let id = self.add(cell(value));
            self.ints.insert(value, id);
            id
        });
        self.last = (value, id);
        id
    }

    fn add(&mut self, cell: Cell) -> u32 {
        // A query that meets more values than that is stopped by its memory long before.
        let id = u32::try_from(self.cells.len()).unwrap_or(UNKNOWN);
        self.cells.push(cell);
        self.bytes = self.bytes.saturating_add(VALUE_BYTES);
        id
    }

    /// Takes in the values of another part of the same column and returns their numbers here.
    pub(crate) fn absorb(&mut self, other: &Self) -> Vec<u32> {
        other
            .cells
            .iter()
            .map(|cell| match cell {
                Cell::Text(text) => self.text_id(text),
                Cell::Int(value) => self.int_id(*value, &Cell::Int),
                Cell::Bool(truth) => self.int_id(i64::from(*truth), &|int| Cell::Bool(int != 0)),
                Cell::Time(at) => self.int_id(at.0, &time),
                Cell::Null | Cell::Float(_) => ABSENT,
            })
            .collect()
    }
}

fn time(micros: i64) -> Cell {
    Cell::Time(Micros(micros))
}
