//! [`OPTIONS`]: the one table of options. SQL's `OPTIONS`, `SET csv_stream.…`, the builder and the
//! docs share it.

use std::fmt::Write as _;

use datafusion::common::config::{ConfigField, CsvOptions};

use super::format_options::CsvFormatOptions;
use super::values;
use crate::error::{Error, Result};

/// One option: its key in SQL, the values that it takes, and its effect.
#[derive(Debug)]
#[non_exhaustive]
pub struct OptionSpec {
    /// The key, as in `OPTIONS ('key' 'value')`; `format.key` is the same.
    pub key: &'static str,
    /// The values that it takes.
    pub values: &'static str,
    /// The default, as a value.
    pub default: &'static str,
    /// Its effect, in one sentence.
    pub doc: &'static str,
    set: fn(&mut CsvFormatOptions, &str) -> Result<(), String>,
    get: fn(&CsvFormatOptions) -> Option<String>,
    /// Takes the session's value, unless the table has one.
    inherit: fn(&mut CsvFormatOptions, &CsvFormatOptions),
}

/// An option of this crate's reader, most of which the writer is given too. An empty value is a
/// value.
macro_rules! option {
    ($key:literal, $values:expr, $default:expr, $doc:expr, $field:ident, $parse:path, $show:path) => {
        OptionSpec {
            key: $key,
            values: $values,
            default: $default,
            doc: $doc,
            set: |options, value| $parse(value).map(|parsed| options.$field = Some(parsed)),
            get: |options| options.$field.as_ref().map(|value| $show(value)),
            inherit: |options, session| {
                if options.$field.is_none() {
                    options.$field = session.$field.clone();
                }
            },
        }
    };
}

/// An option that an empty value unsets, so that the session's value or the default applies.
macro_rules! clearable_option {
    ($key:literal, $values:expr, $default:expr, $doc:expr, $field:ident, $parse:path, $show:path) => {
        OptionSpec {
            set: |options, value| {
                options.$field = if value.is_empty() { None } else { Some($parse(value)?) };
                Ok(())
            },
            ..option!($key, $values, $default, $doc, $field, $parse, $show)
        }
    };
}

/// An option of DataFusion's writer alone, which parses it. An empty value unsets it.
macro_rules! writer_option {
    ($key:literal, $values:expr, $default:expr, $doc:expr, $field:ident, $show:path) => {
        OptionSpec {
            key: $key,
            values: $values,
            default: $default,
            doc: $doc,
            set: |options, value| {
                let mut writer = options.writer.clone();
                if value.is_empty() {
                    writer.$field = CsvOptions::default().$field;
                } else {
                    writer.set($key, value).map_err(|_| String::new())?;
                }
                options.writer = writer;
                Ok(())
            },
            get: |options| {
                let is_set = options.writer.$field != CsvOptions::default().$field;
                is_set.then(|| $show(&options.writer.$field))
            },
            inherit: |options, session| {
                if options.writer.$field == CsvOptions::default().$field {
                    options.writer.$field = session.writer.$field.clone();
                }
            },
        }
    };
}

/// The options that change no row of a table, only how it is read. A table takes them from its
/// session for each query, and all others once, when it is created.
const OF_QUERIES: [&str; 5] = ["split", "batch_size", "memory_limit", "max_record_bytes", "pushdown_filters"];

