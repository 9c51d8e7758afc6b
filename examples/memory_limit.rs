//! Limits the memory of a scan, in a session that limits the memory of all its queries.
//!
//! ```sh
//! cargo run --example memory_limit
//! ```

use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::{CsvFormatOptions, CsvSessionExt};

#[tokio::main]
async fn main() -> Result<()> {
    // 100 MiB for all queries of the session together, operators included.
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(100 << 20, 1.0).build_arc()?;
    let ctx = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    // 4 MiB for one scan, all its partitions together. It reserves them in the session's pool while
    // it reads.
    let options = CsvFormatOptions::new().with_memory_limit(4 << 20);
    ctx.register_csv_file_with_options("orders", "testdata/small/orders.csv", options).await?;
    ctx.sql("SELECT count(*), avg(amount) FROM orders").await?.show().await?;
    println!("reserved after the query: {} bytes", ctx.runtime_env().memory_pool.reserved());
    Ok(())
}
