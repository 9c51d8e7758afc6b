//! Decodes CSV from a socket into batches as it arrives.
//!
//! ```sh
//! cargo run --no-default-features --features async --example socket
//! ```

use std::error::Error;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion_csv_stream::{CsvStream, DecoderBuilder};
use futures::TryStreamExt;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A sender of 100,000 records.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await?;
        socket.write_all(b"id,name\n").await?;
        for id in 0..100_000 {
            socket.write_all(format!("{id},\"name, {id}\"\n").as_bytes()).await?;
        }
        socket.shutdown().await
    });

    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8View, true),
    ]));
    let socket = BufReader::new(TcpStream::connect(address).await?);
    let mut batches = CsvStream::new(socket, DecoderBuilder::new(schema).build()?);
    let mut rows = 0;
    while let Some(batch) = batches.try_next().await? {
        rows += batch.num_rows();
    }
    println!("{rows} rows");
    Ok(())
}
