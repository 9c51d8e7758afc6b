//! [`Index`]: where the fields of a buffer end and its records start, and [`Room`], what is appended to.

use super::mask::Structure;
use crate::limits::{INDEX_FIELDS, INDEX_SLACK};
use crate::simd::{BLOCK, Simd};

const _: () = assert!(INDEX_SLACK == 2 * BLOCK);

/// Where the fields of a buffer end and its records start.
#[derive(Debug)]
pub(super) struct Index {
    /// Valid up to `filled.fields`; what stands behind is left over.
    ends: Vec<u32>,
    /// Valid up to `filled.started`.
    starts: Vec<u32>,
    /// Valid up to `filled.records`: how many of `ends` belong to the records up to this one. As long as `starts`.
    field_counts: Vec<u32>,
    filled: Filled,
    /// Fields that make it full.
    enough_fields: usize,
    /// The most fields of a first record whose ends are kept.
    max_fields: usize,
    /// How many of the first record's ends are not kept. It is an error then, that says how many fields there are.
    excess: usize,
}

/// How much of an index is valid.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filled {
    fields: usize,
    started: usize,
    /// `records ≤ started ≤ records + 1`
    records: usize,
}

/// An index, and how much it can take before it has to be looked at as a whole again.
///
/// Slices and numbers, so that they stay in registers while blocks are appended: a store to a vector's elements could
/// change the vector, for all that the compiler knows.
pub(super) struct Room<'a> {
    ends: &'a mut [u32],
    starts: &'a mut [u32],
    field_counts: &'a mut [u32],
    filled: Filled,
    /// With fewer fields, and with fewer whole records, there is room for one more block.
    enough_fields: usize,
    enough_records: usize,
}

impl Index {
    /// An index of records that should have no more than `max_fields` fields.
    pub(super) fn new(max_fields: usize) -> Self {
        Index {
            ends: Vec::new(),
            starts: Vec::new(),
            field_counts: Vec::new(),
            filled: Filled::default(),
            enough_fields: INDEX_FIELDS,
            max_fields,
            excess: 0,
        }
    }

    /// As many fields make it full, or one record. Default [`INDEX_FIELDS`].
    pub(super) fn set_enough_fields(&mut self, fields: usize) {
        self.enough_fields = fields.max(1);
    }

    pub(super) fn enough_fields(&self) -> usize {
        self.enough_fields
    }

    pub(super) fn clear(&mut self) {
        (self.filled, self.excess) = (Filled::default(), 0);
    }

    /// The number of whole records.
    pub(super) fn records(&self) -> usize {
        self.filled.records
    }

    /// Where the first record starts, whole or not.
    pub(super) fn first_start(&self) -> Option<usize> {
        self.starts[..self.filled.started].first().map(|&start| start as usize)
    }

    /// The spans of the first `records` records: the ends of fields, the starts of records, the counts of fields.
    pub(super) fn spans(&self, records: usize) -> (&[u32], &[u32], &[u32]) {
        let fields = self.first_field(records);
        (&self.ends[..fields], &self.starts[..records], &self.field_counts[..records])
    }

    /// Where the fields of the first record end, which may still be open.
    pub(super) fn first_record_ends(&mut self) -> &mut [u32] {
        let fields = match self.filled.records {
            0 => self.filled.fields,
            _ => self.first_field(1),
        };
        &mut self.ends[..fields]
    }

    /// How many fields the first `records` records have together.
    fn first_field(&self, records: usize) -> usize {
        match records {
            0 => 0,
            _ => self.field_counts[records - 1] as usize,
        }
    }

    /// The byte behind the terminator of the last of the first `records` records.
    pub(super) fn end_of(&self, records: usize) -> Option<usize> {
        let fields = self.first_field(records);
        (fields > 0).then(|| self.ends[fields - 1] as usize + 1)
    }

    /// How many fields the first record has beside those in [`spans`](Self::spans).
    pub(super) fn excess(&self) -> usize {
        self.excess
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        (self.ends.capacity() + self.starts.capacity() + self.field_counts.capacity()) * size_of::<u32>()
    }

    pub(super) fn is_full(&self, max_records: usize) -> bool {
        let Filled { fields, records, .. } = self.filled;
        records >= max_records || (fields >= self.enough_fields && records > 0)
    }

    pub(super) fn start_record(&mut self, at: u32) {
        self.reserve();
        self.starts[self.filled.started] = at;
        self.filled.started += 1;
    }

    pub(super) fn end_field(&mut self, at: u32) {
        self.reserve();
        self.ends[self.filled.fields] = at;
        self.filled.fields += 1;
    }

    pub(super) fn end_record(&mut self, at: u32) {
        self.end_field(at);
        self.field_counts[self.filled.records] = self.filled.fields as u32;
        self.filled.records += 1;
    }

    /// Ends the partial record at the end of the input; no more than that may follow.
    pub(super) fn end_input(&mut self, end: u32) {
        if self.filled.started > self.filled.records {
            self.end_record(end);
        }
    }

