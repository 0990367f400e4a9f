//! Several threads that share the parts of one piece of work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, ScopedJoinHandle};

/// Does a piece of work of several parts on up to `n_threads` threads, the caller's among them.
///
/// Each thread makes a state by `start` and takes one part after the other into it. Returns the
/// states in no order; which parts went into which differs from run to run. Where the system
/// starts no more threads, fewer do the work. Starting a thread takes some 30 us.
///
/// # Errors
/// One that `work` gave: the other threads end after the part that they are at.
pub fn share<T: Sync, S: Send, E: Send>(
    n_threads: usize,
    parts: &[T],
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> Result<(), E> + Sync,
) -> Result<Vec<S>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let run = || {
        let mut state = start();
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.load(Ordering::Relaxed) {
                break;
            }
            work(&mut state, part).inspect_err(|_error| failed.store(true, Ordering::Relaxed))?;
        }
        Ok(state)
    };
    let n_helpers = n_threads.min(parts.len()).saturating_sub(1);
    std::thread::scope(|scope| {
        let helper = |_number| Builder::new().spawn_scoped(scope, run).ok();
        let helpers: Vec<_> = (0..n_helpers).map_while(helper).collect();
        let ours = run();
        std::iter::once(ours).chain(helpers.into_iter().map(joined)).collect()
    })
}

fn joined<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once() {
        let parts: Vec<u64> = (0..1000).collect();
        for n_threads in [0, 1, 2, 5] {
            let start = Vec::new;
            let work = |done: &mut Vec<u64>, part: &u64| {
                done.push(*part);
                Ok::<(), ()>(())
            };
            let states = share(n_threads, &parts, start, work).unwrap();
            assert_eq!(states.len(), n_threads.max(1));
            let mut done = states.concat();
            done.sort_unstable();
            assert_eq!(done, parts);
        }
    }

    #[test]
    fn no_parts_take_one_state() {
        let states = share(4, &[], || 7, |_state, _part: &u8| Ok::<(), ()>(()));
        assert_eq!(states, Ok(vec![7]));
    }

    #[test]
    fn an_error_ends_the_others() {
        let parts: Vec<u64> = (0..1_000_000).collect();
        let done = AtomicUsize::new(0);
        let work = |_state: &mut (), part: &u64| {
            done.fetch_add(1, Ordering::Relaxed);
            if *part == 10 { Err(*part) } else { Ok(()) }
        };
        assert_eq!(share(1, &parts, || (), work), Err(10));
        assert_eq!(done.load(Ordering::Relaxed), 11);
        assert_eq!(share(3, &parts, || (), work), Err(10));
    }
}
