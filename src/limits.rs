//! [`Limits`]: one number for memory, and what is derived from it.
//!
//! What one scan of one file holds at its worst, beside the batches that it has handed on:
//!
//! | what | bytes | default |
//! |---|---|---|
//! | chunks read and being read, of a local file | `2 × chunk_bytes` | 0.5 MiB |
//! | instead, blocks of a store: arrived, and asked for | `2 × chunk_bytes + window_bytes − decompressor` | 5 × 1 MiB; 2 × 256 KiB beside zstd, bzip2, xz |
//! | decompression window and buffers | `≤ window_bytes` | ≤ 4.8 MiB, compressed files only |
//! | the partial record between two chunks | `≤ max_record_bytes` | ≤ 2 MiB, normally one record |
//! | the index of the records being decoded: ends, starts, counts | `12 × INDEX_FIELDS` | 192 KiB, normally 66 KiB |
//! | builders of the batch being built | `batch_bytes + max(chunk_bytes + predicate_bytes, max_record_bytes)` | ≤ 2.5 MiB |
//!
//! A predicate's columns, `predicate_bytes` and the values that vary in length, are let go before those of the batch are
//! copied, and so are a part of what builders may hold beyond `batch_bytes`.
//!
//! The index of one record that has more fields than [`INDEX_FIELDS`] takes up to `8` bytes a field instead of 4, growing
//! by doubling. How many that can be is the table's number of columns, or [`MAX_FIELDS`].

use std::time::Duration;

use crate::error::{Error, Result};

/// Bytes that one scan may hold at once: 10 MiB.
///
/// A container of 32 MB runs a query engine and a scan in it; at less than a megabyte chunks get too small to be fast.
pub const DEFAULT_MEMORY_LIMIT: usize = 10 << 20;

/// The least memory limit that is accepted: 1 MiB. Below, the parts of the table above don't fit beside each other.
pub const MIN_MEMORY_LIMIT: usize = 1 << 20;

/// Bytes of the longest record that is accepted: 2 MiB.
///
/// As DuckDB's `max_line_size` (2,000,000): longer ones are nearly always an unclosed quote.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 2 << 20;

/// The most that `max_record_bytes` can be: 1 GiB. Offsets inside one record and one chunk are `u32`.
pub const MAX_MAX_RECORD_BYTES: usize = 1 << 30;

/// Rows of a batch: 8192, DataFusion's own default.
pub const DEFAULT_BATCH_SIZE: usize = 8192;

/// Fields indexed before they are decoded: 16 Ki, so that their ends (64 KiB) and the text of it stay in the L2 cache.
///
/// One record that has more fields is indexed whole nevertheless.
pub const INDEX_FIELDS: usize = 16 << 10;

/// Fields or records beside [`INDEX_FIELDS`] that the index has room for: the rest of the block in which it becomes full,
/// and one block that it is always ready to take.
pub(crate) const INDEX_SLACK: usize = 128;

/// Records that a predicate is evaluated on at once: 4096. What is kept of them is known by their numbers.
pub const PREDICATE_ROWS: usize = 4096;

/// Fields of the widest record that is accepted where no schema says how many there are: 64 Ki, of which the index takes
/// 256 KiB.
///
/// A table that wide has no use for a query engine; a delimiter that is none of the file's makes such records.
pub const MAX_FIELDS: usize = 64 << 10;

/// Bytes of one request to a store: at least 32 KiB, where each takes longer to be answered than to arrive, and at most
/// 8 MiB, from where on larger ones bring nothing (Amazon advises 8 to 16 MB for S3).
const BLOCK_BYTES: (usize, usize) = (32 << 10, 8 << 20);

/// Requests that one reader has in flight at the most: 8, with which S3's 50 to 90 MB/s each fill 5 Gbit/s.
const MAX_REQUESTS: usize = 8;

/// The time without an answer of a store, or without a byte of it, after which a request is sent again: 60 s.
///
/// Twice what object_store's clients give a whole request, so that theirs, which know more, speak first; a store without
/// a timeout of its own doesn't hang.
pub const DEFAULT_STALL: Duration = Duration::from_secs(60);

