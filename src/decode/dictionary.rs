//! [`Dictionary`]: repeated strings as keys of the distinct ones.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, GenericByteDictionaryBuilder};
use arrow::compute::cast;
use arrow::datatypes::{ArrowDictionaryKeyType, ArrowNativeType, DataType, Utf8Type};
use arrow::error::ArrowError;

use super::column::ColumnDecoder;
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::scratch::Scratch;
use super::utf8::first_invalid;

/// Bytes that a distinct value takes besides its own: its offset, and its place in the builder's
/// hash table.
const DISTINCT_BYTES: usize = 24;

/// The number of keys that a key type has.
fn most_keys(key_type: &DataType) -> usize {
    match key_type {
        DataType::Int8 => 1 << 7,
        DataType::UInt8 => 1 << 8,
        DataType::Int16 => 1 << 15,
        DataType::UInt16 => 1 << 16,
        _ => usize::MAX,
    }
}

/// Builds dictionaries of Utf8, LargeUtf8 or Utf8View, with any key type. Every batch has a
/// dictionary of its own.
pub(super) struct Dictionary<K: ArrowDictionaryKeyType> {
    builder: GenericByteDictionaryBuilder<K, Utf8Type>,
    data_type: DataType,
    value_type: DataType,
    distinct: usize,
    distinct_bytes: usize,
    /// `distinct` and `distinct_bytes` of the last batch.
    last: (usize, usize),
    rows: usize,
}

impl<K: ArrowDictionaryKeyType> Dictionary<K> {
    /// `value_type` is Utf8, LargeUtf8 or Utf8View.
    pub(super) fn new(data_type: &DataType, value_type: &DataType) -> Self {
        Dictionary {
            builder: GenericByteDictionaryBuilder::with_capacity(0, 0, 0),
            data_type: data_type.clone(),
            value_type: value_type.clone(),
            distinct: 0,
            distinct_bytes: 0,
            last: (0, 0),
            rows: 0,
        }
    }
}

impl<K: ArrowDictionaryKeyType> fmt::Debug for Dictionary<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary")
            .field("type", &self.data_type)
            .field("rows", &self.rows)
            .field("distinct", &self.distinct)
            .finish()
    }
}

impl<K: ArrowDictionaryKeyType> Append for Dictionary<K> {
    const IS_TEXT: bool = true;

    fn append_null(&mut self) {
        self.builder.append_null();
        self.rows += 1;
    }

    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        let Some(string) = value.as_str() else {
            return Err(Rejected::Utf8(first_invalid(value.bytes()).unwrap_or(0)));
        };
        let key = self.builder.append(string).map_err(|_| {
            Rejected::Value(Some(format!(
                "the batch has more than the {} distinct values that the key type {} has keys for; \
                 push no more records than there is room for",
                self.distinct,
                K::DATA_TYPE
            )))
        })?;
        if key.as_usize() == self.distinct {
            self.distinct += 1;
            self.distinct_bytes += string.len() + DISTINCT_BYTES;
        }
        self.rows += 1;
        Ok(())
    }

    fn type_name(&self) -> String {
        self.data_type.to_string()
    }
}

impl<K: ArrowDictionaryKeyType> ColumnDecoder for Dictionary<K> {
    fn row_bits(&self) -> usize {
        8 * size_of::<K::Native>()
    }

    fn reserve(&mut self, rows: usize, bytes: usize) {
        if self.rows == 0 {
            // The batch is expected to have as many distinct values as the last one.
            let (distinct, distinct_bytes) = self.last;
            self.builder =
                GenericByteDictionaryBuilder::with_capacity(rows, distinct, distinct_bytes.min(bytes));
        }
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        fields.append_to(self, &mut scratch.text)
    }

    /// A batch ends when its dictionary is full, so that no value is left without a key.
    fn room(&self) -> usize {
        most_keys(&K::DATA_TYPE).saturating_sub(self.distinct)
    }

    fn variable_bytes(&self) -> usize {
        self.distinct_bytes
    }

    fn allocated_bytes(&self) -> usize {
        // An estimate, because the builder doesn't tell how many bytes it holds.
        self.rows * size_of::<K::Native>() + 2 * self.distinct_bytes
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let array = self.builder.finish();
        self.rows = 0;
        self.last = (std::mem::take(&mut self.distinct), std::mem::take(&mut self.distinct_bytes));
        match self.value_type {
            DataType::Utf8 => Ok(Arc::new(array)),
            _ => Ok(Arc::new(array.with_values(cast(array.values(), &self.value_type)?))),
        }
    }
}
