//! [`RowFilter`]: a predicate on rows, evaluated before their other columns are decoded.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::Schema;
use datafusion::error::DataFusionError;

use super::counters::StreamCounters;
use crate::decode::{BatchDecoder, DecodeOptions, RecordSelector};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::parse::Records;

/// A predicate on the rows of one file.
pub trait RowFilter: fmt::Debug + Send + Sync {
    /// The columns that it needs, as indices into the file's schema. It may need none.
    fn columns(&self) -> &[usize];

    /// Which rows it keeps, given these columns in this order: those that are true. NULL is not kept.
    ///
    /// # Errors
    ///
    /// When the predicate can't be evaluated, which ends the stream.
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, DataFusionError>;
}

/// What ends a stream early.
pub(super) enum Failure {
    Csv(Error),
    Filter(DataFusionError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Csv(error)
    }
}

/// All filters of a stream, in their order: each is given the rows only that those before it keep.
pub(super) struct Filters {
    filters: Vec<Arc<dyn RowFilter>>,
    selector: RecordSelector,
    /// Rows that the limit leaves.
    rows_left: usize,
}

impl Filters {
    /// `limit` is how many rows to keep at most.
    pub(super) fn new(
        filters: Vec<Arc<dyn RowFilter>>,
        schema: &Schema,
        options: &DecodeOptions,
        limits: &Limits,
        limit: Option<usize>,
    ) -> Result<Self> {
        let stages: Vec<_> = filters.iter().map(|filter| filter.columns()).collect();
        let selector = RecordSelector::new(schema, &stages, options, limits.predicate_bytes())?;
        Ok(Filters { filters, selector, rows_left: limit.unwrap_or(usize::MAX) })
    }

    /// How many records to push at once.
    pub(super) fn room(&self) -> usize {
        self.selector.room()
    }

    /// Decodes the records that all filters keep. Batches that become full are `ready`.
    pub(super) fn push(
        &mut self,
        records: &Records<'_>,
        decoder: &mut BatchDecoder,
        ready: &mut VecDeque<RecordBatch>,
        counters: &StreamCounters,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let selected = self
            .selector
            .select(records, |stage, batch| self.filters[stage].evaluate(batch).map_err(Failure::Filter))?;
        let filtered = StreamCounters::add_time(&counters.filtering_nanos, started);
        let len = selected.len().min(self.rows_left);
        let mut done = 0;
        while done < len {
            let room = decoder.room();
            if room == 0 {
                ready.extend(decoder.finish()?);
                continue;
            }
            let piece = done..len.min(done + room);
            done = piece.end;
            selected.slice(piece).decode(records, decoder)?;
        }
        self.rows_left -= len;
        StreamCounters::add(&counters.selected, len);
        StreamCounters::add_time(&counters.decoding_nanos, filtered);
        Ok(())
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.selector.allocated_bytes()
    }
}
