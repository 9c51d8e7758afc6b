//! Runs a command, and turns an error into a message and an exit code.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use datafusion::error::{DataFusionError, Result};

use super::args::{Args, Command};
use super::{query, schema};

/// The exit code for a wrong query or input. For wrong arguments clap exits with 2.
const FAILURE: u8 = 1;

/// Runs the command that the arguments name.
pub(crate) fn run(args: Args) -> ExitCode {
    match execute(args) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the pipe has read all that it wants: `csv-stream … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // With stderr closed there is no place left for the message.
            let _ = writeln!(std::io::stderr(), "error: {}", message(&error));
            ExitCode::from(FAILURE)
        }
    }
}

fn execute(args: Args) -> Result<()> {
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
        Command::Query(args) => runtime.block_on(query::run(&args, threads)),
        Command::Schema(args) => runtime.block_on(schema::run(&args)),
    };
    // A read of stdin may still be waiting; it must not delay the exit.
    runtime.shutdown_background();
    result
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The root error's message, without the layers that only name where the error passed through.
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
