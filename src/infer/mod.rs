//! A table's schema, from a bounded sample of its files.
//!
//! ```text
//!  chunks of file 1, file 2 … ──► parse::Parser ──► SchemaSampler ──► InferredSchema
//!                                 the one that        │      │
//!                                 reading uses        │      └ types    what a column's values look like, and what
//!                                                     │                 all of them can be read as
//!                                                     └ header          the columns' names
//! ```
//!
//! Records are found by the parser that reads them later, so quoted newlines, terminators, escapes,
//! comments and a BOM mean the same in both. DataFusion's built-in reader finds the records of its
//! sample by another rule than those of its scan.
//!
//! The types are those of arrow-csv 59 (`reader/mod.rs`, `REGEX_SET` and `InferredDataType`), which
//! the built-in reader uses: Null, Boolean, Int64, Float64, Date32, Timestamp (second to
//! nanosecond), Utf8. Integers with floats are Float64, dates with timestamps are the finest
//! timestamp, other mixtures are Utf8. A NULL has no influence; a column of only NULLs is Null. All
//! columns are nullable. These cases are inferred differently:
//!
//! * A type is inferred only if every sampled value can be read as it. arrow-csv looks only at the
//!   pattern. It infers Date32 from `2020-13-45`, Timestamp from `… 99:99:99`, or nanoseconds from
//!   a column with the year 9999, and then fails on its own sample. Here such a column is Utf8.
//!   Only ASCII digits count as digits; the `\d` of arrow-csv matches the digits of every script.
//! * A type does not depend on where the chunks of a file end. The built-in reader infers a type
//!   for each chunk, and then reconciles only integers with floats. So dates in one chunk and
//!   timestamps in the next are Utf8.
//! * No type is inferred that loses anything of a sampled value. These are Utf8:
//!     * numbers with a zero before another digit ahead of the point, such as `02139`, `-007` and
//!       `00.5`, unless [`LeadingZeros::Number`] is set;
//!     * numbers with an exponent of more than three digits (`32E0134`), or with one that starts
//!       with a zero and has no sign (`32E05`). No program writes a number like that, but labels
//!       look like it. `1e5`, `1.5e-05` and `2E+005` are numbers;
//!     * numbers that are too large for Float64, such as `1e400`;
//!     * a column with floats and with a number whose whole part Float64 can't hold, such as
//!       `9007199254740993` and `12345678901234567.89` (digits of a fraction are rounded: `0.1` is
//!       the nearest Float64);
//!     * a column of timestamps of which some have a zone and others have none;
//!     * a column with a leap second.
//! * Timestamps that all have a zone or an offset get the zone `+00:00`, which is UTC, and keep
//!   their instants. arrow-csv drops the zone.
//! * `inf` and `infinity` in any case, with an optional minus, and `NAN` are Float64 too.
//! * Columns of numbers, and of timestamps with a zone, are marked as
//!   [`Inferred`](crate::decode::Inferred). So a value after the sample is an error where these
//!   rules would have made the column Utf8.
//! * Integers beyond Int64 keep their digits. Their type is UInt64 if there are no negative ones
//!   and all fit, else Decimal128(38, 0), else Decimal256(76, 0). arrow-csv infers Utf8. Here the
//!   type is Utf8 only beyond 76 digits, or if a column has both such integers and floats, because
//!   Float64 would silently drop digits.
//! * A column of only NULLs is Null only if the sample is the whole input. Otherwise it is a string
//!   column, because values may come after the sample. The built-in reader silently drops such
//!   values.
//! * An empty name in the header becomes `column_N`, with N counted from 1, like the names of
//!   columns without a header. A repeated name gets the first free suffix of `_2`, `_3`, …. The
//!   built-in reader keeps empty names. It merges columns that have the same name, or fails if
//!   their types differ.
//! * The columns of several files are matched by position, as they are when they are read. The
//!   first file that has a column names it. The built-in reader matches columns by name when it
//!   infers, and by position when it reads. It also fails if types differ between two files, for
//!   example integers in one and floats in the other. Here the rules above apply to all files
//!   together.
//! * Files with different numbers of columns are an error, unless `truncated_rows` is set. Then the
//!   table has the columns of the widest header. The built-in reader infers the union, and fails
//!   when it reads.
//! * A record with more fields than the table has columns is an error with its position, also under
//!   `truncated_rows`. Reading the table gives the same error. arrow-csv drops the surplus from the
//!   sample, and then fails on it.
//! * An input that ends inside quotes, and a header that is not UTF-8, are errors with their
//!   position. A value that is not UTF-8 makes its column Utf8, and the error comes when the value
//!   is read.

mod columns;
mod header;
mod read;
mod sample;
mod types;

pub use crate::decode::LeadingZeros;
pub use columns::{MatchColumns, MatchRules, Matched, TableNames};
pub use header::read_names;
pub use read::{read_schema, sample};
pub use sample::{Enough, InferredSchema, IsNull, SampleOptions, SchemaSampler, StringType, nulls_of};

/// Parts that `datasource` needs. They are not part of the API, and change without notice.
#[doc(hidden)]
pub mod internal {
    pub use super::sample::{HEADER_ADVICE, may_be_number};
}
