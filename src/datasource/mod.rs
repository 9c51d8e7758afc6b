//! The engine as a DataFusion data source: policy, no mechanism.
//!
//! ```text
//!                       pushdown (filter pushdown by position)
//!                        │
//!  factory ► format ► source ► opener ► CsvStream (one per file)
//!     ▲         │        │        └ metrics, memory, filter, ranges (which records of a file are whose)
//!  options      │        └ projection, predicate, batch size, EXPLAIN
//!               └ schema inference, DataFusion's own writer
//! ```

mod factory;
mod filter;
mod format;
mod memory;
mod metrics;
mod opener;
mod options;
mod pushdown;
mod ranges;
mod reader_table;
mod session_options;
mod source;
mod values;

pub use factory::CsvStreamFormatFactory;
pub use format::CsvStreamFormat;
pub use options::{CsvFormatOptions, OPTIONS, OptionSpec, options_as_markdown};
pub use pushdown::filter_pushdown_rules;
pub(crate) use pushdown::is_guarded;
pub use ranges::Split;
pub use reader_table::CsvReaderTable;
pub use session_options::CsvStreamSessionOptions;
pub use source::CsvStreamSource;
