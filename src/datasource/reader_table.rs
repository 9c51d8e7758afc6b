//! [`CsvReaderTable`]: a table over bytes that can be read only once, stdin or a socket.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;
use tokio::io::AsyncBufRead;

use super::options::{CsvFormatOptions, ReadOptions};
use crate::input;
use crate::stream::{CsvStreamBuilder, infer_schema};

/// A table over a reader. A query can read it once; the second is told so.
pub struct CsvReaderTable {
    name: String,
    schema: SchemaRef,
    options: ReadOptions,
    batch_size: Option<usize>,
    reader: Arc<OneReader>,
}

/// A reader until somebody takes it.
type OneReader = Mutex<Option<Pin<Box<dyn AsyncBufRead + Send>>>>;

impl CsvReaderTable {
    /// Reads the sample for the schema; the table then starts with those bytes. `name` stands in errors.
    ///
    /// With the compression `auto` the name's extension says how the bytes are compressed.
    ///
    /// # Errors
    ///
    /// When the options contradict each other, or the schema can't be inferred.
    pub async fn try_new(
        name: impl Into<String>,
        reader: impl AsyncBufRead + Send + 'static,
        options: &CsvFormatOptions,
    ) -> Result<Self> {
        let name = name.into();
        let batch_size = options.batch_size();
        let options = options.resolve()?;
        let compression = options.compression.resolve(&name);
        let reader = input::decompress(reader, compression, &options.limits);
        let sampler = options.sampler();
        let (schema, reader) =
            infer_schema(reader, sampler, &options.limits).await.map_err(|error| error.with_path(&name))?;
        Ok(CsvReaderTable { name, schema, options, batch_size, reader: Arc::new(Mutex::new(Some(reader))) })
    }
}

impl fmt::Debug for CsvReaderTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvReaderTable").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for CsvReaderTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let most = state.config().batch_size();
        let builder = self
            .options
            .stream_builder(&self.schema)
            .with_projection(projection.cloned())
            .with_batch_size(self.batch_size.map_or(most, |rows| rows.min(most)))
            .with_limit(limit)
            .with_path(&self.name);
        let partition = ReaderPartition {
            name: self.name.clone(),
            schema: Arc::clone(&schema),
            builder,
            reader: Arc::clone(&self.reader),
        };
        // The projection is done by the stream, so the plan is given none.
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(partition)], None, [], false, limit)?))
    }
}

#[derive(Clone)]
struct ReaderPartition {
    name: String,
    schema: SchemaRef,
    builder: CsvStreamBuilder,
    reader: Arc<OneReader>,
}

impl ReaderPartition {
    fn start(&self) -> Result<SendableRecordBatchStream> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reader = reader.ok_or_else(|| {
            DataFusionError::Execution(format!(
                "{} can be read only once, and this query reads it again; write it to a file first",
                self.name
            ))
        })?;
        Ok(Box::pin(self.builder.clone().build(reader)?))
    }
}

impl fmt::Debug for ReaderPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderPartition").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartitionStream for ReaderPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.start().unwrap_or_else(|error| {
            let failed = stream::iter([Err(error)]);
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), failed))
        })
    }
}
