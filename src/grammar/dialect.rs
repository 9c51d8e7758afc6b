//! [`Dialect`]: how a file is written. It is valid by construction, so it is never checked again.

use super::rules::{Grammar, Terminator};
use crate::error::{Error, Result};

/// How a CSV file is written: the bytes that structure it.
///
/// The defaults are those of `csv-core`, and so of DataFusion's built-in reader: `,` between
/// fields, `"` around them, a doubled quote for a quote, no escape, no comments, CR, LF or CRLF
/// after a record, a header.
///
/// ```
/// use datafusion_csv_stream::Dialect;
///
/// let tsv = Dialect::builder().with_delimiter(b'\t').with_quote(None).build()?;
/// assert_eq!(tsv.delimiter(), b'\t');
///
/// let clash = Dialect::builder().with_delimiter(b'"').build().unwrap_err();
/// assert!(clash.to_string().contains("delimiter and quote are both"));
/// # Ok::<(), datafusion_csv_stream::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dialect {
    grammar: Grammar,
    has_header: bool,
    trim: Trim,
}

/// The values that are trimmed: quotes are removed first, then ASCII whitespace at both ends.
///
/// As in the `csv` crate, whitespace is removed from the value, so also inside a quoted field. A
/// quote that follows whitespace does not open a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Trim {
    /// Nowhere. The default.
    #[default]
    None,
    /// In the header's names.
    Headers,
    /// In the fields of all other records.
    Fields,
    /// In both.
    All,
}

impl Trim {
    /// Whether header names are trimmed.
    pub fn headers(self) -> bool {
        matches!(self, Trim::Headers | Trim::All)
    }

    /// Whether fields are trimmed.
    pub fn fields(self) -> bool {
        matches!(self, Trim::Fields | Trim::All)
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect { grammar: Grammar::DEFAULT, has_header: true, trim: Trim::None }
    }
}

impl Dialect {
    /// Starts from the default dialect.
    pub fn builder() -> DialectBuilder {
        DialectBuilder::default()
    }

    /// Starts from this dialect.
    pub fn to_builder(&self) -> DialectBuilder {
        DialectBuilder { dialect: self.clone() }
    }

    /// The bytes that have a meaning.
    pub(crate) fn grammar(&self) -> Grammar {
        self.grammar
    }

    /// The byte between two fields. Default `,`.
    pub fn delimiter(&self) -> u8 {
        self.grammar.delimiter
    }

    /// The byte around a quoted field, `None` when quoting is off. Default `"`.
    pub fn quote(&self) -> Option<u8> {
        self.grammar.quote
    }

    /// The byte that makes the next one literal, inside quotes only. Default none.
    pub fn escape(&self) -> Option<u8> {
        self.grammar.escape
    }

    /// Whether two quotes inside quotes mean one. Default true.
    pub fn double_quote(&self) -> bool {
        self.grammar.double_quote
    }

    /// The byte that starts a comment if it is the first byte of a record. The comment ends with
    /// the next LF. Default none.
    pub fn comment(&self) -> Option<u8> {
        self.grammar.comment
    }

    /// The record separator. Default CR, LF or CRLF.
    pub fn terminator(&self) -> Terminator {
        self.grammar.terminator
    }

    /// Whether the first record holds the column names. Default true.
    pub fn has_header(&self) -> bool {
        self.has_header
    }

    /// Where whitespace is removed. Default nowhere.
    pub fn trim(&self) -> Trim {
        self.trim
    }
}

/// Builds a [`Dialect`]; see there for the meaning and the default of each part.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct DialectBuilder {
    dialect: Dialect,
}

