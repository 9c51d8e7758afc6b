//! [`RecordLimit`]: the longest record that is accepted.

use super::cost::MAX_MAX_RECORD_BYTES;
use crate::error::ErrorKind;
use crate::grammar::{Machine, State};

/// The longest record that is accepted, without its terminator.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordLimit {
    bytes: usize,
}

impl RecordLimit {
    /// At most [`MAX_MAX_RECORD_BYTES`].
    pub(super) fn new(max_record_bytes: usize) -> Self {
        RecordLimit { bytes: max_record_bytes.min(MAX_MAX_RECORD_BYTES) }
    }

    pub(super) fn bytes(self) -> usize {
        self.bytes
    }

    /// Whether a record of `bytes` bytes is too long.
    pub(super) fn is_exceeded_by(self, bytes: u64) -> bool {
        bytes > self.bytes as u64
    }

    /// The error about a record that is too long. `in_quotes` tells whether it is inside quotes
    /// where it reaches the limit.
    pub(super) fn error(self, in_quotes: bool) -> ErrorKind {
        ErrorKind::RecordTooLong { limit: self.bytes, in_quotes }
    }

    /// The error about a record, if the part of it that is known is already too long.
    pub(super) fn check(self, machine: &Machine, record: &[u8]) -> Option<ErrorKind> {
        if !self.is_exceeded_by(record.len() as u64) {
            return None;
        }
        // The record is read again up to the limit, so that the message doesn't depend on where
        // chunks end.
        let step = |state, &byte: &u8| machine.step(state, byte).0;
        let state = record[..self.bytes].iter().fold(State::StartRecord, step);
        Some(self.error(state.is_inside_quotes()))
    }
}
