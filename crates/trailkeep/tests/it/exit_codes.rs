//! The exit codes, which are part of the interface.

use tempfile::tempdir;

use crate::command::run;
use crate::server::{KEY, Server, write};

#[test]
fn exit_codes_say_what_went_wrong() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    write(&folder.path().join("empty.log"), "");
    write(
        &folder.path().join("one.log"),
        "h - - [20/Apr/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n",
    );
    let url = &server.url;
    for (arguments, code, message) in [
        ("search".to_owned(), 2, "which store?"),
        (format!("search --server {url}"), 2, "a server needs a key"),
        (format!("search --server nowhere --key {KEY}"), 2, "could not use the server"),
        (format!("search --server {url} --key {KEY} --from yesterday"), 2, "is no time"),
        (format!("search --server {url} --key {KEY} 'statsu:500'"), 2, "did you mean `status`?"),
        (format!("search --server {url} --key wrong"), 5, "does not allow it"),
        (format!("keys revoke key_0 --server {url} --key {KEY}"), 4, "no such key"),
        (format!("tail --server http://{free} --key k --account ''"), 2, "1 to 128 bytes"),
        ("search --server http://no..name --key k".to_owned(), 6, "could not find the host"),
        ("tail --server http://no..name --key k".to_owned(), 6, "could not find the host"),
        (
            "import --format combined --server http://no..name --key k one.log".to_owned(),
            6,
            "0 lines",
        ),
        ("search --data nowhere".to_owned(), 4, "there is no store in `nowhere`"),
        ("restore nowhere --data new".to_owned(), 4, "there is no folder"),
        ("doctor --data nowhere".to_owned(), 4, "there is no store"),
        ("tail --data data".to_owned(), 2, "tail needs --server"),
        ("import --format nonsense --data d2 empty.log".to_owned(), 2, "no format is called"),
        ("import --format combined --data d2 missing.log".to_owned(), 4, "missing.log"),
        ("import --format combined --data d2 --job 'a b' empty.log".to_owned(), 2, "a job's name"),
        ("keys create --name x --data data".to_owned(), 2, "the key may do nothing"),
        ("search --cuont --data data".to_owned(), 2, "there is no option `--cuont`"),
        ("nonsense".to_owned(), 2, "unrecognized subcommand"),
    ] {
        let text = run(folder.path(), &arguments).failed(code);
        assert!(text.contains(message), "{arguments}: {text}");
    }
    drop(server);
}

#[test]
fn query_errors_point_at_the_place() {
    let folder = tempdir().unwrap();
    let text = run(folder.path(), "search --data nowhere 'status:200 statsu:500'").failed(2);
    insta::assert_snapshot!(text, @r"
    error: could not read the query: `statsu` is not a field

      status:200 statsu:500
                 ^

      hint: did you mean `status`?
    ");
}
