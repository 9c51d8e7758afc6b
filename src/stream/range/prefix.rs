//! The prefix of a range: all bytes before it, which decide where it starts.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::file::FileRanges;
use crate::error::Result;
use crate::parse::{RecordCounter, RecordStart};

impl FileRanges {
    /// Reads all bytes before the first record at or after byte `at`.
    pub(super) async fn scan_prefix(&self, at: u64) -> Result<Option<RecordStart>> {
        let mut counter = RecordCounter::new(&self.dialect, self.limits.max_record_bytes());
        let mut reader = self.open(0..at + 1).await?;
        // The counter's own count lags as long as it waits for the rest of a BOM.
        let mut read = 0;
        loop {
            let chunk = reader.fill_buf().await?;
            if chunk.is_empty() {
                counter.finish()?;
                return Ok(None);
            }
            let before = at.saturating_sub(read).min(chunk.len() as u64) as usize;
            read += chunk.len() as u64;
            if before > 0 {
                counter.push(&chunk[..before])?;
            }
            if let Some(start) = counter.first_record_start_at_or_after(at, &chunk[before..])? {
                return Ok(Some(start));
            }
            consume(&mut reader).await?;
        }
    }
}

/// Passes the bytes that the reader shows, and lets others on its thread have their turn.
async fn consume(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<()> {
    let shown = reader.fill_buf().await?.len();
    reader.consume(shown);
    tokio::task::consume_budget().await;
    Ok(())
}
