//! [`DecodeOptions`]: which fields are NULL, how long they may be, and whether values may lose
//! anything.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use regex::Regex;

use super::file_columns::FileColumns;
use super::inferred::Inferred;
use crate::budget::{FieldLimit, Limits, OversizedFields};
use crate::error::{Error, Result};
use crate::parse::cut::CutFields;

/// The treatment of a value that its column's type can't hold exactly.
///
/// Such values are:
///
/// * a fraction of a second finer than the type's unit, and a leap second, in dates, times and
///   timestamps;
/// * a time of day other than midnight in a Date32;
/// * a zone or offset, `Z` included, in a type without a zone;
/// * a finite number that is infinite in a floating-point type;
/// * digits other than zeros past the scale of a decimal;
/// * in a column whose type was inferred, the values that [`Inferred`] lists.
///
/// Rounding to the nearest floating-point number, also to zero, is no loss: the type stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LossyValues {
    /// It is an error that says what would be lost.
    #[default]
    Error,
    /// It is cut, rounded or moved as in `arrow-csv`.
    Round,
}

/// Which fields are NULL, how long they may be, and whether values may lose anything.
///
/// By default an empty field is NULL, quoted or not, as in DataFusion's built-in reader. The value
/// is compared after it is unescaped and trimmed. If both `null_values` and `null_regex` are given,
/// a field is NULL if either names it.
///
/// An empty field of a type other than a string, binary or dictionary type is NULL under all
/// options, because such a type has no empty value. Every field that a short record lacks is NULL
/// too.
///
/// ```
/// use datafusion_csv_stream::decode::DecodeOptions;
///
/// let options = DecodeOptions::default().with_null_values(["NA", "-"]).with_quoted_empty_is_string(true);
/// assert!(options.clone().with_null_regex(Some("^(?i)n/?a$")).is_ok());
/// assert!(options.with_null_regex(Some("(")).unwrap_err().to_string().contains("null_regex"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct DecodeOptions {
    /// The values that are NULL, without the empty one.
    null_values: Vec<String>,
    /// The length of the longest of `null_values`.
    longest: usize,
    /// Whether the list of NULLs has the empty value; `None` if no list is given.
    lists_empty: Option<bool>,
    null_regex: Option<Regex>,
    quoted_empty_is_string: bool,
    lossy_values: LossyValues,
    /// The marks of the table's columns; `None` if those of its fields count.
    inferred: Option<Arc<[Option<Inferred>]>>,
    /// How long a value may be. It knows of the NULLs above.
    field_limit: FieldLimit,
}

impl DecodeOptions {
    /// The values that are NULL. Default none: then the empty value is NULL, unless a
    /// [`null_regex`](Self::with_null_regex) is given. If a list is given, the empty string is NULL
    /// only if the list names `""`, or the regular expression matches it.
    pub fn with_null_values<I>(mut self, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.null_values = values.into_iter().map(Into::into).collect();
        let given = self.null_values.len();
        self.null_values.retain(|value| !value.is_empty());
        self.lists_empty = (given > 0).then_some(self.null_values.len() < given);
        self.longest = self.null_values.iter().map(String::len).max().unwrap_or(0);
        self.with_nulls_in_field_limit()
    }

    /// A regular expression for the values that are NULL. As in `arrow-csv`, it need not match the
    /// whole value. A value that isn't UTF-8 doesn't match. Default none. If one is given, the
    /// empty string is NULL only if it matches, or if `null_values` names it.
    ///
    /// # Errors
    ///
    /// When it is not a regular expression.
    pub fn with_null_regex(mut self, pattern: Option<&str>) -> Result<Self> {
        self.null_regex = match pattern {
            None => None,
            Some(pattern) => Some(Regex::new(pattern).map_err(|error| {
                Error::invalid_option(
                    "null_regex",
                    pattern,
                    format!("a regular expression of the regex crate: {error}"),
                )
            })?),
        };
        Ok(self.with_nulls_in_field_limit())
    }

    /// Whether a quoted empty field is an empty string in columns of string, binary and dictionary
    /// types, whatever the other options say about empty fields. Default false.
    pub fn with_quoted_empty_is_string(mut self, yes: bool) -> Self {
        self.quoted_empty_is_string = yes;
        self
    }

