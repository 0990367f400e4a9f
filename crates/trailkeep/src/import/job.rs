//! A job: its name, its files, how far it is.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use trailkeep_import::Format;
use trailkeep_io::{Entropy, SystemEntropy};

use super::ImportArguments;
use super::chunk::Counts;
use super::progress::{Progress, Reader};
use super::quarantine::QuarantineFile;
use super::state::{FileSeen, State};
use crate::checksum::{Summing, hex};
use crate::failure::{Exit, Failure};
use crate::output::say;
use crate::place::read_small;

const NAME_CHARS_MAX: usize = 64;
/// The number of a file in its job must leave room for the line: 2^53 in all.
const FILES_MAX: usize = 8000;

/// A job that runs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) state: State,
    pub(super) state_path: PathBuf,
    pub(super) quarantine: QuarantineFile,
    pub(super) progress: Progress,
    pub(super) batch_events: usize,
}

/// How a job ended.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) job: String,
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) quarantine: PathBuf,
}

impl Job {
    /// Begins a job, or goes on with one.
    pub(super) fn start(arguments: &ImportArguments) -> anyhow::Result<Self> {
        let name = match &arguments.job {
            Some(name) => check_name(name)?,
            None => random_name(),
        };
        let state_path = arguments
            .state
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("{name}.trailkeep-job.json")));
        let fresh = describe(arguments, name)?;
        let state = if arguments.resume {
            let mut state = State::load(&state_path)?;
            state.check_same(&fresh)?;
            say(&format!("going on with job {} after {} lines", state.job, state.counts.lines));
            // The files may have been moved since; what they hold was checked.
            state.files = fresh.files;
            state
        } else {
            if state_path.exists() {
                let message = format!("there is a job `{}` already", fresh.job);
                let hint = "go on with it by --resume, or choose another name by --job";
                return Err(Failure::new(Exit::Usage, message).hint(hint).into());
            }
            say(&format!(
                "job {}: lines without a source_id are new data; after a crash go on with \
                 --job {} --resume",
                fresh.job, fresh.job
            ));
            fresh.save(&state_path)?;
            fresh
        };
        let quarantine = QuarantineFile::resume(&state.quarantine, state.quarantine_bytes)
            .with_context(|| format!("could not open `{}`", state.quarantine.display()))?;
        let reader = if arguments.json { Reader::Program } else { Reader::Person };
        let progress = Progress::start(reader, state.counts);
        let batch_events = usize::try_from(arguments.batch_events).unwrap_or(1);
        Ok(Self { state, state_path, quarantine, progress, batch_events })
    }

    /// Returns what marks the job's lines.
    pub(super) fn instance(&self) -> String {
        format!("import/{}", self.state.job)
    }

    /// Says what to do after a failure.
    pub(super) fn how_to_go_on(&self) -> String {
        let job = &self.state.job;
        format!(
            "the import stopped after {} lines; go on with --job {job} --resume",
            self.state.counts.lines
        )
    }

    /// Returns how the job ended.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            job: self.state.job.clone(),
            counts: self.state.counts,
            quarantine: self.state.quarantine.clone(),
        }
    }
}

impl Summary {
    /// Checks that nothing vanished.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.counts.balanced() {
            return Ok(());
        }
        let message = "accepted + duplicates + quarantined is not the number of lines";
        let hint = "this is a defect of this program: please report it";
        Err(Failure::new(Exit::Failed, message).hint(hint).into())
    }
}

fn describe(arguments: &ImportArguments, name: String) -> anyhow::Result<State> {
    if arguments.files.len() > FILES_MAX {
        let message = format!("a job has at most {FILES_MAX} files");
        return Err(Failure::new(Exit::Usage, message).into());
    }
    let files: Vec<FileSeen> =
        arguments.files.iter().map(|path| FileSeen::look(path)).collect::<Result<_, _>>()?;
    let mapping = match (&arguments.map, arguments.format) {
        (Some(path), _) => {
            let mut sum = Summing::default();
            sum.update(&read_small(path)?);
            format!("map {}", sum.finish().sha256)
        }
        (None, format) => format.map_or("", Format::name).to_owned(),
    };
    let quarantine = arguments.quarantine.clone().unwrap_or_else(|| {
        let first = arguments.files.first().filter(|first| !super::source::is_stdin(first));
        let mut path =
            first.map_or_else(|| name.clone().into(), |first| first.clone().into_os_string());
        path.push(".quarantine.ndjson");
        PathBuf::from(path)
    });
    let account = arguments.account.clone();
    let mut state = State::new(name, mapping, quarantine);
    (state.account, state.files) = (account, files);
    Ok(state)
}

fn check_name(name: &str) -> anyhow::Result<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    let message = "a job's name has 1 to 64 letters, digits, dots, dashes and underscores";
    Err(Failure::new(Exit::Usage, message).into())
}

fn random_name() -> String {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    hex(&bytes)
}
