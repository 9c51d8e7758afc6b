//! [`CsvFormatOptions`] and [`OPTIONS`], the one table that SQL `OPTIONS`, the builder and the docs share.

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::{ConfigField, CsvOptions};
use datafusion::common::parsers::{CompressionTypeVariant, CsvQuoteStyle};

use super::ranges::Split;
use super::values;
use crate::decode::{DecodeOptions, OversizedFields};
use crate::error::{Error, Result};
use crate::grammar::{Dialect, Terminator, Trim};
use crate::infer::{SampleOptions, SchemaSampler, nulls_of};
use crate::input::{Compression, CompressionOption};
use crate::limits::{DEFAULT_MEMORY_LIMIT, Limits};
use crate::stream::CsvStreamBuilder;

/// How CSV files are read and written, as a user says it.
///
/// ```
/// use datafusion_csv_stream::CsvFormatOptions;
///
/// let mut options = CsvFormatOptions::new().with_delimiter(b';').with_batch_size(1024);
/// options.set("null_values", "NA,-")?; // as SQL does: OPTIONS ('null_values' 'NA,-')
/// assert_eq!(options.get("delimiter")?, ";");
///
/// let error = options.set("delimeter", "|").unwrap_err();
/// assert!(error.to_string().contains("no such option; there are has_header, delimiter,"));
/// # Ok::<(), datafusion_csv_stream::error::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CsvFormatOptions {
    has_header: Option<bool>,
    /// `None` is a comma, or what a file's ending says.
    delimiter: Option<u8>,
    quote: Option<u8>,
    escape: Option<u8>,
    double_quote: bool,
    comment: Option<u8>,
    terminator: Terminator,
    trim: Trim,
    truncated_rows: bool,
    newlines_in_values: Option<bool>,
    null_values: Vec<String>,
    null_regex: Option<String>,
    quoted_empty_is_string: bool,
    max_field_bytes: Option<usize>,
    oversized_fields: OversizedFields,
    compression: CompressionOption,
    split: Split,
    schema_infer_max_rec: usize,
    schema_infer_max_bytes: usize,
    batch_size: Option<usize>,
    memory_limit: usize,
    max_record_bytes: Option<usize>,
    pushdown_filters: bool,
    /// The options that only DataFusion's writer has.
    writer: CsvOptions,
}

/// One option: what SQL calls it, what it takes, and what it does.
#[derive(Debug)]
pub struct OptionSpec {
    /// The key, as in `OPTIONS ('key' 'value')`; `format.key` is the same.
    pub key: &'static str,
    /// What values look like.
    pub values: &'static str,
    /// The default, as a value.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    set: fn(&mut CsvFormatOptions, &str) -> Result<(), String>,
    get: fn(&CsvFormatOptions) -> String,
}

/// An option of this crate's reader, most of which the writer is given too.
macro_rules! option {
    ($key:literal, $values:expr, $default:expr, $doc:expr, $field:ident, $parse:path, $show:path) => {
        OptionSpec {
            key: $key,
            values: $values,
            default: $default,
            doc: $doc,
            set: |options, value| $parse(value).map(|parsed| options.$field = parsed),
            get: |options| $show(&options.$field),
        }
    };
}

/// An option that is DataFusion's writer's own, and goes there as it is.
macro_rules! writer_option {
    ($key:literal, $values:expr, $default:expr, $doc:expr, $field:ident, $show:path) => {
        OptionSpec {
            key: $key,
            values: $values,
            default: $default,
            doc: $doc,
            set: |options, value| options.writer.set($key, value).map_err(|e| e.strip_backtrace()),
            get: |options| $show(&options.writer.$field),
        }
    };
}

