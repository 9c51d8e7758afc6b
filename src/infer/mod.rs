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
//! Records are found by the parser that reads them later, so quoted newlines, terminators, escapes, comments and a BOM
//! mean the same in both. DataFusion's built-in reader frames the records of its sample by another rule than those of
//! its scan.
//!
//! The types are those of arrow-csv 59 (`reader/mod.rs`, `REGEX_SET` and `InferredDataType`), which is what the
//! built-in reader asks: Null, Boolean, Int64, Float64, Date32, Timestamp without a time zone (second to nanosecond),
//! Utf8. Integers with floats are Float64, dates with timestamps are the finest timestamp, other mixtures are Utf8. A
//! NULL has no influence; a column of NULLs alone is Null. All columns are nullable. What we infer differently, and why:
//!
//! * A type is inferred only if every sampled value can be read as it. arrow-csv looks at the pattern alone, infers
//!   Date32 from `2020-13-45`, Timestamp from `… 99:99:99`, or nanoseconds from a column with the year 9999, and then
//!   fails on its own sample. Here such a column is Utf8. Digits are ASCII: its `\d` takes those of every script.
//! * A type does not depend on where the chunks of a file end. The built-in reader infers one for each chunk and then
//!   reconciles integers with floats only: dates in one chunk and timestamps in the next are Utf8.
//! * Integers beyond Int64 keep their digits: UInt64 if there are no negative ones and all fit, else
//!   Decimal128(38, 0), else Decimal256(76, 0). arrow-csv infers Utf8; so do we beyond 76 digits, and where such an
//!   integer meets floats, since Float64 would drop digits without a word.
//! * A column of NULLs alone is Null only if the sample is the whole input, and else a string: there may be values
//!   behind it, which the built-in reader then drops without a word.
//! * An empty name in the header becomes `column_N`, N from 1, as columns without a header are named. A name that was
//!   there before gets the first free of `_2`, `_3`, … appended. The built-in reader keeps empty names, and merges
//!   columns of one name or fails where their types differ.
//! * The columns of several files are matched by position, as they are read, and the first file names them. The
//!   built-in reader matches them by name here and by position when it reads. It also fails on types that differ
//!   between two files, integers in one and floats in the other, say; here the rules above hold over all files.
//! * Files with different numbers of columns are an error, unless `truncated_rows` is set: then the table has the
//!   columns of the widest header. The built-in reader infers the union and fails when it reads.
//! * A record with more fields than the table has columns is an error with its position also under `truncated_rows`,
//!   as it is when the table is read. arrow-csv drops the surplus from the sample, and then fails on it.
//! * An input that ends inside quotes, and a header that is not UTF-8, are errors with their position. A value that is
//!   not UTF-8 makes its column Utf8, and reading it is the error.

mod header;
mod read;
mod sample;
mod types;

pub use header::read_names;
pub use read::{read_schema, sample};
pub use sample::{Enough, InferredSchema, IsNull, SampleOptions, SchemaSampler, StringType, nulls_of};
