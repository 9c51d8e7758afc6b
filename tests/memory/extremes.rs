//! Files and sessions that need too much memory: the limit holds, or an error names the number to
//! raise.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::budget::OversizedFields;
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
use tempfile::TempDir;

use crate::cells::measure;
use crate::rows::{NARROW_HEADER, narrow_row};
use crate::{MIB, alone};

const LIMIT: usize = 10 * MIB;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn session(partitions: usize) -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions))
}

/// Reads a file or a folder within a limit, and returns the sum of its first column.
async fn read(ctx: &SessionContext, path: &Path, options: CsvFormatOptions, limit: usize) -> Result<i64> {
    ctx.register_csv_file_with_options("t", path.to_str().unwrap(), options).await?;
    let (held, sum) = measure(ctx).await;
    let partitions = ctx.copied_config().target_partitions();
    println!("{}, {partitions} partitions: {:.2} MiB", path.display(), held as f64 / MIB as f64);
    assert!(held <= limit, "{}, {partitions} partitions: {held}", path.display());
    sum
}

/// A file.
fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// A folder of this many files.
fn files<T: AsRef<[u8]>>(count: u64, text: impl Fn(u64) -> T) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in 0..count {
        fs::write(folder.path().join(format!("{file:03}.csv")), text(file)).unwrap();
    }
    folder
}

/// Reads a declared table. Returns the most bytes that are held, and the sum of its first column.
async fn read_declared(partitions: usize, create: &str) -> (usize, Result<i64>) {
    let ctx = session(partitions);
    datafusion_csv_stream::install(&ctx).unwrap();
    ctx.sql(create).await.unwrap();
    measure(&ctx).await
}

fn narrow(first: u64, rows: u64) -> Vec<u8> {
    let mut text = NARROW_HEADER.as_bytes().to_vec();
    (first..first + rows).for_each(|row| narrow_row(row, &mut text));
    text
}

fn sum_of(rows: i64) -> i64 {
    rows * 1_000_000_000 + rows * (rows - 1) / 2
}

#[test]
fn any_number_of_partitions() {
    const ROWS: u64 = 120_000;
    let _alone = alone();
    let (_folder, path) = file(narrow(0, ROWS));
    for partitions in [1, 3, 4, 8, 32, 64] {
        let sum = block_on(read(&session(partitions), &path, CsvFormatOptions::new(), LIMIT));
        assert_eq!(sum.unwrap(), sum_of(ROWS as i64), "{partitions}");
    }
}

#[test]
fn a_thousand_files() {
    let _alone = alone();
    let folder = files(1000, |file| narrow(file * 200, 200));
    for partitions in [1, 16, 64] {
        let sum = block_on(read(&session(partitions), folder.path(), CsvFormatOptions::new(), LIMIT));
        assert_eq!(sum.unwrap(), sum_of(200_000), "{partitions}");
    }
}

/// Rows of five thousand numbers.
fn columns(rows: i64) -> String {
    let mut text = (0..5000).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    for row in 0..rows {
        text += &format!("\n{row}");
        text += &",12345".repeat(4999);
    }
    text
}

#[test]
fn five_thousand_columns() {
    let _alone = alone();
    let (_folder, path) = file(columns(400));
    for partitions in [1, 64] {
        let sum = block_on(read(&session(partitions), &path, CsvFormatOptions::new(), LIMIT));
        assert_eq!(sum.unwrap(), 400 * 399 / 2, "{partitions}");
    }
}

/// With this many columns there is room for one reader, which reads one file after the other.
#[test]
fn five_thousand_columns_in_many_files() {
    let _alone = alone();
    let folder = files(32, |_| columns(20));
    for partitions in [1, 32] {
        let sum = block_on(read(&session(partitions), folder.path(), CsvFormatOptions::new(), LIMIT));
        assert_eq!(sum.unwrap(), 32 * 20 * 19 / 2, "{partitions}");
    }
}

