//! The end of a range: [`NextRange`] verifies that the next range starts at the record at which
//! this one ends.

use super::file::FileRanges;
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
    /// The result of the finder, once it has one.
    assumed: Option<Boundary>,
}

impl NextRange {
    /// The range that starts at `byte`, whose reader uses this finder.
    pub fn new(byte: u64, finder: BoundaryFinder) -> Self {
        NextRange { byte, finder, assumed: None }
    }

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
        let before = self.finder.first_byte().saturating_sub(at).min(bytes.len() as u64);
        let bytes = &bytes[before as usize..];
        if self.assumed.is_none() && !bytes.is_empty() {
            self.assumed = self.finder.push(bytes);
        }
        let Some(start) = actual else { return Ok(false) };
        match self.assumed {
            Some(assumed) => compare(self.byte, assumed, actual)?,
            None if start.record > 0 && self.finder.finds_nothing_but(start.byte) => {}
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
}

/// Compares the first record at or after `byte` with the one that a range's reader assumes.
///
/// # Errors
///
/// When they differ. Also when the record is the header: the next range would return it as a row.
fn compare(byte: u64, assumed: Boundary, actual: Option<RecordStart>) -> Result<()> {
    let assumed = match assumed {
        // The next reader scans the prefix then, so it assumes nothing.
        Boundary::Undecided => return Ok(()),
        Boundary::Start(byte) => Some(byte),
        Boundary::End => None,
    };
    let is_header = actual.is_some_and(|start| start.record == 0);
    let actual = actual.map(|start| start.byte);
    if assumed == actual && !is_header {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::RangeStart { range: byte, assumed, actual }))
    }
}

impl FileRanges {
    /// The range from byte `end` on, if its reader assumes anything that can be verified.
    pub fn next_range(&self, end: u64) -> Option<NextRange> {
        self.finder(end).map(|finder| NextRange::new(end, finder))
    }

    /// Verifies the conclusion of the reader of the range from `end` on, if no record starts before
    /// `end`. Returns whether that reader assumes anything.
    ///
    /// # Errors
    ///
    /// When the next range starts at another record.
    pub async fn verify(&self, end: u64, next: Option<RecordStart>) -> Result<bool> {
        let Some(finder) = self.finder(end) else { return Ok(false) };
        compare(end, self.find(finder).await?, next)?;
        Ok(true)
    }
}
