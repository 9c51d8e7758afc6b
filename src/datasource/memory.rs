//! [`ScanMemory`]: the bytes that the readers of a scan hold together, under one limit and in
//! DataFusion's memory pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use crate::budget::Limits;
use crate::error::{Error, ErrorKind};
use crate::input::Connections;
use crate::stream::CsvStream;

/// How often a reader's buffers are halved while the memory pool has no room for them. The
/// default's chunks have shrunk to 4 KiB then, the smallest.
const MOST_HALVINGS: u32 = 6;

/// The memory of one scan, all of its partitions and files together.
#[derive(Debug)]
pub(super) struct ScanMemory {
    held: AtomicUsize,
    reservation: MemoryReservation,
    connections: Arc<Connections>,
}

/// The bytes of it that one reader holds. They are given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    memory: Arc<ScanMemory>,
    limit: usize,
    bytes: usize,
    /// How often the reader's limits have been halved for want of memory.
    halvings: u32,
}

impl ScanMemory {
    /// A scan that reserves the bytes that it holds in this pool, as the consumer `CsvStream`.
    pub(super) fn new(pool: &Arc<dyn MemoryPool>) -> Self {
        ScanMemory {
            held: AtomicUsize::new(0),
            reservation: MemoryConsumer::new("CsvStream").register(pool),
            connections: Arc::default(),
        }
    }

    /// The connections of all readers, whose parts are in the readers' shares.
    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// The share of a reader that holds nothing yet. All readers together may hold `limit` bytes.
    pub(super) fn share(self: &Arc<Self>, limit: usize) -> Share {
        Share { memory: Arc::clone(self), limit, bytes: 0, halvings: 0 }
    }
}

impl Share {
    /// The reader holds this many bytes now, or is about to.
    ///
    /// # Errors
    ///
    /// When all readers of the scan would hold more than its limit together, or the pool refuses.
    /// The share is unchanged then.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<()> {
        if bytes <= self.bytes {
            self.give_back(self.bytes - bytes);
            return Ok(());
        }
        let more = bytes - self.bytes;
        let within = |held: usize| held.checked_add(more).filter(|&all| all <= self.limit);
        if let Err(held) = self.memory.held.fetch_update(Relaxed, Relaxed, within) {
            return Err(self.does_not_fit(held.saturating_add(more)));
        }
        if let Err(refused) = self.memory.reservation.try_grow(more) {
            self.memory.held.fetch_sub(more, Relaxed);
            return Err(refused);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Whether there is room for a reader that holds this many bytes. If not, its limits are
    /// halved, for a smaller one.
    ///
    /// # Errors
    ///
    /// When the smallest reader doesn't fit.
    pub(super) fn fits(&mut self, bytes: usize, limits: &mut Limits) -> Result<bool> {
        match self.resize(bytes) {
            Ok(()) => Ok(true),
            Err(error) if self.halvings == MOST_HALVINGS => Err(error),
            Err(_) => {
                *limits = limits.halved();
                self.halvings += 1;
                Ok(false)
            }
        }
    }

    /// Reserves the bytes that a stream and its reader hold after a step; nothing after its last one.
    /// Without room for them, the step is the error, and the stream ends.
    pub(super) fn after<T>(
        &mut self,
        step: Poll<Option<Result<T>>>,
        stream: &mut CsvStream,
        reader_bytes: usize,
    ) -> Poll<Option<Result<T>>> {
        let held = match step {
            Poll::Ready(None | Some(Err(_))) => 0,
            _ => reader_bytes + stream.allocated_bytes(),
        };
        match self.resize(held) {
            Ok(()) => step,
            Err(error) => {
                stream.close();
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn does_not_fit(&self, all: usize) -> datafusion::error::DataFusionError {
        let what = format!(
            "the memory of all partitions of the scan, {all} bytes (less with fewer target_partitions, or columns),"
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
