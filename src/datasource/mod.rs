//! The engine as a DataFusion data source: policy, no mechanism.
//!
//! ```text
//!                       pushdown (filter pushdown by position)
//!                        │
//!  factory ► format ► source ► opener ► CsvStream (one per file or byte range)
//!     ▲         │        │        └ error (to DataFusion's), metrics, memory, filter
//!  options      │        └ projection, predicate, batch size, EXPLAIN; file_groups: the bytes of each partition
//!               └ schema inference, DataFusion's own writer
//!
//!  reader_table: bytes that can be read only once
//! ```

mod error;
mod factory;
mod file_groups;
mod filter;
mod format;
mod headers;
mod marks;
mod memory;
mod metrics;
mod opener;
mod options;
mod per_file;
mod pushdown;
mod reader_table;
mod source;

pub use factory::CsvStreamFormatFactory;
pub use file_groups::Split;
pub use format::CsvStreamFormat;
pub use options::{CsvFormatOptions, CsvStreamSessionOptions, OPTIONS, OptionSpec, options_as_markdown};
pub use pushdown::filter_pushdown_rules;
pub(crate) use pushdown::is_guarded;
pub use reader_table::CsvReaderTable;
pub use source::CsvStreamSource;
