//! Predicates in the scan: they give the same rows as filters above it, and do only the work that
//! is needed.

use std::sync::Arc;

use datafusion::execution::config::SessionConfig;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{CsvReadOptions, SessionContext};
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};

use crate::support::{Random, cells, error, folder, metric, path, query, rows, run, session};

const COLUMNS: &str =
    "i BIGINT, n INT, f DOUBLE, d DECIMAL(12, 2), day DATE, at TIMESTAMP, b BOOLEAN, s VARCHAR, t VARCHAR";

/// Rows of all the types: a tenth of the fields is NULL, some strings are quoted, some are not
/// ASCII.
fn table(random: &mut Random, rows: usize) -> String {
    const WORDS: [&str; 6] = [
        "alpha",
        "\"b, \"\"beta\"\"\"",
        "\"line\nbreak\"",
        "été",
        "a rather long text beside the short ones",
        "z",
    ];
    let mut text = String::from("i,n,f,d,day,at,b,s,t\n");
    for row in 0..rows {
        let day = format!("20{:02}-0{}-1{}", random.below(30), random.below(9) + 1, random.below(10));
        let fields = [
            row.to_string(),
            (random.below(200) as i64 - 100).to_string(),
            format!("{}.{}", random.below(100) as i64 - 50, random.below(10)),
            format!("{}.{:02}", random.below(1000) as i64 - 500, random.below(100)),
            day.clone(),
            format!("{day}T{:02}:00:00", random.below(24)),
            ["true", "false"][random.below(2) as usize].to_owned(),
            WORDS[random.below(6) as usize].to_owned(),
            format!("t{}", random.below(50)),
        ];
        let fields = fields.map(|field| if random.below(10) == 0 { String::new() } else { field });
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// A predicate of up to three levels.
fn predicate(random: &mut Random, depth: usize) -> String {
    if depth > 0 && random.below(3) > 0 {
        let (left, right) = (predicate(random, depth - 1), predicate(random, depth - 1));
        return match random.below(5) {
            0 => format!("({left} OR {right})"),
            1 => format!("NOT ({left})"),
            _ => format!("({left} AND {right})"),
        };
    }
    let compare = ["<", "<=", "=", "<>", ">", ">="][random.below(6) as usize];
    let number = random.below(120) as i64 - 60;
    match random.below(14) {
        0 => format!("i {compare} {}", random.below(1000)),
        1 => format!("n {compare} {number}"),
        2 => format!("f {compare} {number}.5"),
        3 => format!("d {compare} {number}.25"),
        4 => format!("day {compare} DATE '20{:02}-05-05'", random.below(30)),
        5 => format!("at {compare} TIMESTAMP '20{:02}-05-05T12:00:00'", random.below(30)),
        6 => "b".to_owned(),
        7 => format!("s {compare} '{}'", ["alpha", "b", "z", "été"][random.below(4) as usize]),
        8 => format!("t LIKE '%{}'", random.below(10)),
        9 => {
            format!("{} IS NULL", ["i", "n", "f", "d", "day", "at", "b", "s", "t"][random.below(9) as usize])
        }
        10 => format!("n IN ({number}, {}, {})", number + 1, number + 7),
        11 => format!("n + i {compare} {}", random.below(1000)),
        12 => format!("coalesce(n, 0) {compare} {number}"),
        _ => format!("s IS NOT NULL AND n BETWEEN {number} AND {}", number + 40),
    }
}

/// Sessions in which the same file is the table `t`: by the built-in reader, and by ours with many
/// combinations of options.
async fn sessions(file: &str) -> Vec<(String, SessionContext)> {
    let mut sessions = Vec::new();
    for (pushdown, batch_size) in [("false", 8192), ("true", 8192), ("true", 7), ("true", 1)] {
        let ctx = session();
        let options = format!("'pushdown_filters' '{pushdown}', 'batch_size' '{batch_size}'");
        let sql = format!(
            "CREATE EXTERNAL TABLE t ({COLUMNS}) STORED AS CSV LOCATION '{file}' OPTIONS ({options})"
        );
        rows(&ctx, &sql).await;
        sessions.push((options, ctx));
    }
    sessions
}

async fn builtin(file: &str) -> SessionContext {
    let ctx = SessionContext::new();
    let options = "'format.newlines_in_values' 'true'";
    let sql =
        format!("CREATE EXTERNAL TABLE t ({COLUMNS}) STORED AS CSV LOCATION '{file}' OPTIONS ({options})");
    rows(&ctx, &sql).await;
    ctx
}

async fn sorted(ctx: &SessionContext, sql: &str) -> Vec<String> {
    let mut rows = rows(ctx, sql).await;
    rows.sort();
    rows
}

#[tokio::test]
async fn random_predicates_keep_the_rows_that_the_builtin_reader_has() {
    let mut random = Random(7);
    let text = table(&mut random, 3000);
    let files = folder(&[("t.csv", text.as_bytes())]);
    let file = path(&files, "t.csv");
    let theirs = builtin(&file).await;
    let ours = sessions(&file).await;
    let (mut some, mut none) = (0, 0);
    for _ in 0..60 {
        let predicate = predicate(&mut random, 3);
        let columns = ["*", "count(*)", "s, i", "d, at, t", "1", "n + 1, s"][random.below(6) as usize];
        let sql = format!("SELECT {columns} FROM t WHERE {predicate}");
        let expected = sorted(&theirs, &sql).await;
        if expected.is_empty() {
            none += 1
        } else {
            some += 1
        }
        for (options, ctx) in &ours {
            assert!(sorted(ctx, &sql).await == expected, "{options}: {sql}");
        }
    }
    assert!(some >= 20 && none <= 30, "{some} {none}");
}

#[tokio::test]
async fn plans_show_the_predicate_and_have_no_filter_above() {
    let files = folder(&[("t.csv", table(&mut Random(1), 10).as_bytes())]);
    let sessions = sessions(&path(&files, "t.csv")).await;
    let sql = "EXPLAIN SELECT s FROM t WHERE n > 5 AND t = 'x' AND i + 1 < 7";
    for (options, ctx) in sessions {
        let plan = rows(&ctx, sql).await.join("\n");
        let is_off = options.contains("'pushdown_filters' 'false'");
        assert_eq!(plan.contains("FilterExec"), is_off, "{plan}");
        let predicate = "predicate=n@1 > 5 AND t@8 = x AND i@0 + 1 < 7";
        assert_eq!(plan.contains(predicate), !is_off, "{plan}");
        assert_eq!(plan.contains("projection=[s]"), !is_off, "{plan}");
    }
}

#[tokio::test]
async fn a_session_can_switch_it_off_for_all_tables() {
    let files = folder(&[("t.csv", b"a,b\n1,x\n2,y\n3,z\n")]);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
    for (setting, is_on) in [("false", false), ("true", true)] {
        ctx.sql(&format!("SET csv_stream.pushdown_filters = {setting}")).await.unwrap();
        let plan = rows(&ctx, "EXPLAIN SELECT b FROM t WHERE a > 1").await.join("\n");
        assert_eq!(plan.contains("predicate=a@0 > 1"), is_on, "{plan}");
        assert_eq!(plan.contains("FilterExec"), !is_on, "{plan}");
        assert_eq!(rows(&ctx, "SELECT b FROM t WHERE a > 1").await, ["y", "z"]);
    }
}

#[tokio::test]
async fn what_a_scan_cannot_evaluate_stays_above_it() {
    let files = folder(&[("t.csv", b"a,b\n1,x\n2,y\n3,z\n")]);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
    for (predicate, part, expected) in [
        ("random() < 2 AND a > 1", "predicate=a@0 > 1", &["2", "3"][..]),
        ("a = (SELECT max(a) FROM t) AND b <> 'q'", "predicate=b@1 != q", &["3"]),
    ] {
        let sql = format!("SELECT a FROM t WHERE {predicate}");
        let plan = rows(&ctx, &format!("EXPLAIN {sql}")).await.join("\n");
        assert!(plan.contains("FilterExec") && plan.contains(part), "{plan}");
        assert_eq!(sorted(&ctx, &sql).await, expected);
    }
}

#[tokio::test]
async fn partition_columns_are_constants_in_predicates() {
    let files = folder(&[
        ("t/year=2023/a.csv", b"n,s\n1,x\n2,y\n"),
        ("t/year=2024/a.csv", b"n,s\n3,x\n"),
        ("t/year=2024/b.csv", b"n,s\n2024,z\n"),
    ]);
    let ctx = session();
    rows(
        &ctx,
        &format!(
            "CREATE EXTERNAL TABLE t (n INT, s VARCHAR, year INT) STORED AS CSV PARTITIONED BY (year) LOCATION '{}/'",
            path(&files, "t")
        ),
    )
    .await;
    for (predicate, expected) in [
        ("n = year", &["z"][..]),
        ("n + year = 2025", &["y"]),
        ("year = 2024 AND n < 10", &["x"]),
        ("year = 2023 OR n > 10", &["x", "y", "z"]),
        ("n IS NULL OR year IS NULL", &[]),
    ] {
        assert_eq!(
            sorted(&ctx, &format!("SELECT s FROM t WHERE {predicate}")).await,
            expected,
            "{predicate}"
        );
    }
    assert_eq!(rows(&ctx, "SELECT count(*) FROM t WHERE n = year").await, ["1"]);
    assert_eq!(rows(&ctx, "SELECT year FROM t WHERE s = 'y'").await, ["2023"]);
    // A join's dynamic filter on the partition column alone.
    let sql = "SELECT t.s FROM t JOIN (VALUES (2024), (1)) AS v (y) ON t.year = v.y";
    assert_eq!(sorted(&ctx, sql).await, ["x", "z"]);
}

#[tokio::test]
async fn a_limit_counts_rows_that_are_kept() {
    let text = (0..20_000).fold(String::from("a,b\n"), |text, row| text + &format!("{row},{}\n", row % 100));
    let files = folder(&[("t.csv", text.as_bytes())]);
    for batch_size in [1, 7, 8192] {
        let ctx = SessionContext::new();
        let options = CsvFormatOptions::new().with_batch_size(batch_size);
        ctx.register_csv_file_with_options("t", &path(&files, "t.csv"), options).await.unwrap();
        let plan = run(&ctx, "SELECT a FROM t WHERE b = 3 LIMIT 5").await;
        assert_eq!(metric(&plan, "records_selected"), 5);
        assert!(metric(&plan, "records") < 10_000);
        assert_eq!(
            rows(&ctx, "SELECT a FROM t WHERE b = 3 LIMIT 5").await,
            ["3", "103", "203", "303", "403"]
        );
        assert_eq!(rows(&ctx, "SELECT a FROM t WHERE b = 3 LIMIT 1 OFFSET 7").await, ["703"]);
        assert_eq!(
            rows(&ctx, "SELECT count(*) FROM (SELECT a FROM t WHERE b < 50 LIMIT 9000)").await,
            ["9000"]
        );
    }
}

#[tokio::test]
async fn batches_have_the_rows_that_were_asked_for() {
    let text = (0..30_000).fold(String::from("a,b\n"), |text, row| text + &format!("{row},{}\n", row % 100));
    let files = folder(&[("t.csv", text.as_bytes())]);
    let sizes = |batch_size: usize, sql: &'static str| {
        let file = path(&files, "t.csv");
        async move {
            let ctx = SessionContext::new();
            let options = CsvFormatOptions::new().with_batch_size(batch_size);
            ctx.register_csv_file_with_options("t", &file, options).await.unwrap();
            let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
            let batches = collect(plan, ctx.task_ctx()).await.unwrap();
            batches.iter().map(|batch| batch.num_rows()).collect::<Vec<_>>()
        }
    };
    // Only few rows of each chunk are kept. They are put together into full batches.
    assert_eq!(sizes(200, "SELECT a FROM t WHERE b = 7").await, [200, 100]);
    let sizes = sizes(1000, "SELECT a FROM t WHERE b <> 7").await;
    assert!(sizes.iter().all(|&size| size <= 1000), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 29_700);
}

#[tokio::test]
async fn only_what_is_decoded_is_checked() {
    let read = |text: &'static [u8]| async move {
        let files = folder(&[("t.csv", text)]);
        let ctx = session();
        let file = path(&files, "t.csv");
        rows(&ctx, &format!("CREATE EXTERNAL TABLE t (a INT, b INT, c INT) STORED AS CSV LOCATION '{file}'"))
            .await;
        match query(&ctx, "SELECT b FROM t WHERE a > 1 AND c > 1").await {
            Ok(batches) => Ok(cells(&batches)),
            Err(error) => Err(error.to_string()),
        }
    };
    // The third value of the first row isn't needed, because the first value decides.
    assert_eq!(read(b"a,b,c\n1,x,y\n2,3,4\n").await.unwrap(), ["3"]);
    let message = read(b"a,b,c\n1,2,3\n2,3,4\n5,x,4\n").await.unwrap_err();
    assert!(message.contains("line 4, record 3, byte 18, column 1 (\"b\")"), "{message}");
    let message = read(b"a,b,c\n1,2,3\n2,3,x\n5,6,4\n").await.unwrap_err();
    assert!(message.contains("line 3, record 2, byte 12, column 2 (\"c\")"), "{message}");
    let message = read(b"a,b,c\n2,3,4\n1,2\n").await.unwrap_err();
    assert!(message.contains("line 3"), "{message}");
    let message = read(b"a,b,c\n2,3,4\n1,2,\"3\n").await.unwrap_err();
    assert!(message.contains("line 3") && message.contains("quote"), "{message}");
}

