//! The command line, run as a process.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::{folder, path, testdata};

fn run(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_csv-stream"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that doesn't read its stdin may have ended already.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

/// The output of a command that succeeds.
fn stdout(arguments: &[&str], stdin: &[u8]) -> String {
    let output = run(arguments, stdin);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {message}");
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code and message of a command that fails.
fn failure(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments, b"");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_file_is_queried_by_its_path() {
    let sql = format!("SELECT count(*) AS n FROM '{}'", testdata("small/orders.csv"));
    assert_eq!(stdout(&["query", &sql], b""), "n\n300\n");
}

#[test]
fn stdin_is_a_table_called_dash() {
    let sql = "SELECT b, sum(a) AS s FROM '-' GROUP BY b ORDER BY b";
    assert_eq!(stdout(&["query", sql], b"a,b\n1,x\n2,\"y\nz\"\n3,x\n"), "b,s\nx,4\n\"y\nz\",2\n");
    let twice = "SELECT * FROM '-' AS l JOIN '-' AS r ON l.a = r.a";
    let output = run(&["query", twice], b"a\n1\n");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("stdin can be read only once"), "{message}");
}

#[test]
fn each_format() {
    let files = folder(&[("t.csv", b"a,b\n1,x\n2,\n")]);
    let file = path(&files, "t.csv");
    let sql = format!("SELECT a, b FROM '{file}' ORDER BY a");
    let in_format = |format: &str| stdout(&["query", &sql, "--format", format], b"");
    assert_eq!(in_format("csv"), "a,b\n1,x\n2,\n");
    assert_eq!(in_format("json"), "[{\"a\":1,\"b\":\"x\"},{\"a\":2}]");
    assert_eq!(in_format("ndjson"), "{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n");
    assert_eq!(in_format("table"), "+---+---+\n| a | b |\n+---+---+\n| 1 | x |\n| 2 |   |\n+---+---+\n");

    let parquet = path(&files, "t.parquet");
    assert_eq!(stdout(&["query", &sql, "--output", &parquet], b""), "");
    let back = format!("SELECT a, b FROM '{parquet}' ORDER BY a");
    assert_eq!(stdout(&["query", &back], b""), "a,b\n1,x\n2,\n");
}

#[test]
fn no_rows_still_have_a_header() {
    let sql = "SELECT a FROM '-' WHERE a > 1";
    assert_eq!(stdout(&["query", sql], b"a\n1\n"), "a\n");
    assert_eq!(stdout(&["query", sql, "--format", "table"], b"a\n1\n"), "+---+\n| a |\n+---+\n+---+\n");
    assert_eq!(stdout(&["query", sql, "--format", "json"], b"a\n1\n"), "[]");
}

#[test]
fn options_reach_the_reader() {
    let arguments =
        ["query", "SELECT a, b IS NULL AS n FROM '-'", "-o", "delimiter=;", "-o", "null_values=NA"];
    assert_eq!(stdout(&arguments, b"a;b\n1;NA\n2;x\n"), "a,n\n1,true\n2,false\n");
    let arguments = [
        "query",
        "SELECT count(*) AS n FROM '-'",
        "--threads",
        "1",
        "--batch-size",
        "1",
        "--memory-limit",
        "2MiB",
    ];
    assert_eq!(stdout(&arguments, b"a\n1\n2\n"), "n\n2\n");
}

#[test]
fn statistics_are_one_line_of_json() {
    let sql = format!("SELECT order_id FROM '{}' LIMIT 7", testdata("small/orders.csv"));
    let output = run(&["query", &sql, "--stats"], b"");
    let line = String::from_utf8(output.stderr).unwrap();
    let number = |key: &str| -> u64 {
        let at = line.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}: {line}")) + key.len() + 3;
        line[at..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    assert_eq!(line.lines().count(), 1);
    assert_eq!(number("rows"), 7);
    assert!(number("bytes_read") > 1000 && number("elapsed_ms") < 60_000, "{line}");
    if cfg!(target_os = "linux") {
        assert!(number("peak_rss_bytes") > 1 << 20, "{line}");
    } else {
        assert!(line.contains("\"peak_rss_bytes\":null"), "{line}");
    }
}

#[test]
fn a_schema_is_a_statement_that_runs() {
    let files = folder(&[(
        "Some file.csv",
        b"id,\"First Name\",day,at,price,big,ok,\"a\"\"b\",empty\n\
           1,x,2024-01-02,2024-01-02T03:04:05.678,1.5,18446744073709551615,true,y,\n",
    )]);
    let file = path(&files, "Some file.csv");
    let statement = stdout(&["schema", &file], b"");
    for part in
        ["\"First Name\" VARCHAR", "TIMESTAMP(3)", "BIGINT UNSIGNED", "\"a\"\"b\" VARCHAR", "some_file"]
    {
        assert!(statement.contains(part), "{part}: {statement}");
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(async {
        let ctx = crate::support::session();
        ctx.sql(&statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        crate::support::rows(&ctx, "SELECT day, big, ok, price FROM some_file").await
    });
    assert_eq!(rows, ["2024-01-02|18446744073709551615|true|1.5"]);
    assert!(
        stdout(&["schema", "-", "--name", "t", "-o", "delimiter=|"], b"x|y\n1|2\n")
            .contains("'delimiter' '|'")
    );
}

#[test]
fn failures_say_what_to_do() {
    let files = folder(&[("bad.csv", b"a,b\n1,2\n3,\"x\n")]);
    let bad = path(&files, "bad.csv");
    for (arguments, code, part) in [
        (vec!["query", "SELECT * FROM 'missing.csv'"], 1, "no file matches 'missing.csv'"),
        (vec!["query", "SELEC 1"], 1, "Expected"),
        (vec!["query", &format!("SELECT * FROM '{bad}'")], 1, "line 3, record 2"),
        (vec!["query", "SELECT 1", "-o", "delimeter=;"], 1, "no such option"),
        (vec!["query", "SELECT 1", "-o", "delimiter"], 2, "KEY=VALUE"),
        (vec!["query", "SELECT 1", "--memory-limit", "1KB"], 1, "at least"),
        (vec!["query", "SELECT 1", "--threads", "0"], 2, "threads"),
        (vec!["query", "SELECT 1", "--output", "/no/such/folder/x.csv"], 1, "can't write"),
        (vec!["nonsense"], 2, "Usage"),
    ] {
        let (status, message) = failure(&arguments);
        assert!(status == code && message.contains(part), "{arguments:?}: {status}, {message}");
    }
}

#[test]
fn an_output_appears_when_it_is_whole() {
    let files = folder(&[("t.csv", b"a\n1\n2\n"), ("bad.csv", b"a,b\n1,2\n3\n")]);
    let (file, bad) = (path(&files, "t.csv"), path(&files, "bad.csv"));
    // A query may read the file that it replaces.
    stdout(&["query", &format!("SELECT a FROM '{file}' WHERE a > 1"), "--output", &file], b"");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a\n2\n");
    // A query that fails replaces nothing, and leaves no other file.
    let (_, message) = failure(&["query", &format!("SELECT * FROM '{bad}'"), "--output", &file]);
    assert!(message.contains("line 3"), "{message}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a\n2\n");
    let left: Vec<_> =
        std::fs::read_dir(files.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_tsv_file_has_tabs() {
    let files = folder(&[("t.tsv", b"a\tb\n1\t2\n")]);
    let file = path(&files, "t.tsv");
    assert_eq!(stdout(&["query", &format!("SELECT b FROM '{file}'")], b""), "b\n2\n");
    let statement = stdout(&["schema", &file], b"");
    assert!(statement.contains("OPTIONS ('delimiter' '\\t')"), "{statement}");
}

#[test]
fn what_is_read_from_stdin_is_counted() {
    let output = run(&["query", "SELECT count(*) FROM '-'", "--stats"], b"a\n1\n2\n");
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("\"bytes_read\":6,"), "{line}");
}

#[test]
fn a_pipe_that_closes_in_the_middle_is_no_failure() {
    use std::io::{BufRead, BufReader};

    for format in ["csv", "json", "ndjson"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_csv-stream"))
            .args(["query", "SELECT * FROM generate_series(1, 3000000) AS t(n)", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().unwrap());
        let mut bytes = Vec::new();
        reader.read_until(b'1', &mut bytes).unwrap();
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{format}: {output:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_csv-stream"))
        .args(["query", "SELECT * FROM generate_series(1, 1000000)"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
