//! [`ReadOptions`]: the options as plain values, resolved once for each plan.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;

use super::format_options::CsvFormatOptions;
use crate::budget::Limits;
use crate::datasource::file_groups::Split;
use crate::datasource::marks::Marks;
use crate::decode::{DecodeOptions, DecoderBuilder};
use crate::error::{Error, Result};
use crate::grammar::Dialect;
use crate::infer::{SampleOptions, SchemaSampler, nulls_of};
use crate::input::CompressionOption;

/// [`CsvFormatOptions`] as the layers below take them, checked.
#[derive(Debug, Clone)]
pub(in crate::datasource) struct ReadOptions {
    /// The options that these were made of.
    pub(in crate::datasource) given: CsvFormatOptions,
    pub(in crate::datasource) dialect: Dialect,
    pub(in crate::datasource) decode: DecodeOptions,
    pub(in crate::datasource) sample: SampleOptions,
    pub(in crate::datasource) limits: Limits,
    pub(in crate::datasource) truncated_rows: bool,
    pub(in crate::datasource) compression: CompressionOption,
    pub(in crate::datasource) split: Split,
    /// The most rows of a batch, if the options say.
    pub(in crate::datasource) batch_size: Option<usize>,
    pub(in crate::datasource) pushdown_filters: bool,
}

impl ReadOptions {
    /// The options without a session.
    ///
    /// # Errors
    ///
    /// When they contradict each other.
    pub(in crate::datasource) fn new(given: CsvFormatOptions) -> Result<Self> {
        let defaults = Dialect::default();
        let dialect = Dialect::builder()
            .with_header(given.has_header.unwrap_or(defaults.has_header()))
            .with_delimiter(given.delimiter.unwrap_or(defaults.delimiter()))
            .with_quote(given.quote.unwrap_or(defaults.quote()))
            .with_escape(given.escape.unwrap_or(defaults.escape()))
            .with_double_quote(given.double_quote.unwrap_or(defaults.double_quote()))
            .with_comment(given.comment.unwrap_or(defaults.comment()))
            .with_terminator(given.terminator.unwrap_or(defaults.terminator()))
            .with_trim(given.trim.unwrap_or(defaults.trim()))
            .build()?;
        let mut decode = DecodeOptions::default()
            .with_null_regex(given.null_regex.as_ref().and_then(|regex| regex.as_deref()))?
            .with_quoted_empty_is_string(given.quoted_empty_is_string.unwrap_or(false))
            .with_lossy_values(given.lossy_values.unwrap_or_default())
            .with_max_field_bytes(given.max_field_bytes, given.oversized_fields.unwrap_or_default());
        // The list always has the empty value by default, also beside a regular expression.
        decode = match &given.null_values {
            Some(values) => decode.with_null_values(values),
            None => decode.with_null_values([""]),
        };
        let memory_limit = given.memory_limit.unwrap_or(Limits::default().memory_limit());
        let limits = Limits::for_fields(memory_limit, given.max_record_bytes, decode.field_limit())?;
        if given.batch_size == Some(0) {
            return Err(Error::invalid_option("batch_size", "0", "at least 1 row"));
        }
        let truncated_rows = given.truncated_rows.unwrap_or(false);
        let sample = SampleOptions::default();
        Ok(ReadOptions {
            dialect,
            decode,
            sample: SampleOptions {
                max_records: given.schema_infer_max_rec.unwrap_or(sample.max_records),
                max_bytes: given.schema_infer_max_bytes.unwrap_or(sample.max_bytes),
                truncated_rows,
                leading_zeros: given.leading_zeros.unwrap_or_default(),
                match_columns: given.match_columns.unwrap_or_default(),
                ..sample
            },
            limits,
            truncated_rows,
            compression: given.compression.unwrap_or_default(),
            split: given.split.unwrap_or_default(),
            batch_size: given.batch_size,
            pushdown_filters: given.pushdown_filters.unwrap_or(true),
            given,
        })
    }

    /// A sampler that sees files as reading them does.
    pub(in crate::datasource) fn sampler(&self) -> SchemaSampler {
        self.sampler_of(&self.sample)
    }

    /// A sampler that sees no more than a file's header.
    pub(in crate::datasource) fn header_sampler(&self) -> SchemaSampler {
        self.sampler_of(&SampleOptions { max_records: 0, ..self.sample.clone() })
    }

    fn sampler_of(&self, sample: &SampleOptions) -> SchemaSampler {
        let (max_record_bytes, cut_fields) = self.decode.record_bytes(&self.limits, None);
        SchemaSampler::new(&self.dialect, nulls_of(&self.decode), sample, max_record_bytes)
            .with_cut_fields(cut_fields)
    }

    /// The decoder of files with these columns, of which some are marked as inferred. The parts that
    /// belong to one file are still to be set.
    pub(in crate::datasource) fn decoder_builder(
        &self,
        schema: &SchemaRef,
        marks: Option<Marks>,
    ) -> DecoderBuilder {
        DecoderBuilder::new(Arc::clone(schema))
            .with_dialect(self.dialect.clone())
            .with_decode_options(self.decode.clone().with_inferred_columns(marks))
            .with_truncated_rows(self.truncated_rows)
            .with_limits(self.limits)
    }
}

impl CsvFormatOptions {
    /// Checks that the options go together, which is checked again whenever they are used.
    ///
    /// # Errors
    ///
    /// When they contradict each other, or one has a value that it can't have.
    pub fn check(&self) -> Result<()> {
        ReadOptions::new(self.clone()).map(|_| ())
    }
}
