//! Several threads that share the parts of one piece of work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, ScopedJoinHandle};

/// The name of a helping thread.
const NAME: &str = "share";

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
            let mut part_of_it = Unfinished { failed: &failed, is_done: false };
            work(&mut state, part)?;
            part_of_it.is_done = true;
        }
        Ok(state)
    };
    let n_helpers = n_threads.min(parts.len()).saturating_sub(1);
    std::thread::scope(|scope| {
        let helper = |_number| {
            let started = Builder::new().name(NAME.to_owned()).spawn_scoped(scope, run);
            started.inspect_err(|error| tracing::warn!(%error, "could not start a helper")).ok()
        };
        let helpers: Vec<_> = (0..n_helpers).map_while(helper).collect();
        let ours = run();
        std::iter::once(ours).chain(helpers.into_iter().map(joined)).collect()
    })
}

/// A part that was begun. Where it ends by an error or a panic, no other is begun.
struct Unfinished<'a> {
    failed: &'a AtomicBool,
    is_done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.failed.store(true, Ordering::Relaxed);
        }
    }
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

    /// The thread whose part fails must run before the others are through.
    fn others_turn() {
        std::thread::yield_now();
    }

    #[test]
    fn an_error_ends_the_others() {
        let parts: Vec<u64> = (0..1_000_000).collect();
        let done = AtomicUsize::new(0);
        let work = |_state: &mut (), part: &u64| {
            done.fetch_add(1, Ordering::Relaxed);
            others_turn();
            if *part == 10 { Err(*part) } else { Ok(()) }
        };
        assert_eq!(share(1, &parts, || (), work), Err(10));
        assert_eq!(done.load(Ordering::Relaxed), 11);
        done.store(0, Ordering::Relaxed);
        assert_eq!(share(3, &parts, || (), work), Err(10));
        let n_done = done.load(Ordering::Relaxed);
        assert!(n_done < parts.len() / 2, "{n_done}");
    }

    #[test]
    fn a_panic_ends_the_others_and_goes_on() {
        let parts: Vec<u64> = (0..1_000_000).collect();
        let done = AtomicUsize::new(0);
        let work = |_state: &mut (), part: &u64| {
            done.fetch_add(1, Ordering::Relaxed);
            others_turn();
            if *part == 10 {
                // Without the hook, which would print for longer than the others need.
                std::panic::resume_unwind(Box::new("part 10"));
            }
            Ok::<(), ()>(())
        };
        let all = || share(3, &parts, || (), work);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(all)).is_err());
        let n_done = done.load(Ordering::Relaxed);
        assert!(n_done < parts.len() / 2, "{n_done}");
    }
}
