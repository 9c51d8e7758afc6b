//! [`Bytes`]: strings and binary values in one buffer, with offsets.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, GenericByteArray, NullBufferBuilder, OffsetSizeTrait};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, ByteArrayType, DataType};
use arrow::error::ArrowError;

use super::by_lanes::{AppendLanes, ByLanes};
use super::column::{ColumnDecoder, reserve_bytes, reserve_rows, take_vec};
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::lanes::Lanes;
use super::scratch::Scratch;
use super::utf8::first_invalid;

/// Values of up to this many bytes are copied as pieces of exactly this size, without a call.
const SHORT: usize = 32;

/// Builds Utf8, LargeUtf8, Binary and LargeBinary arrays.
pub(super) struct Bytes<T: ByteArrayType> {
    offsets: Vec<T::Offset>,
    values: Vec<u8>,
    validity: NullBufferBuilder,
    /// Bytes of the last batch's values.
    last_len: usize,
}

impl<T: ByteArrayType> Bytes<T> {
    pub(super) fn new() -> Self {
        Bytes { offsets: Vec::new(), values: Vec::new(), validity: NullBufferBuilder::new(0), last_len: 0 }
    }

    fn is_string() -> bool {
        matches!(T::DATA_TYPE, DataType::Utf8 | DataType::LargeUtf8)
    }

    fn end(&mut self) {
        // The offset fits: that is checked before a value is appended.
        self.offsets.push(T::Offset::usize_as(self.values.len()));
    }

    /// The rows that have been appended.
    fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Adds the rows since the last NULL to the validity as one run.
    fn end_run(&mut self) {
        self.validity.append_n_non_nulls(self.rows() - self.validity.len());
    }

    /// An error about the first row from `row` on that isn't UTF-8. All bytes are first checked for
    /// ASCII at once, because that is fast.
    fn check_utf8(&self, row: usize) -> Result<(), Failure> {
        let start = self.offsets[row].as_usize();
        if !Self::is_string() || self.values[start..].is_ascii() {
            return Ok(());
        }
        for (record, span) in self.offsets[row..].windows(2).enumerate() {
            let value = &self.values[span[0].as_usize()..span[1].as_usize()];
            if let Some(at) = first_invalid(value) {
                let kind = Rejected::Utf8(at).into_kind(value, self.type_name());
                return Err(Failure { record, kind });
            }
        }
        Ok(())
    }
}

impl<T: ByteArrayType> fmt::Debug for Bytes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(T::PREFIX).field("rows", &self.rows()).finish()
    }
}

impl<T: ByteArrayType> Append for Bytes<T> {
    const IS_TEXT: bool = true;

    fn append_null(&mut self) {
        self.end_run();
        self.end();
        self.validity.append_null();
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        let value = value.bytes();
        if value.len() > T::Offset::MAX_OFFSET - self.values.len() {
            let reason =
                "the values of one batch exceed 2 GiB, read the column as a type with 64-bit offsets";
            return Err(Rejected::Value(Some(reason.to_owned())));
        }
        reserve_bytes(&mut self.values, value.len());
        self.values.extend_from_slice(value);
        self.end();
        Ok(())
    }

    fn type_name(&self) -> String {
        T::DATA_TYPE.to_string()
    }
}

impl<T: ByteArrayType> AppendLanes for Bytes<T> {
    type Values = ();

    #[inline(always)]
    fn values() -> Self::Values {}

    #[inline(always)]
    fn read(&self, fields: &Fields<'_>, lanes: &mut Lanes, count: usize, quoted: u64, (): &mut ()) -> u64 {
        let len = |lane: usize| u64::from(lanes.end[lane].saturating_sub(lanes.start[lane]));
        let bytes = (0..count).map(len).sum::<u64>();
        // Values that may not fit are appended one by one.
        match T::Offset::MAX_OFFSET - self.values.len() > bytes as usize {
            true => fields.texts(lanes, count, quoted, false),
            false => 0,
        }
    }

    #[inline(always)]
    fn append_lanes(&mut self, fields: &Fields<'_>, lanes: &Lanes, (): &(), range: Range<usize>) {
        let bytes = fields.column.bytes();
        let more = lanes.len[range.clone()].iter().sum::<u64>();
        reserve_bytes(&mut self.values, more as usize + SHORT);
        let before = self.offsets.len();
        self.offsets.resize(before + range.len(), T::Offset::default());
        for (offset, lane) in self.offsets[before..].iter_mut().zip(range) {
            let (start, len) = (lanes.start[lane] as usize, lanes.len[lane] as usize);
            let from = &bytes[start..];
            match from.first_chunk::<SHORT>() {
                Some(short) if len <= SHORT => {
                    let end = self.values.len() + len;
                    self.values.extend_from_slice(short);
                    self.values.truncate(end);
                }
                _ => self.values.extend_from_slice(&from[..len]),
            }
            *offset = T::Offset::usize_as(self.values.len());
        }
    }
}

impl<T: ByteArrayType> ColumnDecoder for Bytes<T> {
    fn row_bits(&self) -> usize {
        8 * size_of::<T::Offset>()
    }

    fn reserve(&mut self, rows: usize, bytes: usize) {
        reserve_rows(&mut self.offsets, rows + 1);
        if self.offsets.is_empty() {
            self.end();
            self.values.reserve_exact(self.last_len.min(bytes));
        }
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        let row = self.rows();
        let pushed = fields.backend.run(ByLanes { fields, target: self, scratch });
        // The appended rows come before the one that failed, so an error in them comes first.
        if !fields.text.is_some_and(|text| text.is_ascii()) {
            self.check_utf8(row)?;
        }
        pushed
    }

    fn variable_bytes(&self) -> usize {
        self.values.len()
    }

    fn allocated_bytes(&self) -> usize {
        self.values.capacity()
            + self.offsets.capacity() * size_of::<T::Offset>()
            + self.validity.allocated_size()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.end_run();
        self.last_len = self.values.len();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(take_vec(&mut self.offsets)));
        let values = take_vec(&mut self.values);
        let array = GenericByteArray::<T>::try_new(offsets, values.into(), self.validity.finish())?;
        Ok(Arc::new(array))
    }
}
