//! The start of a range: its first record.

use tokio::io::AsyncBufReadExt;

use super::file::FileRanges;
use crate::error::Result;
use crate::parse::RecordStart;
use crate::parse::boundary::{Boundary, BoundaryFinder};

/// Bytes that are looked at first: some records of most files.
const FIRST_LOOK_BYTES: u64 = 64 << 10;

/// How the first record of a range was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// From the bytes around the start: the lines and records before it have not been counted.
    Proof,
    /// From all bytes before it.
    PrefixScan,
}

impl FileRanges {
    /// The first record at or after byte `at`.
    ///
    /// # Errors
    ///
    /// Those of the store, and those of the records before it if the prefix is scanned.
    pub async fn first_record(&self, at: u64) -> Result<(Option<RecordStart>, Known)> {
        if let Some(finder) = self.finder(at) {
            match self.find(finder).await? {
                Boundary::Start(byte) => return Ok((Some(RecordStart::at_byte(byte)), Known::Proof)),
                Boundary::End => return Ok((None, Known::Proof)),
                Boundary::Undecided => {}
            }
        }
        Ok((self.scan_prefix(at).await?, Known::PrefixScan))
    }

    /// Shows a finder bytes until it has decided: first some records, which mostly decide where
    /// there are quotes, and then its whole window, in one request or in blocks that are read
    /// ahead.
    pub(super) async fn find(&self, mut finder: BoundaryFinder) -> Result<Boundary> {
        let first = finder.first_byte();
        let end = finder.end_byte().min(self.meta.size);
        let ends = [first.saturating_add(FIRST_LOOK_BYTES).min(end), end];
        let mut at = first;
        for end in ends {
            let mut reader = self.open(at..end).await?;
            while at < end {
                let chunk = reader.fill_buf().await?;
                if chunk.is_empty() {
                    break;
                }
                // Stop at the window's end: reading further would issue another request.
                let looked = chunk.len().min((end - at) as usize);
                if let Some(found) = finder.push(&chunk[..looked]) {
                    return Ok(found);
                }
                reader.consume(looked);
                at += looked as u64;
                tokio::task::consume_budget().await;
            }
        }
        Ok(finder.finish())
    }
}
