//! Looks at each value of a dictionary once.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, StringArray};

use crate::numbers::index;

/// What was found out about the values of the dictionary that was met last. Batches that follow
/// on each other often share one.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    dictionary: Option<ArrayRef>,
    known: Vec<Option<T>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { dictionary: None, known: Vec::new() }
    }
}

impl<T: Copy> Memo<T> {
    /// Returns what `look` says about each row's text, and `absent` for rows without one.
    pub(crate) fn of_rows(
        &mut self,
        array: &ArrayRef,
        absent: T,
        mut look: impl FnMut(&str) -> T,
    ) -> Vec<T> {
        let Some(coded) = array.as_dictionary_opt::<UInt32Type>() else {
            let Some(texts) = array.as_string_opt::<i32>() else {
                return vec![absent; array.len()];
            };
            return texts.iter().map(|text| text.map_or(absent, &mut look)).collect();
        };
        self.keep(coded.values());
        let Some(values) = coded.values().as_string_opt::<i32>() else {
            return vec![absent; array.len()];
        };
        let mut of_code = |code: u32| {
            let slot = self.known.get_mut(index(code));
            slot.map_or(absent, |slot| {
                *slot.get_or_insert_with(|| of_value(values, code, absent, &mut look))
            })
        };
        if coded.keys().null_count() == 0 {
            return coded.keys().values().iter().map(|code| of_code(*code)).collect();
        }
        coded.keys().iter().map(|code| code.map_or(absent, &mut of_code)).collect()
    }

    fn keep(&mut self, values: &ArrayRef) {
        let same = |known: &ArrayRef| known.to_data().ptr_eq(&values.to_data());
        if !self.dictionary.as_ref().is_some_and(same) {
            self.dictionary = Some(ArrayRef::clone(values));
            self.known.clear();
            self.known.resize(values.len(), None);
        }
    }
}

fn of_value<T>(values: &StringArray, code: u32, absent: T, look: impl FnOnce(&str) -> T) -> T {
    if values.is_valid(index(code)) { look(values.value(index(code))) } else { absent }
}
