//! [`RemoteReader`]: an object that a store streams, in blocks, some of which are requested ahead.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::counters::Meter;
use super::extent::Extent;
use super::fetch::Fetch;
use super::object::Object;
use super::reader::poll_read_buffered;
use super::task::AbortOnDrop;
use crate::error::Result;

/// The number of bytes that one call shows. A block is shown in pieces so that more is requested
/// once half of it is consumed.
const PIECE_BYTES: usize = 64 << 10;

/// The blocks of an object, in order.
///
/// Each block is one request, in a task of its own. So it arrives, and its connection is free
/// again, while other blocks are consumed. There are never more than `requests` blocks
/// in flight, and the block that is being consumed counts as one of them. At first there is one.
/// The number doubles each time that half of a block has been consumed. So a reader that wants only
/// the first records is sent no more than one block.
///
/// Dropping the reader, or an error, ends all of its tasks.
pub(super) struct RemoteReader {
    object: Arc<Object>,
    /// The bytes that have not been requested.
    extent: Extent,
    block_bytes: usize,
    requests: usize,
    /// The number of blocks that may be held or in flight now.
    window: usize,
    /// Whether the window has been widened for the block that is being consumed.
    is_widened: bool,
    in_flight: FuturesOrdered<AbortOnDrop<Result<Block>>>,
    block: Block,
    meter: Meter,
}

impl RemoteReader {
    /// Reads a first block, whose request may have been sent, and the bytes that follow.
    pub(super) fn new(
        object: Arc<Object>,
        first: Fetch,
        extent: Extent,
        block_bytes: usize,
        requests: usize,
    ) -> Self {
        let meter = Meter::new(Arc::clone(object.counters()));
        let in_flight = FuturesOrdered::from_iter([AbortOnDrop::spawn(read_block(first))]);
        let block = Block::default();
        RemoteReader {
            object,
            extent,
            block_bytes,
            requests,
            window: 1,
            is_widened: false,
            in_flight,
            block,
            meter,
        }
    }

    /// Sends requests for as many blocks as may be in flight.
    fn request(&mut self) {
        if self.block.is_half_consumed() && !self.is_widened {
            self.is_widened = true;
            self.window = (2 * self.window).min(self.requests);
        }
        let held = usize::from(!self.block.left.is_empty());
        while held + self.in_flight.len() < self.window && self.extent.left() > 0 {
            let range: Range<u64> = self.extent.take(self.block_bytes);
            let fetch = Fetch::new(Arc::clone(&self.object), range);
            self.in_flight.push_back(AbortOnDrop::spawn(read_block(fetch)));
        }
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Block>>> {
        let polled = self.in_flight.poll_next_unpin(cx);
        let block = match ready!(self.meter.observe(polled)) {
            Some(Ok(block)) => block.map_err(io::Error::from),
            Some(Err(ended)) => Err(ended.into()),
            None => return Poll::Ready(None),
        };
        if block.is_err() {
            self.in_flight = FuturesOrdered::new();
        }
        Poll::Ready(Some(block))
    }
}

impl AsyncBufRead for RemoteReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        loop {
            this.request();
            if !this.block.left.is_empty() {
                return Poll::Ready(Ok(&this.block.left[..this.block.left.len().min(PIECE_BYTES)]));
            }
            match ready!(this.poll_block(cx)) {
                Some(block) => (this.block, this.is_widened) = (block?, false),
                // Nothing past the end of a range is read ahead.
                None if this.extent.extend() => (),
                None => return Poll::Ready(Ok(&[])),
            }
        }
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let left = &mut self.get_mut().block.left;
        left.advance(amount.min(left.len()));
        if left.is_empty() {
            // An empty `Bytes` would still hold the block's memory.
            *left = Bytes::new();
        }
    }
}

impl AsyncRead for RemoteReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}

/// Reads a block to its end, into memory of exactly its size. A client's frames may be slices of
/// much larger allocations.
async fn read_block(mut fetch: Fetch) -> Result<Block> {
    let mut bytes = Vec::with_capacity(fetch.left());
    while let Some(frame) = fetch.frame().await? {
        bytes.extend_from_slice(&frame);
    }
    Ok(Block { bytes: bytes.len(), left: bytes.into() })
}

/// The bytes of one request.
#[derive(Debug, Default)]
struct Block {
    bytes: usize,
    /// The bytes that have not been consumed.
    left: Bytes,
}

impl Block {
    fn is_half_consumed(&self) -> bool {
        0 < self.bytes && 2 * self.left.len() <= self.bytes
    }
}
