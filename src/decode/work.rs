//! [`Work`]: what a decoder does with bytes, one step at a time.

use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::batches::Batches;
use super::counters::DecodeCounters;
use super::range_end::RangeEnd;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::{Parser, RecordCounter, Records, Step};

/// The two ways to use bytes: decode their records, or count them.
#[derive(Debug)]
pub(super) enum Work {
    /// Records are found and decoded.
    Decode(Box<Decode>),
    /// Records are only counted, because no column is asked for.
    Count(Box<Count>),
}

#[derive(Debug)]
pub(super) struct Decode {
    parser: Parser,
    batches: Batches,
}

#[derive(Debug)]
pub(super) struct Count {
    counter: RecordCounter,
    /// Records that have been taken in batches.
    taken: u64,
    /// The error after the records that have been counted. A limit may end the work before it.
    failed: Option<Error>,
}

impl Work {
    pub(super) fn decode(parser: Parser, batches: Batches) -> Self {
        Work::Decode(Box::new(Decode { parser, batches }))
    }

    pub(super) fn count(counter: RecordCounter) -> Self {
        Work::Count(Box::new(Count { counter, taken: 0, failed: None }))
    }

    /// Rows that have not been taken.
    pub(super) fn rows(&self) -> usize {
        match self {
            Work::Decode(decode) => decode.batches.rows(),
            Work::Count(count) => (count.counter.records() - count.taken) as usize,
        }
    }

    /// The error after the rows that have not been taken.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        match self {
            Work::Decode(_) => None,
            Work::Count(count) => count.failed.take(),
        }
    }

    /// Whether a batch of up to `rows` rows is full.
    pub(super) fn is_full(&self, rows: usize) -> bool {
        match self {
            Work::Decode(decode) => decode.batches.is_full(rows),
            Work::Count(_) => self.rows() >= rows,
        }
    }

    /// Sets the most rows of a batch, from the next one on.
    pub(super) fn set_batch_rows(&mut self, rows: usize) {
        if let Work::Decode(decode) = self {
            decode.batches.set_batch_rows(rows);
        }
    }

    /// Takes some of a chunk that starts at byte `at`, so that a batch gets no more than `rows`
    /// rows. Returns the number of bytes taken.
    pub(super) fn push(
        &mut self,
        (at, chunk): (u64, &[u8]),
        rows: usize,
        end: Option<&mut RangeEnd>,
        counters: &DecodeCounters,
    ) -> Result<usize> {
        let started = Instant::now();
        match self {
            Work::Decode(decode) => {
                let Decode { parser, batches } = &mut **decode;
                let (taken, step) = parser.next(chunk, batches.room(rows))?;
                let parsed = DecodeCounters::add_time(&counters.parsing_nanos, started);
                if let Step::Records(records) = step {
                    batches.push(&before(end, records), parsed, counters)?;
                }
                Ok(taken)
            }
            Work::Count(count) => {
                let counted = match end {
                    Some(end) => end.count(&mut count.counter, at, chunk),
                    None => count.counter.push(chunk),
                };
                count.failed = counted.err();
                DecodeCounters::add_time(&counters.parsing_nanos, started);
                Ok(chunk.len())
            }
        }
    }

    /// Takes the last record, which needs no terminator.
    pub(super) fn finish(&mut self, end: Option<&mut RangeEnd>, counters: &DecodeCounters) -> Result<()> {
        let started = Instant::now();
        match self {
            Work::Decode(decode) => {
                let Decode { parser, batches } = &mut **decode;
                if let Some(records) = parser.finish()? {
                    batches.push(&before(end, records), started, counters)?;
                }
            }
            Work::Count(count) => count.failed = count.counter.finish().err(),
        }
        Ok(())
    }

    /// A batch of up to `rows` rows, if there are any.
    pub(super) fn take_batch(
        &mut self,
        schema: &SchemaRef,
        rows: usize,
        counters: &DecodeCounters,
    ) -> Result<Option<RecordBatch>> {
        let rows = rows.min(self.rows());
        match self {
            Work::Decode(decode) => decode.batches.take(counters),
            Work::Count(_) if rows == 0 => Ok(None),
            Work::Count(count) => {
                count.taken += rows as u64;
                DecodeCounters::add(&counters.records, rows);
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let batch = RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options);
                let internal = |error: ArrowError| Error::new(ErrorKind::Internal(error.into()));
                batch.map(Some).map_err(internal)
            }
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        match self {
            Work::Decode(decode) => decode.parser.allocated_bytes() + decode.batches.allocated_bytes(),
            Work::Count(_) => 0,
        }
    }
}

/// The records that belong to the range, if there is an end to it.
fn before<'a>(end: Option<&mut RangeEnd>, records: Records<'a>) -> Records<'a> {
    match end {
        Some(end) => end.cut(records),
        None => records,
    }
}
