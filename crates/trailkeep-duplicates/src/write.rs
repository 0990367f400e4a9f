//! Writes a run.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, PutMode, PutOptions, PutPayload};
use serde::{Deserialize, Serialize};

use crate::filter::Filter;
use crate::layout::{BLOCK_BYTES, BLOCK_ENTRIES, Entry, Header, fence, write_block};
use crate::{Error, Fingerprint, Known};

/// The most entries of one run: 128 MiB. Larger indexes are several runs.
pub const RUN_ENTRIES_MAX: usize = 4 * 1024 * 1024;

/// What the catalog remembers of a run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunMeta {
    /// The run's identifier.
    pub id: String,
    /// The object's key.
    pub key: String,
    /// How many entries it has.
    pub entries: u64,
    /// How many bytes the object has.
    pub bytes: u64,
    /// The checksum of its header, which holds those of its other parts.
    pub header_crc: u32,
}

/// Sorts entries and writes them as one object. Where a fingerprint stands twice the first one
/// given is kept. The object is durable when this returns. Blocks: call it off the async
/// runtime.
///
/// # Errors
/// Where the object cannot be written.
pub fn write_run(
    store: &dyn ObjectStore,
    id: &str,
    entries: impl IntoIterator<Item = (Fingerprint, Known)>,
) -> Result<RunMeta, Error> {
    let mut entries: Vec<Entry> =
        entries.into_iter().map(|(fingerprint, known)| Entry { fingerprint, known }).collect();
    entries.sort_by_key(|entry| entry.fingerprint);
    entries.dedup_by_key(|entry| entry.fingerprint);
    write_sorted(store, id, &entries)
}

pub(crate) fn write_sorted(
    store: &dyn ObjectStore,
    id: &str,
    entries: &[Entry],
) -> Result<RunMeta, Error> {
    let mut filter = Filter::with_room(entries.len());
    let mut blocks = Vec::with_capacity(entries.len().saturating_mul(34));
    let mut fences = Vec::new();
    for (number, chunk) in (0_u64..).zip(entries.chunks(BLOCK_ENTRIES)) {
        for entry in chunk {
            filter.insert(entry.fingerprint);
        }
        if let Some(first) = chunk.first() {
            fences.extend_from_slice(&fence(first.fingerprint).to_le_bytes());
        }
        blocks.extend_from_slice(&write_block(number, chunk));
    }
    let filter = filter.to_bytes();
    let header = Header {
        n_entries: n_u64(entries.len()),
        n_blocks: n_u64(blocks.len() / BLOCK_BYTES),
        filter_bytes: n_u64(filter.len()),
        filter_crc: crc32c::crc32c(&filter),
        fences_crc: crc32c::crc32c(&fences),
    };
    let header_block = header.write();
    let header_crc = crc32c::crc32c(&header_block);
    let parts: Vec<Bytes> = [header_block, blocks, filter, fences].map(Bytes::from).into();
    let bytes = n_u64(parts.iter().map(Bytes::len).sum());
    let key = format!("dup/{id}.run");
    let options = PutOptions::from(PutMode::Create);
    let path = Path::from(key.as_str());
    let put = store.put_opts(&path, PutPayload::from_iter(parts), options);
    futures::executor::block_on(put)
        .map_err(|source| Error::Write { run: id.to_owned(), source })?;
    Ok(RunMeta { id: id.to_owned(), key, entries: header.n_entries, bytes, header_crc })
}

pub(crate) fn n_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
