//! The command line: from arguments to rows and messages. It uses only the library's public API.
//!
//! ```text
//!  args ─► run ─► query ─► output (table, csv, json, ndjson, parquet)
//!                   │ ├──► select   (the plan)
//!                   │ ├──► progress (stderr, a terminal, long work)
//!                   └────► stats    (stderr, one JSON line)
//!               └► schema     stores: s3, gs, az, http(s), by URL and environment
//! ```

mod args;
mod output;
mod progress;
mod query;
mod run;
mod schema;
mod select;
mod sink;
mod stats;
mod stores;
mod table;

pub(crate) use args::Args;
pub(crate) use run::run;
