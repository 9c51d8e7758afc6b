//! Files and cuts that are hard to read.

use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::grammar::DialectBuilder;
use datafusion_csv_stream::{CsvFormatOptions, Split};

use super::table::{STARTS, Table, expected, options, ranges};
use crate::kinds::kinds;
use crate::peer::Whole;
use crate::rng::Rng;
use crate::support::metric;

/// Reads a file of `width` columns cut at `cuts`, and compares the rows with `csv-core`'s.
async fn check(name: &str, dialect: &Dialect, bytes: &[u8], width: usize, all_cuts: &[Vec<i64>]) {
    let whole = Whole::read(dialect, bytes);
    assert!(whole.is_closed && whole.records.iter().all(|record| record.fields.len() == width), "{name}");
    // The records of a file that isn't UTF-8 can only be counted.
    let queries = [("SELECT count(*) FROM t", 0), ("SELECT * FROM t", width)];
    let is_text = std::str::from_utf8(bytes).is_ok();
    for (sql, columns) in queries.into_iter().take(if is_text { 2 } else { 1 }) {
        let table = Table::new(bytes, options(dialect), width, sql).await;
        for cuts in all_cuts {
            let found =
                table.read(cuts).await.unwrap_or_else(|error| panic!("{name}: {sql}: {cuts:?}: {error}"));
            let mut expected = expected(&whole, dialect.has_header(), width, cuts);
            if columns == 0 {
                expected = expected.into_iter().map(|rows| vec![String::new(); rows.len()]).collect();
            }
            assert_eq!(found, expected, "{name}: {sql}: {cuts:?} of \"{}\"", bytes.escape_ascii());
        }
    }
}

/// A single cut at each byte, then all of them at once, and every second one.
fn every_cut(bytes: &[u8]) -> Vec<Vec<i64>> {
    let size = bytes.len() as i64;
    let mut cuts: Vec<_> = (0..=size).map(|at| vec![0, at, size]).collect();
    cuts.push((0..=size).collect());
    cuts.push((0..=size).step_by(2).chain([size]).collect());
    cuts
}

#[tokio::test]
async fn small_files_cut_anywhere() {
    let plain = Dialect::builder;
    let bare = || Dialect::builder().with_header(false);
    let comments = || Dialect::builder().with_comment(b'#');
    let cases: [(&str, DialectBuilder, usize, &[u8]); 21] = [
        ("a BOM", bare(), 2, b"\xef\xbb\xbf1,2\n3,4\n"),
        ("a BOM and a header", plain(), 2, b"\xef\xbb\xbfa,b\n1,2\n3,4\n"),
        ("a BOM and a quoted header", plain(), 2, b"\xef\xbb\xbf\"a\nx\",b\n1,2\n"),
        ("a BOM alone", bare(), 1, b"\xef\xbb\xbf"),
        ("two thirds of a BOM", bare(), 1, b"\xef\xbb"),
        ("two thirds of a BOM, and a record", bare(), 1, b"\xef\xbb\n1\n"),
        ("one byte", bare(), 1, b"1"),
        ("only a header", plain(), 2, b"a,b\n"),
        ("only a header, without its end", plain(), 2, b"a,b"),
        ("no end of the last line", plain(), 2, b"a,b\n1,2\n3,4"),
        ("CRLF", plain(), 2, b"a,b\r\n1,2\r\n\"3\r\n\",4\r\n\r\n5,6"),
        ("CR", plain(), 2, b"a,b\r1,2\r\"3\r\",4\r\r5,6\r"),
        ("LF CR", bare(), 2, b"1,2\n\r3,4\n\r\"\n\r\",6\n\r"),
        ("blank lines alone", bare(), 1, b"\n\r\n\n\r"),
        ("blank lines around", plain(), 2, b"\n\na,b\n\n\n1,2\n\n\n"),
        ("comments", comments(), 2, b"#c,\"\na,b\n#1,2\n1,2\n#\n#\n\"3\n#4\",5\n# no end"),
        ("comments alone", comments(), 1, b"#a\n#b\n"),
        ("quotes at the ends", bare(), 2, b"\"1\",\"2\"\n\"\n\",\"\"\"\"\n\"\",\"\"\n"),
        ("a table in a field", bare(), 2, b"1,2\n3,\"a,b\nc,d\ne,f\n\"\n5,6\n"),
        ("a header longer than ranges", plain(), 3, b"\"a long\nname\",another name,b\n1,2,3\n"),
        ("text behind quotes", bare(), 2, b"\"a\"b,\"c\" \n\"d\n\"e,5\"\n6,7\n"),
    ];
    for (name, dialect, width, bytes) in cases {
        check(name, &dialect.build().unwrap(), bytes, width, &every_cut(bytes)).await;
    }
}

