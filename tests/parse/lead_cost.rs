//! How the starts of 64 ranges are proven in files of each kind, and how many bytes are looked at for that.
//!
//! `--nocapture` shows the table.

use std::time::Instant;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::internal::{Boundary, FIRST_LEAD_BYTES, Proof};
use datafusion_csv_stream::parse::FieldCount;

use crate::check::Cuts;
use crate::finder::{Found, Question, Truth, ask};
use crate::oracle::Setup;
use crate::rng::Rng;

const RANGES: usize = 64;
const FILE_BYTES: usize = 12 << 20;
const MIB: f64 = (1 << 20) as f64;

/// A kind of file.
struct Kind {
    name: &'static str,
    columns: usize,
    max_record_bytes: usize,
    record: fn(&mut Rng, &mut Vec<u8>),
    /// Ranges that stay undecided, at most.
    undecided: usize,
    /// Ranges that are synchronised, at least.
    synchronised: usize,
}

/// The results for the ranges of a file.
#[derive(Debug, Default)]
struct Tally {
    synchronised: usize,
    no_quote: usize,
    contradiction: usize,
    undecided: usize,
    bytes_looked_at: u64,
    /// Of one range.
    most: u64,
    /// The longest lead.
    lead: u64,
    /// The prefixes of the undecided ranges: each, and all in one pass.
    prefixes: u64,
    one_prefix: u64,
}

/// The columns, the longest record, and the ranges that are undecided and synchronised.
const fn kind(
    name: &'static str,
    record: fn(&mut Rng, &mut Vec<u8>),
    columns: usize,
    max_record_bytes: usize,
    undecided: usize,
    synchronised: usize,
) -> Kind {
    Kind { name, columns, max_record_bytes, record, undecided, synchronised }
}

const KINDS: [Kind; 11] = [
    kind("no quotes", plain, 4, 2 << 20, 0, 0),
    kind("a fifth of the titles quoted", titles, 4, 2 << 20, 0, 63),
    kind("all fields quoted", quoted, 4, 2 << 20, 0, 63),
    kind("reviews, newlines, doubled", reviews, 3, 2 << 20, 0, 63),
    kind("one column of texts", one_column, 1, 2 << 20, 0, 63),
    kind("comments with quotes", comments, 4, 2 << 20, 0, 63),
    kind("a quote every 500 KB", sparse, 4, 2 << 20, 1, 60),
    kind("tables of 1.9 MB in a field", tables, 4, 2 << 20, 0, 5),
    kind("tables of 6 MB in a field", large_tables, 4, 64 << 20, 63, 0),
    kind("all fields empty, quoted", empty, 4, 2 << 20, 0, 0),
    kind("commas and newlines, quoted", separators, 4, 2 << 20, 0, 0),
];

#[test]
fn few_bytes_are_looked_at() {
    println!(
        "{:29} {:>7} | {:>4} {:>4} {:>4} {:>5} {:>9} {:>7} {:>8} | lead 1: {:>5} {:>9} {:>10}",
        "",
        "MiB",
        "sync",
        "nq",
        "ctr",
        "undec",
        "looked at",
        "most",
        "prefix",
        "undec",
        "looked at",
        "prefixes"
    );
    for kind in KINDS {
        let input = kind.file();
        let dialect = Dialect::builder().with_comment(b'#').build().expect("no byte has two meanings");
        let setup = Setup {
            dialect,
            field_count: FieldCount::Exactly(kind.columns),
            max_record_bytes: kind.max_record_bytes,
        };
        let truth = Truth::of_readable(&setup, &input);
        let (mut before, mut now) = (Tally::default(), Tally::default());
        for range in 1..RANGES {
            let at = input.len() * range / RANGES;
            before.add(&truth, at, &[Question::new(at, 1).ask(&setup, &input, &Cuts::every(64 << 10))], 1);
            let (tries, lead) = search(&setup, &input, at);
            now.add(&truth, at, &tries, lead);
        }
        now.print(kind.name, &input, &before);
        let name = kind.name;
        assert!(now.undecided <= kind.undecided, "{name}: {now:?}");
        assert!(now.synchronised >= kind.synchronised, "{name}: {now:?}");
        // A range looks at no more after its start than at a record of the default limit, and at a CRLF.
        let bound = now.lead + kind.max_record_bytes.min(2 << 20) as u64 + 2;
        assert!(now.most <= bound, "{name}: {now:?}");
        assert!(now.bytes_looked_at <= RANGES as u64 * bound, "{name}: {now:?}");
    }
}