/// Every option, in the order in which the docs show them.
#[rustfmt::skip]
pub const OPTIONS: &[OptionSpec] = &[
    option!("has_header", values::BOOL, "the session's datafusion.catalog.has_header, true",
        "The first record of each file holds the column names.",
        has_header, values::some_bool, values::show_some),
    option!("delimiter", values::BYTE, "`,`, or a tab for files that end in .tsv", "The byte between two fields.",
        delimiter, values::one_byte, values::show_some_byte),
    option!("quote", values::BYTE_OR_OFF, "\"", "The byte around a quoted field.",
        quote, values::some_byte, values::show_some_byte),
    option!("escape", values::BYTE_OR_OFF, "", "The byte that makes the next one literal, inside quotes.",
        escape, values::some_byte, values::show_some_byte),
    option!("double_quote", values::BOOL, "true", "Two quotes inside quotes mean one.",
        double_quote, values::bool, values::show),
    option!("comment", values::BYTE_OR_OFF, "", "A record that starts with this byte is skipped up to the next LF.",
        comment, values::some_byte, values::show_some_byte),
    option!("terminator", "`crlf` (CR, LF or CRLF), or one byte", "crlf", "What ends a record.",
        terminator, values::terminator, values::show_terminator),
    option!("trim", "none, headers, fields or all", "none", "Where ASCII whitespace around values is removed.",
        trim, values::trim, values::show_name),
    option!("truncated_rows", values::BOOL, "false",
        "A record with too few fields is padded with NULL; files may have fewer columns than others.",
        truncated_rows, values::bool, values::show),
    option!("newlines_in_values", values::BOOL, "the session's datafusion.catalog.newlines_in_values, false",
        "Accepted for DataFusion's sake: newlines in quoted values are always read right.",
        newlines_in_values, values::some_bool, values::show_some),
    option!("null_values", "strings, separated as in a CSV record: `NA,-,\"\"`", "\"\"",
        "The values that are NULL. An empty field of a column that isn't text is always NULL.",
        null_values, values::list, values::show_list),
    option!("null_regex", "a regular expression, or nothing for none", "",
        "A value that it matches is NULL, when inferring and when reading.",
        null_regex, values::some_string, values::show_some),
    option!("quoted_empty_is_string", values::BOOL, "false", "`\"\"` is an empty string, not NULL.",
        quoted_empty_is_string, values::bool, values::show),
    option!("max_field_bytes", values::SIZE,
        "max_record_bytes; 512KiB, or a 48th of a memory_limit below 10MiB, if oversized_fields is null or truncate",
        "The most bytes of a value of a string, binary or dictionary column.",
        max_field_bytes, values::some_size, values::show_some_size),
    option!("oversized_fields", "error, null or truncate", "error",
        "What becomes of a longer value: an error, NULL, or its first max_field_bytes bytes.",
        oversized_fields, values::oversized_fields, values::show_name),
    option!("compression", "auto, uncompressed, gzip, bzip2, xz or zstd", "auto",
        "How files are compressed; auto goes by each file's extension.",
        compression, values::compression, values::show_compression),
    option!("split", "auto, exact or none", "auto",
        "How partitions share a file: by ranges of bytes whose records are found from what follows where that is proof, else \
         from what is before (auto), always from what is before (exact), or not (none).",
        split, values::split, values::show_name),
    option!("schema_infer_max_rec", "a number of records; 0 reads every column as text", "1000",
        "Records sampled for the schema, all files together.",
        schema_infer_max_rec, values::count, values::show),
    option!("schema_infer_max_bytes", values::SIZE, "1MiB", "Bytes sampled for the schema, all files together.",
        schema_infer_max_bytes, values::size, values::show_size),
    option!("batch_size", "a number of rows", "the session's datafusion.execution.batch_size, 8192",
        "Rows of a batch, no more than the session's; one that gets too large in bytes has fewer.",
        batch_size, values::some_count, values::show_some),
    option!("memory_limit", values::SIZE, "10MiB", "What one scan may hold at once.",
        memory_limit, values::size, values::show_size),
    option!("max_record_bytes", values::SIZE,
        "2MiB, or a twelfth of a memory_limit below 10MiB; 64MiB if oversized_fields is null or truncate",
        "A longer record is an error: usually its quote is never closed.",
        max_record_bytes, values::some_size, values::show_some_size),
    option!("pushdown_filters", values::BOOL, "true",
        "The scan evaluates predicates, and decodes other columns only of the rows that fulfil them; other values are not checked.",
        pushdown_filters, values::bool, values::show),
    writer_option!("compression_level", "a number", "the compression's own", "Writing: how hard to compress.",
        compression_level, values::show_some),
    writer_option!("quote_style", "Always, Necessary, NonNumeric or Never", "Necessary",
        "Writing: which fields are quoted. Always with a comment byte, never without a quote.",
        quote_style, values::show_debug),
    writer_option!("ignore_leading_whitespace", values::BOOL, "false",
        "Writing: leading whitespace of strings is left out.", ignore_leading_whitespace, values::show_some),
    writer_option!("ignore_trailing_whitespace", values::BOOL, "false",
        "Writing: trailing whitespace of strings is left out.", ignore_trailing_whitespace, values::show_some),
    writer_option!("null_value", "a string", "the first of null_values", "Writing: what NULL becomes.",
        null_value, values::show_some),
    writer_option!("date_format", "a strftime pattern", "%F", "Writing: how dates look.", date_format, values::show_some),
    writer_option!("datetime_format", "a strftime pattern", "ISO 8601", "Writing: how Date64 values look.",
        datetime_format, values::show_some),
    writer_option!("timestamp_format", "a strftime pattern", "ISO 8601", "Writing: how timestamps look.",
        timestamp_format, values::show_some),
    writer_option!("timestamp_tz_format", "a strftime pattern", "RFC 3339",
        "Writing: how timestamps with a zone look.", timestamp_tz_format, values::show_some),
    writer_option!("time_format", "a strftime pattern", "ISO 8601", "Writing: how times look.", time_format,
        values::show_some),
];

