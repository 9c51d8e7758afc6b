//! `csv-stream schema`: a `CREATE EXTERNAL TABLE` statement, ready to run.

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;

use super::args::SchemaArgs;
use super::query::{STDIN, stdin_table};
use super::stores::EnvironmentStores;

pub(super) async fn run(args: &SchemaArgs) -> Result<()> {
    let options = args.csv_options()?;
    let listed = if args.path == STDIN {
        let schema = stdin_table(&options, Arc::default()).await?.schema();
        Listed { schema, partitions: Vec::new(), extension: String::new() }
    } else {
        let stores = EnvironmentStores::runtime_env()?;
        let ctx = SessionContext::new_with_config_rt(SessionConfig::new(), stores);
        let frame = ctx.read_csv_file(&args.path, options).await?;
        listing(frame.logical_plan())?
    };
    let name = args.name.clone().unwrap_or_else(|| table_name(&args.path));
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", statement(&name, &listed, args))?;
    if args.path == STDIN {
        writeln!(stdout, "-- The input was stdin: put a file's path in the place of '-'.")?;
    }
    Ok(())
}

/// A path's files as a table.
struct Listed {
    /// The columns of the files and, after them, the partition columns.
    schema: SchemaRef,
    /// The partition columns, which the names of folders give.
    partitions: Vec<String>,
    /// The ending of the file names, if the path is a folder.
    extension: String,
}

fn listing(plan: &LogicalPlan) -> Result<Listed> {
    let mut listed =
        Listed { schema: plan.schema().inner().clone(), partitions: Vec::new(), extension: String::new() };
    if let LogicalPlan::TableScan(scan) = plan
        && let Some(table) = source_as_provider(&scan.source)?.downcast_ref::<ListingTable>()
    {
        let options = table.options();
        listed.partitions = options.table_partition_cols.iter().map(|(name, _)| name.clone()).collect();
        listed.extension = options.file_extension.clone();
    }
    Ok(listed)
}

fn statement(name: &str, listed: &Listed, args: &SchemaArgs) -> String {
    let Listed { schema, partitions, extension } = listed;
    let columns: Vec<_> = schema
        .fields()
        .iter()
        // The partition columns come last.
        .take(schema.fields().len() - partitions.len())
        .map(|field| format!("    {} {}", identifier(field.name()), sql_type(field.data_type())))
        .collect();
    let mut statement =
        format!("CREATE EXTERNAL TABLE {} (\n{}\n)\nSTORED AS CSV\n", identifier(name), columns.join(",\n"));
    if !partitions.is_empty() {
        let names: Vec<_> = partitions.iter().map(|name| identifier(name)).collect();
        statement.push_str(&format!("PARTITIONED BY ({})\n", names.join(", ")));
    }
    // If the columns are declared, DataFusion takes the files of a folder whatever their names are.
    // But this schema is that of the CSV files.
    let location = match extension.is_empty() {
        true => args.path.clone(),
        false => format!("{}/*{extension}", args.path.trim_end_matches('/')),
    };
    statement.push_str(&format!("LOCATION {}", literal(&location)));
    let mut given = args.given_options().to_vec();
    if location.to_ascii_lowercase().contains(".tsv") && !given.iter().any(|(key, _)| key == "delimiter") {
        given.push(("delimiter".to_owned(), "\\t".to_owned()));
    }
    if !given.is_empty() {
        let options: Vec<_> =
            given.iter().map(|(key, value)| format!("{} {}", literal(key), literal(value))).collect();
        statement.push_str(&format!("\nOPTIONS ({})", options.join(", ")));
    }
    statement.push(';');
    statement
}

/// The type's name in DataFusion's SQL. A column without any values becomes `VARCHAR`, which can hold
/// anything. So do timestamps with a zone: the zone of an SQL type is the session's, by default none.
fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::UInt64 => "BIGINT UNSIGNED".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(TimeUnit::Second, None) => "TIMESTAMP(0)".to_owned(),
        DataType::Timestamp(TimeUnit::Millisecond, None) => "TIMESTAMP(3)".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP(6)".to_owned(),
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "TIMESTAMP(9)".to_owned(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("DECIMAL({precision}, {scale})")
        }
        _ => "VARCHAR".to_owned(),
    }
}

/// A name as an SQL identifier, quoted if it has to be.
fn identifier(name: &str) -> String {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    match starts_well && is_plain && !is_keyword(name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn is_keyword(name: &str) -> bool {
    datafusion::sql::sqlparser::keywords::ALL_KEYWORDS.contains(&name.to_ascii_uppercase().as_str())
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A table name from the file's name, without its folder and extensions; `data` if nothing usable
/// is left.
fn table_name(path: &str) -> String {
    let file = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    let name: String = stem.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    match name.trim_matches('_').is_empty() {
        true => "data".to_owned(),
        false => name.to_lowercase(),
    }
}
