//! The options of DataFusion's built-in CSV format, taken over and given to its writer.

use datafusion::common::config::CsvOptions;
use datafusion::common::parsers::{CompressionTypeVariant, CsvQuoteStyle};

use super::format_options::CsvFormatOptions;
use super::values::show_byte;
use crate::error::{Error, Result};
use crate::grammar::Terminator;
use crate::input::{Compression, CompressionOption};

impl CsvFormatOptions {
    /// The options of DataFusion's built-in CSV format, as far as they are not its defaults.
    ///
    /// A compression of `UNCOMPRESSED`, its default, is `auto` here: a compressed file read as if
    /// it weren't is never meant.
    pub fn from_datafusion(options: &CsvOptions) -> Self {
        let defaults = CsvOptions::default();
        let other = |byte: u8, default: u8| (byte != default).then_some(byte);
        CsvFormatOptions {
            has_header: options.has_header,
            delimiter: other(options.delimiter, defaults.delimiter),
            quote: other(options.quote, defaults.quote).map(Some),
            escape: options.escape.map(Some),
            double_quote: options.double_quote,
            comment: options.comment.map(Some),
            terminator: options.terminator.map(Terminator::Byte),
            truncated_rows: options.truncated_rows,
            newlines_in_values: options.newlines_in_values,
            null_regex: options.null_regex.clone().filter(|regex| !regex.is_empty()).map(Some),
            compression: match options.compression {
                CompressionTypeVariant::UNCOMPRESSED => None,
                CompressionTypeVariant::GZIP => Some(CompressionOption::Fixed(Compression::Gzip)),
                CompressionTypeVariant::BZIP2 => Some(CompressionOption::Fixed(Compression::Bzip2)),
                CompressionTypeVariant::XZ => Some(CompressionOption::Fixed(Compression::Xz)),
                CompressionTypeVariant::ZSTD => Some(CompressionOption::Fixed(Compression::Zstd)),
            },
            schema_infer_max_rec: options.schema_infer_max_rec,
            writer: options.clone(),
            ..Self::default()
        }
    }

    /// The options as DataFusion's writer takes them.
    ///
    /// # Errors
    ///
    /// When that writer would write files that can't be read with the same options.
    pub(in crate::datasource) fn to_writer(&self) -> Result<CsvOptions> {
        let defaults = CsvOptions::default();
        let quote = self.quote.unwrap_or(Some(defaults.quote));
        let comment = self.comment.flatten();
        if let Some(Terminator::Byte(terminator)) = self.terminator
            && terminator != b'\n'
        {
            let reason = "DataFusion's writer ends every record with LF; set it only to read";
            return Err(Error::invalid_option("terminator", show_byte(&terminator), reason));
        }
        if let (None, Some(comment)) = (quote, comment) {
            let reason = "without a quote, a value that starts with it would be written as a comment; set it only to read";
            return Err(Error::invalid_option("comment", show_byte(&comment), reason));
        }
        // A value that starts with the comment byte is read back only if it is quoted.
        let quote_style = match (quote, comment) {
            (None, _) => CsvQuoteStyle::Never,
            (Some(_), Some(_)) => CsvQuoteStyle::Always,
            (Some(_), None) => self.quote_style.unwrap_or(self.writer.quote_style),
        };
        // NULL is written as a value that is read as NULL.
        let null_value = match self.null_values.as_deref() {
            Some([first, others @ ..]) if !first.is_empty() && !others.iter().any(String::is_empty) => {
                Some(first.clone())
            }
            _ => None,
        };
        Ok(CsvOptions {
            quote_style,
            null_value: self.writer.null_value.clone().or(null_value),
            has_header: Some(self.has_header.unwrap_or(true)),
            delimiter: self.delimiter.unwrap_or(defaults.delimiter),
            quote: quote.unwrap_or(defaults.quote),
            escape: self.escape.flatten(),
            double_quote: Some(self.double_quote.unwrap_or(true)),
            compression: self.writer_compression(),
            ..self.writer.clone()
        })
    }

    /// The compression of written files. With `auto` nothing is compressed.
    pub(in crate::datasource) fn writer_compression(&self) -> CompressionTypeVariant {
        match self.compression {
            None | Some(CompressionOption::Auto | CompressionOption::Fixed(Compression::None)) => {
                CompressionTypeVariant::UNCOMPRESSED
            }
            Some(CompressionOption::Fixed(Compression::Gzip)) => CompressionTypeVariant::GZIP,
            Some(CompressionOption::Fixed(Compression::Bzip2)) => CompressionTypeVariant::BZIP2,
            Some(CompressionOption::Fixed(Compression::Xz)) => CompressionTypeVariant::XZ,
            Some(CompressionOption::Fixed(Compression::Zstd)) => CompressionTypeVariant::ZSTD,
        }
    }
}
