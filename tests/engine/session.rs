//! The session functions: registering tables, installing the engine, and tables that are named by
//! path.

use datafusion::prelude::SessionContext;
use datafusion_csv_stream::{
    CsvFormatOptions, CsvSessionExt, UrlTableOptions, install_url_tables, install_url_tables_with_options,
    install_with_options,
};

use crate::support::{error, folder, path, rows, session, testdata};

#[tokio::test]
async fn a_file_is_registered_by_its_path() {
    let ctx = SessionContext::new();
    ctx.register_csv_file("orders", &testdata("small/orders.csv")).await.unwrap();
    let all = rows(&ctx, "SELECT count(*) FROM orders").await;
    let some = rows(&ctx, "SELECT count(*) FROM orders WHERE amount > 100").await;
    assert!(all[0].parse::<u64>().unwrap() > some[0].parse().unwrap(), "{all:?} {some:?}");
}

#[tokio::test]
async fn a_folder_a_glob_and_a_url_are_tables_too() {
    let files = folder(&[
        ("d/part_1.csv", b"a,b\n1,x\n"),
        ("d/part_2.csv", b"a,b\n2,y\n"),
        ("d/other.csv", b"a,b\n3,z\n"),
        ("d/notes.txt", b"not,csv,at,all\n"),
    ]);
    let ctx = SessionContext::new();
    ctx.register_csv_file("folder", &path(&files, "d")).await.unwrap();
    ctx.register_csv_file("slashed", &path(&files, "d/")).await.unwrap();
    ctx.register_csv_file("glob", &path(&files, "d/part_*.csv")).await.unwrap();
    ctx.register_csv_file("url", &format!("file://{}", path(&files, "d/other.csv"))).await.unwrap();
    ctx.register_csv_file("url_glob", &format!("file://{}", path(&files, "d/p*.csv"))).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT a, b FROM folder ORDER BY a").await, ["1|x", "2|y", "3|z"]);
    assert_eq!(rows(&ctx, "SELECT a, b FROM slashed ORDER BY a").await, ["1|x", "2|y", "3|z"]);
    assert_eq!(rows(&ctx, "SELECT a, b FROM glob ORDER BY a").await, ["1|x", "2|y"]);
    assert_eq!(rows(&ctx, "SELECT a, b FROM url").await, ["3|z"]);
    assert_eq!(rows(&ctx, "SELECT a FROM url_glob ORDER BY a").await, ["1", "2"]);
}

#[tokio::test]
async fn a_folder_may_mix_compressions() {
    let files = folder(&[("d/a.csv", b"n\n1\n")]);
    let ctx = session();
    for (name, compression) in
        [("b.csv.gz", "gzip"), ("c.csv.zst", "zstd"), ("d.csv.bz2", "bzip2"), ("e.csv.xz", "xz")]
    {
        let target = path(&files, "d").to_string() + "/" + name;
        rows(
            &ctx,
            &format!(
                "COPY (SELECT 2 AS n) TO '{target}' STORED AS CSV OPTIONS ('format.compression' '{compression}')"
            ),
        )
        .await;
    }
    // xz's default level has a dictionary of 8 MiB.
    let options = CsvFormatOptions::new().with_memory_limit(24 << 20);
    ctx.register_csv_file_with_options("t", &path(&files, "d"), options).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT count(*), sum(n) FROM t").await, ["5|9"]);
}

#[tokio::test]
async fn options_come_with_the_registration() {
    let files = folder(&[("t.csv", b"a;b\n1;NA\n2;'x;y'\n")]);
    let ctx = SessionContext::new();
    let options = CsvFormatOptions::new()
        .with_delimiter(b';')
        .with_quote(b'\'')
        .with_null_values(["NA"])
        .with_batch_size(1);
    ctx.register_csv_file_with_options("t", &path(&files, "t.csv"), options.clone()).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT a, b, b IS NULL FROM t ORDER BY a").await, ["1||true", "2|x;y|false"]);
    let frame = ctx.read_csv_file(&path(&files, "t.csv"), options).await.unwrap();
    assert_eq!(frame.count().await.unwrap(), 2);
}

