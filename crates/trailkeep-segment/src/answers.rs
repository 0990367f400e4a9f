//! What a term says of the values of a column: of a dictionary's once each.

use std::collections::HashMap;

use arrow_array::{Array, StringArray};
use memchr::arch::all::packedpair::HeuristicFrequencyRank;
use memchr::memmem;
use trailkeep_event::{Field, FieldKind};
use trailkeep_filter::{Bits, TermRef};

use crate::column::{Column, word};
use crate::numbers::index;
use crate::page::Dictionary;

/// What a filter said of the values of dictionaries so far: by term, column and row group.
pub(crate) type Memo = HashMap<(usize, usize, usize), Answers>;

/// Where at most so many values are left to be asked, they are asked before any row is looked at.
const ASKED_AT_ONCE_MAX: usize = 64;

/// What a term says of the values of a dictionary.
#[derive(Debug)]
pub(crate) struct Answers {
    of_code: Vec<Answer>,
    known: Known,
}

/// What is known of all values of a dictionary together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    /// They are asked for when they are met.
    Nothing,
    NonePasses,
    /// The value of this code passes, and no other.
    OnePasses(u32),
    /// Each was asked.
    All,
}

/// What a term says of one value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    NotAsked,
    Fails,
    Passes,
}

/// Adds the rows whose value in a column passes; asks once for each value of a dictionary.
pub(crate) fn test(
    term: TermRef<'_>,
    (field, column): (Field, &Column),
    open: &Bits,
    (memo, key): (&mut Memo, (usize, usize, usize)),
    passed: &mut Bits,
) {
    match column {
        Column::Absent(_) => {}
        Column::Coded(codes, dictionary) => {
            let answers = memo.entry(key).or_insert_with(|| Answers::new(term, field, dictionary));
            match answers.known {
                Known::NonePasses => return,
                Known::OnePasses(code) => {
                    return add_rows(passed, open, codes, |it| it == code);
                }
                Known::All => {
                    let answers = &answers.of_code;
                    let answer = |code| answers.get(index(code)).copied();
                    return add_rows(passed, open, codes, |it| answer(it) == Some(Answer::Passes));
                }
                Known::Nothing => {}
            }
            let answers = &mut answers.of_code[..];
            for row in open.iter() {
                let code = codes.get(row).copied().unwrap_or(Column::NO_CODE);
                if answer(term, field, code, (dictionary, answers)) == Answer::Passes {
                    passed.insert(row);
                }
            }
        }
        Column::Text(texts) if let Some(text) = term.text_inside().filter(|_| !is_json(field)) => {
            let passes = |row| column.value(field, row).is_some_and(|value| term.holds(value));
            each_with(texts, text, |row| {
                if open.has(row) && passes(row) {
                    passed.insert(row);
                }
            });
        }
        column => {
            let value = |row: &usize| column.value(field, *row);
            for row in open.iter().filter(|row| value(row).is_some_and(|it| term.holds(it))) {
                passed.insert(row);
            }
        }
    }
}

impl Answers {
    /// Searches the dictionary where the term asks for whole texts: that is faster than to ask for
    /// each value. Other terms are asked for the values that are met.
    fn new(term: TermRef<'_>, field: Field, dictionary: &Dictionary) -> Self {
        let mut of_code = vec![Answer::NotAsked; dictionary.len()];
        let is_json = is_json(field);
        let wanted = if is_json { term.texts_in_json() } else { term.exact_texts() };
        let Some((wanted, texts)) = wanted.zip(dictionary.texts()) else {
            return Self { of_code, known: Known::Nothing };
        };
        of_code.fill(Answer::Fails);
        for text in wanted {
            if is_json {
                // What holds the text still has to be asked where it holds it.
                each_with(texts, text, |code| set(&mut of_code, code, Answer::NotAsked));
            } else {
                codes_of(texts, text, |code| set(&mut of_code, code, Answer::Passes));
            }
        }
        let open: Vec<u32> = (0..)
            .zip(&of_code)
            .filter_map(|(code, answer)| (*answer == Answer::NotAsked).then_some(code))
            .take(ASKED_AT_ONCE_MAX.saturating_add(1))
            .collect();
        if open.len() <= ASKED_AT_ONCE_MAX {
            for code in open {
                answer(term, field, code, (dictionary, &mut of_code));
            }
        }
        let mut open = (0..).zip(&of_code).filter(|(_code, answer)| **answer != Answer::Fails);
        let known = match (open.next(), open.next()) {
            (None, _) => Known::NonePasses,
            (Some((code, Answer::Passes)), None) => Known::OnePasses(code),
            _ if of_code.contains(&Answer::NotAsked) => Known::Nothing,
            _ => Known::All,
        };
        Self { of_code, known }
    }
}

