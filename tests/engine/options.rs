//! SQL options: each reaches the whole pipeline, and an unknown one is a helpful error.

use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt, OPTIONS, options_as_markdown};

use crate::support::{error, folder, path, rows, session};

/// The rows of `SELECT *` from a file with these bytes, with these options.
async fn read(bytes: &[u8], options: &str) -> Vec<String> {
    let files = folder(&[("t.csv", bytes)]);
    let ctx = session();
    let options = if options.is_empty() { String::new() } else { format!("OPTIONS ({options})") };
    let sql = format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}' {options}", path(&files, "t.csv"));
    rows(&ctx, &sql).await;
    rows(&ctx, "SELECT * FROM t").await
}

/// Inference and reading have to agree, so none of these tables declares a schema.
#[tokio::test]
async fn every_reading_option_reaches_inference_and_reading() {
    for (bytes, options, expected) in [
        (&b"1,2\n"[..], "'has_header' 'false'", &["1|2"][..]),
        (b"a;b\n1;2\n", "'delimiter' ';'", &["1|2"]),
        (b"a\tb\n1\t2\n", "'format.delimiter' '\\t'", &["1|2"]),
        (b"a,b\n'1,2',3\n", "'quote' ''''", &["1,2|3"]),
        (b"a,b\n\"1,2\n", "'quote' ''", &["\"1|2"]),
        (b"a,b\n\"x\\\"y\",3\n", "'escape' '\\'", &["x\"y|3"]),
        (b"a,b\n\"x\"\"y\",3\n", "'double_quote' 'false'", &["x\"y\"|3"]),
        (b"#no\na,b\n#1,2\n3,4\n", "'comment' '#'", &["3|4"]),
        (b"a,b;1,2;3,4", "'terminator' ';'", &["1|2", "3|4"]),
        (b" a ,b\n 1 ,2\n", "'trim' 'all'", &["1|2"]),
        (b"a,b\n1\n2,3\n", "'truncated_rows' 'true'", &["1|", "2|3"]),
        (b"a,b\n1,\"x\n y\"\n", "'newlines_in_values' 'true'", &["1|x", "|y"]),
        (b"a,b\n1,NA\n2,-\n3,4\n", "'null_values' 'NA,-'", &["1|", "2|", "3|4"]),
        (b"a,b\n1,N/A\n2,n.a.\n3,4\n", "'null_regex' '^[nN][/.][aA]'", &["1|", "2|", "3|4"]),
        (b"a\n1\nx\n", "'schema_infer_max_rec' '0'", &["1", "x"]),
    ] {
        assert_eq!(read(bytes, options).await, expected, "{options}");
    }
}

#[tokio::test]
async fn an_empty_string_can_be_told_from_null() {
    let bytes = b"a,b\n1,\"\"\n2,\n3,x\n4,y\n";
    let is_null = |options: &'static str| async move {
        let files = folder(&[("t.csv", &bytes[..])]);
        let ctx = session();
        let file = path(&files, "t.csv");
        rows(&ctx, &format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}' {options}")).await;
        rows(&ctx, "SELECT b IS NULL FROM t ORDER BY a").await
    };
    assert_eq!(is_null("").await, ["true", "true", "false", "false"]);
    assert_eq!(
        is_null("OPTIONS ('quoted_empty_is_string' 'true')").await,
        ["false", "true", "false", "false"]
    );
    assert_eq!(is_null("OPTIONS ('null_values' 'x')").await, ["false", "false", "true", "false"]);
}

#[tokio::test]
async fn an_unknown_option_lists_all_options() {
    let files = folder(&[("t.csv", b"a\n1\n")]);
    let file = path(&files, "t.csv");
    let sql = format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}' OPTIONS ('delimeter' ';')");
    let message = error(&session(), &sql).await.to_string();
    assert!(message.contains("delimeter"), "{message}");
    for spec in OPTIONS {
        assert!(message.contains(spec.key), "{}: {message}", spec.key);
    }
}

