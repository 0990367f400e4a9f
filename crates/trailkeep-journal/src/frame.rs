//! What is read.

use std::sync::Arc;

use trailkeep_event::{Batch, Partition};

use crate::write::FrameBytes;
use crate::{Error, Result};

/// A committed batch and its place.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "the word of a position")]
pub struct Frame {
    /// The ordered stream.
    pub partition: Partition,
    /// The frame's number in its partition, from 0 without gaps.
    pub frame: u64,
    /// The rows.
    pub batch: Batch,
}

impl Frame {
    pub(crate) fn parse(stored: &FrameBytes<'_>) -> Result<Self> {
        let FrameBytes { partition, number, batch } = *stored;
        let batch = Batch::parse(Arc::from(batch)).map_err(|source| Error::ReadBatch {
            partition,
            frame: number,
            source,
        })?;
        Ok(Self { partition, frame: number, batch })
    }
}
