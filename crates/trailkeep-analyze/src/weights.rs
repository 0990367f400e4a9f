//! How many events a stored entry stands for.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};

/// Returns how many events each row stands for, from the column `sample_rate`.
pub(crate) fn weights(rates: &ArrayRef) -> Vec<u64> {
    let weight = |rate: Option<i64>| rate.and_then(|rate| u64::try_from(rate).ok()).unwrap_or(1);
    match rates.as_primitive_opt::<Int64Type>().filter(|rates| rates.null_count() < rates.len()) {
        None => vec![1; rates.len()],
        Some(rates) => rates.iter().map(weight).collect(),
    }
}
