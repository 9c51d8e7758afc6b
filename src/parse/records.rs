//! [`Records`]: whole records as flat spans over the bytes that they stand in.

use std::fmt;

use super::lines::line_breaks;
use super::start::RecordStart;
use super::unescape::Unescape;
use crate::dialect::Terminator;
use crate::error::{Error, ErrorKind, Position};

/// Some whole records: a borrowed view of one chunk (or of the carry) and of the index of its fields.
///
/// Field *c* of record *r* ends before byte `ends[first(r) + c]`; it starts one byte after the end of the field before
/// it, or where the record starts. When every record has the same number *n* of fields, as records read for a table
/// always have, `first(r)` is `first + r × n`: see [`Records::column`].
///
/// A field that is missing, because a short record was padded, ends where the field before it ends, and so starts
/// behind its end.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// The bytes that all offsets are relative to.
    pub(super) bytes: &'a [u8],
    /// Where each field ends, exclusive.
    pub(super) ends: &'a [u32],
    /// Where each record starts.
    pub(super) starts: &'a [u32],
    /// How many of `ends` belong to the records up to and with this one; as long as `starts`.
    pub(super) field_counts: &'a [u32],
    /// How many of `ends` belong to records before the first one here.
    pub(super) first: usize,
    /// The number of fields of every record, where it is the same in all.
    pub(super) width: Option<usize>,
    pub(super) unescape: Unescape,
    pub(super) anchor: Anchor,
}

/// What is known of the place of a [`Records`]' first byte and first record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    /// Offset of the first byte in the file.
    pub(super) byte: u64,
    /// Line breaks before the first byte.
    pub(super) lines: u64,
    /// The first record's number, from 1, or 0 for the header.
    pub(super) record: u64,
    pub(super) terminator: Terminator,
    /// Whether the byte before the first one was a CR, so that an LF now breaks no new line.
    pub(super) after_cr: bool,
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

    /// A field as it stands in the file, quotes and all, but for what was [cut](super::CutFields) off its end; `None` where a short
    /// record was padded.
    #[inline]
    pub fn raw(&self, record: usize, field: usize) -> Option<&'a [u8]> {
        let at = self.first(record) + field;
        let end = self.ends[at];
        let start = match field {
            0 => self.starts[record],
            _ => self.ends[at - 1] + 1,
        };
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
        Column { bytes: self.bytes, starts: self.starts, ends, column, width, unescape: self.unescape }
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
            anchor: Anchor { record: self.anchor.record + range.start as u64, ..self.anchor },
            ..*self
        }
    }

    /// Bytes of the file that these records take, without what stands between them.
    pub fn byte_len(&self) -> usize {
        (0..self.len()).map(|record| self.record(record).len() + 1).sum()
    }

    /// The offset of a record's first byte in the file.
    #[inline]
    pub fn start_byte(&self, record: usize) -> u64 {
        self.anchor.byte + u64::from(self.starts[record])
    }

    /// A record's number, from 1; 0 is the header.
    #[inline]
    pub fn number(&self, record: usize) -> u64 {
        self.anchor.record + record as u64
    }

    /// Where a record starts.
    pub fn start(&self, record: usize) -> RecordStart {
        let Position { byte, line, record, .. } = self.position(record, None);
        RecordStart { byte, line, record }
    }

    /// The place of a record, and of a field in it.
    pub fn position(&self, record: usize, column: Option<usize>) -> Position {
        self.anchor.position(self.bytes, self.starts[record] as usize, record, column)
    }

    /// An error about a record, or about a field of it.
    pub fn error(&self, kind: ErrorKind, record: usize, column: Option<usize>) -> Error {
        Error::at(kind, self.position(record, column))
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
    /// How many, how wide, and where: not the bytes, which can be a gigabyte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = (!self.is_empty()).then(|| self.position(0, None));
        f.debug_struct("Records")
            .field("len", &self.len())
            .field("width", &self.width)
            .field("position", &position)
            .finish_non_exhaustive()
    }
}

impl Anchor {
    /// At a record's first byte.
    pub(super) fn at(start: RecordStart, terminator: Terminator) -> Self {
        Anchor {
            byte: start.byte,
            lines: start.line.saturating_sub(1),
            record: start.record,
            terminator,
            // Only before an LF would it make a difference, and an LF starts no record.
            after_cr: false,
        }
    }

    /// The record that starts here.
    pub(super) fn record_start(&self) -> RecordStart {
        RecordStart { byte: self.byte, line: self.lines + 1, record: self.record }
    }

