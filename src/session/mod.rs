//! A session's CSV tables, and this engine as its CSV engine. The only module that uses
//! `SessionContext`.
//!
//! ```text
//!  register    register_csv_file, read_csv_file ┐
//!  url_tables  SELECT * FROM 'part_*.csv'       ├► files ► datasource
//!  install     STORED AS CSV, COPY, INSERT INTO ┘
//!  prepare     what each of them does to a session first
//! ```

mod files;
mod install;
mod prepare;
mod register;
mod url_tables;

pub use install::{install, install_with_options};
pub use register::CsvSessionExt;
pub use url_tables::{UrlTableOptions, install_url_tables, install_url_tables_with_options};
