//! Opens what is imported, compressed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

const BUFFER_BYTES: usize = 256 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Tells whether a path stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file, or standard input; what it is compressed with is seen in its first bytes.
pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    let opened = || -> io::Result<Box<dyn BufRead + Send>> {
        if is_stdin(path) {
            return decode(Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin())));
        }
        decode(Box::new(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?)))
    };
    opened().with_context(|| format!("could not read `{}`", path.display()))
}

fn decode(mut input: Box<dyn BufRead + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    input.by_ref().take(4).read_to_end(&mut head)?;
    let is = |magic: &[u8]| head.starts_with(magic);
    let (gzip, zstd) = (is(GZIP), is(ZSTD));
    let whole = Cursor::new(head).chain(input);
    Ok(if gzip {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(whole)))
    } else if zstd {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}
