//! [`RecordChecks`]: the length and the number of fields of whole records.

use super::cost::MAX_FIELDS;
use super::field_count::FieldCount;
use super::field_index::FieldIndex;
use super::limit::RecordLimit;
use super::origin::Origin;
use crate::error::{Error, ErrorKind, Result};
use crate::grammar::Machine;

/// The rules that whole records have to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordChecks {
    pub(super) machine: Machine,
    pub(super) limit: RecordLimit,
    pub(super) field_count: FieldCount,
}

impl RecordChecks {
    /// How many of the first `records` of an index are right, up to the first that is wrong. Short
    /// ones are padded.
    ///
    /// # Errors
    ///
    /// When the first one is wrong.
    pub(super) fn right_records(
        &self,
        index: &mut FieldIndex,
        records: usize,
        bytes: &[u8],
        origin: &Origin,
    ) -> Result<usize> {
        let error = |kind, start: u32| Error::at(kind, origin.place(bytes, start as usize, 0, None));
        let records = self.count_short(index, records, bytes).map_err(|(kind, start)| error(kind, start))?;
        let Some(columns) = self.field_count.columns() else {
            check_most_fields(index, records).map_err(|(kind, start)| error(kind, start))?;
            return Ok(records);
        };
        let records =
            self.count_allowed(index, records, columns).map_err(|(kind, start)| error(kind, start))?;
        if let FieldCount::UpTo(columns) = self.field_count {
            index.pad(records, columns);
        }
        Ok(records)
    }

    /// How many records, from the first on, are not too long.
    fn count_short(&self, index: &FieldIndex, records: usize, bytes: &[u8]) -> Result<usize, WrongRecord> {
        if !self.limit.is_exceeded_by(bytes.len() as u64) {
            return Ok(records);
        }
        let (ends, starts, field_counts) = index.spans(records);
        let span = |record: usize| starts[record] as usize..ends[field_counts[record] as usize - 1] as usize;
        let is_long = |&record: &usize| self.limit.is_exceeded_by(span(record).len() as u64);
        match (0..records).find(is_long) {
            None => Ok(records),
            Some(0) => {
                let kind = self.limit.check(&self.machine, &bytes[span(0)]).expect("the record is too long");
                Err((kind, starts[0]))
            }
            Some(record) => Ok(record),
        }
    }

    /// How many records, from the first on, have a number of fields that is allowed.
    fn count_allowed(
        &self,
        index: &FieldIndex,
        records: usize,
        columns: usize,
    ) -> Result<usize, WrongRecord> {
        let (_, starts, field_counts) = index.spans(records);
        // The fast path: all records of a good file pass without a branch for each.
        let is_regular = |pair: &[u32]| pair[1].wrapping_sub(pair[0]) as usize == columns;
        if index.excess() == 0
            && field_counts.first().is_some_and(|&first| first as usize == columns)
            && field_counts.windows(2).fold(true, |all, pair| all & is_regular(pair))
        {
            return Ok(records);
        }
        let mut before = 0;
        for (record, &count) in field_counts.iter().enumerate() {
            let mut found = (count - before) as usize;
            before = count;
            if record == 0 {
                found += index.excess();
            }
            if !self.field_count.allows(found) {
                let kind = ErrorKind::FieldCount { expected: columns, found };
                return if record == 0 { Err((kind, starts[0])) } else { Ok(record) };
            }
        }
        Ok(records)
    }
}

/// The error in the first record, and where that record starts in the buffer.
type WrongRecord = (ErrorKind, u32);

/// An error if the first of some records has more fields than any record may have. No other record
/// can have that many: the index is full before such a record ends.
fn check_most_fields(index: &FieldIndex, records: usize) -> Result<(), WrongRecord> {
    let (_, starts, field_counts) = index.spans(records);
    let (Some(&start), Some(&stored)) = (starts.first(), field_counts.first()) else {
        return Ok(());
    };
    let found = stored as usize + index.excess();
    if found <= MAX_FIELDS {
        return Ok(());
    }
    let reason = format!(
        "the record that starts here has {found} fields, more than {MAX_FIELDS}; check delimiter and quote, or \
         give the schema"
    );
    Err((ErrorKind::Schema { reason }, start))
}
