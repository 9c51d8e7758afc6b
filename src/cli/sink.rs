//! [`Sink`]: stdout, or a file that appears only once it is complete.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::error::{DataFusionError, Result};

/// The destination of the output's bytes.
pub(crate) struct Sink {
    writer: Box<dyn Write + Send>,
    broken: Broken,
    /// The path of the unfinished file, and its final path.
    unfinished: Option<(PathBuf, PathBuf)>,
}

/// Whether a write has failed because the pipe's reader has gone.
#[derive(Clone, Default)]
pub(crate) struct Broken(Arc<AtomicBool>);

impl Broken {
    /// The result of a writer, with the error of a broken pipe if there has been one. arrow-csv
    /// turns that error into a text.
    pub(super) fn check<T, E: Into<DataFusionError>>(&self, result: std::result::Result<T, E>) -> Result<T> {
        result.map_err(|error| match self.0.load(Relaxed) {
            true => DataFusionError::IoError(ErrorKind::BrokenPipe.into()),
            false => error.into(),
        })
    }
}

impl Sink {
    /// Opens a file, or stdout if there is no path.
    ///
    /// The file is written next to its final path and moved there at the end. So a query may read
    /// the file that it replaces, and a query that fails replaces nothing. A file that is not a
    /// regular one, such as a FIFO, is written to directly.
    pub(super) fn create(path: Option<&Path>) -> Result<Self> {
        let broken = Broken::default();
        let Some(path) = path else {
            return Ok(Sink { writer: Box::new(BufWriter::new(io::stdout())), broken, unfinished: None });
        };
        let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let unfinished = (!is_special).then(|| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (path.with_file_name(format!(".{name}.{}.unfinished", std::process::id())), path.to_owned())
        });
        let file = File::create(unfinished.as_ref().map_or(path, |(unfinished, _)| unfinished));
        let file = file.map_err(|error| cant_write(path, &error))?;
        Ok(Sink { writer: Box::new(BufWriter::new(file)), broken, unfinished })
    }

    pub(super) fn broken(&self) -> Broken {
        self.broken.clone()
    }

    /// Flushes, and moves the file to its final path.
    pub(super) fn finish(mut self) -> Result<()> {
        self.flush()?;
        if let Some((unfinished, path)) = &self.unfinished {
            std::fs::rename(unfinished, path).map_err(|error| cant_write(path, &error))?;
            self.unfinished = None;
        }
        Ok(())
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            self.broken.0.store(true, Relaxed);
        }
        result
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.writer.flush();
        self.note(flushed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some((unfinished, _)) = &self.unfinished {
            // The file may be gone already.
            let _ = std::fs::remove_file(unfinished);
        }
    }
}

fn cant_write(path: &Path, error: &io::Error) -> DataFusionError {
    DataFusionError::Configuration(format!("can't write {}: {error}", path.display()))
}
