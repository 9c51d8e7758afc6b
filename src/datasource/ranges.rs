//! [`FileRanges`]: which records of a file belong to a byte range, found by each range for itself.
//!
//! ```text
//!            a                        b
//!  ──────────┼────────────────────────┼──────────
//!     …│ record │ record │ … │    record   │ record
//!              └ first start at or after a └ first start at or after b: verified
//! ```
//!
//! A record belongs to the range that holds its first byte. Where the first one starts is proven from what follows `a`;
//! where that doesn't tell, the prefix `[0, a)` is scanned, which does. So in a file that can be read every range starts
//! right, by itself, whatever becomes of the others.
//!
//! In a file that can't be read, as a quote of it is never closed say, what is proven doesn't hold. There the query fails:
//! by the error, where it is met; and before, the reader of a range gets to its end knowing where the next record starts,
//! concludes from the same bytes what the reader of the next range does, and fails the query if that is something else.
//!
//! # Limits
//!
//! A scan that ends early doesn't get to an error, nor to the ends of its ranges. Where its limit is known, rows come from
//! the front of a file, by the range at 0 alone; and with a predicate from all ranges, each of which knows what stands
//! before it ([`Split::under_limit`]). A limit of an operator above that isn't handed down is not known here: of a file that
//! can't be read, rows of a later range may be handed on before the error is met.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner, FileScanConfig};
use object_store::{ObjectMeta, ObjectStore};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use crate::error::{Error, ErrorKind, Result};
use crate::grammar::{BOM, Dialect};
use crate::input::{Compression, CompressionOption, Input, InputCounters, open_range};
use crate::limits::Limits;
use crate::parse::boundary::{Boundary, BoundaryFinder};
use crate::parse::{FieldCount, RecordCounter, RecordStart};
use crate::stream::{RangeEnd, compare};

/// Bytes at the front of a file with a header, among which a record may be that header: in them the prefix is scanned.
///
/// More than this stands before a header only where comments do. There it is an error if a range starts among them.
const HEADER_BYTES: u64 = 64 << 10;

/// Bytes that are looked at first to find where a range starts: some records of most files.
const FIRST_LOOK_BYTES: u64 = 64 << 10;

/// How one file is read by several partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// In byte ranges. Where a range's first record starts is proven from what follows, if that tells, and verified; else
    /// as with `Exact`.
    #[default]
    Auto,
    /// In byte ranges. Where a range's first record starts is found by scanning what stands before it.
    Exact,
    /// Not at all: a file is read by one partition.
    None,
}

/// The bytes of a file that one partition reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteRange {
    pub(super) start: u64,
    /// The first byte behind it; `None` where that is the end of the file.
    pub(super) end: Option<u64>,
}

/// How it is known where a range's first record starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// From what follows: lines and records before it have not been counted.
    Proof,
    /// From what stands before it.
    PrefixScan,
}

/// One file, of which ranges are read.
#[derive(Debug, Clone)]
pub(super) struct FileRanges {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) meta: ObjectMeta,
    pub(super) dialect: Dialect,
    pub(super) field_count: FieldCount,
    pub(super) limits: Limits,
    pub(super) split: Split,
    pub(super) counters: Arc<InputCounters>,
}

impl Split {
    /// How ranges are read of which a limit is asked.
    ///
    /// Where the front of a file is enough, which it is without a predicate, and is there to be read, the range at 0 is all of
    /// it. Elsewhere a range may be the only one that gives rows, and what is wrong before it has to be known.
    pub(super) fn under_limit(self, front_is_enough: bool) -> Self {
        match self {
            Split::Auto | Split::Exact if !front_is_enough => Split::Exact,
            _ => Split::None,
        }
    }
}