/// If DataFusion is promised an order, there are as many readers as groups of files, and this crate
/// can't reduce them. It also can't avoid the schema that DataFusion makes for each of them before
/// a file is opened: about 150 bytes a column.
#[test]
fn five_thousand_columns_in_many_readers_at_once() {
    let _alone = alone();
    let folder = files(32, |_| columns(20));
    let scan = |options: &str| {
        let declared: Vec<_> = (0..5000).map(|column| format!("c{column} BIGINT")).collect();
        let create = format!(
            "CREATE EXTERNAL TABLE t ({}) STORED AS CSV WITH ORDER (c0) LOCATION '{}' OPTIONS ({options})",
            declared.join(","),
            folder.path().display()
        );
        block_on(read_declared(32, &create))
    };
    let (held, sum) = scan("'has_header' 'true'");
    assert!(held <= LIMIT + 32 * 5000 * 150, "{held}");
    let error = sum.unwrap_err();
    assert!(matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)), "{error}");
    let message = error.to_string();
    assert!(message.contains("memory_limit") && message.contains("target_partitions"), "{message}");
    let (held, sum) = scan("'memory_limit' '160MiB'");
    assert_eq!(sum.unwrap(), 32 * 20 * 19 / 2);
    assert!(held <= 16 * LIMIT, "{held}");
}

/// The field is an error by default. It is read if both limits allow it. With the default limits it
/// can become NULL or be truncated.
#[test]
fn one_field_of_40_mb() {
    let _alone = alone();
    let (_folder, path) = file(format!("id,text\n1,a\n2,\"{}\"\n3,c\n", "some text\n".repeat(4_000_000)));
    for partitions in [1, 16] {
        let declared = "CREATE EXTERNAL TABLE t (id BIGINT, text VARCHAR) STORED AS CSV LOCATION";
        let (held, sum) = block_on(read_declared(partitions, &format!("{declared} '{}'", path.display())));
        let message = sum.unwrap_err().to_string();
        assert!(message.contains("record 2") && message.contains("max_record_bytes"), "{message}");
        assert!(held <= LIMIT, "{partitions}: {held}");

        let limit = 128 * MIB;
        let options = CsvFormatOptions::new().with_memory_limit(limit).with_max_record_bytes(42 * MIB);
        let sum = block_on(read(&session(partitions), &path, options, limit));
        assert_eq!(sum.unwrap(), 6, "{partitions}");

        for policy in [OversizedFields::Null, OversizedFields::Truncate] {
            let options = CsvFormatOptions::new().with_max_field_bytes(None, policy);
            let sum = block_on(read(&session(partitions), &path, options, LIMIT));
            assert_eq!(sum.unwrap(), 6, "{partitions}, {policy:?}");
        }
    }
}

/// Each reader has a record of 3 MB at the same time, but holds no more of it than necessary.
#[test]
fn long_fields_in_many_partitions() {
    const ROWS: i64 = 32;
    let _alone = alone();
    let text = "some text\n".repeat(300_000);
    let rows: String = (0..ROWS).map(|row| format!("{row},\"{text}\"\n")).collect();
    let (_folder, path) = file(format!("id,text\n{rows}"));
    for policy in [OversizedFields::Null, OversizedFields::Truncate] {
        let options = CsvFormatOptions::new().with_max_field_bytes(1000, policy);
        let sum = block_on(read(&session(16), &path, options, LIMIT));
        assert_eq!(sum.unwrap(), ROWS * (ROWS - 1) / 2, "{policy:?}");
    }
}

#[test]
fn a_pool_of_ten_mebibytes_serves_sixteen_partitions() {
    const ROWS: u64 = 120_000;
    let _alone = alone();
    let (_folder, path) = file(narrow(0, ROWS));
    let pool = Arc::new(GreedyMemoryPool::new(LIMIT));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().unwrap();
    let config = SessionConfig::new().with_target_partitions(16);
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    assert_eq!(block_on(read(&ctx, &path, CsvFormatOptions::new(), LIMIT)).unwrap(), sum_of(ROWS as i64));
}
