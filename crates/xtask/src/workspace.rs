//! The crates of the workspace, as cargo sees them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One crate.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    /// The crate's name.
    pub(crate) name: String,
    /// The layer it states.
    pub(crate) layer: Option<u64>,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
    /// The paths of its targets' first files, below the root.
    pub(crate) roots: Vec<String>,
}

/// One edge between crates.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// The name of what is depended on.
    pub(crate) name: String,
    /// Whether only tests depend on it.
    pub(crate) dev: bool,
}

/// Asks cargo for the crates.
pub(crate) fn crates(root: &Path) -> Result<Vec<Crate>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--no-deps", "--locked", "--format-version", "1"])
        .output()
        .context("could not run cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata = serde_json::from_slice(&output.stdout).context("could not read metadata")?;
    parse(&metadata, root)
}

fn parse(metadata: &Value, root: &Path) -> Result<Vec<Crate>> {
    list(metadata, "packages").iter().map(|package| parse_crate(package, root)).collect()
}

fn parse_crate(package: &Value, root: &Path) -> Result<Crate> {
    let dependencies = list(package, "dependencies").iter().filter_map(|dependency| {
        let dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
        Some(Dependency { name: text(dependency, "name")?, dev })
    });
    let roots = list(package, "targets").iter().filter_map(|target| {
        let path = text(target, "src_path")?;
        Path::new(&path).strip_prefix(root).ok()?.to_str().map(str::to_owned)
    });
    Ok(Crate {
        name: text(package, "name").context("a package has no name")?,
        layer: package.pointer("/metadata/trailkeep/layer").and_then(Value::as_u64),
        dependencies: dependencies.collect(),
        roots: roots.collect(),
    })
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_read_of_the_metadata() {
        let metadata = json!({ "packages": [{
            "name": "trailkeep-a", "metadata": { "trailkeep": { "layer": 2 } },
            "dependencies": [
                { "name": "b", "kind": null }, { "name": "c", "kind": "dev" },
            ],
            "targets": [{ "src_path": "/r/crates/a/src/lib.rs" }],
        }]});
        let crates = parse(&metadata, Path::new("/r")).unwrap();
        assert_eq!(crates[0].layer, Some(2));
        assert_eq!(crates[0].roots, ["crates/a/src/lib.rs"]);
        assert!(!crates[0].dependencies[0].dev && crates[0].dependencies[1].dev);
    }
}
