//! [`InputCounters`]: what reading has cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

/// What reading has cost so far. Shared by all inputs that are opened with it.
#[derive(Debug, Default)]
pub struct InputCounters {
    bytes: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    waited_nanos: AtomicU64,
    decoder_bytes: AtomicUsize,
}

impl InputCounters {
    /// Bytes that came from stores, before decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Requests that were sent to stores, retries among them. What a store's client sends again by itself isn't known here.
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Requests that were sent as one before had failed, or had broken off.
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// The time for which a reader had nothing to hand on, as bytes were on their way.
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited_nanos.load(Relaxed))
    }

    /// Bytes that the decompressor of the last input holds, by the head of its data.
    pub fn decoder_bytes(&self) -> usize {
        self.decoder_bytes.load(Relaxed)
    }

    pub(super) fn set_decoder_bytes(&self, bytes: usize) {
        self.decoder_bytes.store(bytes, Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn add_request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(super) fn add_retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(super) fn add_wait(&self, since: Instant) {
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited_nanos.fetch_add(nanos, Relaxed);
    }
}

/// The counters of one reader, and since when it waits.
#[derive(Debug)]
pub(super) struct Meter {
    counters: Arc<InputCounters>,
    waiting_since: Option<Instant>,
}

impl Meter {
    pub(super) fn new(counters: Arc<InputCounters>) -> Self {
        Meter { counters, waiting_since: None }
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.counters.add_bytes(bytes);
    }

    /// Looks at what a poll gave. The clock is read when a wait begins and when it ends, not at each poll.
    pub(super) fn observe<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_pending() {
            self.waiting_since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.waiting_since.take() {
            self.counters.add_wait(since);
        }
        poll
    }
}
