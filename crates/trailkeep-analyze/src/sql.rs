//! Runs one SELECT over the entries of a scope.

mod answer;
mod events;
mod member;
mod now;
mod order;
mod scan;
mod session;
mod statement;

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SQLOptions;
use datafusion::sql::parser::Statement;
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::time::{Duration, sleep};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;

use self::answer::Answer;
use self::events::Events;
use crate::analyzer::Analyzer;
use crate::bounds::Bounds;
use crate::{Error, Table};

/// How often the time of a statement is looked at while nothing comes out of it.
const LOOK: Duration = Duration::from_millis(20);
/// The stack of each thread that works on a statement. A chain of operators is as deep as it is
/// long, and a level of it takes some 10 KB where nothing is optimized; only what is used is taken.
const STACK_BYTES: usize = 64 << 20;
/// The longest message of an error.
const MESSAGE_CHARS_MAX: usize = 1000;

/// What went wrong in a scan, which the engine would wrap beyond recognition.
pub(crate) type Failure = Arc<Mutex<Option<Error>>>;

impl Analyzer {
    /// Runs one SELECT over the table `events`, which holds the entries of the scope and has a
    /// column for each field. Rows that the statement leaves in any order are sorted by all
    /// columns, so that the same statement has the same answer.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] for any other statement, table or function, [`Error::Statement`] for
    /// what is not understood or fails on a value.
    pub fn sql(&self, scope: &ReadScope, text: &str) -> Result<Table, Error> {
        let failure = Failure::default();
        let source = self.source(scope, &Filter::everything(), (None, None), Vec::new());
        let bounds = source.bounds.clone();
        let events = Arc::new(Events::new(source, Arc::clone(&failure)));
        let state = session::state(events, self.now(), &bounds.options)?;
        let answered = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK_BYTES);
            let run = || answer(&state, text, &bounds);
            match thread.spawn_scoped(scope, run).map_err(Error::engine)?.join() {
                Ok(answered) => answered,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        failure.lock().take().map_or(answered, Err)
    }
}

fn answer(state: &SessionState, text: &str, bounds: &Bounds) -> Result<Table, Error> {
    let statement = statement::parse(text, state)?;
    // Its threads end with the statement: a scan stops at its next batch once nobody reads.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(bounds.options.threads.max(1))
        .thread_name("sql-worker")
        .thread_stack_size(STACK_BYTES)
        .enable_time()
        .build()
        .map_err(Error::engine)?;
    let answered = runtime.block_on(async {
        tokio::select! {
            answered = run(state, statement, bounds) => answered,
            late = out_of_time(bounds) => Ok(Err(late)),
        }
    });
    answered.unwrap_or_else(|error| Err(explain(&error, bounds)))
}

async fn run(
    state: &SessionState,
    statement: Statement,
    bounds: &Bounds,
) -> Result<Result<Table, Error>, DataFusionError> {
    let plan = state.statement_to_plan(statement).await?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    let plan = order::ordered(plan, bounds.options.rows_max.saturating_add(1))?;
    let plan = state.create_physical_plan(&plan).await?;
    let mut answer = Answer::new(&plan.schema(), bounds);
    let mut batches = execute_stream(plan, state.task_ctx())?;
    while let Some(batch) = batches.next().await {
        if let Err(error) = answer.add(&batch?) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(answer.finish()))
}

/// Returns once there is no time left.
async fn out_of_time(bounds: &Bounds) -> Error {
    loop {
        if let Err(error) = bounds.check_time() {
            return error;
        }
        sleep(LOOK).await;
    }
}

/// Makes an error of ours of one of the engine's.
fn explain(error: &DataFusionError, bounds: &Bounds) -> Error {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            Error::TooLarge { bytes: bounds.options.memory_max }
        }
        DataFusionError::Internal(_) | DataFusionError::ExecutionJoin(_) => {
            Error::engine(error.to_string())
        }
        root => statement_error(root),
    }
}

/// Says what the engine says about a statement, without the kind of error before it.
fn statement_error(error: &DataFusionError) -> Error {
    let message = error.message();
    // A wrong type is told as a bug of the engine, with the address to report it to.
    let first = message.lines().next().unwrap_or_default().replace("Internal error: ", "");
    Error::Statement { message: first.chars().take(MESSAGE_CHARS_MAX).collect() }
}
