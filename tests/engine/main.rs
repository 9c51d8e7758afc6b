//! The engine through DataFusion: one binary, as each links all of it.

mod builtin;
mod cli;
mod container;
mod differential;
mod distributed;
mod errors;
#[path = "../support/faults.rs"]
mod faults;
mod files;
mod filter;
#[path = "../support/kinds.rs"]
mod kinds;
mod options;
mod oversized;
#[path = "../support/csv_core.rs"]
mod peer;
mod plan;
mod pushdown;
mod ranges;
mod recovery;
mod requests;
#[path = "../support/rng.rs"]
mod rng;
#[path = "../support/server.rs"]
mod server;
mod servers;
mod session;
mod support;
mod writing;