#[tokio::test]
async fn no_file_is_an_error_that_says_so() {
    let files = folder(&[("d/a.txt", b"x")]);
    let ctx = session();
    for (path, part) in [
        (path(&files, "missing.csv"), "no file matches"),
        (path(&files, "d/*.csv"), "no file matches"),
        (path(&files, "d"), "no file in"),
    ] {
        let error = ctx.register_csv_file("t", &path).await.unwrap_err().to_string();
        assert!(error.contains(part), "{path}: {error}");
    }
    let missing = path(&files, "missing.csv");
    let message = error(&ctx, &format!("SELECT * FROM '{missing}'")).await.to_string();
    assert!(message.contains("no file matches"), "{message}");
}

#[tokio::test]
async fn an_installed_engine_serves_external_tables() {
    let files = folder(&[("t.csv", b"a,b\n1,\"x\ny\"\n2,z\n")]);
    let ctx = session();
    let file = path(&files, "t.csv");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}'")).await;
    assert_eq!(rows(&ctx, "SELECT a, length(b) FROM t ORDER BY a").await, ["1|3", "2|1"]);
    let plan = rows(&ctx, "EXPLAIN SELECT * FROM t").await.join("\n");
    assert!(plan.contains("file_type=csv, has_header=true"), "{plan}");
    rows(
        &ctx,
        &format!(
            "CREATE EXTERNAL TABLE u (n BIGINT, s VARCHAR) STORED AS CSV LOCATION '{file}' \
             OPTIONS ('has_header' 'true', 'format.delimiter' ',')"
        ),
    )
    .await;
    assert_eq!(rows(&ctx, "SELECT n FROM u ORDER BY n").await, ["1", "2"]);
}

#[tokio::test]
async fn an_installed_engine_serves_paths() {
    let files = folder(&[("part_1.csv", b"a\n1\n"), ("part_2.csv", b"a\n2\n"), ("t.tsv", b"a\tb\n1\t2\n")]);
    let ctx = session();
    assert_eq!(rows(&ctx, &format!("SELECT sum(a) FROM '{}'", path(&files, "part_*.csv"))).await, ["3"]);
    assert_eq!(rows(&ctx, &format!("SELECT b FROM '{}'", path(&files, "t.tsv"))).await, ["2"]);
    let message = error(&ctx, "SELECT * FROM nowhere").await.to_string();
    assert!(message.contains("nowhere"), "{message}");
}

