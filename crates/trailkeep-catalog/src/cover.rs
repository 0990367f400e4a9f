//! Which frames a set of segments covers.

use trailkeep_event::{Cut, PARTITIONS, Partition};

/// For each partition the frames that a set of ranges covers, as ordered ranges with gaps
/// between them, so that two sets cover the same frames exactly when these are equal.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Coverage([Vec<(u64, u64)>; PARTITIONS]);

impl Coverage {
    pub(crate) fn of(ranges: impl IntoIterator<Item = (Cut, Cut)>) -> Self {
        let mut by_partition: [Vec<(u64, u64)>; PARTITIONS] = Default::default();
        for (from, to) in ranges {
            for (partition, covered) in Partition::all().zip(&mut by_partition) {
                let range = (from.frame(partition), to.frame(partition));
                if range.0 < range.1 {
                    covered.push(range);
                }
            }
        }
        Self(by_partition.map(merged))
    }
}

fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(1);
    for (from, to) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_or_overlap_are_one() {
        let cases = [
            (vec![], vec![]),
            (vec![(0, 2), (2, 5)], vec![(0, 5)]),
            (vec![(3, 5), (0, 2)], vec![(0, 2), (3, 5)]),
            (vec![(0, 9), (2, 3), (9, 10)], vec![(0, 10)]),
            (vec![(0, 5), (0, 5)], vec![(0, 5)]),
        ];
        for (ranges, expected) in cases {
            assert_eq!(merged(ranges.clone()), expected, "{ranges:?}");
        }
    }
}
