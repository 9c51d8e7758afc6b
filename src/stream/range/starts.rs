//! [`PrefixPass`]: the record starts of a file that scans from its front have found.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::Mutex;

use crate::parse::RecordStart;

/// The record starts that scans from the front of a file have found. All ranges of a scan share
/// them, so together they read the file before them about once.
///
/// A scan keeps starts on its way. The next one goes on from the last start before its own place.
#[derive(Debug, Default)]
pub struct PrefixPass {
    /// Whether a range has looked at all that it may and had a choice left. The others don't look
    /// as far then.
    is_ambiguous: AtomicBool,
    /// The ranges whose readers have found their starts here, by their first bytes.
    served: std::sync::Mutex<BTreeSet<u64>>,
    pub(super) found: Mutex<Vec<Found>>,
}

impl PrefixPass {
    pub(super) fn set_ambiguous(&self) {
        self.is_ambiguous.store(true, Relaxed);
    }

    /// The reader of the range from `at` on knows its start from the prefix, so it assumes nothing.
    pub(super) fn set_served(&self, at: u64) {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
    }

    pub(super) fn has_served(&self, at: u64) -> bool {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).contains(&at)
    }

    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous.load(Relaxed)
    }
}

/// The first record at or after a byte; `None` if the file ends before one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) at: u64,
    pub(super) start: Option<RecordStart>,
}

/// Keeps a start in its place, unless it is there.
pub(super) fn keep(kept: &mut Vec<Found>, found: Found) {
    let place = kept.partition_point(|other| other.at < found.at);
    if kept.get(place).is_none_or(|other| other.at != found.at) {
        kept.insert(place, found);
    }
}
