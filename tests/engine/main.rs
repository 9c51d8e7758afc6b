//! The engine through DataFusion. The tests are one binary, because each binary links all of
//! DataFusion.

mod builtin;
mod cli;
mod columns;
mod container;
mod differential;
mod distributed;
mod errors;
mod exact;
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
