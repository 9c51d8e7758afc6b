//! [`Limits`]: one number for memory, and what is derived from it.
//!
//! What one scan of one file holds at its worst, beside the batches that it has handed on:
//!
//! | what | bytes | default |
//! |---|---|---|
//! | chunks read and being read | `2 × chunk_bytes` | 0.5 MiB |
//! | decompression window and buffers | `≤ window_bytes` | ≤ 5 MiB, compressed files only |
//! | the partial record between two chunks | `≤ max_record_bytes + chunk_bytes` | ≤ 2.25 MiB, normally one record |
//! | the index of the records being decoded | `4 × INDEX_FIELDS`, or `4 × fields` of one wider record | 64 KiB |
//! | builders of the batch being built | `batch_bytes + chunk_bytes` | ≤ 1.5 MiB |

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

/// Fields indexed before they are decoded: 16 Ki, so that the index (64 KiB) and the text of it stay in the L2 cache.
///
/// One record that has more fields is indexed whole nevertheless.
pub const INDEX_FIELDS: usize = 16 << 10;

/// Fields of the widest record that is accepted where no schema says how many there are: 64 Ki, of which the index takes
/// 256 KiB.
///
/// A table that wide has no use for a query engine; a delimiter that is none of the file's makes such records.
pub const MAX_FIELDS: usize = 64 << 10;

/// What one scan may hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    memory_limit: usize,
    max_record_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { memory_limit: DEFAULT_MEMORY_LIMIT, max_record_bytes: DEFAULT_MAX_RECORD_BYTES }
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
        Ok(Limits { memory_limit, max_record_bytes })
    }

    /// Bytes that the scan may hold at once.
    pub fn memory_limit(&self) -> usize {
        self.memory_limit
    }

    /// Bytes of the longest record that is accepted.
    pub fn max_record_bytes(&self) -> usize {
        self.max_record_bytes
    }

    /// Bytes of one read: a fortieth of the limit, 256 KiB by default, which is where larger reads stop being faster.
    pub fn chunk_bytes(&self) -> usize {
        (self.memory_limit / 40).clamp(32 << 10, 1 << 20).next_multiple_of(4096)
    }

    /// Bytes of a batch, beyond which it is handed on with fewer rows than asked for: an eighth of the limit.
    pub fn batch_bytes(&self) -> usize {
        self.memory_limit / 8
    }

    /// Bytes that a decompressor may hold: half of the limit. zstd's default levels need up to 4 MiB at level 9 and
    /// 8 MiB from 17 on, xz's 4 MiB at level 4; what needs more is an error that says so.
    pub fn window_bytes(&self) -> usize {
        self.memory_limit / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_into_the_limit() {
        for memory_limit in [1 << 20, 4 << 20, 10 << 20, 64 << 20, 1 << 30] {
            let limits = Limits::new(memory_limit, None).unwrap();
            let worst = 2 * limits.chunk_bytes()
                + limits.window_bytes()
                + limits.max_record_bytes()
                + limits.chunk_bytes()
                + 4 * INDEX_FIELDS
                + limits.batch_bytes();
            assert!(worst <= memory_limit, "{memory_limit}: {worst}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Limits::new(MIN_MEMORY_LIMIT - 1, None).is_err());
        assert!(Limits::new(DEFAULT_MEMORY_LIMIT, Some(0)).is_err());
        assert!(Limits::new(DEFAULT_MEMORY_LIMIT, Some(4 << 20)).is_err());
        assert!(Limits::new(30 << 20, Some(10 << 20)).is_ok());
    }
}
