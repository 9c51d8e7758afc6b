//! [`Primitive`]: the column of every type that is one number a row. What differs is [`Parse`].

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, NullBufferBuilder, PrimitiveArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::column::{ColumnDecoder, reserve_rows, take_vec};
use super::fields::{Append, Failure, Fields, Rejected, Text};

/// Reads the values of one type.
pub(super) trait Parse: fmt::Debug + Send {
    /// The type.
    type Type: ArrowPrimitiveType;

    /// The value, which isn't empty.
    fn parse(&self, text: Text<'_>) -> Option<<Self::Type as ArrowPrimitiveType>::Native>;

    /// Why there is none.
    fn reason(&self, value: &[u8]) -> String;
}

/// One number a row.
pub(super) struct Primitive<P: Parse> {
    parse: P,
    data_type: DataType,
    values: Vec<<P::Type as ArrowPrimitiveType>::Native>,
    validity: NullBufferBuilder,
}

impl<P: Parse> Primitive<P> {
    /// `data_type` is `P`'s, with its own precision, scale or zone.
    pub(super) fn new(parse: P, data_type: &DataType) -> Self {
        Primitive {
            parse,
            data_type: data_type.clone(),
            values: Vec::new(),
            validity: NullBufferBuilder::new(0),
        }
    }
}

impl<P: Parse> fmt::Debug for Primitive<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primitive").field("parse", &self.parse).field("rows", &self.values.len()).finish()
    }
}

impl<P: Parse> Append for Primitive<P> {
    const IS_TEXT: bool = false;

    fn append_null(&mut self) {
        // Validity follows the values in runs.
        self.validity.append_n_non_nulls(self.values.len() - self.validity.len());
        self.validity.append_null();
        self.values.push(Default::default());
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        match self.parse.parse(value) {
            Some(number) => {
                self.values.push(number);
                Ok(())
            }
            None => Err(Rejected::Value(Some(self.parse.reason(value.bytes())))),
        }
    }

    fn type_name(&self) -> String {
        self.data_type.to_string()
    }
}

impl<P: Parse> ColumnDecoder for Primitive<P> {
    fn row_bits(&self) -> usize {
        8 * size_of::<<P::Type as ArrowPrimitiveType>::Native>()
    }

    fn reserve(&mut self, rows: usize, _: usize) {
        reserve_rows(&mut self.values, rows);
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Vec<u8>) -> Result<(), Failure> {
        fields.append_to(self, scratch)
    }

    fn allocated_bytes(&self) -> usize {
        self.values.capacity() * size_of::<<P::Type as ArrowPrimitiveType>::Native>()
            + self.validity.allocated_size()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.validity.append_n_non_nulls(self.values.len() - self.validity.len());
        let values = take_vec(&mut self.values);
        let array = PrimitiveArray::<P::Type>::try_new(values.into(), self.validity.finish())?;
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }
}
