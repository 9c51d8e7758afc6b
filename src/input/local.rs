//! A local file: from the page cache at once, from a disk one chunk ahead.

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
/// What the operating system has in memory is copied by whoever polls: that takes less than to hand it from one thread to
/// another one. What has to come from a disk is read on tokio's blocking pool, so that no worker waits for it: while one
/// chunk is consumed, the next one is read. Two buffers go back and forth then; no chunk is allocated.
///
/// Dropping the reader leaves at most the one read that is in flight, and its buffer, behind.
#[derive(Debug)]
pub(super) struct LocalReader {
    file: Arc<File>,
    /// The bytes that have not been asked for; `None` for a file without a size, which is read until a read gives nothing.
    extent: Option<Extent>,
    chunk_bytes: usize,
    /// The chunk that is being consumed is `chunk[consumed..filled]`.
    chunk: Vec<u8>,
    consumed: usize,
    filled: usize,
    /// The other buffer, while it isn't being read into.
    spare: Vec<u8>,
    reading: Option<JoinHandle<io::Result<Filled>>>,
    /// How many chunks are still to be read ahead before the page cache is asked again.
    ahead: u32,
    meter: Meter,
}

/// Chunks that are read ahead once one was not in the page cache.
const AHEAD: u32 = 16;

/// A read that has come back.
#[derive(Debug)]
struct Filled {
    buffer: Vec<u8>,
    filled: usize,
    /// Bytes that were asked for and are not there: the file has ended.
    missing: usize,
}

impl LocalReader {
    /// Reads these bytes of a regular file, and any other file to its end.
    pub(super) async fn new(
        file: File,
        extent: Extent,
        chunk_bytes: usize,
        counters: Arc<InputCounters>,
    ) -> io::Result<Self> {
        let file = Arc::new(file);
        // Pipes and devices are listed with size 0. To ask each file would cost as much as to read a small one.
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

    /// Bytes of the next chunk.
    fn next_len(&self) -> usize {
        self.extent.as_ref().map_or(usize::MAX, Extent::left).min(self.chunk_bytes)
    }

    /// Reads the next chunk, or what of it is in the page cache, once the last one has been consumed; says if it has.
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

    /// Starts to read the next chunk into the spare buffer, unless all has been asked for.
    fn read_ahead(&mut self) {
        let asked = self.next_len();
        if asked == 0 {
            return;
        }
        let mut buffer = mem::take(&mut self.spare);
        if buffer.len() < asked {
            // What is left only shrinks, so this is each buffer's first use.
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
                // Nothing behind the end of a range is read ahead.
                if this.next_len() == 0 && !this.extent.as_mut().is_some_and(Extent::extend) {
                    break;
                }
                if this.ahead == 0 {
                    // Always ready, it would keep others on this thread from their turn for the whole file.
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
            // A FIFO's read can wait for ever, and can't be called back: it is begun only when it is wanted.
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
        // A read that has not begun won't.
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

/// Fills the buffer from byte `at` on; gives fewer bytes only where the file ends.
///
/// Positional, as the store may have given a handle whose cursor others move.
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

/// Reads again when a signal came in between.
fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            result => return result,
        }
    }
}
