//! Reads a file without DataFusion and without async.
//!
//! ```sh
//! cargo run --no-default-features --features arrow --example reader
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Seek};

use datafusion_csv_stream::{DecoderBuilder, Dialect, Reader, infer};

const PATH: &str = "testdata/small/people.csv";

fn main() -> Result<(), Box<dyn Error>> {
    let mut file = BufReader::with_capacity(256 << 10, File::open(PATH)?);
    let schema = infer::read_schema(&mut file, &Dialect::default())?;
    file.rewind()?;
    let decoder = DecoderBuilder::new(schema).with_path(PATH).build()?;
    for batch in Reader::new(file, decoder) {
        let batch = batch?;
        println!("{} rows of {} columns", batch.num_rows(), batch.num_columns());
    }
    Ok(())
}
