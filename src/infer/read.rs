//! [`read_schema`] and [`sample`]: inference from any [`BufRead`].

use std::io::BufRead;

use arrow::datatypes::SchemaRef;

use super::sample::{SampleOptions, SchemaSampler, nulls_of};
use crate::decode::DecodeOptions;
use crate::error::Result;
use crate::grammar::Dialect;
use crate::parse::DEFAULT_MAX_RECORD_BYTES;

/// Infers the schema of one file from its front, with the default options.
///
/// The sample is read from `reader`, so rewind it before you read the records. With other options,
/// or for several files, use [`sample`].
///
/// # Errors
///
/// Those of reading, and those of the records in the sample.
pub fn read_schema(reader: &mut impl BufRead, dialect: &Dialect) -> Result<SchemaRef> {
    let is_null = nulls_of(&DecodeOptions::default());
    let mut sampler =
        SchemaSampler::new(dialect, is_null, &SampleOptions::default(), DEFAULT_MAX_RECORD_BYTES);
    sample(reader, &mut sampler)?;
    Ok(sampler.finish().schema)
}

/// Shows a sampler the front of one file.
///
/// # Errors
///
/// Those of reading, and those of the records in the sample.
pub fn sample(reader: &mut impl BufRead, sampler: &mut SchemaSampler) -> Result<()> {
    sampler.start_file();
    while !sampler.is_done() {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return sampler.finish_file();
        }
        sampler.push(chunk)?;
        let taken = chunk.len();
        reader.consume(taken);
    }
    Ok(())
}
