//! [`Primitive`]: the column of every type that has one number in each row. Each type implements
//! [`Parse`].

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, NullBufferBuilder, PrimitiveArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::by_lanes::{AppendLanes, ByLanes};
use super::column::{ColumnDecoder, reserve_rows, take_vec};
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::lanes::{LANES, Lanes};
use super::loss::Loss;
use super::scratch::Scratch;

/// Reads the values of one type.
pub(super) trait Parse: fmt::Debug + Send {
    /// The type.
    type Type: ArrowPrimitiveType;

    /// Whether [`parse_lanes`](Self::parse_lanes) reads most values.
    const BY_LANES: bool = false;

    /// Reads the values of the first `count` lanes, and returns the lanes that it has read, one bit
    /// each. The others are left to [`parse`](Self::parse). Both have to read a field as the same
    /// value.
    #[inline(always)]
    fn parse_lanes(&self, lanes: &Lanes, count: usize, values: &mut [Native<Self>; LANES]) -> u64 {
        let _ = (lanes, count, values);
        0
    }

    /// Reads a value, which isn't empty.
    fn parse(&self, text: Text<'_>) -> Option<Native<Self>>;

    /// The reason why `value` can't be read.
    fn reason(&self, value: &[u8]) -> String;

    /// The loss of `value`, if it is refused only because the type can't hold it exactly.
    fn loss(&self, value: &[u8]) -> Option<Loss> {
        let _ = value;
        None
    }
}

/// The Rust type that the values are stored as.
pub(super) type Native<P> = <<P as Parse>::Type as ArrowPrimitiveType>::Native;

/// Builds an array with one number in each row.
pub(super) struct Primitive<P: Parse> {
    parse: P,
    data_type: DataType,
    values: Vec<Native<P>>,
    validity: NullBufferBuilder,
}

impl<P: Parse> Primitive<P> {
    /// `data_type` is the type of `P`, with the column's own precision, scale or zone.
    pub(super) fn new(parse: P, data_type: &DataType) -> Self {
        Primitive {
            parse,
            data_type: data_type.clone(),
            values: Vec::new(),
            validity: NullBufferBuilder::new(0),
        }
    }
}

/// Whether a string has a digit, as every value that is read by lanes has.
fn has_digit(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

impl<P: Parse> fmt::Debug for Primitive<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primitive").field("parse", &self.parse).field("rows", &self.values.len()).finish()
    }
}

impl<P: Parse> Append for Primitive<P> {
    const IS_TEXT: bool = false;

    fn append_null(&mut self) {
        // The rows since the last NULL are added to the validity as one run.
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
            None => Err(match self.parse.loss(value.bytes()) {
                Some(loss) => Rejected::Lossy(loss),
                None => Rejected::Value(Some(self.parse.reason(value.bytes()))),
            }),
        }
    }

    fn type_name(&self) -> String {
        self.data_type.to_string()
    }
}

impl<P: Parse> AppendLanes for Primitive<P> {
    type Values = [Native<P>; LANES];

    #[inline(always)]
    fn values() -> Self::Values {
        [Native::<P>::default(); LANES]
    }

    #[inline(always)]
    fn read(
        &self,
        fields: &Fields<'_>,
        lanes: &mut Lanes,
        count: usize,
        _: u64,
        values: &mut Self::Values,
    ) -> u64 {
        lanes.load(fields.column.bytes());
        self.parse.parse_lanes(lanes, count, values)
    }

    #[inline(always)]
    fn append_lanes(&mut self, _: &Fields<'_>, _: &Lanes, values: &Self::Values, range: Range<usize>) {
        self.values.extend_from_slice(&values[range]);
    }
}

impl<P: Parse> ColumnDecoder for Primitive<P> {
    fn row_bits(&self) -> usize {
        8 * size_of::<Native<P>>()
    }

    fn reserve(&mut self, rows: usize, _: usize) {
        reserve_rows(&mut self.values, rows);
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        match P::BY_LANES && fields.are_values(has_digit, |byte| byte.is_ascii_digit() || byte == b'-') {
            true => fields.backend.run(ByLanes { fields, target: self, scratch }),
            false => fields.append_to(self, &mut scratch.text),
        }
    }

    fn allocated_bytes(&self) -> usize {
        self.values.capacity() * size_of::<Native<P>>() + self.validity.allocated_size()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.validity.append_n_non_nulls(self.values.len() - self.validity.len());
        let values = take_vec(&mut self.values);
        let array = PrimitiveArray::<P::Type>::try_new(values.into(), self.validity.finish())?;
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }
}
