//! [`RowFilter`]: a predicate on rows, evaluated before their other columns are decoded.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::Schema;

use super::batch::BatchDecoder;
use super::counters::DecodeCounters;
use super::file_columns::FileColumns;
use super::options::DecodeOptions;
use super::select::RecordSelector;
use crate::budget::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::Records;

/// The reason why a filter can't be evaluated. It is kept unchanged inside [`ErrorKind::Filter`].
pub type FilterError = Box<dyn StdError + Send + Sync>;

/// A predicate on the rows of one file.
///
/// ```
/// use arrow::array::{BooleanArray, Int64Array, RecordBatch};
/// use arrow::compute::kernels::cmp::gt;
/// use datafusion_csv_stream::decode::{FilterError, RowFilter};
///
/// /// `column > least`, of a column of 64-bit integers.
/// #[derive(Debug)]
/// struct Above {
///     column: [usize; 1],
///     least: i64,
/// }
///
/// impl RowFilter for Above {
///     fn columns(&self) -> &[usize] {
///         &self.column
///     }
///
///     fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, FilterError> {
///         Ok(gt(batch.column(0), &Int64Array::new_scalar(self.least))?)
///     }
/// }
/// ```
pub trait RowFilter: fmt::Debug + Send + Sync {
    /// The columns that it needs, as indices into the file's schema. It may need none.
    fn columns(&self) -> &[usize];

    /// Decides which rows are kept: those whose answer is true. NULL is not kept. The batch has
    /// [`columns`](Self::columns), in that order.
    ///
    /// # Errors
    ///
    /// When the predicate can't be evaluated. No row comes after such an error.
    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, FilterError>;
}

/// All filters of a decoder, in order. A filter is given only the rows that those before it keep.
#[derive(Debug)]
pub(super) struct Filters {
    filters: Vec<Arc<dyn RowFilter>>,
    selector: RecordSelector,
    /// Rows that the limit still allows.
    rows_left: usize,
}

impl Filters {
    /// `limit` is the most rows to keep.
    pub(super) fn new(
        filters: Vec<Arc<dyn RowFilter>>,
        table: (&Schema, &FileColumns),
        options: &DecodeOptions,
        limits: &Limits,
        limit: Option<usize>,
    ) -> Result<Self> {
        let stages: Vec<_> = filters.iter().map(|filter| filter.columns()).collect();
        let selector = RecordSelector::new(table, &stages, options, limits.predicate_bytes())?;
        Ok(Filters { filters, selector, rows_left: limit.unwrap_or(usize::MAX) })
    }

    /// The number of records to push at once.
    pub(super) fn room(&self) -> usize {
        self.selector.room()
    }

    /// Decodes the records that all filters keep. Batches that become full go to `ready`.
    pub(super) fn push(
        &mut self,
        records: &Records<'_>,
        decoder: &mut BatchDecoder,
        ready: &mut VecDeque<RecordBatch>,
        counters: &DecodeCounters,
    ) -> Result<()> {
        let started = Instant::now();
        let evaluate = |stage: usize, batch: &RecordBatch| {
            self.filters[stage].evaluate(batch).map_err(|error| Error::new(ErrorKind::Filter(error)))
        };
        let selected = self.selector.select(records, evaluate)?;
        let filtered = DecodeCounters::add_time(&counters.filtering_nanos, started);
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
        DecodeCounters::add(&counters.selected, len);
        DecodeCounters::add_time(&counters.decoding_nanos, filtered);
        Ok(())
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.selector.allocated_bytes()
    }
}
