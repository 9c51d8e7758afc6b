//! [`Column`]: one column of some records, as spans over the bytes that it stands in.

use crate::grammar::Unescape;

/// One column of some [`Records`](super::Records), or of a selection of them: random access to its
/// raw fields, and iteration.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    bytes: &'a [u8],
    /// Where each record starts.
    starts: &'a [u32],
    /// Where the fields of each record end, `width` for each record.
    ends: &'a [u32],
    column: usize,
    width: usize,
    unescape: Unescape,
}

/// Room for the spans of the fields that [`Column::select`] chooses. It can be used again.
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
    /// Column `column` of `width`, of records that start at `starts` in `bytes`.
    pub(super) fn new(
        bytes: &'a [u8],
        starts: &'a [u32],
        ends: &'a [u32],
        column: usize,
        width: usize,
        unescape: Unescape,
    ) -> Self {
        Column { bytes, starts, ends, column, width, unescape }
    }

    /// The number of fields, which is that of the records.
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

    /// Where the raw field of a record starts and ends in [`bytes`](Self::bytes); `start > end`
    /// where a short record was padded.
    #[doc(hidden)]
    #[inline]
    pub fn span(&self, record: usize) -> (u32, u32) {
        let at = record * self.width + self.column;
        let end = self.ends[at];
        let start = if self.column == 0 { self.starts[record] } else { self.ends[at - 1] + 1 };
        (start, end)
    }

    /// The [`span`](Self::span) of every field in order. `for_each` and similar methods run a loop
    /// of few instructions; `next` checks at each call which of the two loops it is in.
    #[doc(hidden)]
    #[inline]
    pub fn spans(&self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let Column { starts, ends, column, width, .. } = *self;
        assert!(column < width);
        // Only a record's first field doesn't start after another one.
        let (firsts, others) = ends.split_at(if column == 0 { ends.len() } else { 0 });
        let firsts = starts.iter().zip(firsts.chunks_exact(width)).map(|(&start, row)| (start, row[0]));
        let others = others.chunks_exact(width).map(move |row| (row[column - 1] + 1, row[column]));
        firsts.chain(others)
    }

    /// Copies the [`span`](Self::span)s of up to `N` records from `from` on, and returns how many
    /// there were.
    ///
    /// # Panics
    ///
    /// When `from` exceeds [`len`](Self::len).
    #[doc(hidden)]
    #[inline(always)]
    pub fn copy_spans<const N: usize>(
        &self,
        from: usize,
        starts: &mut [u32; N],
        ends: &mut [u32; N],
    ) -> usize {
        let count = N.min(self.len() - from);
        let rows = self.ends[from * self.width..(from + count) * self.width].chunks_exact(self.width);
        let column = self.column;
        if column == 0 {
            let records = self.starts[from..from + count].iter().zip(rows);
            for ((start, end), (&record, row)) in starts.iter_mut().zip(ends).zip(records) {
                (*start, *end) = (record, row[0]);
            }
        } else {
            for ((start, end), row) in starts.iter_mut().zip(ends).zip(rows) {
                (*start, *end) = (row[column - 1] + 1, row[column]);
            }
        }
        count
    }

    /// The fields of some of the records, by their indices, in the order given.
    ///
    /// # Panics
    ///
    /// When an index is not below [`len`](Self::len).
    #[doc(hidden)]
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

    /// The bytes that the spans are relative to.
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
