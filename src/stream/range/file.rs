//! [`FileRanges`]: one file of which ranges are read.

use std::ops::Range;
use std::sync::Arc;

use object_store::{ObjectMeta, ObjectStore};
use tokio::io::AsyncBufReadExt;

use super::starts::PrefixPass;
use crate::budget::Limits;
use crate::error::{Error, Result};
use crate::grammar::Dialect;
use crate::input::{Input, InputCounters, open_range};
use crate::parse::FieldCount;
use crate::parse::boundary::{BoundaryFinder, FIRST_LEAD_BYTES};

/// Bytes at the front of a file with a header, among which a record may be that header. For a range
/// that starts in them the prefix is scanned.
const HEADER_BYTES: u64 = 64 << 10;

/// The bytes of a file that one reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The first byte past the range; `None` for the end of the file.
    pub end: Option<u64>,
}

impl ByteRange {
    /// All of a file.
    pub const WHOLE: ByteRange = ByteRange { start: 0, end: None };
}

/// One file, of which ranges are read.
#[derive(Debug, Clone)]
pub struct FileRanges {
    /// The file's store.
    pub store: Arc<dyn ObjectStore>,
    /// The file as it was listed.
    pub meta: ObjectMeta,
    /// The file's dialect.
    pub dialect: Dialect,
    /// The number of fields of its records.
    pub field_count: FieldCount,
    /// The limits of one reader.
    pub limits: Limits,
    /// Whether the start of a range may be proven from the bytes around it.
    pub looks_around: bool,
    /// The starts that have been found from the front of the file, shared by all of its ranges.
    pub prefix: Arc<PrefixPass>,
    /// Counts the bytes and requests of all that is read here.
    pub counters: Arc<InputCounters>,
}

impl FileRanges {
    /// The bytes from `range.start` on, and those past its end as far as they are wanted.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn open(&self, range: Range<u64>) -> Result<Input> {
        open_range(&self.store, &self.meta, range, &self.limits, Arc::clone(&self.counters)).await
    }

    /// Shows `look` the bytes of a range with their places, until it says that it needs no more.
    pub(super) async fn show(
        &self,
        range: Range<u64>,
        mut look: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<()> {
        let Range { start: mut at, end } = range;
        let mut reader = self.open(at..end).await?;
        while at < end {
            let chunk = reader.fill_buf().await?;
            if chunk.is_empty() {
                break;
            }
            // Stop at the range's end: reading further would issue another request.
            let shown = chunk.len().min((end - at) as usize);
            if look(at, &chunk[..shown]) {
                break;
            }
            reader.consume(shown);
            at += shown as u64;
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    /// An error about the file, with its name.
    pub fn named(&self, error: Error) -> Error {
        error.with_path(self.meta.location.as_ref())
    }

    /// A finder of the first record at or after byte `at`, unless the prefix has to be scanned.
    pub(super) fn finder(&self, at: u64) -> Option<BoundaryFinder> {
        let prefix_may_hold_the_header = self.dialect.has_header() && at <= HEADER_BYTES;
        if !self.looks_around || prefix_may_hold_the_header {
            return None;
        }
        let max_record_bytes = self.limits.max_record_bytes();
        let finder = BoundaryFinder::new(&self.dialect, self.field_count, max_record_bytes, at);
        Some(finder.with_lead(FIRST_LEAD_BYTES))
    }
}
