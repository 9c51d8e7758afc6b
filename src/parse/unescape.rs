//! From a field as it stands in the file to its value: quotes off, doubled quotes and escapes resolved, trimmed.
//!
//! The scanner only says where a field starts and ends. That is enough, because inside a field the machine of
//! [`reference`](super::reference) needs no more than the field's own bytes.

use memchr::{memchr, memchr2};

use crate::dialect::Dialect;

/// Turns raw fields into values, for one dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unescape {
    quote: Option<u8>,
    escape: Option<u8>,
    double_quote: bool,
    trim: bool,
}

impl Unescape {
    /// For the fields of a file's records, trimmed if the dialect says so of fields.
    pub fn fields(dialect: &Dialect) -> Self {
        Self::new(dialect, dialect.trim().fields())
    }

    /// For the names in a file's header, trimmed if the dialect says so of headers.
    pub fn headers(dialect: &Dialect) -> Self {
        Self::new(dialect, dialect.trim().headers())
    }

    fn new(dialect: &Dialect, trim: bool) -> Self {
        Unescape {
            quote: dialect.quote(),
            escape: dialect.escape(),
            double_quote: dialect.double_quote(),
            trim,
        }
    }

    /// Whether the raw field is its own value as soon as it isn't quoted: nothing is trimmed.
    #[inline]
    pub fn is_verbatim(&self) -> bool {
        !self.trim
    }

    /// Whether the raw field is quoted, which tells an empty string from a missing value.
    #[inline]
    pub fn is_quoted(&self, raw: &[u8]) -> bool {
        self.quote.is_some() && raw.first().copied() == self.quote
    }

    /// The byte that a quoted field starts with.
    #[inline]
    pub fn quote(&self) -> Option<u8> {
        self.quote
    }

    /// The byte that takes its meaning from the next one inside quotes, if there is one beside the quote.
    #[inline]
    pub fn escape(&self) -> Option<u8> {
        self.escape
    }

    /// The value of a raw field: a part of `raw` where that is possible, else written to `scratch`.
    #[inline]
    pub fn value<'a>(&self, raw: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let value = match raw.first() {
            Some(&first) if Some(first) == self.quote => self.quoted(raw, first, scratch),
            _ => raw,
        };
        match self.trim {
            true => value.trim_ascii(),
            false => value,
        }
    }

    /// The value of a field that starts with a quote.
    fn quoted<'a>(&self, raw: &'a [u8], quote: u8, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let find = |bytes: &[u8]| match self.escape {
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
        // The value is shorter than `raw`; sixteen bytes more let a reader of words pad it in place.
        scratch.reserve_exact(raw.len() + 16);
        let mut rest = inner;
        loop {
            scratch.extend_from_slice(&rest[..special]);
            let byte = rest[special];
            rest = &rest[special + 1..];
            match rest.first() {
                None => break,
                Some(&next) if byte != quote || (self.double_quote && next == quote) => {
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
