//! The Null type: no field has a value.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray};
use arrow::error::ArrowError;

use super::column::ColumnDecoder;
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::scratch::Scratch;

/// Counts rows, and refuses values. `arrow-csv` silently drops them.
#[derive(Debug, Default)]
pub(super) struct Null {
    rows: usize,
}

impl Append for Null {
    const IS_TEXT: bool = false;

    fn append_null(&mut self) {
        self.rows += 1;
    }

    fn append(&mut self, _: Text<'_>) -> Result<(), Rejected> {
        Err(Rejected::Value(Some("its column is of the type without values".to_owned())))
    }

    fn type_name(&self) -> String {
        "Null".to_owned()
    }
}

impl ColumnDecoder for Null {
    fn row_bits(&self) -> usize {
        0
    }

    fn reserve(&mut self, _: usize, _: usize) {}

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        // The column has only NULLs, even if the schema says that it is not nullable, as in
        // `arrow-csv`.
        Fields { is_nullable: true, ..*fields }.append_to(self, &mut scratch.text)
    }

    fn allocated_bytes(&self) -> usize {
        0
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(NullArray::new(std::mem::take(&mut self.rows))))
    }
}
