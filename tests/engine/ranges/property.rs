//! Byte ranges: however a file is cut, every record once, or an error that says where.

use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::rng::{Rng, seeds};

/// A table over some bytes in memory, and the scan of it.
struct Table {
    ctx: SessionContext,
    config: FileScanConfig,
}

impl Table {
    /// A table of text columns, so that every record is read, whatever is in it.
    async fn new(bytes: &[u8], options: CsvFormatOptions, sql: &str) -> Self {
        let store = InMemory::new();
        store.put(&Path::from("t.csv"), bytes.to_vec().into()).await.unwrap();
        let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        ctx.register_object_store(&"mem://s/".parse().unwrap(), store);
        let options = options.with_schema_infer_max_rec(0);
        ctx.register_csv_file_with_options("t", "mem://s/t.csv", options).await.unwrap();
        let plan = ctx.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        let config = scan_of(&plan);
        Table { ctx, config }
    }

    fn size(&self) -> i64 {
        self.config.file_groups[0].files()[0].object_meta.size as i64
    }

    /// The rows of each partition, where the file is cut at these bytes.
    async fn read(&self, cuts: &[i64]) -> Result<Vec<Vec<String>>> {
        let file = &self.config.file_groups[0].files()[0];
        let piece = |cut: &[i64]| FileGroup::new(vec![piece(file, cut[0], cut[1])]);
        let groups = cuts.windows(2).map(piece).collect();
        // In the order of the ranges, and each partition its own.
        let config = FileScanConfigBuilder::from(self.config.clone())
            .with_file_groups(groups)
            .with_preserve_order(true)
            .build();
        let plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let mut found = Vec::new();
        for partition in 0..cuts.len() - 1 {
            let stream = plan.execute(partition, self.ctx.task_ctx())?;
            found.push(cells_or_counts(&datafusion::physical_plan::common::collect(stream).await?));
        }
        Ok(found)
    }
}

/// Rows as text, or as many nothings as there are rows without columns.
fn cells_or_counts(batches: &[datafusion::arrow::record_batch::RecordBatch]) -> Vec<String> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

    let mut found = Vec::new();
    for batch in batches {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            found.push(cells.join("|"));
        }
    }
    found
}

fn scan_of(plan: &Arc<dyn ExecutionPlan>) -> FileScanConfig {
    match plan.downcast_ref::<DataSourceExec>() {
        Some(scan) => scan.data_source().downcast_ref::<FileScanConfig>().unwrap().clone(),
        None => scan_of(plan.children()[0]),
    }
}

fn piece(file: &PartitionedFile, start: i64, end: i64) -> PartitionedFile {
    file.clone().with_range(start, end)
}

fn random_cuts(rng: &mut Rng, size: i64, pieces: usize) -> Vec<i64> {
    let mut cuts: Vec<i64> = (1..pieces).map(|_| rng.below(size as usize + 1) as i64).collect();
    cuts.extend([0, size]);
    cuts.sort_unstable();
    cuts
}

