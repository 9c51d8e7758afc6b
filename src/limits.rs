//! [`Limits`]: one number for memory, and what is derived from it.
//!
//! What one reader of a scan holds at its worst, beside the batches that it has handed on. Of `n` readers, which are a
//! scan's partitions, each has a share of `memory_limit / n`:
//!
//! | what | bytes | 1 reader, default | 16 readers |
//! |---|---|---|---|
//! | chunks read and being read | `2 × chunk_bytes` | 0.5 MiB | 80 KiB |
//! | what a store streams needs more: blocks that have arrived, that are asked for, and their connections | `3/10` of the share | 3 MiB | 192 KiB |
//! | the chunk that is decompressed into, compressed files only | `chunk_bytes` | 0.25 MiB | 40 KiB |
//! | the index of the records being decoded: ends, starts, counts | `12 × index_fields` | 194 KiB, normally 66 KiB | 82 KiB, normally 29 KiB |
//! | builders of the batch being built | `batch_bytes + chunk_bytes + predicate_bytes` | 0.9 MiB | 140 KiB |
//!
//! Each column that is decoded takes `384` bytes more, whatever the share. Columns take at most a quarter of a share: files are
//! read by no more readers than that, by default 6 for 1,000 columns and 426 for 16. Only groups of files that promise an order
//! or certain values stay what they are.
//!
//! What a reader may need beyond that, all readers take from what is left
//! together, and what doesn't fit is an error that says so:
//!
//! | what | bytes | default |
//! |---|---|---|
//! | a record that is longer than a chunk, in the carry and in a builder | `≤ 2 × held_record_bytes` | ≤ 3.6 MiB |
//! | a decompressor's window and buffers | `≤ window_bytes` | ≤ 4.5 MiB |
//!
//! A record is held whole, so `held_record_bytes` is `max_record_bytes`; unless oversized values become NULL or are truncated:
//! then they are cut while they are read, and a record can be longer than what is held of it.
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

/// Bytes of the longest record that is accepted where oversized values are cut while they are read: 64 MiB.
///
/// It takes no memory, but time: where a range of a file without quotes starts is known for certain only if no quote follows
/// within as many bytes.
pub const DEFAULT_MAX_CUT_RECORD_BYTES: usize = 64 << 20;

/// The most that `max_record_bytes` can be: 1 GiB. Offsets inside one record and one chunk are `u32`.
pub const MAX_MAX_RECORD_BYTES: usize = 1 << 30;

/// Bytes by which the part of a record that a chunk's end leaves grows at first when the record's end is looked for, and so what
/// is held of one at the most beyond [`Limits::held_record_bytes`].
pub(crate) const RECORD_STEP_BYTES: usize = 4 << 10;

/// Rows of a batch: 8192, DataFusion's own default.
pub const DEFAULT_BATCH_SIZE: usize = 8192;

/// Fields indexed before they are decoded: 16 Ki, so that their ends (64 KiB) and the text of it stay in the L2 cache.
///
/// One record that has more fields is indexed whole nevertheless.
pub const INDEX_FIELDS: usize = 16 << 10;

/// Bytes that the index takes for a field that is a record: its end, its record's start, and the count of fields.
const INDEX_FIELD_BYTES: usize = 3 * size_of::<u32>();

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

/// Bytes of one request to a store: at least 8 KiB, with which 64 readers fit into the default limit, and at most 8 MiB, from
/// where on larger ones bring nothing (Amazon advises 8 to 16 MB for S3).
const BLOCK_BYTES: (usize, usize) = (8 << 10, 8 << 20);

/// Bytes from which on two blocks at once are better than one: below, each takes longer to be answered than to arrive.
const LEAST_OF_TWO: usize = 64 << 10;

/// Bytes that a connection takes beside its buffer.
const CONNECTION_BYTES: usize = 32 << 10;

/// Bytes of a connection's buffer at the most.
const CONNECTION_BUFFER_BYTES: usize = 96 << 10;

