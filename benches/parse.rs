//! Splitting fields on one core: each back end, the reference machine, and `csv-core` on the same bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use csv_core::{ReadFieldResult, Reader};
use datafusion_csv_stream::dialect::Dialect;
use datafusion_csv_stream::parse::reference::{Action, Machine, State};
use datafusion_csv_stream::parse::{Backend, FieldCount, Parser, Step};

/// Fields of each record.
const WIDTH: usize = 16;

/// Bytes of each input.
const BYTES: usize = 8 << 20;

/// Bytes handed to a reader at once, as a scan with the default limits does.
const CHUNK: usize = 256 << 10;

/// A name, and what a field of such an input is.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 4] = [
    ("numbers", |n| format!("{}.{:02}", n * 7919 % 100_000, n % 100)),
    ("quoted", |n| format!("\"value, {}\"", n * 7919 % 100_000)),
    ("quoted newlines", |n| match n % 4 {
        0 => format!("\"two\nlines of {n}\""),
        _ => format!("plain {}", n % 1000),
    }),
    ("irregular quoting", |n| match n % 16 {
        0 => format!("{}\" pipe", n % 100),
        _ => format!("plain {}", n % 1000),
    }),
];

fn splitting(criterion: &mut Criterion) {
    for (name, field) in SHAPES {
        let (input, fields) = table(field);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(fields as u64));
        for backend in Backend::available() {
            assert_eq!(ours(backend, &input), fields, "{name}, {}", backend.name());
            group.bench_function(backend.name(), |bencher| bencher.iter(|| ours(backend, black_box(&input))));
        }
        assert_eq!(machine(&input), fields, "{name}, the machine");
        group.bench_function("machine", |bencher| bencher.iter(|| machine(black_box(&input))));
        assert_eq!(csv_core(&input), fields, "{name}, csv-core");
        group.bench_function("csv-core", |bencher| bencher.iter(|| csv_core(black_box(&input))));
        group.finish();
    }
}

/// Records of [`WIDTH`] fields, and the number of fields.
fn table(field: impl Fn(usize) -> String) -> (Vec<u8>, usize) {
    let (mut input, mut fields) = (Vec::new(), 0);
    while input.len() < BYTES {
        for column in 1..=WIDTH {
            input.extend_from_slice(field(fields).as_bytes());
            input.push(if column == WIDTH { b'\n' } else { b',' });
            fields += 1;
        }
    }
    (input, fields)
}

fn ours(backend: Backend, input: &[u8]) -> usize {
    let dialect = Dialect::builder().has_header(false).build().expect("a dialect");
    let mut parser = Parser::with_backend(&dialect, FieldCount::Exactly(WIDTH), 1 << 20, backend);
    let mut fields = 0;
    for mut rest in input.chunks(CHUNK) {
        loop {
            let (taken, step) = parser.next(rest, usize::MAX).expect("valid CSV");
            rest = &rest[taken..];
            let Step::Records(records) = step else { break };
            fields += black_box(records).len() * WIDTH;
        }
    }
    fields
}

fn machine(input: &[u8]) -> usize {
    let machine = Machine::new(&Dialect::default());
    let mut state = State::StartRecord;
    let mut fields = 0;
    for &byte in input {
        let (next, action) = machine.step(state, byte);
        state = next;
        fields += usize::from(matches!(action, Action::EndField | Action::EndRecord));
    }
    fields
}

fn csv_core(input: &[u8]) -> usize {
    let mut reader = Reader::new();
    let mut out = [0; 4096];
    let mut fields = 0;
    for mut rest in input.chunks(CHUNK) {
        loop {
            let (result, taken, _) = reader.read_field(rest, black_box(&mut out));
            rest = &rest[taken..];
            match result {
                ReadFieldResult::Field { .. } => fields += 1,
                ReadFieldResult::InputEmpty => break,
                ReadFieldResult::OutputFull => unreachable!("a field is short"),
                ReadFieldResult::End => break,
            }
            // An empty input would mean the end of the file.
            if rest.is_empty() {
                break;
            }
        }
    }
    fields
}

criterion_group!(benches, splitting);
criterion_main!(benches);
