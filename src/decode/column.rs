//! [`ColumnDecoder`]: the decoder of a column, which each type's file implements.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::fields::{Failure, Fields};
use super::scratch::Scratch;

/// Builds the arrays of one column.
pub(super) trait ColumnDecoder: std::fmt::Debug + Send {
    /// Bits that every row takes, NULL or not, beside its validity.
    fn row_bits(&self) -> usize;

    /// Makes room for `rows` rows in all, no more. Where their values vary in length, an empty
    /// builder makes room for as many bytes as those of the last batch, but not for more than
    /// `bytes`.
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

/// Grows a vector of bytes for `more`, by a quarter at least, so that what is unused stays small
/// beside the bounds.
#[inline]
pub(super) fn reserve_bytes(bytes: &mut Vec<u8>, more: usize) {
    if bytes.capacity() - bytes.len() < more {
        bytes.reserve_exact(more.max(bytes.len() / 4).max(64));
    }
}
