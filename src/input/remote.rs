//! [`RemoteReader`]: an object that a store streams, block by block, some of them ahead.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use futures::stream::FuturesOrdered;
use futures::{Stream, StreamExt};

use super::counters::Meter;
use super::extent::Extent;
use super::fetch::Fetch;
use super::object::Object;
use crate::error::Result;
use crate::limits::ReadAhead;

/// Frames of fewer bytes than this are copied together: each that is held takes some dozens of bytes beside its own.
const SMALL_FRAME: usize = 4 << 10;

/// Bytes into which small frames are copied.
const SMALL_FRAMES_BYTES: usize = 16 << 10;

/// The blocks of an object, in order.
///
/// Each block is one request, in a task of its own, so that it arrives, and the connection is free again, while others are
/// consumed. A block that is being consumed counts as one of those in flight, of which there are never more than
/// [`ReadAhead::requests`]; at first there is one, and twice as many each time that half of a block has been consumed, so
/// that who wants some records only gets no more than one block sent.
///
/// Dropping the reader, or an error, ends all of its tasks.
pub(super) struct RemoteReader {
    object: Arc<Object>,
    /// The bytes that have not been asked for.
    extent: Extent,
    read_ahead: ReadAhead,
    /// Blocks that may be held or in flight now.
    window: usize,
    /// Whether it has been widened for the block that is being consumed.
    is_widened: bool,
    in_flight: FuturesOrdered<SpawnedTask<Result<Block>>>,
    block: Block,
    meter: Meter,
}

impl RemoteReader {
    /// Reads a first block, which may have been begun, and the bytes that follow.
    pub(super) fn new(object: Arc<Object>, first: Fetch, extent: Extent, read_ahead: ReadAhead) -> Self {
        let meter = Meter::new(Arc::clone(object.counters()));
        let in_flight = FuturesOrdered::from_iter([SpawnedTask::spawn(read_block(first))]);
        let block = Block::default();
        RemoteReader { object, extent, read_ahead, window: 1, is_widened: false, in_flight, block, meter }
    }

    /// Asks for as many blocks as may be in flight.
    fn request(&mut self) {
        if self.block.is_half_consumed() && !self.is_widened {
            self.is_widened = true;
            self.window = (2 * self.window).min(self.read_ahead.requests);
        }
        let held = usize::from(!self.block.is_empty());
        while held + self.in_flight.len() < self.window && self.extent.left() > 0 {
            let range: Range<u64> = self.extent.take(self.read_ahead.block_bytes);
            let fetch = Fetch::new(Arc::clone(&self.object), range);
            self.in_flight.push_back(SpawnedTask::spawn(read_block(fetch)));
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

impl Stream for RemoteReader {
    type Item = io::Result<Bytes>;

    /// Called once the last frame has been consumed.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            this.request();
            if let Some(frame) = this.block.next_frame() {
                return Poll::Ready(Some(Ok(frame)));
            }
            match ready!(this.poll_block(cx)) {
                Some(Ok(block)) => (this.block, this.is_widened) = (block, false),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // Nothing behind the end of a range is read ahead.
                None if this.extent.extend() => (),
                None => return Poll::Ready(None),
            }
        }
    }
}

async fn read_block(mut fetch: Fetch) -> Result<Block> {
    let mut block = Block::default();
    while let Some(frame) = fetch.frame().await? {
        block.push(frame);
    }
    block.flush();
    Ok(block)
}

/// The bytes of one request, in frames as they came.
#[derive(Debug, Default)]
struct Block {
    frames: VecDeque<Bytes>,
    /// Small frames, of which one is made.
    small: Vec<u8>,
    bytes: usize,
    handed_on: usize,
}

impl Block {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        if frame.len() >= SMALL_FRAME {
            self.flush();
            self.frames.push_back(frame);
            return;
        }
        if self.small.len() + frame.len() > self.small.capacity() {
            // Not grown: what has been handed over would stay behind, with room that nobody uses.
            self.flush();
            self.small = Vec::with_capacity(SMALL_FRAMES_BYTES);
        }
        self.small.extend_from_slice(&frame);
    }

    /// Makes a frame of the small ones; called at the end too.
    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.frames.push_back(Bytes::from(mem::take(&mut self.small)));
        }
    }

    fn next_frame(&mut self) -> Option<Bytes> {
        let frame = self.frames.pop_front()?;
        self.handed_on += frame.len();
        Some(frame)
    }

    fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn is_half_consumed(&self) -> bool {
        0 < self.bytes && self.bytes <= 2 * self.handed_on
    }
}
