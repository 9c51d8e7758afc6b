//! The end of a range: [`NextRange`] verifies that the next range starts at the record at which this
//! one ends.

use std::sync::Arc;

use super::file::FileRanges;
use super::lead::LeadRecords;
use super::starts::PrefixPass;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::RecordStart;
use crate::parse::boundary::{Boundary, BoundaryFinder};

/// The byte range after the one that is read, as its own reader sees it.
///
/// The reader of a range gets to its end, and so knows the first record past it. The reader of the
/// next range has concluded the same from the bytes around that end. The conclusion is drawn here
/// once more, from the same bytes, and compared.
#[derive(Debug, Clone)]
pub struct NextRange {
    /// The first byte of the next range.
    byte: u64,
    /// Looks at the bytes as the next range's reader does.
    finder: BoundaryFinder,
    /// The next byte of the file that the finder needs.
    next_byte: u64,
    /// The result of the finder, once it has one.
    assumed: Option<Boundary>,
    /// Knows whether the next range's reader assumes anything, if it is in this process.
    prefix: Arc<PrefixPass>,
}

impl NextRange {
    /// Looks at bytes that start at byte `at` of the file, and compares, once both answers are
    /// there. `actual` is the first record past the end, if it has been seen. Returns whether the
    /// range is verified.
    ///
    /// # Errors
    ///
    /// When the next range starts at another record.
    pub(in crate::stream) fn check(
        &mut self,
        at: u64,
        bytes: &[u8],
        actual: Option<RecordStart>,
    ) -> Result<bool> {
        self.look(at, bytes);
        let Some(start) = actual else { return Ok(false) };
        match self.assumed {
            Some(assumed) => compare(self.byte, assumed, actual)?,
            None if self.finder.finds_nothing_but(start.byte) => {}
            None if self.prefix.has_served(self.byte) => {}
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Compares at the end of the file. Without `actual` no record starts past the range's end.
    ///
    /// # Errors
    ///
    /// When the next range starts at another record.
    pub(in crate::stream) fn finish(&mut self, actual: Option<RecordStart>) -> Result<()> {
        let assumed = self.assumed.unwrap_or_else(|| self.finder.finish());
        compare(self.byte, assumed, actual)
    }

    fn look(&mut self, at: u64, bytes: &[u8]) {
        let before = self.next_byte.saturating_sub(at).min(bytes.len() as u64);
        let bytes = &bytes[before as usize..];
        if self.assumed.is_none() && !bytes.is_empty() {
            self.assumed = self.finder.push(bytes);
            self.next_byte += bytes.len() as u64;
        }
    }
}

/// Compares the first record at or after `byte` with the one that a range's reader assumes.
///
/// # Errors
///
/// When they differ.
fn compare(byte: u64, assumed: Boundary, actual: Option<RecordStart>) -> Result<()> {
    let assumed = match assumed {
        // The next reader assumes nothing then.
        Boundary::Undecided => return Ok(()),
        Boundary::Start(byte) => Some(byte),
        Boundary::End => None,
    };
    // Before the header the next reader scans the prefix, so it knows.
    let is_header = actual.is_some_and(|start| start.record == 0);
    let actual = actual.map(|start| start.byte);
    if assumed == actual || is_header {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::RangeStart { range: byte, assumed, actual }))
    }
}

impl FileRanges {
    /// The range from byte `end` on, if its reader assumes anything that can be verified. The
    /// reader of the range before it has read nothing before byte `from`.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn next_range(&self, end: u64, from: u64) -> Result<Option<NextRange>> {
        let Some(finder) = self.finder(end) else { return Ok(None) };
        let first = finder.first_byte();
        let prefix = Arc::clone(&self.prefix);
        let mut next = NextRange { byte: end, finder, next_byte: first, assumed: None, prefix };
        if first < from {
            // The range is shorter than the lead, so the rest of the lead is read here.
            self.show(first..from, |at, bytes| {
                next.look(at, bytes);
                next.assumed.is_some()
            })
            .await?;
        }
        Ok(Some(next))
    }

    /// Verifies the conclusion of the reader of the range from `end` on, if no record starts before
    /// `end`. Returns whether that reader assumes anything.
    ///
    /// # Errors
    ///
    /// When the next range starts at another record.
    pub async fn verify(&self, end: u64, next: Option<RecordStart>) -> Result<bool> {
        let Some(mut finder) = self.finder(end) else { return Ok(false) };
        if self.prefix.has_served(end) {
            return Ok(true);
        }
        let mut lead = LeadRecords::new(&self.dialect, end);
        if let Some(assumed) = self.find(&mut finder, u64::MAX, &mut lead).await? {
            compare(end, assumed, next)?;
        }
        Ok(true)
    }
}
