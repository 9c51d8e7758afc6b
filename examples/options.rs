//! Sets options: in SQL, in Rust, and for a whole session.
//!
//! ```sh
//! cargo run --example options
//! ```

use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt, install};

#[tokio::main]
async fn main() -> Result<()> {
    let ctx = SessionContext::new();
    install(&ctx)?;
    let create = "CREATE EXTERNAL TABLE prices STORED AS CSV LOCATION 'testdata/small/semicolon.csv' \
                  OPTIONS ('delimiter' ';', 'quote' '''')";
    ctx.sql(create).await?;
    ctx.sql("SELECT * FROM prices LIMIT 3").await?.show().await?;

    // The same in Rust.
    let options = CsvFormatOptions::new().with_delimiter(b';').with_quote(b'\'');
    ctx.read_csv_file("testdata/small/semicolon.csv", options).await?.show_limit(3).await?;

    // For all tables of the session: their scans leave filters to the operators above.
    ctx.sql("SET csv_stream.pushdown_filters = false").await?;
    let explain = "EXPLAIN SELECT \"Betrag\" FROM prices WHERE \"Verwendungszweck\" = 'Gehalt'";
    ctx.sql(explain).await?.show().await
}
