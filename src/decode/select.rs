//! [`RecordSelector`]: selects the records to decode by the values of some of their columns.

use std::ops::Range;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::Schema;

use super::batch::BatchDecoder;
use super::file_columns::FileColumns;
use super::options::DecodeOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::Records;

/// Records that a predicate is evaluated on at once: 4096. Only their numbers are held.
pub const PREDICATE_ROWS: usize = 4096;

/// Decodes the columns that decide about records, in stages. The columns of a stage are decoded
/// only for the records that all stages before it have kept.
#[derive(Debug)]
pub(super) struct RecordSelector {
    stages: Vec<BatchDecoder>,
    /// The indices of the records that are left. Not used while all are left.
    indices: Vec<u32>,
    /// The most bytes that a stage's batch has taken.
    batch_bytes: usize,
}

/// Some of the records of a [`Records`], or all.
#[derive(Debug, Clone)]
pub(super) struct Selected<'a> {
    /// `None` if all records of the range are selected.
    indices: Option<&'a [u32]>,
    range: Range<usize>,
}

impl RecordSelector {
    /// A selector for a file with some columns of a table. Each stage is a list of
    /// the indices of the columns that it needs, in the order in which it is given them. It may
    /// need none. The batch that a stage is given takes about `batch_bytes` bytes, if the caller
    /// selects from no more than [`room`](Self::room) records at once.
    ///
    /// # Errors
    ///
    /// As [`BatchDecoder::new`].
    pub(super) fn new(
        (table, columns): (&Schema, &FileColumns),
        stages: &[&[usize]],
        options: &DecodeOptions,
        batch_bytes: usize,
    ) -> Result<Self> {
        let decoder = |stage: &&[usize]| {
            BatchDecoder::of_file(table, columns, stage, options, PREDICATE_ROWS, batch_bytes)
        };
        let stages = stages.iter().map(decoder).collect::<Result<Vec<_>>>()?;
        Ok(RecordSelector { stages, indices: Vec::new(), batch_bytes: 0 })
    }

    /// The most records to select from at once.
    pub(super) fn room(&self) -> usize {
        self.stages.iter().map(BatchDecoder::room).min().unwrap_or(PREDICATE_ROWS)
    }

    /// Selects from some records. `keep` is given the number of a stage, and the stage's columns of
    /// the records that are left. It returns true for each record to keep; NULL is not kept. It
    /// isn't called if no record is left.
    ///
    /// # Errors
    ///
    /// When a field can't be read as its column's type, and those of `keep`. The selector is of no
    /// further use then.
    pub(super) fn select(
        &mut self,
        records: &Records<'_>,
        mut keep: impl FnMut(usize, &RecordBatch) -> Result<BooleanArray>,
    ) -> Result<Selected<'_>> {
        self.indices.clear();
        let mut is_all = true;
        for (stage, decoder) in self.stages.iter_mut().enumerate() {
            if is_all {
                decoder.push(records)?;
            } else {
                decoder.push_selected(records, &self.indices)?;
            }
            let Some(batch) = decoder.finish()? else {
                break;
            };
            self.batch_bytes = self.batch_bytes.max(batch.get_array_memory_size());
            let kept = keep(stage, &batch)?;
            if kept.len() != batch.num_rows() {
                let reason = format!("{} answers for {} rows", kept.len(), batch.num_rows());
                return Err(Error::new(ErrorKind::Internal(reason.into())));
            }
            is_all &= !narrow(&mut self.indices, is_all, &kept);
        }
        Ok(if is_all {
            Selected { indices: None, range: 0..records.len() }
        } else {
            Selected { indices: Some(&self.indices), range: 0..self.indices.len() }
        })
    }

    /// Bytes held, with those of the largest batch that a stage has been given.
    pub(super) fn allocated_bytes(&self) -> usize {
        let stages = self.stages.iter().map(BatchDecoder::allocated_bytes).sum::<usize>();
        stages + self.indices.capacity() * size_of::<u32>() + self.batch_bytes
    }
}

/// Removes the indices of the records that are not kept. If `is_all`, all records were left, and
/// `indices` is empty. Returns whether any record was removed.
fn narrow(indices: &mut Vec<u32>, is_all: bool, kept: &BooleanArray) -> bool {
    let mask = match kept.nulls() {
        Some(nulls) => kept.values() & nulls.inner(),
        None => kept.values().clone(),
    };
    if mask.count_set_bits() == mask.len() {
        return false;
    }
    if is_all {
        indices.extend(mask.set_indices().map(|index| index as u32));
        return true;
    }
    let mut len = 0;
    for from in mask.set_indices() {
        indices[len] = indices[from];
        len += 1;
    }
    indices.truncate(len);
    true
}

impl<'a> Selected<'a> {
    /// The number of records.
    pub(super) fn len(&self) -> usize {
        self.range.len()
    }

    /// The indices of the records, ascending; `None` if all records of the range are selected.
    pub(super) fn indices(&self) -> Option<&'a [u32]> {
        self.indices.map(|indices| &indices[self.range.clone()])
    }

    /// A part of the selected records.
    ///
    /// # Panics
    ///
    /// When the range ends after the last one.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.end <= self.len(), "{range:?} of {} records", self.len());
        let first = self.range.start;
        Selected { indices: self.indices, range: first + range.start..first + range.end }
    }

    /// Decodes the selected records.
    ///
    /// # Errors
    ///
    /// As [`BatchDecoder::push`].
    pub(super) fn decode(&self, records: &Records<'_>, decoder: &mut BatchDecoder) -> Result<()> {
        match self.indices() {
            None => decoder.push(&records.slice(self.range.clone())),
            Some(indices) => decoder.push_selected(records, indices),
        }
    }
}
