//! [`Records`]: whole records as flat spans over the bytes that they stand in.

use std::fmt;

use super::column::Column;
use super::origin::Origin;
use super::start::RecordStart;
use crate::error::{Error, ErrorKind, Place};
use crate::grammar::Unescape;

/// Some whole records: a borrowed view of one chunk (or of the carry) and of the index of its
/// fields.
///
/// Field *c* of record *r* ends before byte `ends[first(r) + c]`. It starts one byte after the end
/// of the field before it, or where the record starts. Records that are read for a table all have
/// the same number *n* of fields; then `first(r)` is `first + r × n`, and [`Records::column`] can
/// be used.
///
/// A short record may have been padded. A field that is missing ends where the field before it
/// ends, and so starts after its end.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// The bytes that all offsets are relative to.
    pub(super) bytes: &'a [u8],
    /// Where each field ends, exclusive.
    pub(super) ends: &'a [u32],
    /// Where each record starts.
    pub(super) starts: &'a [u32],
    /// How many of `ends` belong to the records up to and including this one; as long as `starts`.
    pub(super) field_counts: &'a [u32],
    /// How many of `ends` belong to records before the first one here.
    pub(super) first: usize,
    /// The number of fields of every record, if it is the same in all.
    pub(super) width: Option<usize>,
    pub(super) unescape: Unescape,
    pub(super) origin: Origin,
}

impl<'a> Records<'a> {
    /// The number of records.
    #[inline]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no record.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The number of fields of every record, if all have the same.
    #[inline]
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// The number of fields of one record.
    #[inline]
    pub fn field_count(&self, record: usize) -> usize {
        self.field_counts[record] as usize - self.first(record)
    }

    /// A field as it stands in the file, quotes and all, or the first part of a field that was cut;
    /// `None` where a short record was padded.
    #[inline]
    pub fn raw(&self, record: usize, field: usize) -> Option<&'a [u8]> {
        let at = self.first(record) + field;
        let end = self.ends[at];
        let start = if field == 0 { self.starts[record] } else { self.ends[at - 1] + 1 };
        self.bytes.get(start as usize..end as usize)
    }

    /// The bytes of one record, from its first to before its terminator.
    pub fn record(&self, record: usize) -> &'a [u8] {
        let end = self.ends[self.field_counts[record] as usize - 1];
        &self.bytes[self.starts[record] as usize..end as usize]
    }

    /// One column of all records, the raw fields in order.
    ///
    /// # Panics
    ///
    /// When the records have no common [`width`](Self::width), or `column` is not below it.
    #[inline]
    pub fn column(&self, column: usize) -> Column<'a> {
        let width = self.width.expect("records of a table have one width");
        assert!(column < width, "column {column} of {width}");
        let ends = &self.ends[self.first..self.first + self.len() * width];
        Column::new(self.bytes, self.starts, ends, column, width, self.unescape)
    }

    /// Turns raw fields into values, by the dialect that these records were read with.
    #[inline]
    pub fn unescape(&self) -> Unescape {
        self.unescape
    }

    /// The records of a range of indices.
    ///
    /// # Panics
    ///
    /// When the range exceeds [`len`](Self::len).
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Records {
            starts: &self.starts[range.clone()],
            field_counts: &self.field_counts[range.clone()],
            first: self.first(range.start),
            origin: self.origin.after_records(range.start as u64),
            ..*self
        }
    }

    /// Bytes of the file that these records take, each with a terminator of one byte.
    pub fn byte_len(&self) -> usize {
        (0..self.len()).map(|record| self.record(record).len() + 1).sum()
    }

    /// The offset of a record's first byte in the file.
    #[inline]
    pub fn start_byte(&self, record: usize) -> u64 {
        self.origin.byte + u64::from(self.starts[record])
    }

    /// A record's number, from 1; 0 is the header.
    #[inline]
    pub fn number(&self, record: usize) -> u64 {
        self.origin.record + record as u64
    }

    /// Where a record starts.
    pub fn start(&self, record: usize) -> RecordStart {
        let Place { byte, line, record, .. } = self.place(record, None);
        RecordStart { byte, line, record }
    }

    /// The place of a record, and of a field in it.
    pub fn place(&self, record: usize, column: Option<usize>) -> Place {
        self.origin.place(self.bytes, self.starts[record] as usize, record, column)
    }

    /// An error about a record, or about a field of it.
    pub fn error(&self, kind: ErrorKind, record: usize, column: Option<usize>) -> Error {
        Error::at(kind, self.place(record, column))
    }

    /// The index in `ends` of a record's first field.
    #[inline]
    fn first(&self, record: usize) -> usize {
        match (self.width, record) {
            (Some(width), _) => self.first + record * width,
            (None, 0) => self.first,
            (None, _) => self.field_counts[record - 1] as usize,
        }
    }
}

impl fmt::Debug for Records<'_> {
    /// The number, the width and the place. The bytes, which can be a gigabyte, are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = (!self.is_empty()).then(|| self.place(0, None));
        f.debug_struct("Records")
            .field("len", &self.len())
            .field("width", &self.width)
            .field("position", &position)
            .finish_non_exhaustive()
    }
}
