//! [`ScanMemory`]: what the readers of a scan hold together, under one limit and in DataFusion's memory pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use crate::error::{Error, ErrorKind};

/// The memory of one scan, all of its partitions and files together.
#[derive(Debug)]
pub(super) struct ScanMemory {
    held: AtomicUsize,
    reservation: MemoryReservation,
}

/// What one reader holds of it. Given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    memory: Arc<ScanMemory>,
    limit: usize,
    bytes: usize,
}

impl ScanMemory {
    /// A scan that reserves what it holds in this pool, as the consumer `CsvStream`.
    pub(super) fn new(pool: &Arc<dyn MemoryPool>) -> Self {
        ScanMemory { held: AtomicUsize::new(0), reservation: MemoryConsumer::new("CsvStream").register(pool) }
    }

    /// The share of a reader that holds nothing yet. All together may hold `limit` bytes.
    pub(super) fn share(self: &Arc<Self>, limit: usize) -> Share {
        Share { memory: Arc::clone(self), limit, bytes: 0 }
    }
}

impl Share {
    /// The reader holds this many bytes now, or is about to.
    ///
    /// # Errors
    ///
    /// When all readers of the scan would hold more than its limit together, or the pool refuses. The share stays what it
    /// was then.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<()> {
        if bytes <= self.bytes {
            self.give_back(self.bytes - bytes);
            return Ok(());
        }
        let more = bytes - self.bytes;
        let all = self.memory.held.fetch_add(more, Relaxed) + more;
        let refused = match all > self.limit {
            true => Err(self.does_not_fit(all)),
            false => self.memory.reservation.try_grow(more),
        };
        match refused {
            Ok(()) => self.bytes = bytes,
            Err(_) => {
                self.memory.held.fetch_sub(more, Relaxed);
            }
        }
        refused
    }

    fn does_not_fit(&self, all: usize) -> datafusion::error::DataFusionError {
        let what = format!(
            "what all partitions of the scan hold together, {all} bytes (less with fewer target_partitions, or columns),"
        );
        Error::new(ErrorKind::Memory { what, limit: self.limit, option: "memory_limit" }).into()
    }

    fn give_back(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.memory.held.fetch_sub(bytes, Relaxed);
        self.memory.reservation.shrink(bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}
