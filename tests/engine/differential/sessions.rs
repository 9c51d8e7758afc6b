//! The same tables in three sessions: ours, the built-in reader's, and one with the rows in memory.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::{
    CsvSessionExt, CsvStreamFormat, filter_pushdown_rules, install, install_url_tables, install_with_options,
};
use tempfile::TempDir;

use super::settings::{Settings, Way};
use super::table::{Column, PARTITION, Table};
use super::values::sql_name;
use crate::support::query;

/// Everything that a query's answer may depend on.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) tables: Vec<Table>,
    pub(super) settings: Settings,
}

pub(super) struct Sessions {
    pub(super) ours: SessionContext,
    pub(super) builtin: SessionContext,
    pub(super) memory: SessionContext,
    /// The session that tells which of the others is right if they differ: the rows in memory in
    /// another order, on one thread, without DataFusion's rules that map filters by name.
    pub(super) witness: SessionContext,
    /// Whether our session has our rules for filters.
    pub(super) is_guarded: bool,
    pub(super) schemas: Vec<SchemaRef>,
    /// The names of our tables in SQL.
    sources: Vec<String>,
    folder: TempDir,
}

impl Sessions {
    pub(super) async fn new(case: &Case) -> Result<Self> {
        let Case { tables, settings } = case;
        let folder = tempfile::tempdir().unwrap();
        let config = settings.config();
        let one_thread = config.clone().with_target_partitions(1).with_batch_size(8192);
        let mut sessions = Sessions {
            ours: SessionContext::new_with_config(config.clone()),
            builtin: SessionContext::new_with_config(config.clone()),
            memory: SessionContext::new_with_config(config),
            witness: without_filter_pushdown(&SessionContext::new_with_config(one_thread)),
            is_guarded: settings.way != Way::Bare,
            schemas: Vec::new(),
            sources: Vec::new(),
            folder,
        };
        match settings.way {
            Way::External => install(&sessions.ours)?,
            Way::Path => {
                install_with_options(&sessions.ours, settings.format_options())?;
                install_url_tables(&sessions.ours);
            }
            Way::Guarded => sessions.ours = guarded(&sessions.ours),
            Way::Registered | Way::Bare => {}
        }
        for table in tables {
            let path = sessions.folder.path().join(&table.name);
            table.write(&path, &settings.dialect);
            let path = format!("{}/", path.to_str().unwrap());
            sessions.sources.push(register_ours(&sessions.ours, table, settings, &path).await?);
            let sql = format!("SELECT * FROM {}", sessions.sources.last().unwrap());
            let schema = Arc::clone(sessions.ours.sql(&sql).await?.schema().inner());
            // Without this, names of columns would include the table's name.
            let schema = Arc::new(Schema::new(schema.fields().clone()));
            register_builtin(&sessions.builtin, table, settings, &path, &schema).await?;
            let batches = |is_reversed| table.record_batches(&schema, is_reversed);
            register_memory(&sessions.memory, table, batches(false)?, &schema, settings.partitions.min(3))?;
            register_memory(&sessions.witness, table, batches(true)?, &schema, 1)?;
            sessions.schemas.push(schema);
        }
        let has_options = !matches!(settings.way, Way::Bare | Way::Guarded);
        if has_options && !settings.session_pushdown {
            query(&sessions.ours, "SET csv_stream.pushdown_filters = false").await?;
        }
        Ok(sessions)
    }

    /// The text of a query for our session, and for the others.
    pub(super) fn texts(&self, sql: &str) -> (String, String) {
        let with = |name: &dyn Fn(usize) -> String| {
            (0..self.sources.len())
                .fold(sql.to_owned(), |sql, table| sql.replace(&format!("{{{table}}}"), &name(table)))
        };
        (with(&|table| self.sources[table].clone()), with(&|table| format!("t{table}")))
    }
}

/// The session with our rules, as its owner would add them.
fn guarded(ctx: &SessionContext) -> SessionContext {
    with_rules(ctx, filter_pushdown_rules(ctx.state().physical_optimizers()))
}

fn without_filter_pushdown(ctx: &SessionContext) -> SessionContext {
    let mut rules = ctx.state().physical_optimizers().to_vec();
    rules.retain(|rule| !rule.name().starts_with("FilterPushdown"));
    with_rules(ctx, rules)
}

fn with_rules(
    ctx: &SessionContext,
    rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>,
) -> SessionContext {
    let state = SessionStateBuilder::new_from_existing(ctx.state()).with_physical_optimizer_rules(rules);
    SessionContext::new_with_state(state.build())
}