#[tokio::test]
async fn a_predicate_that_fails_ends_the_query() {
    let files = folder(&[("t.csv", b"a\n1\n0\n")]);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t.csv")).await.unwrap();
    let message = error(&ctx, "SELECT a FROM t WHERE 10 / a > 1").await.to_string();
    assert!(message.contains("Divide by zero"), "{message}");
    // A row that one conjunct drops is not passed to the next conjunct if that has other columns.
    let files = folder(&[("t.csv", b"a,b\n1,1\n0,0\n")]);
    ctx.register_csv_file("u", &path(&files, "t.csv")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT a FROM u WHERE a <> 0 AND 10 / b > 1").await, ["1"]);
}

#[tokio::test]
async fn fields_that_a_short_record_lacks_are_null_to_predicates() {
    let files = folder(&[("t.csv", b"a,b,c\n1,2,3\n4\n5,6\n7,8,9\n")]);
    let ctx = session();
    let options = CsvFormatOptions::new().with_truncated_rows(true);
    ctx.register_csv_file_with_options("t", &path(&files, "t.csv"), options).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT * FROM t WHERE c IS NULL").await, ["4||", "5|6|"]);
    assert_eq!(rows(&ctx, "SELECT a, c FROM t WHERE b > 2").await, ["5|", "7|9"]);
    assert_eq!(rows(&ctx, "SELECT count(*) FROM t WHERE b IS NULL").await, ["1"]);
}

#[tokio::test]
async fn sorts_and_joins_filter_while_they_run() {
    let mut text = String::from("k,v,s\n");
    let mut random = Random(3);
    for row in 0..50_000 {
        text.push_str(&format!("{row},{},some text of row {row}\n", random.below(1_000_000)));
    }
    let files = folder(&[("t.csv", text.as_bytes()), ("few.csv", b"k,w\n17,a\n40017,b\n18,c\n")]);
    let (theirs, ours) = (SessionContext::new(), SessionContext::new());
    for name in ["t", "few"] {
        let file = path(&files, &format!("{name}.csv"));
        ours.register_csv_file(name, &file).await.unwrap();
        theirs.register_csv(name, &file, CsvReadOptions::new()).await.unwrap();
    }
    for (sql, most) in [
        ("SELECT * FROM t ORDER BY v LIMIT 10", 20_000),
        ("SELECT * FROM t ORDER BY v DESC, k LIMIT 10", 20_000),
        ("SELECT t.k, s, w FROM few JOIN t ON few.k = t.k ORDER BY t.k", 41_000),
        ("SELECT t.k, s, w FROM few JOIN t ON few.k = t.k WHERE w = 'a' AND v >= 0", 10),
    ] {
        assert_eq!(rows(&ours, sql).await, rows(&theirs, sql).await, "{sql}");
        let plan = run(&ours, sql).await;
        let selected = metric(&plan, "records_selected");
        assert!(selected <= most, "{sql}: {selected}");
        assert!(metric(&plan, "time_filtering") > 0);
    }
}

/// After the first execution, the dynamic filter keeps no more than that execution's last row.
#[tokio::test]
async fn a_plan_with_a_dynamic_filter_can_be_run_again() {
    let files = folder(&[("t.csv", b"a\n5\n1\n4\n2\n3\n"), ("u.csv", b"a\n2\n9\n")]);
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    for name in ["t", "u"] {
        ctx.register_csv_file(name, &path(&files, &format!("{name}.csv"))).await.unwrap();
    }
    for (sql, expected) in [
        ("SELECT a FROM t ORDER BY a LIMIT 2", &["1", "2"][..]),
        ("SELECT t.a FROM u JOIN t ON u.a = t.a", &["2"]),
    ] {
        let mut plan: Arc<dyn ExecutionPlan> =
            ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        for _ in 0..3 {
            assert_eq!(cells(&collect(Arc::clone(&plan), ctx.task_ctx()).await.unwrap()), expected, "{sql}");
            plan = reset_plan_states(plan).unwrap();
        }
    }
}
