//! [`Fetch`]: some bytes of an object, whatever interrupts them.

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

/// Requests in a row of which none brings a byte, after which the last one's error is the answer.
///
/// object_store's clients try each request ten times themselves. What gets past them is mostly a body that has broken,
/// and after that the next request normally serves; the others are for stores that don't try again.
const TRIES: u32 = 5;

/// The part of [`Limits::stall`](crate::budget::Limits::stall) for which is waited after the first request without a byte,
/// 0.1 s by default. Each further pause is twice as long: 1.5 s in all.
const PAUSES_PER_STALL: u32 = 600;

/// How many times [`Limits::stall`](crate::budget::Limits::stall) may pass without a byte before no more requests are
/// sent: 180 s by default, for which object_store's clients try a request too.
const STALLS: u32 = 3;

/// The bytes of a range, frame by frame.
///
/// Where a body breaks, ends early or stalls, the next request begins at the first byte that is missing. A request that
/// brings a byte is no try in vain, so a range may take any number of those.
pub(super) struct Fetch {
    object: Arc<Object>,
    /// The first byte that is missing.
    at: u64,
    end: u64,
    body: Option<Body>,
    /// Requests since the last byte.
    tries: u32,
    /// When the last byte came.
    since: Instant,
    /// Whether the object is asked for as a whole, as its store gives no parts.
    is_unranged: bool,
}

struct Body {
    frames: BoxStream<'static, object_store::Result<Bytes>>,
    /// Bytes that stand before those that are wanted.
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

    /// Sends the first request, until it is answered.
    ///
    /// A store that gives no parts of objects is asked for the whole one, which is then read to its end.
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

    /// Whether all of the object is being read, up to its end, with one request.
    pub(super) fn is_unranged(&self) -> bool {
        self.is_unranged
    }

    /// How many bytes are missing.
    pub(super) fn left(&self) -> usize {
        (self.end - self.at) as usize
    }

    /// Goes on with an answer.
    pub(super) fn read(&mut self, answer: GetResult) {
        let skip = if self.is_unranged { self.at } else { 0 };
        self.body = Some(Body { frames: answer.into_stream().fuse().boxed(), skip });
    }

    /// The next bytes; `None` once all are there.
    pub(super) async fn frame(&mut self) -> Result<Option<Bytes>> {
        // The time in which nobody asked is not the store's.
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

    /// All bytes are there: what the body has beyond them is none of the object's.
    fn end(&mut self) -> Result<()> {
        let rest = self.body.take().and_then(|mut body| body.frames.next().now_or_never());
        match rest {
            Some(Some(Ok(frame))) if !frame.is_empty() => Err(too_long(self.end).into()),
            _ => Ok(()),
        }
    }

    /// Waits before the next request, if there is to be one.
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
