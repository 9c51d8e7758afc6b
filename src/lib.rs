//! A CSV engine for Apache DataFusion. It reads files of any size, from any object store, in about
//! ten megabytes of memory, with its own quote-aware SIMD parser. A readable file is read exactly,
//! and bad input is an error with its place.
//!
//! ```no_run
//! # #[cfg(feature = "datafusion")] {
//! use datafusion::prelude::SessionContext;
//! use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
//!
//! # async fn example() -> datafusion::error::Result<()> {
//! let ctx = SessionContext::new();
//! ctx.register_csv_file("data", "large_file.csv").await?; // a file, a folder, a glob, a URL
//! let options = CsvFormatOptions::new().with_memory_limit(64 << 20);
//! ctx.register_csv_file_with_options("big", "part_*.csv", options).await?;
//! ctx.sql("SELECT * FROM data WHERE amount > 1000").await?.show().await?;
//! # Ok(()) }
//! # }
//! ```
//!
//! [`install`] makes it the CSV engine of a session, for `CREATE EXTERNAL TABLE … STORED AS CSV`,
//! `COPY` and `INSERT INTO`. [`install_url_tables`] lets queries name files:
//! `SELECT * FROM 'part_*.csv'`.
//!
//! Three types read CSV without a session: [`CsvStream`] over any `AsyncBufRead`, [`Reader`] over
//! any `BufRead` and so without async, and [`Decoder`] without I/O: bytes are pushed to it.
//!
//! ```text
//!  object_store ──► input ──AsyncBufRead──► stream ──RecordBatch──► DataFusion
//!  (local, S3,      bytes: read-ahead,      the one place           DataSourceExec(
//!   memory, stdin)  decompression           that awaits               FileScanConfig(CsvStreamSource))
//!                                              │
//!                                              │ push(&[u8]), finish()
//!                                              ▼
//!                      parse (sans-IO)        decode (no async)
//!                      64-byte blocks → masks ► Decoder: one typed decoder a column
//!                      → field ends → Records
//! ```
//!
//! # What it does not do
//!
//! * One partition reads a compressed file.
//! * A value that no query needs is not checked: one in a column that isn't asked for, or in a row
//!   that a predicate drops. The number of fields and the quotes of such a record are checked.
//! * Other encodings than UTF-8 have to be converted first. A delimiter is one byte.
//! * `SessionContext::read_csv` and `register_csv` use DataFusion's own reader, which they are tied
//!   to. Use [`CsvSessionExt`].
//!
//! # Features
//!
//! Each feature contains the one before.
//!
//! * none: [`grammar`], [`parse`], [`simd`]. Depends on `memchr` only.
//! * `arrow`: [`budget`], [`decode`], [`infer`]. A [`Decoder`] that bytes are pushed to, and a [`Reader`] over
//!   any `BufRead`: Arrow arrays without async and without DataFusion.
//! * `async`: [`input`], [`stream`]. A [`CsvStream`] over any `AsyncBufRead`, and object stores,
//!   without DataFusion.
//! * `datafusion` (default): [`datasource`], [`session`].
//! * `cli`: the binary `csv-stream`.
//!
//! `http`, which needs `async`, adds the module `client`: HTTP clients of stores with small buffers.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "arrow")]
pub mod budget;
#[cfg(feature = "http")]
pub mod client;
#[cfg(feature = "datafusion")]
pub mod datasource;
#[cfg(feature = "arrow")]
pub mod decode;
pub mod error;
pub mod grammar;
#[cfg(feature = "arrow")]
pub mod infer;
#[cfg(feature = "async")]
pub mod input;
#[doc(hidden)]
pub mod internal;
pub mod parse;
#[cfg(feature = "datafusion")]
pub mod session;
pub mod simd;
#[cfg(feature = "async")]
pub mod stream;

/// The programs in the README compile.
#[cfg(all(doctest, feature = "datafusion"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(feature = "arrow")]
pub use decode::{ArrowReader, Decoded, Decoder, DecoderBuilder, Reader};
pub use error::Error;
#[cfg(feature = "async")]
pub use stream::CsvStream;

#[cfg(feature = "datafusion")]
pub use datasource::{
    CsvFormatOptions, CsvReaderTable, CsvStreamFormat, CsvStreamFormatFactory, CsvStreamSessionOptions,
    CsvStreamSource, OPTIONS, Split, filter_pushdown_rules, options_as_markdown,
};
pub use grammar::Dialect;
#[cfg(feature = "datafusion")]
pub use session::{
    CsvSessionExt, UrlTableOptions, install, install_url_tables, install_url_tables_with_options,
    install_with_options,
};