    /// Moves behind `bytes`, in which `lines` lines end.
    pub(super) fn pass(&mut self, bytes: &[u8], lines: u64) {
        self.byte += bytes.len() as u64;
        self.lines += lines;
        if let Some(&last) = bytes.last() {
            self.after_cr = last == b'\r';
        }
    }

    /// The place of the record that starts at `bytes[start]`, the `nth` from the anchor's on.
    pub(super) fn position(&self, bytes: &[u8], start: usize, nth: usize, column: Option<usize>) -> Position {
        Position {
            path: None,
            byte: self.byte + start as u64,
            line: self.lines + line_breaks(self.terminator, self.after_cr, &bytes[..start]) + 1,
            record: self.record + nth as u64,
            column,
            column_name: None,
        }
    }
}

/// One column of some [`Records`], or of some of them: random access and iteration over its raw fields.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    bytes: &'a [u8],
    /// Where each record starts.
    starts: &'a [u32],
    /// Where the fields of each record end, `width` a record.
    ends: &'a [u32],
    column: usize,
    width: usize,
    unescape: Unescape,
}

/// Room for the spans of the fields that [`Column::select`] chooses, to be used again and again.
#[derive(Debug, Default)]
pub struct Spans {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Spans {
    /// Bytes held.
    pub fn allocated_bytes(&self) -> usize {
        (self.starts.capacity() + self.ends.capacity()) * size_of::<u32>()
    }
}

impl<'a> Column<'a> {
    /// The number of fields, one a record.
    #[inline]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no record.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The raw field of a record; `None` where a short record was padded.
    #[inline]
    pub fn raw(&self, record: usize) -> Option<&'a [u8]> {
        let (start, end) = self.span(record);
        self.bytes.get(start as usize..end as usize)
    }

    /// Where the raw field of a record starts and ends in [`bytes`](Self::bytes); `start > end` where a short record
    /// was padded.
    #[inline]
    pub fn span(&self, record: usize) -> (u32, u32) {
        let at = record * self.width + self.column;
        let end = self.ends[at];
        let start = match self.column {
            0 => self.starts[record],
            _ => self.ends[at - 1] + 1,
        };
        (start, end)
    }

    /// The [`span`](Self::span) of every field in order. `for_each` and its like run a loop of few instructions; `next`
    /// asks each time which of the two loops it is in.
    #[inline]
    pub fn spans(&self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let Column { starts, ends, column, width, .. } = *self;
        assert!(column < width);
        // Only a record's first field starts elsewhere than behind another one.
        let (firsts, others) = ends.split_at(if column == 0 { ends.len() } else { 0 });
        let firsts = starts.iter().zip(firsts.chunks_exact(width)).map(|(&start, row)| (start, row[0]));
        let others = others.chunks_exact(width).map(move |row| (row[column - 1] + 1, row[column]));
        firsts.chain(others)
    }

    /// Copies the [`span`](Self::span)s of the records from `from` on, and says how many: `N`, or as many as there are.
    ///
    /// # Panics
    ///
    /// When `from` exceeds [`len`](Self::len).
    #[inline(always)]
    pub fn copy_spans<const N: usize>(
        &self,
        from: usize,
        starts: &mut [u32; N],
        ends: &mut [u32; N],
    ) -> usize {
        let count = N.min(self.len() - from);
        let rows = self.ends[from * self.width..(from + count) * self.width].chunks_exact(self.width);
        match self.column {
            0 => {
                let records = self.starts[from..from + count].iter().zip(rows);
                for ((start, end), (&record, row)) in starts.iter_mut().zip(ends).zip(records) {
                    (*start, *end) = (record, row[0]);
                }
            }
            column => {
                for ((start, end), row) in starts.iter_mut().zip(ends).zip(rows) {
                    (*start, *end) = (row[column - 1] + 1, row[column]);
                }
            }
        }
        count
    }

    /// The fields of some records only, by their indices, in their order.
    ///
    /// # Panics
    ///
    /// When an index is not below [`len`](Self::len).
    pub fn select<'b>(&self, records: &[u32], spans: &'b mut Spans) -> Column<'b>
    where
        'a: 'b,
    {
        let Spans { starts, ends } = spans;
        starts.clear();
        ends.clear();
        let chosen = records.iter().map(|&record| self.span(record as usize));
        for (start, end) in chosen {
            starts.push(start);
            ends.push(end);
        }
        Column { starts, ends, column: 0, width: 1, ..*self }
    }

    /// The bytes that the spans are of.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The raw fields in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let column = *self;
        (0..column.len()).map(move |record| column.raw(record))
    }

    /// Turns raw fields into values, by the dialect that the records were read with.
    #[inline]
    pub fn unescape(&self) -> Unescape {
        self.unescape
    }
}
