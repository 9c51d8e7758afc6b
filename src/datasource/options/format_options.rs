//! [`CsvFormatOptions`]: the options of a table, as a user says them.

use datafusion::common::config::CsvOptions;
use datafusion::common::parsers::CsvQuoteStyle;

use crate::budget::OversizedFields;
use crate::datasource::file_groups::Split;
use crate::decode::{LeadingZeros, LossyValues};
use crate::grammar::{Terminator, Trim};
use crate::infer::MatchColumns;
use crate::input::CompressionOption;

/// How CSV files are read and written, as a user says it.
///
/// An option has the first value that is found, in this order:
///
/// 1. The table's own: this builder, or `OPTIONS` in SQL.
/// 2. The session's: `SET csv_stream.<key> = …`, or
///    [`CsvStreamSessionOptions`](crate::CsvStreamSessionOptions). A table takes the options that
///    say how it is read (memory, batches, pushdown, splitting) from its session for each query, and
///    the others once, when it is created.
/// 3. For `has_header`: the session's `datafusion.catalog.has_header`.
/// 4. The default in [`OPTIONS`](crate::OPTIONS).
///
/// A table that SQL creates or names by path starts from the session's own CSV options
/// (`TableOptions::csv`), as far as they are not DataFusion's defaults. They count as 1.
///
/// ```
/// use datafusion_csv_stream::CsvFormatOptions;
///
/// let mut options = CsvFormatOptions::new().with_delimiter(b';').with_batch_size(1024);
/// options.set("null_values", "NA,-")?; // as SQL does: OPTIONS ('null_values' 'NA,-')
/// assert_eq!(options.get("delimiter")?.as_deref(), Some(";"));
/// assert_eq!(options.get("quote")?, None); // the default
///
/// let error = options.set("delimeter", "|").unwrap_err();
/// assert!(error.to_string().contains("no such option; there are has_header, delimiter,"));
/// # Ok::<(), datafusion_csv_stream::error::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CsvFormatOptions {
    pub(super) has_header: Option<bool>,
    pub(super) delimiter: Option<u8>,
    pub(super) quote: Option<Option<u8>>,
    pub(super) escape: Option<Option<u8>>,
    pub(super) double_quote: Option<bool>,
    pub(super) comment: Option<Option<u8>>,
    pub(super) terminator: Option<Terminator>,
    pub(super) trim: Option<Trim>,
    pub(super) truncated_rows: Option<bool>,
    pub(super) newlines_in_values: Option<bool>,
    pub(super) null_values: Option<Vec<String>>,
    pub(super) null_regex: Option<Option<String>>,
    pub(super) quoted_empty_is_string: Option<bool>,
    pub(super) match_columns: Option<MatchColumns>,
    pub(super) lossy_values: Option<LossyValues>,
    pub(super) leading_zeros: Option<LeadingZeros>,
    pub(super) max_field_bytes: Option<usize>,
    pub(super) oversized_fields: Option<OversizedFields>,
    pub(super) compression: Option<CompressionOption>,
    pub(super) split: Option<Split>,
    pub(super) schema_infer_max_rec: Option<usize>,
    pub(super) schema_infer_max_bytes: Option<usize>,
    pub(super) batch_size: Option<usize>,
    pub(super) memory_limit: Option<usize>,
    pub(super) max_record_bytes: Option<usize>,
    pub(super) pushdown_filters: Option<bool>,
    pub(super) quote_style: Option<CsvQuoteStyle>,
    /// The options that only DataFusion's writer has.
    pub(super) writer: CsvOptions,
}

impl CsvFormatOptions {
    /// All defaults; see [`OPTIONS`](crate::OPTIONS).
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the options name a delimiter.
    pub(crate) fn has_delimiter(&self) -> bool {
        self.delimiter.is_some()
    }