#[tokio::test]
async fn a_bad_value_says_what_is_allowed() {
    let files = folder(&[("t.csv", b"a\n1\n")]);
    let file = path(&files, "t.csv");
    for (key, value, part) in [
        ("delimiter", "ab", "one byte"),
        ("delimiter", "", "one byte"),
        ("delimiter", "\"", "delimiter and quote are both"),
        ("has_header", "maybe", "true or false"),
        ("trim", "left", "none, headers, fields or all"),
        ("null_regex", "(", "regular expression"),
        ("memory_limit", "10 bananas", "64KiB"),
        ("memory_limit", "1KB", "at least"),
        ("max_record_bytes", "9MB", "a third of memory_limit"),
        ("batch_size", "0", "at least 1"),
        ("schema_infer_max_rec", "-1", "a number of records"),
        ("quote_style", "Sometimes", "Always, Necessary, NonNumeric or Never"),
    ] {
        let sql =
            format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}' OPTIONS ('{key}' '{value}')");
        let message = error(&session(), &sql).await.to_string();
        assert!(message.contains(part) && message.contains(key), "{key}={value}: {message}");
    }
}

#[test]
fn an_unknown_compression_lists_what_there_is() {
    let error = CsvFormatOptions::new().set("compression", "rar").unwrap_err().to_string();
    assert!(error.contains("auto, uncompressed, gzip, bzip2, xz or zstd"), "{error}");
}

#[test]
fn every_option_keeps_what_it_was_set_to() {
    for spec in OPTIONS {
        let value = match spec.key {
            "has_header" | "truncated_rows" | "newlines_in_values" | "quoted_empty_is_string" => "true",
            "double_quote" | "pushdown_filters" => "false",
            "delimiter" | "quote" | "escape" | "comment" | "terminator" => "\\x1f",
            "trim" => "fields",
            "null_values" => "NA,\"\"",
            "compression" => "zstd",
            "memory_limit" | "max_record_bytes" | "schema_infer_max_bytes" => "3MiB",
            "batch_size" | "schema_infer_max_rec" => "77",
            "null_regex" => "^x$",
            "max_field_bytes" => "1KiB",
            "oversized_fields" => "truncate",
            "split" => "exact",
            _ => continue, // the writer's options, which are displayed in another form
        };
        let mut options = CsvFormatOptions::new();
        assert_eq!(options.get(spec.key).unwrap(), None, "{}", spec.key);
        options.set(spec.key, value).unwrap();
        assert_eq!(options.get(spec.key).unwrap().as_deref(), Some(value), "{}", spec.key);
    }
}

/// Each option of a session that is seen in the rows: the bytes, the option, and the rows.
const SESSION_OPTIONS: [(&[u8], &str, &str, &[&str]); 8] = [
    (b"a;b\n1;2\n", "delimiter", ";", &["1|2"]),
    (b"a,b\n'1,2',3\n", "quote", "''", &["1,2|3"]),
    (b"a,b\n1\n2,3\n", "truncated_rows", "true", &["1|", "2|3"]),
    (b"a,b\n1,NA\n2,3\n", "null_values", "NA", &["1|", "2|3"]),
    (b"a,b\n1,n/a\n2,3\n", "null_regex", "^n/a$", &["1|", "2|3"]),
    (b"1,2\n", "has_header", "false", &["1|2"]),
    (b"#x\na,b\n1,2\n", "comment", "#", &["1|2"]),
    (b"a\n1\nx\n", "schema_infer_max_rec", "0", &["1", "x"]),
];

