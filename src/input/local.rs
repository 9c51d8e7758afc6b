//! [`LocalReader`]: a local file, from the page cache at once, from a disk one chunk ahead.

use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio::task::{JoinHandle, coop, spawn_blocking};

use super::cached::read_cached;
use super::counters::{InputCounters, Meter};
use super::extent::Extent;
use super::object::shorter;
use super::reader::poll_read_buffered;

/// Reads a file in chunks.
///
/// Bytes in the page cache are copied in the poll itself: that takes less time than a hand-over
/// from one thread to another. Bytes that come from a disk are read on tokio's blocking pool, so
/// that no worker waits for them. The next chunk is read while one is consumed. The two buffers are
/// used in turn, so no chunk allocates.
///
/// If the reader is dropped, at most one read in flight remains, with its buffer.
#[derive(Debug)]
pub(super) struct LocalReader {
    file: Arc<File>,
    /// The bytes that have not been requested. `None` for a file without a size, which is read
    /// until a read returns nothing.
    extent: Option<Extent>,
    chunk_bytes: usize,
    /// `chunk[consumed..filled]` is what remains of the chunk that is being consumed.
    chunk: Vec<u8>,
    consumed: usize,
    filled: usize,
    /// The other buffer, unless a read is filling it.
    spare: Vec<u8>,
    reading: Option<JoinHandle<io::Result<Filled>>>,
    /// The number of chunks to read ahead before the page cache is tried again.
    ahead: u32,
    meter: Meter,
}

/// The number of chunks that are read ahead after one that was not in the page cache.
const AHEAD: u32 = 16;

/// The result of a read on the blocking pool.
#[derive(Debug)]
struct Filled {
    buffer: Vec<u8>,
    filled: usize,
    /// The bytes that were requested but not read, because the file has ended.
    missing: usize,
}

impl LocalReader {
    /// Reads these bytes of a regular file, or any other file to its end.
    pub(super) async fn new(
        file: File,
        extent: Extent,
        chunk_bytes: usize,
        counters: Arc<InputCounters>,
    ) -> io::Result<Self> {
        let file = Arc::new(file);
        // Pipes and devices are listed with size 0. The file's type is not queried for other sizes:
        // that would take as long as to read a small file.
        let has_size = extent.left_in_object() > 0 || {
            let asked = Arc::clone(&file);
            spawn_blocking(move || asked.metadata()).await??.is_file()
        };
        Ok(LocalReader {
            file,
            extent: has_size.then_some(extent),
            chunk_bytes,
            chunk: Vec::new(),
            consumed: 0,
            filled: 0,
            spare: Vec::new(),
            reading: None,
            ahead: 0,
            meter: Meter::new(counters),
        })
    }

    /// The length of the next chunk.
    fn next_len(&self) -> usize {
        self.extent.as_ref().map_or(usize::MAX, Extent::left).min(self.chunk_bytes)
    }

    /// Reads the next chunk, or the part of it that is in the page cache. To be called when the
    /// last chunk has been consumed. False if nothing was read.
    fn read_cached(&mut self) -> io::Result<bool> {
        let (asked @ 1.., Some(extent)) = (self.next_len(), &mut self.extent) else {
            return Ok(false);
        };
        if self.chunk.len() < asked {
            self.chunk = vec![0; asked];
        }
        let Some(read) = read_cached(&self.file, &mut self.chunk[..asked], extent.at()) else {
            return Ok(false);
        };
        if read == 0 {
            return Err(shorter(extent.at(), extent.end()));
        }
        extent.take(read);
        self.meter.add_bytes(read);
        (self.consumed, self.filled) = (0, read);
        Ok(true)
    }

    /// Starts to read the next chunk into the spare buffer, unless all bytes have been requested.
    fn read_ahead(&mut self) {
        let asked = self.next_len();
        if asked == 0 {
            return;
        }
        let mut buffer = mem::take(&mut self.spare);
        if buffer.len() < asked {
            // This is the buffer's first use, or the chunks grow past the end of a range.
            buffer = vec![0; asked];
        }
        let file = Arc::clone(&self.file);
        self.reading = Some(match &mut self.extent {
            Some(extent) => {
                let at = extent.take(asked).start;
                spawn_blocking(move || {
                    let filled = fill_at(&file, &mut buffer[..asked], at)?;
                    Ok(Filled { buffer, filled, missing: asked - filled })
                })
            }
            None => spawn_blocking(move || {
                let filled = retry(|| (&*file).read(&mut buffer))?;
                Ok(Filled { buffer, filled, missing: 0 })
            }),
        });
    }
}

impl AsyncBufRead for LocalReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.consumed == this.filled {
            if this.reading.is_none() {
                // Nothing past the end of a range is read ahead.
                if this.next_len() == 0 && !this.extent.as_mut().is_some_and(Extent::extend) {
                    break;
                }
                if this.ahead == 0 {
                    // A reader that is always ready would keep other tasks from this thread for the
                    // whole file.
                    let turn = ready!(coop::poll_proceed(cx));
                    if this.read_cached()? {
                        turn.made_progress();
                        break;
                    }
                    this.ahead = AHEAD;
                }
                this.read_ahead();
            }
            let Some(reading) = &mut this.reading else { break };
            let joined = ready!(this.meter.observe(Pin::new(reading).poll(cx)));
            this.reading = None;
            let read = joined??;
            this.meter.add_bytes(read.filled);
            match &this.extent {
                Some(extent) if read.missing > 0 => {
                    return Poll::Ready(Err(shorter(extent.at() - read.missing as u64, extent.end())));
                }
                None if read.filled == 0 => this.extent = Some(Extent::whole(0)),
                _ => (),
            }
            this.spare = mem::replace(&mut this.chunk, read.buffer);
            (this.consumed, this.filled) = (0, read.filled);
            this.ahead = this.ahead.saturating_sub(1);
            // A read of a FIFO may wait for ever and can't be cancelled, so it starts only when its
            // bytes are wanted.
            if this.extent.is_some() && this.ahead > 0 {
                this.read_ahead();
            }
        }
        Poll::Ready(Ok(&this.chunk[this.consumed..this.filled]))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.consumed = self.filled.min(self.consumed + amount);
    }
}

impl AsyncRead for LocalReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        poll_read_buffered(self, cx, out)
    }
}

impl Drop for LocalReader {
    fn drop(&mut self) {
        // This cancels a read that has not begun.
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

/// Fills the buffer from byte `at` on. It gets fewer bytes only at the end of the file.
///
/// The reads are positional, because the store's handle may have a cursor that others move.
fn fill_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match retry(|| read_at(file, &mut buffer[filled..], at + filled as u64))? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Repeats a read that a signal has interrupted.
fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            result => return result,
        }
    }
}
