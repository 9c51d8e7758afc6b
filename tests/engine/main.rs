//! The engine through DataFusion: one binary, as each links all of it.

mod builtin;
mod cli;
mod container;
mod distributed;
mod errors;
mod files;
mod filter;
mod options;
mod plan;
mod ranges;
mod requests;
#[path = "../support/rng.rs"]
mod rng;
mod servers;
mod session;
mod stream;
mod support;
mod writing;
