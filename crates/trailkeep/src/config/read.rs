//! Reads a configuration file, and says where it is wrong.

use std::path::Path;

use anyhow::Context;
use toml::de::DeTable;

use super::RawConfig;
use crate::failure::{Exit, Failure};

/// How alike a key and a wrong one must be for a suggestion.
const LIKENESS_MIN: f64 = 0.6;

/// Reads a file; without one everything is at its default.
pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<RawConfig> {
    let Some(path) = path else { return Ok(RawConfig::default()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read the configuration `{}`", path.display()))
        .context(Exit::Usage)?;
    parse(&path.display().to_string(), &text)
}

fn parse(name: &str, text: &str) -> anyhow::Result<RawConfig> {
    let error = match toml::from_str(text) {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or("").chars().count().saturating_add(1);
    let problem = error.message().lines().collect::<Vec<_>>().join(" ");
    let failure = match unknown_key(&problem) {
        None => {
            let key = key_at(text, at).map(|key| format!("`{key}`: ")).unwrap_or_default();
            let problem = for_people(&problem);
            Failure::new(Exit::Usage, format!("{name}:{line}:{column}: {key}{problem}"))
        }
        Some((key, nearest)) => {
            let message = format!("{name}:{line}:{column}: there is no key `{key}` here");
            let hint = match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`trailkeep config` prints every key".to_owned(),
            };
            Failure::new(Exit::Usage, message).hint(hint)
        }
    };
    Err(failure.into())
}

/// Returns the key whose value stands at a place, with its section. A file that is no TOML has none.
fn key_at(text: &str, at: usize) -> Option<String> {
    find_key(DeTable::parse(text).ok()?.get_ref(), at)
}

/// A table's own place is only its head, so the values in it are looked at first. As deep as the
/// reader of the file allows.
fn find_key(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let inner = value.get_ref().as_table().and_then(|table| find_key(table, at));
        match inner {
            Some(inner) => Some(format!("{}.{inner}", key.get_ref())),
            None => value.span().contains(&at).then(|| key.get_ref().to_string()),
        }
    })
}

/// Replaces the reader's names of types by words.
fn for_people(problem: &str) -> String {
    let Some((found, expected)) = problem.rsplit_once("expected ") else {
        return problem.to_owned();
    };
    let expected = match expected {
        "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a string" | "path string" => "a text in quotes",
        other => other,
    };
    format!("{found}expected {expected}")
}

/// Takes the unknown key, and the known one that is most like it, out of the reader's words.
fn unknown_key(problem: &str) -> Option<(&str, Option<&str>)> {
    if !problem.starts_with("unknown field") {
        return None;
    }
    // unknown field `a`, expected one of `b`, `c`
    let mut names = problem.split('`').skip(1).step_by(2);
    let key = names.next()?;
    let likeness = |name: &&str| strsim::jaro_winkler(key, name);
    let nearest = names
        .filter(|name| likeness(name) >= LIKENESS_MIN)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Some((key, nearest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_place_and_the_nearest_key() {
        for (text, message) in [
            (
                "[store]\nseal_byts = 1\n",
                "f:2:1: there is no key `seal_byts` here (did you mean `seal_bytes`?)",
            ),
            ("[stor]\n", "f:1:2: there is no key `stor` here (did you mean `store`?)"),
            (
                "[log]\nzzz = 1\n",
                "f:2:1: there is no key `zzz` here (`trailkeep config` prints every key)",
            ),
            (
                "[store]\nseal_bytes = \"64 MB\"\n",
                "f:2:14: `store.seal_bytes`: invalid value: string \"64 MB\", expected a number of \
                 bytes, or a text like \"64 MiB\" (B, KiB, MiB, GiB, TiB)",
            ),
            (
                "[server]\nheaders_max = \"many\"\n",
                "f:2:15: `server.headers_max`: invalid type: string \"many\", expected a whole \
                 number, 0 or more",
            ),
            (
                "\nserver = { listen = 5 }\n",
                "f:2:21: `server.listen`: invalid type: integer `5`, expected a text in quotes",
            ),
            (
                "[server]\nbehind_proxy = \"no\"\n",
                "f:2:16: `server.behind_proxy`: invalid type: string \"no\", expected true or false",
            ),
            (
                "store.seal_interval_s = -1\n",
                "f:1:25: `store.seal_interval_s`: invalid value: integer `-1`, expected a whole \
                 number, 0 or more",
            ),
        ] {
            let error = parse("f", text).unwrap_err();
            let failure = error.downcast_ref::<Failure>().unwrap();
            let hint = failure.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            assert_eq!(format!("{failure}{hint}"), message);
        }
    }
}
