//! [`FieldLimit`]: the policy for oversized values, from the options to the bytes that are held.

use super::defaults::{DEFAULT_MAX_CUT_RECORD_BYTES, DEFAULT_MEMORY_LIMIT};
use crate::error::{Error, Result};
use crate::parse::cut::CutFields;
use crate::parse::{DEFAULT_MAX_RECORD_BYTES, MAX_MAX_RECORD_BYTES};

/// The treatment of a value that is longer than `max_field_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OversizedFields {
    /// An error.
    #[default]
    Error,
    /// NULL.
    Null,
    /// Its first `max_field_bytes` bytes, or up to three fewer where those would end inside a
    /// character.
    Truncate,
}

/// How long a value of a string, binary or dictionary column may be, and what becomes of a longer
/// one.
///
/// A value that becomes NULL, or is truncated, need not be held whole: it is cut while it is read.
/// Its record can then be far longer than the bytes that are held of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldLimit {
    max_bytes: Option<usize>,
    oversized: OversizedFields,
    /// Whether a regular expression has to see all of a value: it may be NULL then, not truncated.
    is_matched_whole: bool,
    /// The length of the longest value that is listed as NULL.
    longest_null: usize,
}

impl FieldLimit {
    /// At most `max_bytes` bytes, unescaped and trimmed. `None` is as many as a record may have, or
    /// where values are cut the number that [`Limits`](super::Limits) finds.
    pub fn new(max_bytes: Option<usize>, oversized: OversizedFields) -> Self {
        FieldLimit { max_bytes, oversized, ..FieldLimit::default() }
    }

    /// With the rules that NULLs are found by: whether one has to see values whole, and the length
    /// of the longest value that is listed.
    #[must_use]
    pub(crate) fn with_nulls(mut self, is_matched_whole: bool, longest_null: usize) -> Self {
        (self.is_matched_whole, self.longest_null) = (is_matched_whole, longest_null);
        self
    }

    /// The treatment of a longer value.
    pub fn oversized(&self) -> OversizedFields {
        self.oversized
    }

    /// Whether the length is limited.
    pub(crate) fn is_set(&self) -> bool {
        self.max_bytes.is_some()
    }

    /// The limit, if a value of so many bytes exceeds it.
    #[inline]
    pub(crate) fn exceeded_by(&self, bytes: usize) -> Option<usize> {
        self.max_bytes.filter(|&most| bytes > most)
    }

    /// Whether oversized values are cut while they are read. One that is an error is shown, so it
    /// is read whole.
    pub fn is_cut(&self) -> bool {
        match self.oversized {
            OversizedFields::Error => false,
            OversizedFields::Null => true,
            OversizedFields::Truncate => !self.is_matched_whole,
        }
    }

    /// With the number that these sizes have found, if none is set and values are cut.
    pub(crate) fn within(mut self, sizes: &RecordSizes) -> Self {
        if self.is_cut() {
            self.max_bytes = self.max_bytes.or(sizes.max_field_bytes);
        }
        self
    }

    /// How the fields of a long record are cut, if they are. `columns` tells for each column
    /// whether its values can be oversized; `None` while they are not known.
    pub(crate) fn cut_fields(
        &self,
        sizes: &RecordSizes,
        whole_bytes: usize,
        columns: Option<Vec<bool>>,
    ) -> Option<CutFields> {
        let found = sizes.max_field_bytes.filter(|_| self.is_cut())?;
        let limit = self.max_bytes.unwrap_or(found);
        // At least the longest NULL literal is kept, so that a cut value can't equal one.
        let max_value_bytes = limit.max(self.longest_null);
        Some(CutFields { whole_bytes, held_bytes: sizes.held_record_bytes, max_value_bytes, columns })
    }
}

/// The longest record, the bytes that are held of it, and the longest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordSizes {
    pub(super) max_record_bytes: usize,
    pub(super) held_record_bytes: usize,
    /// `None` where values are not cut.
    pub(super) max_field_bytes: Option<usize>,
}

impl RecordSizes {
    pub(super) const DEFAULT: RecordSizes = RecordSizes {
        max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        held_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        max_field_bytes: None,
    };

    /// The sizes for a memory limit, which has been checked, and the options.
    pub(super) fn new(
        memory_limit: usize,
        max_record_bytes: Option<usize>,
        field_limit: &FieldLimit,
    ) -> Result<Self> {
        if field_limit.is_cut() {
            Self::cut(memory_limit, max_record_bytes, field_limit.max_bytes)
        } else {
            Self::whole(memory_limit, max_record_bytes)
        }
    }

    /// Records are held whole. One can stand in the carry, in a builder, and in the chunk in which
    /// it ends: that makes a third of the limit.
    fn whole(memory_limit: usize, max_record_bytes: Option<usize>) -> Result<Self> {
        let most = (memory_limit / 3).min(MAX_MAX_RECORD_BYTES);
        let max_record_bytes = max_record_bytes.unwrap_or_else(|| default_held_bytes(memory_limit));
        if max_record_bytes == 0 || max_record_bytes > most {
            return Err(Error::invalid_option(
                "max_record_bytes",
                max_record_bytes.to_string(),
                if most == MAX_MAX_RECORD_BYTES {
                    format!("1 to {most} bytes (1 GiB)")
                } else {
                    format!(
                        "1 to {most} bytes, a third of memory_limit ({memory_limit} bytes): raise memory_limit with it"
                    )
                },
            ));
        }
        Ok(RecordSizes { max_record_bytes, held_record_bytes: max_record_bytes, max_field_bytes: None })
    }

    /// Fields of long records are cut. At most a third of the limit is held of a record.
    fn cut(
        memory_limit: usize,
        max_record_bytes: Option<usize>,
        max_field_bytes: Option<usize>,
    ) -> Result<Self> {
        let most = memory_limit / 3;
        let least_held = default_held_bytes(memory_limit);
        let field = max_field_bytes.unwrap_or(least_held / 4);
        let (max_record_bytes, held) = match max_record_bytes {
            Some(bytes) => (bytes, bytes),
            None => {
                // Four values, whose quotes may double them.
                let needed = field.saturating_mul(4).max(memory_limit / 12);
                let longest = DEFAULT_MAX_CUT_RECORD_BYTES.max(field.saturating_mul(2));
                (longest.min(MAX_MAX_RECORD_BYTES), least_held.max(needed))
            }
        };
        if max_record_bytes == 0 || max_record_bytes > MAX_MAX_RECORD_BYTES {
            return Err(Error::invalid_option(
                "max_record_bytes",
                max_record_bytes.to_string(),
                format!("1 to {MAX_MAX_RECORD_BYTES} bytes (1 GiB)"),
            ));
        }
        let held_record_bytes = held.min(most).min(max_record_bytes);
        if field >= held_record_bytes && held_record_bytes < max_record_bytes {
            return Err(Error::invalid_option(
                "max_field_bytes",
                field.to_string(),
                format!("less than {most} bytes, a third of memory_limit: raise memory_limit with it"),
            ));
        }
        Ok(RecordSizes { max_record_bytes, held_record_bytes, max_field_bytes: Some(field) })
    }
}

/// The longest record that is held by default. A memory limit of 4 MiB then has room for the window
/// of 2 MiB that zstd's default level needs.
fn default_held_bytes(memory_limit: usize) -> usize {
    if memory_limit < DEFAULT_MEMORY_LIMIT { memory_limit / 12 } else { DEFAULT_MAX_RECORD_BYTES }
}
