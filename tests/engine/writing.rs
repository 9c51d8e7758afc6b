//! Writing uses DataFusion's own sink, with our options.

use crate::support::{error, folder, path, rows, session};

#[tokio::test]
async fn copy_writes_what_reading_reads() {
    let files = folder(&[]);
    let ctx = session();
    let file = path(&files, "out.csv");
    let copied = rows(
        &ctx,
        &format!(
            "COPY (VALUES (1, 'x;y', NULL), (2, 'say \"hi\"', 'line\nline')) TO '{file}' \
             OPTIONS ('format.delimiter' ';', 'format.has_header' 'true')"
        ),
    )
    .await;
    assert_eq!(copied, ["2"]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("column1;column2;column3\n1;\"x;y\";\n"), "{text}");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}' OPTIONS ('delimiter' ';')"))
        .await;
    assert_eq!(
        rows(&ctx, "SELECT column1, column2, length(column3) FROM t ORDER BY column1").await,
        ["1|x;y|", "2|say \"hi\"|9"]
    );
}

#[tokio::test]
async fn the_writers_own_options_reach_it() {
    let files = folder(&[]);
    let ctx = session();
    let file = path(&files, "out.csv");
    rows(
        &ctx,
        &format!(
            "COPY (SELECT NULL AS a, DATE '2024-02-01' AS b) TO '{file}' \
             OPTIONS ('null_value' 'NIL', 'date_format' '%d.%m.%Y', 'quote_style' 'Always')"
        ),
    )
    .await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "\"a\",\"b\"\n\"NIL\",\"01.02.2024\"\n");
}

#[tokio::test]
async fn insert_into_a_folder_adds_files() {
    let files = folder(&[("t/a.csv", b"n,s\n1,x\n")]);
    let ctx = session();
    let folder = path(&files, "t");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t (n INT, s VARCHAR) STORED AS CSV LOCATION '{folder}/'"))
        .await;
    assert_eq!(rows(&ctx, "INSERT INTO t VALUES (2, 'y'), (3, 'z')").await, ["2"]);
    assert_eq!(rows(&ctx, "SELECT n, s FROM t ORDER BY n").await, ["1|x", "2|y", "3|z"]);
    let message = error(&ctx, "INSERT OVERWRITE t VALUES (4, 'w')").await.to_string();
    assert!(message.contains("Overwrite"), "{message}");
}

#[tokio::test]
async fn what_is_written_is_read_as_it_was() {
    let files = folder(&[("t/a.csv", b"n,s\n0,x\n")]);
    let ctx = session();
    let folder = path(&files, "t");
    for (table, options) in [
        ("nulls", "'null_values' 'NA'"),
        ("comments", "'comment' '#'"),
        ("unquoted", "'quote' ''"),
        ("semicolons", "'delimiter' ';', 'has_header' 'false'"),
    ] {
        rows(
            &ctx,
            &format!(
                "CREATE EXTERNAL TABLE {table} (n INT, s VARCHAR) STORED AS CSV LOCATION '{folder}_{table}/' \
                 OPTIONS ({options})"
            ),
        )
        .await;
        rows(&ctx, &format!("INSERT INTO {table} VALUES (1, '#x'), (2, NULL), (3, 'say \"hi\"')")).await;
        assert_eq!(
            rows(&ctx, &format!("SELECT n, s, s IS NULL FROM {table} ORDER BY n")).await,
            ["1|#x|false", "2||true", "3|say \"hi\"|false"],
            "{options}"
        );
    }
}

#[tokio::test]
async fn copy_writes_compressed_files_that_are_read_by_their_extension() {
    let files = folder(&[]);
    let ctx = session();
    for (extension, compression) in [("gz", "gzip"), ("bz2", "bzip2"), ("xz", "xz"), ("zst", "zstd")] {
        let file = path(&files, &format!("out.csv.{extension}"));
        rows(
            &ctx,
            &format!(
                "COPY (SELECT * FROM generate_series(1, 1000) AS t(n)) TO '{file}' STORED AS CSV \
                 OPTIONS ('format.compression' '{compression}')"
            ),
        )
        .await;
        // xz's default level has a dictionary of 8 MiB.
        let create = format!(
            "CREATE EXTERNAL TABLE {extension} STORED AS CSV LOCATION '{file}' OPTIONS ('memory_limit' '24MiB')"
        );
        rows(&ctx, &create).await;
        let sql = format!("SELECT count(*), sum(n) FROM {extension}");
        assert_eq!(rows(&ctx, &sql).await, ["1000|500500"]);
    }
}

/// DataFusion's writer always ends a record with LF, and writes no comment byte in another way.
#[tokio::test]
async fn what_could_not_be_read_again_is_not_written() {
    let files = folder(&[]);
    let ctx = session();
    let file = path(&files, "out.csv");
    for (options, message) in [
        ("'terminator' '|'", "option terminator can't be \"|\": DataFusion's writer ends"),
        ("'quote' '', 'comment' '#'", "option comment can't be \"#\": without a quote, a value"),
    ] {
        let message_of =
            error(&ctx, &format!("COPY (VALUES (1, '#a')) TO '{file}' OPTIONS ({options})")).await;
        assert!(message_of.to_string().contains(message), "{message_of}");
        assert!(!std::path::Path::new(&file).exists());
    }
    let lf = format!("COPY (VALUES (1, 'a')) TO '{file}' OPTIONS ('terminator' '\n')");
    assert_eq!(rows(&ctx, &lf).await, ["1"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "column1,column2\n1,a\n");
}
