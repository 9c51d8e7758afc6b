//! [`Fields`]: the fields of one column as values or NULL, and [`Text`], a value that can be read
//! in words.

use std::cell::Cell;

use super::loss::Loss;
use super::options::DecodeOptions;
use super::utf8::Utf8;
use crate::budget::OversizedFields;
use crate::error::{ErrorKind, shown};
use crate::parse::Column;
use crate::simd::Backend;

/// The fields of one column, and everything that is needed to read them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) column: Column<'a>,
    pub(super) options: &'a DecodeOptions,
    pub(super) is_nullable: bool,
    /// The back end whose instructions are used.
    pub(super) backend: Backend,
    /// The records' text, if it is known to be UTF-8.
    pub(super) text: Option<Utf8<'a>>,
    /// Whether any raw field, quotes included, is longer than the options allow for a value.
    pub(super) are_long: bool,
    /// Counts the values that were too long, and became NULL or were truncated.
    pub(super) oversized: &'a Cell<usize>,
}

/// A target that values and NULLs are appended to.
pub(super) trait Append {
    /// Whether the type has an empty value.
    const IS_TEXT: bool;

    fn append_null(&mut self);

    /// Appends a value, or returns why it isn't a value of the type.
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected>;

    /// The type's name in messages.
    fn type_name(&self) -> String;
}

/// The reason why a value is refused.
#[derive(Debug)]
pub(super) enum Rejected {
    /// It isn't a value of the type. The text says more, if more is known.
    Value(Option<String>),
    /// It is one, but the type can't hold it exactly.
    Lossy(Loss),
    /// It isn't UTF-8 from this byte on.
    Utf8(usize),
}

/// The first field that is refused.
#[derive(Debug)]
pub(super) struct Failure {
    /// The index of its record among those that were pushed.
    pub(super) record: usize,
    pub(super) kind: ErrorKind,
}

impl Rejected {
    pub(super) fn into_kind(self, value: &[u8], data_type: String) -> ErrorKind {
        match self {
            Rejected::Value(reason) => ErrorKind::InvalidValue { value: shown(value), data_type, reason },
            Rejected::Lossy(Loss { what, instead }) => {
                ErrorKind::LossyValue { value: shown(value), data_type, loss: what.to_owned(), instead }
            }
            Rejected::Utf8(at) => ErrorKind::InvalidUtf8 { value: shown(value), at },
        }
    }
}

impl Fields<'_> {
    /// Appends all fields, up to the first that is refused.
    #[inline]
    pub(super) fn append_to<A: Append>(&self, target: &mut A, scratch: &mut Vec<u8>) -> Result<(), Failure> {
        let is_verbatim = self.is_verbatim();
        self.column.spans().enumerate().try_for_each(|(record, (start, end))| {
            self.append_one(record, (start, end), is_verbatim, target, scratch)
        })
    }

    /// Whether a field that isn't empty and isn't quoted is a value as it stands, unless it is
    /// listed as NULL.
    #[inline]
    pub(super) fn is_verbatim(&self) -> bool {
        self.column.unescape().is_verbatim() && !self.options.has_regex() && !self.are_long
    }

    /// Appends the field of one record, whose span is known.
    #[inline]
    pub(super) fn append_one<A: Append>(
        &self,
        record: usize,
        (start, end): (u32, u32),
        is_verbatim: bool,
        target: &mut A,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        if is_verbatim
            && start < end
            && let Some(from) = self.column.bytes().get(start as usize..)
            && !self.column.unescape().is_quoted(from)
            && let value = (Text {
                from,
                len: (end - start) as usize,
                string: if A::IS_TEXT { self.text.and_then(|text| text.part(start, end)) } else { None },
            })
            && (value.len() > self.options.longest_null() || !self.options.is_listed(value.bytes()))
        {
            return target.append(value).map_err(|rejected| {
                let kind = rejected.into_kind(value.bytes(), target.type_name());
                Failure { record, kind }
            });
        }
        self.append_any(record, target, scratch).map_err(|kind| Failure { record, kind })
    }

    /// Whether every raw field of a certain kind is its own value and not NULL. `kind` tells
    /// whether a string is of that kind, and `starts` whether a byte can start one. No string of
    /// that kind may be empty, or start or end with whitespace.
    pub(super) fn are_values(&self, kind: impl Fn(&str) -> bool, starts: impl Fn(u8) -> bool) -> bool {
        let quote = self.column.unescape().quote();
        !self.options.has_regex() && !self.options.lists(kind) && !quote.is_some_and(starts)
    }

    /// Appends one field, whatever it contains.
    #[inline(never)]
    fn append_any<A: Append>(
        &self,
        record: usize,
        target: &mut A,
        scratch: &mut Vec<u8>,
    ) -> Result<(), ErrorKind> {
        let Some(raw) = self.column.raw(record) else {
            return self.append_null(target, b"");
        };
        let unescape = self.column.unescape();
        let mut value = unescape.value(raw, scratch);
        if self.options.is_null(value, unescape.is_quoted(raw), A::IS_TEXT) {
            return self.append_null(target, value);
        }
        if A::IS_TEXT
            && let Some(limit) = self.options.field_limit().exceeded_by(value.len())
        {
            let oversized = self.options.field_limit().oversized();
            if oversized != OversizedFields::Error {
                self.oversized.set(self.oversized.get() + 1);
            }
            match oversized {
                OversizedFields::Error => {
                    return Err(ErrorKind::FieldTooLong { value: shown(value), bytes: value.len(), limit });
                }
                OversizedFields::Null => return self.append_null(target, value),
                OversizedFields::Truncate => value = truncated(value, limit),
            }
        }
        // The value is a part of the records' bytes, which go on after it, or a part of the
        // scratch.
        let (at, len) = (value.as_ptr().addr(), value.len());
        let bytes = self.column.bytes();
        let text = match offset(at, bytes) {
            Some(at) => Text { from: &bytes[at..], len, string: None },
            None => {
                scratch.extend_from_slice(&[0; PADDING]);
                let at = offset(at, scratch).unwrap_or(0);
                Text { from: &scratch[at..], len, string: None }
            }
        };
        target.append(text).map_err(|rejected| rejected.into_kind(text.bytes(), target.type_name()))
    }

    fn append_null<A: Append>(&self, target: &mut A, value: &[u8]) -> Result<(), ErrorKind> {
        if !self.is_nullable {
            let reason = "NULL in a non-nullable column".to_owned();
            return Err(Rejected::Value(Some(reason)).into_kind(value, target.type_name()));
        }
        target.append_null();
        Ok(())
    }
}

