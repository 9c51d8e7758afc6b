//! Values that their column's type can't hold, and types that would lose something, through SQL.

use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};

use crate::support::{error, folder, path, rows, session};

/// A column whose sample shows one type, and whose last value is another.
fn late(sample: &str, last: &str) -> Vec<u8> {
    format!("v\n{}{last}\n", format!("{sample}\n").repeat(1100)).into_bytes()
}

/// Each value is read exactly, or it is an error that names the value, its line, and an option.
#[tokio::test]
async fn a_value_after_the_sample_that_its_type_cannot_hold_is_an_error() {
    for (sample, last, rounded) in [
        ("2026-10-11 18:59:14", "2026-10-11 18:59:14.250", "2026-10-11T18:59:14"),
        ("2026-10-11 18:59:14.250", "2026-10-11 18:59:14.2501", "2026-10-11T18:59:14.250"),
        ("2026-10-11", "2026-10-11 18:59:14", "2026-10-11"),
        ("2026-10-11", "2026-10-11T00:00:00+05:00", "2026-10-10"),
        ("2026-10-11 18:59:14", "2026-10-11 18:59:14+02:00", "2026-10-11T16:59:14"),
        ("2026-10-11T18:59:14Z", "2026-10-11T18:59:14", "2026-10-11T18:59:14Z"),
        ("0.5", "1e400", "inf"),
        ("0.5", "9007199254740993", "9007199254740992.0"),
        ("12345", "02139", "2139"),
    ] {
        let files = folder(&[("t.csv", &late(sample, last))]);
        let ctx = session();
        let file = path(&files, "t.csv");
        ctx.register_csv_file("t", &file).await.unwrap();
        for sql in ["SELECT max(v), min(v) FROM t", "SELECT count(*) FROM t WHERE v IS NOT NULL"] {
            let message = error(&ctx, sql).await.to_string();
            let place = "line 1102";
            assert!(message.contains(last) && message.contains(place), "{sql}: {message}");
            assert!(message.contains("lossy_values"), "{sql}: {message}");
        }
        assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, ["1101"], "counting needs no value");

        let options =
            CsvFormatOptions::new().with_lossy_values(datafusion_csv_stream::decode::LossyValues::Round);
        ctx.register_csv_file_with_options("r", &file, options).await.unwrap();
        let read = rows(&ctx, "SELECT v FROM r OFFSET 1100").await;
        assert_eq!(read, [rounded], "{sample}, {last}");
    }
}

/// The types that are inferred lose nothing of the sample.
#[tokio::test]
async fn inference_keeps_every_digit_zero_and_zone() {
    for (values, expected) in [
        ("02139\n10001", ["02139", "10001"]),
        ("0047583311587E590003\n0047583311587E590004", ["0047583311587E590003", "0047583311587E590004"]),
        ("32E0134\n1", ["32E0134", "1"]),
        ("9007199254740993\n0.5", ["9007199254740993", "0.5"]),
        ("2026-10-11 18:59:14\n2026-10-11T18:59:14Z", ["2026-10-11 18:59:14", "2026-10-11T18:59:14Z"]),
        ("2026-10-11T18:59:14Z\n2026-10-11T18:59:14+02:00", ["2026-10-11T18:59:14Z", "2026-10-11T16:59:14Z"]),
        ("Infinity\nNaN", ["inf", "NaN"]),
        ("inf\n-1.5", ["inf", "-1.5"]),
    ] {
        let files = folder(&[("t.csv", format!("v\n{values}\n").as_bytes())]);
        let ctx = session();
        ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
        assert_eq!(rows(&ctx, "SELECT v FROM t").await, expected, "{values}");
    }
}

/// Tables keep their columns' marks apart: a column that one table infers, another may declare.
#[tokio::test]
async fn a_declared_double_rounds_as_ieee_754_says() {
    let files = folder(&[("t.csv", &late("0.5", "9007199254740993"))]);
    let ctx = session();
    let file = path(&files, "t.csv");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE i STORED AS CSV LOCATION '{file}'")).await;
    rows(&ctx, &format!("CREATE EXTERNAL TABLE d (v DOUBLE) STORED AS CSV LOCATION '{file}'")).await;
    assert_eq!(rows(&ctx, "SELECT max(v) FROM d").await, ["9007199254740992.0"]);
    assert!(error(&ctx, "SELECT max(v) FROM i").await.to_string().contains("9007199254740993"));
    let schema = ctx.table("i").await.unwrap().schema().as_arrow().clone();
    assert!(schema.fields().iter().all(|field| field.metadata().is_empty()), "{schema:?}");
    assert_eq!(rows(&ctx, "SELECT max(v) FROM (SELECT v FROM i LIMIT 10)").await, ["0.5"]);
}

/// The options in SQL: for a table, and for a session.
#[tokio::test]
async fn leading_zeros_may_be_numbers() {
    let files = folder(&[("t.csv", b"zip\n02139\n10001\n")]);
    let ctx = session();
    let file = path(&files, "t.csv");
    let create = |name: &str, options: &str| {
        format!("CREATE EXTERNAL TABLE {name} STORED AS CSV LOCATION '{file}' {options}")
    };
    rows(&ctx, &create("a", "OPTIONS ('leading_zeros' 'number')")).await;
    assert_eq!(rows(&ctx, "SELECT min(zip) FROM a").await, ["2139"]);
    rows(&ctx, "SET csv_stream.leading_zeros = 'number'").await;
    rows(&ctx, &create("b", "")).await;
    assert_eq!(rows(&ctx, "SELECT min(zip) FROM b").await, ["2139"]);
    rows(&ctx, &create("c", "OPTIONS ('leading_zeros' 'text')")).await;
    assert_eq!(rows(&ctx, "SELECT min(zip) FROM c").await, ["02139"]);
}
