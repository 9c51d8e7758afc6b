//! The defaults of a scan, and the least that it needs.

use std::time::Duration;

/// Bytes that one scan may hold at once: 10 MiB.
///
/// A container of 32 MB can run a query engine and a scan in it. With less than a megabyte, chunks
/// get too small to be fast.
pub const DEFAULT_MEMORY_LIMIT: usize = 10 << 20;

/// The least memory limit that is accepted: 1 MiB. Below it, the parts of a reader don't fit beside
/// each other.
pub const MIN_MEMORY_LIMIT: usize = 1 << 20;

/// The time without an answer of a store, or without a byte of it, after which a request is sent
/// again: 60 s.
///
/// Twice the timeout of object_store's clients for a whole request: their errors tell more, so they
/// come first. It is for stores without a timeout of their own.
pub const DEFAULT_STALL: Duration = Duration::from_secs(60);

/// The longest record that is accepted where oversized values are cut while they are read: 64 MiB.
///
/// It costs no memory, but time. The start of a byte range without quotes is certain only if no
/// quote follows within as many bytes.
pub const DEFAULT_MAX_CUT_RECORD_BYTES: usize = 64 << 20;
