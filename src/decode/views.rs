//! [`Views`]: strings and binary values as views. Short values are stored inside the view.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryViewArray, NullBufferBuilder, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{BinaryViewType, ByteViewType, StringViewType};
use arrow::error::ArrowError;

use super::by_lanes::{AppendLanes, ByLanes};
use super::column::{ColumnDecoder, reserve_rows, take_vec};
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::lanes::Lanes;
use super::scratch::Scratch;
use super::utf8::first_invalid;

/// The most bytes of a value that is stored inside its view.
const MAX_INLINE: usize = 12;

/// Values of up to this many bytes, or up to [`HALF`] of them, are copied as pieces of exactly that
/// size. So the copy needs no call, and no branch on the value's length.
const MAX_SHORT: usize = 64;
const HALF: usize = 32;

/// The size of the first buffer in a column's first batch, and the smallest size of any buffer, in
/// bytes. Each further buffer of a batch has a quarter of the bytes of the values before it.
const FIRST_BLOCK: usize = 4 << 10;

/// The largest size of a buffer in bytes, except for one that holds a single larger value. It keeps
/// the unused room at a buffer's end small.
const MAX_BLOCK: usize = 256 << 10;

/// Builds Utf8View and BinaryView arrays.
pub(super) struct Views<T: View> {
    views: Vec<u128>,
    validity: NullBufferBuilder,
    blocks: Blocks,
    view_type: PhantomData<fn() -> Box<T>>,
}

/// The two types of views.
pub(super) trait View: ByteViewType {
    /// Whether values have to be UTF-8.
    const IS_STRING: bool;

    /// Builds the array of the values that [`Views`] has appended.
    fn array(
        views: ScalarBuffer<u128>,
        blocks: Vec<Buffer>,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef, ArrowError>;
}

/// The values that are too long for a view, in buffers.
struct Blocks {
    /// Full buffers.
    full: Vec<Buffer>,
    /// The buffer that is being filled. Its first `used` bytes hold values.
    block: Vec<u8>,
    used: usize,
    /// Bytes of all values in the buffers of this batch.
    bytes: usize,
    /// The size of the first buffer, chosen by the bytes that the last batch had.
    first: usize,
}

impl<T: View> Views<T> {
    pub(super) fn new() -> Self {
        let blocks = Blocks { full: Vec::new(), block: Vec::new(), used: 0, bytes: 0, first: FIRST_BLOCK };
        Views { views: Vec::new(), validity: NullBufferBuilder::new(0), blocks, view_type: PhantomData }
    }
}

impl Blocks {
    /// The view of any value. A value that is too long for the view is copied.
    fn view(&mut self, value: &[u8]) -> u128 {
        let first = value.first_chunk().copied().unwrap_or_else(|| {
            let mut first = [0; 16];
            first[..value.len()].copy_from_slice(value);
            first
        });
        if value.len() <= MAX_INLINE {
            return inline_view(first, value.len());
        }
        self.reserve(value.len());
        let offset = self.used;
        self.block[offset..offset + value.len()].copy_from_slice(value);
        self.used += value.len();
        self.bytes += value.len();
        long_view(first, value.len(), self.full.len(), offset)
    }

    /// The views of values of any length.
    fn views(&mut self, bytes: &[u8], spans: impl Iterator<Item = (usize, usize)>, views: &mut [u128]) {
        for (view, (start, end)) in views.iter_mut().zip(spans) {
            *view = self.view(&bytes[start..end]);
        }
    }

    /// The views of values of up to `N` bytes, each at the start of a piece. There is no branch on
    /// the length of a value, because it could not be predicted.
    #[inline(always)]
    fn short_views<'a, const N: usize>(
        &mut self,
        values: impl Iterator<Item = (&'a [u8; N], usize)>,
        views: &mut [u128],
    ) {
        self.reserve((views.len() + 1) * N);
        let block = self.full.len();
        let start = self.used;
        let mut used = start;
        for (view, (piece, len)) in views.iter_mut().zip(values) {
            let &[first, ..] = piece.as_chunks::<16>().0 else { return };
            // Every piece is copied, but `used` moves on only past the bytes of a long value. The
            // next piece overwrites the rest.
            if let Some(place) = self.block.get_mut(used..).and_then(|rest| rest.first_chunk_mut()) {
                *place = *piece;
            }
            let is_long = len > MAX_INLINE;
            let inline = inline_view(first, len.min(MAX_INLINE));
            let long = long_view(first, len, block, used);
            *view = if is_long { long } else { inline };
            used += if is_long { len } else { 0 };
        }
        self.used = used;
        self.bytes += used - start;
    }

