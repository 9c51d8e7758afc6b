//! [`TableWriter`]: rows as a drawn table, only the first ones on a terminal.

use std::io::Write;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::Result;

/// The number of rows that a terminal shows.
const TERMINAL_ROWS: usize = 40;

/// Collects rows and draws them at the end, when the widths of the columns are known.
pub(super) struct TableWriter<W> {
    sink: W,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    /// The number of rows still to be kept.
    room: usize,
    rows: usize,
}

impl<W: Write> TableWriter<W> {
    /// Keeps only the first rows for a terminal, else all of them in memory.
    pub(super) fn new(sink: W, schema: SchemaRef, to_terminal: bool) -> Self {
        let room = if to_terminal { TERMINAL_ROWS } else { usize::MAX };
        TableWriter { sink, schema, batches: Vec::new(), room, rows: 0 }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let kept = batch.num_rows().min(self.room);
        if kept > 0 {
            self.batches.push(batch.slice(0, kept));
        }
        self.room -= kept;
        self.rows += batch.num_rows();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<W> {
        if self.batches.is_empty() {
            self.batches.push(RecordBatch::new_empty(self.schema));
        }
        writeln!(self.sink, "{}", pretty_format_batches(&self.batches)?)?;
        let shown: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        if shown < self.rows {
            writeln!(self.sink, "{} rows, {shown} shown; a pipe or --output gets all", self.rows)?;
        }
        Ok(self.sink)
    }
}
