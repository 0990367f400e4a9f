//! Objects as files of a disk.

mod files;
mod upload;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RenameOptions, RenameTargetMode, path::Path,
};

use self::{
    files::{Files, Placement, Stored},
    upload::Upload,
};
use crate::{Disk, DiskFile};

/// How much of an object is read at once.
const READ_CHUNK_BYTES: u64 = 8 << 20;

/// The name of this store in errors.
const STORE: &str = "DiskStore";

/// An object store over a [`Disk`]: the object `key` is the file `<folder>/<key>`.
///
/// - An object is there whole and durable when a call that made it returns, or not at all.
///   Creating only is decided among all users of one `DiskStore` and its clones.
/// - All work is done in the calls themselves and blocks: a caller on a runtime leaves it first,
///   with [`crate::Tasks::spawn_blocking`].
/// - A disk keeps no times: `last_modified` is always 1970-01-01. There are no tags, attributes,
///   versions or conditional updates.
/// - A key that ends in [`crate::durable::TEMPORARY_SUFFIX`] is refused: such files are objects
///   that were not finished. [`DiskStore::remove_leftovers`] removes those of earlier runs.
#[derive(Clone, Debug)]
pub struct DiskStore {
    files: Arc<Files>,
}

impl DiskStore {
    /// Returns the store of a folder, which is made when the first object is.
    pub fn new(disk: Arc<dyn Disk>, folder: &str) -> Self {
        Self { files: Arc::new(Files::new(disk, folder)) }
    }

    /// Removes what crashes left of unfinished objects, and returns how many there were. To be
    /// called before the store is used.
    pub fn remove_leftovers(&self) -> io::Result<u64> {
        self.files.remove_leftovers()
    }

    fn get(&self, location: &Path, options: &GetOptions) -> Result<GetResult, Failure> {
        let (file, bytes) = self.files.open(location.as_ref())?;
        let meta = meta(location.clone(), bytes);
        options.check_preconditions(&meta).map_err(Failure::Store)?;
        let range = match &options.range {
            Some(range) => range.as_range(bytes).map_err(io::Error::other)?,
            None => 0..bytes,
        };
        let wanted = if options.head { 0..0 } else { range.clone() };
        let payload = GetResultPayload::Stream(read_stream(file, wanted, location.clone()));
        Ok(GetResult { payload, meta, range, attributes: object_store::Attributes::default() })
    }

    fn put(&self, location: &Path, payload: &PutPayload, mode: &PutMode) -> Result<(), Failure> {
        let placement = match mode {
            PutMode::Overwrite => Placement::Replace,
            PutMode::Create => Placement::CreateOnly,
            PutMode::Update(_) => return Err(not_implemented("conditional update")),
        };
        let temporary = self.files.create_temporary(location.as_ref())?;
        temporary.write(payload, 0)?;
        Ok(temporary.place(location.as_ref(), placement)?)
    }

    fn list_level(&self, prefix: &Path) -> Result<ListResult, Failure> {
        let mut result = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        for entry in self.files.list_level(prefix.as_ref())? {
            match entry {
                Stored::Folder { key } => result.common_prefixes.push(parse(&key)?),
                Stored::Object { key, bytes } => result.objects.push(meta(parse(&key)?, bytes)),
            }
        }
        Ok(result)
    }

    fn list_all(&self, prefix: &Path) -> Result<Vec<ObjectMeta>, Failure> {
        let objects = self.files.list_all(prefix.as_ref())?;
        objects.into_iter().map(|(key, bytes)| Ok(meta(parse(&key)?, bytes))).collect()
    }
}

impl fmt::Display for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{STORE}({})", self.files.folder())
    }
}

