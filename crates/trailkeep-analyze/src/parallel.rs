//! Reads the parts of a source on several threads.

use std::ops::ControlFlow;

use trailkeep_io::share;

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
    share(source.bounds.options.threads, &source.parts()?, start, |made, part| {
        source.read(part, &mut |batch| {
            add(made, &batch)?;
            Ok(ControlFlow::Continue(()))
        })
    })
}
