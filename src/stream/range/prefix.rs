//! The prefix of a range: all bytes before it, which decide where it starts.

use std::sync::Arc;

use tokio::io::AsyncBufReadExt;
use tokio::task::JoinSet;

use super::file::FileRanges;
use super::starts::{Found, keep};
use crate::error::{Error, ErrorKind, Result};
use crate::parse::{RecordCounter, RecordStart};

/// Starts are kept at distances of at least 1 MiB.
const LEAST_DISTANCE: u64 = 1 << 20;

/// The most starts that are kept of one file, beside those that ranges ask for: 40 KiB of them.
const MOST_KEPT: u64 = 1024;

impl FileRanges {
    /// Finds the first record at or after byte `at` from all bytes before it.
    pub(super) async fn scan_prefix(&self, at: u64) -> Result<Option<RecordStart>> {
        if at <= LEAST_DISTANCE {
            return self.scan_from(None, at, &mut Vec::new()).await;
        }
        // One scan at a time. It is a task of its own: it gets on while the range that asks for it
        // is not polled, as others wait for it.
        let (file, pass) = (self.clone(), Arc::clone(&self.prefix));
        let mut scan = JoinSet::new();
        scan.spawn(async move { file.scan_on(&mut *pass.found.lock().await, at).await });
        match scan.join_next().await {
            Some(Ok(found)) => found,
            Some(Err(failed)) => Err(Error::new(ErrorKind::Io(failed.into()))),
            None => Ok(None),
        }
    }

    /// Goes on from the last start that has been found before `at`.
    async fn scan_on(&self, found: &mut Vec<Found>, at: u64) -> Result<Option<RecordStart>> {
        let before = found.partition_point(|found| found.at <= at);
        let last = before.checked_sub(1).map(|last| found[last]);
        match last {
            // No record starts between its place and its start.
            Some(Found { start, .. }) if start.is_none_or(|start| start.byte >= at) => Ok(start),
            _ => self.scan_from(last.and_then(|found| found.start), at, found).await,
        }
    }

    /// Counts from a record, or from the front, up to the first record at or after `at`. Keeps
    /// starts on the way.
    async fn scan_from(
        &self,
        from: Option<RecordStart>,
        at: u64,
        kept: &mut Vec<Found>,
    ) -> Result<Option<RecordStart>> {
        let mut counter = RecordCounter::new(&self.dialect, self.limits.max_record_bytes());
        if let Some(from) = from {
            counter = counter.starting_at(from);
        }
        // The counter's own count lags as long as it waits for the rest of a BOM.
        let mut read = from.map_or(0, |from| from.byte);
        let distance = LEAST_DISTANCE.max(self.meta.size / MOST_KEPT);
        let mut next = (read + distance).min(at);
        let mut reader = self.open(read..at + 1).await?;
        loop {
            let chunk = reader.fill_buf().await?;
            if chunk.is_empty() {
                counter.finish()?;
                keep(kept, Found { at: next, start: None });
                return Ok(None);
            }
            let (shown, mut rest) = (chunk.len(), chunk);
            while !rest.is_empty() {
                let before = next.saturating_sub(read).min(rest.len() as u64);
                let (before, after) = rest.split_at(before as usize);
                counter.push(before)?;
                read += before.len() as u64;
                rest = after;
                if rest.is_empty() {
                    break;
                }
                let Some(start) = counter.first_record_start_at_or_after(next, rest)? else {
                    read += rest.len() as u64;
                    break;
                };
                keep(kept, Found { at: next, start: Some(start) });
                if start.byte >= at {
                    return Ok(Some(start));
                }
                rest = &rest[(start.byte - read) as usize..];
                read = start.byte;
                next = (read + distance).min(at);
            }
            reader.consume(shown);
            tokio::task::consume_budget().await;
        }
    }
}