    /// Makes room for this many contiguous bytes.
    #[inline]
    fn reserve(&mut self, bytes: usize) {
        if self.block.len() - self.used < bytes {
            self.start_block(bytes);
        }
    }

    #[cold]
    fn start_block(&mut self, bytes: usize) {
        self.end_block();
        let size = match self.full.is_empty() {
            true => self.first,
            false => (self.bytes / 4).clamp(FIRST_BLOCK, MAX_BLOCK),
        };
        self.block = vec![0; bytes.max(size)];
    }

    /// Moves the buffer that is being filled to the full ones. Its unused room is freed if that is
    /// more than an eighth.
    fn end_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        block.truncate(std::mem::take(&mut self.used));
        if block.capacity() - block.len() > block.capacity() / 8 {
            block.shrink_to_fit();
        }
        if !block.is_empty() {
            self.full.push(block.into());
        }
    }

    /// Takes all buffers, and leaves none.
    fn take(&mut self) -> Vec<Buffer> {
        self.end_block();
        self.first = std::mem::take(&mut self.bytes).clamp(FIRST_BLOCK, MAX_BLOCK);
        std::mem::take(&mut self.full)
    }

    fn allocated_bytes(&self) -> usize {
        self.full.iter().map(Buffer::capacity).sum::<usize>() + self.block.capacity()
    }
}

/// The bits of a view in which the value's bytes stand, for each length.
static INLINE: [u128; MAX_INLINE + 1] = {
    let mut masks = [0; MAX_INLINE + 1];
    let mut len = 1;
    while len <= MAX_INLINE {
        masks[len] = masks[len - 1] << 8 | 0xff << 32;
        len += 1;
    }
    masks
};

/// The view of a short value, which is the first `len` bytes of `first`.
#[inline(always)]
fn inline_view(first: [u8; 16], len: usize) -> u128 {
    u128::from_le_bytes(first) << 32 & INLINE[len] | len as u128
}

/// The views of short values.
#[inline(always)]
fn inline_views<'a>(values: impl Iterator<Item = (&'a [u8; 16], usize)>, views: &mut [u128]) {
    for (view, (&first, len)) in views.iter_mut().zip(values) {
        *view = inline_view(first, len);
    }
}

/// The view of a longer value, which starts with the first four bytes of `first`.
#[inline(always)]
fn long_view(first: [u8; 16], len: usize, block: usize, offset: usize) -> u128 {
    let prefix = u32::from_le_bytes([first[0], first[1], first[2], first[3]]);
    let low = len as u64 | u64::from(prefix) << 32;
    let high = block as u64 | (offset as u64) << 32;
    u128::from(low) | u128::from(high) << 64
}

impl View for BinaryViewType {
    const IS_STRING: bool = false;

    fn array(
        views: ScalarBuffer<u128>,
        blocks: Vec<Buffer>,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(BinaryViewArray::try_new(views, blocks, nulls)?))
    }
}

impl View for StringViewType {
    const IS_STRING: bool = true;

    fn array(
        views: ScalarBuffer<u128>,
        blocks: Vec<Buffer>,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef, ArrowError> {
        // A debug build checks everything that the note below claims.
        if cfg!(debug_assertions) {
            return Ok(Arc::new(StringViewArray::try_new(views, blocks, nulls)?));
        }
        // SAFETY: each view is zero for a NULL, or comes from `inline_view` or `long_view`. An
        // inline view has zeros after its value. A long view has the buffer and the offset that its
        // value has just been copied to, and its first four bytes. All values of strings are UTF-8:
        // `append` takes no others, and `append_lanes` takes only parts of a `str` that start and
        // end between its characters. There are as many views as bits of validity, because `finish`
        // completes the validity.
        Ok(Arc::new(unsafe { StringViewArray::new_unchecked(views, blocks, nulls) }))
    }
}

impl<T: View> fmt::Debug for Views<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("type", &T::DATA_TYPE).field("rows", &self.views.len()).finish()
    }
}

