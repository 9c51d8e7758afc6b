//! The schema sampler, compared with arrow-csv's, and with the result of arrow-csv's reader for the
//! schema.

mod bounds;
mod files;
mod framing;
mod lossless;
mod types;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::error::Error;
use datafusion_csv_stream::grammar::DialectBuilder;
use datafusion_csv_stream::infer::{Enough, InferredSchema, IsNull, SampleOptions, SchemaSampler};

const MAX_RECORD_BYTES: usize = 1 << 16;

fn empty_is_null() -> IsNull {
    Box::new(|value, _| value.is_empty())
}

/// Samples files in chunks of one size, one file after the other. Like a caller, it reads to the
/// end unless the sampler has enough.
fn sample(
    dialect: &Dialect,
    is_null: IsNull,
    options: &SampleOptions,
    files: &[&[u8]],
    chunk_bytes: usize,
) -> Result<InferredSchema, Error> {
    let mut sampler = SchemaSampler::new(dialect, is_null, options, MAX_RECORD_BYTES);
    for file in files {
        if sampler.is_done() {
            break;
        }
        sampler.start_file();
        for chunk in file.chunks(chunk_bytes) {
            if sampler.push(chunk)? == Enough::Yes {
                break;
            }
        }
        sampler.finish_file()?;
    }
    Ok(sampler.finish())
}

fn infer_with(
    dialect: DialectBuilder,
    options: &SampleOptions,
    files: &[&[u8]],
) -> Result<InferredSchema, Error> {
    let dialect = dialect.build().unwrap();
    let whole = sample(&dialect, empty_is_null(), options, files, usize::MAX);
    for chunk_bytes in [1, 2, 3, 7, 64] {
        let chunked = sample(&dialect, empty_is_null(), options, files, chunk_bytes);
        match (&whole, &chunked) {
            (Ok(whole), Ok(chunked)) => assert_eq!(whole, chunked, "in chunks of {chunk_bytes}"),
            (whole, chunked) => {
                let text = |result: &Result<_, Error>| result.as_ref().err().map(Error::to_string);
                assert_eq!(text(whole), text(chunked), "in chunks of {chunk_bytes}");
            }
        }
    }
    whole
}

fn infer(files: &[&[u8]]) -> Result<InferredSchema, Error> {
    infer_with(Dialect::builder(), &SampleOptions::default(), files)
}

/// `name: type` of each column, all nullable.
fn shown(inferred: &InferredSchema) -> String {
    let columns = inferred.schema.fields().iter().map(|field| {
        assert!(field.is_nullable());
        format!("{}: {}", field.name(), field.data_type())
    });
    columns.collect::<Vec<_>>().join(", ")
}

fn message(result: Result<InferredSchema, Error>) -> String {
    result.unwrap_err().to_string()
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
