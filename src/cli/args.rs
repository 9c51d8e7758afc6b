//! The command-line arguments, and the CSV options that they make.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use datafusion::error::Result;
use datafusion_csv_stream::CsvFormatOptions;

/// SQL over CSV files of any size, in bounded memory.
#[derive(Debug, Parser)]
#[command(name = "csv-stream", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a query. FROM takes a file, a folder, a glob, a URL (s3, gs, az, http, https) or '-' for
    /// stdin: SELECT * FROM 'part_*.csv'
    Query(QueryArgs),
    /// Print the CREATE EXTERNAL TABLE statement for a file, a folder, a glob or '-' for stdin
    Schema(SchemaArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct QueryArgs {
    /// The SQL statement
    pub(super) sql: String,
    /// How to print rows. Default: by the extension of the --output file, else table on a terminal
    /// and csv elsewhere
    #[arg(long, value_enum)]
    pub(super) format: Option<Format>,
    /// Write rows to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Memory limit of one scan, in bytes or as 10MiB; doesn't include sorts and joins. Default:
    /// 10MiB
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<String>,
    /// Number of threads, and of a query's partitions. Default: the number of cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Number of rows in a batch. Default: 8192
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) batch_size: Option<u32>,
    /// Print one line of JSON on stderr: rows, bytes read, elapsed time, peak memory
    #[arg(long)]
    pub(super) stats: bool,
    #[command(flatten)]
    options: OptionArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// A file, a folder, a glob, or '-' for stdin
    pub(super) path: String,
    /// Name of the table. Default: the file's name without its extensions
    #[arg(long)]
    pub(super) name: Option<String>,
    #[command(flatten)]
    options: OptionArgs,
}

#[derive(Debug, clap::Args)]
struct OptionArgs {
    /// Set a CSV option, as in SQL: -o delimiter=';' -o null_values=NA,-
    #[arg(short = 'o', value_name = "KEY=VALUE", value_parser = key_value)]
    options: Vec<(String, String)>,
}

/// The format in which rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Csv,
    Json,
    Ndjson,
    Parquet,
}

impl QueryArgs {
    /// The CSV options for all files that the query names.
    pub(super) fn csv_options(&self) -> Result<CsvFormatOptions> {
        let mut options = CsvFormatOptions::new();
        if let Some(size) = &self.memory_limit {
            options.set("memory_limit", size)?;
        }
        if let Some(rows) = self.batch_size {
            options = options.with_batch_size(rows as usize);
        }
        self.options.apply(options)
    }
}

impl SchemaArgs {
    /// The CSV options for the file.
    pub(super) fn csv_options(&self) -> Result<CsvFormatOptions> {
        self.options.apply(CsvFormatOptions::new())
    }

    /// The options that were given on the command line, for the statement.
    pub(super) fn given_options(&self) -> &[(String, String)] {
        &self.options.options
    }
}

impl OptionArgs {
    fn apply(&self, mut options: CsvFormatOptions) -> Result<CsvFormatOptions> {
        for (key, value) in &self.options {
            options.set(key, value)?;
        }
        Ok(options)
    }
}

fn key_value(argument: &str) -> std::result::Result<(String, String), String> {
    match argument.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
