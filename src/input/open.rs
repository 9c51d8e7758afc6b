//! [`open`] and [`open_range`]: inputs over an object of a store.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use object_store::{GetResultPayload, ObjectMeta, ObjectStore};

use super::compression::Compression;
use super::counters::InputCounters;
use super::decompress::decompress;
use super::extent::Extent;
use super::fetch::Fetch;
use super::head::decoder_bytes;
use super::local::LocalReader;
use super::object::Object;
use super::read_ahead::ReadAhead;
use super::reader::Input;
use super::remote::RemoteReader;
use super::streamed::StreamedReader;
use crate::budget::Limits;
use crate::error::Result;

/// Opens an object and reads it as it was listed in `meta`.
///
/// A local file is opened once and read in chunks of [`Limits::chunk_bytes`]. A chunk that is in
/// the page cache is copied at once. Others are read on tokio's blocking pool, one chunk ahead. A
/// file that is not a regular one, such as a FIFO, has no size and is read to its end.
///
/// An object that a store streams is requested as [`ReadAhead`] says: in blocks, several at once, or
/// with one request whose answer is read as it is wanted. An object of one block is one request
/// without a range. If a body breaks off, or stalls for [`Limits::stall`], or a request fails in a way that may
/// pass, the next request begins at the first missing byte. It is an error if five requests in a
/// row bring no byte, or if none comes for three times [`Limits::stall`]. A failure that no retry
/// can change is an error at once: not found, not permitted, replaced. If a server ignores ranges,
/// the object is read with one request as it comes. Dropping the input ends its requests.
///
/// The object may change after it was listed:
///
/// * If `meta` has an ETag, it is an error if the object has another one when it is opened, or in a
///   later request. The ETag of a local file is made of its inode, size and time of modification.
///   So this includes a file that was appended to.
/// * If `meta` has no ETag, or a weak one, an object that a store streams must have the time of
///   modification of `meta`. All its answers must have the ETag of the first one, if that has a
///   strong one.
/// * A local file that grows after it was opened, or that was listed without an ETag, is read up to
///   its listed size.
/// * Any other difference to `meta.size` is an error when it is met.
///
/// Must be called, and read, in a tokio runtime with its time driver enabled.
///
/// # Errors
///
/// The store's error, with the object's path. Later errors come out of the [`Input`].
pub async fn open(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    compression: Compression,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Result<Input> {
    let path = meta.location.as_ref();
    let read_ahead = ReadAhead::within(limits, decoder_bytes(compression, limits));
    let opening =
        open_extent(store, meta, Extent::whole(meta.size), read_ahead, limits, Arc::clone(&counters));
    let bytes = opening.await.map_err(|error| error.with_path(path))?;
    let buffered_bytes = bytes.buffered_bytes();
    Ok(decompress(bytes, compression, limits, counters).with_path(path).with_more_buffered(buffered_bytes))
}

/// Opens an object that isn't compressed at the range's first byte.
///
/// A reader that goes on past the range's end gets the bytes that follow, up to the end of the
/// object. They take further requests: the first for 64 KiB, each next one for twice as many. All
/// else is as for [`open`].
///
/// # Errors
///
/// The store's error, with the object's path. Later errors come out of the [`Input`].
pub async fn open_range(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    range: Range<u64>,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Result<Input> {
    let path = meta.location.as_ref();
    let extent = Extent::range(range, meta.size);
    let opening = open_extent(store, meta, extent, ReadAhead::within(limits, 0), limits, counters);
    Ok(opening.await.map_err(|error| error.with_path(path))?.with_path(path))
}

/// The bytes of an extent, as they are stored.
async fn open_extent(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    mut extent: Extent,
    read_ahead: ReadAhead,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Result<Input> {
    if meta.size > 0 && extent.left() == 0 && !extent.extend() {
        return Ok(Input::new(tokio::io::empty(), 0));
    }
    let all = extent.clone();
    let object = Arc::new(Object::new(store, meta, limits.stall(), Arc::clone(&counters)));
    let mut first = Fetch::new(Arc::clone(&object), extent.take(read_ahead.first_bytes()));
    let started = Instant::now();
    let answer = first.open().await?;
    counters.add_wait(started);
    Ok(match answer.payload {
        GetResultPayload::File(file, _) => {
            let chunk_bytes = limits.chunk_bytes();
            Input::new(LocalReader::new(file, all, chunk_bytes, counters).await?, 2 * chunk_bytes)
        }
        GetResultPayload::Stream(_) => {
            first.read(answer);
            let buffered_bytes = read_ahead.bytes(all.left_in_object());
            match read_ahead {
                ReadAhead::Blocks { block_bytes, requests } if !first.is_unranged() => {
                    let reader = RemoteReader::new(object, first, extent, block_bytes, requests);
                    Input::new(reader, buffered_bytes)
                }
                _ => {
                    let connection = counters.connections().connect(buffered_bytes);
                    let piece_bytes = limits.chunk_bytes();
                    let reader = StreamedReader::new(object, first, extent, connection, piece_bytes);
                    Input::new(reader, buffered_bytes)
                }
            }
        }
    })
}
