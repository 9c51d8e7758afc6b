//! Errors in ranges: they name the same place as in the uncut file, and no range returns a false
//! row.

use std::collections::HashSet;

use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::error::ErrorKind;

use super::table::own;
use crate::support::{error, folder, path, query, rows, rows_as_text};

/// The numbers of partitions by which a file is read.
const PARTITIONS: [usize; 4] = [1, 2, 7, 16];

async fn table(file: &str, partitions: usize, options: &str) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    let ctx = SessionContext::new_with_config(config);
    datafusion_csv_stream::install(&ctx).unwrap();
    let sql = format!(
        "CREATE EXTERNAL TABLE t (n BIGINT, text VARCHAR, m INT) STORED AS CSV LOCATION '{file}' OPTIONS ('batch_size' '1000'{options})"
    );
    rows(&ctx, &sql).await;
    ctx
}

/// A file with one record replaced.
fn text(records: usize, quoted: bool, at: usize, bad: &str) -> String {
    let mut text = String::from("n,text,m\n");
    for record in 1..=records {
        text += &match (record == at, quoted) {
            (true, _) => bad.to_owned(),
            (_, true) if record % 3 == 0 => format!("{record},\"some\ntext, \"\"{record}\"\"\",7\n"),
            _ => format!("{record},some text,{}\n", record % 100),
        };
    }
    text
}

/// The error's message, which includes its place.
async fn place(ctx: &SessionContext, sql: &str) -> String {
    let error = error(ctx, sql).await;
    own(&error).to_string()
}

#[tokio::test]
async fn an_error_in_any_range_has_the_place_of_the_uncut_file() {
    let records = 16_000;
    for quoted in [false, true] {
        for at in [1, 40, records / 2, records - 5, records] {
            for (bad, part) in [
                (format!("{at},x,y\n"), "can't read \"y\" as Int32"),
                (format!("{at},x\n"), "2 fields, the table has 3 columns"),
                (format!("{at},x,1,2\n"), "4 fields, the table has 3 columns"),
                (format!("{at},\"x\ny\",z\n"), "can't read \"z\" as Int32"),
            ] {
                let text = text(records, quoted, at, &bad);
                let files = folder(&[("t.csv", text.as_bytes())]);
                let lines_before = text[..text.find(&bad).unwrap()].matches('\n').count();
                let byte = text.find(&bad).unwrap();
                let expected = format!("line {}, record {at}, byte {byte}", lines_before + 1);
                for partitions in PARTITIONS {
                    let ctx = table(&path(&files, "t.csv"), partitions, "").await;
                    let found = place(&ctx, "SELECT * FROM t").await;
                    let context = format!("{partitions} partitions, quoted {quoted}, {bad:?}: {found}");
                    assert!(found.contains(&expected) && found.contains(part), "{expected}: {context}");
                }
            }
        }
    }
}

/// Other quotes follow the unclosed one, so that inside and outside of quotes change places after
/// it.
#[tokio::test]
async fn an_unclosed_quote_among_quotes_is_an_error_of_its_record() {
    let records = 16_000;
    for at in [1, 40, records / 2, records] {
        let text = text(records, true, at, &format!("{at},\"x,1\n"));
        let files = folder(&[("t.csv", text.as_bytes())]);
        let uncut = place(&table(&path(&files, "t.csv"), 1, "").await, "SELECT * FROM t").await;
        assert!(uncut.contains(&format!("record {at}, byte")), "{uncut}");
        for partitions in PARTITIONS {
            let ctx = table(&path(&files, "t.csv"), partitions, "").await;
            for sql in ["SELECT * FROM t", "SELECT n FROM t", "SELECT sum(n) FROM t WHERE m > 50"] {
                let found = error(&ctx, sql).await;
                match *own(&found).kind() {
                    // This range starts where inside and outside have changed places.
                    ErrorKind::RangeStart { range, .. } => assert!(range > 0, "{sql}: {found}"),
                    _ => assert_eq!(own(&found).to_string(), uncut, "{sql} on {partitions}"),
                }
            }
        }
    }
}

/// The unclosed quote is on line 2 of a file of several megabytes.
#[tokio::test]
async fn an_unclosed_quote_on_line_2_is_an_error_that_names_it() {
    let files = folder(&[
        ("large.csv", text(160_000, false, 1, "1,\"x,1\n").as_bytes()),
        ("small.csv", text(40_000, false, 1, "1,\"x,1\n").as_bytes()),
    ]);
    for (file, part) in [
        ("large.csv", "longer than max_record_bytes (2097152 bytes), inside a quoted field: unclosed quote?"),
        ("small.csv", "the input ends inside a quoted field of the record that starts here: unclosed quote?"),
    ] {
        for partitions in [1, 2, 16] {
            for options in ["", ", 'split' 'exact'", ", 'pushdown_filters' 'false'"] {
                let ctx = table(&path(&files, file), partitions, options).await;
                for sql in [
                    "SELECT * FROM t",
                    "SELECT count(*) FROM t",
                    "SELECT sum(n) FROM t",
                    "SELECT text FROM t",
                    "SELECT n FROM t WHERE m > 50",
                    "SELECT count(*) FROM t WHERE n < 0",
                    "SELECT * FROM t ORDER BY n LIMIT 3",
                    "SELECT * FROM t LIMIT 3",
                ] {
                    let found = place(&ctx, sql).await;
                    let context = format!("{sql} of {file} on {partitions}, {options}: {found}");
                    assert!(found.contains(&format!("{file}: line 2, record 1, byte 9: ")), "{context}");
                    assert!(found.contains(part), "{context}");
                }
            }
        }
    }
}

