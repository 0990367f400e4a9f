//! Divides time so that a list is found from the end that comes first.

use trailkeep_event::Micros;

use crate::list::Order;

/// How many rows the first window has; each further one has eight times as many.
const WINDOW_ROWS: u64 = 4096;

/// A stretch of time; `to` is not part of it.
pub(crate) type Window = (Option<Micros>, Option<Micros>);

/// Divides a window of time into ones to be scanned in list order.
pub(crate) fn windows(points: &[(Micros, u32)], whole: Window, order: Order) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut rest = whole;
    let (mut n_rows, mut enough) = (0_u64, WINDOW_ROWS);
    let n_points = points.len();
    for number in 0..n_points {
        let number = match order {
            Order::Ascending => number,
            Order::Descending => n_points.saturating_sub(number).saturating_sub(1),
        };
        let Some((at, rows)) = points.get(number).copied() else { break };
        // A point's rows lie behind it in time: going back they are met before it.
        if order == Order::Descending {
            n_rows = n_rows.saturating_add(u64::from(rows));
        }
        let inside = rest.0.is_none_or(|from| at > from) && rest.1.is_none_or(|to| at < to);
        if n_rows >= enough && inside {
            match order {
                Order::Descending => windows.push((Some(at), rest.1.replace(at))),
                Order::Ascending => windows.push((rest.0.replace(at), Some(at))),
            }
            n_rows = 0;
            enough = enough.saturating_mul(8);
        }
        if order == Order::Ascending {
            n_rows = n_rows.saturating_add(u64::from(rows));
        }
    }
    windows.push(rest);
    windows
}

/// Tells whether a window can hold what is among the first.
pub(crate) fn reaches(bar: Option<Micros>, (from, to): Window, order: Order) -> bool {
    bar.is_none_or(|bar| match order {
        Order::Descending => to.is_none_or(|to| bar < to),
        Order::Ascending => from.is_none_or(|from| from <= bar),
    })
}
