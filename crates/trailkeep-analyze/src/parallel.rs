//! Reads the parts of a source on several threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::Error;
use crate::columns::Batch;
use crate::source::Source;

/// Lets each thread take one part after the other into what `start` makes, and returns what each
/// made.
pub(crate) fn in_parallel<T: Send>(
    source: &Source,
    start: impl Fn() -> T + Sync,
    add: impl Fn(&mut T, &Batch) -> Result<(), Error> + Sync,
) -> Result<Vec<T>, Error> {
    let parts = source.parts()?;
    let n_threads = source.bounds.options.threads.clamp(1, parts.len().max(1));
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut made = start();
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let read = source.read(part, &mut |batch| {
                add(&mut made, &batch)?;
                Ok(if stopped.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            });
            if let Err(error) = read {
                stopped.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(made)
    };
    if n_threads == 1 {
        return work().map(|made| vec![made]);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(made) => made,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}
