//! Errors through SQL: each names the file, the place, and the remedy.

use datafusion::error::DataFusionError;
use datafusion_csv_stream::error::{Error, ErrorKind};

use crate::support::{error, folder, path, query, rows, session};

/// The message of `SELECT *` from a table of these columns over these bytes.
async fn message(columns: &str, bytes: &[u8]) -> String {
    read_error(columns, bytes).await.to_string()
}

async fn read_error(columns: &str, bytes: &[u8]) -> DataFusionError {
    let files = folder(&[("t.csv", bytes)]);
    let ctx = session();
    let file = path(&files, "t.csv");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t ({columns}) STORED AS CSV LOCATION '{file}'")).await;
    error(&ctx, "SELECT * FROM t").await
}

#[tokio::test]
async fn a_value_of_another_type() {
    let text = message("a INT, b INT", b"a,b\n1,\"2\"\n3,\"x\ny\"\n").await;
    for part in ["t.csv: line 3, record 2, byte 10, column 1 (\"b\")", "\"x\ny\"", "Int32", "null_values"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_value_out_of_range_never_wraps() {
    for (data_type, value) in [
        ("TINYINT", "128"),
        ("TINYINT UNSIGNED", "-1"),
        ("BIGINT", "9223372036854775808"),
        ("DECIMAL(5, 2)", "1234.56"),
        ("DATE", "2024-02-30"),
        ("TIMESTAMP", "3000-01-01T00:00:00"),
    ] {
        let text = message(&format!("a {data_type}"), format!("a\n{value}\n").as_bytes()).await;
        assert!(text.contains("line 2, record 1") && text.contains(value), "{data_type} {value}: {text}");
    }
}

#[tokio::test]
async fn too_few_and_too_many_fields() {
    let text = message("a INT, b INT", b"a,b\n1,2\n3\n").await;
    assert!(
        text.contains("line 3, record 2, byte 8: the record has 1 fields, the table has 2 columns"),
        "{text}"
    );
    assert!(text.contains("truncated_rows"), "{text}");
    let text = message("a INT, b INT", b"a,b\n1,2,3\n").await;
    assert!(
        text.contains("line 2, record 1, byte 4: the record has 3 fields, the table has 2 columns"),
        "{text}"
    );
}

#[tokio::test]
async fn an_unclosed_quote() {
    let text = message("a INT, b VARCHAR", b"a,b\n1,x\n2,\"y\n3,z\n").await;
    assert!(text.contains("line 3, record 2, byte 8: the input ends inside a quoted field"), "{text}");
}

#[tokio::test]
async fn bytes_that_are_not_utf8() {
    let text = message("a INT, b VARCHAR", b"a,b\n1,ok\n2,caf\xe9\n").await;
    assert!(text.contains("line 3, record 2, byte 9, column 1 (\"b\"): not valid UTF-8 at byte 3"), "{text}");
}

#[tokio::test]
async fn an_error_keeps_its_type_inside_datafusions() {
    let error = read_error("a INT", b"a\nx\n").await;
    let DataFusionError::External(inner) = error.find_root() else {
        panic!("{error:?}");
    };
    let own = inner.downcast_ref::<Error>().unwrap();
    assert!(matches!(own.kind(), ErrorKind::InvalidValue { .. }));
    assert_eq!(own.place().unwrap().line, 2);
}

#[tokio::test]
async fn inference_has_errors_with_places_too() {
    let files = folder(&[("t.csv", b"a,b\n1,2\n3\n")]);
    let text = error(&session(), &format!("SELECT * FROM '{}'", path(&files, "t.csv"))).await.to_string();
    assert!(text.contains("t.csv: line 3, record 2"), "{text}");
}

#[tokio::test]
async fn rows_before_an_error_are_not_an_answer() {
    let mut text = b"a\n".to_vec();
    text.extend_from_slice(&b"1\n".repeat(100_000));
    text.extend_from_slice(b"x\n");
    let files = folder(&[("t.csv", &text)]);
    let ctx = session();
    let file = path(&files, "t.csv");
    rows(&ctx, &format!("CREATE EXTERNAL TABLE t (a BIGINT) STORED AS CSV LOCATION '{file}'")).await;
    let text = error(&ctx, "SELECT sum(a) FROM t").await.to_string();
    assert!(text.contains("line 100002, record 100001"), "{text}");
    assert_eq!(rows(&ctx, "SELECT a FROM t LIMIT 1").await, ["1"]);
}

#[tokio::test]
async fn a_pool_without_room_stops_the_scan() {
    use std::sync::Arc;

    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use datafusion_csv_stream::{CsvFormatOptions, CsvReaderTable, CsvSessionExt};

    let files = folder(&[("t.csv", b"a\n1\n")]);
    let runtime =
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(1))).build_arc().unwrap();
    let ctx = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    let file = path(&files, "t.csv");
    let inferring = ctx.register_csv_file("t", &file).await.unwrap_err();
    assert!(matches!(inferring.find_root(), DataFusionError::ResourcesExhausted(_)), "{inferring}");
    let create = format!("CREATE EXTERNAL TABLE t (a INT) STORED AS CSV LOCATION '{file}'");
    datafusion_csv_stream::install(&ctx).unwrap();
    query(&ctx, &create).await.unwrap();
    let reading = error(&ctx, "SELECT * FROM t").await;
    assert!(matches!(reading.find_root(), DataFusionError::ResourcesExhausted(_)), "{reading}");
    let reader = CsvReaderTable::try_new("r", &b"a\n1\n"[..], &CsvFormatOptions::new()).await.unwrap();
    ctx.register_table("r", Arc::new(reader)).unwrap();
    let once = error(&ctx, "SELECT * FROM r").await;
    assert!(matches!(once.find_root(), DataFusionError::ResourcesExhausted(_)), "{once}");
}
