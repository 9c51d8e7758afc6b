//! SQL from end to end: this engine and DataFusion's built-in CSV reader, in one process, over the
//! same files, with the same schema and number of partitions.
//!
//! ```sh
//! cargo bench --all-features --bench scan              # all rows
//! cargo bench --all-features --bench scan -- count tiny   # rows whose name has one of these words in it
//! ```
//!
//! `CSV_STREAM_BENCH_LINEITEM` names a CSV file of TPC-H's lineitem, with a header. Without it, a
//! file of about 100 MB is generated. `CSV_STREAM_BENCH_RUNS` sets the number of runs of each
//! reader, 5 by default.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/lineitem.rs"]
mod lineitem;
#[path = "support/measure.rs"]
mod measure;
#[path = "support/random.rs"]
mod random;
#[path = "support/schema.rs"]
mod schema;
#[path = "support/text.rs"]
mod text;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_compression::tokio::write::GzipEncoder;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::{CsvStreamFormat, install};
use futures::TryStreamExt;
use measure::{Runs, print_head, print_row};
use schema::lineitem_schema;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

/// The size of the file for gzip, before compression.
const GZIP_BYTES: u64 = 100 << 20;

const SMALL_FILES: usize = 1000;
const SMALL_ROWS: usize = 100;
const TINY_ROWS: usize = 10;

/// A shorter run is repeated until it takes this long.
const LEAST_RUN: Duration = Duration::from_millis(50);

struct Work {
    name: &'static str,
    sql: &'static str,
    data: Data,
    partitions: &'static [usize],
    /// Whether the clock stops at the first batch.
    first_batch: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Data {
    Large,
    /// About as large, with text and dates quoted, and a newline in a third of the quoted fields.
    Newlines,
    Gzip,
    SmallFiles,
    Tiny,
}

#[derive(Clone, Copy)]
enum Reader {
    Ours,
    BuiltIn,
}

const WORKS: [Work; 13] = [
    Work::large("count(*)", "SELECT count(*) FROM lineitem"),
    Work::large("sum of one column", "SELECT sum(l_quantity) FROM lineitem"),
    Work::large("TPC-H Q1", Q1),
    Work::large("TPC-H Q6", Q6),
    Work::large("max of all 16 columns", MAX_OF_ALL),
    // With two partitions, chance decides which ten rows are returned.
    Work { partitions: &[1], ..Work::large("SELECT * LIMIT 10", "SELECT * FROM lineitem LIMIT 10") },
    Work::large("SELECT * WHERE l_orderkey = 1", "SELECT * FROM lineitem WHERE l_orderkey = 1"),
    Work::large(
        "ORDER BY l_extendedprice DESC LIMIT 10",
        // Sorting by the key too makes the result unique among rows of the same price.
        "SELECT * FROM lineitem ORDER BY l_extendedprice DESC, l_orderkey LIMIT 10",
    ),
    Work { data: Data::Newlines, ..Work::large("quoted newlines: sum of one column", SUM) },
    Work { data: Data::Newlines, ..Work::large("quoted newlines: max of all 16 columns", MAX_OF_ALL) },
    Work { data: Data::Gzip, partitions: &[1], ..Work::large("gzip: sum of one column", SUM) },
    Work { data: Data::SmallFiles, ..Work::large("1,000 small files: sum of one column", SUM) },
    Work {
        data: Data::Tiny,
        partitions: &[1],
        first_batch: true,
        ..Work::large("tiny file: first row of SELECT *", "SELECT * FROM lineitem")
    },
];

impl Work {
    const fn large(name: &'static str, sql: &'static str) -> Self {
        Work { name, sql, data: Data::Large, partitions: &[1, 2], first_batch: false }
    }
}

const SUM: &str = "SELECT sum(l_quantity) FROM lineitem";

const Q1: &str = "
    SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),
        sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)),
        avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
    FROM lineitem WHERE l_shipdate <= DATE '1998-09-02'
    GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus";

const Q6: &str = "
    SELECT sum(l_extendedprice * l_discount) FROM lineitem
    WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
        AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24";

