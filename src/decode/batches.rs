//! [`Batches`]: batches of all records, or of those that filters keep.

use std::collections::VecDeque;
use std::time::Instant;

use arrow::record_batch::RecordBatch;

use super::batch::BatchDecoder;
use super::counters::DecodeCounters;
use super::filter::Filters;
use crate::error::Result;
use crate::parse::Records;

/// The batch that is being built, and the full ones before it.
#[derive(Debug)]
pub(super) struct Batches {
    filters: Option<Filters>,
    decoder: BatchDecoder,
    /// Batches that became full before all kept records of a push were decoded.
    ready: VecDeque<RecordBatch>,
}

impl Batches {
    pub(super) fn new(filters: Option<Filters>, decoder: BatchDecoder) -> Self {
        Batches { filters, decoder, ready: VecDeque::new() }
    }

    /// Sets the most rows of a batch, from the next one on.
    pub(super) fn set_batch_rows(&mut self, rows: usize) {
        self.decoder.set_batch_rows(rows);
    }

    /// Rows that have been decoded but not taken.
    pub(super) fn rows(&self) -> usize {
        self.decoder.rows() + self.ready.iter().map(RecordBatch::num_rows).sum::<usize>()
    }

    /// Whether a batch of up to `rows` rows is full.
    pub(super) fn is_full(&self, rows: usize) -> bool {
        self.decoder.room() == 0 || !self.ready.is_empty() || self.rows() >= rows
    }

    /// The number of records to push at once, so that a batch gets no more than `rows` rows.
    pub(super) fn room(&self, rows: usize) -> usize {
        match &self.filters {
            Some(filters) => filters.room(),
            None => self.decoder.room().min(rows - self.decoder.rows()),
        }
    }

    /// Decodes records. The time since `since` is counted.
    pub(super) fn push(
        &mut self,
        records: &Records<'_>,
        since: Instant,
        counters: &DecodeCounters,
    ) -> Result<()> {
        DecodeCounters::add(&counters.records, records.len());
        match &mut self.filters {
            Some(filters) => filters.push(records, &mut self.decoder, &mut self.ready, counters),
            None => {
                self.decoder.push(records)?;
                DecodeCounters::add_time(&counters.decoding_nanos, since);
                Ok(())
            }
        }
    }

    /// The next batch, full or not, if there are any rows.
    pub(super) fn take(&mut self, counters: &DecodeCounters) -> Result<Option<RecordBatch>> {
        DecodeCounters::add(&counters.oversized, self.decoder.take_oversized());
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