impl Default for CsvFormatOptions {
    fn default() -> Self {
        let dialect = Dialect::default();
        let sample = SampleOptions::default();
        CsvFormatOptions {
            has_header: None,
            delimiter: None,
            quote: dialect.quote(),
            escape: dialect.escape(),
            double_quote: dialect.double_quote(),
            comment: dialect.comment(),
            terminator: dialect.terminator(),
            trim: dialect.trim(),
            truncated_rows: false,
            newlines_in_values: None,
            null_values: vec![String::new()],
            null_regex: None,
            quoted_empty_is_string: false,
            max_field_bytes: None,
            oversized_fields: OversizedFields::Error,
            compression: CompressionOption::Auto,
            split: Split::Auto,
            schema_infer_max_rec: sample.max_records,
            schema_infer_max_bytes: sample.max_bytes,
            batch_size: None,
            memory_limit: DEFAULT_MEMORY_LIMIT,
            max_record_bytes: None,
            pushdown_filters: true,
            writer: CsvOptions::default(),
        }
    }
}

impl CsvFormatOptions {
    /// All defaults; see [`OPTIONS`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks that the options go together, which is checked again whenever they are used.
    ///
    /// # Errors
    ///
    /// When they contradict each other, or one has a value that it can't have.
    pub fn check(&self) -> Result<()> {
        self.resolve().map(|_| ())
    }

