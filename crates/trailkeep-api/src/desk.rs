//! Where requests are taken: the app, and what the routes share beside it.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use trailkeep_analyze::Analyzer;
use trailkeep_io::Tasks;
use trailkeep_query::Engine;

use crate::app::App;
use crate::body::CappedBody;
use crate::crew::{Crew, Manners};
use crate::places::{Places, Taken};
use crate::routes::{QUERY_PATIENCE, RETRY_AFTER, lost, not_analyzed, refused};
use crate::{ErrorCode, Problem, Result};

/// How many threads decide what live tails show: all of them together take one processor at most.
const TAIL_THREADS: usize = 1;

/// The app, and what the routes share beside it.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    app: App,
    queries: Places,
    analyses: Places,
    /// The places of exports.
    pub(crate) export_places: Places,
    /// The places of live tails.
    pub(crate) tail_places: Places,
    /// Reads large bodies.
    pub(crate) bulk_crew: Crew,
    /// Decides what live tails show of large batches.
    pub(crate) tail_crew: Crew,
}

impl Deref for Desk {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Desk {
    /// Starts the threads.
    pub(crate) fn new(app: App) -> Result<Self> {
        let tasks = app.shutdown.tasks();
        let n_bulk = app.bulk.available_permits();
        let bulk_crew = Crew::start(tasks, "large-bodies", n_bulk, Manners::Yielding)?;
        let tail_crew = Crew::start(tasks, "live-tails", TAIL_THREADS, Manners::Equal)?;
        Ok(Self {
            queries: Places::new(Arc::clone(&app.queries)),
            analyses: Places::new(Arc::clone(&app.analyses)),
            export_places: Places::new(Arc::clone(&app.exports)),
            tail_places: Places::new(Arc::clone(&app.tails)),
            bulk_crew,
            tail_crew,
            app,
        })
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        self.app.shutdown.tasks()
    }

    /// Reads a body to its end.
    pub(crate) async fn body(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> std::result::Result<CappedBody, Problem> {
        self.app.intake.capped_body(self.tasks(), headers, body).await
    }

    /// Reads a body that is one JSON value of ours.
    pub(crate) async fn json_body<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> std::result::Result<T, Problem> {
        let body = self.body(headers, body).await?;
        serde_json::from_slice(&body)
            .map_err(|error| Problem::new(ErrorCode::InvalidBody, error.to_string()))
    }

    /// Answers a key's question off the async runtime, when its turn comes.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        key_id: &str,
        question: impl FnOnce(&Engine) -> std::result::Result<T, trailkeep_query::Error>
        + Send
        + 'static,
    ) -> std::result::Result<T, Problem> {
        let engine = self.app.engine.clone();
        let answer = self.take_turn(&self.queries, key_id, move || question(&engine)).await?;
        answer.map_err(|error| refused(&error))
    }

    /// Answers a key's question about many entries off the async runtime, when its turn comes.
    pub(crate) async fn analyze<T: Send + 'static>(
        &self,
        key_id: &str,
        question: impl FnOnce(&Analyzer) -> std::result::Result<T, trailkeep_analyze::Error>
        + Send
        + 'static,
    ) -> std::result::Result<T, Problem> {
        let analyzer = self.app.analyzer.clone();
        let answer = self.take_turn(&self.analyses, key_id, move || question(&analyzer)).await?;
        answer.map_err(|error| not_analyzed(&error))
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        places: &Places,
        key_id: &str,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let place = places.wait(key_id, QUERY_PATIENCE).await.map_err(|taken| match taken {
            Taken::Share => {
                busy(ErrorCode::RateLimited, "too many questions of this key are being answered")
            }
            Taken::All => busy(ErrorCode::Overloaded, "too many questions are being answered"),
        })?;
        let work = move || {
            let answer = question();
            drop(place);
            answer
        };
        let answer = self.tasks().spawn_blocking("answer a question", work).await;
        answer.map_err(|error| lost(&error))
    }
}

fn busy(code: ErrorCode, detail: &'static str) -> Problem {
    Problem::new(code, detail).retry_after(RETRY_AFTER)
}
