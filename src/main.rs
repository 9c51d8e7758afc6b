//! `csv-stream`: SQL over CSV files, from the command line.

mod cli;

use std::process::ExitCode;

use clap::Parser;

/// Counts the bytes that the process allocates, for `--stats`.
#[global_allocator]
static ALLOCATOR: cli::CountingAllocator = cli::CountingAllocator::new();

fn main() -> ExitCode {
    cli::run(cli::Args::parse(), &ALLOCATOR)
}
