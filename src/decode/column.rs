//! [`ColumnDecoder`]: what each type's file provides.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use super::fields::{Failure, Fields};

/// Builds the arrays of one column.
pub(super) trait ColumnDecoder: std::fmt::Debug + Send {
    /// Bits that every row takes, NULL or not, beside its validity.
    fn row_bits(&self) -> usize;

    /// Makes room for `rows` rows in all, no more.
    fn reserve(&mut self, rows: usize);

    /// Appends the fields of some records.
    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Vec<u8>) -> Result<(), Failure>;

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

/// Grows a vector of bytes for `more`, by a quarter at least, so that what is unused stays small beside the bounds.
#[inline]
pub(super) fn reserve_bytes(bytes: &mut Vec<u8>, more: usize) {
    if bytes.capacity() - bytes.len() < more {
        bytes.reserve_exact(more.max(bytes.len() / 4).max(64));
    }
}
