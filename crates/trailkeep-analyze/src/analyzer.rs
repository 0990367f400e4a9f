//! What analyses run on.

use std::sync::Arc;

use trailkeep_event::Micros;
use trailkeep_filter::Filter;
use trailkeep_io::Clock;
use trailkeep_scope::ReadScope;
use trailkeep_segment::Shelf;

use crate::AnalyzeOptions;
use crate::bounds::Bounds;
use crate::columns::Wanted;
use crate::selection::Selection;
use crate::source::Source;

/// Answers questions about many entries at once. Cloning shares it. Every call blocks: make it
/// off the async runtime.
#[derive(Clone, Debug)]
pub struct Analyzer {
    shelf: Arc<Shelf>,
    clock: Arc<dyn Clock>,
    pub(crate) options: AnalyzeOptions,
}

impl Analyzer {
    /// Makes an analyzer over a shelf.
    pub fn new(shelf: Arc<Shelf>, clock: Arc<dyn Clock>, options: AnalyzeOptions) -> Self {
        Self { shelf, clock, options }
    }

    /// Returns our time of day.
    pub(crate) fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    /// Returns what is readable now of what is selected, and starts the time of an answer.
    pub(crate) fn source(
        &self,
        scope: &ReadScope,
        filter: &Filter,
        window: (Option<Micros>, Option<Micros>),
        wanted: Vec<Wanted>,
    ) -> Source {
        Source {
            view: self.shelf.view(),
            key: self.shelf.key().clone(),
            selection: Selection::new(filter, scope, window),
            wanted,
            bounds: Bounds::start(&self.clock, self.options),
        }
    }
}
