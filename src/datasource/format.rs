//! [`CsvStreamFormat`]: DataFusion's `FileFormat`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSinkConfig, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::LexRequirement;
use datafusion::physical_plan::ExecutionPlan;
use object_store::{ObjectMeta, ObjectStore};

use super::file_groups;
use super::headers::KnownHeaders;
use super::marks::InferredMarks;
use super::memory::ScanMemory;
use super::options::{CsvFormatOptions, ReadOptions};
use super::per_file::version;
use super::pushdown::is_guarded;
use super::source::CsvStreamSource;
use crate::input::{self, Compression};
use crate::stream;

/// The most headers of sampled files that a table keeps. Those of other files are read again.
const MAX_HEADERS: usize = 100;

/// CSV files, read by this crate's engine and written by DataFusion's own.
#[derive(Debug, Clone)]
pub struct CsvStreamFormat {
    given: CsvFormatOptions,
    /// The options as they were resolved when the format was made.
    options: Arc<ReadOptions>,
    extension: &'static str,
    /// The inferences that were made with this format, the last one at the end.
    inferences: Arc<Mutex<VecDeque<Inference>>>,
}

/// The most inferences that a format remembers. A format mostly has one table.
const MAX_INFERENCES: usize = 16;

/// Facts from the sample that a table's schema was inferred from.
#[derive(Debug, Clone)]
struct Inference {
    /// The schema, without marks.
    schema: SchemaRef,
    marks: InferredMarks,
    /// The length of a record, in bytes of text.
    bytes_per_record: Option<f64>,
    /// The headers of the files in the sample.
    headers: Arc<KnownHeaders>,
}

impl Default for CsvStreamFormat {
    fn default() -> Self {
        Self::try_new(CsvFormatOptions::default()).expect("the defaults go together")
    }
}

impl CsvStreamFormat {
    /// A format with these options.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    pub fn try_new(options: CsvFormatOptions) -> Result<Self> {
        let resolved = ReadOptions::new(options.clone())?;
        Ok(Self::resolved(options, resolved))
    }

    /// A format of a table in a session, whose options of queries fill in those that are not set.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    pub(crate) fn in_session(options: CsvFormatOptions, config: &ConfigOptions) -> Result<Self> {
        let resolved = ReadOptions::in_session(&options, config)?;
        Ok(Self::resolved(options, resolved))
    }

    fn resolved(given: CsvFormatOptions, options: ReadOptions) -> Self {
        CsvStreamFormat { given, options: Arc::new(options), extension: "csv", inferences: Arc::default() }
    }

    /// The format's options.
    pub fn options(&self) -> &CsvFormatOptions {
        &self.given
    }

    pub(super) fn with_extension(mut self, extension: &'static str) -> Self {
        self.extension = extension;
        self
    }

    fn inferences(&self) -> MutexGuard<'_, VecDeque<Inference>> {
        self.inferences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The inference of a table's schema, without the columns that come from folders; `None` if the
    /// schema was declared.
    fn inference(&self, file_schema: &Schema, partitions: &[FieldRef]) -> Option<Inference> {
        let is_of_file = |field: &&FieldRef| !partitions.iter().any(|other| other.name() == field.name());
        let is_same = |known: &&Inference| {
            let fields = known.schema.fields();
            fields == file_schema.fields() || fields.iter().filter(is_of_file).eq(file_schema.fields().iter())
        };
        self.inferences().iter().rev().find(is_same).cloned()
    }

    /// The options of one query in a session.
    fn query_options(&self, state: &dyn Session) -> Result<Arc<ReadOptions>> {
        Ok(Arc::new(ReadOptions::in_session(&self.given, state.config_options())?))
    }
}