impl ByteRange {
    /// The range to read where a partition is given this one; `None` if no record can be in it.
    ///
    /// A file that is not cut belongs to the range at 0.
    pub(super) fn of(file: &PartitionedFile, compression: Compression, split: Split) -> Option<Self> {
        const WHOLE: ByteRange = ByteRange { start: 0, end: None };
        let Some(range) = &file.range else { return Some(WHOLE) };
        let start = u64::try_from(range.start).unwrap_or(0);
        let end = u64::try_from(range.end).unwrap_or(0);
        let size = file.object_meta.size;
        match (compression, split) {
            // What has no size, a FIFO say, can't be cut either.
            _ if size == 0 => (start == 0).then_some(WHOLE),
            _ if start >= end.min(size) => None,
            (Compression::None, Split::Auto | Split::Exact) => {
                Some(ByteRange { start, end: (end < size).then_some(end) })
            }
            _ => (start == 0).then_some(WHOLE),
        }
    }
}

impl FileRanges {
    /// Where the first record starts at or after byte `at`.
    pub(super) async fn first_record(&self, at: u64) -> Result<(Option<RecordStart>, Known)> {
        if let Some(finder) = self.finder(at) {
            match self.find(finder).await? {
                Boundary::Start(byte) => return Ok((Some(RecordStart::at_byte(byte)), Known::Proof)),
                Boundary::End => return Ok((None, Known::Proof)),
                Boundary::Undecided => {}
            }
        }
        Ok((self.scan_prefix(at).await?, Known::PrefixScan))
    }

    /// The end of a range before byte `end`.
    pub(super) fn end(&self, end: u64) -> RangeEnd {
        RangeEnd::new(end, self.finder(end))
    }

    /// Verifies what the reader of the range from `end` on assumes, where no record starts before. Returns whether that
    /// reader assumes anything.
    pub(super) async fn verify(&self, end: u64, next: Option<RecordStart>) -> Result<bool> {
        let Some(finder) = self.finder(end) else { return Ok(false) };
        compare(end, self.find(finder).await?, next)?;
        Ok(true)
    }

    /// The bytes from `range.start` on, and those behind its end as far as they are wanted.
    pub(super) async fn open(&self, range: Range<u64>) -> Result<Input> {
        open_range(&self.store, &self.meta, range, &self.limits, Arc::clone(&self.counters)).await
    }

    /// Gives an error its place in the file, where lines and records were counted from byte `start` on.
    pub(super) async fn locate(self, start: u64, error: Error) -> Error {
        match self.scan_prefix(start).await {
            Ok(Some(found)) if found.byte == start && found.record > 0 => {
                error.with_counted_before(found.line - 1, found.record - 1)
            }
            Ok(found) => Error::new(ErrorKind::RangeStart {
                range: start,
                assumed: Some(start),
                actual: found.map(|found| found.byte),
            }),
            // It stands before the other one.
            Err(error) => error,
        }
    }

    /// What looks for the first record from byte `at` on, if that is not done by scanning the prefix.
    fn finder(&self, at: u64) -> Option<BoundaryFinder> {
        let prefix_may_hold_the_header = self.dialect.has_header() && at <= HEADER_BYTES;
        if self.split == Split::Exact || at <= BOM.len() as u64 || prefix_may_hold_the_header {
            return None;
        }
        let max_record_bytes = self.limits.max_record_bytes();
        Some(BoundaryFinder::new(&self.dialect, self.field_count, max_record_bytes, at))
    }

    /// Looks at what follows until it tells: at some records, which mostly do where there are quotes, and else at as many
    /// bytes as there have to be, in one request or in blocks of a store that are read ahead.
    async fn find(&self, mut finder: BoundaryFinder) -> Result<Boundary> {
        let first = finder.first_byte();
        let end = finder.end_byte().min(self.meta.size);
        let ends = [first.saturating_add(FIRST_LOOK_BYTES).min(end), end];
        let mut at = first;
        for end in ends {
            let mut reader = self.open(at..end).await?;
            while at < end {
                let chunk = reader.fill_buf().await?;
                if chunk.is_empty() {
                    break;
                }
                // What is behind the look is none of it: who asks for that is sent it.
                let looked = chunk.len().min((end - at) as usize);
                if let Some(found) = finder.push(&chunk[..looked]) {
                    return Ok(found);
                }
                reader.consume(looked);
                at += looked as u64;
                tokio::task::consume_budget().await;
            }
        }
        Ok(finder.finish())
    }