/// How an object that a store streams is read: in blocks, several of which are asked for at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAhead {
    /// Bytes of a block, which is what one request asks for.
    pub block_bytes: usize,
    /// Blocks that are held at once, on their way or arrived.
    pub requests: usize,
}

/// What one scan may hold at once, and how long it waits for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    memory_limit: usize,
    max_record_bytes: usize,
    /// Files that are read at once.
    readers: usize,
    stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_limit: DEFAULT_MEMORY_LIMIT,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            readers: 1,
            stall: DEFAULT_STALL,
        }
    }
}

impl Limits {
    /// Checks both numbers, in bytes. Without `max_record_bytes` it is 2 MiB, or a fifth of a memory limit below 10 MiB.
    ///
    /// # Errors
    ///
    /// When `memory_limit` is below [`MIN_MEMORY_LIMIT`], or `max_record_bytes` is 0, above
    /// [`MAX_MAX_RECORD_BYTES`], or more than a third of `memory_limit`: a record can stand in the carry, in a
    /// builder, and in the chunk that ends it.
    pub fn new(memory_limit: usize, max_record_bytes: Option<usize>) -> Result<Self> {
        if memory_limit < MIN_MEMORY_LIMIT {
            return Err(Error::invalid_option(
                "memory_limit",
                memory_limit.to_string(),
                format!("at least {MIN_MEMORY_LIMIT} bytes (1 MiB)"),
            ));
        }
        let most = (memory_limit / 3).min(MAX_MAX_RECORD_BYTES);
        let max_record_bytes = max_record_bytes.unwrap_or(DEFAULT_MAX_RECORD_BYTES.min(memory_limit / 5));
        if max_record_bytes == 0 || max_record_bytes > most {
            return Err(Error::invalid_option(
                "max_record_bytes",
                max_record_bytes.to_string(),
                format!(
                    "1 to {most} bytes, a third of memory_limit ({memory_limit} bytes): raise memory_limit with it"
                ),
            ));
        }
        Ok(Limits { memory_limit, max_record_bytes, readers: 1, stall: DEFAULT_STALL })
    }