/// Not a benchmark: it shows that a lead costs less than a request to a store, and asserts nothing.
#[test]
fn a_lead_is_looked_at_fast() {
    for kind in &KINDS {
        let input = kind.file();
        let dialect = Dialect::builder().with_comment(b'#').build().expect("no byte has two meanings");
        let field_count = FieldCount::Exactly(kind.columns);
        let setup = Setup { dialect, field_count, max_record_bytes: kind.max_record_bytes };
        let mut shown = String::new();
        for lead in [64 << 10, 2 << 20] {
            let times = (4..12).map(|mebibytes| {
                let at = mebibytes << 20;
                let mut finder = Question::new(at, lead).finder(&setup);
                let start = Instant::now();
                std::hint::black_box(finder.push(&input[at - lead..at]));
                start.elapsed().as_secs_f64() * 1e6
            });
            let micros = times.fold(f64::INFINITY, f64::min);
            shown += &format!(" {:5} KiB: {micros:7.0} µs {:5.0} MB/s", lead >> 10, lead as f64 / micros);
        }
        println!("{:29}{shown}", kind.name);
    }
}

/// All tries for a range, as a reader makes them, and the last lead.
fn search(setup: &Setup, input: &[u8], at: usize) -> (Vec<Found>, u64) {
    let mut finder = Question::new(at, FIRST_LEAD_BYTES as usize).finder(setup);
    let mut tries = Vec::new();
    loop {
        tries.push(ask(&mut finder, input, &Cuts::every(64 << 10)));
        match finder.with_longer_lead() {
            Some(longer) => finder = longer,
            None => return (tries, finder.lead()),
        }
    }
}

impl Kind {
    fn file(&self) -> Vec<u8> {
        let rng = &mut Rng::new(7);
        let names: Vec<_> = (0..self.columns).map(|column| format!("c{column}")).collect();
        let mut out = names.join(",").into_bytes();
        out.push(b'\n');
        while out.len() < FILE_BYTES {
            (self.record)(rng, &mut out);
        }
        out
    }
}

impl Tally {
    fn add(&mut self, truth: &Truth, at: usize, tries: &[Found], lead: u64) {
        let found = tries.last().expect("at least one");
        truth.assert_right(found, Question::new(at, 1), &|| at.to_string());
        match found.proof {
            Some(Proof::Synchronised) => self.synchronised += 1,
            Some(Proof::NoQuote) => self.no_quote += 1,
            Some(Proof::Contradiction) => self.contradiction += 1,
            None => self.undecided += 1,
        }
        if found.boundary == Boundary::Undecided {
            self.prefixes += at as u64;
            self.one_prefix = at as u64;
        }
        let bytes = tries.iter().map(|found| found.bytes_looked_at).sum();
        self.bytes_looked_at += bytes;
        self.most = self.most.max(bytes);
        self.lead = self.lead.max(lead);
    }

    fn print(&self, name: &str, input: &[u8], before: &Tally) {
        let mib = |bytes: u64| bytes as f64 / MIB;
        println!(
            "{name:29} {:7.1} | {:4} {:4} {:4} {:5} {:9.1} {:7.2} {:8.1} |         {:5} {:9.1} {:10.1}",
            input.len() as f64 / MIB,
            self.synchronised,
            self.no_quote,
            self.contradiction,
            self.undecided,
            mib(self.bytes_looked_at),
            mib(self.most),
            mib(self.one_prefix),
            before.undecided,
            mib(before.bytes_looked_at),
            mib(before.prefixes),
        );
    }
}

