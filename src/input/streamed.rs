//! [`StreamedReader`]: an object that a store streams, read as its bytes are wanted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::connections::Connection;
use super::counters::Meter;
use super::extent::Extent;
use super::fetch::Fetch;
use super::object::Object;
use super::reader::poll_read_buffered;

/// The frames of one request, and then those of further requests for the bytes past its end, as far
/// as those are wanted.
///
/// The store is sent no acknowledgement of bytes that are not wanted yet. They wait in the kernel,
/// and it stops when the kernel holds enough of them. The client holds a few buffers, which grow
/// while bytes wait. If there is no room for them, the connection is closed, and the next request
/// begins at the first missing byte.
///
/// A pause of the consumer may be longer than a store, or its client, waits. Then the body breaks,
/// and [`Fetch`] goes on where it broke.
pub(super) struct StreamedReader {
    frames: BoxStream<'static, io::Result<Bytes>>,
    /// The frame that is being consumed.
    frame: Bytes,
    /// The number of bytes that one call shows.
    piece_bytes: usize,
    meter: Meter,
}

impl StreamedReader {
    /// Reads the answer to a first request, and the bytes that follow it in the extent.
    pub(super) fn new(
        object: Arc<Object>,
        first: Fetch,
        extent: Extent,
        connection: Connection,
        piece_bytes: usize,
    ) -> Self {
        let meter = Meter::new(Arc::clone(object.counters()));
        let frames = frames(object, first, extent, connection).boxed();
        StreamedReader { frames, frame: Bytes::new(), piece_bytes, meter }
    }
}

/// The frames of all requests, each as it is wanted.
fn frames(
    object: Arc<Object>,
    first: Fetch,
    extent: Extent,
    connection: Connection,
) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((first, extent, connection), move |(mut fetch, mut extent, mut connection)| {
        let object = Arc::clone(&object);
        async move {
            loop {
                if let Some(frame) = fetch.frame().await? {
                    let is_needed = fetch.left() > 0;
                    // Without ranges the whole object would be sent again.
                    if !connection.fits(frame.len()) && is_needed && !fetch.is_unranged() {
                        fetch.close();
                        connection.renew();
                    }
                    return Ok(Some((frame, (fetch, extent, connection))));
                }
                if fetch.is_unranged() || (extent.left() == 0 && !extent.extend()) {
                    return Ok(None);
                }
                fetch = Fetch::new(Arc::clone(&object), extent.take(usize::MAX));
            }
        }
    })
}

impl AsyncBufRead for StreamedReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.frame.is_empty() {
            let polled = this.frames.poll_next_unpin(cx);
            match ready!(this.meter.observe(polled)) {
                Some(frame) => this.frame = frame?,
                None => return Poll::Ready(Ok(&[])),
            }
        }
        Poll::Ready(Ok(&this.frame[..this.frame.len().min(this.piece_bytes)]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let frame = &mut self.get_mut().frame;
        frame.advance(amount.min(frame.len()));
        if frame.is_empty() {
            // An empty `Bytes` would still hold the client's buffer.
            *frame = Bytes::new();
        }
    }
}

impl AsyncRead for StreamedReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}
