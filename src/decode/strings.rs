//! [`StringViews`]: strings as views, by Arrow's builder, which takes over that they are UTF-8.

use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, StringViewBuilder};
use arrow::datatypes::StringViewType;
use arrow::error::ArrowError;

use super::column::ColumnDecoder;
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::utf8::first_invalid;
use super::views::{FIRST_BLOCK, MAX_BLOCK, MAX_INLINE, Views};

/// Longer values go to [`Views`], which leaves less of its buffers unused; that the finished array is checked once more
/// counts less with them.
const MAX_LEN: usize = FIRST_BLOCK / 2;

/// Utf8View.
#[derive(Debug)]
pub(super) struct StringViews {
    builder: StringViewBuilder,
    /// The size of the builder's next buffer.
    block_size: usize,
    /// Bytes of the builder's values that have no room in a view.
    long_bytes: usize,
    /// What the batch is built in from its first value of more than [`MAX_LEN`] bytes on.
    large: Option<Views<StringViewType>>,
}

impl StringViews {
    pub(super) fn new() -> Self {
        StringViews {
            builder: StringViewBuilder::with_capacity(0),
            block_size: FIRST_BLOCK,
            long_bytes: 0,
            large: None,
        }
    }

    /// Lets the builder's further buffers be of this size.
    fn set_block_size(&mut self, size: usize) {
        let builder = std::mem::replace(&mut self.builder, StringViewBuilder::with_capacity(0));
        self.builder = builder.with_fixed_block_size(size as u32);
        self.block_size = size;
    }

    /// [`Views`] that go on where the builder is.
    #[cold]
    fn grow_large(&mut self) -> &mut Views<StringViewType> {
        let array = self.builder.finish();
        self.large.insert(Views::from_array(array, std::mem::take(&mut self.long_bytes)))
    }
}

/// The size of buffers behind so many bytes.
fn block_size(long_bytes: usize) -> usize {
    (long_bytes / 4).clamp(FIRST_BLOCK, MAX_BLOCK)
}

impl Append for StringViews {
    const IS_TEXT: bool = true;

    fn append_null(&mut self) {
        match &mut self.large {
            Some(large) => large.append_null(),
            None => self.builder.append_null(),
        }
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        let Some(string) = value.as_str() else {
            return Err(Rejected::Utf8(first_invalid(value.bytes()).unwrap_or(0)));
        };
        if self.large.is_none() && value.len() <= MAX_LEN {
            if value.len() > MAX_INLINE {
                self.long_bytes += value.len();
            }
            self.builder.append_value(string);
            return Ok(());
        }
        match &mut self.large {
            Some(large) => large.append(value),
            None => self.grow_large().append(value),
        }
    }

    fn type_name(&self) -> String {
        "Utf8View".to_owned()
    }
}

impl ColumnDecoder for StringViews {
    fn row_bits(&self) -> usize {
        u128::BITS as usize
    }

    fn reserve(&mut self, rows: usize, bytes: usize) {
        match &mut self.large {
            Some(large) => large.reserve(rows, bytes),
            None if self.builder.is_empty() => {
                self.builder = StringViewBuilder::with_capacity(rows);
                self.set_block_size(self.block_size);
            }
            // The builder's views double as these rows do.
            None => {}
        }
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Vec<u8>) -> Result<(), Failure> {
        let size = block_size(self.long_bytes);
        if size >= 2 * self.block_size {
            self.set_block_size(size);
        }
        fields.append_to(self, scratch)
    }

    fn variable_bytes(&self) -> usize {
        self.large.as_ref().map_or(self.long_bytes, Views::variable_bytes)
    }

    fn allocated_bytes(&self) -> usize {
        self.large.as_ref().map_or(self.builder.allocated_size(), Views::allocated_bytes)
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.block_size = block_size(self.variable_bytes());
        self.long_bytes = 0;
        match self.large.take() {
            Some(mut large) => large.finish(),
            None => Ok(Arc::new(self.builder.finish())),
        }
    }
}
