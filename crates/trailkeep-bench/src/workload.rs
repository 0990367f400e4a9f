//! The events that are sent, in bodies of about 1 MiB.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::bench::Bench;
use crate::quantity::long;
use crate::report::note;

/// How large a body is at most; a body ends with a line.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// What a sender that compresses would choose.
const ZSTD_LEVEL: i32 = 3;

/// How bodies are encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoding {
    Plain,
    Zstd,
}

/// One body: a range of the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Body {
    offset: u64,
    bytes: usize,
    /// How many events it holds.
    pub(crate) n_events: u64,
}

/// A file of events, cut into bodies.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) path: PathBuf,
    pub(crate) encoding: Encoding,
    pub(crate) bodies: Vec<Body>,
    file: File,
}

impl Workload {
    /// Takes the file that the arguments name, or one that was generated with them before, or
    /// generates it; `None` where the generator is absent.
    pub(crate) fn obtain(bench: &Bench) -> Result<Option<Self>> {
        let options = &bench.options;
        if let Some(path) = &options.file {
            return Self::open(path.clone()).map(Some);
        }
        let mut arguments = vec![options.events.to_string(), format!("--seed={}", options.seed)];
        arguments.extend(options.orgs.map(|orgs| format!("--orgs={orgs}")));
        Self::generated(bench, &arguments)
    }

    /// Takes or generates events of which each has an id; another seed than the others have.
    pub(crate) fn with_ids(bench: &Bench, n_events: u64) -> Result<Option<Self>> {
        let seed = format!("--seed={}", bench.options.seed.wrapping_add(1));
        Self::generated(bench, &[n_events.to_string(), seed, "--ids".to_owned()])
    }

    fn generated(bench: &Bench, arguments: &[String]) -> Result<Option<Self>> {
        let path = bench.dir.join(format!("events{}.ndjson", arguments.concat()));
        if !path.is_file() {
            let Some(script) = bench.yardstick("gen.py") else { return Ok(None) };
            note("generating events");
            generate(&script, &path, arguments)?;
        }
        Self::open(path).map(Some)
    }

    fn open(path: PathBuf) -> Result<Self> {
        let file =
            File::open(&path).with_context(|| format!("could not open {}", path.display()))?;
        let bodies = cut(&file).with_context(|| format!("could not cut {}", path.display()))?;
        ensure!(!bodies.is_empty(), "{} has no events", path.display());
        Ok(Self { path, encoding: Encoding::Plain, bodies, file })
    }

    /// Returns the same bodies, compressed. What a sender's compression costs is not measured.
    pub(crate) fn compressed(&self) -> Result<Self> {
        let path = self.path.with_extension("ndjson.bodies.zst");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .with_context(|| format!("could not create {}", path.display()))?;
        let (mut bodies, mut offset, mut plain) = (Vec::new(), 0, Vec::new());
        for body in &self.bodies {
            self.read(body, &mut plain)?;
            let packed = zstd::bulk::compress(&plain, ZSTD_LEVEL).context("could not compress")?;
            file.write_all(&packed).context("could not write compressed bodies")?;
            bodies.push(Body { offset, bytes: packed.len(), n_events: body.n_events });
            offset += long(packed.len());
        }
        Ok(Self { path, encoding: Encoding::Zstd, bodies, file })
    }

    /// Returns how many events there are.
    pub(crate) fn n_events(&self) -> u64 {
        self.bodies.iter().map(|body| body.n_events).sum()
    }

    /// Returns how many bytes all bodies have.
    pub(crate) fn bytes(&self) -> u64 {
        self.bodies.iter().map(|body| long(body.bytes)).sum()
    }

    /// Reads a body; `buffer` only lends its memory.
    pub(crate) fn read(&self, body: &Body, buffer: &mut Vec<u8>) -> Result<()> {
        buffer.resize(body.bytes, 0);
        self.file
            .read_exact_at(buffer, body.offset)
            .with_context(|| format!("could not read {}", self.path.display()))
    }

    /// Returns the first events, each without its line end.
    pub(crate) fn first(&self, n_events_max: usize) -> Result<Vec<Vec<u8>>> {
        let (mut events, mut buffer) = (Vec::new(), Vec::new());
        for body in &self.bodies {
            if events.len() >= n_events_max {
                break;
            }
            self.read(body, &mut buffer)?;
            events.extend(lines(&buffer).map(<[u8]>::to_vec));
        }
        events.truncate(n_events_max);
        Ok(events)
    }
}

/// Returns the lines of a body that hold something.
pub(crate) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "a file that is lost is generated again")]
fn generate(script: &Path, path: &Path, arguments: &[String]) -> Result<()> {
    let part = path.with_extension("part");
    let out =
        File::create(&part).with_context(|| format!("could not create {}", part.display()))?;
    let status = Command::new("python3")
        .args(["-W", "ignore"])
        .arg(script)
        .args(arguments)
        .stdout(Stdio::from(out))
        .status()
        .context("could not run python3")?;
    if !status.success() {
        bail!("gen.py ended with {status}");
    }
    fs::rename(&part, path).with_context(|| format!("could not make {}", path.display()))
}

/// Cuts a file at line ends. Reading it whole also brings it into memory, for us and the peers.
fn cut(file: &File) -> Result<Vec<Body>> {
    let end = file.metadata()?.len();
    let (mut bodies, mut offset) = (Vec::new(), 0);
    let mut buffer = vec![0; BODY_BYTES_MAX];
    while offset < end {
        let bytes = usize::try_from(end - offset).unwrap_or(usize::MAX).min(BODY_BYTES_MAX);
        let Some(window) = buffer.get_mut(..bytes) else { break };
        file.read_exact_at(window, offset)?;
        let bytes = match window.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if offset + long(bytes) == end => bytes,
            None => bail!("the line at byte {offset} is longer than a body"),
        };
        let n_events = long(lines(window.get(..bytes).unwrap_or(&[])).count());
        bodies.push(Body { offset, bytes, n_events });
        offset += long(bytes);
    }
    Ok(bodies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn bodies_hold_whole_lines_and_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let mut text = String::new();
        for n in 0..30_000 {
            writeln!(text, "{{\"n\":{n},\"x\":\"{}\"}}", "y".repeat(n % 90)).unwrap();
        }
        text.push_str("{\"last\":true}");
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();

        let plain = Workload::open(path).unwrap();
        assert_eq!(plain.n_events(), 30_001);
        assert!(plain.bodies.len() > 1);
        let (mut whole, mut buffer) = (Vec::new(), Vec::new());
        for body in &plain.bodies {
            plain.read(body, &mut buffer).unwrap();
            assert!(buffer.len() <= BODY_BYTES_MAX && buffer.starts_with(b"{"));
            whole.extend_from_slice(&buffer);
        }
        assert!(whole == text.as_bytes(), "not the file's bytes");
        assert_eq!(
            plain.first(2).unwrap(),
            [&b"{\"n\":0,\"x\":\"\"}"[..], b"{\"n\":1,\"x\":\"y\"}"]
        );

        let packed = plain.compressed().unwrap();
        assert_eq!((packed.n_events(), packed.bodies.len()), (30_001, plain.bodies.len()));
        packed.read(&packed.bodies[1], &mut buffer).unwrap();
        let unpacked = zstd::bulk::decompress(&buffer, BODY_BYTES_MAX).unwrap();
        plain.read(&plain.bodies[1], &mut buffer).unwrap();
        assert!(unpacked == buffer, "not the same body");
    }
}
