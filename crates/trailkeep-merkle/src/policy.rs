//! Who is trusted: logs, witnesses, and how many of these are enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::decimal;
use crate::{Checkpoint, CheckpointError, KeyError, KeyKind, Note, Verdict, Verifier};

/// The longest policy that is read, in bytes.
const POLICY_BYTES_MAX: usize = 1 << 20;
/// The most names of witnesses and groups.
const NAMES_MAX: usize = 1024;
/// The name that no quorum is called.
const NONE: &str = "none";

/// What is wrong with a policy, and in which line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// It is longer than 1 MiB or has more than 1,024 names.
    #[error("the policy is longer than 1 MiB, or has more than 1,024 names")]
    TooLarge,
    /// A line is malformed.
    #[error("line {line} of the policy: {what}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A key is malformed.
    #[error("line {line} of the policy names a key that cannot be read")]
    Key {
        /// Which, from 1.
        line: usize,
        /// Why.
        #[source]
        source: KeyError,
    },
    /// There is not exactly one quorum.
    #[error("the policy has no line `quorum`")]
    NoQuorum,
}

/// A log that a policy trusts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyLog {
    /// What verifies its signatures; its name is the log's origin.
    pub key: Verifier,
    /// Where it is, where the policy says.
    pub url: Option<String>,
}

/// A witness that a policy knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyWitness {
    /// What the policy calls it.
    pub name: String,
    /// What verifies its cosignatures.
    pub key: Verifier,
    /// Where it takes checkpoints, where the policy says.
    pub url: Option<String>,
}

/// Who is trusted. The text is C2SP's tlog-policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    /// Names to what they stand for.
    names: BTreeMap<String, Member>,
    /// The name of the quorum, if one is asked for.
    quorum: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Member {
    /// A witness, by its place.
    Witness(usize),
    /// So many of these names.
    Group(usize, Vec<String>),
}

/// What a policy says of a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Whether a log signed it whose name is its origin.
    pub signed: bool,
    /// The names of the witnesses that cosigned it, each with the time it states, in seconds since
    /// 1970.
    pub witnesses: Vec<(String, u64)>,
    /// Whether these are enough.
    pub quorum: bool,
    /// The names of keys that are known and whose signature is not theirs: the note is to be
    /// rejected.
    pub wrong: Vec<String>,
}

impl Seen {
    /// Tells whether the checkpoint is to be believed: a log signed it, enough witnesses cosigned
    /// it, and no line of a known key is wrong.
    pub fn is_accepted(&self) -> bool {
        self.signed && self.quorum && self.wrong.is_empty()
    }
}

impl Policy {
    /// Reads a policy. Names, addresses and remarks must be UTF-8, which C2SP recommends.
    ///
    /// # Errors
    /// [`PolicyError`] names the line.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLarge);
        }
        let mut reader = Reader::default();
        // A line feed ends a line; what stands before one is looked at as it is.
        for (number, line) in text.split('\n').enumerate() {
            let line = Line { number: number.saturating_add(1), text: line };
            reader.line(&line)?;
            if reader.names.len() > NAMES_MAX || reader.logs.len() > NAMES_MAX {
                return Err(PolicyError::TooLarge);
            }
        }
        let quorum = match std::mem::take(&mut reader.quorum) {
            Quorum::Unsaid => return Err(PolicyError::NoQuorum),
            Quorum::None => None,
            Quorum::Named(name) => Some(name),
        };
        let Reader { logs, witnesses, names, .. } = reader;
        Ok(Self { logs, witnesses, names, quorum })
    }

    /// Returns the logs that are trusted.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// Returns the witnesses that are known.
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Tells whether witnesses are asked for.
    pub fn has_quorum(&self) -> bool {
        self.quorum.is_some()
    }

    /// Judges a signed checkpoint.
    ///
    /// # Errors
    /// Where the note's text is no checkpoint.
    pub fn judge(&self, note: &Note) -> Result<(Checkpoint, Seen), CheckpointError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let mut wrong = Vec::new();
        let mut signed = false;
        for log in self.logs.iter().filter(|log| log.key.name() == checkpoint.origin) {
            match log.key.verify(note) {
                Verdict::Valid(_time) => signed = true,
                Verdict::Wrong => wrong.push(log.key.name().to_owned()),
                Verdict::Absent => {}
            }
        }
        let mut witnesses = Vec::new();
        let mut there = BTreeSet::new();
        for (place, witness) in self.witnesses.iter().enumerate() {
            match witness.key.verify(note) {
                Verdict::Valid(time) => {
                    there.insert(place);
                    witnesses.push((witness.name.clone(), time.unwrap_or(0)));
                }
                Verdict::Wrong => wrong.push(witness.name.clone()),
                Verdict::Absent => {}
            }
        }
        let quorum = self.quorum.as_ref().is_none_or(|name| self.met(name, &there));
        Ok((checkpoint, Seen { signed, witnesses, quorum, wrong }))
    }

    /// Tells whether a witness or a group is met. Names stand for earlier ones only, and each is a
    /// member once, so that this ends.
    fn met(&self, name: &str, there: &BTreeSet<usize>) -> bool {
        match self.names.get(name) {
            Some(Member::Witness(place)) => there.contains(place),
            Some(Member::Group(needed, members)) => {
                members.iter().filter(|member| self.met(member, there)).count() >= *needed
            }
            None => false,
        }
    }
}

struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn error(&self, what: &'static str) -> PolicyError {
        PolicyError::Line { line: self.number, what }
    }

    fn key(&self, text: &str) -> Result<Verifier, PolicyError> {
        Verifier::parse(text).map_err(|source| PolicyError::Key { line: self.number, source })
    }
}

#[derive(Default)]
enum Quorum {
    #[default]
    Unsaid,
    None,
    Named(String),
}

#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    names: BTreeMap<String, Member>,
    /// Names that are a member already.
    taken: BTreeSet<String>,
    quorum: Quorum,
}

impl Reader {
    fn line(&mut self, line: &Line<'_>) -> Result<(), PolicyError> {
        if line.text.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
            return Err(line.error("control characters are not allowed"));
        }
        let words: Vec<&str> =
            line.text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match *words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(line, key, None),
            ["log", key, url] => self.log(line, key, Some(url)),
            ["witness", name, key] => self.witness(line, (name, key), None),
            ["witness", name, key, url] => self.witness(line, (name, key), Some(url)),
            ["group", name, needed, ref members @ ..] => self.group(line, name, needed, members),
            ["quorum", name] => self.quorum(line, name),
            _ => {
                Err(line
                    .error("expected `log`, `witness`, `group` or `quorum` and what belongs to it"))
            }
        }
    }

    fn log(&mut self, line: &Line<'_>, key: &str, url: Option<&str>) -> Result<(), PolicyError> {
        let key = line.key(key)?;
        if key.kind() != KeyKind::Ed25519 {
            return Err(line.error("a log's key is of type 0x01 (Ed25519)"));
        }
        if self.logs.iter().any(|log| log.key.public_key() == key.public_key()) {
            return Err(line.error("a log with this key was named before"));
        }
        self.logs.push(PolicyLog { key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn witness(
        &mut self,
        line: &Line<'_>,
        (name, key): (&str, &str),
        url: Option<&str>,
    ) -> Result<(), PolicyError> {
        let key = line.key(key)?;
        if key.kind() != KeyKind::Cosignature {
            return Err(line.error("a witness' key is of type 0x04 (cosignature)"));
        }
        if self.witnesses.iter().any(|other| other.key.public_key() == key.public_key()) {
            return Err(line.error("a witness with this key was named before"));
        }
        self.name(line, name, Member::Witness(self.witnesses.len()))?;
        let (name, url) = (name.to_owned(), url.map(str::to_owned));
        self.witnesses.push(PolicyWitness { name, key, url });
        Ok(())
    }

    fn group(
        &mut self,
        line: &Line<'_>,
        name: &str,
        needed: &str,
        members: &[&str],
    ) -> Result<(), PolicyError> {
        if members.is_empty() {
            return Err(line.error("a group has at least one member"));
        }
        let needed = match needed {
            "any" => Some(1),
            "all" => Some(members.len()),
            number => decimal(number).and_then(|it| usize::try_from(it).ok()),
        };
        let needed =
            needed.filter(|needed| (1..=members.len()).contains(needed)).ok_or_else(|| {
                line.error("how many of a group are needed is any, all, or 1 to its size")
            })?;
        for member in members {
            if !self.names.contains_key(*member) {
                return Err(line.error("a group's members are named in lines before it"));
            }
            if !self.taken.insert((*member).to_owned()) {
                return Err(line.error("a name is a member of one group, once"));
            }
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.name(line, name, Member::Group(needed, members))
    }

    fn quorum(&mut self, line: &Line<'_>, name: &str) -> Result<(), PolicyError> {
        if !matches!(self.quorum, Quorum::Unsaid) {
            return Err(line.error("there is one line `quorum`"));
        }
        if name != NONE && !self.names.contains_key(name) {
            return Err(line.error("the quorum is `none`, or named in a line before it"));
        }
        self.quorum = if name == NONE { Quorum::None } else { Quorum::Named(name.to_owned()) };
        Ok(())
    }

    fn name(&mut self, line: &Line<'_>, name: &str, member: Member) -> Result<(), PolicyError> {
        if name == NONE {
            return Err(line.error("`none` is no name"));
        }
        match self.names.insert(name.to_owned(), member) {
            None => Ok(()),
            Some(_before) => Err(line.error("this name was given before")),
        }
    }
}
