//! Where rows go, and how they look.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;

use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::json::{ArrayWriter, LineDelimitedWriter};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::ArrowWriter;

use super::args::Format;
use super::table::TableWriter;

type Sink = Box<dyn Write + Send>;

/// A writer of rows.
pub(super) enum Output {
    Table(TableWriter<Sink>),
    Csv(csv::Writer<Sink>),
    Json(ArrayWriter<Sink>),
    Ndjson(LineDelimitedWriter<Sink>),
    Parquet(Box<ArrowWriter<Sink>>),
}

impl Output {
    /// Opens the output: a file, or else stdout.
    pub(super) fn create(format: Option<Format>, path: Option<&Path>, schema: SchemaRef) -> Result<Self> {
        let to_terminal = path.is_none() && std::io::stdout().is_terminal();
        let format = format.or_else(|| path.and_then(format_of)).unwrap_or(match to_terminal {
            true => Format::Table,
            false => Format::Csv,
        });
        if format == Format::Parquet && to_terminal {
            return Err(DataFusionError::Configuration(
                "Parquet is not for a terminal: give --output FILE, or a pipe".to_owned(),
            ));
        }
        let sink: Sink = match path {
            Some(path) => Box::new(BufWriter::new(File::create(path).map_err(|error| {
                DataFusionError::Configuration(format!("can't write {}: {error}", path.display()))
            })?)),
            None => Box::new(BufWriter::new(std::io::stdout())),
        };
        Ok(match format {
            Format::Table => Output::Table(TableWriter::new(sink, schema, to_terminal)),
            Format::Csv => {
                // The header stands also over no rows.
                let mut writer = csv::Writer::new(sink);
                writer.write(&RecordBatch::new_empty(schema))?;
                Output::Csv(writer)
            }
            Format::Json => Output::Json(ArrayWriter::new(sink)),
            Format::Ndjson => Output::Ndjson(LineDelimitedWriter::new(sink)),
            Format::Parquet => Output::Parquet(Box::new(ArrowWriter::try_new(sink, schema, None)?)),
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Output::Table(writer) => writer.write(batch)?,
            Output::Csv(writer) => writer.write(batch)?,
            Output::Json(writer) => writer.write(batch)?,
            Output::Ndjson(writer) => writer.write(batch)?,
            Output::Parquet(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<()> {
        let mut sink = match self {
            Output::Table(writer) => writer.finish()?,
            Output::Csv(writer) => writer.into_inner(),
            Output::Json(mut writer) => {
                writer.finish()?;
                writer.into_inner()
            }
            Output::Ndjson(mut writer) => {
                writer.finish()?;
                writer.into_inner()
            }
            Output::Parquet(writer) => writer.into_inner()?,
        };
        sink.flush()?;
        Ok(())
    }
}

/// The format that a file's extension names.
fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "parquet" => Some(Format::Parquet),
        "txt" => Some(Format::Table),
        _ => None,
    }
}
