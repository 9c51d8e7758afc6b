//! [`FieldIndex`]: the sink that keeps where the fields of a buffer end and its records start.

use super::cost::{INDEX_FIELDS, INDEX_SLACK};
use super::sink::{BlockSink, Sink};
use super::structure::Structure;
use crate::simd::{BLOCK, Simd, first_positions};

const _: () = assert!(INDEX_SLACK == 2 * BLOCK);

/// Where the fields of a buffer end and its records start.
#[derive(Debug)]
pub(super) struct FieldIndex {
    /// Valid up to `filled.fields`; the rest is stale.
    ends: Vec<u32>,
    /// Valid up to `filled.started`.
    starts: Vec<u32>,
    /// Valid up to `filled.records`: how many of `ends` belong to the records up to this one. As
    /// long as `starts`.
    field_counts: Vec<u32>,
    filled: Filled,
    /// The number of fields that makes the index full.
    enough_fields: usize,
    /// The most fields of a first record whose ends are kept.
    max_fields: usize,
    /// How many of the first record's ends are not kept. That record is an error, which says how
    /// many fields it has.
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

/// An index that records are appended to until it is full, or has `max_records`.
pub(super) struct IndexFiller<'a> {
    index: &'a mut FieldIndex,
    max_records: usize,
}

/// Room in an index for some blocks.
///
/// It consists of slices and numbers, so that they stay in registers. As far as the compiler knows,
/// a store to an element of a vector could change the vector itself.
pub(super) struct IndexBlocks<'a> {
    ends: &'a mut [u32],
    starts: &'a mut [u32],
    field_counts: &'a mut [u32],
    filled: Filled,
    /// With fewer fields, and with fewer whole records, there is room for one more block.
    enough_fields: usize,
    enough_records: usize,
}

impl FieldIndex {
    /// An index of records that should have no more than `max_fields` fields.
    pub(super) fn new(max_fields: usize) -> Self {
        FieldIndex {
            ends: Vec::new(),
            starts: Vec::new(),
            field_counts: Vec::new(),
            filled: Filled::default(),
            enough_fields: INDEX_FIELDS,
            max_fields,
            excess: 0,
        }
    }

    /// Sets how many fields make the index full. It is never full before it has one record. Default
    /// [`INDEX_FIELDS`].
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

    /// The spans of the first `records` records: the ends of fields, the starts of records, the
    /// counts of fields.
    pub(super) fn spans(&self, records: usize) -> (&[u32], &[u32], &[u32]) {
        let fields = self.first_field(records);
        (&self.ends[..fields], &self.starts[..records], &self.field_counts[..records])
    }

    /// Where the fields of the first record end, which may still be open.
    pub(super) fn first_record_ends(&mut self) -> &mut [u32] {
        let fields = if self.filled.records == 0 { self.filled.fields } else { self.first_field(1) };
        &mut self.ends[..fields]
    }

    /// How many fields the first `records` records have together.
    fn first_field(&self, records: usize) -> usize {
        if records == 0 { 0 } else { self.field_counts[records - 1] as usize }
    }

    /// The byte after the terminator of the last of the first `records` records.
    pub(super) fn end_of(&self, records: usize) -> Option<usize> {
        let fields = self.first_field(records);
        (fields > 0).then(|| self.ends[fields - 1] as usize + 1)
    }

    /// How many fields the first record has besides those in [`spans`](Self::spans).
    pub(super) fn excess(&self) -> usize {
        self.excess
    }

    /// Bytes held.
    pub(super) fn allocated_bytes(&self) -> usize {
        (self.ends.capacity() + self.starts.capacity() + self.field_counts.capacity()) * size_of::<u32>()
    }

