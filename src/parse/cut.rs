//! [`Cutter`]: cuts the fields of a record that is too long to be held whole.

use super::field_index::FieldIndex;
use crate::grammar::{Action, Dialect, Machine, State};

/// How the fields of a record that is too long to be held whole are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutFields {
    /// The longest record that is left as it is, in bytes. Fields of a longer one are cut unless
    /// all of it comes in one chunk.
    pub whole_bytes: usize,
    /// The most bytes of a record that are held. A record that is longer even with its fields cut
    /// is [an error](crate::error::ErrorKind::RecordTooLarge).
    pub held_bytes: usize,
    /// A field is cut after the byte with which its value, unescaped and trimmed, gets longer than
    /// this. So the part that is left shows that the value was too long, and holds its first bytes.
    pub max_value_bytes: usize,
    /// Whether fields of each column may be cut; `None` where all may be.
    pub columns: Option<Vec<bool>>,
}

/// Cuts the fields of the record in the carry.
#[derive(Debug)]
pub(super) struct Cutter {
    fields: CutFields,
    machine: Machine,
    trim: bool,
    /// Bytes of the record that have been cut out.
    dropped: u64,
    /// Fields that have been looked at.
    done: usize,
    /// The value of the field after them.
    open: Measure,
}

/// How far a raw field has been looked at, and how long its value is up to there.
#[derive(Debug, Clone, Copy)]
struct Measure {
    state: State,
    /// Bytes of the raw field.
    at: usize,
    /// Bytes of its value, without leading whitespace that is trimmed.
    copied: usize,
    /// The same, without trailing whitespace that is trimmed.
    value: usize,
}

impl Measure {
    /// Before a field's first byte.
    const START: Measure = Measure { state: State::StartField, at: 0, copied: 0, value: 0 };
}

impl Cutter {
    pub(super) fn new(dialect: &Dialect, fields: CutFields) -> Self {
        Cutter {
            fields,
            machine: Machine::new(dialect),
            trim: dialect.trim().fields(),
            dropped: 0,
            done: 0,
            open: Measure::START,
        }
    }

    /// The longest record that is left as it is, in bytes.
    pub(super) fn whole_bytes(&self) -> usize {
        self.fields.whole_bytes.min(self.fields.held_bytes)
    }

    /// The most bytes of a record that are held.
    pub(super) fn held_bytes(&self) -> usize {
        self.fields.held_bytes
    }

    /// Bytes of the record that have been cut out.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Another record starts. Returns how many bytes of the one before have been cut out.
    pub(super) fn start_record(&mut self) -> u64 {
        (self.done, self.open) = (0, Measure::START);
        std::mem::take(&mut self.dropped)
    }

    /// Cuts the fields that have ended since the last call, and the open one. `bytes` start with
    /// the record, and `index` is theirs. Returns how many bytes are cut out. The last byte of an
    /// open field stays, because a scanner that continues there looks at it.
    pub(super) fn cut(&mut self, bytes: &mut Vec<u8>, index: &mut FieldIndex) -> usize {
        if index.excess() > 0 {
            // The record has too many fields, which is an error as soon as it ends.
            return 0;
        }
        let is_whole = index.records() > 0;
        let ends = index.first_record_ends();
        let mut from = ends[..self.done].last().map_or(0, |&end| end as usize + 1);
        let mut to = from;
        for (column, end) in ends.iter_mut().enumerate().skip(self.done) {
            let next = bytes.len().min(*end as usize + 1);
            let kept = self.kept(column, &bytes[from..*end as usize]);
            bytes.copy_within(from..from + kept, to);
            bytes.copy_within(*end as usize..next, to + kept);
            // If the end of the input ended the record, no byte follows its last field.
            let follows = next - *end as usize;
            *end = (to + kept) as u32;
            (from, to) = (next, to + kept + follows);
            self.open = Measure::START;
        }
        self.done = ends.len();
        let rest = bytes.len() - from;
        let kept = if is_whole { rest } else { self.kept(self.done, &bytes[from..]) };
        let last = bytes.last().copied().filter(|_| kept < rest);
        bytes.copy_within(from..from + kept, to);
        to += kept;
        if let Some(last) = last {
            bytes[to] = last;
            to += 1;
        }
        let dropped = bytes.len() - to;
        bytes.truncate(to);
        self.dropped += dropped as u64;
        dropped
    }

    /// How many bytes of a raw field are kept. `open` is its measure up to where an earlier call
    /// has got.
    fn kept(&mut self, column: usize, raw: &[u8]) -> usize {
        let CutFields { max_value_bytes, columns, .. } = &self.fields;
        let may_be_cut = columns.as_ref().is_none_or(|columns| columns.get(column) == Some(&true));
        if !may_be_cut || raw.len() <= *max_value_bytes {
            return raw.len();
        }
        let Measure { state, at, copied, value } = &mut self.open;
        while *value <= *max_value_bytes {
            let Some(&byte) = raw.get(*at) else { return raw.len() };
            let (next, action) = self.machine.step(*state, byte);
            if action == Action::Copy {
                let is_trimmed = self.trim && byte.is_ascii_whitespace();
                *copied += usize::from(!is_trimmed || *copied > 0);
                if !is_trimmed {
                    *value = *copied;
                }
            }
            (*state, *at) = (next, *at + 1);
        }
        *at
    }
}
