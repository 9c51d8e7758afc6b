//! The front of a file, for schema inference.

use arrow::datatypes::SchemaRef;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::prefixed::Prefixed;
use crate::budget::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::infer::SchemaSampler;

/// Shows a sampler the front of one file.
///
/// # Errors
///
/// Those of reading, and those of the records in the sample.
pub async fn sample(
    reader: &mut (impl AsyncBufRead + Unpin + ?Sized),
    sampler: &mut SchemaSampler,
) -> Result<()> {
    sampler.start_file();
    while !sampler.is_done() {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return sampler.finish_file();
        }
        sampler.push(chunk)?;
        let taken = chunk.len();
        reader.consume(taken);
    }
    Ok(())
}

/// The schema of an input that can be read only once, and a reader that starts with the bytes of
/// the sample. It holds them until they have been read.
///
/// # Errors
///
/// As [`sample`], and when half of the memory limit has been read without a record.
pub async fn infer_schema<R: AsyncBufRead + Unpin>(
    mut reader: R,
    mut sampler: SchemaSampler,
    limits: &Limits,
) -> Result<(SchemaRef, Prefixed<R>)> {
    let mut seen = Vec::new();
    sampler.start_file();
    while !sampler.is_done() {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            sampler.finish_file()?;
            break;
        }
        // A reader may have everything in memory; what is copied stays near the sample.
        let chunk = &chunk[..chunk.len().min(limits.chunk_bytes())];
        if seen.len() + chunk.len() > limits.memory_limit() / 2 {
            let reason = format!(
                "no record ends in the first {} bytes, which are held because the input can be read only once, up to \
                 half of memory_limit: raise memory_limit",
                seen.len()
            );
            return Err(Error::new(ErrorKind::Schema { reason }));
        }
        seen.extend_from_slice(chunk);
        sampler.push(chunk)?;
        let taken = chunk.len();
        reader.consume(taken);
    }
    Ok((sampler.finish().schema, Prefixed::new(seen, reader)))
}