    /// Appends records until the index is full, or has `max_records`.
    pub(super) fn fill_to(&mut self, max_records: usize) -> IndexFiller<'_> {
        IndexFiller { index: self, max_records }
    }

    fn end_field(&mut self, at: usize) {
        self.reserve();
        self.ends[self.filled.fields] = at as u32;
        self.filled.fields += 1;
    }

    fn end_record(&mut self, at: usize) {
        self.end_field(at);
        self.field_counts[self.filled.records] = self.filled.fields as u32;
        self.filled.records += 1;
    }

    /// Ends the partial record at the end of the input. Nothing may be appended afterwards.
    pub(super) fn end_input(&mut self, end: usize) {
        if self.filled.started > self.filled.records {
            self.end_record(end);
        }
    }

    /// Gives each of the first `records` records `width` fields, which none of them exceeds. Those
    /// that are missing end where the field before them ends. Nothing may be appended afterwards.
    pub(super) fn pad(&mut self, records: usize, width: usize) {
        let fields = self.first_field(records);
        if fields == records * width {
            return;
        }
        if self.ends.len() < records * width {
            self.ends.resize(records * width, 0);
        }
        let mut to = fields;
        // From the last record on, so that no record is overwritten before it has been moved.
        for record in (0..records).rev() {
            let from = self.first_field(record);
            let (first, after) = (record * width, (record + 1) * width);
            let last = self.ends[to - 1];
            self.ends.copy_within(from..to, first);
            self.ends[first + to - from..after].fill(last);
            self.field_counts[record] = after as u32;
            to = from;
        }
    }

    /// Goes on as if the buffer had started `start` bytes later, where the first record starts.
    pub(super) fn rebase(&mut self, start: usize) {
        let Filled { fields, started, .. } = self.filled;
        for offset in self.ends[..fields].iter_mut().chain(&mut self.starts[..started]) {
            *offset -= start as u32;
        }
    }

    /// Makes room for what a block can hold.
    #[inline(always)]
    fn reserve(&mut self) {
        let Filled { fields, started, records } = self.filled;
        // Only a first record can have many more fields than there is room for. After other records
        // the index is full earlier.
        if records == 0 && fields > self.max_fields {
            self.excess += fields - self.max_fields;
            self.filled.fields = self.max_fields;
        }
        // This is enough, except for a single record that has more fields.
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

impl Sink for IndexFiller<'_> {
    type Blocks<'a>
        = IndexBlocks<'a>
    where
        Self: 'a;
    type Filled = Filled;

    #[inline(always)]
    fn is_full(&self) -> bool {
        let Filled { fields, records, .. } = self.index.filled;
        records >= self.max_records || (fields >= self.index.enough_fields && records > 0)
    }

    /// Room until the index is full or has to grow. The index must not be full yet.
    #[inline(always)]
    fn blocks(&mut self) -> IndexBlocks<'_> {
        let index = &mut *self.index;
        index.reserve();
        let Filled { fields, records, .. } = index.filled;
        let room_for_records = index.starts.len() - BLOCK;
        let (enough_fields, enough_records) = if records == 0 && fields >= index.enough_fields {
            // One long record, which alone makes the index full.
            (index.ends.len() - BLOCK + 1, 1)
        } else {
            (index.enough_fields, self.max_records.min(room_for_records))
        };
        IndexBlocks {
            ends: &mut index.ends,
            starts: &mut index.starts,
            field_counts: &mut index.field_counts,
            filled: index.filled,
            enough_fields,
            enough_records,
        }
    }

    #[inline(always)]
    fn fill(&mut self, filled: Filled) {
        self.index.filled = filled;
    }

    fn start_record(&mut self, at: usize) {
        let index = &mut *self.index;
        index.reserve();
        index.starts[index.filled.started] = at as u32;
        index.filled.started += 1;
    }

    fn end_field(&mut self, at: usize) {
        self.index.end_field(at);
    }

    fn end_record(&mut self, at: usize) {
        self.index.end_record(at);
    }
}

impl BlockSink for IndexBlocks<'_> {
    const NEEDS_FIELDS: bool = true;

    type Filled = Filled;

    #[inline(always)]
    fn is_left(&self) -> bool {
        self.filled.fields < self.enough_fields && self.filled.records < self.enough_records
    }

    #[inline(always)]
    fn append<S: Simd>(&mut self, simd: S, base: usize, structure: Structure) {
        let (base, Structure { fields, record_ends, starts, .. }) = (base as u32, structure);
        let filled = &mut self.filled;
        simd.positions(fields, base, room(self.ends, filled.fields));
        let counts = simd.extract(record_ends, fields);
        few_positions(simd, counts, filled.fields as u32 + 1, room(self.field_counts, filled.records));
        few_positions(simd, starts, base, room(self.starts, filled.started));
        filled.fields += fields.count_ones() as usize;
        filled.started += starts.count_ones() as usize;
        filled.records += record_ends.count_ones() as usize;
    }

    #[inline(always)]
    fn fields(&self) -> usize {
        self.filled.fields
    }

    #[inline(always)]
    fn filled(self) -> Filled {
        self.filled
    }
}

/// The room for a block's positions from `from` on, which is a 32-bit number. So the end of the room
/// can't overflow, and one comparison is enough.
#[inline(always)]
fn room(all: &mut [u32], from: usize) -> &mut [u32; BLOCK] {
    let from = from as u32 as usize;
    match all.get_mut(from..from + BLOCK).and_then(|room| room.first_chunk_mut()) {
        Some(room) => room,
        None => no_room(),
    }
}

/// Panics, because the block would be lost, and rows would be missing without an error.
#[cold]
#[inline(never)]
fn no_room() -> ! {
    unreachable!("a block was appended to an index that has no room left")
}

/// [`Simd::positions`] for masks that mostly have at most two bits. A back end's own implementation
/// pays off only with many.
#[inline(always)]
fn few_positions<S: Simd>(simd: S, mask: u64, base: u32, out: &mut [u32; BLOCK]) {
    let rest = first_positions(mask, base, &mut out[..2]);
    if rest != 0 && first_positions(rest, base, &mut out[2..8]) != 0 {
        simd.positions(mask, base, out);
    }
}

/// Doubles the length, starting with `first`. It stops once at `full`, the length that a full index
/// needs.
#[cold]
#[inline(never)]
fn grow(vec: &mut Vec<u32>, first: usize, full: usize) {
    let doubled = (vec.len() * 2).max(first);
    let len = if vec.len() < full { doubled.min(full) } else { doubled };
    vec.reserve_exact(len - vec.len());
    vec.resize(len, 0);
}
