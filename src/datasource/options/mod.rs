//! The options of a table: one table of them, and the way from a user's words to plain values.
//!
//! ```text
//!  SQL's OPTIONS, the builder ─► format_options ─┐
//!  SET csv_stream.… ───────────► session ────────┴─► resolve: checked once for each plan ─► decode, infer, budget
//!  DataFusion's CsvOptions ◄───► builtin
//!
//!  table    key, values, default, effect of each option
//!  values   option values as text, and back
//! ```

mod builtin;
mod format_options;
mod resolve;
mod session;
mod table;
mod values;

pub use format_options::CsvFormatOptions;
pub(super) use resolve::ReadOptions;
pub use session::CsvStreamSessionOptions;
pub use table::{OPTIONS, OptionSpec, options_as_markdown};
