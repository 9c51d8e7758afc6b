//! [`Prefixed`]: a reader that starts with bytes that have been read from it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// Some bytes, and then a reader. The bytes are freed once they are consumed.
#[derive(Debug)]
pub struct Prefixed<R> {
    bytes: Vec<u8>,
    consumed: usize,
    reader: R,
}

impl<R> Prefixed<R> {
    pub(super) fn new(bytes: Vec<u8>, reader: R) -> Self {
        Prefixed { bytes, consumed: 0, reader }
    }

    /// The bytes that are held before the reader's own.
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Prefixed<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.bytes.is_empty() {
            return Pin::new(&mut this.reader).poll_fill_buf(cx);
        }
        Poll::Ready(Ok(&this.bytes[this.consumed..]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        if this.bytes.is_empty() {
            return Pin::new(&mut this.reader).consume(amount);
        }
        this.consumed += amount;
        if this.consumed >= this.bytes.len() {
            this.bytes = Vec::new();
        }
    }
}

impl<R: AsyncBufRead + Unpin> AsyncRead for Prefixed<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Poll::Ready(bytes) = self.as_mut().poll_fill_buf(cx)? else { return Poll::Pending };
        let len = bytes.len().min(out.remaining());
        out.put_slice(&bytes[..len]);
        self.consume(len);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt};

    use super::*;

    #[tokio::test]
    async fn the_bytes_come_first_and_are_let_go() {
        let mut reader = Prefixed::new(b"abc".to_vec(), &b"def"[..]);
        assert_eq!(reader.fill_buf().await.unwrap(), b"abc");
        reader.consume(2);
        assert_eq!(reader.fill_buf().await.unwrap(), b"c");
        reader.consume(1);
        assert_eq!(reader.bytes.capacity(), 0);
        assert_eq!(reader.fill_buf().await.unwrap(), b"def");
        let mut all = String::new();
        Prefixed::new(b"abc".to_vec(), &b"def"[..]).read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "abcdef");
    }
}