    /// Whether the first record of each file holds the column names. Default: what the session
    /// says, which is true.
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
        self.quote = Some(quote.into());
        self
    }

    /// The byte that makes the next one literal, inside quotes. Default none.
    pub fn with_escape(mut self, escape: impl Into<Option<u8>>) -> Self {
        self.escape = Some(escape.into());
        self
    }

    /// Whether two quotes inside quotes mean one. Default true.
    pub fn with_double_quote(mut self, double_quote: bool) -> Self {
        self.double_quote = Some(double_quote);
        self
    }

    /// The byte that starts a comment at the start of a record. Default none.
    pub fn with_comment(mut self, comment: impl Into<Option<u8>>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// The record separator. Default CR, LF or CRLF.
    pub fn with_terminator(mut self, terminator: Terminator) -> Self {
        self.terminator = Some(terminator);
        self
    }

    /// Where ASCII whitespace around values is removed. Default nowhere.
    pub fn with_trim(mut self, trim: Trim) -> Self {
        self.trim = Some(trim);
        self
    }

    /// Whether a record with too few fields is padded with NULL. Default false: it is an error.
    pub fn with_truncated_rows(mut self, truncated_rows: bool) -> Self {
        self.truncated_rows = Some(truncated_rows);
        self
    }

    /// The values that are NULL. Default: the empty one.
    pub fn with_null_values(mut self, null_values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.null_values = Some(null_values.into_iter().map(Into::into).collect());
        self
    }

    /// A value that this regular expression matches is NULL. Default none.
    pub fn with_null_regex(mut self, null_regex: impl Into<Option<String>>) -> Self {
        self.null_regex = Some(null_regex.into());
        self
    }

    /// Whether `""` is an empty string rather than NULL. Default false.
    pub fn with_quoted_empty_is_string(mut self, quoted_empty_is_string: bool) -> Self {
        self.quoted_empty_is_string = Some(quoted_empty_is_string);
        self
    }

    /// How the names in files' headers are matched with the table's columns. Default
    /// [`MatchColumns::Auto`].
    pub fn with_match_columns(mut self, match_columns: MatchColumns) -> Self {
        self.match_columns = Some(match_columns);
        self
    }

    /// The treatment of a value that its column's type can't hold exactly. Default: an error.
    pub fn with_lossy_values(mut self, lossy_values: LossyValues) -> Self {
        self.lossy_values = Some(lossy_values);
        self
    }

    /// Whether numbers with leading zeros, such as `02139`, are inferred as text. Default: they are.
    pub fn with_leading_zeros(mut self, leading_zeros: LeadingZeros) -> Self {
        self.leading_zeros = Some(leading_zeros);
        self
    }

    /// The most bytes of a value of a string, binary or dictionary column, and what becomes of
    /// longer ones. Default: no limit but [`with_max_record_bytes`](Self::with_max_record_bytes),
    /// and an error.
    ///
    /// Values that become NULL or are truncated are cut while they are read, so they can be far
    /// longer than fits into memory. The default limit is then 512 KiB, or a 48th of a memory limit
    /// below 10 MiB. With [`with_null_regex`](Self::with_null_regex), which may have to see all of
    /// a value, values to be truncated are not cut.
    pub fn with_max_field_bytes(
        mut self,
        max_field_bytes: impl Into<Option<usize>>,
        oversized_fields: OversizedFields,
    ) -> Self {
        self.max_field_bytes = max_field_bytes.into();
        self.oversized_fields = Some(oversized_fields);
        self
    }

    /// How files are compressed. Default: by each file's extension.
    pub fn with_compression(mut self, compression: CompressionOption) -> Self {
        self.compression = Some(compression);
        self
    }

    /// How partitions share a file. Default [`Split::Auto`].
    pub fn with_split(mut self, split: Split) -> Self {
        self.split = Some(split);
        self
    }

    /// Records sampled for the schema, all files together; 0 reads every column as text. Default
    /// 1000.
    pub fn with_schema_infer_max_rec(mut self, records: usize) -> Self {
        self.schema_infer_max_rec = Some(records);
        self
    }

    /// Bytes sampled for the schema, all files together. Default 1 MiB.
    pub fn with_schema_infer_max_bytes(mut self, bytes: usize) -> Self {
        self.schema_infer_max_bytes = Some(bytes);
        self
    }

    /// Rows of a batch, no more than the session's `datafusion.execution.batch_size`: DataFusion
    /// cuts larger ones, and they only cost memory. Default: the session's, 8192.
    pub fn with_batch_size(mut self, rows: usize) -> Self {
        self.batch_size = Some(rows);
        self
    }

    /// Bytes that one scan may hold at once. Default 10 MiB.
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Bytes of the longest record that is accepted. Default 2 MiB, or a twelfth of a memory limit
    /// below 10 MiB; where [oversized values](Self::with_max_field_bytes) become NULL or are
    /// truncated, 64 MiB, which takes no more memory.
    pub fn with_max_record_bytes(mut self, bytes: usize) -> Self {
        self.max_record_bytes = Some(bytes);
        self
    }

    /// Whether the scan evaluates predicates, and decodes other columns only where they are true.
    /// Default true.
    pub fn with_pushdown_filters(mut self, pushdown_filters: bool) -> Self {
        self.pushdown_filters = Some(pushdown_filters);
        self
    }
}