/// Bytes that a connection takes beside the block that it brings: as measured with object_store's HTTP client, whose buffer
/// grows with what arrives at once.
fn connection_bytes(block_bytes: usize) -> usize {
    CONNECTION_BYTES + block_bytes.min(CONNECTION_BUFFER_BYTES)
}

/// The largest block that fits into some room with its connection.
fn block_in(room: usize) -> usize {
    let room = room.saturating_sub(CONNECTION_BYTES);
    (room / 2).max(room.saturating_sub(CONNECTION_BUFFER_BYTES)) / 4096 * 4096
}

/// Bytes that one reader takes for a column however few rows there are: its decoder, the header of its array, its field in the
/// partition's schema. Some 330 are measured for a number or a text.
const COLUMN_BYTES: usize = 384;

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

impl ReadAhead {
    /// Bytes that are held at the most where `left` bytes are to be read: blocks, and the connections that bring them.
    pub fn bytes(&self, left: u64) -> usize {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let requests = left.div_ceil(self.block_bytes).min(self.requests);
        left.min(requests * self.block_bytes) + requests * connection_bytes(self.block_bytes)
    }
}

/// What one scan may hold at once, and how long it waits for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    memory_limit: usize,
    max_record_bytes: usize,
    held_record_bytes: usize,
    max_field_bytes: Option<usize>,
    /// Files, or ranges of files, that are read at once.
    readers: usize,
    stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_limit: DEFAULT_MEMORY_LIMIT,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            held_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            max_field_bytes: None,
            readers: 1,
            stall: DEFAULT_STALL,
        }
    }
}

