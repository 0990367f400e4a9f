//! A job: its name, its files, how far it is.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use trailkeep_import::Format;
use trailkeep_io::{Entropy, SystemEntropy};

use super::ImportArguments;
use super::chunk::Counts;
use super::progress::{Progress, Reader};
use super::quarantine::{QuarantineFile, quarantine_start};
use super::state::{FileSeen, State};
use crate::checksum::Summing;
use crate::failure::{Exit, Failure};
use crate::output::{counted, say};
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
    /// Why the first bad record of this run is bad.
    pub(super) first_reason: Option<String>,
}

/// How a job ended.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) job: String,
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) quarantine: PathBuf,
    #[serde(skip)]
    first_reason: Option<String>,
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
            let lines = counted(state.counts.lines, "line", "lines");
            say(&format!("going on with job {} after {lines}", state.job));
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
        let (path, bytes) = (&state.quarantine, state.quarantine_bytes);
        let quarantine = QuarantineFile::resume(path, bytes, &state.job)
            .with_context(|| format!("could not open `{}`", path.display()))?;
        let reader = if arguments.json { Reader::Program } else { Reader::Person };
        let progress = Progress::start(reader, state.counts);
        let batch_events = usize::try_from(arguments.batch_events).unwrap_or(1);
        let first_reason = None;
        Ok(Self { state, state_path, quarantine, progress, batch_events, first_reason })
    }

    /// Returns what marks the job's lines.
    pub(super) fn instance(&self) -> String {
        format!("import/{}", self.state.job)
    }

    /// Says what to do after a failure.
    pub(super) fn how_to_go_on(&self) -> String {
        let job = &self.state.job;
        let lines = counted(self.state.counts.lines, "line", "lines");
        format!("the import stopped after {lines}; go on with --job {job} --resume")
    }

    /// Returns how the job ended.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            job: self.state.job.clone(),
            counts: self.state.counts,
            quarantine: self.state.quarantine.clone(),
            first_reason: self.first_reason.clone(),
        }
    }
}

impl Summary {
    /// Checks that nothing vanished, and that not every record was bad: then the file is not
    /// what it was said to be. `expected` says what that was.
    pub(super) fn check(&self, expected: &str) -> anyhow::Result<()> {
        let counts = &self.counts;
        if !counts.balanced() {
            let message = "accepted + duplicates + quarantined is not the number of lines";
            let hint = "this is a defect of this program: please report it";
            return Err(Failure::new(Exit::Failed, message).hint(hint).into());
        }
        if counts.lines == 0 || counts.quarantined < counts.lines {
            return Ok(());
        }
        let records = counted(counts.lines, "record", "records");
        let why = self.first_reason.as_ref().map(|reason| format!("; the first: {reason}"));
        let why = why.unwrap_or_default();
        let message = format!("no entry came of {records}: expected {expected}{why}");
        let hint = format!("`{}` has every record with its reason", self.quarantine.display());
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
    let quarantine_bytes = quarantine_start(&quarantine)
        .with_context(|| format!("could not read `{}`", quarantine.display()))?;
    let account = arguments.account.clone();
    let mut state = State::new(name, mapping, quarantine);
    (state.account, state.files, state.quarantine_bytes) = (account, files, quarantine_bytes);
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
    format!("{:016x}", u64::from_be_bytes(bytes))
}
