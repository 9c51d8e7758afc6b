//! Values that are too long become NULL or are truncated, even if they are much longer than the
//! memory limit.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::support::*;

/// With this memory limit a scan holds up to a twelfth of it, 87381 bytes, of a record.
const LIMIT: &str = "'memory_limit' '1MiB'";

/// Rows of a number, two texts and a number. The long texts are of all kinds, and some of them are
/// longer than any chunk.
fn table(rows: u64) -> (String, Vec<[String; 4]>) {
    let fills = ["x", "two words ", "é", "a,b", "\"", "line\n", "\r\n"];
    let mut random = Random(7);
    let mut text = "id,text,other,number\n".to_owned();
    let mut expected = Vec::new();
    for id in 0..rows {
        let mut value = |longest: u64| {
            let fill = fills[random.below(fills.len() as u64) as usize];
            let bytes = random.below(longest) as usize;
            fill.repeat(bytes / fill.len())
        };
        let long = [10, 10, 10, 1000, 90_000, 600_000][id as usize % 6];
        let (first, second) = (value(long), value(if id % 12 == 5 { 300_000 } else { 20 }));
        let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
        writeln!(text, "{id},{},{},{}", quoted(&first), quoted(&second), id * 7).unwrap();
        expected.push([id.to_string(), first, second, (id * 7).to_string()]);
    }
    (text, expected)
}

/// The value that remains under a limit of `most` bytes.
fn left(value: &str, most: usize, policy: &str) -> Option<String> {
    match policy {
        _ if value.is_empty() => None,
        _ if value.len() <= most => Some(value.to_owned()),
        "null" => None,
        _ => Some(value[..value.floor_char_boundary(most)].to_owned()),
    }
}

/// A session with the table `t` of a file, which is split even if it is small.
async fn table_of(file: &str, columns: &str, partitions: usize, options: &str) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_repartition_file_min_size(1)
        .with_batch_size(13)
        .with_round_robin_repartition(false);
    let ctx = SessionContext::new_with_config(config);
    datafusion_csv_stream::install(&ctx).unwrap();
    let create = format!(
        "CREATE EXTERNAL TABLE t ({columns}) STORED AS CSV LOCATION '{file}' OPTIONS ({LIMIT}, 'oversized_fields' {options})"
    );
    query(&ctx, &create).await.unwrap();
    ctx
}

/// The rows of one partition after the other. Partitions at the same time would share the limit,
/// and the long records would be an error.
async fn scan_in_turn(ctx: &SessionContext, sql: &str) -> (Vec<String>, Arc<dyn ExecutionPlan>) {
    let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    let found = rows_in_turn(ctx, &plan).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    (found.concat(), plan)
}

#[tokio::test]
async fn every_row_is_read_whatever_its_values() {
    let (text, table) = table(120);
    let packed = gzip(text.as_bytes()).await;
    let files = folder(&[("t.csv", text.as_bytes()), ("packed/t.csv.gz", &packed)]);
    for (policy, most) in [("null", 50), ("truncate", 50), ("null", 21_845), ("truncate", 21_845)] {
        let given = if most == 50 { ", 'max_field_bytes' '50'" } else { "" };
        let options = format!("'{policy}'{given}");
        for (name, types, partitions) in [
            ("t.csv", ["VARCHAR", "VARCHAR"], 1),
            ("t.csv", ["VARCHAR", "BYTEA"], 2),
            ("t.csv", ["VARCHAR", "VARCHAR"], 7),
            ("t.csv", ["BYTEA", "VARCHAR"], 32),
            ("packed/t.csv.gz", ["VARCHAR", "VARCHAR"], 4),
        ] {
            let what = format!("{policy}, {most}, {name}, {types:?}, {partitions}");
            let [text, other] = types;
            let columns = format!("id BIGINT, text {text}, other {other}, number INT");
            let ctx = table_of(&path(&files, name), &columns, partitions, &options).await;
            let sql = "SELECT id, text::VARCHAR, other::VARCHAR, number FROM t";
            let (found, plan) = scan_in_turn(&ctx, sql).await;
            let shown = |value: &str| left(value, most, policy).unwrap_or("NULL".to_owned());
            let expected: Vec<_> = table
                .iter()
                .map(|[id, text, other, number]| format!("{id}|{}|{}|{number}", shown(text), shown(other)))
                .collect();
            let different = found.iter().zip(&expected).position(|(found, expected)| found != expected);
            assert!(different.is_none() && found.len() == expected.len(), "{what}: row {different:?}");
            let is_long = |value: &&String| value.len() > most;
            let oversized = table.iter().flat_map(|row| &row[1..3]).filter(is_long).count();
            assert_eq!(metric(&plan, "fields_oversized"), oversized, "{what}");

            // Other columns, a predicate on the remaining values, and no column.
            let kept = table.iter().filter(|row| left(&row[1], most, policy).is_some());
            let kept: Vec<_> = kept.map(|row| row[3].clone()).collect();
            let (found, _) = scan_in_turn(&ctx, "SELECT number FROM t WHERE text IS NOT NULL").await;
            assert_eq!(found, kept, "{what}");
            let (found, _) = scan_in_turn(&ctx, "SELECT id FROM t").await;
            assert_eq!(found, table.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), "{what}");
            assert_eq!(rows(&ctx, "SELECT count(*) FROM t").await, ["120"], "{what}");
        }
    }
}

