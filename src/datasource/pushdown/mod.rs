//! Filter pushdown with columns mapped by position: the rules that a session uses in place of
//! DataFusion's, so that a scan is given filters that are its own.
//!
//! ```text
//!  rule     walks the plan and hands filters down, as DataFusion's rule does
//!    ├ origin   the expression of a child that a column of its parent stands for
//!    └ trust    the filters and the operators that are not to be believed
//! ```

mod origin;
mod rule;
mod trust;

pub use rule::filter_pushdown_rules;
pub(crate) use rule::is_guarded;