#[tokio::test]
async fn a_session_sets_each_option_for_all_of_its_tables() {
    for (bytes, key, value, expected) in SESSION_OPTIONS {
        let files = folder(&[("t.csv", bytes)]);
        let file = path(&files, "t.csv");
        let ctx = session();
        rows(&ctx, "SET datafusion.catalog.information_schema = true").await;
        rows(&ctx, &format!("SET csv_stream.{key} = '{value}'")).await;
        rows(&ctx, &format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}'")).await;
        ctx.register_csv_file("u", &file).await.unwrap();
        for table in ["t".to_owned(), "u".to_owned(), format!("'{file}'")] {
            assert_eq!(rows(&ctx, &format!("SELECT * FROM {table}")).await, expected, "{key}, {table}");
        }
        let shown = rows(&ctx, &format!("SHOW csv_stream.{key}")).await;
        assert_eq!(shown, [format!("csv_stream.{key}|{}", value.replace("''", "'"))]);
    }
}

#[tokio::test]
async fn the_table_s_own_options_come_before_the_session_s() {
    let files = folder(&[("t.csv", b"a;b,c\n1;2,3\n")]);
    let file = path(&files, "t.csv");
    let ctx = session();
    rows(&ctx, "SET csv_stream.delimiter = ';'").await;
    let sql = format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}' OPTIONS ('delimiter' ',')");
    rows(&ctx, &sql).await;
    ctx.register_csv_file_with_options("u", &file, CsvFormatOptions::new().with_delimiter(b','))
        .await
        .unwrap();
    for table in ["t", "u"] {
        assert_eq!(rows(&ctx, &format!("SELECT * FROM {table}")).await, ["1;2|3"]);
    }
    // A later option of the session doesn't change the rows of a table.
    rows(&ctx, "SET csv_stream.has_header = false").await;
    rows(&ctx, "SET csv_stream.null_values = '3'").await;
    for table in ["t", "u"] {
        assert_eq!(rows(&ctx, &format!("SELECT * FROM {table}")).await, ["1;2|3"]);
    }
    let other = error(&ctx, "SET csv_stream.delimeter = ';'").await.to_string();
    assert!(other.contains("no such option; there are has_header, delimiter"), "{other}");
    let bad = error(&ctx, "SET csv_stream.memory_limit = '1KB'").await.to_string();
    assert!(bad.contains("memory_limit") && bad.contains("at least"), "{bad}");
}

/// The session's half of a combination may make it possible, in any order.
#[tokio::test]
async fn options_of_a_table_and_its_session_are_checked_together() {
    let files = folder(&[("t.csv", b"a,b\n1,2\n"), ("t.tsv", b"a|b\n1|2\n")]);
    let file = path(&files, "t.csv");
    let ctx = session();
    rows(&ctx, "SET csv_stream.max_record_bytes = '16MiB'").await;
    let refused = error(&ctx, &format!("SELECT * FROM '{file}'")).await.to_string();
    assert!(refused.contains("max_record_bytes") && refused.contains("raise memory_limit"), "{refused}");
    rows(&ctx, "SET csv_stream.memory_limit = '64MiB'").await;
    assert_eq!(rows(&ctx, &format!("SELECT * FROM '{file}'")).await, ["1|2"]);
    let large = format!(
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}' OPTIONS ('max_record_bytes' '20MiB')"
    );
    rows(&ctx, &large).await;
    assert_eq!(rows(&ctx, "SELECT * FROM t").await, ["1|2"]);
    rows(&ctx, "SET csv_stream.memory_limit = ''").await;
    assert!(error(&ctx, "SELECT * FROM t").await.to_string().contains("raise memory_limit"));

    // The session's delimiter comes before that of an ending.
    rows(&ctx, "SET csv_stream.max_record_bytes = ''").await;
    rows(&ctx, "SET csv_stream.delimiter = '|'").await;
    assert_eq!(rows(&ctx, &format!("SELECT * FROM '{}'", path(&files, "t.tsv"))).await, ["1|2"]);
}