/// Most ranges are shorter than a record, and in some of them no record starts.
#[tokio::test]
async fn a_thousand_ranges() {
    for kind in kinds() {
        if !matches!(kind.name, "quoted newlines" | "comments" | "commas and line ends, quoted") {
            continue;
        }
        let dialect = kind.dialect.clone().build().unwrap();
        let bytes = kind.file(&mut Rng::new(5), 4, 1000);
        let size = bytes.len() as i64;
        let cuts = (0..=1000).map(|cut| size * cut / 1000).collect();
        check(kind.name, &dialect, &bytes, 4, &[cuts]).await;
    }
}

/// Wherever a range starts inside the field, the bytes after it look like a table.
#[tokio::test]
async fn a_field_that_holds_a_whole_file() {
    let inner = "7,8,9\n".repeat(5_000);
    for (before, after) in [("1,2,", "\n"), ("1,", ",3\n"), ("", ",2,3\n")] {
        let bytes = format!("1,2,3\n{before}\"{inner}\"{after}4,5,6\n");
        let size = bytes.len() as i64;
        let cuts = (0..=16).map(|cut| size * cut / 16).collect();
        let dialect = Dialect::builder().with_header(false).build().unwrap();
        check(
            "a file in a field",
            &dialect,
            bytes.as_bytes(),
            3,
            &[cuts, vec![0, 10, 11, 12, size - 8, size]],
        )
        .await;
    }
}

#[tokio::test]
async fn ranges_that_are_no_ranges_of_the_file() {
    let bytes = b"a,b\n1,2\n3,4\n5,6\n";
    let table = Table::new(bytes, CsvFormatOptions::new(), 2, "SELECT * FROM t").await;
    let all = ["1|2", "3|4", "5|6"];
    for (ranges, expected) in [
        (vec![(0, 1000)], vec![&all[..]]),
        (vec![(0, 16), (16, 32), (32, 64)], vec![&all[..], &[], &[]]),
        (vec![(0, 0), (0, 0), (0, 16)], vec![&[], &[], &all[..]]),
        (vec![(5, 5), (9, 5), (12, 16)], vec![&[], &[], &all[2..]]),
        // The start of a range that isn't read is not verified.
        (vec![(6, 10)], vec![&all[1..2]]),
        // If ranges overlap, both have the records that start in the overlap.
        (vec![(0, 10), (8, 16)], vec![&all[..2], &all[1..]]),
    ] {
        let ranges: Vec<_> = ranges.into_iter().map(|(start, end)| start..end).collect();
        let found = table.run(&table.scan(&ranges)).await.unwrap();
        assert_eq!(found, expected, "{ranges:?}");
    }
}

#[tokio::test]
async fn split_says_how_ranges_are_read() {
    let mut bytes = b"a,b\n".to_vec();
    bytes.extend(b"12345,\"some text\"\n".repeat(10_000));
    let size = bytes.len() as i64;
    let cuts = [0, 70_000, 100_000, size];
    let whole = Whole::read(&Dialect::default(), &bytes);
    for (split, synchronised, prefix) in [(Split::Auto, 2, 0), (Split::Exact, 0, 2), (Split::None, 0, 0)] {
        let table = Table::new(&bytes, CsvFormatOptions::new().with_split(split), 2, "SELECT * FROM t").await;
        let plan = table.scan(&ranges(&cuts));
        let found = table.run(&plan).await.unwrap();
        match split {
            Split::None => {
                assert_eq!(found[0], expected(&whole, true, 2, &[0, size])[0]);
                assert!(found[1].is_empty() && found[2].is_empty());
            }
            _ => assert_eq!(found, expected(&whole, true, 2, &cuts), "{split:?}"),
        }
        assert_eq!(STARTS.map(|name| metric(&plan, name)), [synchronised, 0, prefix], "{split:?}");
    }
}

/// The comments before the header may be longer than the bytes that are looked at before a range.
#[tokio::test]
async fn a_range_in_the_comments_before_the_header_is_right() {
    let blank = "\r\n".repeat(90_000);
    let comments = "# nothing to see here\n".repeat(8_000);
    for (front, comment, records) in [
        (comments, Some(b'#'), "1,2\n3,4\n".to_owned()),
        (format!("\u{feff}{blank}"), None, "1,2\n3,4\n".to_owned()),
        (format!("\u{feff}{blank}"), None, "\"x\",\"y\"\n".repeat(30_000)),
        (blank, None, "1,2\n3,4\n".to_owned()),
    ] {
        let bytes = format!("{front}a,b\n{records}");
        let dialect = Dialect::builder().with_comment(comment).build().unwrap();
        let table = Table::new(bytes.as_bytes(), options(&dialect), 2, "SELECT * FROM t").await;
        let whole = Whole::read(&dialect, bytes.as_bytes());
        let size = table.size();
        for at in [
            1000,
            30_000,
            64 << 10,
            (64 << 10) + 1,
            (64 << 10) + 2,
            85_002,
            100_000,
            size - 13,
            size - 12,
            size - 11,
            size - 8,
        ] {
            let found = table.read(&[0, at, size]).await.unwrap();
            assert_eq!(found, expected(&whole, true, 2, &[0, at, size]), "{at}");
        }
    }
}