#[tokio::test]
async fn rows_before_an_error_are_right_where_no_more_are_wanted() {
    let files = folder(&[("t.csv", text(160_000, false, 5, "5,\"x,1\n").as_bytes())]);
    for partitions in [1, 2, 16] {
        let ctx = table(&path(&files, "t.csv"), partitions, "").await;
        assert_eq!(rows(&ctx, "SELECT n FROM t LIMIT 4").await, ["1", "2", "3", "4"]);
        let found = place(&ctx, "SELECT n FROM t LIMIT 5").await;
        assert!(found.contains("line 6, record 5, byte"), "{found}");
    }
}

/// Queries that need only some rows, but the scan learns their number late or never.
const EARLY: [&str; 3] = [
    "SELECT n FROM t WHERE n >= 900000 LIMIT 5",
    "SELECT DISTINCT n FROM t WHERE n >= 900000 LIMIT 5",
    "SELECT t.n FROM t JOIN (VALUES (912000), (926700), (935000), (9150001)) AS b(n) ON t.n = b.n LIMIT 1",
];

/// Text follows a closing quote, and the quotes hold text that looks like rows of the table. No row
/// of the file has such a number.
#[tokio::test]
async fn a_query_that_ends_early_has_no_row_of_a_field() {
    let fakes: String = (900_000..940_000).map(|n| format!("{n},fake,1\n")).collect();
    let files = folder(&[("t.csv", text(40_000, false, 2, &format!("2,\"{fakes}\"x,1\n")).as_bytes())]);
    for partitions in [1, 2, 7, 16] {
        for options in ["", ", 'pushdown_filters' 'false'"] {
            let ctx = table(&path(&files, "t.csv"), partitions, options).await;
            for sql in EARLY {
                let found = rows(&ctx, sql).await;
                assert!(found.is_empty(), "{sql} on {partitions}, {options}: {found:?}");
            }
        }
    }
}

/// A file in which some rows have large numbers.
fn text_for_early(second: &str) -> String {
    text(160_000, false, 2, second).replace("\n150", "\n9150")
}

/// The whole file after its third line is inside quotes, and so are the lines there that look like
/// rows.
#[tokio::test]
async fn a_scan_of_whole_prefixes_has_no_row_after_an_unclosed_quote() {
    let files = folder(&[("t.csv", text_for_early("2,\"x,1\n").as_bytes())]);
    for partitions in [1, 2, 16] {
        let ctx = table(&path(&files, "t.csv"), partitions, ", 'split' 'exact'").await;
        let found = place(&ctx, EARLY[0]).await;
        assert!(found.contains("line 3, record 2, byte"), "{found}");
    }
}

/// A query that stops early gets correct rows from each file that can be read. From a file that
/// can't, it gets the error or, if there are several ranges, lines after the error that look like
/// rows.
#[tokio::test]
async fn a_query_that_stops_early_has_right_rows_of_each_file_that_can_be_read() {
    for (second, is_readable) in [("2,\"x\",1\n", true), ("2,\"x,1\n", false)] {
        let text = text_for_early(second);
        let large: HashSet<_> = text
            .lines()
            .filter_map(|line| line.split(',').next())
            .filter(|n| n.len() >= 6 && *n >= "900000")
            .collect();
        let files = folder(&[("t.csv", text.as_bytes())]);
        for partitions in [1, 2, 16] {
            for (options, queries) in [("", &EARLY[..]), (", 'pushdown_filters' 'false'", &EARLY[..])] {
                let ctx = table(&path(&files, "t.csv"), partitions, options).await;
                for sql in queries {
                    let context = format!("{sql} on {partitions}, {options}");
                    match query(&ctx, sql).await {
                        Ok(batches) => {
                            let found = rows_as_text(&batches);
                            let wanted = if sql.contains("LIMIT 1") { 1 } else { 5 };
                            assert_eq!(
                                found.iter().collect::<HashSet<_>>().len(),
                                wanted,
                                "{context}: {found:?}"
                            );
                            assert!(found.iter().all(|n| large.contains(n.as_str())), "{context}: {found:?}");
                            assert!(is_readable || partitions > 1, "{context}: {found:?}");
                        }
                        Err(found) => {
                            assert!(!is_readable, "{context}: {found}");
                            let is_of_a_range = matches!(own(&found).kind(), ErrorKind::RangeStart { .. });
                            let is_right = own(&found).to_string().contains("line 3, record 2, byte");
                            assert!(is_right || is_of_a_range, "{context}: {found}");
                        }
                    }
                }
            }
        }
    }
}
