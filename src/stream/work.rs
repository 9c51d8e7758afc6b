//! [`Work`]: what becomes of the bytes, a step at a time.

use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::batches::Batches;
use super::counters::StreamCounters;
use super::filter::Failure;
use super::range_end::RangeEnd;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::{Parser, RecordCounter, Records, Step};

/// What is done with the bytes.
pub(super) enum Work {
    Decode {
        parser: Box<Parser>,
        batches: Batches,
    },
    /// No column is asked for.
    Count {
        counter: RecordCounter,
        /// Records that batches have been made of.
        taken: u64,
        /// What is wrong behind the records that have been counted. A limit may end the stream before it gets there.
        failed: Option<Error>,
    },
}

impl Work {
    /// Rows that wait for their batch.
    pub(super) fn rows(&self) -> usize {
        match self {
            Work::Decode { batches, .. } => batches.rows(),
            Work::Count { counter, taken, .. } => (counter.records() - taken) as usize,
        }
    }

    /// What is wrong behind the rows that wait.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        match self {
            Work::Decode { .. } => None,
            Work::Count { failed, .. } => failed.take(),
        }
    }

    /// Whether something is wrong behind the rows that wait.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Work::Count { failed: Some(_), .. })
    }

    /// Whether a batch of up to `rows` rows is full.
    pub(super) fn is_full(&self, rows: usize) -> bool {
        match self {
            Work::Decode { batches, .. } => batches.is_full(rows),
            Work::Count { .. } => self.rows() >= rows,
        }
    }

    /// Takes some of a chunk that starts at byte `at`, with which a batch gets no more than `rows` rows, and says how many
    /// bytes.
    pub(super) fn push(
        &mut self,
        (at, chunk): (u64, &[u8]),
        rows: usize,
        range_end: Option<&mut RangeEnd>,
        counters: &StreamCounters,
    ) -> Result<usize, Failure> {
        let started = Instant::now();
        match self {
            Work::Decode { parser, batches } => {
                let (taken, step) = parser.next(chunk, batches.room(rows))?;
                let parsed = StreamCounters::add_time(&counters.parsing_nanos, started);
                if let Step::Records(records) = step {
                    batches.push(&before(range_end, records), parsed, counters)?;
                }
                Ok(taken)
            }
            Work::Count { counter, failed, .. } => {
                let counted = match range_end {
                    Some(end) => end.count(counter, at, chunk),
                    None => counter.push(chunk),
                };
                *failed = counted.err();
                StreamCounters::add_time(&counters.parsing_nanos, started);
                Ok(chunk.len())
            }
        }
    }

    /// Takes the last record, which may end without a terminator.
    pub(super) fn finish(
        &mut self,
        range_end: Option<&mut RangeEnd>,
        counters: &StreamCounters,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        match self {
            Work::Decode { parser, batches } => {
                if let Some(records) = parser.finish()? {
                    batches.push(&before(range_end, records), started, counters)?;
                }
            }
            Work::Count { counter, failed, .. } => *failed = counter.finish().err(),
        }
        Ok(())
    }

    /// A batch of up to `rows` rows, if there are any.
    pub(super) fn take_batch(
        &mut self,
        schema: &SchemaRef,
        rows: usize,
        counters: &StreamCounters,
    ) -> Result<Option<RecordBatch>> {
        let rows = rows.min(self.rows());
        match self {
            Work::Decode { batches, .. } => batches.take(counters),
            Work::Count { .. } if rows == 0 => Ok(None),
            Work::Count { taken, .. } => {
                *taken += rows as u64;
                StreamCounters::add(&counters.records, rows);
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let batch = RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options);
                let internal =
                    |error: ArrowError| Error::new(ErrorKind::Internal { reason: error.to_string() });
                batch.map(Some).map_err(internal)
            }
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        match self {
            Work::Decode { parser, batches } => parser.allocated_bytes() + batches.allocated_bytes(),
            Work::Count { .. } => 0,
        }
    }
}

/// Those of the records that are the range's, if there is an end to it.
fn before<'a>(range_end: Option<&mut RangeEnd>, records: Records<'a>) -> Records<'a> {
    match range_end {
        Some(end) => end.cut(records),
        None => records,
    }
}
