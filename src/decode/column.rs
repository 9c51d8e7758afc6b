//! [`ColumnDecoder`]: what each type's file provides.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::fields::{Failure, Fields};
use super::lanes::Lanes;

/// Builds the arrays of one column.
pub(super) trait ColumnDecoder: std::fmt::Debug + Send {
    /// Bits that every row takes, NULL or not, beside its validity.
    fn row_bits(&self) -> usize;

    /// Makes room for `rows` rows in all, no more. Where their values vary in length, an empty builder makes room for as
    /// many bytes as those of the last batch, but not for more than `bytes`.
    fn reserve(&mut self, rows: usize, bytes: usize);

    /// Appends the fields of some records.
    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure>;

    /// Rows that the batch being built can still take, whatever their values are.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Bytes of the batch beyond what every row takes.
    fn variable_bytes(&self) -> usize {
        0
    }

    /// Bytes held.
    fn allocated_bytes(&self) -> usize;

    /// The array, which leaves the builders empty.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError>;
}

/// What a push may write to, kept from one to the next.
#[derive(Debug)]
pub(super) struct Scratch {
    /// A value that is not written in the file as it is.
    pub(super) text: Vec<u8>,
    pub(super) lanes: Box<Lanes>,
}

/// Bytes of the text that a finished batch leaves for the next one.
const MAX_TEXT: usize = (64 << 10) - size_of::<Lanes>();

impl Scratch {
    pub(super) fn new() -> Self {
        Scratch { text: Vec::new(), lanes: Box::new(Lanes::new()) }
    }

    /// Keeps no more than what is cheap to keep.
    pub(super) fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(MAX_TEXT);
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        self.text.capacity() + size_of::<Lanes>()
    }
}

/// Grows a vector for `rows` in all, to exactly that.
pub(super) fn reserve_rows<T>(values: &mut Vec<T>, rows: usize) {
    values.reserve_exact(rows.saturating_sub(values.len()));
}

/// A finished vector, without most of the room that it hasn't used; an empty one is left.
pub(super) fn take_vec<T>(values: &mut Vec<T>) -> Vec<T> {
    let mut values = std::mem::take(values);
    if values.capacity() > 2 * values.len() {
        values.shrink_to_fit();
    }
    values
}

/// Grows a vector of bytes for `more`, by a quarter at least, so that what is unused stays small beside the bounds.
#[inline]
pub(super) fn reserve_bytes(bytes: &mut Vec<u8>, more: usize) {
    if bytes.capacity() - bytes.len() < more {
        bytes.reserve_exact(more.max(bytes.len() / 4).max(64));
    }
}
