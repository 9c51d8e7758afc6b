//! [`Head`]: the memory that a compressed stream needs, from its head, before the decoder allocates
//! it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::compression::Compression;
use super::counters::InputCounters;
use super::reader::poll_read_buffered;
use crate::budget::Limits;
use crate::error::{Error, ErrorKind};

/// The longest zstd frame header (RFC 8878, section 3.1.1.1) with its magic number.
const HEAD_BYTES: usize = 18;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest decompressed zstd block. The decoder holds three of them, the window, and its
/// context.
const ZSTD_BLOCK_BYTES: usize = 128 << 10;
const ZSTD_CONTEXT_BYTES: usize = 160 << 10;

/// zlib's decoder: a window of 32 KiB, and its tables.
const GZIP_BYTES: usize = 64 << 10;

/// The reader of a compressed stream. It looks at the first bytes that pass, and refuses a stream
/// that would take too much memory.
///
/// zstd's decoder checks the window of each frame itself, but only the error here can tell its
/// size. bzip2's decoder checks nothing. xz's checks all that it allocates, so its head is not
/// looked at.
pub(super) struct Head {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    compression: Compression,
    limits: Limits,
    counters: Arc<InputCounters>,
    /// The first bytes: `passed` of them have been consumed, and `peeked` more have been shown.
    head: [u8; HEAD_BYTES],
    passed: usize,
    peeked: usize,
}

impl Head {
    pub(super) fn new(
        reader: impl AsyncBufRead + Send + 'static,
        compression: Compression,
        limits: Limits,
        counters: Arc<InputCounters>,
    ) -> Self {
        Head {
            reader: Box::pin(reader),
            compression,
            limits,
            counters,
            head: [0; HEAD_BYTES],
            passed: 0,
            peeked: 0,
        }
    }
}

impl AsyncBufRead for Head {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Head { reader, compression, limits, counters, head, passed, peeked } = self.get_mut();
        // Wrapped, so that the reader's errors can be told from the decoder's.
        let available =
            ready!(reader.as_mut().poll_fill_buf(cx)).map_err(|error| io::Error::from(Error::from(error)))?;
        if *passed < HEAD_BYTES {
            *peeked = available.len().min(HEAD_BYTES - *passed);
            let known = *passed + *peeked;
            head[*passed..known].copy_from_slice(&available[..*peeked]);
            if let Some(bytes) = check(*compression, &head[..known], limits)? {
                counters.set_decoder_bytes(bytes);
            }
        }
        Poll::Ready(Ok(available))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let passing = amount.min(self.peeked);
        self.passed += passing;
        self.peeked -= passing;
        self.reader.as_mut().consume(amount);
    }
}

impl AsyncRead for Head {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}

/// The most bytes that a decoder holds.
pub(super) fn decoder_bytes(compression: Compression, limits: &Limits) -> usize {
    match compression {
        Compression::None => 0,
        Compression::Gzip => GZIP_BYTES,
        Compression::Bzip2 | Compression::Xz | Compression::Zstd => limits.window_bytes(),
    }
}

/// The logarithm of the largest zstd window with which the decoder holds no more than
/// [`Limits::window_bytes`].
pub(super) fn zstd_window_log_max(limits: &Limits) -> u32 {
    // These are zstd's own bounds.
    let (least, most) = (10, if usize::BITS < 64 { 30 } else { 31 });
    (least..=most).rev().find(|log| zstd_bytes(1 << log) <= limits.window_bytes()).unwrap_or(least)
}

/// The error for a decoder that would take too much memory.
pub(super) fn too_large(what: &str, limits: &Limits) -> Error {
    Error::new(ErrorKind::Memory {
        what: format!("{what}, for which there are {} bytes,", limits.window_bytes()),
        limit: limits.memory_limit(),
        option: "memory_limit",
    })
}