/// The first `len` bytes, or up to three fewer, so that no character is cut in two.
fn truncated(value: &[u8], len: usize) -> &[u8] {
    let continues = |at: usize| value[at] & 0xc0 == 0x80;
    let end = (len.saturating_sub(3)..=len).rev().find(|&end| !continues(end));
    &value[..end.unwrap_or(len)]
}

/// The number of zeros after a value in the scratch, so that it can be read in words past its end.
const PADDING: usize = 16;

/// The index in `bytes` of an address, if it lies in there.
fn offset(address: usize, bytes: &[u8]) -> Option<usize> {
    address.checked_sub(bytes.as_ptr().addr()).filter(|&at| at < bytes.len())
}

/// A value with the bytes after it, so that it can be read eight bytes at a time, past its end too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    /// The value's bytes, and those that follow.
    from: &'a [u8],
    /// The value's length.
    len: usize,
    /// The value as a string, if it is known to be UTF-8.
    string: Option<&'a str>,
}

impl<'a> Text<'a> {
    /// A value without any bytes after it.
    #[cfg(test)]
    pub(super) fn new(value: &'a [u8]) -> Self {
        Text { from: value, len: value.len(), string: None }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The first byte. For an empty value it is the byte after it, or 0 if there is none.
    #[inline]
    pub(super) fn first(&self) -> u8 {
        self.from.first().copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn bytes(&self) -> &'a [u8] {
        &self.from[..self.len]
    }

    /// The value as a string, if it is UTF-8.
    #[inline]
    pub(super) fn as_str(&self) -> Option<&'a str> {
        self.string.or_else(|| std::str::from_utf8(self.bytes()).ok())
    }

    /// The eight bytes from `at` on, the first one lowest. Those past the value's end are
    /// arbitrary.
    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        match self.from.get(at..).and_then(|bytes| bytes.first_chunk()) {
            Some(&bytes) => u64::from_le_bytes(bytes),
            None => self.last_word(at),
        }
    }

    /// The sixteen bytes from `at` on, as [`word`](Self::word) reads eight.
    #[inline]
    pub(super) fn double(&self, at: usize) -> u128 {
        match self.from.get(at..).and_then(|bytes| bytes.first_chunk()) {
            Some(&bytes) => u128::from_le_bytes(bytes),
            None => u128::from(self.word(at)) | u128::from(self.word(at + 8)) << 64,
        }
    }

    /// [`word`](Self::word) where fewer than eight bytes are left.
    #[cold]
    fn last_word(&self, at: usize) -> u64 {
        let bytes = self.from.get(at..).unwrap_or(&[]);
        bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_with_and_without_bytes_behind_it() {
        let bytes = b"0123456789";
        for len in 0..=bytes.len() {
            let (long, short) = (Text { from: bytes, len, string: None }, Text::new(&bytes[..len]));
            for (at, &byte) in bytes.iter().enumerate().take(len) {
                let known = 8 * (len - at).min(8) as u32;
                let mask = u64::MAX.checked_shr(64 - known).unwrap_or(0);
                assert_eq!(long.word(at) & mask, short.word(at) & mask, "{len} {at}");
                assert_eq!(long.word(at) as u8, byte);
            }
        }
    }
}
