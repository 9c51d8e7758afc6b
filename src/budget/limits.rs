//! [`Limits`]: the limits of one scan, and each reader's share.

use std::time::Duration;

use super::defaults::{DEFAULT_MEMORY_LIMIT, DEFAULT_STALL, MIN_MEMORY_LIMIT};
use super::oversized::{FieldLimit, RecordSizes};
use crate::error::{Error, Result};
use crate::parse::cost::{INDEX_FIELD_BYTES, INDEX_FIELDS, RECORD_STEP_BYTES, index_bytes};
use crate::parse::cut::CutFields;

/// The memory that one scan may hold at once, the records that it accepts, and the time that it
/// waits for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    memory_limit: usize,
    sizes: RecordSizes,
    /// Files, or ranges of files, that are read at once.
    readers: usize,
    stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_limit: DEFAULT_MEMORY_LIMIT,
            sizes: RecordSizes::DEFAULT,
            readers: 1,
            stall: DEFAULT_STALL,
        }
    }
}

impl Limits {
    /// Limits of records that are held whole, both in bytes. Default of `max_record_bytes`: 2 MiB,
    /// or a twelfth of a memory limit below 10 MiB.
    ///
    /// # Errors
    ///
    /// When `memory_limit` is below [`MIN_MEMORY_LIMIT`], or `max_record_bytes` is 0, above
    /// [`MAX_MAX_RECORD_BYTES`](crate::parse::MAX_MAX_RECORD_BYTES), or above a third of
    /// `memory_limit`: a record can stand in the carry, in a builder, and in the chunk in which it
    /// ends.
    pub fn new(memory_limit: usize, max_record_bytes: Option<usize>) -> Result<Self> {
        Self::for_fields(memory_limit, max_record_bytes, &FieldLimit::default())
    }

    /// Limits of records whose oversized values may be [cut](FieldLimit::is_cut), in bytes. Values
    /// that are not cut make it [`new`](Self::new).
    ///
    /// Where they are cut, a record can be longer than the bytes that are held of it:
    ///
    /// * `max_record_bytes` is by default
    ///   [`DEFAULT_MAX_CUT_RECORD_BYTES`](super::DEFAULT_MAX_CUT_RECORD_BYTES), or twice the
    ///   longest value.
    /// * At most `max_record_bytes` and a third of `memory_limit` are held. If `max_record_bytes`
    ///   is not given, a twelfth of `memory_limit` is, or 2 MiB, or four values, whichever is most.
    /// * The longest value is by default 512 KiB, or a 48th of a memory limit below 10 MiB.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). Where values are cut, `max_record_bytes` may be up to
    /// [`MAX_MAX_RECORD_BYTES`](crate::parse::MAX_MAX_RECORD_BYTES), and the longest value has to
    /// be shorter than the bytes that are held of a record.
    pub fn for_fields(
        memory_limit: usize,
        max_record_bytes: Option<usize>,
        field_limit: &FieldLimit,
    ) -> Result<Self> {
        if memory_limit < MIN_MEMORY_LIMIT {
            return Err(Error::invalid_option(
                "memory_limit",
                memory_limit.to_string(),
                format!("at least {MIN_MEMORY_LIMIT} bytes (1 MiB)"),
            ));
        }
        let sizes = RecordSizes::new(memory_limit, max_record_bytes, field_limit)?;
        Ok(Limits { memory_limit, sizes, ..Limits::default() })
    }

    /// For one of several readers, which may be files or ranges of one: chunks, batches and the
    /// index get smaller. A long record or a decompression window may still be as large.
    #[must_use]
    pub fn shared_by(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// Limits for a reader that must make do with half its share.
    #[must_use]
    pub fn halved(self) -> Self {
        self.shared_by(self.readers.saturating_mul(2))
    }

    /// The time without an answer of a store, or without a byte of it, after which a request is
    /// sent again. After three times as long it is an error. Default: [`DEFAULT_STALL`].
    #[must_use]
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
        self.sizes.max_record_bytes
    }

    /// Bytes that are held of a record at the most. The oversized values of a longer one are cut.
    pub fn held_record_bytes(&self) -> usize {
        self.sizes.held_record_bytes
    }

    /// Bytes of the longest value, if longer ones are cut.
    pub fn max_field_bytes(&self) -> Option<usize> {
        self.sizes.max_field_bytes
    }

    /// The field limit with the number that these limits have found for it.
    pub(crate) fn resolve(&self, field_limit: FieldLimit) -> FieldLimit {
        field_limit.within(&self.sizes)
    }

    /// The longest record that a parser accepts, and how it cuts the fields of a long one.
    /// `columns` tells for each column whether its values can be oversized.
    pub(crate) fn record_bytes(
        &self,
        field_limit: &FieldLimit,
        columns: Option<Vec<bool>>,
    ) -> (usize, Option<CutFields>) {
        match field_limit.cut_fields(&self.sizes, self.chunk_bytes(), columns) {
            None => (self.held_record_bytes(), None),
            cut_fields => (self.max_record_bytes(), cut_fields),
        }
    }

