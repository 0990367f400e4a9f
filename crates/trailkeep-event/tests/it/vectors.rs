//! The encoder against the RFC 8785 pairs of its author (cyberphone/json-canonicalization).

use std::fs;
use std::path::Path;

use trailkeep_event::{EventLimits, canonical_json};

#[test]
#[expect(clippy::print_stdout, reason = "says that it proved nothing")]
fn canonical_json_agrees_with_the_vectors_of_rfc_8785() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let Ok(entries) = fs::read_dir(folder.join("input")) else {
        println!("skipped: no vectors at ../shared/vectors beside the repository");
        return;
    };
    let mut n_pairs = 0;
    for entry in entries {
        let name = entry.expect("the folder can be listed").file_name();
        let input = fs::read(folder.join("input").join(&name)).expect("the input can be read");
        let output = fs::read_to_string(folder.join("output").join(&name)).expect("the output too");
        let found = canonical_json(&input, &EventLimits::STANDARD)
            .unwrap_or_else(|error| panic!("{}: {error}", name.display()));
        assert_eq!(found, output, "{}", name.display());
        n_pairs += 1;
    }
    assert!(n_pairs >= 6, "only {n_pairs} pairs");
}
