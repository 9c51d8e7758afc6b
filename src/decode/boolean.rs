//! Booleans.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, NullBufferBuilder};
use arrow::error::ArrowError;

use super::by_lanes::{AppendLanes, ByLanes};
use super::column::ColumnDecoder;
use super::fields::{Append, Failure, Fields, Rejected, Text};
use super::lanes::{LANES, Lanes, right};
use super::scratch::Scratch;

/// The words in lower case, with the first letter in the lowest byte.
const TRUE: u64 = u32::from_le_bytes(*b"true") as u64;
const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");

/// Reads `true` and `false`, in any case.
#[derive(Debug)]
pub(super) struct Boolean {
    values: BooleanBufferBuilder,
    validity: NullBufferBuilder,
}

impl Boolean {
    pub(super) fn new() -> Self {
        Boolean { values: BooleanBufferBuilder::new(0), validity: NullBufferBuilder::new(0) }
    }
}

/// Reads one of the two words, in any case.
fn truth(value: &[u8]) -> Option<bool> {
    let is_true = value.eq_ignore_ascii_case(b"true");
    (is_true || value.eq_ignore_ascii_case(b"false")).then_some(is_true)
}

impl Append for Boolean {
    const IS_TEXT: bool = false;

    fn append_null(&mut self) {
        // The rows since the last NULL are added to the validity as one run.
        self.validity.append_n_non_nulls(self.values.len() - self.validity.len());
        self.values.append(false);
        self.validity.append_null();
    }

    #[inline]
    fn append(&mut self, value: Text<'_>) -> Result<(), Rejected> {
        let Some(is_true) = truth(value.bytes()) else {
            return Err(Rejected::Value(Some("neither true nor false".to_owned())));
        };
        self.values.append(is_true);
        Ok(())
    }

    fn type_name(&self) -> String {
        "Boolean".to_owned()
    }
}

impl AppendLanes for Boolean {
    /// The lanes that are true.
    type Values = u64;

    #[inline(always)]
    fn values() -> Self::Values {
        0
    }

    #[inline(always)]
    fn read(&self, fields: &Fields<'_>, lanes: &mut Lanes, count: usize, _: u64, trues: &mut u64) -> u64 {
        const LOWER: u64 = 0x2020_2020_2020_2020;
        lanes.load(fields.column.bytes());
        let (mut others, mut falses) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            // With this bit set, only a lower-case letter and its capital become that letter.
            let (len, last) = (lanes.len[lane], lanes.last[lane] | LOWER);
            let is_true = (len == 4) & (last >> 32 == TRUE);
            let is_false = (len == 5) & (last >> 24 == FALSE);
            falses[lane] = u64::from(!is_true);
            others[lane] = u64::from(!(is_true | is_false));
        }
        *trues = right(&falses, count);
        right(&others, count)
    }

    #[inline(always)]
    fn append_lanes(&mut self, _: &Fields<'_>, _: &Lanes, trues: &u64, range: Range<usize>) {
        self.values.append_packed_range(range, &trues.to_le_bytes());
    }
}

impl ColumnDecoder for Boolean {
    fn row_bits(&self) -> usize {
        1
    }

    fn reserve(&mut self, rows: usize, _: usize) {
        self.values.reserve(rows.saturating_sub(self.values.len()));
    }

    fn push(&mut self, fields: &Fields<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        match fields.are_values(|value| truth(value.as_bytes()).is_some(), |byte| b"tTfF".contains(&byte)) {
            true => fields.backend.run(ByLanes { fields, target: self, scratch }),
            false => fields.append_to(self, &mut scratch.text),
        }
    }

    fn allocated_bytes(&self) -> usize {
        self.values.capacity() / 8 + self.validity.allocated_size()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.validity.append_n_non_nulls(self.values.len() - self.validity.len());
        Ok(Arc::new(BooleanArray::new(self.values.finish(), self.validity.finish())))
    }
}