/// Inference reads the first record in any case, and in all columns alike.
#[tokio::test]
async fn a_schema_is_inferred_from_what_is_left() {
    let zeros = "0".repeat(200_000);
    let files = folder(&[(
        "t.csv",
        format!("id,number,text,short\n1,{zeros}1,\"{}\",2.5\n2,3,b,4.5\n", "a\n".repeat(200_000)).as_bytes(),
    )]);
    let ctx = session();
    let create = |options: &str| {
        format!(
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}' OPTIONS ({LIMIT}{options})",
            path(&files, "t.csv")
        )
    };
    let message = error(&ctx, &create("")).await.to_string();
    assert!(message.contains("record 1") && message.contains("max_record_bytes (87381 bytes)"), "{message}");
    query(&ctx, &create(", 'oversized_fields' 'truncate', 'max_field_bytes' '3'")).await.unwrap();
    let plan = ctx.table("t").await.unwrap();
    let types: Vec<_> = plan.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Utf8", "Utf8", "Float64"]);
    assert_eq!(
        rows(&ctx, "SELECT id, number, length(text), short FROM t").await,
        ["1|000|3|2.5", "2|3|1|4.5"]
    );
}

#[tokio::test]
async fn what_can_not_be_cut_is_an_error_that_says_so() {
    let digits = "0".repeat(100_000);
    let name = "n".repeat(100_000);
    let long = "t".repeat(3000);
    let many = vec![&long[..]; 40].join(",");
    let rows_before = "1,\"a\"\n".repeat(100_000);
    let columns: Vec<_> = (0..40).map(|column| format!("c{column} VARCHAR")).collect();
    let files = folder(&[
        ("number.csv", format!("id,text\n1,a\n{digits}7,b\n").as_bytes()),
        ("late.csv", format!("id,text\n{rows_before}{digits}7,b\n").as_bytes()),
        ("header.csv", format!("id,{name}\n1,a\n").as_bytes()),
        ("many.csv", format!("{many}\n{many}\n").as_bytes()),
        ("open.csv", format!("id,text\n1,\"a\n{digits}").as_bytes()),
        ("endless.csv", format!("id,text\n1,a\n2,\"{}\"\n", long.repeat(400)).as_bytes()),
    ]);
    let two = "id BIGINT, text VARCHAR";
    for (name, columns, options, parts) in [
        ("number", two, "", &["line 3, record 2, byte 12", "memory_limit"][..]),
        // With several partitions this record is in a range whose start is proven.
        ("late", two, "", &["line 100002, record 100001, byte 600008", "memory_limit"]),
        ("header", two, "", &["header", "line 1", "memory_limit"]),
        (
            "many",
            &columns.join(","),
            ", 'format.has_header' 'false'",
            &["record 1", "87381", "max_field_bytes"],
        ),
        ("open", two, "", &["line 2, record 1", "unclosed quote"]),
        (
            "endless",
            two,
            ", 'max_record_bytes' '1000KiB'",
            &["line 3, record 2", "max_record_bytes (1024000 bytes)"],
        ),
        // An expression that decides which values are NULL needs the whole value.
        ("endless", two, ", 'null_regex' '^t+$'", &["line 3, record 2", "max_record_bytes (87381 bytes)"]),
    ] {
        for partitions in [1, 3] {
            let file = path(&files, &format!("{name}.csv"));
            let ctx = table_of(&file, columns, partitions, &format!("'truncate'{options}")).await;
            let message = error(&ctx, "SELECT * FROM t").await.to_string();
            for part in parts {
                assert!(message.contains(part), "{name}, {partitions}: no {part} in: {message}");
            }
        }
    }
    // The rest of the value is NULL anyway, so the expression's result makes no difference.
    let ctx = table_of(&path(&files, "endless.csv"), two, 4, "'null', 'null_regex' '^t+$'").await;
    assert_eq!(rows(&ctx, "SELECT * FROM t").await, ["1|a", "2|"]);
}