    /// Sets an option by its key, as SQL does; a prefix `format.` is allowed.
    ///
    /// # Errors
    ///
    /// For a key that isn't there, with all that are, and for a value that the option can't have, with what it can.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let spec = find(key, value)?;
        (spec.set)(self, value).map_err(|reason| {
            Error::invalid_option(spec.key, value, format!("it takes {}{reason}", spec.values))
        })
    }

    /// An option's value, as SQL would set it.
    ///
    /// # Errors
    ///
    /// For a key that isn't there, with all that are.
    pub fn get(&self, key: &str) -> Result<String> {
        Ok((find(key, "")?.get)(self))
    }

    /// Whether the first record of each file holds the column names. Default: what the session says, which is true.
    pub fn with_has_header(mut self, has_header: bool) -> Self {
        self.has_header = Some(has_header);
        self
    }

    /// The byte between two fields. Default `,`, or a tab for files that end in `.tsv`.
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// The byte around a quoted field; `None` makes quotes ordinary bytes. Default `"`.
    pub fn with_quote(mut self, quote: impl Into<Option<u8>>) -> Self {
        self.quote = quote.into();
        self
    }

    /// The byte that makes the next one literal, inside quotes. Default none.
    pub fn with_escape(mut self, escape: impl Into<Option<u8>>) -> Self {
        self.escape = escape.into();
        self
    }

    /// Whether two quotes inside quotes mean one. Default true.
    pub fn with_double_quote(mut self, double_quote: bool) -> Self {
        self.double_quote = double_quote;
        self
    }

    /// The byte that starts a comment at the start of a record. Default none.
    pub fn with_comment(mut self, comment: impl Into<Option<u8>>) -> Self {
        self.comment = comment.into();
        self
    }

    /// What ends a record. Default CR, LF or CRLF.
    pub fn with_terminator(mut self, terminator: Terminator) -> Self {
        self.terminator = terminator;
        self
    }

    /// Where ASCII whitespace around values is removed. Default nowhere.
    pub fn with_trim(mut self, trim: Trim) -> Self {
        self.trim = trim;
        self
    }

    /// Whether a record with too few fields is padded with NULL. Default false: it is an error.
    pub fn with_truncated_rows(mut self, truncated_rows: bool) -> Self {
        self.truncated_rows = truncated_rows;
        self
    }

    /// The values that are NULL. Default: the empty one.
    pub fn with_null_values(mut self, null_values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.null_values = null_values.into_iter().map(Into::into).collect();
        self
    }

    /// A value that this regular expression matches is NULL. Default none.
    pub fn with_null_regex(mut self, null_regex: impl Into<Option<String>>) -> Self {
        self.null_regex = null_regex.into();
        self
    }

    /// Whether `""` is an empty string rather than NULL. Default false.
    pub fn with_quoted_empty_is_string(mut self, quoted_empty_is_string: bool) -> Self {
        self.quoted_empty_is_string = quoted_empty_is_string;
        self
    }

    /// The most bytes of a value of a string, binary or dictionary column, and what becomes of longer ones. Default: no
    /// limit but [`with_max_record_bytes`](Self::with_max_record_bytes), and an error.
    ///
    /// Values that become NULL or are truncated are cut while they are read, so they can be far longer than what fits into
    /// memory. Without a limit it is 512 KiB then, or a 48th of a memory limit below 10 MiB. (With
    /// [`with_null_regex`](Self::with_null_regex), which may have to see all of a value, those to be truncated are not cut.)
    pub fn with_max_field_bytes(
        mut self,
        max_field_bytes: impl Into<Option<usize>>,
        oversized_fields: OversizedFields,
    ) -> Self {
        self.max_field_bytes = max_field_bytes.into();
        self.oversized_fields = oversized_fields;
        self
    }

    /// How files are compressed. Default: by each file's extension.
    pub fn with_compression(mut self, compression: CompressionOption) -> Self {
        self.compression = compression;
        self
    }

    /// How partitions share a file. Default [`Split::Auto`].
    pub fn with_split(mut self, split: Split) -> Self {
        self.split = split;
        self
    }

    /// Records sampled for the schema, all files together; 0 reads every column as text. Default 1000.
    pub fn with_schema_infer_max_rec(mut self, records: usize) -> Self {
        self.schema_infer_max_rec = records;
        self
    }

    /// Bytes sampled for the schema, all files together. Default 1 MiB.
    pub fn with_schema_infer_max_bytes(mut self, bytes: usize) -> Self {
        self.schema_infer_max_bytes = bytes;
        self
    }

    /// Rows of a batch, no more than the session's `datafusion.execution.batch_size`: DataFusion cuts larger
    /// ones, and they only cost memory. Default: the session's, 8192.
    pub fn with_batch_size(mut self, rows: usize) -> Self {
        self.batch_size = Some(rows);
        self
    }

    /// Bytes that one scan may hold at once. Default 10 MiB.
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Bytes of the longest record that is accepted. Default 2 MiB, or a twelfth of a memory limit below 10 MiB; where
    /// [oversized values](Self::with_max_field_bytes) become NULL or are truncated, 64 MiB, which takes no more memory.
    pub fn with_max_record_bytes(mut self, bytes: usize) -> Self {
        self.max_record_bytes = Some(bytes);
        self
    }

    /// Whether the scan evaluates predicates, and decodes other columns only where they are true. Default true.
    pub fn with_pushdown_filters(mut self, pushdown_filters: bool) -> Self {
        self.pushdown_filters = pushdown_filters;
        self
    }

    /// The options that DataFusion's built-in CSV format has, taken over.
    pub fn from_datafusion(options: &CsvOptions) -> Self {
        let defaults = Self::default();
        CsvFormatOptions {
            has_header: options.has_header,
            delimiter: Some(options.delimiter)
                .filter(|delimiter| *delimiter != CsvOptions::default().delimiter),
            quote: Some(options.quote),
            escape: options.escape,
            double_quote: options.double_quote.unwrap_or(defaults.double_quote),
            comment: options.comment,
            terminator: options.terminator.map_or(Terminator::CrLf, Terminator::Byte),
            truncated_rows: options.truncated_rows.unwrap_or(defaults.truncated_rows),
            newlines_in_values: options.newlines_in_values,
            null_regex: options.null_regex.clone().filter(|regex| !regex.is_empty()),
            compression: match options.compression {
                // The built-in's default; a compressed file read as if it weren't is never meant.
                CompressionTypeVariant::UNCOMPRESSED => CompressionOption::Auto,
                CompressionTypeVariant::GZIP => CompressionOption::Fixed(Compression::Gzip),
                CompressionTypeVariant::BZIP2 => CompressionOption::Fixed(Compression::Bzip2),
                CompressionTypeVariant::XZ => CompressionOption::Fixed(Compression::Xz),
                CompressionTypeVariant::ZSTD => CompressionOption::Fixed(Compression::Zstd),
            },
            schema_infer_max_rec: options.schema_infer_max_rec.unwrap_or(defaults.schema_infer_max_rec),
            writer: options.clone(),
            ..defaults
        }
    }

    /// The options as DataFusion's writer takes them; `has_header` where neither side says.
    pub(super) fn to_writer(&self, has_header: bool) -> CsvOptions {
        let defaults = CsvOptions::default();
        // Without its quotes a value that starts as a comment does would be read as one.
        let quote_style = match (self.quote, self.comment) {
            (None, _) => CsvQuoteStyle::Never,
            (Some(_), Some(_)) => CsvQuoteStyle::Always,
            (Some(_), None) => self.writer.quote_style,
        };
        // What is written for NULL is read as NULL.
        let null_value = match self.null_values.iter().any(String::is_empty) {
            true => None,
            false => self.null_values.first().cloned(),
        };
        CsvOptions {
            quote_style,
            null_value: self.writer.null_value.clone().or(null_value),
            has_header: Some(self.has_header.unwrap_or(has_header)),
            delimiter: self.delimiter.unwrap_or(defaults.delimiter),
            quote: self.quote.unwrap_or(defaults.quote),
            escape: self.escape,
            double_quote: Some(self.double_quote),
            terminator: match self.terminator {
                Terminator::CrLf => None,
                Terminator::Byte(terminator) => Some(terminator),
            },
            compression: self.writer_compression(),
            ..self.writer.clone()
        }
    }

    /// How files are written: as named; by extension nothing is compressed.
    pub(super) fn writer_compression(&self) -> CompressionTypeVariant {
        match self.compression {
            CompressionOption::Auto | CompressionOption::Fixed(Compression::None) => {
                CompressionTypeVariant::UNCOMPRESSED
            }
            CompressionOption::Fixed(Compression::Gzip) => CompressionTypeVariant::GZIP,
            CompressionOption::Fixed(Compression::Bzip2) => CompressionTypeVariant::BZIP2,
            CompressionOption::Fixed(Compression::Xz) => CompressionTypeVariant::XZ,
            CompressionOption::Fixed(Compression::Zstd) => CompressionTypeVariant::ZSTD,
        }
    }

    /// How files are compressed.
    pub(super) fn compression(&self) -> CompressionOption {
        self.compression
    }

    /// How partitions share a file.
    pub(super) fn split(&self) -> Split {
        self.split
    }

    /// Whether the options name a delimiter.
    pub(crate) fn has_delimiter(&self) -> bool {
        self.delimiter.is_some()
    }

    /// The rows of a batch, if these options say.
    pub(super) fn batch_size(&self) -> Option<usize> {
        self.batch_size
    }

    /// Whether the scan evaluates predicates.
    pub(super) fn pushes_filters_down(&self) -> bool {
        self.pushdown_filters
    }

    /// Whether files have a header, `default` where these options don't say.
    pub(super) fn has_header_or(&self, default: bool) -> bool {
        self.has_header.unwrap_or(default)
    }

    /// The options as the layers below take them, checked.
    pub(super) fn resolve(&self) -> Result<ReadOptions> {
        let dialect = Dialect::builder()
            .with_header(self.has_header.unwrap_or(true))
            .with_delimiter(self.delimiter.unwrap_or(b','))
            .with_quote(self.quote)
            .with_escape(self.escape)
            .with_double_quote(self.double_quote)
            .with_comment(self.comment)
            .with_terminator(self.terminator)
            .with_trim(self.trim)
            .build()?;
        let decode = DecodeOptions::default()
            .null_values(&self.null_values)
            .null_regex(self.null_regex.as_deref())?
            .quoted_empty_is_string(self.quoted_empty_is_string)
            .max_field_bytes(self.max_field_bytes, self.oversized_fields);
        let limits = match decode.reads_values_whole() {
            true => Limits::new(self.memory_limit, self.max_record_bytes)?,
            false => Limits::with_cut_fields(self.memory_limit, self.max_record_bytes, self.max_field_bytes)?,
        };
        if self.batch_size == Some(0) {
            return Err(Error::invalid_option("batch_size", "0", "at least 1 row"));
        }
        Ok(ReadOptions {
            sample: SampleOptions {
                max_records: self.schema_infer_max_rec,
                max_bytes: self.schema_infer_max_bytes,
                truncated_rows: self.truncated_rows,
                ..SampleOptions::default()
            },
            dialect,
            decode: decode.within(&limits),
            limits,
            truncated_rows: self.truncated_rows,
            compression: self.compression,
            split: self.split,
        })
    }
}