impl DialectBuilder {
    /// The byte between two fields.
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.dialect.grammar.delimiter = delimiter;
        self
    }

    /// The byte around a quoted field; `None` makes every quote a literal byte.
    pub fn with_quote(mut self, quote: impl Into<Option<u8>>) -> Self {
        self.dialect.grammar.quote = quote.into();
        self
    }

    /// The byte that makes the next one literal, inside quotes only.
    ///
    /// The quote itself may be given, as other tools require. That sets `double_quote`, which means
    /// the same.
    pub fn with_escape(mut self, escape: impl Into<Option<u8>>) -> Self {
        self.dialect.grammar.escape = escape.into();
        self
    }

    /// Whether two quotes inside quotes mean one.
    pub fn with_double_quote(mut self, double_quote: bool) -> Self {
        self.dialect.grammar.double_quote = double_quote;
        self
    }

    /// The byte that starts a comment at the start of a record.
    pub fn with_comment(mut self, comment: impl Into<Option<u8>>) -> Self {
        self.dialect.grammar.comment = comment.into();
        self
    }

    /// The record separator.
    pub fn with_terminator(mut self, terminator: Terminator) -> Self {
        self.dialect.grammar.terminator = terminator;
        self
    }

    /// Whether the first record holds the column names.
    pub fn with_header(mut self, has_header: bool) -> Self {
        self.dialect.has_header = has_header;
        self
    }

    /// Where whitespace is removed.
    pub fn with_trim(mut self, trim: Trim) -> Self {
        self.dialect.trim = trim;
        self
    }

    /// Checks that no byte has two meanings.
    ///
    /// # Errors
    ///
    /// When two of delimiter, quote, escape, comment and terminator are the same byte. CR and LF
    /// both count as the default terminator. `csv-core` would silently choose one of the two
    /// meanings.
    pub fn build(self) -> Result<Dialect> {
        let mut dialect = self.dialect;
        let grammar = &mut dialect.grammar;
        if grammar.quote.is_none() {
            grammar.escape = None;
        }
        if grammar.escape.is_some() && grammar.escape == grammar.quote {
            grammar.escape = None;
            grammar.double_quote = true;
        }
        let single = [
            ("delimiter", Some(grammar.delimiter)),
            ("quote", grammar.quote),
            ("escape", grammar.escape),
            ("comment", grammar.comment),
        ];
        for (i, &(name, byte)) in single.iter().enumerate() {
            let Some(byte) = byte else { continue };
            if grammar.terminator.is(byte) {
                return Err(clash(name, "terminator", byte));
            }
            if let Some((other, _)) = single[i + 1..].iter().find(|(_, b)| *b == Some(byte)) {
                return Err(clash(name, other, byte));
            }
        }
        Ok(dialect)
    }
}

fn clash(one: &str, other: &str, byte: u8) -> Error {
    Error::invalid_option(
        one,
        (byte as char).escape_default().to_string(),
        format!(
            "{one} and {other} are both '{}'; give each of delimiter, quote, escape, comment and terminator a byte \
             of its own",
            byte.escape_ascii()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_equal_bytes_is_refused() {
        let base = Dialect::builder;
        for builder in [
            base().with_delimiter(b'"'),
            base().with_delimiter(b'\n'),
            base().with_delimiter(b'\r'),
            base().with_quote(b'\n'),
            base().with_escape(b','),
            base().with_comment(b','),
            base().with_comment(b'"'),
            base().with_escape(b'\\').with_comment(b'\\'),
            base().with_terminator(Terminator::Byte(b',')),
            base().with_terminator(Terminator::Byte(b'"')),
        ] {
            let message = builder.clone().build().unwrap_err().to_string();
            assert!(message.contains("are both"), "{builder:?}: {message}");
        }
    }

    #[test]
    fn lf_is_free_under_another_terminator() {
        assert!(
            Dialect::builder().with_delimiter(b'\n').with_terminator(Terminator::Byte(b';')).build().is_ok()
        );
    }

    #[test]
    fn an_escape_that_is_the_quote_means_doubling() {
        let dialect = Dialect::builder().with_escape(b'"').with_double_quote(false).build().unwrap();
        assert_eq!((dialect.escape(), dialect.double_quote()), (None, true));
    }

    #[test]
    fn an_escape_without_quotes_has_no_meaning() {
        assert_eq!(Dialect::builder().with_quote(None).with_escape(b'\\').build().unwrap().escape(), None);
    }
}