#[async_trait]
impl ObjectStore for DiskStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if !options.attributes.is_empty() {
            return Err(not_implemented("attributes").at(location));
        }
        self.put(location, &payload, &options.mode).map_err(|failure| failure.at(location))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        if !options.attributes.is_empty() {
            return Err(not_implemented("attributes").at(location));
        }
        let temporary = self.files.create_temporary(location.as_ref());
        let temporary = temporary.map_err(|error| Failure::Disk(error).at(location))?;
        Ok(Box::new(Upload::new(temporary, location.clone())))
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.get(location, &options).map_err(|failure| failure.at(location))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let files = Arc::clone(&self.files);
        let remove = move |location: object_store::Result<Path>| {
            let location = location?;
            match files.remove(location.as_ref()) {
                Ok(()) => Ok(location),
                Err(error) => Err(Failure::Disk(error).at(&location)),
            }
        };
        locations.map(remove).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        match self.list_all(&prefix) {
            Ok(objects) => stream::iter(objects.into_iter().map(Ok)).boxed(),
            Err(failure) => stream::iter([Err(failure.at(&prefix))]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        let prefix = prefix.cloned().unwrap_or_default();
        self.list_level(&prefix).map_err(|failure| failure.at(&prefix))
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        let placement = match options.mode {
            CopyMode::Overwrite => Placement::Replace,
            CopyMode::Create => Placement::CreateOnly,
        };
        let copied = self.files.copy(from.as_ref(), to.as_ref(), placement);
        copied.map_err(|error| Failure::Disk(error).between(from, to))
    }

    async fn rename_opts(
        &self,
        from: &Path,
        to: &Path,
        options: RenameOptions,
    ) -> object_store::Result<()> {
        let placement = match options.target_mode {
            RenameTargetMode::Overwrite => Placement::Replace,
            RenameTargetMode::Create => Placement::CreateOnly,
        };
        let renamed = self.files.rename(from.as_ref(), to.as_ref(), placement);
        renamed.map_err(|error| Failure::Disk(error).between(from, to))
    }
}

/// A failure before it is known which object it is reported for.
#[derive(Debug)]
enum Failure {
    Disk(io::Error),
    Store(object_store::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Failure {
    fn at(self, location: &Path) -> object_store::Error {
        let path = location.to_string();
        let source = match self {
            Self::Store(error) => return error,
            Self::Disk(error) => error,
        };
        match source.kind() {
            io::ErrorKind::NotFound => {
                object_store::Error::NotFound { path, source: source.into() }
            }
            io::ErrorKind::AlreadyExists => {
                object_store::Error::AlreadyExists { path, source: source.into() }
            }
            io::ErrorKind::PermissionDenied => {
                object_store::Error::PermissionDenied { path, source: source.into() }
            }
            _ => object_store::Error::Generic { store: STORE, source: source.into() },
        }
    }

    /// Reports the failure of a copy or a renaming for the object that it is about.
    fn between(self, from: &Path, to: &Path) -> object_store::Error {
        match &self {
            Self::Disk(error) if error.kind() == io::ErrorKind::AlreadyExists => self.at(to),
            _ => self.at(from),
        }
    }
}

fn not_implemented(operation: &str) -> Failure {
    Failure::Store(object_store::Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: STORE.to_owned(),
    })
}

fn parse(key: &str) -> Result<Path, Failure> {
    Path::parse(key).map_err(|error| Failure::Store(error.into()))
}

fn meta(location: Path, bytes: u64) -> ObjectMeta {
    ObjectMeta {
        location,
        last_modified: UNIX_EPOCH.into(),
        size: bytes,
        e_tag: None,
        version: None,
    }
}

/// Reads a range in chunks, each when it is asked for.
fn read_stream(
    file: Box<dyn DiskFile>,
    range: Range<u64>,
    location: Path,
) -> BoxStream<'static, object_store::Result<Bytes>> {
    let chunk_size = usize::try_from(READ_CHUNK_BYTES).unwrap_or(usize::MAX);
    let starts = range.clone().step_by(chunk_size);
    let chunks = starts.map(move |start| {
        let end = start.saturating_add(READ_CHUNK_BYTES).min(range.end);
        files::read_range(&*file, start..end).map_err(|error| Failure::Disk(error).at(&location))
    });
    stream::iter(chunks).boxed()
}
