//! Runs the binary.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Checks that it went well, and returns what it printed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }

    /// Checks how it failed, and returns its messages.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self.err
    }
}

/// The binary with a clean environment, in a folder.
pub(crate) fn trailkeep(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailkeep"));
    command.current_dir(folder).stdin(Stdio::null());
    for name in ["TRAILKEEP_KEY", "TRAILKEEP_BOOTSTRAP_KEY", "TRAILKEEP_BOOTSTRAP_KEY_FILE"] {
        command.env_remove(name);
    }
    command
}

/// Runs the binary to its end. Arguments are separated by spaces; `'` keeps spaces in one.
pub(crate) fn run(folder: &Path, arguments: &str) -> Ran {
    finish(trailkeep(folder).args(split(arguments)))
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn split(arguments: &str) -> Vec<String> {
    let parts = arguments.split('\'').enumerate();
    parts
        .flat_map(|(number, part)| match number % 2 {
            1 => vec![part.to_owned()],
            _ => part.split_whitespace().map(str::to_owned).collect(),
        })
        .collect()
}