const MAX_OF_ALL: &str = "
    SELECT max(l_orderkey), max(l_partkey), max(l_suppkey), max(l_linenumber), max(l_quantity),
        max(l_extendedprice), max(l_discount), max(l_tax), max(l_returnflag), max(l_linestatus), max(l_shipdate),
        max(l_commitdate), max(l_receiptdate), max(l_shipinstruct), max(l_shipmode), max(l_comment)
    FROM lineitem";

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let works: Vec<&Work> = WORKS
        .iter()
        .filter(|work| words.is_empty() || words.iter().any(|word| work.name.contains(word)))
        .collect();
    let runs: usize =
        std::env::var("CSV_STREAM_BENCH_RUNS").map_or(5, |runs| runs.parse().expect("a number"));
    let files = Files::make(|data| works.iter().any(|work| work.data == data))?;
    println!(
        "lineitem: {} MB; medians of {runs} runs, in turn\n",
        fs::metadata(&files.large)?.len() / 1_000_000
    );
    print_head(&[
        "work",
        "partitions",
        "ours, ms",
        "built-in, ms",
        "built-in ÷ ours",
        "ours, CPU ms",
        "built-in, CPU ms",
        "ours, peak heap MiB",
        "built-in, peak heap MiB",
    ]);
    for work in works {
        for &partitions in work.partitions {
            compare(work, partitions, &files, runs)?;
        }
    }
    Ok(())
}

fn compare(work: &Work, partitions: usize, files: &Files, runs: usize) -> Result<()> {
    // There are as many workers as partitions. Blocking reads of files run on further threads.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(partitions).enable_all().build()?;
    let sessions =
        [session(Reader::Ours, work, partitions, files)?, session(Reader::BuiltIn, work, partitions, files)?];
    let run = |session: &SessionContext| on_workers(&runtime, session, work);

    // These runs also warm up the caches.
    let [ours, built_in] = [sorted_rows(&run(&sessions[0])?)?, sorted_rows(&run(&sessions[1])?)?];
    assert!(!ours.is_empty() && ours == built_in, "{}: {ours:#?}\nand not {built_in:#?}", work.name);

    let mut measured = [Runs::default(), Runs::default()];
    let repeats = [repeats(|| run(&sessions[0]))?, repeats(|| run(&sessions[1]))?];
    for _ in 0..runs {
        for ((measured, session), repeats) in measured.iter_mut().zip(&sessions).zip(repeats) {
            measured.add(repeats, || drop(run(session).expect("it has run before")));
        }
    }
    let [ours, built_in] = measured;
    print_row([
        work.name.to_owned(),
        partitions.to_string(),
        ours.time_ms(),
        built_in.time_ms(),
        format!("{:.2}", built_in.time().as_secs_f64() / ours.time().as_secs_f64()),
        ours.cpu_ms(),
        built_in.cpu_ms(),
        ours.heap_mib(),
        built_in.heap_mib(),
    ]);
    Ok(())
}

/// The number of times that work has to be repeated for a run that is long enough to be measured.
fn repeats(work: impl Fn() -> Result<Vec<RecordBatch>>) -> Result<u32> {
    let started = Instant::now();
    work()?;
    Ok((LEAST_RUN.as_nanos() / started.elapsed().as_nanos().max(1)) as u32 + 1)
}

/// Plans and runs a query on the runtime's workers; the calling thread only waits.
fn on_workers(runtime: &Runtime, session: &SessionContext, work: &Work) -> Result<Vec<RecordBatch>> {
    let (session, sql, first_batch) = (session.clone(), work.sql, work.first_batch);
    let query = runtime.spawn(async move {
        let mut batches = session.sql(sql).await?.execute_stream().await?;
        match first_batch {
            true => Ok(batches.try_next().await?.into_iter().collect()),
            false => batches.try_collect().await,
        }
    });
    runtime.block_on(query).map_err(|error| DataFusionError::External(Box::new(error)))?
}

fn session(reader: Reader, work: &Work, partitions: usize, files: &Files) -> Result<SessionContext> {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    let (path, extension, compression) = match work.data {
        Data::Large => (&files.large, "", FileCompressionType::UNCOMPRESSED),
        Data::Newlines => (&files.newlines, "", FileCompressionType::UNCOMPRESSED),
        Data::Gzip => (&files.gzip, "", FileCompressionType::GZIP),
        Data::SmallFiles => (&files.small, ".csv", FileCompressionType::UNCOMPRESSED),
        Data::Tiny => (&files.tiny, "", FileCompressionType::UNCOMPRESSED),
    };
    let format: Arc<dyn FileFormat> = match reader {
        Reader::Ours => {
            // A scan takes filters only in a session with this crate's pushdown rules.
            install(&ctx)?;
            Arc::new(CsvStreamFormat::default())
        }
        Reader::BuiltIn => {
            let format = CsvFormat::default().with_file_compression_type(compression);
            // With this option the built-in reader reads a file in one partition. Without it,
            // newlines in values are an error.
            Arc::new(format.with_newlines_in_values(work.data == Data::Newlines))
        }
    };
    let url = ListingTableUrl::parse(path.to_str().expect("a path in UTF-8"))?;
    let config = ListingTableConfig::new(url)
        .with_listing_options(ListingOptions::new(format).with_file_extension(extension))
        .with_schema(lineitem_schema());
    ctx.register_table("lineitem", Arc::new(ListingTable::try_new(config)?))?;
    Ok(ctx)
}

