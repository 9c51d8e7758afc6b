//! Decompression in bounded memory. A truncated or corrupt input is always an error.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_compression::codecs::lzma::params::LzmaDecoderParams;
use async_compression::codecs::{self, Xz2Decoder};
use async_compression::tokio::bufread::{BzDecoder, GzipDecoder, LzmaDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::Bytes;
use futures::stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio_util::io::StreamReader;

use super::ahead::Ahead;
use super::compression::Compression;
use super::counters::InputCounters;
use super::head::{Head, too_large, zstd_window_log_max};
use super::reader::Input;
use crate::budget::Limits;
use crate::error::Error;

/// liblzma's `LZMA_CONCATENATED`: decodes all streams of a file, and the padding between them.
/// async-compression's own loop over streams miscounts padding that is split between two chunks.
const LZMA_CONCATENATED: u32 = 0x08;

/// Decompresses a stream on a task of its own, which runs ahead of the reader by half of
/// [`Limits::chunk_bytes`]. Must be read in a tokio runtime.
///
/// A file may consist of any number of members (streams, frames), as `cat a.gz b.gz` makes them.
/// Only another member may follow the last one: any other bytes are an error, zeros included. The
/// tools `gzip` and `bzip2` warn of such trailing garbage and go on. Padding with zeros is accepted
/// where the format has it: after xz streams, in multiples of four bytes. An empty file is a
/// truncated one.
///
/// # Errors
///
/// They come out of the [`Input`]:
///
/// * The compressed data ends early, even if by one byte.
/// * The compressed data is corrupt.
/// * Decompression takes more than [`Limits::window_bytes`]. This is an
///   [`ErrorKind::Memory`](crate::error::ErrorKind::Memory), which tells the bytes that it takes if
///   they are known. The default limit is enough for zstd up to level 16, xz up to level 4, and all
///   of bzip2 and gzip.
pub fn decompress(
    reader: impl AsyncBufRead + Send + 'static,
    compression: Compression,
    limits: &Limits,
    counters: Arc<InputCounters>,
) -> Input {
    if compression == Compression::None {
        return Input::new(reader, 0);
    }
    let reader = Head::new(reader, compression, *limits, counters);
    let decoder: Pin<Box<dyn AsyncRead + Send>> = match compression {
        Compression::None => Box::pin(reader),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Compression::Bzip2 => {
            let mut decoder = BzDecoder::new(reader);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
        Compression::Xz => {
            let mem_limit = limits.window_bytes() as u64;
            let params = LzmaDecoderParams::Stream { mem_limit, flags: LZMA_CONCATENATED };
            match Xz2Decoder::try_from(params) {
                Ok(codec) => Box::pin(LzmaDecoder::with_codec(reader, codecs::LzmaDecoder::from(codec))),
                Err(error) => {
                    Box::pin(StreamReader::new(stream::iter([Err::<Bytes, _>(io::Error::from(error))])))
                }
            }
        }
        Compression::Zstd => {
            let window = DParameter::window_log_max(zstd_window_log_max(limits));
            let mut decoder = ZstdDecoder::with_params(reader, &[window]);
            decoder.multiple_members(true);
            Box::pin(decoder)
        }
    };
    let explained = Explained { decoder, compression, limits: *limits };
    Input::new(Ahead::new(Box::pin(explained), limits.chunk_bytes()), limits.chunk_bytes())
}

/// A decoder whose errors tell what is wrong with the input.
struct Explained {
    decoder: Pin<Box<dyn AsyncRead + Send>>,
    compression: Compression,
    limits: Limits,
}

impl AsyncRead for Explained {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.decoder
            .as_mut()
            .poll_read(cx, out)
            .map_err(|error| explain(error, self.compression, &self.limits))
    }
}

fn explain(error: io::Error, compression: Compression, limits: &Limits) -> io::Error {
    // An [`Error`] came from the reader below, not from the decoder.
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        return error;
    }
    let text = error.to_string();
    match (compression, error.kind()) {
        // The codecs' error types can be told apart by their texts only.
        (Compression::Zstd, _) if text.contains("requires too much memory") => {
            too_large("a zstd window", limits).into()
        }
        (Compression::Xz, _) if text.contains("memory limit reached") => {
            too_large("an xz dictionary", limits).into()
        }
        // bzip2 and liblzma report "out of memory" if they could go on with more input.
        (_, kind @ (io::ErrorKind::UnexpectedEof | io::ErrorKind::OutOfMemory)) => io::Error::new(
            kind,
            format!(
                "the {compression} data ends in the middle: is the file truncated, or still being written?"
            ),
        ),
        _ => io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "corrupt {compression} data, or none: {text}; check the file, and the option compression"
            ),
        ),
    }
}
