//! [`Batches`]: batches of records, or of those that filters keep.

use std::collections::VecDeque;
use std::time::Instant;

use arrow::record_batch::RecordBatch;

use super::counters::StreamCounters;
use super::filter::{Failure, Filters};
use crate::decode::BatchDecoder;
use crate::error::Result;
use crate::parse::Records;

/// The batch that is being built, and those that wait to be handed on.
pub(super) struct Batches {
    filters: Option<Filters>,
    decoder: Box<BatchDecoder>,
    /// Batches that became full before all that filters kept of a chunk was decoded.
    ready: VecDeque<RecordBatch>,
}

impl Batches {
    pub(super) fn new(filters: Option<Filters>, decoder: BatchDecoder) -> Self {
        Batches { filters, decoder: Box::new(decoder), ready: VecDeque::new() }
    }

    /// No batch that is begun from now on gets more rows than this.
    pub(super) fn set_batch_rows(&mut self, rows: usize) {
        self.decoder.set_batch_rows(rows);
    }

    /// Rows that wait.
    pub(super) fn rows(&self) -> usize {
        self.decoder.rows() + self.ready.iter().map(RecordBatch::num_rows).sum::<usize>()
    }

    /// Whether a batch of up to `rows` rows is full.
    pub(super) fn is_full(&self, rows: usize) -> bool {
        self.decoder.room() == 0 || !self.ready.is_empty() || self.rows() >= rows
    }

    /// How many records to push at once, so that a batch gets no more than `rows` rows.
    pub(super) fn room(&self, rows: usize) -> usize {
        match &self.filters {
            Some(filters) => filters.room(),
            None => self.decoder.room().min(rows - self.decoder.rows()),
        }
    }

    /// Decodes records, `since` when the time that it takes is counted.
    pub(super) fn push(
        &mut self,
        records: &Records<'_>,
        since: Instant,
        counters: &StreamCounters,
    ) -> Result<(), Failure> {
        StreamCounters::add(&counters.records, records.len());
        match &mut self.filters {
            Some(filters) => filters.push(records, &mut self.decoder, &mut self.ready, counters),
            None => {
                self.decoder.push(records)?;
                StreamCounters::add_time(&counters.decoding_nanos, since);
                Ok(())
            }
        }
    }

    /// The next batch, full or not, if there are any rows.
    pub(super) fn take(&mut self, counters: &StreamCounters) -> Result<Option<RecordBatch>> {
        StreamCounters::add(&counters.oversized, self.decoder.take_oversized());
        match self.ready.pop_front() {
            Some(batch) => Ok(Some(batch)),
            None => self.decoder.finish(),
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        let filters = self.filters.as_ref().map_or(0, Filters::allocated_bytes);
        let ready: usize = self.ready.iter().map(RecordBatch::get_array_memory_size).sum();
        self.decoder.allocated_bytes() + filters + ready
    }
}