/// A kind of file: how it is written and read.
struct Kind {
    name: &'static str,
    options: fn() -> CsvFormatOptions,
    between: &'static [&'static str],
    fields: &'static [&'static str],
    /// Whether records may have other numbers of fields.
    is_ragged: bool,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, fields| Kind {
        name,
        options: CsvFormatOptions::new,
        between: &["\n"],
        fields,
        is_ragged: false,
    };
    vec![
        kind("plain", &["1", "22", "", "abc"]),
        kind("quoted newlines", &["1", "\"a\nb\"", "\"\n\"", "\"x\n\"\"y\"\"\nz\"", "\"1,2,3\n4,5,6\n\""]),
        Kind {
            between: &["\r\n", "\r\n", "\r", "\n\n", "\r\n\r\n"],
            ..kind("CRLF", &["1", "\"a\r\nb\"", "\"\r\n\"", "x"])
        },
        kind(
            "a table in a field",
            &["1", "2", "\"1,2,3\n4,5,6\n7,8,9\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n1,2,3\n4,5,6\n7,8,9\n\""],
        ),
        kind("empty quoted", &["\"\""]),
        kind("commas quoted", &["\",\"", "\",\"\",\"", "\",\n\""]),
        kind("stray quotes", &["5\" pipe", "\"a\"b", "6\"", "x \"y\" z", "\"c\" ", "12", "\"q\nr\""]),
        Kind {
            options: || CsvFormatOptions::new().with_escape(b'\\'),
            ..kind("escapes", &["\"a\\\"b\"", "\"\\\\\"", "C:\\dir", "\"\\\n\"", "1"])
        },
        Kind {
            options: || CsvFormatOptions::new().with_comment(b'#'),
            between: &["\n", "\n# it's \"quoted\n", "\n#1,2,3\n#\"\n", "\n\n"],
            ..kind("comments", &["1", "\"#\n#\"", "x"])
        },
        Kind {
            options: || CsvFormatOptions::new().with_truncated_rows(true),
            is_ragged: true,
            ..kind("short rows", &["1", "\"a\nb\"", "\"1,2,3\n\"", "2"])
        },
        Kind { is_ragged: true, ..kind("wrong rows", &["1", "\"a\nb\"", "\"1,2,3\n\"", "2"]) },
    ]
}

fn file(rng: &mut Rng, kind: &Kind, has_header: bool) -> Vec<u8> {
    let mut out = if rng.once_in(8) { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
    if rng.once_in(4) {
        out.extend(kind.between[kind.between.len() - 1].bytes().skip_while(|byte| *byte != b'\n').skip(1));
    }
    if has_header {
        out.extend(b"a,b,c\n");
    } else {
        out.extend(b"1,2,3\n");
    }
    let short = |rng: &mut Rng| if kind.is_ragged && rng.once_in(20) { 2 } else { 3 };
    for record in 0..1 + rng.below(60) {
        if record > 0 {
            out.extend(rng.pick(kind.between).bytes());
        }
        let fields: Vec<_> = (0..short(rng)).map(|_| rng.pick(kind.fields)).collect();
        out.extend(fields.join(",").bytes());
    }
    if rng.once_in(2) {
        out.extend(b"\n");
    }
    out
}

/// The theorem: the ranges' records are those of the whole file, in order; or there is an error.
#[tokio::test]
async fn any_cut_gives_every_record_once_or_an_error() {
    for kind in kinds() {
        let (mut right, mut refused) = (0, 0);
        for seed in seeds(40) {
            let rng = &mut Rng::new(seed);
            let has_header = rng.once_in(2);
            let bytes = file(rng, &kind, has_header);
            let options = (kind.options)().with_has_header(has_header);
            let sql = rng.pick(&["SELECT * FROM t", "SELECT count(*) FROM t"]);
            let table = Table::new(&bytes, options, sql).await;
            let whole = table.read(&[0, table.size()]).await.map(|found| found.concat());
            for pieces in [2, 3, 16, 64] {
                let cuts = random_cuts(rng, table.size(), pieces);
                let context =
                    || format!("seed {seed} of {}: {cuts:?} of \"{}\"", kind.name, bytes.escape_ascii());
                match (table.read(&cuts).await.map(|found| found.concat()), &whole) {
                    (Ok(found), Ok(whole)) => {
                        assert_eq!(found, *whole, "{}", context());
                        right += 1;
                    }
                    (Ok(found), Err(error)) => panic!("{}: {error}, but {found:?}", context()),
                    (Err(error), _) => {
                        assert!(error.to_string().contains("byte "), "{}: {error}", context());
                        refused += usize::from(whole.is_ok());
                    }
                }
            }
        }
        println!("{:20} {right:5} right, {refused:5} refused though readable", kind.name);
        assert!(
            refused == 0 || matches!(kind.name, "stray quotes" | "wrong rows"),
            "{}: {refused}",
            kind.name
        );
    }
}