impl Limits {
    /// Checks both numbers, in bytes. Without `max_record_bytes` it is 2 MiB, or a twelfth of a memory limit below
    /// 10 MiB, so that one of 4 MiB has room for the window of 2 MiB that zstd's default level needs.
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
        let max_record_bytes = max_record_bytes.unwrap_or(match memory_limit < DEFAULT_MEMORY_LIMIT {
            true => memory_limit / 12,
            false => DEFAULT_MAX_RECORD_BYTES,
        });
        if max_record_bytes == 0 || max_record_bytes > most {
            return Err(Error::invalid_option(
                "max_record_bytes",
                max_record_bytes.to_string(),
                format!(
                    "1 to {most} bytes, a third of memory_limit ({memory_limit} bytes): raise memory_limit with it"
                ),
            ));
        }
        let held_record_bytes = max_record_bytes;
        Ok(Limits { memory_limit, max_record_bytes, held_record_bytes, ..Limits::default() })
    }

    /// Checks all three numbers, in bytes, where values that are longer than `max_field_bytes` are cut while they are read, so
    /// that a record can be longer than what is held of it.
    ///
    /// What is held is `max_record_bytes`, but no more than a third of `memory_limit`. Without `max_record_bytes` it is
    /// [`DEFAULT_MAX_CUT_RECORD_BYTES`], or twice `max_field_bytes` if that is more; then what is held is a twelfth of
    /// `memory_limit`, or 2 MiB or what four values take, whose quotes may double them, if that is more and no more than a third.
    /// Without `max_field_bytes` it is 512 KiB, or a 48th of a memory limit below 10 MiB.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), but `max_record_bytes` may be up to [`MAX_MAX_RECORD_BYTES`]; and when `max_field_bytes` is a third
    /// of `memory_limit` or more, and a record can have as many.
    pub fn with_cut_fields(
        memory_limit: usize,
        max_record_bytes: Option<usize>,
        max_field_bytes: Option<usize>,
    ) -> Result<Self> {
        let limits = Self::new(memory_limit, None)?;
        let most = memory_limit / 3;
        let field = max_field_bytes.unwrap_or(limits.held_record_bytes / 4);
        let (max_record_bytes, held) = match max_record_bytes {
            Some(bytes) => (bytes, bytes),
            None => {
                let needed = field.saturating_mul(4).max(memory_limit / 12);
                let bytes =
                    DEFAULT_MAX_CUT_RECORD_BYTES.max(field.saturating_mul(2)).min(MAX_MAX_RECORD_BYTES);
                (bytes, limits.held_record_bytes.max(needed))
            }
        };
        if max_record_bytes == 0 || max_record_bytes > MAX_MAX_RECORD_BYTES {
            return Err(Error::invalid_option(
                "max_record_bytes",
                max_record_bytes.to_string(),
                format!("1 to {MAX_MAX_RECORD_BYTES} bytes (1 GiB)"),
            ));
        }
        let held_record_bytes = held.min(most).min(max_record_bytes);
        if field >= held_record_bytes && held_record_bytes < max_record_bytes {
            return Err(Error::invalid_option(
                "max_field_bytes",
                field.to_string(),
                format!("less than {most} bytes, a third of memory_limit: raise memory_limit with it"),
            ));
        }
        Ok(Limits { max_record_bytes, held_record_bytes, max_field_bytes: Some(field), ..limits })
    }

    /// For one of several readers, which may be files or ranges of one: chunks, batches and the index get smaller. What a
    /// file needs as it is, a long record or a decompression window, it may still have.
    pub fn shared_by(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// For a reader that has to do with half of its share.
    pub fn halved(self) -> Self {
        self.shared_by(self.readers.saturating_mul(2))
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

    /// Bytes that are held of a record at the most. Of a longer one oversized values are cut.
    pub fn held_record_bytes(&self) -> usize {
        self.held_record_bytes
    }

    /// Bytes of the longest value that isn't oversized, if these limits were [made](Self::with_cut_fields) to cut those that
    /// are.
    pub fn max_field_bytes(&self) -> Option<usize> {
        self.max_field_bytes
    }

    /// The most readers that a scan of so many columns has a share for of which the columns take no more than a quarter; at
    /// least 1.
    pub fn most_readers(&self, columns: usize) -> usize {
        let least_share = 4 * Self::column_bytes(columns);
        self.memory_limit.checked_div(least_share).unwrap_or(usize::MAX).max(1)
    }

    /// Bytes that one reader takes for its columns, beside their values.
    pub fn column_bytes(columns: usize) -> usize {
        COLUMN_BYTES * columns
    }

    /// What one reader may hold for itself.
    fn share(&self) -> usize {
        self.memory_limit / self.readers
    }

    /// Bytes of one read: a sixteenth of the share, but no more than a fortieth of the limit, 256 KiB by default, which is
    /// where larger reads stop being faster; 4 KiB to 1 MiB.
    pub fn chunk_bytes(&self) -> usize {
        let bytes = (self.share() / 16).min(self.memory_limit / 40);
        bytes.clamp(4 << 10, 1 << 20) / 4096 * 4096
    }

    /// How to read from a store, beside a decompressor that holds up to `decoder_bytes`; 0 for none.
    ///
    /// There is room for two chunks, as of a local file, and for three tenths of the share, of which a decompressor leaves less
    /// or none. A block is a tenth of the share, 1 MiB by default, or less where two of them, one to consume and one on its
    /// way, and their connections would not fit. By default there are 3. Where the room is too small for two of 64 KiB there is
    /// one, which takes all of it: by default with 12 readers and more, of which others work while one waits.
    pub fn read_ahead(&self, decoder_bytes: usize) -> ReadAhead {
        let room = 2 * self.chunk_bytes() + self.ahead_bytes().saturating_sub(decoder_bytes);
        let (least, most) = BLOCK_BYTES;
        let half = block_in(room / 2);
        if half < LEAST_OF_TWO {
            return ReadAhead { block_bytes: block_in(room).clamp(least, most), requests: 1 };
        }
        let block_bytes = half.min(self.share() / 10 / 4096 * 4096).clamp(least, most);
        let requests = (room / (block_bytes + connection_bytes(block_bytes))).min(MAX_REQUESTS);
        ReadAhead { block_bytes, requests }
    }

    /// Bytes of blocks of a store beside those that are chunks of a local file.
    fn ahead_bytes(&self) -> usize {
        self.share() / 10 * 3
    }

    /// Bytes of a batch, beyond which it is handed on with fewer rows than asked for: an eighth of the share, but no more
    /// than a twentieth of the limit, 512 KiB by default. What a builder may hold beyond that is one chunk, or the longest
    /// record.
    pub fn batch_bytes(&self) -> usize {
        (self.share() / 8).min(self.memory_limit / 20).max(8 << 10)
    }

    /// Bytes that a predicate is evaluated on at once, beyond those of values that vary in length: a quarter of a batch.
    pub fn predicate_bytes(&self) -> usize {
        self.batch_bytes() / 4
    }

    /// Fields indexed before they are decoded: as many as take an eighth of the share at their worst, but no more than
    /// [`INDEX_FIELDS`].
    pub fn index_fields(&self) -> usize {
        (self.share() / 8 / INDEX_FIELD_BYTES).min(INDEX_FIELDS)
    }

    /// Bytes that a reader of a local file holds of it: two chunks, and a third one where it is decompressed. Of what a store
    /// streams it may be more: [`Self::read_ahead`].
    pub fn reader_bytes(&self, is_compressed: bool) -> usize {
        self.chunk_bytes() * if is_compressed { 3 } else { 2 }
    }

    /// Bytes that a decompressor may hold: what the other parts of the tables above leave, 4.5 MiB by default. zstd needs
    /// up to 4 MiB at level 16 and 8 MiB from 17 on, xz 4 MiB at level 4, and each some buffers; what needs more is an
    /// error that says so.
    pub fn window_bytes(&self) -> usize {
        self.memory_limit.saturating_sub(self.own_bytes() + self.long_record_bytes())
    }

    /// What a reader holds at its worst for itself: the first table above.
    fn own_bytes(&self) -> usize {
        let index = INDEX_FIELD_BYTES * (self.index_fields() + INDEX_SLACK);
        let builders = self.batch_bytes() + self.chunk_bytes() + self.predicate_bytes();
        self.reader_bytes(true) + index + builders
    }

    /// What the longest record takes beside that: in the carry, and in a builder in the place of a chunk.
    fn long_record_bytes(&self) -> usize {
        let step = self.chunk_bytes() + self.predicate_bytes();
        self.held_record_bytes + RECORD_STEP_BYTES + self.held_record_bytes.saturating_sub(step)
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
                let held = limits.own_bytes() + limits.long_record_bytes() + limits.window_bytes();
                assert!(held <= memory_limit, "{memory_limit}, {max_record_bytes:?}: {held}");
            }
        }
    }

    #[test]
    fn readers_leave_a_part_of_the_limit_to_whoever_needs_more() {
        for memory_limit in [4 << 20, 10 << 20, 64 << 20] {
            for readers in [1, 2, 4, 16, 64] {
                let limits = Limits::new(memory_limit, None).unwrap().shared_by(readers);
                let held = readers * (limits.own_bytes() + limits.ahead_bytes());
                assert!(held <= memory_limit / 25 * 24, "{memory_limit}, {readers}: {held}");
            }
        }
    }

    #[test]
    fn blocks_fit_into_what_a_decompressor_leaves() {
        for memory_limit in [1 << 20, 2 << 20, 4 << 20, 10 << 20, 64 << 20, 1 << 30] {
            for readers in [1, 2, 16, 64] {
                let limits = Limits::new(memory_limit, None).unwrap().shared_by(readers);
                for decoder in [0, 64 << 10, limits.window_bytes()] {
                    let read_ahead = limits.read_ahead(decoder);
                    let ReadAhead { block_bytes, requests } = read_ahead;
                    let what = format!("{memory_limit}, {readers}, {decoder}: {block_bytes} × {requests}");
                    let room = 2 * limits.chunk_bytes() + limits.ahead_bytes().saturating_sub(decoder);
                    let held = read_ahead.bytes(u64::MAX);
                    assert!(held <= room.max(48 << 10), "{what}: {held} of {room}");
                    assert!(
                        readers * held <= memory_limit || memory_limit / readers < 48 << 10,
                        "{what}: {held}"
                    );
                    assert!(requests >= 1 && block_bytes >= 8 << 10, "{what}");
                    assert!(requests >= 2 || decoder > 0 || limits.share() < 1 << 20, "{what}");
                    assert_eq!(read_ahead.bytes(1), 1 + connection_bytes(block_bytes));
                }
            }
        }
        let limits = Limits::default();
        assert_eq!(limits.read_ahead(0), ReadAhead { block_bytes: 1 << 20, requests: 3 });
        let beside_zstd = limits.read_ahead(limits.window_bytes());
        assert_eq!(beside_zstd, ReadAhead { block_bytes: 128 << 10, requests: 2 });
        assert_eq!(limits.shared_by(16).read_ahead(0), ReadAhead { block_bytes: 144 << 10, requests: 1 });
    }

    /// With the default limit zstd's levels up to 16 and xz's up to 4 have to fit.
    #[test]
    fn the_default_leaves_room_for_a_window_of_4_mib() {
        assert!(Limits::default().window_bytes() >= (4 << 20) + (544 << 10));
    }

    #[test]
    fn wide_tables_have_fewer_readers() {
        let limits = Limits::default();
        assert_eq!(
            [0, 16, 1000, 5000, 50_000].map(|columns| limits.most_readers(columns)),
            [usize::MAX, 426, 6, 1, 1]
        );
    }

    #[test]
    fn of_a_record_with_oversized_values_no_more_is_held_than_of_others() {
        let cut = |memory_limit, max_record_bytes, max_field_bytes| {
            let limits = Limits::with_cut_fields(memory_limit, max_record_bytes, max_field_bytes)?;
            let held = limits.own_bytes() + limits.long_record_bytes() + limits.window_bytes();
            assert!(
                held <= memory_limit,
                "{memory_limit}, {max_record_bytes:?}, {max_field_bytes:?}: {held}"
            );
            Ok::<_, Error>((limits.max_record_bytes(), limits.held_record_bytes(), limits.max_field_bytes()))
        };
        let mebibytes = |count: usize| count << 20;
        let kibibytes = |count: usize| count << 10;
        for (given, expected) in [
            ((10, None, None), (mebibytes(64), mebibytes(2), kibibytes(512))),
            ((10, None, Some(100)), (mebibytes(64), mebibytes(2), 100)),
            ((120, None, None), (mebibytes(64), mebibytes(10), kibibytes(512))),
            ((1200, None, None), (mebibytes(64), mebibytes(64), kibibytes(512))),
            ((30, None, Some(mebibytes(2))), (mebibytes(64), mebibytes(8), mebibytes(2))),
            ((30, None, Some(mebibytes(9))), (mebibytes(64), mebibytes(10), mebibytes(9))),
            ((600, None, Some(mebibytes(100))), (mebibytes(200), mebibytes(200), mebibytes(100))),
            // Longer records never mean that less is held, or that another value is oversized.
            ((30, Some(1000), None), (1000, 1000, kibibytes(512))),
            ((30, Some(mebibytes(10)), None), (mebibytes(10), mebibytes(10), kibibytes(512))),
            ((30, Some(mebibytes(11)), None), (mebibytes(11), mebibytes(10), kibibytes(512))),
            ((30, Some(mebibytes(1024)), None), (mebibytes(1024), mebibytes(10), kibibytes(512))),
        ] {
            let (memory_limit, max_record_bytes, max_field_bytes) = given;
            let found = cut(mebibytes(memory_limit), max_record_bytes, max_field_bytes).unwrap();
            assert_eq!((found.0, found.1, found.2.unwrap()), expected, "{given:?}");
        }
        for (max_record_bytes, max_field_bytes, option) in [
            (None, Some(mebibytes(10)), "max_field_bytes"),
            (Some(mebibytes(2000)), None, "max_record_bytes"),
            (Some(0), None, "max_record_bytes"),
        ] {
            let refused = cut(mebibytes(30), max_record_bytes, max_field_bytes).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("option {option} can't be")), "{refused}");
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
