//! The files of `testdata/small`, as a user would read them.

use std::fmt::Write;

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::parse::FieldCount;
use datafusion_csv_stream::simd::Backend;

use crate::check::{Cuts, assert_same};
use crate::oracle::{Outcome, Setup};
use crate::rng::Rng;
use crate::support::testdata;

const ORDERS: usize = 300;

#[test]
fn people() {
    let people = read("people.csv", Dialect::default(), 5);
    assert_eq!(people.rows.len(), 8);
    assert_eq!(text(&people, 1, 1), "Hopper, Grace");
    assert_eq!(text(&people, 1, 4), "\"It's easier to ask forgiveness\nthan it is to get permission.\"");
    assert_eq!(text(&people, 3, 4).lines().count(), 5);
    assert_eq!(text(&people, 5, 1), "山田 太郎");
    assert_eq!(text(&people, 7, 1), "O'Neill, \"Tip\"");
    assert_eq!((people.rows[7].line, people.rows[7].record), (14, 8));
}

#[test]
fn prices() {
    let prices = read("prices.csv", Dialect::default(), 7);
    assert_eq!(prices.rows.len(), 9);
    assert_eq!(text(&prices, 4, 1), "-12.50");
    assert!((1..7).all(|field| text(&prices, 7, field).is_empty()));
    assert_eq!(text(&prices, 8, 5), "2024-05-05T05:05:05");
}

#[test]
fn crlf() {
    let codes = read("crlf.csv", Dialect::default(), 2);
    let labels: Vec<_> = (0..codes.rows.len()).map(|row| text(&codes, row, 1)).collect();
    assert_eq!(labels, ["first", "two\r\nlines", "with, comma", ""]);
    assert_eq!(codes.rows[2].line, 6);
}

#[test]
fn semicolon() {
    let dialect =
        Dialect::builder().with_delimiter(b';').with_quote(b'\'').build().expect("no byte has two meanings");
    let bookings = read("semicolon.csv", dialect, 3);
    let purposes: Vec<_> = (0..bookings.rows.len()).map(|row| text(&bookings, row, 2)).collect();
    assert_eq!(purposes, ["Miete; März", "Gehalt", "Bäckerei 'Zum Ofen'", "Storno"]);
}

#[test]
fn orders() {
    let orders = read("orders.csv", Dialect::default(), 5);
    assert_eq!(orders.rows.len(), ORDERS);
    let ids: Vec<u64> = (0..ORDERS).map(|row| text(&orders, row, 0).parse().expect("a number")).collect();
    assert!(ids.is_sorted_by(|a, b| a + 1 == *b));
    let notes = (0..ORDERS).map(|row| text(&orders, row, 4));
    assert!(notes.clone().any(|note| note.contains('\n')) && notes.clone().any(|note| note.contains('"')));
}

/// The file is the output of this program. `CSV_STREAM_TEST_WRITE=1` writes it.
#[test]
fn orders_are_as_generated() {
    let path = testdata("small/orders.csv");
    let generated = generate_orders();
    if std::env::var_os("CSV_STREAM_TEST_WRITE").is_some() {
        std::fs::write(&path, &generated).expect("the file can be written");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("the file can be read"), generated);
}

fn generate_orders() -> String {
    let customers = [
        "Acme",
        "\"Brown, Smith & Co\"",
        "Café Müller",
        "Delta Works",
        "\"Ed's \"\"Garage\"\"\"",
        "Fjord AS",
    ];
    let notes = [
        "",
        "",
        "",
        "",
        "gift",
        "\"leave at the door, please\"",
        "\"ring twice\nthen call\"",
        "\"customer said \"\"urgent\"\"\"",
    ];
    let mut rng = Rng::new(2024);
    let mut orders = "order_id,customer,amount,placed,note\n".to_owned();
    for order in 0..ORDERS {
        let customer = rng.pick(&customers);
        let (whole, cents) = (rng.below(900) + 1, rng.below(100));
        let (month, day) = (order * 12 / ORDERS + 1, order * 12 % ORDERS * 28 / ORDERS + 1);
        let note = rng.pick(&notes);
        writeln!(orders, "{},{customer},{whole}.{cents:02},2024-{month:02}-{day:02},{note}", 1001 + order)
            .expect("a string has room");
    }
    orders
}

/// Reads a file on every back end, in chunks of several sizes.
fn read(name: &str, dialect: Dialect, width: usize) -> Outcome {
    let input = std::fs::read(testdata("small").join(name)).expect("the file can be read");
    let setup = Setup { field_count: FieldCount::Exactly(width), ..Setup::free(dialect) };
    let expected = setup.expect(&input);
    assert_eq!(expected.failure, None, "{name}");
    for backend in Backend::available() {
        for max_records in [1, 7, usize::MAX] {
            for cuts in [Cuts::whole(), Cuts::every(1), Cuts::every(100), Cuts::every(4096)] {
                assert_same(&setup, backend, &input, &cuts, max_records, &expected);
            }
        }
    }
    expected
}

fn text(outcome: &Outcome, row: usize, field: usize) -> &str {
    let value = outcome.rows[row].values[field].as_deref().expect("the field is there");
    std::str::from_utf8(value).expect("the file is UTF-8")
}
