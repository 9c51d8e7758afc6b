//! The memory that a parser takes, and the sizes that it accepts.

/// The longest record that can be accepted: 1 GiB. Offsets inside one record and one chunk are
/// `u32`.
pub const MAX_MAX_RECORD_BYTES: usize = 1 << 30;

/// The longest record that is accepted by default: 2 MiB.
///
/// As DuckDB's `max_line_size` (2,000,000 bytes): a longer record is nearly always an unclosed
/// quote.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 2 << 20;

/// The number of fields of the widest record that is accepted where no schema gives a number: 64
/// Ki. The index takes 256 KiB for them.
///
/// No table of a query engine is that wide. A delimiter that the file doesn't use makes such
/// records.
pub const MAX_FIELDS: usize = 64 << 10;

/// Fields that are indexed before they are decoded: 16 Ki, so that their ends (64 KiB) and their
/// text stay in the L2 cache.
///
/// A single record with more fields is indexed whole nevertheless.
pub const INDEX_FIELDS: usize = 16 << 10;

/// Fields or records beside [`INDEX_FIELDS`] that the index has room for: the rest of the block in
/// which it becomes full, and one block that it is always ready to take.
pub const INDEX_SLACK: usize = 128;

/// Bytes that the index takes for a field that is a whole record: its end, its record's start, and
/// the count of fields.
pub const INDEX_FIELD_BYTES: usize = 3 * size_of::<u32>();

/// Bytes by which the partial record at a chunk's end grows at first, while its end is looked for.
/// So at most this many bytes more are held than a record may have.
pub const RECORD_STEP_BYTES: usize = 4 << 10;

/// Bytes of an index of so many fields, at the most: each of them can be a record.
pub fn index_bytes(fields: usize) -> usize {
    INDEX_FIELD_BYTES * (fields + INDEX_SLACK)
}
