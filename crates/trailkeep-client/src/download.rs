//! An answer that is read as it comes.

use std::io::Read;

use ureq::BodyReader;

use crate::{Error, Result};

/// The body of an answer, read as it comes and of any size.
pub struct Download {
    server: String,
    body: BodyReader<'static>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) fn new(server: &str, body: ureq::Body) -> Self {
        let body = body.into_with_config().limit(u64::MAX).reader();
        Self { server: server.to_owned(), body }
    }

    /// Reads what has come into `buffer` and returns how many bytes; 0 where the answer is whole.
    ///
    /// # Errors
    /// [`Error::Gone`] where the connection ended before the answer did.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.body.read(buffer).map_err(|source| Error::Gone {
            server: self.server.clone(),
            source: Box::new(ureq::Error::Io(source)),
        })
    }
}
