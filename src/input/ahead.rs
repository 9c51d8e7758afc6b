//! [`Ahead`]: reads on while the bytes that it has read are being used.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::io::poll_read_buf;

use super::reader::poll_read_buffered;
use super::task::AbortOnDrop;

/// The number of buffers: one is filled while the other one is read.
const BUFFERS: usize = 2;

/// A reader that a task of its own reads into buffers, which are handed over.
///
/// On a runtime with several threads the task works at the same time as the user of its bytes. So
/// decompression doesn't wait for parsing, nor parsing for decompression. The task starts with the
/// first poll and ends when this is dropped.
pub(super) struct Ahead {
    /// The task's future, until it is spawned.
    reading: Option<BoxFuture<'static, ()>>,
    /// Aborted on drop, because it may be waiting for bytes that never come.
    task: Option<AbortOnDrop<()>>,
    filled: Receiver<io::Result<Buffer>>,
    empty: Sender<Buffer>,
    current: Buffer,
    consumed: usize,
    has_ended: bool,
}

/// Bytes that have been read. An empty buffer is the end.
type Buffer = Vec<u8>;

impl Ahead {
    /// Reads `reader` into two buffers, each of half of `bytes`.
    pub(super) fn new(reader: Pin<Box<dyn AsyncRead + Send>>, bytes: usize) -> Self {
        let (to_user, filled) = channel(BUFFERS);
        let (empty, to_reader) = channel(BUFFERS);
        let reading = read_into(reader, (bytes / BUFFERS).max(1), to_reader, to_user).boxed();
        let current = Buffer::new();
        Ahead { reading: Some(reading), task: None, filled, empty, current, consumed: 0, has_ended: false }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(reading) = self.reading.take() {
            self.task = Some(AbortOnDrop::spawn(reading));
        }
        while self.consumed == self.current.len() && !self.has_ended {
            let Some(next) = ready!(self.filled.poll_recv(cx)) else {
                return Poll::Ready(Err(io::Error::other("the task that reads ahead has stopped")));
            };
            let used = mem::replace(&mut self.current, next?);
            self.consumed = 0;
            self.has_ended = self.current.is_empty();
            // The channel has room for all buffers. A task that has ended needs none.
            let _ = self.empty.try_send(used);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Ahead {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_next(cx))?;
        Poll::Ready(Ok(&this.current[this.consumed..]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.consumed = this.current.len().min(this.consumed + amount);
    }
}

impl AsyncRead for Ahead {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}

/// Fills one buffer after the other, until the reader ends or the receiver is dropped.
async fn read_into(
    mut reader: Pin<Box<dyn AsyncRead + Send>>,
    buffer_bytes: usize,
    mut empty: Receiver<Buffer>,
    filled: Sender<io::Result<Buffer>>,
) {
    // The second buffer is the one that the user hands back for this one.
    let mut buffer = Buffer::new();
    loop {
        let read = poll_fn(|cx| poll_fill(reader.as_mut(), cx, &mut buffer, buffer_bytes)).await;
        if read.is_err() && !buffer.is_empty() {
            // The bytes before an error are handed over first, as if the error had come later.
            if filled.send(Ok(mem::take(&mut buffer))).await.is_err() {
                return;
            }
        }
        let is_last = read.is_err() || buffer.is_empty();
        let handed = read.map(|()| mem::take(&mut buffer));
        if filled.send(handed).await.is_err() || is_last {
            return;
        }
        match empty.recv().await {
            Some(used) => buffer = used,
            None => return,
        }
        buffer.clear();
    }
}

/// Reads until the buffer is full, or the reader ends, or it has to wait and the buffer is not
/// empty.
fn poll_fill(
    mut reader: Pin<&mut dyn AsyncRead>,
    cx: &mut Context<'_>,
    buffer: &mut Buffer,
    buffer_bytes: usize,
) -> Poll<io::Result<()>> {
    buffer.reserve_exact(buffer_bytes - buffer.len());
    while buffer.len() < buffer_bytes {
        let room = buffer_bytes - buffer.len();
        match poll_read_buf(reader.as_mut(), cx, &mut (&mut *buffer).limit(room)) {
            Poll::Ready(Ok(0)) => break,
            Poll::Ready(Ok(_)) => (),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending if buffer.is_empty() => return Poll::Pending,
            Poll::Pending => break,
        }
    }
    Poll::Ready(Ok(()))
}
