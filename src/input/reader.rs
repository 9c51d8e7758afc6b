//! [`Input`]: bytes as they arrive, from any source.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::error::Error;

/// Bytes as they arrive, decompressed.
///
/// Its `io::Error`s hold an [`Error`]: `Error::from` takes it out again, with the path in it. After
/// an error every further call fails too. Otherwise the input might look as if it had ended there.
pub struct Input {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    path: Option<String>,
    buffered_bytes: usize,
    failed: bool,
}

impl Input {
    /// An input over `reader`, which holds `buffered_bytes` at the most.
    pub(super) fn new(reader: impl AsyncBufRead + Send + 'static, buffered_bytes: usize) -> Self {
        Input { reader: Box::pin(reader), path: None, buffered_bytes, failed: false }
    }

    /// Adds bytes that are held by a reader below this one.
    pub(super) fn with_more_buffered(mut self, bytes: usize) -> Self {
        self.buffered_bytes += bytes;
        self
    }

    /// The number of bytes that may be held here at once: those in flight, those that have arrived
    /// and are not consumed, and the decompressor's own.
    pub fn buffered_bytes(&self) -> usize {
        self.buffered_bytes
    }

    /// Sets the path that the input's errors name.
    #[must_use]
    pub fn with_path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }
}

impl AsyncBufRead for Input {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Input { reader, path, failed, .. } = self.get_mut();
        if *failed {
            return Poll::Ready(Err(io::Error::other("read on after an error")));
        }
        reader.as_mut().poll_fill_buf(cx).map_err(|error| {
            *failed = true;
            let error = Error::from(error);
            match path {
                Some(path) => error.with_path(path),
                None => error,
            }
            .into()
        })
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        self.get_mut().reader.as_mut().consume(amount);
    }
}

impl AsyncRead for Input {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("path", &self.path).finish_non_exhaustive()
    }
}

/// `poll_read` for a reader that has a buffer of its own.
pub(super) fn poll_read_buffered<R: AsyncBufRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    out: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let available = ready!(reader.as_mut().poll_fill_buf(cx))?;
    let amount = available.len().min(out.remaining());
    out.put_slice(&available[..amount]);
    reader.consume(amount);
    Poll::Ready(Ok(()))
}
