//! An object that arrives in parts.

use std::io;

use async_trait::async_trait;
use futures::future::{FutureExt, ready};
use object_store::{MultipartUpload, PutPayload, PutResult, UploadPart, path::Path};

use super::{
    Failure,
    files::{Placement, Temporary},
};

/// Writes each part when it comes; the object is visible once complete.
#[derive(Debug)]
pub(super) struct Upload {
    location: Path,
    state: State,
}

#[derive(Debug)]
enum State {
    Writing {
        temporary: Temporary,
        bytes: u64,
    },
    /// Completed, aborted, or a part failed: the object would have a hole.
    Over,
}

impl Upload {
    pub(super) fn new(temporary: Temporary, location: Path) -> Self {
        Self { location, state: State::Writing { temporary, bytes: 0 } }
    }

    fn write(&mut self, data: &PutPayload) -> io::Result<()> {
        let State::Writing { temporary, bytes } = &mut self.state else { return Err(over()) };
        match temporary.write(data, *bytes) {
            Ok(end) => {
                *bytes = end;
                Ok(())
            }
            Err(error) => {
                self.state = State::Over;
                Err(error)
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Writing { temporary, .. } => {
                temporary.place(self.location.as_ref(), Placement::Replace)
            }
            State::Over => Err(over()),
        }
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let written = self.write(&data);
        ready(written.map_err(|error| Failure::Disk(error).at(&self.location))).boxed()
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let finished = self.finish();
        finished.map_err(|error| Failure::Disk(error).at(&self.location))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.state = State::Over;
        Ok(())
    }
}

fn over() -> io::Error {
    io::Error::other("the upload is over")
}