    /// The most readers that a scan has memory for, if each holds `fixed_bytes` whatever its share:
    /// those take no more than a quarter of a share. At least 1.
    pub fn most_readers(&self, fixed_bytes: usize) -> usize {
        self.memory_limit.checked_div(4 * fixed_bytes).unwrap_or(usize::MAX).max(1)
    }

    /// Bytes that one reader may hold for itself.
    pub fn share(&self) -> usize {
        self.memory_limit / self.readers
    }

    /// Bytes of one read: a sixteenth of the share, but no more than a fortieth of the limit, which
    /// is 256 KiB by default; larger reads are no faster. At least 4 KiB and at most 1 MiB.
    pub fn chunk_bytes(&self) -> usize {
        let bytes = (self.share() / 16).min(self.memory_limit / 40);
        bytes.clamp(4 << 10, 1 << 20) / 4096 * 4096
    }

    /// Bytes that a store's object may take on its way, beside those of two chunks: three tenths of
    /// the share. A single reader has half of its share, or those that a decompressor would take
    /// ([`window_bytes`](Self::window_bytes)) if they are fewer: 4.5 MiB by default.
    pub fn ahead_bytes(&self) -> usize {
        let part = self.share() / 10 * 3;
        if self.readers == 1 { part.max(self.window_bytes().min(self.share() / 2)) } else { part }
    }

    /// Bytes after which a batch is handed on with fewer rows than asked for: an eighth of the
    /// share, but no more than a twentieth of the limit, which is 512 KiB by default. A builder may
    /// hold one chunk, or the longest record, beyond that.
    pub fn batch_bytes(&self) -> usize {
        (self.share() / 8).min(self.memory_limit / 20).max(8 << 10)
    }

    /// Bytes of the rows that a predicate is evaluated on at once, without their strings: a quarter
    /// of a batch.
    pub fn predicate_bytes(&self) -> usize {
        self.batch_bytes() / 4
    }

    /// Fields that are indexed before they are decoded: their index takes an eighth of the share at
    /// its worst, and they are no more than [`INDEX_FIELDS`].
    pub fn index_fields(&self) -> usize {
        (self.share() / 8 / INDEX_FIELD_BYTES).min(INDEX_FIELDS)
    }

    /// Bytes that a reader of a local file holds of it: two chunks, and a third one if it is
    /// decompressed. A reader of a store may hold [more](Self::ahead_bytes).
    pub fn reader_bytes(&self, is_compressed: bool) -> usize {
        self.chunk_bytes() * if is_compressed { 3 } else { 2 }
    }

    /// Bytes that a decompressor may hold: the part of the limit that nothing else takes, 4.5 MiB
    /// by default. zstd needs up to 4 MiB at level 16 and 8 MiB from 17 on, xz 4 MiB at level 4,
    /// and each some buffers. A decompressor that needs more is an error that says so.
    pub fn window_bytes(&self) -> usize {
        self.memory_limit.saturating_sub(self.own_bytes() + self.long_record_bytes())
    }

    /// Bytes that a reader holds for itself at its worst: the first of the module's tables.
    fn own_bytes(&self) -> usize {
        let builders = self.batch_bytes() + self.chunk_bytes() + self.predicate_bytes();
        self.reader_bytes(true) + index_bytes(self.index_fields()) + builders
    }

    /// Bytes that the longest record takes beside that: in the carry, and in a builder, where it
    /// takes the place of a chunk.
    fn long_record_bytes(&self) -> usize {
        let held = self.held_record_bytes();
        let step = self.chunk_bytes() + self.predicate_bytes();
        held + RECORD_STEP_BYTES + held.saturating_sub(step)
    }
}

#[cfg(test)]
mod tests {
    use super::super::oversized::OversizedFields;
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

    /// With the default limit zstd's levels up to 16 and xz's up to 4 have to fit.
    #[test]
    fn the_default_leaves_room_for_a_window_of_4_mib() {
        assert!(Limits::default().window_bytes() >= (4 << 20) + (544 << 10));
    }

    #[test]
    fn readers_leave_room_for_what_each_holds() {
        let limits = Limits::default();
        let most = |columns: usize| limits.most_readers(384 * columns);
        assert_eq!([0, 16, 1000, 5000, 50_000].map(most), [usize::MAX, 426, 6, 1, 1]);
    }

    #[test]
    fn of_a_record_with_oversized_values_no_more_is_held_than_of_others() {
        let cut = |memory_limit, max_record_bytes, max_field_bytes| {
            let field_limit = FieldLimit::new(max_field_bytes, OversizedFields::Null);
            let limits = Limits::for_fields(memory_limit, max_record_bytes, &field_limit)?;
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
