//! Reads `events`: the scope, the filter and the tail are below everything that the engine does.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, UInt32Type};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::cast;
use arrow_schema::{DataType, FieldRef, SchemaRef};
use arrow_select::take::take;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};

use super::Failure;
use super::events::schema_of;
use crate::Error;
use crate::columns::Batch;
use crate::source::{Part, Source};

/// How many batches wait for the engine.
const BATCHES_WAITING: usize = 2;

/// A scan of some columns, one partition for each thread.
#[derive(Debug)]
pub(crate) struct Scan {
    source: Arc<Source>,
    parts: Vec<Vec<Part>>,
    schema: SchemaRef,
    failure: Failure,
    properties: Arc<PlanProperties>,
}

impl Scan {
    pub(crate) fn new(source: Source, parts: &[Part], failure: Failure) -> Self {
        let schema = schema_of(&source.wanted);
        let parts = divided(parts, source.bounds.options.threads);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(parts.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let (source, properties) = (Arc::new(source), Arc::new(properties));
        Self { source, parts, schema, failure, properties }
    }
}

/// Divides parts among threads; neighbours stay together.
fn divided(parts: &[Part], n_threads: usize) -> Vec<Vec<Part>> {
    let n_parts = parts.len().div_ceil(n_threads.max(1)).max(1);
    let divided: Vec<Vec<Part>> = parts.chunks(n_parts).map(<[Part]>::to_vec).collect();
    if divided.is_empty() { vec![Vec::new()] } else { divided }
}

impl DisplayAs for Scan {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scan: {} columns", self.schema.fields().len())
    }
}

impl ExecutionPlan for Scan {
    fn name(&self) -> &'static str {
        "Scan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = Arc::clone(&self.schema);
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&schema), BATCHES_WAITING);
        let (sender, source) = (stream.tx(), Arc::clone(&self.source));
        let parts = self.parts.get(partition).cloned().unwrap_or_default();
        let failure = Arc::clone(&self.failure);
        // A thread of its own: reading waits for the disk, and for the engine to take batches.
        stream.spawn_blocking(move || {
            let mut send = |batch: Batch| {
                let seen = seen(&batch, &schema)?;
                let taken = sender.blocking_send(Ok(seen)).is_ok();
                Ok(if taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            };
            for part in parts {
                if let Err(error) = source.read(&part, &mut send) {
                    *failure.lock() = Some(error);
                    return Err(DataFusionError::Execution("a scan failed".to_owned()));
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }
}

/// Takes the texts out of their dictionaries, and the zone from the times, which are all UTC.
fn seen(batch: &Batch, schema: &SchemaRef) -> std::result::Result<RecordBatch, Error> {
    let seen = |(array, field): (&ArrayRef, &FieldRef)| match field.data_type() {
        DataType::Timestamp(..) => {
            let times = array.as_primitive::<TimestampMicrosecondType>().clone();
            {
                let times: ArrayRef = Arc::new(times.with_timezone_opt(None::<Arc<str>>));
                Ok(times)
            }
        }
        seen => match array.as_dictionary_opt::<UInt32Type>() {
            // A value of the dictionary may be null, which a cast of the whole would lose.
            Some(coded) => take(&cast(coded.values(), seen)?, coded.keys(), None),
            None => cast(array, seen),
        },
    };
    let columns = batch
        .columns
        .iter()
        .zip(schema.fields())
        .map(seen)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(Error::engine)?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.n_rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(Error::engine)
}
