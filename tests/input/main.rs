//! Inputs give the bytes that were listed, decompressed, or an error.

mod compression;
#[path = "../support/faults.rs"]
mod faults;
mod objects;
mod recovery;
mod requests;
#[path = "../support/rng.rs"]
mod rng;
mod support;
