//! The Null type: every field is NULL, whatever stands in it, as in `arrow-csv`.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray};
use arrow::error::ArrowError;

use super::column::ColumnDecoder;
use super::fields::{Failure, Fields};

/// Counts rows.
#[derive(Debug, Default)]
pub(super) struct Null {
    rows: usize,
}

impl ColumnDecoder for Null {
    fn row_bits(&self) -> usize {
        0
    }

    fn reserve(&mut self, _: usize) {}

    fn push(&mut self, fields: &Fields<'_>, _: &mut Vec<u8>) -> Result<(), Failure> {
        self.rows += fields.column.len();
        Ok(())
    }

    fn allocated_bytes(&self) -> usize {
        0
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(NullArray::new(std::mem::take(&mut self.rows))))
    }
}
