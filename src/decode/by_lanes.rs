//! [`ByLanes`]: reads the fields of a column, 64 side by side, and one by one where that isn't
//! possible.

use std::ops::Range;

use memchr::memchr2;

use super::fields::{Append, Failure, Fields};
use super::lanes::Lanes;
use super::scratch::Scratch;
use crate::simd::{BLOCK, Kernel, Simd};

/// A column whose values are read lane by lane.
pub(super) trait AppendLanes: Append {
    /// The values of all lanes, as they are read at once.
    type Values;

    /// Room for the values of all lanes.
    fn values() -> Self::Values;

    /// Reads the first `count` lanes, and returns which of them are values that
    /// [`append_lanes`](Self::append_lanes) can append: one bit each. The other lanes are read one
    /// by one. Those in `quoted` are known not to be values as they stand.
    fn read(
        &self,
        fields: &Fields<'_>,
        lanes: &mut Lanes,
        count: usize,
        quoted: u64,
        values: &mut Self::Values,
    ) -> u64;

    /// Appends some of the lanes that have been read. None of them is NULL.
    fn append_lanes(
        &mut self,
        fields: &Fields<'_>,
        lanes: &Lanes,
        values: &Self::Values,
        range: Range<usize>,
    );
}

/// Appends the fields of a column lane by lane, and one by one where that isn't possible.
pub(super) struct ByLanes<'a, 'b, A> {
    pub(super) fields: &'a Fields<'b>,
    pub(super) target: &'a mut A,
    pub(super) scratch: &'a mut Scratch,
}

impl<A: AppendLanes> Kernel for ByLanes<'_, '_, A> {
    type Output = Result<(), Failure>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Output {
        let ByLanes { fields, target, scratch: Scratch { text, lanes } } = self;
        let empty_is_null = fields.is_nullable && fields.options.is_null(b"", false, A::IS_TEXT);
        let is_verbatim = fields.is_verbatim();
        let mut unquotes = A::IS_TEXT;
        let mut values = A::values();
        let mut from = 0;
        while from < fields.column.len() {
            let count = lanes.find(&fields.column, from);
            let mut quoted = if unquotes { fields.unquote(simd, lanes, count) } else { 0 };
            let mut read = target.read(fields, lanes, count, quoted, &mut values);
            if read.count_ones() as usize != count && !unquotes {
                // Numbers and booleans are rarely quoted, so quotes are looked for only after a
                // lane could not be read.
                unquotes = true;
                quoted = fields.unquote(simd, lanes, count);
                read = target.read(fields, lanes, count, quoted, &mut values);
            }
            let mut lane = 0;
            while lane < count {
                let run = (read >> lane).trailing_ones() as usize;
                if run > 0 {
                    target.append_lanes(fields, lanes, &values, lane..lane + run);
                    lane += run;
                } else {
                    match lanes.len[lane] == 0 && empty_is_null {
                        true => target.append_null(),
                        false => {
                            let span = (lanes.start[lane], lanes.end[lane]);
                            fields.append_one(from + lane, span, is_verbatim, target, text)?;
                        }
                    }
                    lane += 1;
                }
            }
            from += count;
        }
        Ok(())
    }
}

impl Fields<'_> {
    /// Removes the quotes of the first `count` lanes where nothing else has to be done. Returns the
    /// lanes that are left quoted, one bit each: those with quotes or escapes inside, with text
    /// after the closing quote, or with an empty value.
    #[inline(always)]
    pub(super) fn unquote<S: Simd>(&self, simd: S, lanes: &mut Lanes, count: usize) -> u64 {
        let unescape = self.column.unescape();
        let Some(quote) = unescape.quote() else {
            return 0;
        };
        let escape = unescape.escape().unwrap_or(quote);
        let bytes = self.column.bytes();
        let mut left = 0;
        for lane in 0..count {
            let (start, end) = (lanes.start[lane] as usize, lanes.end[lane] as usize);
            if bytes.get(start) != Some(&quote) || start >= end {
                continue;
            }
            // The number of bytes before the first quote or escape. The quotes can be removed if
            // that byte is the last of the field.
            let inner = match bytes[start + 1..].first_chunk() {
                Some(piece) if end - start <= BLOCK => {
                    let block = simd.load(piece);
                    (simd.eq(block, quote) | simd.eq(block, escape)).trailing_zeros() as usize
                }
                _ => memchr2(quote, escape, &bytes[start + 1..end]).unwrap_or(0),
            };
            if inner > 0 && start + 1 + inner + 1 == end && bytes[end - 1] == quote {
                lanes.start[lane] += 1;
                lanes.end[lane] -= 1;
                lanes.len[lane] -= 2;
            } else {
                left |= 1 << lane;
            }
        }
        left
    }

    /// Finds the lanes among the first `count` that are values of a text type as they stand, one
    /// bit each. Such a lane is not NULL, needs no trimming, and is UTF-8 if `utf8` is set. The
    /// lanes in `quoted` are not values as they stand.
    #[inline(always)]
    pub(super) fn texts(&self, lanes: &Lanes, count: usize, quoted: u64, utf8: bool) -> u64 {
        if !self.is_verbatim() || (utf8 && self.text.is_none()) {
            return 0;
        }
        let bytes = self.column.bytes();
        let longest_null = self.options.longest_null() as u64;
        let cut = self.text.filter(|text| utf8 && !text.is_ascii());
        let mut mask = 0;
        for lane in 0..count {
            let (start, end) = (lanes.start[lane], lanes.end[lane]);
            let mut is_text = start < end;
            if is_text && lanes.len[lane] <= longest_null {
                is_text = !self.options.is_listed(&bytes[start as usize..end as usize]);
            }
            if let Some(text) = cut {
                is_text &= text.is_boundary(start) && text.is_boundary(end);
            }
            mask |= u64::from(is_text) << lane;
        }
        mask & !quoted
    }
}