/// An empty value unsets an option of the writer, and a value that can't be leaves it as it was.
#[test]
fn a_writer_s_option_can_be_unset() {
    let mut options = CsvFormatOptions::new();
    for (key, value) in [("date_format", "%d.%m.%Y"), ("quote_style", "Always"), ("compression_level", "3")] {
        options.set(key, value).unwrap();
        assert_eq!(options.get(key).unwrap().as_deref(), Some(value));
        options.set(key, "").unwrap();
        assert_eq!(options.get(key).unwrap(), None, "{key}");
    }
    let wrong = options.set("compression_level", "x").unwrap_err().to_string();
    assert_eq!(wrong, "option compression_level can't be \"x\": it takes a number");
    assert_eq!(options.get("compression_level").unwrap(), None);
}

#[tokio::test]
async fn a_session_s_memory_limit_is_that_of_later_queries() {
    let record = format!("1,{}\n", "x".repeat(1 << 20));
    let files = folder(&[("t.csv", format!("a,b\n{record}").as_bytes())]);
    let ctx = session();
    let file = path(&files, "t.csv");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t (a INT, b VARCHAR) STORED AS CSV LOCATION '{file}'")).await;
    assert_eq!(rows(&ctx, "SELECT length(b) FROM t").await, ["1048576"]);
    rows(&ctx, "SET csv_stream.memory_limit = '2MiB'").await;
    let refused = error(&ctx, "SELECT length(b) FROM t").await.to_string();
    assert!(refused.contains("max_record_bytes (174762 bytes)"), "{refused}");
    rows(&ctx, "SET csv_stream.memory_limit = '32MiB'").await;
    assert_eq!(rows(&ctx, "SELECT length(b) FROM t").await, ["1048576"]);
}

#[test]
fn the_readme_shows_the_table_of_options() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&options_as_markdown()),
        "replace the README's table by\n{}",
        options_as_markdown()
    );
}

#[tokio::test]
async fn long_values_are_errors_or_null_or_truncated() {
    let text = "a,b,n\n1,abcd,12345\n2,\"a\"\"\"\"b\",123456\n3,abcdé,3\n4,ab,\n5,\"abcdef\",5\n";
    let files = folder(&[("t.csv", text.as_bytes())]);
    let file = path(&files, "t.csv");
    let table = |options: &str| {
        let sql = format!(
            "CREATE EXTERNAL TABLE t (a INT, b VARCHAR, n INT) STORED AS CSV LOCATION '{file}' OPTIONS ({options})"
        );
        async move {
            let ctx = session();
            ctx.sql(&sql).await.unwrap();
            ctx
        }
    };
    let sql = "SELECT * FROM t ORDER BY a";
    let null = table("'max_field_bytes' '5', 'oversized_fields' 'null'").await;
    // Six bytes, because é has two. The limit applies to text, not to numbers.
    assert_eq!(rows(&null, sql).await, ["1|abcd|12345", "2|a\"\"b|123456", "3||3", "4|ab|", "5||5"]);
    let truncate = table("'max_field_bytes' '5', 'oversized_fields' 'truncate'").await;
    assert_eq!(
        rows(&truncate, sql).await,
        ["1|abcd|12345", "2|a\"\"b|123456", "3|abcd|3", "4|ab|", "5|abcde|5"]
    );
    let plan = rows(&truncate, &format!("EXPLAIN ANALYZE {sql}")).await.join("\n");
    assert!(plan.contains("fields_oversized=2"), "{plan}");
    let message = error(&table("'max_field_bytes' '5'").await, sql).await.to_string();
    for part in [
        "line 4",
        "column 1 (\"b\")",
        "\"abcdé\" has 6 bytes",
        "max_field_bytes (5 bytes)",
        "oversized_fields",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    // A limit that is shorter than every value, and a predicate on the truncated values.
    let short = table("'max_field_bytes' '1', 'oversized_fields' 'truncate'").await;
    assert_eq!(rows(&short, "SELECT a FROM t WHERE b = 'a' ORDER BY a").await, ["1", "2", "3", "4", "5"]);
}
