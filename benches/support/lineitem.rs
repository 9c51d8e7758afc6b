//! The file of TPC-H's lineitem that the benchmarks read.

use std::fs::File;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

use crate::schema::lineitem_schema;
use crate::text;

/// The number of rows of the generated file, which has about 100 MB.
const GENERATED_ROWS: usize = 850_000;

/// The file that `CSV_STREAM_BENCH_LINEITEM` names, or else one that is generated in the folder.
pub(crate) fn file(folder: &Path) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CSV_STREAM_BENCH_LINEITEM") {
        return Ok(path.into());
    }
    let path = folder.join("lineitem.csv");
    let names: Vec<String> = lineitem_schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut file = File::create(&path)?;
    writeln!(file, "{}", names.join(","))?;
    file.write_all(text::lineitem(GENERATED_ROWS).as_bytes())?;
    Ok(path)
}