    /// The treatment of a value that its column's type can't hold exactly. Default: an error.
    pub fn with_lossy_values(mut self, lossy_values: LossyValues) -> Self {
        self.lossy_values = lossy_values;
        self
    }

    /// The treatment of a value that its column's type can't hold exactly.
    pub fn lossy_values(&self) -> LossyValues {
        self.lossy_values
    }

    /// The marks of the columns whose types were inferred, in the order of the table. Default: those
    /// of the schema's fields.
    ///
    /// This is for a program whose schema should not show its marks.
    pub fn with_inferred_columns(mut self, columns: Option<Arc<[Option<Inferred>]>>) -> Self {
        self.inferred = columns;
        self
    }

    /// The mark of a column of the table, if it has one.
    pub(super) fn inferred(&self, column: usize, field: &Field) -> Option<Inferred> {
        match &self.inferred {
            Some(columns) => columns.get(column).copied().flatten(),
            None => Inferred::of(field),
        }
    }

    /// The most bytes of an unescaped and trimmed value in a string, binary or dictionary column,
    /// and the treatment of longer ones. Default: as many as a record may have.
    pub fn with_max_field_bytes(mut self, bytes: Option<usize>, oversized_fields: OversizedFields) -> Self {
        self.field_limit = FieldLimit::new(bytes, oversized_fields);
        self.with_nulls_in_field_limit()
    }

    /// The most bytes of a value, and the treatment of a longer one.
    pub fn field_limit(&self) -> &FieldLimit {
        &self.field_limit
    }

    /// The longest record that is accepted within these limits, and how the fields of a long one
    /// are cut, if they are: in the columns of the table whose values can be oversized, or in all
    /// while they aren't known.
    pub(crate) fn record_bytes(
        &self,
        limits: &Limits,
        table: Option<(&Schema, &FileColumns)>,
    ) -> (usize, Option<CutFields>) {
        let columns = table.map(|(table, columns)| {
            columns.by_field(|column| can_be_oversized(table.field(column).data_type()))
        });
        limits.record_bytes(&self.field_limit, columns)
    }

    /// With the number that these limits have found for the longest value, if none is set.
    pub(super) fn within(mut self, limits: &Limits) -> Self {
        self.field_limit = limits.resolve(self.field_limit);
        self
    }

    fn with_nulls_in_field_limit(mut self) -> Self {
        self.field_limit = self.field_limit.with_nulls(self.has_regex(), self.longest);
        self
    }

    /// Whether a value is NULL while the type of its column isn't known yet.
    pub(crate) fn is_null_in_sample(&self, value: &[u8], is_quoted: bool) -> bool {
        self.is_null(value, is_quoted, is_quoted && self.quoted_empty_is_string)
    }

    /// Whether a regular expression decides about NULL too, so that every value has to be looked
    /// at.
    pub(super) fn has_regex(&self) -> bool {
        self.null_regex.is_some()
    }

    /// Whether any value of a certain kind is listed as NULL.
    pub(super) fn lists(&self, kind: impl Fn(&str) -> bool) -> bool {
        self.null_values.iter().any(|value| kind(value))
    }

    /// The length of the longest value that is listed as NULL.
    pub(super) fn longest_null(&self) -> usize {
        self.longest
    }

    /// Whether a value that isn't empty is one of `null_values`.
    #[inline]
    pub(super) fn is_listed(&self, value: &[u8]) -> bool {
        value.len() <= self.longest && self.null_values.iter().any(|null| null.as_bytes() == value)
    }

    /// Whether a value is NULL. `is_text` tells whether its type has an empty value.
    pub(super) fn is_null(&self, value: &[u8], is_quoted: bool, is_text: bool) -> bool {
        if value.is_empty() {
            if !is_text {
                return true;
            }
            if is_quoted && self.quoted_empty_is_string {
                return false;
            }
            if self.lists_empty.unwrap_or(self.null_regex.is_none()) {
                return true;
            }
        }
        self.is_listed(value)
            || self
                .null_regex
                .as_ref()
                .is_some_and(|regex| std::str::from_utf8(value).is_ok_and(|value| regex.is_match(value)))
    }
}

/// Whether a [`FieldLimit`] applies to the values of a type.
fn can_be_oversized(data_type: &DataType) -> bool {
    let is_binary = matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    data_type.is_string() || is_binary || matches!(data_type, DataType::Dictionary(..))
}