/// Adds the open rows whose code passes. Without a branch for each row: that is quicker than to
/// look at the open ones alone.
fn add_rows(passed: &mut Bits, open: &Bits, codes: &[u32], passes: impl Fn(u32) -> bool) {
    let word = |(codes, open): (&[u32], &u64)| {
        if *open == 0 { 0 } else { word(codes, &passes) & open }
    };
    let words = codes.chunks(64).zip(open.words()).map(word).collect();
    passed.or(&Bits::from_words(open.n_rows(), words));
}

fn is_json(field: Field) -> bool {
    matches!(field.kind(), FieldKind::Object | FieldKind::Json | FieldKind::Headers)
}

fn set(answers: &mut [Answer], code: usize, answer: Answer) {
    if let Some(slot) = answers.get_mut(code) {
        *slot = answer;
    }
}

/// Calls `visit` with the code of each text that is this one.
fn codes_of(texts: &StringArray, text: &str, mut visit: impl FnMut(usize)) {
    let is_whole = |code| texts.is_valid(code) && texts.value(code).len() == text.len();
    if text.is_empty() {
        return (0..texts.len()).filter(|code| is_whole(*code)).for_each(visit);
    }
    each_with(texts, text, |code| {
        if is_whole(code) {
            visit(code);
        }
    });
}

/// Calls `visit` with the number of each text that this one, which is not empty, is in.
fn each_with(texts: &StringArray, text: &str, mut visit: impl FnMut(usize)) {
    let (bytes, offsets) = (texts.value_data(), texts.value_offsets());
    let finder = memmem::FinderBuilder::new().build_forward_with_ranker(Frequent::of(bytes), text);
    let place = |offset: Option<&i32>| usize::try_from(*offset?).ok();
    let Some(mut from) = place(offsets.first()) else { return };
    while let Some(found) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
        let at = from.saturating_add(found);
        let next = offsets.partition_point(|start| place(Some(start)).is_some_and(|it| it <= at));
        let Some(end) = place(offsets.get(next)) else { return };
        // What goes on into the next text was not found in one, nor is there more in the first.
        if at.saturating_add(text.len()) <= end {
            visit(next.saturating_sub(1));
        }
        from = end;
    }
}

/// How many bytes are looked at to know how frequent each is.
const SAMPLE_BYTES: usize = 1024;

/// How frequent each byte is, of 255, in some of the texts. A search stops at the two rarest bytes
/// of what it looks for; what is rare in texts of any kind (`#`, `-`, `X`) may be in each of these.
struct Frequent([u8; 256]);

impl Frequent {
    fn of(bytes: &[u8]) -> Self {
        let middle = bytes.len().saturating_sub(SAMPLE_BYTES).div_euclid(2);
        let mut counts = [0_u8; 256];
        for byte in bytes.iter().skip(middle).take(SAMPLE_BYTES) {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count = count.saturating_add(1);
            }
        }
        Self(counts)
    }
}

impl HeuristicFrequencyRank for Frequent {
    fn rank(&self, byte: u8) -> u8 {
        self.0.get(usize::from(byte)).copied().unwrap_or(u8::MAX)
    }
}

/// Asks the term about the value of a code, unless it was asked before.
fn answer(
    term: TermRef<'_>,
    field: Field,
    code: u32,
    (dictionary, answers): (&Dictionary, &mut [Answer]),
) -> Answer {
    let Some(slot) = answers.get_mut(index(code)) else { return Answer::Fails };
    if *slot == Answer::NotAsked {
        let passes = dictionary.value(field, code).is_some_and(|value| term.holds(value));
        *slot = if passes { Answer::Passes } else { Answer::Fails };
    }
    *slot
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_that_stand_together_are_told_apart(
            texts in prop::collection::vec("[ab]{0,4}", 0..8), text in "[ab]{1,3}"
        ) {
            let expected: Vec<usize> =
                (0..texts.len()).filter(|at| texts[*at].contains(&text)).collect();
            let array: StringArray = texts.iter().map(Some).collect();
            let mut found = Vec::new();
            each_with(&array, &text, |at| found.push(at));
            prop_assert_eq!(found, expected);
            for text in ["", &text] {
                let mut found = Vec::new();
                codes_of(&array, text, |at| found.push(at));
                let expected: Vec<usize> = (0..texts.len()).filter(|at| texts[*at] == text).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
