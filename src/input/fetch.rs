//! [`Fetch`]: a range of an object's bytes, with retries.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::GetResult;
use tokio::task::consume_budget;
use tokio::time::{Instant, sleep, timeout_at};

use super::object::{Failure, Object};
use crate::error::Result;

/// The number of requests in a row without a byte after which the last one's error is returned.
///
/// object_store's clients try each request ten times themselves. The failures that get past them
/// are mostly broken bodies, and the next request normally succeeds. The other tries are for stores
/// that don't retry.
const TRIES: u32 = 5;

/// The first pause is this part of [`Limits::stall`](crate::budget::Limits::stall): 0.1 s by
/// default. Each further pause is twice as long: 1.5 s in all.
const PAUSES_PER_STALL: u32 = 600;

/// No more requests are sent once no byte has come for this many times
/// [`Limits::stall`](crate::budget::Limits::stall): 180 s by default, as long as object_store's
/// clients retry a request.
const STALLS: u32 = 3;

/// The bytes of a range, frame by frame.
///
/// If a body breaks, ends early or stalls, the next request begins at the first missing byte. A
/// request that brings a byte doesn't count as a failed try, so a range may take any number of
/// those.
pub(super) struct Fetch {
    object: Arc<Object>,
    /// The first missing byte.
    at: u64,
    end: u64,
    body: Option<Body>,
    /// The number of requests since the last byte.
    tries: u32,
    /// When the last byte came, or the caller began to wait for the next frame.
    since: Instant,
    /// Whether the whole object is requested, because its store doesn't answer requests for ranges.
    is_unranged: bool,
}

struct Body {
    frames: BoxStream<'static, object_store::Result<Bytes>>,
    /// The number of bytes to skip before those that are wanted.
    skip: u64,
}

impl Fetch {
    pub(super) fn new(object: Arc<Object>, range: Range<u64>) -> Self {
        Fetch {
            object,
            at: range.start,
            end: range.end,
            body: None,
            tries: 0,
            since: Instant::now(),
            is_unranged: false,
        }
    }

    /// Sends the first request, and retries it until it is answered.
    ///
    /// If the store doesn't answer requests for ranges, the whole object is requested and read to
    /// its end.
    pub(super) async fn open(&mut self) -> Result<GetResult> {
        loop {
            match self.request().await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Unranged(_)) if !self.is_unranged => {
                    self.is_unranged = true;
                    self.end = self.object.size();
                }
                Err(failure) => self.interrupted(failure).await?,
            }
        }
    }

    /// Whether the whole object is being read with one request, up to its end.
    pub(super) fn is_unranged(&self) -> bool {
        self.is_unranged
    }

    /// The number of missing bytes.
    pub(super) fn left(&self) -> usize {
        (self.end - self.at) as usize
    }

    /// Sets the answer whose body is read next.
    pub(super) fn read(&mut self, answer: GetResult) {
        let skip = if self.is_unranged { self.at } else { 0 };
        self.body = Some(Body { frames: answer.into_stream().fuse().boxed(), skip });
    }

    /// Closes the connection. The next frame takes another request, for the missing bytes.
    pub(super) fn close(&mut self) {
        self.body = None;
    }

    /// The next bytes; `None` after the last ones.
    pub(super) async fn frame(&mut self) -> Result<Option<Bytes>> {
        // The time since the last frame is the caller's, not the store's.
        self.since = Instant::now();
        loop {
            if self.at == self.end {
                return self.end().map(|()| None);
            }
            match self.body_frame().await {
                Ok(frame) => return Ok(Some(frame)),
                Err(failure) => self.interrupted(failure).await?,
            }
        }
    }

    async fn request(&mut self) -> Result<GetResult, Failure> {
        self.tries += 1;
        let range = if self.is_unranged { 0..self.object.size() } else { self.at..self.end };
        self.object.get(range).await
    }

    async fn body_frame(&mut self) -> Result<Bytes, Failure> {
        if self.body.is_none() {
            let answer = self.request().await?;
            self.read(answer);
        }
        let stall = self.object.stall();
        let mut deadline = Instant::now() + stall;
        while let Some(body) = &mut self.body {
            let mut frame = match timeout_at(deadline, body.frames.next()).await {
                Ok(Some(frame)) => frame?,
                Ok(None) => break,
                Err(_) => return Err(Failure::stalled(stall)),
            };
            self.object.counters().add_bytes(frame.len());
            let skipped = body.skip.min(frame.len() as u64);
            body.skip -= skipped;
            frame.advance(skipped as usize);
            if frame.len() as u64 > self.end - self.at {
                return Err(Failure::Final(too_long(self.end)));
            }
            if !frame.is_empty() {
                self.at += frame.len() as u64;
                (self.tries, self.since) = (0, Instant::now());
                return Ok(frame);
            }
            match skipped {
                0 if Instant::now() >= deadline => return Err(Failure::stalled(stall)),
                0 => consume_budget().await,
                _ => deadline = Instant::now() + stall,
            }
        }
        Err(Failure::Transient(too_short(self.at, self.end)))
    }

    /// Checks that the body has no more bytes after the last one of the range.
    fn end(&mut self) -> Result<()> {
        let rest = self.body.take().and_then(|mut body| body.frames.next().now_or_never());
        match rest {
            Some(Some(Ok(frame))) if !frame.is_empty() => Err(too_long(self.end).into()),
            _ => Ok(()),
        }
    }

    /// Waits before the next request, or returns the error if there is to be none.
    async fn interrupted(&mut self, failure: Failure) -> Result<()> {
        self.body = None;
        let cause = match failure {
            Failure::Final(error) => return Err(error.into()),
            Failure::Transient(cause) | Failure::Unranged(cause) => cause,
        };
        let (stall, waited) = (self.object.stall(), self.since.elapsed());
        if self.tries >= TRIES || waited >= STALLS * stall {
            let text = format!(
                "no byte came from byte {} on, with {} tries in {waited:.1?}, of which the last: {cause}",
                self.at, self.tries
            );
            return Err(io::Error::new(cause.kind(), text).into());
        }
        self.object.counters().add_retry();
        if let Some(doublings) = self.tries.checked_sub(1) {
            sleep(stall / PAUSES_PER_STALL * 2_u32.pow(doublings)).await;
        }
        Ok(())
    }
}

fn too_short(at: u64, end: u64) -> io::Error {
    let text = format!("the answer ended at byte {at}, it was to end at byte {end}");
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

fn too_long(end: u64) -> io::Error {
    let text = format!("the answer goes on at byte {end}, where it was to end");
    io::Error::new(io::ErrorKind::InvalidData, text)
}
