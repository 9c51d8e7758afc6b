//! Byte ranges without I/O, against `csv-core` over the whole file. The first record of a range is
//! found from the bytes after its start, or from those before it. Reading from there on gives the
//! records that are there.
//!
//! Each byte of each file is the start of a range: several million, and more with
//! `CSV_STREAM_TEST_ROUNDS`. `--nocapture` prints the results for each kind of file.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::{BOM, Boundary, BoundaryFinder, Proof};
use datafusion_csv_stream::parse::{FieldCount, Parser, RecordCounter, RecordStart, Step};

use crate::kinds::kinds;
use crate::peer::Whole;
use crate::rng::{Rng, seeds};

/// The number of files of each kind.
const FILES: u64 = 60;
const RECORDS: usize = 60;
const MAX_RECORD_BYTES: usize = 1 << 20;

/// The numbers of ranges by the way in which their starts were decided.
#[derive(Debug, Default)]
struct Tally {
    starts: u64,
    /// With a lead, whatever becomes of the rest of the file.
    synchronised: u64,
    proof: u64,
    /// The bytes after the start don't decide, so those before it are read.
    undecided: u64,
    /// Decided wrongly, in a file that can't be read without an error. The query fails with the
    /// file's error, or with that of the range before.
    wrong: u64,
}

/// A file, and `csv-core`'s reading of it.
struct File {
    dialect: Dialect,
    field_count: FieldCount,
    bytes: Vec<u8>,
    whole: Whole,
    is_readable: bool,
}

#[test]
fn every_byte_starts_a_range_right() {
    let mut all = 0;
    for kind in kinds().iter().filter(|kind| kind.is_known_to_csv_core()) {
        let mut tally = Tally::default();
        for seed in seeds(FILES) {
            let rng = &mut Rng::new(seed);
            let width = 1 + rng.below(kind.width);
            let bytes = kind.file(rng, width, RECORDS);
            let dialect = kind.dialect.clone().build().expect("no byte has two meanings");
            let file = File::new(dialect, (kind.field_count)(width), bytes);
            for at in 1..=file.bytes.len() {
                let context =
                    || format!("seed {seed} of {}: {at} of \"{}\"", kind.name, file.bytes.escape_ascii());
                file.check(rng, at, &mut tally, &context);
            }
        }
        tally.print(kind.name);
        all += tally.starts;
    }
    println!("{all} starts of ranges");
}

impl File {
    fn new(dialect: Dialect, field_count: FieldCount, bytes: Vec<u8>) -> Self {
        let whole = Whole::read(&dialect, &bytes);
        let is_readable = whole.is_closed
            && whole.records.iter().all(|record| match field_count {
                FieldCount::Any => true,
                FieldCount::Exactly(width) => record.fields.len() == width,
                FieldCount::UpTo(width) => record.fields.len() <= width,
            });
        File { dialect, field_count, bytes, whole, is_readable }
    }

    fn check(&self, rng: &mut Rng, at: usize, tally: &mut Tally, context: &dyn Fn() -> String) {
        let record = self.whole.records.partition_point(|record| record.start < at);
        let truth = self.whole.records.get(record);
        let start = truth.map(|truth| truth.start as u64);
        tally.starts += 1;
        let lead = 1 + rng.below(150);
        let with_lead = self.find(at, lead);
        tally.synchronised += u64::from(with_lead.1 == Some(Proof::Synchronised));
        match with_lead {
            (_, Some(Proof::NoQuote | Proof::Contradiction)) if !self.is_readable => {}
            // The last record is open at the end of the file, and `Whole` doesn't have it.
            _ if !self.whole.is_closed => {}
            (Boundary::Start(byte), _) => assert_eq!(Some(byte), start, "{}: lead {lead}", context()),
            (Boundary::End, _) => assert_eq!(None, start, "{}: lead {lead}", context()),
            (Boundary::Undecided, proof) => assert_eq!(proof, None),
        }
        let (found, is_proven) = match self.find(at, 1).0 {
            Boundary::Start(byte) => (Some(byte), true),
            Boundary::End => (None, true),
            Boundary::Undecided => (start, false),
        };
        match is_proven {
            true => tally.proof += 1,
            false => tally.undecided += 1,
        }
        assert!(found == start || !self.is_readable, "{}: {found:?}, not {start:?}", context());
        tally.wrong += u64::from(found != start);
        if !self.whole.is_closed && truth.is_none() {
            return;
        }
        if !is_proven || rng.once_in(16) {
            let found = self.scan_prefix(at);
            let truth = truth.map(|truth| (truth.start as u64, truth.line, record as u64 + 1));
            assert_eq!(found.map(|found| (found.byte, found.line, found.record)), truth, "{}", context());
        }
        if let Some(start) = start {
            self.read(record, RecordStart::at_byte(start), context);
        }
    }

