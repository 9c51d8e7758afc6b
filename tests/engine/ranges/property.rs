//! The main property of ranges, on generated files.

use datafusion_csv_stream::error::ErrorKind;
use datafusion_csv_stream::parse::FieldCount;

use super::table::{STARTS, Table, expected, options, own, ranges};
use crate::kinds::kinds;
use crate::peer::{Record, Whole};
use crate::rng::{Rng, seeds};
use crate::support::metric;

/// The most columns of a table.
const WIDTH: usize = 3;

/// More than a lead of the first length.
const LONG_FRONT_BYTES: usize = 100 << 10;

/// The results of the ranges of some files.
#[derive(Debug, Default)]
struct Tally {
    starts: usize,
    synchronised: usize,
    proof: usize,
    prefix: usize,
    right: usize,
    unreadable: usize,
}

/// The theorem: each range has the records that start in it, in order, as `csv-core` reads the
/// whole file. Otherwise there is an error with its place.
#[tokio::test]
async fn any_cut_gives_every_record_once_or_an_error() {
    for kind in kinds().iter().filter(|kind| kind.is_known_to_csv_core()) {
        let width = WIDTH.min(kind.width);
        let may_be_short = match (kind.field_count)(width) {
            FieldCount::Any => continue,
            FieldCount::Exactly(_) => false,
            FieldCount::UpTo(_) => true,
        };
        let is_bad =
            |record: &Record| record.fields.len() > width || (record.fields.len() < width && !may_be_short);
        let mut tally = Tally::default();
        for seed in seeds(16) {
            let rng = &mut Rng::new(seed);
            let has_header = rng.once_in(4);
            let counts = rng.once_in(3);
            // In a small file each lead reaches the front, where the state is known. So some files
            // have a long front.
            let mut bytes = kind.file(rng, width, 60);
            if seed % 4 == 0 {
                bytes = bytes.repeat(LONG_FRONT_BYTES / bytes.len().max(1) + 1);
                bytes.extend(kind.file(rng, width, 60));
            }
            let dialect = kind.dialect.clone().with_header(has_header).build().unwrap();
            let whole = Whole::read(&dialect, &bytes);
            // Records that are only counted may have any number of fields.
            let has_bad = whole.records.iter().any(is_bad);
            let is_readable = whole.is_closed && (counts || !has_bad);
            let sql = if counts { "SELECT count(*) FROM t" } else { "SELECT * FROM t" };
            let table =
                Table::new(&bytes, options(&dialect).with_truncated_rows(may_be_short), width, sql).await;
            let mut counted = [0; STARTS.len()];
            for pieces in [2, 3, 16, 64] {
                let cuts = random_cuts(rng, table.size(), pieces);
                let context =
                    || format!("seed {seed} of {}: {cuts:?} of \"{}\"", kind.name, bytes.escape_ascii());
                let plan = table.scan(&ranges(&cuts));
                let found = table.run(&plan).await;
                // All scans of a table add to the same metrics.
                let now = STARTS.map(|name| metric(&plan, name));
                let starts = tally.add_starts(now, std::mem::replace(&mut counted, now));
                let error = match found {
                    Ok(found) if is_readable => {
                        let expected = match counts {
                            false => expected(&whole, has_header, width, &cuts),
                            true => nothings(&whole, has_header, &cuts),
                        };
                        assert_eq!(found, expected, "{}", context());
                        let resolved =
                            ranges(&cuts).iter().filter(|range| range.start > 0 && !range.is_empty()).count();
                        assert_eq!(starts, resolved, "{}", context());
                        tally.right += 1;
                        continue;
                    }
                    Ok(found) => panic!("{}: not to be read, but {found:?}", context()),
                    Err(error) => error,
                };
                let error = own(&error);
                assert_eq!(error.path(), Some("t.csv"), "{}: {error}", context());
                match *error.kind() {
                    // The record that the error names has this place and this number of fields.
                    ErrorKind::FieldCount { found, .. } => {
                        let place = error.place().unwrap_or_else(|| panic!("{}: {error}", context()));
                        let number = place.record as usize - usize::from(!has_header);
                        let record = &whole.records[number];
                        assert_eq!(
                            (place.byte, place.line, found),
                            (record.start as u64, record.line, record.fields.len()),
                            "{}: {error}",
                            context()
                        );
                        assert!(is_bad(record), "{}: {error}", context());
                    }
                    ErrorKind::RangeStart { range, assumed, actual } => {
                        let next = whole.records.iter().find(|record| record.start as u64 >= range);
                        assert_eq!(actual, next.map(|record| record.start as u64), "{}: {error}", context());
                        assert_ne!(assumed, actual, "{}: {error}", context());
                    }
                    _ => panic!("{}: {error}", context()),
                }
                assert!(!is_readable, "{}: {error}", context());
                tally.unreadable += 1;
            }
        }
        tally.print(kind.name);
    }
}

/// As many rows without columns as each range has records.
fn nothings(whole: &Whole, has_header: bool, cuts: &[i64]) -> Vec<Vec<String>> {
    let width = whole.records.iter().map(|record| record.fields.len()).max().unwrap_or(0);
    let rows = expected(whole, has_header, width, cuts);
    rows.into_iter().map(|rows| vec![String::new(); rows.len()]).collect()
}

fn random_cuts(rng: &mut Rng, size: i64, pieces: usize) -> Vec<i64> {
    let mut cuts: Vec<i64> = (1..pieces).map(|_| rng.below(size as usize + 1) as i64).collect();
    cuts.extend([0, size]);
    cuts.sort_unstable();
    cuts
}

impl Tally {
    /// Adds the starts that have been counted since `before`, and returns their number.
    fn add_starts(&mut self, now: [usize; STARTS.len()], before: [usize; STARTS.len()]) -> usize {
        let [synchronised, proof, prefix] = std::array::from_fn(|how| now[how] - before[how]);
        let starts = synchronised + proof + prefix;
        self.synchronised += synchronised;
        self.proof += proof;
        self.prefix += prefix;
        self.starts += starts;
        starts
    }

    fn print(&self, name: &str) {
        let percent = |count: usize| 100.0 * count as f64 / self.starts as f64;
        println!(
            "{name:42} {:6} starts: {:5.1} % synchronised, {:5.1} % proof, {:5.1} % prefix scan; {:3} cuts right, \
             {:3} of unreadable files",
            self.starts,
            percent(self.synchronised),
            percent(self.proof),
            percent(self.prefix),
            self.right,
            self.unreadable,
        );
    }
}
