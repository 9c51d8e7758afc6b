//! [`Loss`]: what a value would lose in its column's type; [`Exactness`]: which losses are refused.

use super::inferred::Inferred;
use super::options::LossyValues;

/// The losses that are refused in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exactness {
    /// None.
    Round,
    /// Those of any type.
    Declared,
    /// Those of a type that was inferred.
    Inferred(Inferred),
}

impl Exactness {
    /// That of a column, which may be marked.
    pub(super) fn new(lossy_values: LossyValues, inferred: Option<Inferred>) -> Self {
        match (lossy_values, inferred) {
            (LossyValues::Round, _) => Exactness::Round,
            (LossyValues::Error, None) => Exactness::Declared,
            (LossyValues::Error, Some(inferred)) => Exactness::Inferred(inferred),
        }
    }

    /// Whether any loss is refused.
    pub(super) fn is_exact(self) -> bool {
        self != Exactness::Round
    }

    /// Whether the losses of an inferred type are refused.
    pub(super) fn is_inferred(self) -> bool {
        matches!(self, Exactness::Inferred(_))
    }

    /// Whether a number may not have a leading zero.
    pub(super) fn refuses_leading_zeros(self) -> bool {
        matches!(self, Exactness::Inferred(inferred) if inferred.refuses_leading_zeros())
    }
}

/// A loss, and the first thing to try that loses nothing. Both are parts of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    /// The part that would be lost, as a sentence.
    pub(super) what: &'static str,
    /// The advice that loses nothing.
    pub(super) instead: String,
}

impl Loss {
    /// A loss that another type of the column prevents, by its name in SQL.
    pub(super) fn declare(what: &'static str, sql_type: impl AsRef<str>) -> Self {
        Loss { what, instead: format!("declare the column {}", sql_type.as_ref()) }
    }

    /// A loss in a column whose type was inferred. A larger sample would have inferred another
    /// type.
    pub(super) fn infer_more(what: &'static str, sql_type: &str) -> Self {
        let instead =
            format!("raise schema_infer_max_rec to sample this record too, or declare the column {sql_type}");
        Loss { what, instead }
    }

    /// The loss of a zero or a plus at the start of a number whose type was inferred.
    pub(super) fn leading_zero() -> Self {
        Loss::infer_more("a number has no leading zero", "VARCHAR")
    }

    /// The loss of a label that reads as a number, where the type was inferred.
    pub(super) fn label() -> Self {
        Loss::infer_more("the value looks like a label, not like a number", "VARCHAR")
    }
}
