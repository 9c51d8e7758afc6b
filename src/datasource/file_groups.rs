//! Which bytes each partition of a scan reads: [`Split`], and groups of files and ranges.

use std::collections::HashMap;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner, FileScanConfig};

use crate::input::{Compression, CompressionOption};
use crate::stream::internal::ByteRange;

/// How partitions share one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Split {
    /// By byte range. Each range finds its first record by the bytes around its start, and that is
    /// verified; where those are ambiguous, as with `Exact`.
    #[default]
    Auto,
    /// By byte range. Each range finds its first record by scanning the file from its start, which
    /// all ranges do together.
    Exact,
    /// Not at all: one partition reads a file.
    None,
}

/// The bytes to read where a partition is given this file, or a range of it; `None` if no record
/// can be in them.
///
/// A file that is not split belongs to the range at 0.
pub(super) fn byte_range(
    file: &PartitionedFile,
    compression: Compression,
    split: Split,
) -> Option<ByteRange> {
    let Some(range) = &file.range else { return Some(ByteRange::WHOLE) };
    let start = u64::try_from(range.start).unwrap_or(0);
    let end = u64::try_from(range.end).unwrap_or(0);
    let size = file.object_meta.size;
    match (compression, split) {
        // A FIFO, for example, has no size, and can't be split.
        _ if size == 0 => (start == 0).then_some(ByteRange::WHOLE),
        _ if start >= end.min(size) => None,
        (Compression::None, Split::Auto | Split::Exact) => {
            Some(ByteRange { start, end: (end < size).then_some(end) })
        }
        _ => (start == 0).then_some(ByteRange::WHOLE),
    }
}

/// Whether a scan has all ranges of each of its files. A distributed engine may give it only some.
pub(super) fn are_whole(groups: &[FileGroup]) -> bool {
    let mut left = HashMap::new();
    for file in groups.iter().flat_map(FileGroup::iter) {
        let size = i64::try_from(file.object_meta.size).unwrap_or(i64::MAX);
        let given = file.range.as_ref().map_or(size, |range| range.end.min(size) - range.start.max(0));
        *left.entry(&file.object_meta.location).or_insert(size) -= given.max(0);
    }
    left.values().all(|&left| left <= 0)
}

/// The files of a scan in as many groups as there are partitions, split where that evens them out;
/// `None` to leave them.
///
/// Without an ordering to preserve, files are split as DataFusion splits its own. A compressed file
/// stays whole.
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
/// Groups with a declared ordering or partitioning are never merged.
pub(super) fn join(config: &FileScanConfig, most: usize) -> Option<Vec<FileGroup>> {
    let groups = &config.file_groups;
    let is_promised = !config.output_ordering.is_empty() || config.output_partitioning.is_some();
    if is_promised || groups.len() <= most {
        return None;
    }
    let part = |index: usize| &groups[index * groups.len() / most..(index + 1) * groups.len() / most];
    Some((0..most).map(|index| part(index).iter().flat_map(FileGroup::iter).cloned().collect()).collect())
}
