//! One number for memory, and the shares that follow from it.
//!
//! `memory_limit` bounds one scan, without the batches that it has handed on. Each of its `n`
//! readers, which are the scan's partitions, has a share of `memory_limit / n`. At its worst, one
//! reader holds:
//!
//! | part | bytes | 1 reader, default | 16 readers |
//! |---|---|---|---|
//! | chunks that are parsed, and read meanwhile | `2 × chunk_bytes` | 0.5 MiB | 80 KiB |
//! | for a store: blocks that have arrived or are on their way, and connections | `ahead_bytes` more | 4.5 MiB | 192 KiB |
//! | for a compressed file: one more chunk to decompress into | `chunk_bytes` | 0.25 MiB | 40 KiB |
//! | the index of the records being decoded: ends, starts, counts | `12 × index_fields` | 194 KiB, normally 66 KiB | 82 KiB, normally 29 KiB |
//! | the builders of one batch | `batch_bytes + chunk_bytes + predicate_bytes` | 0.9 MiB | 140 KiB |
//!
//! Each column that is decoded takes [`COLUMN_BYTES`](crate::decode::COLUMN_BYTES) more, whatever
//! the share. Columns take at most a quarter of a share: a scan has no more readers than that
//! allows, by default 6 for 1,000 columns and 426 for 16. Groups of files with a declared ordering
//! or partitioning are never merged for it.
//!
//! The rest of the limit is for the readers that need more. All take from it together, and an error
//! tells what doesn't fit:
//!
//! | part | bytes | default |
//! |---|---|---|
//! | a record that is longer than a chunk, in the carry and in a builder | `≤ 2 × held_record_bytes` | ≤ 3.6 MiB |
//! | a decompressor's window and buffers | `≤ window_bytes` | ≤ 4.5 MiB |
//!
//! A record is held whole, so `held_record_bytes` is `max_record_bytes`. It is less where oversized
//! values are cut while they are read: see [`FieldLimit`].
//!
//! A predicate's columns (`predicate_bytes`, and their strings) are freed before the batch's own
//! columns are copied. So they may share the part that builders have beyond `batch_bytes`.
//!
//! The index of one record with more fields than [`INDEX_FIELDS`](crate::parse::INDEX_FIELDS) takes
//! up to 8 bytes a field instead of 4, because it grows by doubling. A record can have as many
//! fields as the table has columns, or [`MAX_FIELDS`](crate::parse::MAX_FIELDS).
//!
//! Each layer states its own cost; this module adds up.

mod defaults;
mod limits;
mod oversized;

pub use defaults::{DEFAULT_MAX_CUT_RECORD_BYTES, DEFAULT_MEMORY_LIMIT, DEFAULT_STALL, MIN_MEMORY_LIMIT};
pub use limits::Limits;
pub use oversized::{FieldLimit, OversizedFields};
