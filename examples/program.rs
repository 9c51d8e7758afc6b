//! A program that registers a file and queries it.
//!
//! ```sh
//! cargo run --example program
//! ```

use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use datafusion_csv_stream::CsvSessionExt;

#[tokio::main]
async fn main() -> Result<()> {
    let ctx = SessionContext::new();
    // A path is a file, a folder, a glob, or a URL whose object store the session knows.
    ctx.register_csv_file("orders", "testdata/small/orders.csv").await?;
    let sql =
        "SELECT customer, sum(amount) AS total FROM orders GROUP BY customer ORDER BY total DESC LIMIT 3";
    ctx.sql(sql).await?.show().await
}