/// The number of bytes that the decoder will hold, once enough of the head is known.
fn check(compression: Compression, head: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
    let most = limits.window_bytes();
    Ok(match compression {
        // xz's decoder may use all that it is allowed to.
        Compression::None | Compression::Gzip | Compression::Xz => Some(decoder_bytes(compression, limits)),
        Compression::Zstd => match zstd_window(head) {
            Some(window) if window > 1 << zstd_window_log_max(limits) => {
                return Err(too_large(&format!("a zstd window of {window} bytes"), limits));
            }
            window => window.map(|window| zstd_bytes(window as usize)),
        },
        Compression::Bzip2 => match bzip2_bytes(head) {
            Some(bytes) if bytes > most => {
                return Err(too_large(&format!("a bzip2 decoder of {bytes} bytes"), limits));
            }
            bytes => bytes,
        },
    })
}

/// The number of bytes that zstd's decoder holds for a window.
fn zstd_bytes(window: usize) -> usize {
    window + 3 * window.min(ZSTD_BLOCK_BYTES) + ZSTD_CONTEXT_BYTES
}

/// The window of a zstd frame, if the head is long enough to tell it (RFC 8878, section 3.1.1.1).
fn zstd_window(head: &[u8]) -> Option<u64> {
    let (magic, header) = head.split_at_checked(4)?;
    let (&descriptor, header) = header.split_first()?;
    if magic != ZSTD_MAGIC {
        return None;
    }
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let window = header.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // The window is as large as the content, whose size follows the dictionary's id.
    let content_size = header.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
    Some(match descriptor >> 6 {
        0 => u64::from(*content_size.first()?),
        1 => u64::from(u16::from_le_bytes(*content_size.first_chunk()?)) + 256,
        2 => u64::from(u32::from_le_bytes(*content_size.first_chunk()?)),
        _ => u64::from_le_bytes(*content_size.first_chunk()?),
    })
}

/// The number of bytes that bzip2's decoder allocates for the block size in the head: four for each
/// byte of a block, and 64 KiB.
fn bzip2_bytes(head: &[u8]) -> Option<usize> {
    match head {
        [b'B', b'Z', b'h', level @ b'1'..=b'9', ..] => {
            Some(usize::from(level - b'0') * 100_000 * 4 + (64 << 10))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_zstd_frame_gives_its_window() {
        let frame = |rest: &[u8]| zstd_window(&[&ZSTD_MAGIC[..], rest].concat());
        assert_eq!(frame(&[0x00, 0x00]), Some(1 << 10));
        assert_eq!(frame(&[0x04, 17 << 3]), Some(128 << 20));
        assert_eq!(frame(&[0x80, 13 << 3 | 4, 1, 2, 3, 4]), Some(12 << 20));
        assert_eq!(frame(&[0x20, 200]), Some(200));
        assert_eq!(frame(&[0x20 | 0x01 | 0x40, 9, 1, 0]), Some(257));
        assert_eq!(frame(&[0x20 | 0x03 | 0x80, 9, 9, 9, 9, 0, 0, 0, 1]), Some(1 << 24));
        assert_eq!(frame(&[0x20 | 0xc0, 0, 0, 0, 0, 1, 0, 0, 0]), Some(1 << 32));
        for part in [&[][..], &[0x00], &[0x20 | 0xc0, 0, 0, 0, 0, 1, 0, 0], &[0x20 | 0x03 | 0x80, 9, 9]] {
            assert_eq!(frame(part), None);
        }
        assert_eq!(zstd_window(b"(\xb5/"), None);
        assert_eq!(zstd_window(b"a,b,c,d\n"), None);
    }

    #[test]
    fn the_default_limit_has_room_for_what_it_says() {
        assert_eq!(zstd_window_log_max(&Limits::default()), 22);
        assert!(bzip2_bytes(b"BZh9").unwrap() <= Limits::default().window_bytes());
        assert_eq!(bzip2_bytes(b"BZh0"), None);
        assert_eq!(bzip2_bytes(b"BZh"), None);
    }

    #[test]
    fn a_larger_limit_has_room_for_a_larger_window() {
        for (memory_limit, log) in
            [(1 << 20, 16), (4 << 20, 21), (8 << 20, 22), (64 << 20, 25), (300 << 20, 28)]
        {
            assert_eq!(zstd_window_log_max(&Limits::new(memory_limit, None).unwrap()), log, "{memory_limit}");
        }
    }
}
