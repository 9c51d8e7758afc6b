//! The decoder compared with `arrow-csv`, and its own rules.

mod batches;
mod compared;
mod decimals;
mod dictionaries;
mod exact;
mod lossy;
mod nulls;
mod refused;
#[path = "../support/decode.rs"]
#[allow(unreachable_pub, reason = "a fuzz target of another crate includes the file too")]
mod support;
mod values;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_csv_stream::Dialect;
use datafusion_csv_stream::decode::DecodeOptions;
use datafusion_csv_stream::error::Error;
use support::{WHOLE, ours};

fn table(data_type: DataType) -> Schema {
    Schema::new(vec![Field::new("value", data_type, true)])
}

fn read(input: &str, data_type: DataType, options: &DecodeOptions) -> Result<ArrayRef, Error> {
    let dialect = Dialect::builder().with_header(false).build()?;
    let table =
        Schema::new(vec![Field::new("first", DataType::Utf8, true), Field::new("value", data_type, true)]);
    ours(input.as_bytes(), &table, &dialect, options, WHOLE).map(|batch| batch.column(1).clone())
}

/// A panic in the oracle is expected, and its message would be noise.
fn silence_panics_of_arrow() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|location| location.file().contains("arrow-")) {
            hook(info);
        }
    }));
}
