//! The engine through DataFusion: one binary, as each links all of it.

mod builtin;
mod cli;
mod distributed;
mod errors;
#[path = "../support/faults.rs"]
mod faults;
mod files;
mod filter;
mod options;
mod plan;
mod ranges;
mod requests;
#[path = "../support/rng.rs"]
mod rng;
mod session;
mod stream;
mod support;
mod writing;