    /// Reads all that stands before the first record at or after byte `at`.
    async fn scan_prefix(&self, at: u64) -> Result<Option<RecordStart>> {
        let mut counter = RecordCounter::new(&self.dialect, self.limits.max_record_bytes());
        let mut reader = self.open(0..at + 1).await?;
        // The counter's own count is behind as long as it waits for the rest of a BOM.
        let mut read = 0;
        loop {
            let chunk = reader.fill_buf().await?;
            if chunk.is_empty() {
                counter.finish()?;
                return Ok(None);
            }
            let before = at.saturating_sub(read).min(chunk.len() as u64) as usize;
            read += chunk.len() as u64;
            if before > 0 {
                counter.push(&chunk[..before])?;
            }
            if let Some(start) = counter.first_record_start_at_or_after(at, &chunk[before..])? {
                return Ok(Some(start));
            }
            consume(&mut reader).await?;
        }
    }
}

/// Passes what the reader shows, and lets others on its thread have their turn.
async fn consume(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<()> {
    let shown = reader.fill_buf().await?.len();
    reader.consume(shown);
    tokio::task::consume_budget().await;
    Ok(())
}

/// Whether the ranges of each file of a scan make up all of it, as those do that this crate and DataFusion cut. A distributed
/// engine may give a scan some of them only.
pub(super) fn are_whole(groups: &[FileGroup]) -> bool {
    let mut left = HashMap::new();
    for file in groups.iter().flat_map(FileGroup::iter) {
        let size = i64::try_from(file.object_meta.size).unwrap_or(i64::MAX);
        let given = file.range.as_ref().map_or(size, |range| range.end.min(size) - range.start.max(0));
        *left.entry(&file.object_meta.location).or_insert(size) -= given.max(0);
    }
    left.values().all(|&left| left <= 0)
}

/// The files of a scan in as many groups as there are partitions, cut where that evens them out; `None` to leave them.
///
/// Without an ordering to preserve, files are cut as DataFusion cuts its own. A compressed one stays whole.
pub(super) fn repartition(
    config: &FileScanConfig,
    compression: CompressionOption,
    partitioner: FileGroupPartitioner,
) -> Option<Vec<FileGroup>> {
    let is_whole =
        |file: &PartitionedFile| compression.resolve(file.object_meta.location.as_ref()) != Compression::None;
    let mut files = config.file_groups.iter().flat_map(FileGroup::iter);
    if config.limit.is_some() || files.all(is_whole) {
        return None;
    }
    let groups = partitioner.repartition_file_groups(&config.file_groups)?;
    let uncut = |mut file: PartitionedFile| match (&file.range, is_whole(&file)) {
        (Some(range), true) if range.start > 0 => None,
        (Some(_), true) => {
            file.range = None;
            Some(file)
        }
        _ => Some(file),
    };
    let groups = groups.into_iter().map(|group| group.into_inner().into_iter().filter_map(uncut).collect());
    Some(groups.filter(|group: &Vec<_>| !group.is_empty()).map(FileGroup::new).collect())
}

/// The files of a scan in no more groups than `most`, neighbours together; `None` to leave them.
///
/// Groups that are promised to be ordered, or to hold certain values, stay what they are.
pub(super) fn join(config: &FileScanConfig, most: usize) -> Option<Vec<FileGroup>> {
    let groups = &config.file_groups;
    let is_promised = !config.output_ordering.is_empty() || config.output_partitioning.is_some();
    if is_promised || groups.len() <= most {
        return None;
    }
    let part = |index: usize| &groups[index * groups.len() / most..(index + 1) * groups.len() / most];
    Some((0..most).map(|index| part(index).iter().flat_map(FileGroup::iter).cloned().collect()).collect())
}