async fn register_ours(
    ctx: &SessionContext,
    table: &Table,
    settings: &Settings,
    path: &str,
) -> Result<String> {
    match settings.way {
        Way::Registered => {
            ctx.register_csv_file_with_options(&table.name, path, settings.format_options()).await?;
        }
        Way::External => {
            query(ctx, &create(table, settings, path)).await?;
        }
        Way::Path => return Ok(format!("'{path}'")),
        Way::Bare | Way::Guarded => {
            let fields =
                table.columns.iter().map(|column| Field::new(column.name, column.data_type.clone(), true));
            let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
            let format = CsvStreamFormat::try_new(settings.format_options())?;
            register_listing(ctx, table, &table.name, Arc::new(format), path, schema)?;
        }
    }
    Ok(table.name.clone())
}

fn create(table: &Table, settings: &Settings, path: &str) -> String {
    let column = |name: &str, data_type: &DataType| format!("{name} {}", sql_name(data_type));
    let mut columns: Vec<_> = table.columns.iter().map(|read| column(read.name, &read.data_type)).collect();
    let mut partitioned = String::new();
    if let Some(partition) = &table.partition {
        columns.push(column(PARTITION, &partition.data_type));
        partitioned = format!("PARTITIONED BY ({PARTITION})");
    }
    let options = settings.our_options();
    let options = options.iter().map(|(key, value)| format!("'{key}' '{}'", value.replace('\'', "''")));
    format!(
        "CREATE EXTERNAL TABLE {} ({}) STORED AS CSV {partitioned} LOCATION '{path}' OPTIONS ({})",
        table.name,
        columns.join(", "),
        options.collect::<Vec<_>>().join(", "),
    )
}

/// The built-in reader reads types that only ours knows as text, and a view casts them.
async fn register_builtin(
    ctx: &SessionContext,
    table: &Table,
    settings: &Settings,
    path: &str,
    schema: &SchemaRef,
) -> Result<()> {
    let dialect = &settings.dialect;
    let format = CsvFormat::default()
        .with_has_header(dialect.has_header)
        .with_delimiter(dialect.delimiter)
        .with_quote(dialect.quote)
        .with_escape(dialect.escape)
        .with_comment(dialect.comment)
        .with_newlines_in_values(dialect.newlines);
    let fields = schema.fields().iter().take(table.columns.len());
    let read =
        fields.clone().map(|field| Field::new(field.name(), Column::readable(field.data_type()), true));
    let read = Arc::new(Schema::new(read.collect::<Vec<_>>()));
    let is_read_as_is = fields.zip(read.fields()).all(|(field, read)| field.data_type() == read.data_type());
    let name = if is_read_as_is { table.name.clone() } else { format!("{}_text", table.name) };
    register_listing(ctx, table, &name, Arc::new(format), path, read)?;
    if !is_read_as_is {
        let columns = schema.fields().iter().map(|field| match Column::readable(field.data_type()) {
            same if same == *field.data_type() => field.name().clone(),
            _ => format!("arrow_cast({0}, '{1}') AS {0}", field.name(), field.data_type()),
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        query(ctx, &format!("CREATE VIEW {} AS SELECT {columns} FROM {name}", table.name)).await?;
    }
    Ok(())
}

fn register_listing(
    ctx: &SessionContext,
    table: &Table,
    name: &str,
    format: Arc<dyn FileFormat>,
    path: &str,
    schema: SchemaRef,
) -> Result<()> {
    let partition =
        table.partition.iter().map(|partition| (PARTITION.to_owned(), partition.data_type.clone()));
    let options = ListingOptions::new(format)
        .with_file_extension(".csv")
        .with_table_partition_cols(partition.collect());
    let config = ListingTableConfig::new(ListingTableUrl::parse(path)?)
        .with_listing_options(options)
        .with_schema(schema);
    ctx.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}

fn register_memory(
    ctx: &SessionContext,
    table: &Table,
    batches: Vec<RecordBatch>,
    schema: &SchemaRef,
    partitions: usize,
) -> Result<()> {
    let mut spread = vec![Vec::new(); partitions];
    for (index, batch) in batches.into_iter().enumerate() {
        spread[index % partitions].push(batch);
    }
    ctx.register_table(&table.name, Arc::new(MemTable::try_new(Arc::clone(schema), spread)?))?;
    Ok(())
}
