//! [`DecodeCounters`]: the work that a decoder has done.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// The work that a [`Decoder`](super::Decoder) has done, counted while it runs.
#[derive(Debug, Default)]
pub struct DecodeCounters {
    pub(super) bytes: AtomicU64,
    pub(super) records: AtomicU64,
    pub(super) oversized: AtomicU64,
    pub(super) selected: AtomicU64,
    pub(super) parsing_nanos: AtomicU64,
    pub(super) filtering_nanos: AtomicU64,
    pub(super) decoding_nanos: AtomicU64,
}

impl DecodeCounters {
    /// Bytes parsed, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Records read, including those that filters drop.
    pub fn records(&self) -> u64 {
        self.records.load(Relaxed)
    }

    /// Values that were too long, and have become NULL or been truncated.
    pub fn oversized(&self) -> u64 {
        self.oversized.load(Relaxed)
    }

    /// Records that all filters keep; 0 without any filter.
    pub fn selected(&self) -> u64 {
        self.selected.load(Relaxed)
    }

    /// Time spent finding records and fields, in nanoseconds.
    pub fn parsing_nanos(&self) -> u64 {
        self.parsing_nanos.load(Relaxed)
    }

    /// Time spent on filters, in nanoseconds: decoding the fields that they need, and evaluating
    /// them.
    pub fn filtering_nanos(&self) -> u64 {
        self.filtering_nanos.load(Relaxed)
    }

    /// Time spent decoding fields into arrays, without those of filters, in nanoseconds.
    pub fn decoding_nanos(&self) -> u64 {
        self.decoding_nanos.load(Relaxed)
    }

    pub(super) fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Relaxed);
    }

    /// Adds the time since `since`, and returns the current time.
    pub(super) fn add_time(counter: &AtomicU64, since: Instant) -> Instant {
        let now = Instant::now();
        counter.fetch_add((now - since).as_nanos() as u64, Relaxed);
        now
    }
}
