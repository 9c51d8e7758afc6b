//! Any `AsyncBufRead` of CSV bytes → a stream of Arrow batches. The one place that waits.
//!
//! ```text
//!  CsvStreamBuilder ─► CsvStream ─ bytes ─► Work ─ records ─► range_end ─ those of the range ─► Batches ─ those that filters keep ─► batch
//!                         │                  └ or only counts them
//!                         └ waits for bytes, drains before it reads more, ends after an error
//! ```

mod batches;
mod builder;
mod counters;
mod csv_stream;
mod filter;
mod prefixed;
mod range_end;
mod sample;
mod work;

pub use builder::CsvStreamBuilder;
pub use counters::StreamCounters;
pub use csv_stream::CsvStream;
pub use filter::RowFilter;
pub use sample::{infer_schema, sample};

pub(crate) use range_end::{RangeEnd, compare};
