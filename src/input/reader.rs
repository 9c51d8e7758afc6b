//! [`Input`]: bytes as they arrive, whatever they come from.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::error::Error;

/// Bytes as they arrive, decompressed.
///
/// Its `io::Error`s hold an [`Error`]: `Error::from` takes it out again, with the path in it. After an error every
/// further call is one too: the part that has failed might look like an end.
pub struct Input {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    path: Option<String>,
    buffered_bytes: usize,
    failed: bool,
}

impl Input {
    /// An input that reads from `reader`, which holds `buffered_bytes` at the most.
    pub(super) fn new(reader: impl AsyncBufRead + Send + 'static, buffered_bytes: usize) -> Self {
        Input { reader: Box::pin(reader), path: None, buffered_bytes, failed: false }
    }

    /// Counts what is held by what it reads from, too.
    pub(super) fn with_more_buffered(mut self, bytes: usize) -> Self {
        self.buffered_bytes += bytes;
        self
    }

    /// Bytes that may be held here at once: those that are on their way, those that have come and are not consumed, and
    /// what a decompressor needs.
    pub fn buffered_bytes(&self) -> usize {
        self.buffered_bytes
    }

    /// Names the input in its errors.
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

/// `poll_read` of a reader that has a buffer anyway.
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