#[tokio::test]
async fn a_glob_takes_files_of_any_name_if_they_are_csv() {
    let files = folder(&[
        ("d/a.csv", b"n\n1\n"),
        ("d/b.CSV", b"n\n2\n"),
        ("e/part-0", b"n\n3\n"),
        ("lineitem.tbl", b"n|s\n4|x\n"),
        ("d[1].csv", b"n\n5\n"),
    ]);
    let ctx = session();
    assert_eq!(rows(&ctx, &format!("SELECT sum(n) FROM '{}'", path(&files, "d/*"))).await, ["3"]);
    assert_eq!(rows(&ctx, &format!("SELECT sum(n) FROM '{}/'", path(&files, "d"))).await, ["3"]);
    assert_eq!(rows(&ctx, &format!("SELECT n FROM '{}'", path(&files, "d[1].csv"))).await, ["5"]);
    ctx.register_csv_file("parts", &path(&files, "e/*")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT n FROM parts").await, ["3"]);
    ctx.register_csv_file("lineitem", &path(&files, "lineitem.tbl")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT * FROM lineitem").await, ["4|x"]);
}

#[tokio::test]
async fn sql_has_the_file_system_only_where_it_is_given() {
    let files = folder(&[("t.csv", b"n;m\n1;2\n"), ("secret", b"n;m\n3;4\n")]);
    let select = |name: &str| format!("SELECT n FROM '{}'", path(&files, name));
    let (csv, secret) = (select("t.csv"), select("secret"));
    let ctx = SessionContext::new();
    install_with_options(&ctx, CsvFormatOptions::new().with_delimiter(b';')).unwrap();
    assert!(error(&ctx, &csv).await.to_string().contains("not found"));

    // The options are those with which the session reads CSV files.
    install_url_tables(&ctx);
    assert_eq!(rows(&ctx, &csv).await, ["1"]);
    assert!(error(&ctx, &secret).await.to_string().contains("not found"));

    let any = UrlTableOptions::new().with_any_extension(true);
    for _ in 0..3 {
        install_url_tables_with_options(&ctx, any.clone());
        assert_eq!(rows(&ctx, &secret).await, ["3"]);
    }
    install_url_tables(&ctx);
    assert!(error(&ctx, &secret).await.to_string().contains("not found"));
    let catalogs = format!("{:?}", ctx.state().catalog_list());
    assert_eq!(catalogs.matches("DynamicFileCatalog").count(), 1, "{catalogs}");
}

#[tokio::test]
async fn the_schema_is_that_of_all_files_of_a_folder() {
    let files = folder(&[("t/a.csv", b"n\n1\n"), ("t/b.CSV", b"n\n2.5\n")]);
    let ctx = session();
    ctx.register_csv_file("t", &path(&files, "t")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT sum(n) FROM t").await, ["3.5"]);
}

#[tokio::test]
async fn tabs_stand_between_the_fields_of_tsv_files() {
    let files =
        folder(&[("d/a.tsv", b"a\tb\n1\t2\n"), ("d/b.tsv", b"a\tb\n3\t4\n"), ("e/a.TSV", b"a\tb\n5\t6\n")]);
    let ctx = session();
    ctx.register_csv_file("d", &path(&files, "d")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT a, b FROM d ORDER BY a").await, ["1|2", "3|4"]);
    assert_eq!(rows(&ctx, &format!("SELECT b FROM '{}'", path(&files, "e/a.TSV"))).await, ["6"]);
    let file = path(&files, "d/a.tsv");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t STORED AS TSV LOCATION '{file}'")).await;
    assert_eq!(rows(&ctx, "SELECT b FROM t").await, ["2"]);

    let mixed = folder(&[("a.csv", b"a,b\n1,2\n"), ("b.tsv", b"a\tb\n3\t4\n")]);
    let error = ctx.register_csv_file("mixed", &path(&mixed, "")).await.unwrap_err().to_string();
    assert!(error.contains("both .csv and .tsv"), "{error}");
}

#[tokio::test]
async fn names_are_read_as_sql_reads_them() {
    let files = folder(&[("t.csv", b"n\n1\n")]);
    let ctx = SessionContext::new();
    ctx.register_csv_file("Data", &path(&files, "t.csv")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT n FROM DATA").await, ["1"]);
    ctx.register_csv_file("\"Data\"", &path(&files, "t.csv")).await.unwrap();
    assert_eq!(rows(&ctx, "SELECT n FROM \"Data\"").await, ["1"]);
}

#[tokio::test]
async fn a_session_without_anything_can_have_it_installed() {
    use datafusion::execution::SessionStateBuilder;

    let ctx = SessionContext::from(SessionStateBuilder::new().build());
    datafusion_csv_stream::install(&ctx).unwrap();
    let ctx = session();
    let files = folder(&[("t.csv", b"n\n1\n")]);
    rows(
        &ctx,
        &format!(
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}' OPTIONS ('execution.keep_partition_by_columns' 'true')",
            path(&files, "t.csv")
        ),
    )
    .await;
    assert_eq!(rows(&ctx, "SELECT n FROM t").await, ["1"]);
}

#[tokio::test]
async fn subfolders_name_partition_columns() {
    let files = folder(&[
        ("t/year=2023/a.csv", b"n\n1\n"),
        ("t/year=2024/a.csv", b"n\n2\n"),
        ("t/year=2024/b.csv", b"n\n3\n"),
    ]);
    let ctx = session();
    let table = path(&files, "t");
    let by_year = "year, sum(n) FROM {} GROUP BY year ORDER BY year";
    let expected = ["2023|1", "2024|5"];
    let sql = format!("SELECT {}", by_year.replace("{}", &format!("'{table}/'")));
    assert_eq!(rows(&ctx, &sql).await, expected);

    ctx.register_csv_file("registered", &table).await.unwrap();
    let sql = format!("SELECT {}", by_year.replace("{}", "registered"));
    assert_eq!(rows(&ctx, &sql).await, expected);
    assert_eq!(rows(&ctx, "SELECT n, year FROM registered WHERE year = '2023'").await, ["1|2023"]);

    rows(
        &ctx,
        &format!(
            "CREATE EXTERNAL TABLE declared (n INT, year INT) STORED AS CSV PARTITIONED BY (year) LOCATION '{table}/'"
        ),
    )
    .await;
    assert_eq!(
        rows(&ctx, "SELECT year, n FROM declared WHERE year > 2023 ORDER BY n").await,
        ["2024|2", "2024|3"]
    );

    std::fs::write(files.path().join("t/without.csv"), "n\n4\n").unwrap();
    // DataFusion caches the listing of a folder for as long as its session.
    let message = error(&session(), &format!("SELECT * FROM '{table}/'")).await.to_string();
    for part in ["without.csv' name other partition columns () than", "year=2023/a.csv' (year)"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}
