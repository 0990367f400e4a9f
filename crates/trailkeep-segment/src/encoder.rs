//! Encodes rows as Parquet, on a thread beside the one that makes their columns.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

/// How many batches wait at most.
const WAITING_MAX: usize = 1;

/// A Parquet file on its way. Memory: the encoded file, the pages of one row group, and
/// [`WAITING_MAX`] batches beside the one that is being encoded.
///
/// Dropping it gives the file up, and waits for the batches that it has.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// `None` once the thread has ended.
    running: Option<(SyncSender<Work>, Thread)>,
}

/// What the thread is told. That nothing more can come is no end: the file was given up.
enum Work {
    Rows(RecordBatch),
    End,
}

type Thread = JoinHandle<Result<Encoded, ParquetError>>;

/// A whole file.
pub(crate) type Encoded = (Bytes, Arc<ParquetMetaData>);

impl Encoder {
    /// Starts a file. The thread has the priority of the one that calls.
    pub(crate) fn start(
        schema: SchemaRef,
        options: ArrowWriterOptions,
    ) -> Result<Self, ParquetError> {
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options)?;
        let (sender, work) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("encoder".to_owned());
        let thread = thread.spawn(move || encode(writer, &work))?;
        Ok(Self { running: Some((sender, thread)) })
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, batch: RecordBatch) -> Result<(), ParquetError> {
        if self.tell(Work::Rows(batch)) {
            return Ok(());
        }
        // The thread ends before it is told to only where it failed.
        self.end().and_then(|_encoded| Err(given_up()))
    }

    /// Returns the file.
    pub(crate) fn finish(mut self) -> Result<Encoded, ParquetError> {
        self.tell(Work::End);
        self.end()
    }

    /// Returns whether the thread is there to hear it.
    fn tell(&self, work: Work) -> bool {
        self.running.as_ref().is_some_and(|(sender, _)| sender.send(work).is_ok())
    }

    fn end(&mut self) -> Result<Encoded, ParquetError> {
        let Some((sender, thread)) = self.running.take() else {
            return Err(given_up());
        };
        drop(sender);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if self.running.is_some() {
            // Nobody is left to tell what became of it.
            let _given_up = self.end();
        }
    }
}

fn given_up() -> ParquetError {
    ParquetError::General("the file was given up before".to_owned())
}

fn encode(
    mut writer: ArrowWriter<Vec<u8>>,
    work: &Receiver<Work>,
) -> Result<Encoded, ParquetError> {
    loop {
        match work.recv() {
            Ok(Work::Rows(batch)) => writer.write(&batch)?,
            Ok(Work::End) => break,
            Err(_dropped) => return Err(given_up()),
        }
    }
    let metadata = writer.finish()?;
    let file = std::mem::take(writer.inner_mut());
    Ok((file.into(), Arc::new(metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array};
    use arrow_schema::{DataType, Field, Schema};

    #[test]
    fn a_failure_is_told_once_and_by_its_cause() {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Utf8, true)]));
        let mut encoder = Encoder::start(schema, ArrowWriterOptions::new()).unwrap();
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let other = RecordBatch::try_from_iter([("a", numbers)]).unwrap();
        let failed = std::iter::from_fn(|| Some(encoder.write(other.clone())));
        let failed = failed.take(1000).find_map(Result::err).unwrap();
        assert!(!failed.to_string().contains("before"), "{failed}");
        assert!(encoder.finish().unwrap_err().to_string().contains("before"));
    }
}