fn word(rng: &mut Rng) -> &'static str {
    rng.pick(&["blue", "a", "table", "of", "oak", "seven", "winter", "is", "made", "long"])
}

fn words(rng: &mut Rng, most: usize) -> String {
    let words: Vec<_> = (0..1 + rng.below(most)).map(|_| word(rng)).collect();
    words.join(" ")
}

fn plain(rng: &mut Rng, out: &mut Vec<u8>) {
    let number = rng.below(1_000_000);
    out.extend(format!("{number},{},{},{}\n", words(rng, 6), word(rng), number % 977).bytes());
}

fn titles(rng: &mut Rng, out: &mut Vec<u8>) {
    if !rng.once_in(5) {
        return plain(rng, out);
    }
    out.extend(format!("{},\"{}, {}\",x,y\n", rng.below(9_999), words(rng, 4), words(rng, 4)).bytes());
}

fn quoted(rng: &mut Rng, out: &mut Vec<u8>) {
    let (one, two) = (rng.below(9_999), words(rng, 9));
    out.extend(format!("\"{one}\",\"{two}\",\"\",\"{}, {}\"\n", word(rng), word(rng)).bytes());
}

fn reviews(rng: &mut Rng, out: &mut Vec<u8>) {
    out.extend(format!("{},{},\"", rng.below(9_999), rng.below(5)).bytes());
    for _ in 0..rng.below(40) {
        let text = words(rng, 6);
        match rng.below(4) {
            0 => out.extend(format!("\"\"{text}\"\", they said.\n").bytes()),
            1 => out.extend(format!("{text}, {text}\n\n").bytes()),
            _ => out.extend(format!("{text}. ").bytes()),
        }
    }
    out.extend(b"\"\n");
}

fn one_column(rng: &mut Rng, out: &mut Vec<u8>) {
    match rng.once_in(2) {
        true => out.extend(format!("\"{}\n{}\"\n", words(rng, 5), words(rng, 5)).bytes()),
        false => out.extend(format!("{}\n", words(rng, 5)).bytes()),
    }
}

fn comments(rng: &mut Rng, out: &mut Vec<u8>) {
    match rng.once_in(6) {
        true => out.extend(format!("# it's \"{}\n", words(rng, 9)).bytes()),
        false => titles(rng, out),
    }
}

fn sparse(rng: &mut Rng, out: &mut Vec<u8>) {
    match rng.once_in(15_000) {
        true => out.extend(format!("1,\"{}\",2,3\n", words(rng, 4)).bytes()),
        false => plain(rng, out),
    }
}

fn tables(rng: &mut Rng, out: &mut Vec<u8>) {
    table(rng, 1_900_000, out);
}

fn large_tables(rng: &mut Rng, out: &mut Vec<u8>) {
    table(rng, 6_000_000, out);
}

/// A record with a table of the same number of columns in it.
fn table(rng: &mut Rng, bytes: usize, out: &mut Vec<u8>) {
    plain(rng, out);
    let end = out.len() + bytes;
    out.extend(b"1,2,\"\n");
    while out.len() < end {
        plain(rng, out);
    }
    out.extend(b"\",3\n");
}

fn empty(_: &mut Rng, out: &mut Vec<u8>) {
    out.extend(b"\"\",\"\",\"\",\"\"\n");
}

/// No quote stands beside text, so none brings two runs together.
fn separators(rng: &mut Rng, out: &mut Vec<u8>) {
    let fields: Vec<_> = (0..4).map(|_| rng.pick(&["\",\"", "\"\n\"", "\",\n\""])).collect();
    out.extend(fields.join(",").bytes());
    out.push(b'\n');
}
