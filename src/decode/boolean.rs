//! Booleans.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, NullBufferBuilder};
use arrow::error::ArrowError;

use super::column::ColumnDecoder;
use super::fields::{Append, Failure, Fields, Rejected, Text};

/// Reads `true` and `false`, in any case.
#[derive(Debug)]
pub(super) struct Boolean {
    values: BooleanBufferBuilder,
    validity: NullBufferBuilder,
}

impl Boolean {
    pub(super) fn new() -> Self {
        Boolean { values: BooleanBufferBuilder::new(0), validity: NullBufferBuilder::new(0) }
    }
}

impl Append for Boolean {
    const IS_TEXT: bool = false;

    fn append_null(&mut self) {
        self.values.append(false);
        self.validity.append_null();
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        let value = value.bytes();
        let is_true = value.eq_ignore_ascii_case(b"true");
        if !is_true && !value.eq_ignore_ascii_case(b"false") {
            return Err(Rejected::Value(Some("neither true nor false".to_owned())));
        }
        self.values.append(is_true);
        self.validity.append_non_null();
        Ok(())
    }

    fn type_name(&self) -> String {
        "Boolean".to_owned()
    }
}

impl ColumnDecoder for Boolean {
    fn row_bits(&self) -> usize {
        1
    }

    fn reserve(&mut self, rows: usize, _: usize) {
        self.values.reserve(rows.saturating_sub(self.values.len()));
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Vec<u8>) -> Result<(), Failure> {
        fields.append_to(self, scratch)
    }

    fn allocated_bytes(&self) -> usize {
        self.values.capacity() / 8 + self.validity.allocated_size()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(BooleanArray::new(self.values.finish(), self.validity.finish())))
    }
}
