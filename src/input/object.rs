//! One object of a store, from its first byte to its last.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore};
use tokio_util::io::StreamReader;

use super::compression::Compression;
use super::counters::{InputCounters, Meter};
use super::decompress::decompress_counted;
use super::local::LocalReader;
use super::reader::Input;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

/// Opens an object with one request and reads it as it was listed in `meta`.
///
/// Bytes that a store streams are handed on as they come. A local file is read in chunks of
/// [`Limits::chunk_bytes`]: from the page cache at once, else on tokio's blocking pool, one chunk ahead. A local file that is no regular one, a FIFO say, is
/// read to its end: it has no size. Must be called, and read, in a tokio runtime.
///
/// The object may change after it was listed:
///
/// * Where `meta` has an ETag, opening fails if the object has another one by now. The ETag of a local file is made of
///   its inode, size and time of modification, so that this includes a file that was appended to.
/// * A local file that grows once it is open, or that was listed without an ETag, ends where it ended when it was listed.
/// * Any other difference to `meta.size` is an error when it is met.
///
/// # Errors
///
/// What the store says, with the object's path. What is found later comes out of the [`Input`].
pub async fn open(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    compression: Compression,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Result<Input> {
    let path = meta.location.as_ref();
    let bytes = get(store, meta, 0..meta.size, limits, Arc::clone(&counters))
        .await
        .map_err(|error| error.with_path(path))?;
    Ok(decompress_counted(bytes, compression, limits, counters).with_path(path))
}

/// A range of the object's bytes, as they are stored.
pub(super) async fn get(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    range: Range<u64>,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Result<Input> {
    // Writing to a FIFO changes its ETag. It is listed with size 0, and of an object that is really empty nothing is
    // read whatever it has become.
    // A weak ETag matches nothing (RFC 9110, section 13.1.1).
    let e_tag = meta.e_tag.clone().filter(|e_tag| meta.size > 0 && !e_tag.starts_with("W/"));
    let started = Instant::now();
    counters.add_request();
    let part = (range != (0..meta.size)).then(|| GetRange::Bounded(range.clone()));
    let options = GetOptions::new().with_if_match(e_tag).with_range(part);
    let result = store.get_opts(&meta.location, options).await.map_err(store_error)?;
    let reader = match result.payload {
        GetResultPayload::File(file, _) => {
            Input::new(LocalReader::new(file, range, limits.chunk_bytes(), Arc::clone(&counters)).await?)
        }
        GetResultPayload::Stream(stream) => Input::new(StreamReader::new(Body {
            stream: stream.fuse().boxed(),
            read: range.start,
            end: range.end,
            meter: Meter::new(Arc::clone(&counters)),
        })),
    };
    counters.add_wait(started);
    Ok(reader)
}

/// The frames of an object's body, or of a range of it, which have to add up to its size.
struct Body {
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    /// The next byte's offset in the object.
    read: u64,
    end: u64,
    meter: Meter,
}

impl Stream for Body {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream.as_mut().poll_next(cx);
        Poll::Ready(match ready!(self.meter.observe(polled)) {
            Some(Ok(frame)) => {
                self.meter.add_bytes(frame.len());
                self.read += frame.len() as u64;
                Some(if self.read > self.end { Err(longer(self.read, self.end)) } else { Ok(frame) })
            }
            Some(Err(error)) => Some(Err(store_error(error).into())),
            None if self.read < self.end => Some(Err(shorter(self.read, self.end))),
            None => None,
        })
    }
}

/// The error for an object that ends before the size with which it was listed.
pub(super) fn shorter(read: u64, size: u64) -> io::Error {
    let text =
        format!("the object ended at byte {read} of {size}: truncated or replaced since it was listed?");
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

fn longer(read: u64, size: u64) -> io::Error {
    let text =
        format!("the object goes on at byte {read}, it was listed with {size} bytes: replaced since then?");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn store_error(error: object_store::Error) -> Error {
    Error::new(ErrorKind::Io(match error {
        object_store::Error::Precondition { .. } => {
            io::Error::other(format!("the object has changed since it was listed; list it again ({error})"))
        }
        error => error.into(),
    }))
}
