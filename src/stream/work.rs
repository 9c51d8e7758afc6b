//! [`Work`]: what becomes of the bytes, a step at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::counters::StreamCounters;
use super::filter::{Failure, Filters};
use super::range_end::RangeEnd;
use crate::decode::BatchDecoder;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::{Parser, RecordCounter, Step};

/// What is done with the bytes.
pub(super) enum Work {
    Decode {
        parser: Box<Parser>,
        filters: Option<Filters>,
        decoder: Box<BatchDecoder>,
        /// Batches that became full before all that filters kept of a chunk was decoded.
        ready: VecDeque<RecordBatch>,
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
            Work::Decode { decoder, ready, .. } => {
                decoder.rows() + ready.iter().map(RecordBatch::num_rows).sum::<usize>()
            }
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
            Work::Decode { decoder, ready, .. } if decoder.room() == 0 || !ready.is_empty() => true,
            _ => self.rows() >= rows,
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
            Work::Decode { parser, filters, decoder, ready } => {
                let room = match filters {
                    Some(filters) => filters.room(),
                    None => decoder.room().min(rows - decoder.rows()),
                };
                let (taken, step) = parser.next(chunk, room)?;
                let parsed = StreamCounters::add_time(&counters.parsing_nanos, started);
                if let Step::Records(records) = step {
                    let records = match range_end {
                        Some(end) => end.cut(records),
                        None => records,
                    };
                    StreamCounters::add(&counters.records, records.len());
                    match filters {
                        Some(filters) => filters.push(&records, decoder, ready, counters)?,
                        None => {
                            decoder.push(&records)?;
                            StreamCounters::add_time(&counters.decoding_nanos, parsed);
                        }
                    }
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
            Work::Decode { parser, filters, decoder, ready } => {
                if let Some(records) = parser.finish()? {
                    let records = match range_end {
                        Some(end) => end.cut(records),
                        None => records,
                    };
                    StreamCounters::add(&counters.records, records.len());
                    match filters {
                        Some(filters) => return filters.push(&records, decoder, ready, counters),
                        None => decoder.push(&records)?,
                    }
                }
            }
            Work::Count { counter, failed, .. } => *failed = counter.finish().err(),
        }
        StreamCounters::add_time(&counters.decoding_nanos, started);
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
            Work::Decode { decoder, ready, .. } => {
                StreamCounters::add(&counters.oversized, decoder.take_oversized());
                match ready.pop_front() {
                    Some(batch) => Ok(Some(batch)),
                    None => decoder.finish(),
                }
            }
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
            Work::Decode { parser, filters, decoder, ready } => {
                let filters = filters.as_ref().map_or(0, Filters::allocated_bytes);
                let ready: usize = ready.iter().map(RecordBatch::get_array_memory_size).sum();
                parser.allocated_bytes() + decoder.allocated_bytes() + filters + ready
            }
            Work::Count { .. } => 0,
        }
    }
}
