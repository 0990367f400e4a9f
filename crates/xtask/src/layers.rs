//! Which crate may depend on which.

use std::collections::HashMap;

use crate::workspace::{Crate, Dependency};

/// Test data; may be a dev-dependency of any crate.
const TESTKIT: &str = "trailkeep-testkit";
/// May use anything; nothing depends on them.
const TOOLS: &[&str] = &["trailkeep-bench", "xtask"];
/// From this layer on, dev-dependencies are free.
const FREE_DEV_LAYER: u64 = 4;

/// What only some crates may use: a rule of ARCHITECTURE.md that an edge would break.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("axum", &["trailkeep-api"], "only api serves HTTP"),
    ("datafusion", &["trailkeep-analyze"], "what lies below never waits for it to build"),
    ("getrandom", &["trailkeep-io"], "randomness comes from io"),
    ("hyper", &["trailkeep-api"], "only api serves HTTP"),
    // Exports are Parquet too, in columns of their own.
    ("parquet", &["trailkeep-api", "trailkeep-segment"], "only segment knows the columns"),
    ("rand", &["trailkeep-io"], "randomness comes from io"),
    ("sqlx", &["trailkeep-catalog"], "only catalog speaks SQL"),
    // The binary opens a store that is not running: doctor, backup.
    ("trailkeep-journal", &["trailkeep", "trailkeep-ingest"], "only ingest appends"),
];

/// Checks that each edge between crates goes to a strictly lower layer.
pub(crate) fn check(crates: &[Crate]) -> Vec<String> {
    let layers: HashMap<&str, Option<u64>> =
        crates.iter().map(|krate| (krate.name.as_str(), krate.layer)).collect();
    let mut problems = Vec::new();
    for krate in crates {
        let named_well = krate.name == "trailkeep"
            || krate.name == "xtask"
            || krate.name.starts_with("trailkeep-");
        if !named_well {
            problems.push(format!("{}: a crate is named `trailkeep-<name>`", krate.name));
        }
        if is_tool(&krate.name) || krate.name == TESTKIT {
            if krate.layer.is_some() {
                problems.push(format!("{}: development only, has no layer", krate.name));
            }
        } else if krate.layer.is_none() {
            problems.push(format!(
                "{}: Cargo.toml lacks [package.metadata.trailkeep] layer",
                krate.name
            ));
        }
        for dependency in &krate.dependencies {
            problems.extend(reserved(krate, dependency));
            let Some(layer) = layers.get(dependency.name.as_str()) else { continue };
            problems.extend(edge(krate, dependency, *layer));
        }
    }
    problems
}

fn edge(krate: &Crate, dependency: &Dependency, layer: Option<u64>) -> Option<String> {
    let Crate { name, layer: own, .. } = krate;
    let on = &dependency.name;
    if is_tool(on) {
        return Some(format!("{name}: nothing depends on `{on}`"));
    }
    if is_tool(name) || (on == TESTKIT && dependency.dev) {
        return None;
    }
    if on == TESTKIT {
        return Some(format!("{name}: `{on}` is for tests: make it a dev-dependency"));
    }
    if name == TESTKIT {
        return (layer != Some(0)).then(|| format!("{name}: may use layer 0 only, not `{on}`"));
    }
    if dependency.dev && own.is_some_and(|own| own >= FREE_DEV_LAYER) {
        return None;
    }
    let kind = if dependency.dev { "dev-depends" } else { "depends" };
    match (*own, layer) {
        (Some(own), Some(below)) if below >= own => {
            Some(format!("{name} (layer {own}) {kind} on `{on}` (layer {below}): not below it"))
        }
        _ => None,
    }
}

fn reserved(krate: &Crate, dependency: &Dependency) -> Option<String> {
    let (on, allowed, why) = RESERVED.iter().find(|(on, ..)| *on == dependency.name)?;
    let free = dependency.dev || is_tool(&krate.name) || allowed.contains(&krate.name.as_str());
    (!free).then(|| format!("{}: does not use `{on}`: {why}", krate.name))
}

fn is_tool(name: &str) -> bool {
    TOOLS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(name: &str, layer: Option<u64>, on: &[(&str, bool)]) -> Crate {
        let dependencies =
            on.iter().map(|(name, dev)| Dependency { name: (*name).to_owned(), dev: *dev });
        Crate {
            name: name.to_owned(),
            layer,
            dependencies: dependencies.collect(),
            roots: Vec::new(),
        }
    }

    #[test]
    fn edges_go_strictly_down() {
        type Edges = &'static [(&'static str, bool)];
        let below = [
            krate("trailkeep-event", Some(0), &[]),
            krate("trailkeep-io", Some(0), &[]),
            krate("trailkeep-api", Some(4), &[]),
            krate(TESTKIT, None, &[("trailkeep-event", false)]),
            krate("xtask", None, &[("trailkeep-api", false)]),
        ];
        let cases: [(&str, Option<u64>, Edges, usize); 9] = [
            ("trailkeep-journal", Some(2), &[("trailkeep-event", false), ("serde", false)], 0),
            ("trailkeep-journal", Some(2), &[(TESTKIT, true)], 0),
            ("trailkeep-journal", Some(2), &[(TESTKIT, false)], 1),
            ("trailkeep-x", Some(0), &[("trailkeep-io", false)], 1),
            ("trailkeep-x", Some(0), &[("trailkeep-io", true)], 1),
            ("trailkeep-x", Some(4), &[("trailkeep-api", true)], 0),
            ("trailkeep-x", Some(5), &[("xtask", true)], 1),
            ("trailkeep-x", None, &[], 1),
            ("journal", Some(2), &[], 1),
        ];
        for (name, layer, on, n_problems) in cases {
            let mut crates = below.to_vec();
            crates.push(krate(name, layer, on));
            let problems = check(&crates);
            assert_eq!(problems.len(), n_problems, "{name} {on:?}: {problems:?}");
        }
    }

    #[test]
    fn reserved_dependencies_stay_where_they_belong() {
        let cases = [
            ("trailkeep-api", "axum", false, 0),
            ("trailkeep-query", "axum", false, 1),
            ("trailkeep-query", "axum", true, 0),
            ("trailkeep-bench", "hyper", false, 0),
            ("trailkeep-ingest", "trailkeep-journal", false, 0),
            ("trailkeep-query", "trailkeep-journal", false, 1),
            ("trailkeep-segment", "getrandom", false, 1),
        ];
        for (name, on, dev, n_problems) in cases {
            let dependency = Dependency { name: on.to_owned(), dev };
            let problems = reserved(&krate(name, Some(3), &[]), &dependency);
            assert_eq!(problems.iter().count(), n_problems, "{name} {on}");
        }
    }
}
