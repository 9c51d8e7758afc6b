//! [`FieldCount`]: how many fields a record has to have.

use super::cost::MAX_FIELDS;

/// How many fields a record has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldCount {
    /// Any number up to [`MAX_FIELDS`], which may differ between records.
    Any,
    /// Exactly this number.
    Exactly(usize),
    /// At most this number: shorter records are padded with missing fields.
    UpTo(usize),
}

impl FieldCount {
    /// For a table of `columns` columns. With `truncated_rows`, its records may have fewer fields.
    pub fn of_table(columns: usize, truncated_rows: bool) -> Self {
        if truncated_rows { FieldCount::UpTo(columns) } else { FieldCount::Exactly(columns) }
    }

    /// The number of columns, where it is known.
    pub(super) fn columns(self) -> Option<usize> {
        match self {
            FieldCount::Any => None,
            FieldCount::Exactly(columns) | FieldCount::UpTo(columns) => Some(columns),
        }
    }

    /// The most fields that a record may have.
    pub(super) fn most(self) -> usize {
        self.columns().unwrap_or(MAX_FIELDS)
    }

    /// Whether a record may have this many fields. With [`Any`](Self::Any) every number is allowed
    /// here.
    pub(super) fn allows(self, fields: usize) -> bool {
        match self {
            FieldCount::Any => true,
            FieldCount::Exactly(columns) => fields == columns,
            FieldCount::UpTo(columns) => fields <= columns,
        }
    }

    /// Whether a record may have this many fields or more.
    pub(super) fn allows_at_least(self, fields: usize) -> bool {
        self.columns().is_none_or(|columns| fields <= columns)
    }
}