    /// Gives each of the first `records` records `width` fields, which none of them exceeds: those that are missing end
    /// where the field before them ends. No more may be scanned then.
    pub(super) fn pad(&mut self, records: usize, width: usize) {
        let fields = self.first_field(records);
        if fields == records * width {
            return;
        }
        if self.ends.len() < records * width {
            self.ends.resize(records * width, 0);
        }
        let mut to = fields;
        // From the last, so that what a record moves over has been moved itself.
        for record in (0..records).rev() {
            let from = self.first_field(record);
            let (first, behind) = (record * width, (record + 1) * width);
            let last = self.ends[to - 1];
            self.ends.copy_within(from..to, first);
            self.ends[first + to - from..behind].fill(last);
            self.field_counts[record] = behind as u32;
            to = from;
        }
    }

    /// Goes on as if the buffer had started `start` bytes later, where the first record starts; none is whole yet.
    pub(super) fn rebase(&mut self, start: usize) {
        let Filled { fields, started, .. } = self.filled;
        for offset in self.ends[..fields].iter_mut().chain(&mut self.starts[..started]) {
            *offset -= start as u32;
        }
    }

    /// Room for blocks until the index [is full](Self::is_full), which it isn't, or has to grow.
    #[inline(always)]
    pub(super) fn room(&mut self, max_records: usize) -> Room<'_> {
        self.reserve();
        let Filled { fields, records, .. } = self.filled;
        let room_for_records = self.starts.len() - BLOCK;
        let (enough_fields, enough_records) = match records == 0 && fields >= self.enough_fields {
            false => (self.enough_fields, max_records.min(room_for_records)),
            // One long record, which alone makes the index full.
            true => (self.ends.len() - BLOCK + 1, 1),
        };
        Room {
            ends: &mut self.ends,
            starts: &mut self.starts,
            field_counts: &mut self.field_counts,
            filled: self.filled,
            enough_fields,
            enough_records,
        }
    }

    /// Takes over what has been appended.
    #[inline(always)]
    pub(super) fn fill(&mut self, filled: Filled) {
        self.filled = filled;
    }

    /// Makes room for what a block can hold.
    #[inline(always)]
    fn reserve(&mut self) {
        let Filled { fields, started, records } = self.filled;
        // Only a first record can have many more fields than the index has room for: behind others, the index is full.
        if records == 0 && fields > self.max_fields {
            self.excess += fields - self.max_fields;
            self.filled.fields = self.max_fields;
        }
        // Enough but for a record that has more.
        let full = self.enough_fields + INDEX_SLACK;
        if self.ends.len() < self.filled.fields + BLOCK {
            grow(&mut self.ends, full, full);
        }
        if self.starts.len() <= started + BLOCK {
            grow(&mut self.starts, 4 * BLOCK, full);
            grow(&mut self.field_counts, 4 * BLOCK, full);
        }
    }
}

impl Room<'_> {
    #[inline(always)]
    pub(super) fn is_left(&self) -> bool {
        self.filled.fields < self.enough_fields && self.filled.records < self.enough_records
    }

    /// Appends what a block at `base` holds. There [is room left](Self::is_left).
    #[inline(always)]
    pub(super) fn append<S: Simd>(&mut self, simd: S, base: u32, structure: Structure) {
        debug_assert!(self.is_left(), "a block would be lost");
        let Structure { fields, record_ends, starts, .. } = structure;
        let filled = &mut self.filled;
        let (Some(end_room), Some(start_room), Some(count_room)) = (
            self.ends[filled.fields..].first_chunk_mut(),
            self.starts[filled.started..].first_chunk_mut(),
            self.field_counts[filled.records..].first_chunk_mut(),
        ) else {
            return;
        };
        simd.positions(fields, base, end_room);
        few_positions(simd, simd.extract(record_ends, fields), filled.fields as u32 + 1, count_room);
        few_positions(simd, starts, base, start_room);
        filled.fields += fields.count_ones() as usize;
        filled.started += starts.count_ones() as usize;
        filled.records += record_ends.count_ones() as usize;
    }

    /// The number of fields in the index.
    #[inline(always)]
    pub(super) fn fields(&self) -> usize {
        self.filled.fields
    }

    /// What the index is to [take over](Index::fill).
    #[inline(always)]
    pub(super) fn filled(&self) -> Filled {
        self.filled
    }
}

/// [`Simd::positions`], of mostly no more than two bits: a back end's own way pays off only with many.
#[inline(always)]
fn few_positions<S: Simd>(simd: S, mask: u64, base: u32, out: &mut [u32; BLOCK]) {
    let mut rest = mask;
    let mut write = |out: &mut [u32]| {
        for out in out {
            *out = base + rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
        }
        rest == 0
    };
    if !write(&mut out[..2]) && !write(&mut out[2..8]) {
        simd.positions(mask, base, out);
    }
}

/// Doubles, from `first` on, with a stop at what a full index needs. A block may always follow.
#[cold]
#[inline(never)]
fn grow(vec: &mut Vec<u32>, first: usize, full: usize) {
    let doubled = (vec.len() * 2).max(first);
    let len = if vec.len() < full { doubled.min(full) } else { doubled };
    vec.reserve_exact(len - vec.len());
    vec.resize(len, 0);
}
