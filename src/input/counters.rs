//! [`InputCounters`]: the bytes, requests and time that reading has taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::connections::Connections;

/// The bytes, requests and time that reading has taken so far, in all inputs that share these
/// counters.
#[derive(Debug, Default)]
pub struct InputCounters {
    bytes: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    waited_nanos: AtomicU64,
    decoder_bytes: AtomicUsize,
    connections: Arc<Connections>,
}

impl InputCounters {
    /// Counters of inputs whose connections share their memory with others. Default: only with
    /// those of inputs that share these counters.
    pub fn with_connections(connections: Arc<Connections>) -> Self {
        InputCounters { connections, ..Self::default() }
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Bytes that came from stores, before decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Requests that were sent to stores, retries included. Retries within a store's client are not
    /// counted.
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Requests that were sent because an earlier one had failed or had broken off.
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// The time for which readers had no bytes to hand on and waited for some.
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited_nanos.load(Relaxed))
    }

    /// The memory of the last input's decompressor in bytes, according to the head of its data.
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

/// The counters of one reader, and the start of its current wait.
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

    /// Notes the result of a poll. The clock is read only when a wait begins and when it ends.
    pub(super) fn observe<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_pending() {
            self.waiting_since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.waiting_since.take() {
            self.counters.add_wait(since);
        }
        poll
    }
}