#[async_trait]
impl FileFormat for CsvStreamFormat {
    fn get_ext(&self) -> String {
        self.extension.to_owned()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        Ok(format!("{}{}", self.extension, datafusion::common::GetExt::get_ext(compression)))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.options().writer_compression().into())
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        let options = self.query_options(state)?;
        let mut sampler = options.sampler();
        let memory = Arc::new(ScanMemory::new(&state.runtime_env().memory_pool));
        let mut share = memory.share(options.limits.memory_limit());
        let mut limits = options.limits;
        let mut headers = KnownHeaders::new();
        // A listing has any order, and the first file decides about names.
        let mut objects: Vec<_> = objects.iter().collect();
        objects.sort_by(|a, b| a.location.cmp(&b.location));
        for object in objects {
            let path = object.location.as_ref();
            let compression = options.compression.resolve(path);
            let mut reader = input::open(store, object, compression, &limits, Arc::default()).await?;
            while !share.fits(reader.buffered_bytes(), &mut limits)? {
                // Before the smaller reader is opened: the larger one holds nothing any more.
                drop(reader);
                reader = input::open(store, object, compression, &limits, Arc::default()).await?;
            }
            stream::sample(&mut reader, &mut sampler).await.map_err(|error| error.with_path(path))?;
            if let Some(header) = sampler.header().filter(|_| headers.len() < MAX_HEADERS) {
                headers.insert(version(object), header.into());
            }
            if sampler.is_done() {
                break;
            }
        }
        let inferred = sampler.finish();
        let bytes_per_record = inferred.bytes_per_record();
        let (schema, marks) = InferredMarks::take(inferred.schema);
        let inference =
            Inference { schema: Arc::clone(&schema), marks, bytes_per_record, headers: Arc::new(headers) };
        let mut inferences = self.inferences();
        inferences.retain(|known| known.schema != schema);
        if inferences.len() == MAX_INFERENCES {
            inferences.pop_front();
        }
        inferences.push_back(inference);
        Ok(schema)
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Statistics> {
        // This is called for every file, so it does no I/O. The size is that of the text, and the
        // length of a record in the sample gives the number of records. The size of a compressed
        // file gives neither.
        let mut statistics = Statistics::new_unknown(&table_schema);
        if self.options.compression.resolve(object.location.as_ref()) != Compression::None {
            return Ok(statistics);
        }
        statistics.total_byte_size = Precision::Inexact(object.size as usize);
        let inference = self.inference(&table_schema, &[]);
        let bytes_per_record = inference.and_then(|inference| inference.bytes_per_record);
        if let Some(bytes) = bytes_per_record.filter(|&bytes| bytes > 0.0) {
            statistics.num_rows = Precision::Inexact((object.size as f64 / bytes).round() as usize);
        }
        Ok(statistics)
    }

    async fn create_physical_plan(
        &self,
        state: &dyn Session,
        conf: FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let conf = if is_guarded(state.physical_optimizers()) { conf } else { without_statistics(conf) };
        // The configuration's source is kept, because it holds the projection.
        let source = conf.file_source().downcast_ref::<CsvStreamSource>().ok_or_else(|| {
            DataFusionError::Internal("the file source of a CsvStreamFormat is a CsvStreamSource".to_owned())
        })?;
        let source = source.clone().for_query(self.query_options(state)?, &state.runtime_env().memory_pool);
        let joined = file_groups::join(&conf, source.most_readers());
        let mut config = FileScanConfigBuilder::from(conf)
            .with_file_compression_type(self.options().writer_compression().into())
            .with_source(Arc::new(source));
        if let Some(groups) = joined {
            config = config.with_file_groups(groups);
        }
        Ok(DataSourceExec::from_data_source(config.build()))
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        state: &dyn Session,
        conf: FileSinkConfig,
        order_requirements: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = self.query_options(state)?.given.to_writer()?;
        CsvFormat::default()
            .with_options(options)
            .create_writer_physical_plan(input, state, conf, order_requirements)
            .await
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        let inference = self.inference(table_schema.file_schema(), table_schema.table_partition_cols());
        let (marks, headers) = match inference {
            Some(known) => (Some(known.marks.of(table_schema.file_schema())), Some(known.headers)),
            None => (None, None),
        };
        Arc::new(CsvStreamSource::with_read_options(table_schema, Arc::clone(&self.options), marks, headers))
    }
}

/// A scan without statistics.
///
/// If the optimizer knows sizes, it swaps the sides of joins and adds projections. DataFusion's own
/// filter pushdown maps columns through those by name, to the wrong side if both have the name.
fn without_statistics(conf: FileScanConfig) -> FileScanConfig {
    let without = |group: &FileGroup| {
        let files = group.iter().cloned().map(|file| PartitionedFile { statistics: None, ..file });
        FileGroup::new(files.collect())
    };
    let groups = conf.file_groups.iter().map(without).collect();
    let unknown = Statistics::new_unknown(conf.file_source().table_schema().table_schema());
    FileScanConfigBuilder::from(conf).with_file_groups(groups).with_statistics(unknown).build()
}
