//! Filter pushdown with columns mapped by position. A session uses these rules in place of
//! DataFusion's, so that a scan gets only filters on its own columns.
//!
//! ```text
//!  rule     walks the plan and hands filters down, as DataFusion's rule does
//!    ├ origin   the expression of a child that a column of its parent stands for
//!    └ trust    the filters and operators that are declined
//! ```

mod origin;
mod rule;
mod trust;

pub use rule::filter_pushdown_rules;
pub(crate) use rule::is_guarded;