impl<T: View> Append for Views<T> {
    const IS_TEXT: bool = true;

    fn append_null(&mut self) {
        // The rows since the last NULL are added to the validity as one run.
        self.validity.append_n_non_nulls(self.views.len() - self.validity.len());
        self.validity.append_null();
        self.views.push(0);
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        if T::IS_STRING && value.as_str().is_none() {
            return Err(Rejected::Utf8(first_invalid(value.bytes()).unwrap_or(0)));
        }
        self.views.push(self.blocks.view(value.bytes()));
        Ok(())
    }

    fn type_name(&self) -> String {
        T::DATA_TYPE.to_string()
    }
}

impl<T: View> AppendLanes for Views<T> {
    type Values = ();

    #[inline(always)]
    fn values() -> Self::Values {}

    #[inline(always)]
    fn read(&self, fields: &Fields<'_>, lanes: &mut Lanes, count: usize, quoted: u64, (): &mut ()) -> u64 {
        fields.texts(lanes, count, quoted, T::IS_STRING)
    }

    #[inline(always)]
    fn append_lanes(&mut self, fields: &Fields<'_>, lanes: &Lanes, (): &(), range: Range<usize>) {
        let (starts, ends) = (&lanes.start[range.clone()], &lanes.end[range.clone()]);
        let text = fields.text.filter(|_| T::IS_STRING);
        assert!(T::IS_STRING == text.is_some(), "not known to be UTF-8");
        if let Some(text) = text {
            let are_whole = starts.iter().chain(ends).fold(true, |all, &at| all & text.is_boundary(at));
            assert!(are_whole, "a part of a character");
        }
        let bytes = text.map_or(fields.column.bytes(), |text| text.bytes());
        let before = self.views.len();
        self.views.resize(before + range.len(), 0);
        let views = &mut self.views[before..];
        let longest = lanes.len[range].iter().fold(0, |longest, &len| longest.max(len)) as usize;
        // The last value starts last, so every value has at least this many bytes from its start
        // on.
        let room = starts.last().map_or(0, |&start| bytes.len() - start as usize);
        let spans = starts.iter().zip(ends).map(|(&start, &end)| (start as usize, end as usize));
        if room < MAX_SHORT || longest > MAX_SHORT {
            self.blocks.views(bytes, spans, views);
        } else if longest <= MAX_INLINE {
            inline_views(pieces(bytes, spans), views);
        } else if longest <= HALF {
            self.blocks.short_views::<HALF>(pieces(bytes, spans), views);
        } else {
            self.blocks.short_views::<MAX_SHORT>(pieces(bytes, spans), views);
        }
    }
}

/// Each value as the `N` bytes from its start on, and its length.
#[inline(always)]
fn pieces<const N: usize>(
    bytes: &[u8],
    spans: impl Iterator<Item = (usize, usize)>,
) -> impl Iterator<Item = (&[u8; N], usize)> {
    spans.map(|(start, end)| {
        (bytes[start..].first_chunk().expect("all values start that far before the end"), end - start)
    })
}

impl<T: View> ColumnDecoder for Views<T> {
    fn row_bits(&self) -> usize {
        u128::BITS as usize
    }

    fn reserve(&mut self, rows: usize, _: usize) {
        reserve_rows(&mut self.views, rows);
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        fields.backend.run(ByLanes { fields, target: self, scratch })
    }

    fn variable_bytes(&self) -> usize {
        self.blocks.bytes
    }

    fn allocated_bytes(&self) -> usize {
        self.views.capacity() * size_of::<u128>()
            + self.validity.allocated_size()
            + self.blocks.allocated_bytes()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.validity.append_n_non_nulls(self.views.len() - self.validity.len());
        T::array(take_vec(&mut self.views).into(), self.blocks.take(), self.validity.finish())
    }
}
