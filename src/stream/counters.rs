//! [`StreamCounters`]: what a stream has done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What a [`CsvStream`](super::CsvStream) has done, counted while it runs.
#[derive(Debug, Default)]
pub struct StreamCounters {
    pub(super) bytes: AtomicU64,
    pub(super) records: AtomicU64,
    pub(super) oversized: AtomicU64,
    pub(super) verified: AtomicU64,
    pub(super) selected: AtomicU64,
    pub(super) parsing_nanos: AtomicU64,
    pub(super) filtering_nanos: AtomicU64,
    pub(super) decoding_nanos: AtomicU64,
}

impl StreamCounters {
    /// Bytes parsed, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Records read, those included that filters don't keep.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Values that were too long, and are NULL or truncated.
    pub fn oversized(&self) -> u64 {
        self.oversized.load(Ordering::Relaxed)
    }

    /// Ends of byte ranges at which it has been verified what the reader of the next range assumes.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// Records that all filters keep; 0 without any.
    pub fn selected(&self) -> u64 {
        self.selected.load(Ordering::Relaxed)
    }

    /// Time spent finding records and fields, in nanoseconds.
    pub fn parsing_nanos(&self) -> u64 {
        self.parsing_nanos.load(Ordering::Relaxed)
    }

    /// Time spent on filters, in nanoseconds: decoding the fields that they need, and evaluating them.
    pub fn filtering_nanos(&self) -> u64 {
        self.filtering_nanos.load(Ordering::Relaxed)
    }

    /// Time spent decoding fields into arrays, those for filters not included, in nanoseconds.
    pub fn decoding_nanos(&self) -> u64 {
        self.decoding_nanos.load(Ordering::Relaxed)
    }

    pub(super) fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(super) fn add_time(counter: &AtomicU64, since: Instant) -> Instant {
        let now = Instant::now();
        counter.fetch_add((now - since).as_nanos() as u64, Ordering::Relaxed);
        now
    }
}
