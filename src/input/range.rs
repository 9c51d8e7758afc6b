//! An object from some byte on, as far as it is wanted.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::counters::InputCounters;
use super::object::get;
use super::reader::{Input, poll_read_buffered};
use crate::error::Result;
use crate::limits::Limits;

/// Bytes that the first request behind a range asks for: some records of most files. Each further one asks for twice as
/// many.
const FIRST_BYTES_BEHIND: u64 = 64 << 10;

/// Opens an object that isn't compressed at the range's first byte.
///
/// The range is read with one request. Who reads on behind its end gets the bytes that follow, to the end of the object,
/// with further requests. Otherwise as [`open`](super::open).
///
/// # Errors
///
/// What the store says, with the object's path. What is found later comes out of the [`Input`].
pub async fn open_range(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    range: Range<u64>,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Result<Input> {
    let path = meta.location.as_ref();
    let end = range.end.min(meta.size);
    let source = Source { store: Arc::clone(store), meta: meta.clone(), limits: *limits, counters };
    let part = source.clone().get(range.start.min(end)..end).await.map_err(|error| error.with_path(path))?;
    Ok(Input::new(OpenEnd { source, part, end, more: FIRST_BYTES_BEHIND, next: None }).with_path(path))
}

#[derive(Clone)]
struct Source {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
    limits: Limits,
    counters: Arc<InputCounters>,
}

impl Source {
    async fn get(self, range: Range<u64>) -> Result<Input> {
        get(&self.store, &self.meta, range, &self.limits, self.counters).await
    }
}

/// One part of an object after the other.
struct OpenEnd {
    source: Source,
    part: Input,
    /// Where the part ends.
    end: u64,
    /// Bytes of the next part.
    more: u64,
    /// The next part, while it is being opened.
    next: Option<BoxFuture<'static, Result<Input>>>,
}

impl OpenEnd {
    /// Goes on to a part in which there are bytes left, or to the last one.
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(next) = &mut self.next {
                self.part = ready!(next.as_mut().poll(cx))?;
                self.next = None;
            }
            let is_empty = ready!(Pin::new(&mut self.part).poll_fill_buf(cx))?.is_empty();
            if !is_empty || self.end >= self.source.meta.size {
                return Poll::Ready(Ok(()));
            }
            let end = self.end.saturating_add(self.more).min(self.source.meta.size);
            self.next = Some(Box::pin(self.source.clone().get(self.end..end)));
            (self.end, self.more) = (end, self.more.saturating_mul(2));
        }
    }
}

impl AsyncBufRead for OpenEnd {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_part(cx))?;
        Pin::new(&mut this.part).poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        Pin::new(&mut self.get_mut().part).consume(amount);
    }
}

impl AsyncRead for OpenEnd {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}
