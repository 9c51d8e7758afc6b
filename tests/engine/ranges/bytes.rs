//! The bytes that a scan reads, by the kind of file and the number of ranges.

use datafusion_csv_stream::CsvFormatOptions;

use super::table::{STARTS, Table, ranges};
use crate::support::metric;

const FILE_BYTES: usize = 8 << 20;

/// The longest record that these files may have: a file without quotes needs as many bytes to prove
/// a start.
const MAX_RECORD_BYTES: u64 = 512 << 10;

/// The length of a field that holds a table.
const FIELD_BYTES: usize = 400 << 10;

/// Bytes that a range may read for its start beside that: a lead, and some of the last record.
const START_BYTES: u64 = 256 << 10;

/// A file of records that a function makes from their numbers.
fn file(record: impl Fn(usize) -> String) -> Vec<u8> {
    let mut text = String::from("id,title,tags,year\n");
    let mut number = 0;
    while text.len() < FILE_BYTES {
        text.push_str(&record(number));
        number += 1;
    }
    text.into_bytes()
}

/// Tables inside fields. Each field is longer than the longest lead, and holds records of the
/// table's width.
fn nested() -> Vec<u8> {
    let inner = "1,2,3,4\n".repeat(FIELD_BYTES / 8);
    let fields = FILE_BYTES / FIELD_BYTES;
    format!("id,title,tags,year\n{}", format!("1,\"\n{inner}\",3,4\n").repeat(fields)).into_bytes()
}

/// A scan reads the file, and for each range no more than the bytes that prove its start. Where
/// those can't prove it, one pass over the file serves all ranges.
#[tokio::test]
async fn more_ranges_read_hardly_more_bytes() {
    let some = |n: usize| match n % 5 {
        0 => format!("{n},\"a title, {n}\",x,1999\n"),
        _ => format!("{n},a title {n},x,1999\n"),
    };
    let all = |n: usize| format!("\"{n}\",\"a title, {n}\",\"x\",\"1999\"\n");
    let reviews = |n: usize| format!("{n},\"line\nof a \"\"review\"\"\n{n}, and more\",x,1999\n");
    let plain = |n: usize| format!("{n},a title {n},x,1999\n");
    let options = CsvFormatOptions::new().with_max_record_bytes(MAX_RECORD_BYTES as usize);
    for (name, bytes, most_passes) in [
        ("some fields quoted", file(some), 1),
        ("all fields quoted", file(all), 1),
        ("reviews with newlines", file(reviews), 1),
        ("no quotes", file(plain), 1),
        ("tables inside fields", nested(), 2),
    ] {
        let size = bytes.len() as u64;
        for partitions in [1, 2, 16, 64] {
            let table = Table::new(&bytes, options.clone(), 4, "SELECT count(*) FROM t").await;
            let cuts: Vec<_> = (0..=partitions).map(|cut| cut * size as i64 / partitions).collect();
            let plan = table.scan(&ranges(&cuts));
            let rows = table.run(&plan).await.unwrap().concat().len();
            assert!(rows >= 4, "{name}: {rows}");
            let read = metric(&plan, "bytes_scanned") as u64;
            let starts = STARTS.map(|name| metric(&plan, name));
            println!(
                "{name:24} {partitions:3} ranges: {:5.2} times the file; {starts:?} {STARTS:?}",
                read as f64 / size as f64
            );
            let most = most_passes * size + partitions as u64 * (START_BYTES + MAX_RECORD_BYTES);
            assert!(read <= most, "{name}, {partitions} ranges: {read} of {size} bytes, at most {most}");
            assert_eq!(starts.iter().sum::<usize>(), partitions as usize - 1, "{name}");
            if name != "no quotes" && most_passes == 1 {
                assert_eq!(starts[0], partitions as usize - 1, "{name}: all are synchronised");
            }
        }
    }
}
