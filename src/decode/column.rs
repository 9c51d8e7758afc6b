//! [`ColumnDecoder`]: the decoder of a column, which each type's file implements.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::fields::{Failure, Fields};
use super::scratch::Scratch;

/// Builds the arrays of one column.
pub(super) trait ColumnDecoder: std::fmt::Debug + Send {
    /// Bits that every row takes, NULL or not, besides its validity.
    fn row_bits(&self) -> usize;

    /// Makes room for `rows` rows in all, no more. If values vary in length, an empty builder makes
    /// room for as many bytes as the last batch had, but not for more than `bytes`.
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

    /// Builds the array, and leaves the builders empty.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError>;
}

/// Grows a vector to room for exactly `rows` rows in all.
pub(super) fn reserve_rows<T>(values: &mut Vec<T>, rows: usize) {
    values.reserve_exact(rows.saturating_sub(values.len()));
}

/// Takes a finished vector, and leaves an empty one. The unused room is freed if it is more than
/// half.
pub(super) fn take_vec<T>(values: &mut Vec<T>) -> Vec<T> {
    let mut values = std::mem::take(values);
    if values.capacity() > 2 * values.len() {
        values.shrink_to_fit();
    }
    values
}

/// Makes room for `more` bytes. The vector grows by `more` bytes, a quarter of its length or 64
/// bytes, whichever is most, so that the unused room stays small compared with the bounds.
#[inline]
pub(super) fn reserve_bytes(bytes: &mut Vec<u8>, more: usize) {
    if bytes.capacity() - bytes.len() < more {
        bytes.reserve_exact(more.max(bytes.len() / 4).max(64));
    }
}