/// Every option, in the order in which the docs show them.
#[rustfmt::skip]
pub const OPTIONS: &[OptionSpec] = &[
    clearable_option!("has_header", values::BOOL, "the session's datafusion.catalog.has_header, true",
        "The first record of each file holds the column names.",
        has_header, values::bool, values::show),
    option!("delimiter", values::BYTE, "`,`, or a tab for files that end in .tsv", "The byte between two fields.",
        delimiter, values::byte, values::show_byte),
    option!("quote", values::BYTE_OR_OFF, "\"", "The byte around a quoted field.",
        quote, values::some_byte, values::show_some_byte),
    option!("escape", values::BYTE_OR_OFF, "", "The byte that makes the next one literal, inside quotes.",
        escape, values::some_byte, values::show_some_byte),
    clearable_option!("double_quote", values::BOOL, "true", "Two quotes inside quotes mean one.",
        double_quote, values::bool, values::show),
    option!("comment", values::BYTE_OR_OFF, "", "A record that starts with this byte is skipped up to the next LF.",
        comment, values::some_byte, values::show_some_byte),
    clearable_option!("terminator", "`crlf` (CR, LF or CRLF), or one byte", "crlf", "The record separator.",
        terminator, values::terminator, values::show_terminator),
    clearable_option!("trim", "none, headers, fields or all", "none", "Where ASCII whitespace around values is removed.",
        trim, values::trim, values::show_name),
    clearable_option!("truncated_rows", values::BOOL, "false",
        "A record with too few fields is padded with NULL; files may have fewer columns than others.",
        truncated_rows, values::bool, values::show),
    clearable_option!("newlines_in_values", values::BOOL, "",
        "Accepted for compatibility with DataFusion, without effect: newlines in quoted values are always read.",
        newlines_in_values, values::bool, values::show),
    option!("null_values", "strings, separated as in a CSV record: `NA,-,\"\"`", "\"\"",
        "The values that are NULL. An empty field of a column that isn't text is always NULL.",
        null_values, values::list, values::show_list),
    option!("null_regex", "a regular expression, or nothing for none", "",
        "A value that it matches is NULL, when inferring and when reading.",
        null_regex, values::regex, values::show_some),
    clearable_option!("quoted_empty_is_string", values::BOOL, "false", "`\"\"` is an empty string, not NULL.",
        quoted_empty_is_string, values::bool, values::show),
    clearable_option!("match_columns", "auto, name or position", "auto",
        "How headers lead to columns. auto: by name, unless the header shows that columns were renamed. name: a missing \
         column is NULL, another one is not read. position: names are not compared.",
        match_columns, values::match_columns, values::show_name),
    clearable_option!("lossy_values", "error or round", "error",
        "A value that its column's type can't hold exactly is an error, or rounded or cut as by DataFusion's reader.",
        lossy_values, values::lossy_values, values::show_name),
    clearable_option!("leading_zeros", "text or number", "text",
        "The inferred type of numbers with leading zeros, such as 02139.",
        leading_zeros, values::leading_zeros, values::show_name),
    clearable_option!("max_field_bytes", values::SIZE,
        "max_record_bytes; 512KiB, or a 48th of a memory_limit below 10MiB, if oversized_fields is null or truncate",
        "The most bytes of a value of a string, binary or dictionary column.",
        max_field_bytes, values::size, values::show_size),
    clearable_option!("oversized_fields", "error, null or truncate", "error",
        "A longer value becomes an error, NULL, or its first max_field_bytes bytes.",
        oversized_fields, values::oversized_fields, values::show_name),
    clearable_option!("compression", "auto, uncompressed, gzip, bzip2, xz or zstd", "auto",
        "How files are compressed; auto goes by each file's extension.",
        compression, values::compression, values::show_compression),
    clearable_option!("split", "auto, exact or none", "auto",
        "How partitions share a file. auto: by byte range; each range finds its first record by the bytes around its \
         start, or with one scan of the file for all ranges where those are ambiguous. exact: always with that scan. \
         none: one partition per file.",
        split, values::split, values::show_name),
    clearable_option!("schema_infer_max_rec", "a number of records; 0 reads every column as text", "1000",
        "Records sampled for the schema, all files together.",
        schema_infer_max_rec, values::count, values::show),
    clearable_option!("schema_infer_max_bytes", values::SIZE, "1MiB", "Bytes sampled for the schema, all files together.",
        schema_infer_max_bytes, values::size, values::show_size),
    clearable_option!("batch_size", "a number of rows", "the session's datafusion.execution.batch_size, 8192",
        "Rows of a batch, no more than the session's; one that gets too large in bytes has fewer.",
        batch_size, values::rows, values::show),
    clearable_option!("memory_limit", values::SIZE, "10MiB", "Memory that one scan may hold at once.",
        memory_limit, values::memory, values::show_size),
    clearable_option!("max_record_bytes", values::SIZE,
        "2MiB, or a twelfth of a memory_limit below 10MiB; 64MiB if oversized_fields is null or truncate",
        "A longer record is an error; usually its quote is never closed.",
        max_record_bytes, values::size, values::show_size),
    clearable_option!("pushdown_filters", values::BOOL, "true",
        "The scan evaluates predicates, and decodes the other columns only for the rows that are left. Values of other rows are not checked.",
        pushdown_filters, values::bool, values::show),
    writer_option!("compression_level", "a number", "the compression's own", "Writing: the compression level.",
        compression_level, values::show_some),
    clearable_option!("quote_style", "Always, Necessary, NonNumeric or Never", "Necessary",
        "Writing: which fields are quoted. Always with a comment byte, never without a quote.",
        quote_style, values::quote_style, values::show_debug),
    writer_option!("ignore_leading_whitespace", values::BOOL, "false",
        "Writing: leading whitespace of strings is left out.", ignore_leading_whitespace, values::show_some),
    writer_option!("ignore_trailing_whitespace", values::BOOL, "false",
        "Writing: trailing whitespace of strings is left out.", ignore_trailing_whitespace, values::show_some),
    writer_option!("null_value", "a string", "empty if null_values has the empty value, else its first", "Writing: the text of NULL.",
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

impl OptionSpec {
    /// The option of a key; a prefix `format.` is allowed. `value` stands in the error.
    fn find(key: &str, value: &str) -> Result<&'static OptionSpec> {
        let lower = key.to_ascii_lowercase();
        let name = lower.strip_prefix("format.").unwrap_or(&lower);
        OPTIONS.iter().find(|spec| spec.key == name).ok_or_else(|| {
            let keys: Vec<_> = OPTIONS.iter().map(|spec| spec.key).collect();
            Error::invalid_option(key, value, format!("no such option; there are {}", keys.join(", ")))
        })
    }

    /// Parses a value into the options.
    fn set(&self, options: &mut CsvFormatOptions, value: &str) -> Result<()> {
        (self.set)(options, value).map_err(|reason| {
            Error::invalid_option(self.key, value, format!("it takes {}{reason}", self.values))
        })
    }

    /// The value in the options, as SQL would set it, if one is set.
    pub(super) fn get(&self, options: &CsvFormatOptions) -> Option<String> {
        (self.get)(options)
    }

    /// Takes the session's value, unless the options have one.
    fn inherit(&self, options: &mut CsvFormatOptions, session: &CsvFormatOptions) {
        (self.inherit)(options, session);
    }
}

impl CsvFormatOptions {
    /// Sets an option by its key, as SQL does; a prefix `format.` is allowed.
    ///
    /// # Errors
    ///
    /// For a key that isn't there, with all that are, and for a value that the option can't have,
    /// with those that it can.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        OptionSpec::find(key, value)?.set(self, value)
    }

    /// An option's value, as SQL would set it; `None` while it has its default.
    ///
    /// # Errors
    ///
    /// For a key that isn't there, with all that are.
    pub fn get(&self, key: &str) -> Result<Option<String>> {
        Ok(OptionSpec::find(key, "")?.get(self))
    }

    /// Takes over each option of queries that is not set here.
    pub(super) fn inherit_for_query(&mut self, session: &CsvFormatOptions) {
        for spec in OPTIONS.iter().filter(|spec| OF_QUERIES.contains(&spec.key)) {
            spec.inherit(self, session);
        }
    }

    /// Takes over each option of tables that is not set here.
    pub(super) fn inherit_for_table(&mut self, session: &CsvFormatOptions) {
        for spec in OPTIONS.iter().filter(|spec| !OF_QUERIES.contains(&spec.key)) {
            spec.inherit(self, session);
        }
    }
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
