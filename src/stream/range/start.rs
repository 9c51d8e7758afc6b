//! The start of a range: its first record.

use super::file::FileRanges;
use super::lead::LeadRecords;
use crate::error::Result;
use crate::parse::boundary::{Boundary, BoundaryFinder, Proof};
use crate::parse::{DEFAULT_MAX_RECORD_BYTES, RecordStart};

/// Bytes after the start that are looked at first. Where the lead decides, they hold the rest of a
/// record.
const FIRST_LOOK_BYTES: u64 = 16 << 10;

/// The longest lead. Where it leaves a choice, one pass over the prefix for all ranges is cheaper.
const LONGEST_LEAD_BYTES: u64 = 256 << 10;

/// A window that is larger than half of the range and than this is not looked at, because a pass over
/// the prefix reads fewer bytes for all ranges together: 2 MiB, the longest record by default.
const LARGE_WINDOW_BYTES: u64 = DEFAULT_MAX_RECORD_BYTES as u64;

/// How the first record of a range was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All states that the machine can have before the range lead there, whatever the file holds.
    Synchronised,
    /// Any other start is impossible in a file that can be read.
    Proof,
    /// From all bytes before it, which gives its line and record too.
    PrefixScan,
}

impl FileRanges {
    /// The first record at or after byte `at`, where a range of `range_bytes` bytes starts.
    ///
    /// # Errors
    ///
    /// Those of the store, and those of the records before it if the prefix is scanned.
    pub async fn first_record(&self, at: u64, range_bytes: u64) -> Result<(Option<RecordStart>, Known)> {
        match self.conclude(at, range_bytes).await? {
            Some((start, known)) => Ok((start.map(RecordStart::at_byte), known)),
            None => {
                self.prefix.set_served(at);
                Ok((self.scan_prefix(at).await?, Known::PrefixScan))
            }
        }
    }

    /// The first record by the bytes around byte `at`; `None` if those leave a choice, or if it may
    /// be the header.
    async fn conclude(&self, at: u64, range_bytes: u64) -> Result<Option<(Option<u64>, Known)>> {
        let Some(mut finder) = self.finder(at) else { return Ok(None) };
        let first_lead = finder.lead();
        let looks_far = !self.prefix.is_ambiguous();
        let mut lead = LeadRecords::new(&self.dialect, at);
        loop {
            let most = if looks_far { LARGE_WINDOW_BYTES.max(range_bytes / 2) } else { 0 };
            let Some(found) = self.find(&mut finder, most, &mut lead).await? else { break };
            let known = match finder.proof() {
                Some(Proof::Synchronised) => Known::Synchronised,
                // The reader of the range before can draw this conclusion again.
                Some(_) if finder.lead() == first_lead => Known::Proof,
                Some(_) => break,
                None => match finder.with_longer_lead() {
                    Some(longer) if looks_far && longer.lead() <= LONGEST_LEAD_BYTES => {
                        finder = longer;
                        continue;
                    }
                    _ => break,
                },
            };
            let start = match found {
                Boundary::Start(byte) => Some(byte),
                Boundary::End | Boundary::Undecided => None,
            };
            return Ok(lead.has_record().then_some((start, known)));
        }
        self.prefix.set_ambiguous();
        Ok(None)
    }

    /// Shows a finder bytes until it has decided: the lead and some bytes after it, and then its
    /// whole window, in blocks that are read ahead.
    ///
    /// `None` if the bytes that are looked at first don't decide, and the window has more than
    /// `most` others.
    pub(super) async fn find(
        &self,
        finder: &mut BoundaryFinder,
        most: u64,
        lead: &mut LeadRecords,
    ) -> Result<Option<Boundary>> {
        let mut at = finder.first_byte();
        let end = finder.end_byte().min(self.meta.size);
        let first_end = lead.end().max(at).saturating_add(FIRST_LOOK_BYTES).min(end);
        for end in [first_end, end] {
            if end - first_end > most {
                return Ok(None);
            }
            let mut found = None;
            self.show(at..end, |at, bytes| {
                lead.push(at, bytes);
                found = finder.push(bytes);
                found.is_some()
            })
            .await?;
            if found.is_some() {
                return Ok(found);
            }
            at = end;
        }
        Ok(Some(finder.finish()))
    }
}
