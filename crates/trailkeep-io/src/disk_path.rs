//! The rules that a path must keep on every disk.

use std::io;

/// Checks the path of a file: relative, with no empty, `.` or `..` part.
pub(crate) fn check_file(path: &str) -> io::Result<()> {
    let bad = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('\0');
    if path.split('/').any(bad) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("not a path below the root of the disk: {path:?}"),
        ));
    }
    Ok(())
}

/// Checks the path of a folder: as that of a file, or empty for the root.
pub(crate) fn check_folder(path: &str) -> io::Result<()> {
    if path.is_empty() { Ok(()) } else { check_file(path) }
}

/// Splits a path into its folder (empty for the root) and its name.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Joins a folder (empty for the root) and a name.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns the folders on the way to `folder`, from below the root down to itself.
pub(crate) fn folders_down_to(folder: &str) -> impl Iterator<Item = &str> {
    let ends = folder.match_indices('/').map(|(at, _)| at);
    ends.filter_map(|end| folder.get(..end)).chain((!folder.is_empty()).then_some(folder))
}
