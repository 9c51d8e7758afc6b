//! The parser against independent knowledge: cases written by hand, the reference machine,
//! `csv-core`.
//!
//! ```text
//!  testdata/cases/*.toml ─► cases ─┬► csv_core, padding, unescape
//!                                  ▼
//!  generated, positions, replay ─► check ─► Parser, on every back end, at every cut
//!                       count ──────┤       RecordCounter, the same way
//!                                  ▲
//!                                oracle     the reference machine, with lines, limits and counts
//!                                  ├► kept   the parts of records that are kept, for cut
//!                                  └► finder the record starts at or after a byte, for boundary, lead
//! ```

// `pub` here is for the fuzz targets, which share `check`, `finder` and `oracle`.
#![allow(unreachable_pub)]

mod boundary;
mod cases;
mod check;
mod count;
mod csv_core;
mod cut;
mod finder;
mod generated;
mod kept;
#[path = "../support/kinds.rs"]
mod kinds;
mod lead;
mod lead_cost;
mod memory;
mod oracle;
mod padding;
#[path = "../support/csv_core.rs"]
mod peer;
mod positions;
mod ranges;
mod replay;
#[path = "../support/rng.rs"]
mod rng;
mod seeds;
mod small;
mod support;
mod unescape;
