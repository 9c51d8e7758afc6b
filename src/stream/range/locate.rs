//! The line and record of an error in a range, which are counted only when they are needed.

use super::file::FileRanges;
use crate::error::{Error, ErrorKind};

impl FileRanges {
    /// Gives an error its place in the file, if lines and records were counted from byte `start`
    /// on.
    pub async fn locate(self, start: u64, error: Error) -> Error {
        match self.scan_prefix(start).await {
            Ok(Some(found)) if found.byte == start && found.record > 0 => {
                error.with_counted_before(found.line - 1, found.record - 1)
            }
            Ok(found) => Error::new(ErrorKind::RangeStart {
                range: start,
                assumed: Some(start),
                actual: found.map(|found| found.byte),
            }),
            // The place is not known then, but the defect is.
            Err(failed) if matches!(failed.kind(), ErrorKind::Io(_)) => Error::new(error.into_kind()),
            // It stands before the other error.
            Err(before) => before,
        }
    }
}