    /// The conclusion of a range's reader from a lead and the bytes that follow.
    fn find(&self, at: usize, lead: usize) -> (Boundary, Option<Proof>) {
        let finder = BoundaryFinder::new(&self.dialect, self.field_count, MAX_RECORD_BYTES, at as u64);
        let mut finder = finder.with_lead(lead as u64);
        let found = finder.push(&self.bytes[finder.first_byte() as usize..]);
        (found.unwrap_or_else(|| finder.finish()), finder.proof())
    }

    fn scan_prefix(&self, at: usize) -> Option<RecordStart> {
        let mut counter = RecordCounter::new(&self.dialect, MAX_RECORD_BYTES);
        // Bytes that may belong to a BOM are read before it is known whether there is one.
        let (before, behind) = self.bytes.split_at(if at < BOM.len() { 0 } else { at });
        counter.push(before).expect("no record is too long");
        counter.first_record_start_at_or_after(at as u64, behind).expect("no record is too long")
    }

    /// Reads some records, the first of which is record `first` of the file.
    fn read(&self, first: usize, start: RecordStart, context: &dyn Fn() -> String) {
        let parser = Parser::new(&self.dialect, self.field_count, MAX_RECORD_BYTES);
        let mut parser = parser.starting_at(start);
        let (width, may_be_short) = match self.field_count {
            FieldCount::Any => (None, false),
            FieldCount::Exactly(width) => (Some(width), false),
            FieldCount::UpTo(width) => (Some(width), true),
        };
        let expected: Vec<_> = self.whole.records[first..].iter().take(3).collect();
        let bad =
            |fields: usize| width.is_some_and(|width| fields > width || (fields < width && !may_be_short));
        let good = expected.iter().take_while(|record| !bad(record.fields.len())).count();
        let mut rest = &self.bytes[start.byte as usize..];
        let mut found = 0;
        let mut scratch = Vec::new();
        while found < good {
            let (taken, step) = match parser.next(rest, good - found) {
                Ok((taken, Step::Records(records))) => (taken, Some(records)),
                Ok((_, Step::NeedInput)) => (rest.len(), parser.finish().expect("these records are right")),
                Err(error) => panic!("{}: {error}", context()),
            };
            let records = step.unwrap_or_else(|| panic!("{}: {found} of {good} records", context()));
            for record in 0..records.len() {
                let right = expected[found];
                assert_eq!(records.start_byte(record), right.start as u64, "{}", context());
                for field in 0..records.field_count(record) {
                    let value = records.raw(record, field);
                    let value = value.map(|raw| records.unescape().value(raw, &mut scratch).to_vec());
                    assert_eq!(value.as_ref(), right.fields.get(field), "{}: field {field}", context());
                }
                assert!(records.field_count(record) >= right.fields.len(), "{}", context());
                found += 1;
            }
            rest = &rest[taken..];
        }
    }
}

impl Tally {
    fn print(&self, name: &str) {
        let percent = |count: u64| 100.0 * count as f64 / self.starts as f64;
        println!(
            "{name:40} {:8} starts: {:5.1} % synchronised by leads of up to 150 bytes; without a lead {:5.1} % proof, \
             {:5.1} % prefix scan; {:6.3} % wrong, of files that can't be read",
            self.starts,
            percent(self.synchronised),
            percent(self.proof),
            percent(self.undecided),
            percent(self.wrong),
        );
    }
}
