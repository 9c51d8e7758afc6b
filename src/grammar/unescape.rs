//! [`Unescape`]: from a field as it stands in the file to its value. Quotes are removed, doubled
//! quotes and escapes resolved, whitespace is trimmed.
//!
//! A parser only says where a field starts and ends. That is enough, because inside a field the
//! [machine](super::machine) needs no more than the field's own bytes.

use memchr::{memchr, memchr2};

use super::dialect::Dialect;
use super::rules::Grammar;

/// Turns raw fields into values, for one dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unescape {
    grammar: Grammar,
    trim: bool,
}

impl Unescape {
    /// For the fields of a file's records, trimmed if the dialect trims fields.
    pub fn fields(dialect: &Dialect) -> Self {
        Unescape { grammar: dialect.grammar(), trim: dialect.trim().fields() }
    }

    /// For the names in a file's header, trimmed if the dialect trims headers.
    pub fn headers(dialect: &Dialect) -> Self {
        Unescape { grammar: dialect.grammar(), trim: dialect.trim().headers() }
    }

    /// Whether a raw field that isn't quoted is its own value: nothing is trimmed.
    #[doc(hidden)]
    #[inline]
    pub fn is_verbatim(&self) -> bool {
        !self.trim
    }

    /// Whether the raw field is quoted, which tells an empty string from a missing value.
    #[inline]
    pub fn is_quoted(&self, raw: &[u8]) -> bool {
        self.grammar.quote.is_some() && raw.first().copied() == self.grammar.quote
    }

    /// The byte that a quoted field starts with.
    #[doc(hidden)]
    #[inline]
    pub fn quote(&self) -> Option<u8> {
        self.grammar.quote
    }

    /// The byte that makes the next one literal inside quotes, if there is one besides the quote.
    #[doc(hidden)]
    #[inline]
    pub fn escape(&self) -> Option<u8> {
        self.grammar.escape
    }

    /// The value of a raw field: a part of `raw` where that is possible, else written to `scratch`.
    #[inline]
    pub fn value<'a>(&self, raw: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let value = match raw.first() {
            Some(&first) if Some(first) == self.grammar.quote => self.quoted(raw, first, scratch),
            _ => raw,
        };
        if self.trim { value.trim_ascii() } else { value }
    }

    /// The value of a field that starts with a quote.
    fn quoted<'a>(&self, raw: &'a [u8], quote: u8, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let find = |bytes: &[u8]| match self.grammar.escape {
            Some(escape) => memchr2(quote, escape, bytes),
            None => memchr(quote, bytes),
        };
        let inner = &raw[1..];
        let Some(mut special) = find(inner) else {
            return inner;
        };
        if special + 1 == inner.len() && inner[special] == quote {
            return &inner[..special];
        }
        scratch.clear();
        // The value is shorter than `raw`. With sixteen more bytes, a caller that reads words can
        // pad the value in place.
        scratch.reserve_exact(raw.len() + 16);
        let mut rest = inner;
        loop {
            scratch.extend_from_slice(&rest[..special]);
            let byte = rest[special];
            rest = &rest[special + 1..];
            match rest.first() {
                None => break,
                Some(&next) if byte != quote || (self.grammar.double_quote && next == quote) => {
                    scratch.push(next);
                    rest = &rest[1..];
                }
                // After the closing quote every byte is literal, quotes too.
                Some(_) => {
                    scratch.extend_from_slice(rest);
                    break;
                }
            }
            match find(rest) {
                Some(at) => special = at,
                None => {
                    scratch.extend_from_slice(rest);
                    break;
                }
            }
        }
        scratch
    }
}
