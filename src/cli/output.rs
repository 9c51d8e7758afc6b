//! [`Output`]: writes rows in one of the formats.

use std::io::IsTerminal;
use std::path::Path;

use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::json::{ArrayWriter, LineDelimitedWriter};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::ArrowWriter;

use super::args::Format;
use super::sink::{Broken, Sink};
use super::table::TableWriter;

/// A writer of rows.
pub(crate) struct Output {
    rows: Rows,
    /// Whether the pipe's reader has gone. Not all writers report that.
    broken: Broken,
}

enum Rows {
    Table(TableWriter<Sink>),
    Csv(Box<csv::Writer<Sink>>),
    Json(ArrayWriter<Sink>),
    Ndjson(LineDelimitedWriter<Sink>),
    Parquet(Box<ArrowWriter<Sink>>),
}

impl Output {
    /// Opens the output: stdout, or a file that appears once it is complete.
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
        let sink = Sink::create(path)?;
        let broken = sink.broken();
        let rows = match format {
            Format::Table => Rows::Table(TableWriter::new(sink, schema, to_terminal)),
            Format::Csv => {
                // The header is written even if there are no rows.
                let mut writer = csv::Writer::new(sink);
                broken.check(writer.write(&RecordBatch::new_empty(schema)))?;
                Rows::Csv(Box::new(writer))
            }
            Format::Json => Rows::Json(ArrayWriter::new(sink)),
            Format::Ndjson => Rows::Ndjson(LineDelimitedWriter::new(sink)),
            Format::Parquet => Rows::Parquet(Box::new(ArrowWriter::try_new(sink, schema, None)?)),
        };
        Ok(Output { rows, broken })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.rows {
            Rows::Table(writer) => writer.write(batch),
            Rows::Csv(writer) => self.broken.check(writer.write(batch)),
            Rows::Json(writer) => self.broken.check(writer.write(batch)),
            Rows::Ndjson(writer) => self.broken.check(writer.write(batch)),
            Rows::Parquet(writer) => self.broken.check(writer.write(batch)),
        }
    }

    pub(super) fn finish(self) -> Result<()> {
        let sink = match self.rows {
            Rows::Table(writer) => self.broken.check(writer.finish())?,
            Rows::Csv(writer) => writer.into_inner(),
            Rows::Json(mut writer) => {
                self.broken.check(writer.finish())?;
                writer.into_inner()
            }
            Rows::Ndjson(mut writer) => {
                self.broken.check(writer.finish())?;
                writer.into_inner()
            }
            Rows::Parquet(writer) => self.broken.check(writer.into_inner())?,
        };
        sink.finish()
    }
}

/// The format that a file's extension stands for.
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
