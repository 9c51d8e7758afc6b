//! [`Sink`]: stdout, or a file that is there only once it is whole.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::error::{DataFusionError, Result};

/// Where bytes go.
pub(crate) struct Sink {
    writer: Box<dyn Write + Send>,
    broken: Broken,
    /// The unfinished file, and what it will be called.
    unfinished: Option<(PathBuf, PathBuf)>,
}

/// Whether a write has failed because nobody reads any more.
#[derive(Clone, Default)]
pub(crate) struct Broken(Arc<AtomicBool>);

impl Broken {
    /// A writer's result, in which a broken pipe can be seen: arrow-csv makes a text of it.
    pub(super) fn check<T, E: Into<DataFusionError>>(&self, result: std::result::Result<T, E>) -> Result<T> {
        result.map_err(|error| match self.0.load(Relaxed) {
            true => DataFusionError::IoError(ErrorKind::BrokenPipe.into()),
            false => error.into(),
        })
    }
}

impl Sink {
    /// A file, or else stdout.
    ///
    /// The file is written beside its place and moved there in the end: a query may read what it replaces, and one that
    /// fails replaces nothing. What is no regular file, a FIFO say, is written to directly.
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

    /// Writes what is left, and puts the file in its place.
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
            // It is not missed if it is gone already.
            let _ = std::fs::remove_file(unfinished);
        }
    }
}

fn cant_write(path: &Path, error: &io::Error) -> DataFusionError {
    DataFusionError::Configuration(format!("can't write {}: {error}", path.display()))
}
