//! [`Views`]: strings and binary values as views, short ones inside the view.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, GenericByteViewArray, NullBufferBuilder};
use arrow::buffer::Buffer;
use arrow::datatypes::ByteViewType;
use arrow::error::ArrowError;

use super::column::{ColumnDecoder, reserve_rows, take_vec};
use super::fields::{Append, Failure, Fields, Rejected, Text};

/// Bytes that a view has room for.
pub(super) const MAX_INLINE: usize = 12;

/// Bytes of a column's first buffer; each further one has a quarter of those before it together.
pub(super) const FIRST_BLOCK: usize = 4 << 10;

/// Bytes of the largest buffer, but for one that holds a single larger value: what its end leaves unused stays small.
pub(super) const MAX_BLOCK: usize = 256 << 10;

/// BinaryView, and Utf8View with large values, whose being UTF-8 is checked before they are appended.
pub(super) struct Views<T: ByteViewType + ?Sized> {
    views: Vec<u128>,
    validity: NullBufferBuilder,
    /// Full buffers of longer values.
    blocks: Vec<Buffer>,
    /// The buffer that is being filled.
    block: Vec<u8>,
    /// Bytes of the longer values.
    long_bytes: usize,
    /// The size of the first buffer, by what the last batch had.
    first_block: usize,
    view_type: std::marker::PhantomData<fn() -> Box<T>>,
}

impl<T: ByteViewType + ?Sized> Views<T> {
    pub(super) fn new() -> Self {
        Views {
            views: Vec::new(),
            validity: NullBufferBuilder::new(0),
            blocks: Vec::new(),
            block: Vec::new(),
            long_bytes: 0,
            first_block: FIRST_BLOCK,
            view_type: std::marker::PhantomData,
        }
    }

    /// Goes on behind the values of an array, of which `long_bytes` have no room in a view.
    pub(super) fn from_array(array: GenericByteViewArray<T>, long_bytes: usize) -> Self {
        let (views, blocks, nulls) = array.into_parts();
        let mut into = Self::new();
        into.views = views.into_inner().into_vec().unwrap_or_else(|views| views.typed_data().to_vec());
        match nulls {
            Some(nulls) => into.validity.append_buffer(&nulls),
            None => into.validity.append_n_non_nulls(into.views.len()),
        }
        into.blocks = blocks.to_vec();
        into.long_bytes = long_bytes;
        into
    }

    /// Copies a value that has no room in a view.
    fn append_long(&mut self, value: &[u8]) {
        if self.block.capacity() - self.block.len() < value.len() {
            self.end_block();
            let size = match self.blocks.is_empty() {
                true => self.first_block,
                false => (self.long_bytes / 4).clamp(FIRST_BLOCK, MAX_BLOCK),
            };
            self.block = Vec::with_capacity(value.len().max(size));
        }
        let prefix = u32::from_le_bytes([value[0], value[1], value[2], value[3]]);
        let (block, offset) = (self.blocks.len(), self.block.len());
        self.views.push(
            value.len() as u128 | u128::from(prefix) << 32 | (block as u128) << 64 | (offset as u128) << 96,
        );
        self.block.extend_from_slice(value);
        self.long_bytes += value.len();
    }

    /// Moves the buffer that is being filled to the full ones, without much room that it hasn't used.
    fn end_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        if block.capacity() - block.len() > block.capacity() / 8 {
            block.shrink_to_fit();
        }
        if !block.is_empty() {
            self.blocks.push(block.into());
        }
    }
}

impl<T: ByteViewType + ?Sized> fmt::Debug for Views<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("type", &T::DATA_TYPE).field("rows", &self.views.len()).finish()
    }
}

impl<T: ByteViewType + ?Sized> Append for Views<T> {
    const IS_TEXT: bool = true;

    fn append_null(&mut self) {
        // Validity follows the views in runs.
        self.validity.append_n_non_nulls(self.views.len() - self.validity.len());
        self.validity.append_null();
        self.views.push(0);
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        let len = value.len();
        match len {
            0..=MAX_INLINE => {
                let view = (value.double(0) & ((1 << (8 * len)) - 1)) << 32 | len as u128;
                self.views.push(view);
            }
            _ => self.append_long(value.bytes()),
        }
        Ok(())
    }

    fn type_name(&self) -> String {
        T::DATA_TYPE.to_string()
    }
}

impl<T: ByteViewType + ?Sized> ColumnDecoder for Views<T> {
    fn row_bits(&self) -> usize {
        u128::BITS as usize
    }

    fn reserve(&mut self, rows: usize, _: usize) {
        reserve_rows(&mut self.views, rows);
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Vec<u8>) -> Result<(), Failure> {
        fields.append_to(self, scratch)
    }

    fn variable_bytes(&self) -> usize {
        self.long_bytes
    }

    fn allocated_bytes(&self) -> usize {
        self.views.capacity() * size_of::<u128>()
            + self.validity.allocated_size()
            + self.blocks.iter().map(Buffer::capacity).sum::<usize>()
            + self.block.capacity()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.end_block();
        let blocks = std::mem::take(&mut self.blocks);
        self.first_block = self.long_bytes.clamp(FIRST_BLOCK, MAX_BLOCK);
        self.long_bytes = 0;
        self.validity.append_n_non_nulls(self.views.len() - self.validity.len());
        let views = take_vec(&mut self.views);
        Ok(Arc::new(GenericByteViewArray::<T>::try_new(views.into(), blocks, self.validity.finish())?))
    }
}