/// [`CsvFormatOptions`] as the layers below take them.
#[derive(Debug, Clone)]
pub(super) struct ReadOptions {
    pub(super) dialect: Dialect,
    pub(super) decode: DecodeOptions,
    pub(super) sample: SampleOptions,
    pub(super) limits: Limits,
    pub(super) truncated_rows: bool,
    pub(super) compression: CompressionOption,
    pub(super) split: Split,
}

impl ReadOptions {
    /// A sampler that sees files as reading them does.
    pub(super) fn sampler(&self) -> SchemaSampler {
        let (max_record_bytes, cut_fields) = self.decode.record_bytes(&self.limits, None);
        let sampler =
            SchemaSampler::new(&self.dialect, nulls_of(&self.decode), &self.sample, max_record_bytes);
        sampler.with_cut_fields(cut_fields)
    }

    /// A stream of files with these columns; what is particular to one file is still to be set.
    pub(super) fn stream_builder(&self, schema: &SchemaRef) -> CsvStreamBuilder {
        CsvStreamBuilder::new(Arc::clone(schema))
            .with_dialect(self.dialect.clone())
            .with_decode_options(self.decode.clone())
            .with_truncated_rows(self.truncated_rows)
            .with_limits(self.limits)
    }
}

fn find(key: &str, value: &str) -> Result<&'static OptionSpec> {
    let lower = key.to_ascii_lowercase();
    let name = lower.strip_prefix("format.").unwrap_or(&lower);
    OPTIONS.iter().find(|spec| spec.key == name).ok_or_else(|| {
        let keys: Vec<_> = OPTIONS.iter().map(|spec| spec.key).collect();
        Error::invalid_option(key, value, format!("no such option; there are {}", keys.join(", ")))
    })
}

/// [`OPTIONS`] as a Markdown table, as it stands in the README.
pub fn options_as_markdown() -> String {
    let mut table = String::from("| option | values | default | what it does |\n|---|---|---|---|\n");
    for OptionSpec { key, values, default, doc, .. } in OPTIONS {
        let default = match *default {
            "" => "none".to_owned(),
            default if default.contains(' ') => default.to_owned(),
            default => format!("`{default}`"),
        };
        // Writing to a string can't fail.
        let _ = writeln!(table, "| `{key}` | {values} | {default} | {doc} |");
    }
    table
}
