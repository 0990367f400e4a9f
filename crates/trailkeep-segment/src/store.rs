//! The object store, for callers that may block.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::executor::block_on;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::Error;
use crate::caches::Caches;

/// An object of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its length.
    pub bytes: u64,
}

/// Where segments live: objects with keys, written once and never changed.
///
/// Every call blocks its thread until the store has answered, by `futures::executor::block_on`:
/// right for a store over a disk, whose futures never wait for a runtime. A store over a network
/// will need the handle of the runtime that drives it.
#[derive(Clone, Debug)]
pub struct SegmentStore {
    store: Arc<dyn ObjectStore>,
    caches: Arc<Caches>,
}

impl SegmentStore {
    /// The bytes that a store keeps of its segments in memory where nothing else is said.
    pub const CACHE_BYTES: u64 = 512 << 20;

    /// Wraps an object store; keeps at most [`SegmentStore::CACHE_BYTES`] of it in memory.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self::with_cache(store, Self::CACHE_BYTES)
    }

    /// Wraps an object store; keeps at most `bytes_max` of verified blocks and decoded
    /// dictionaries in memory, shared by all its segments.
    pub fn with_cache(store: Arc<dyn ObjectStore>, bytes_max: u64) -> Self {
        Self { store, caches: Arc::new(Caches::new(bytes_max)) }
    }

    /// Returns the object store.
    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.caches
    }

    /// Writes an object that must not exist. It is durable when this returns.
    ///
    /// # Errors
    /// Where the key is taken or the store refuses; then the object may or may not be there.
    pub fn put_new(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let (path, payload) = (Path::from(key), PutPayload::from_bytes(bytes));
        block_on(self.store.put_opts(&path, payload, options))
            .map(drop)
            .map_err(|source| failed("write", key, source))
    }

    /// Reads a range of bytes of an object.
    pub fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, Error> {
        block_on(self.store.get_range(&Path::from(key), range))
            .map_err(|source| failed("read", key, source))
    }

    /// Removes an object; one that is not there is as good as removed.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        match block_on(self.store.delete(&Path::from(key))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("delete", key, source)),
        }
    }

    /// Lists all objects by key. Only for finding orphans: which segments exist is the catalog's.
    pub fn list(&self) -> Result<Vec<StoredObject>, Error> {
        let listed: Vec<_> = block_on(self.store.list(None).try_collect())
            .map_err(|source| failed("list", "", source))?;
        let mut objects: Vec<StoredObject> = listed
            .into_iter()
            .map(|meta| StoredObject { key: meta.location.to_string(), bytes: meta.size })
            .collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    /// Returns an object's length.
    pub fn size(&self, key: &str) -> Result<u64, Error> {
        block_on(self.store.head(&Path::from(key)))
            .map(|meta| meta.size)
            .map_err(|source| failed("look up", key, source))
    }
}

fn failed(doing: &'static str, key: &str, source: object_store::Error) -> Error {
    Error::Store { doing, key: key.to_owned(), source }
}
