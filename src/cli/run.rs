//! Runs a command, and turns what went wrong into a message and an exit code.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use datafusion::error::{DataFusionError, Result};

use super::alloc::CountingAllocator;
use super::args::{Args, Command};
use super::{query, schema};

/// Exit code for a query or an input that is wrong. Wrong arguments are 2, by clap.
const FAILURE: u8 = 1;

/// Runs the command that the arguments name.
pub(crate) fn run(args: Args, allocator: &CountingAllocator) -> ExitCode {
    match execute(args, allocator) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads the output has what they want: `csv-stream … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // With stderr closed there is nowhere left to complain to.
            let _ = writeln!(std::io::stderr(), "error: {}", message(&error));
            ExitCode::from(FAILURE)
        }
    }
}

fn execute(args: Args, allocator: &CountingAllocator) -> Result<()> {
    let threads = match &args.command {
        Command::Query(query) => query.threads,
        Command::Schema(_) => Some(1),
    };
    let threads = threads.map_or_else(cores, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(DataFusionError::IoError)?;
    let result = match args.command {
        Command::Query(args) => runtime.block_on(query::run(&args, threads, allocator)),
        Command::Schema(args) => runtime.block_on(schema::run(&args)),
    };
    // A read of stdin that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    result
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The error itself, without the layers that only say which layer it came through.
fn message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::External(error) => error.to_string(),
        DataFusionError::Plan(message)
        | DataFusionError::Configuration(message)
        | DataFusionError::Execution(message)
        | DataFusionError::ResourcesExhausted(message) => message.clone(),
        other => other.strip_backtrace(),
    }
}

fn is_broken_pipe(error: &DataFusionError) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            return true;
        }
        source = error.source();
    }
    false
}