fn sorted_rows(batches: &[RecordBatch]) -> Result<Vec<String>> {
    let mut rows: Vec<String> =
        pretty_format_batches(batches)?.to_string().lines().map(str::to_owned).collect();
    rows.sort();
    Ok(rows)
}

/// The files that are read.
struct Files {
    large: PathBuf,
    newlines: PathBuf,
    gzip: PathBuf,
    /// A folder, with the trailing `/` that marks it as one.
    small: PathBuf,
    tiny: PathBuf,
    _folder: TempDir,
}

impl Files {
    /// Makes the files that are needed from the start of the large one.
    fn make(is_wanted: impl Fn(Data) -> bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let large = lineitem::file(folder.path())?;
        let files = Files {
            large,
            newlines: path("newlines.csv"),
            gzip: path("lineitem.csv.gz"),
            small: path("small/"),
            tiny: path("tiny.csv"),
            _folder: folder,
        };
        if is_wanted(Data::Newlines) {
            files.quote()?;
        }
        if is_wanted(Data::Gzip) {
            files.compress()?;
        }
        if is_wanted(Data::SmallFiles) {
            fs::create_dir(&files.small)?;
            let names = (0..SMALL_FILES).map(|number| files.small.join(format!("part-{number:04}.csv")));
            files.cut(names, SMALL_ROWS)?;
        }
        if is_wanted(Data::Tiny) {
            files.cut([files.tiny.clone()], TINY_ROWS)?;
        }
        Ok(files)
    }

    /// Writes files of `rows` rows each, with a header.
    fn cut(&self, paths: impl IntoIterator<Item = PathBuf>, rows: usize) -> Result<()> {
        let mut lines = BufReader::new(File::open(&self.large)?).lines();
        let header = lines.next().expect("a header")?;
        for path in paths {
            let mut text = header.clone() + "\n";
            for line in lines.by_ref().take(rows) {
                text += &(line? + "\n");
            }
            fs::write(path, text)?;
        }
        Ok(())
    }

    /// Writes rows of the large file, up to its size, with quotes around dates and texts. Most
    /// texts get a newline.
    fn quote(&self) -> Result<()> {
        let external = |error: csv::Error| DataFusionError::External(Box::new(error));
        let size = fs::metadata(&self.large)?.len();
        let mut rows = csv::Reader::from_path(&self.large).map_err(external)?;
        let header = rows.headers().map_err(external)?.iter().collect::<Vec<_>>().join(",");
        let mut file = BufWriter::new(File::create(&self.newlines)?);
        writeln!(file, "{header}")?;
        let mut written = 0;
        for (number, row) in rows.records().enumerate() {
            let mut line = String::new();
            for (column, value) in row.map_err(external)?.iter().enumerate() {
                let has_newline = matches!((column, number % 3), (13 | 15, _) | (14, 1 | 2));
                let separator = if column == 0 { "" } else { "," };
                match column {
                    0..8 => line += &format!("{separator}{value}"),
                    _ if has_newline => line += &format!("{separator}\"{}\n{}\"", &value[..1], &value[1..]),
                    _ => line += &format!("{separator}\"{value}\""),
                }
            }
            line.push('\n');
            written += line.len() as u64;
            if written > size {
                break;
            }
            file.write_all(line.as_bytes())?;
        }
        Ok(file.flush()?)
    }

    fn compress(&self) -> Result<()> {
        let mut bytes = Vec::new();
        File::open(&self.large)?.take(GZIP_BYTES).read_to_end(&mut bytes)?;
        let whole_rows = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let compressed = runtime.block_on(async {
            let mut encoder = GzipEncoder::new(Vec::new());
            encoder.write_all(&bytes[..whole_rows]).await?;
            encoder.shutdown().await?;
            Ok::<_, std::io::Error>(encoder.into_inner())
        })?;
        Ok(fs::write(&self.gzip, compressed)?)
    }
}
