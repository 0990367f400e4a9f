//! The configuration file.

use tempfile::tempdir;

use crate::command::run;
use crate::server::write;

#[test]
fn printed_configuration_is_valid_and_the_default() {
    let folder = tempdir().unwrap();
    let printed = run(folder.path(), "config").ok();
    write(&folder.path().join("printed.toml"), printed);
    write(&folder.path().join("empty.toml"), "");
    let checked = |name: &str| run(folder.path(), &format!("config --json --check {name}")).ok();
    assert_eq!(checked("printed.toml"), checked("empty.toml"));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let folder = tempdir().unwrap();
    for (text, message) in [
        ("[store]\nseal_byts = 1\n", "c.toml:2:1: there is no key `seal_byts` here"),
        ("[store]\nseal_byts = 1\n", "hint: did you mean `seal_bytes`?"),
        (
            "[store]\nseal_bytes = \"1 KiB\"\n",
            "`store.seal_bytes` is at least 4096 bytes, and not 1024",
        ),
        ("[server]\nlisten = \"here\"\n", "`server.listen` is an IP address and a port"),
        ("[server]\ntls_cert = \"x\"\n", "`server.tls_key` are given together"),
        ("[log]\nformat = \"xml\"\n", "c.toml:2:10: `log.format`: unknown variant `xml`"),
        ("[store\n", "c.toml:1:7: "),
        (
            "[store]\nseal_bytes = \"abc\"\n",
            "c.toml:2:14: `store.seal_bytes`: invalid value: string \"abc\", expected a number of bytes",
        ),
        (
            "[query]\n\nqueries_max = \"4\"\n",
            "c.toml:3:15: `query.queries_max`: invalid type: string \"4\", expected a whole number",
        ),
    ] {
        write(&folder.path().join("c.toml"), text);
        for verb in ["config --check c.toml", "serve --config c.toml"] {
            let said = run(folder.path(), verb).failed(2);
            assert!(said.contains(message), "{verb} of {text:?}: {said}");
        }
    }
    run(folder.path(), "serve --config nowhere.toml").failed(2);
}