    /// For one of several files that are read at once: chunks and batches get smaller. What a file needs as it is, a
    /// long record or a decompression window, it still gets.
    pub fn shared_by(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// The time without an answer of a store, or without a byte of it, after which a request is sent again. After three
    /// times as long it is an error. Default: [`DEFAULT_STALL`].
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// The time without a byte after which a request is sent again.
    pub fn stall(&self) -> Duration {
        self.stall
    }

    /// Bytes that the scan may hold at once.
    pub fn memory_limit(&self) -> usize {
        self.memory_limit
    }

    /// Bytes of the longest record that is accepted.
    pub fn max_record_bytes(&self) -> usize {
        self.max_record_bytes
    }

    /// Bytes of one read: a fortieth of the limit, 256 KiB by default, which is where larger reads stop being faster;
    /// 32 KiB to 1 MiB.
    pub fn chunk_bytes(&self) -> usize {
        (self.memory_limit / 40 / self.readers).clamp(32 << 10, 1 << 20).next_multiple_of(4096)
    }

    /// How to read from a store, beside a decompressor that holds up to `decompressor_bytes`; 0 for none.
    ///
    /// There is room for two chunks, as of a local file, and for what the decompressor leaves of [`Self::window_bytes`], of
    /// which each reader has its share. A block is a tenth of the limit, 1 MiB by default, or half of that room if that is
    /// less: there are always two, one to consume and one on its way. By default there are 5.
    pub fn read_ahead(&self, decompressor_bytes: usize) -> ReadAhead {
        let spare = self.window_bytes().saturating_sub(decompressor_bytes) / self.readers;
        let room = 2 * self.chunk_bytes() + spare;
        let (least, most) = BLOCK_BYTES;
        let block = (self.memory_limit / 10 / self.readers).clamp(least, most).min(room / 2);
        let block_bytes = block / 4096 * 4096;
        ReadAhead { block_bytes, requests: (room / block_bytes).min(MAX_REQUESTS) }
    }

    /// Bytes of a batch, beyond which it is handed on with fewer rows than asked for: a twentieth of the limit, at least
    /// 64 KiB. What a builder may hold beyond that is one chunk, or the longest record.
    pub fn batch_bytes(&self) -> usize {
        (self.memory_limit / 20 / self.readers).max(64 << 10)
    }

    /// Bytes that a predicate is evaluated on at once, beyond those of values that vary in length: a quarter of a batch.
    pub fn predicate_bytes(&self) -> usize {
        self.batch_bytes() / 4
    }

    /// Bytes that a decompressor may hold: 12/25 of the limit, or what the other parts leave if that is less. zstd needs
    /// up to 4 MiB at level 16 and 8 MiB from 17 on, xz 4 MiB at level 4, and each some buffers; what needs more is an
    /// error that says so.
    pub fn window_bytes(&self) -> usize {
        (self.memory_limit / 25 * 12).min(self.memory_limit.saturating_sub(self.other_bytes()))
    }

    /// What a scan holds at its worst, without a decompressor: the rows of the table above.
    fn other_bytes(&self) -> usize {
        let chunks = 2 * self.chunk_bytes();
        let carry = self.max_record_bytes + 1;
        let index = 12 * (INDEX_FIELDS + INDEX_SLACK);
        let step = self.chunk_bytes() + self.predicate_bytes();
        let builders = self.batch_bytes() + step.max(self.max_record_bytes);
        chunks + carry + index + builders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_into_the_limit() {
        for memory_limit in [1 << 20, 2 << 20, 4 << 20, 10 << 20, 64 << 20, 1 << 30] {
            for max_record_bytes in [None, Some(1), Some(memory_limit / 3)] {
                let limits = Limits::new(memory_limit, max_record_bytes).unwrap();
                let held = limits.other_bytes() + limits.window_bytes();
                assert!(held <= memory_limit, "{memory_limit}, {max_record_bytes:?}: {held}");
            }
        }
    }

    #[test]
    fn blocks_fit_into_what_a_decompressor_leaves() {
        for memory_limit in [1 << 20, 2 << 20, 4 << 20, 10 << 20, 64 << 20, 1 << 30] {
            for readers in [1, 2, 16, 64] {
                let limits = Limits::new(memory_limit, None).unwrap().shared_by(readers);
                let window = limits.window_bytes();
                for decompressor in [0, window / 2, window] {
                    let ReadAhead { block_bytes, requests } = limits.read_ahead(decompressor);
                    let what =
                        format!("{memory_limit}, {readers}, {decompressor}: {block_bytes} × {requests}");
                    let spare = (window - decompressor) / readers;
                    assert!(block_bytes * requests <= 2 * limits.chunk_bytes() + spare, "{what}");
                    assert!(requests >= 2 && block_bytes >= 32 << 10, "{what}");
                }
            }
        }
        let limits = Limits::default();
        assert_eq!(limits.read_ahead(0), ReadAhead { block_bytes: 1 << 20, requests: 5 });
        let beside_zstd = limits.read_ahead(limits.window_bytes());
        assert_eq!(beside_zstd, ReadAhead { block_bytes: 256 << 10, requests: 2 });
        assert_eq!(limits.shared_by(16).read_ahead(0), ReadAhead { block_bytes: 64 << 10, requests: 5 });
    }

    /// With the default limit zstd's levels up to 16 and xz's up to 4 have to fit.
    #[test]
    fn the_default_leaves_room_for_a_window_of_4_mib() {
        let limits = Limits::default();
        assert_eq!(limits.window_bytes(), DEFAULT_MEMORY_LIMIT / 25 * 12);
        assert!(limits.window_bytes() - limits.chunk_bytes() >= (4 << 20) + (550 << 10));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Limits::new(MIN_MEMORY_LIMIT - 1, None).is_err());
        assert!(Limits::new(DEFAULT_MEMORY_LIMIT, Some(0)).is_err());
        assert!(Limits::new(DEFAULT_MEMORY_LIMIT, Some(4 << 20)).is_err());
        assert!(Limits::new(30 << 20, Some(10 << 20)).is_ok());
    }
}
