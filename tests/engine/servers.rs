//! Real servers on the loopback interface and real clients: S3 with its signatures checked, HTTP
//! with ranges, and connections that break.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_csv_stream::CsvSessionExt;
use http_body_util::Full;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, IF_MATCH, LAST_MODIFIED, RANGE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{KEY, SECRET, Server, s3, s3_client};
use crate::support::{cells, folder, rows};

const LAST_CHANGE: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

/// An HTTP server that gives one file for any path, with ranges and conditions. It counts requests.
fn http(file: Vec<u8>, requests: Arc<AtomicUsize>) -> Server {
    let file = Bytes::from(file);
    Server::start(move |socket, _| {
        let (file, requests) = (file.clone(), Arc::clone(&requests));
        async move {
            let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
                requests.fetch_add(1, SeqCst);
                let answer = answer(&file, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), answer)
                .await;
        }
    })
}

fn answer<B>(file: &Bytes, request: &Request<B>) -> Response<Full<Bytes>> {
    let response = Response::builder()
        .header(ETAG, "\"one\"")
        .header(LAST_MODIFIED, LAST_CHANGE)
        .header(ACCEPT_RANGES, "bytes");
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap());
    if header(IF_MATCH).is_some_and(|e_tag| e_tag != "\"one\"") {
        return response.status(StatusCode::PRECONDITION_FAILED).body(Full::default()).unwrap();
    }
    let Some(range) = header(RANGE) else {
        return response.body(Full::new(file.clone())).unwrap();
    };
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let last = last.parse().unwrap_or(usize::MAX).min(file.len() - 1);
    response
        .status(StatusCode::PARTIAL_CONTENT)
        .header(CONTENT_RANGE, format!("bytes {first}-{last}/{}", file.len()))
        .body(Full::new(file.slice(first..=last)))
        .unwrap()
}

/// The way in which a connection breaks on its way to the client.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// It is closed after this many bytes.
    Close(usize),
    /// No more bytes come after this many.
    Stall(usize),
    /// It is closed once this many bytes have passed over it and all others.
    CloseAll(&'static AtomicUsize),
}

impl Cut {
    /// Takes up to `most` of the bytes that may still pass, after `passed` of them. Bytes from the
    /// shared budget are taken from all other connections.
    fn take_room(self, passed: usize, most: usize) -> usize {
        match self {
            Cut::Close(at) | Cut::Stall(at) => most.min(at - passed),
            Cut::CloseAll(left) => {
                let take = |left: usize| Some(left - left.min(most));
                most.min(left.fetch_update(SeqCst, SeqCst, take).unwrap_or_default())
            }
        }
    }
}

/// A proxy between a client and a server. It passes bytes until a connection breaks, and counts the
/// connections that got that far.
fn proxy(
    server: &Server,
    cuts: &Arc<AtomicUsize>,
    cut: impl Fn(usize) -> Option<Cut> + Send + Sync + 'static,
) -> Server {
    let (address, cuts) = (server.address, Arc::clone(cuts));
    Server::start(move |socket, number| {
        let (cut, cuts) = (cut(number), Arc::clone(&cuts));
        async move {
            let _ = pass(socket, address, cut, &cuts).await;
        }
    })
}

async fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    cut: Option<Cut>,
    cuts: &AtomicUsize,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let upwards = async {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    };
    let downwards = async {
        let (mut passed, mut buffer) = (0, [0; 4096]);
        loop {
            let most = cut.map_or(buffer.len(), |cut| cut.take_room(passed, buffer.len()));
            if most == 0 {
                cuts.fetch_add(1, SeqCst);
                if let Some(Cut::Stall(_)) = cut {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                }
                return Ok(());
            }
            let read = from_server.read(&mut buffer[..most]).await?;
            if read == 0 {
                return Ok(());
            }
            to_client.write_all(&buffer[..read]).await?;
            passed += read;
            if let Some(Cut::CloseAll(left)) = cut {
                left.fetch_add(most - read, SeqCst);
            }
        }
    };
    tokio::select! {
        ended = upwards => ended,
        ended = downwards => ended,
    }
}

fn client(server: &Server, secret: &str) -> Arc<dyn ObjectStore> {
    client_that_waits(server, secret, Duration::from_secs(60))
}

fn client_that_waits(server: &Server, secret: &str, patience: Duration) -> Arc<dyn ObjectStore> {
    Arc::new(s3_client(&server.url(), secret, patience).build().unwrap())
}

/// A session with the table `t`, the bucket's `t.csv`.
async fn session(store: Arc<dyn ObjectStore>, partitions: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    config.options_mut().optimizer.repartition_file_min_size = 1;
    let ctx = SessionContext::new_with_config(config);
    ctx.register_object_store(&"s3://bucket/".parse().unwrap(), store);
    ctx.register_csv_file("t", "s3://bucket/t.csv").await.unwrap();
    ctx
}

const ROWS: u64 = 60_000;

/// About 4 MB: several blocks.
fn text() -> Vec<u8> {
    let mut text = b"id,note\n".to_vec();
    for row in 0..ROWS {
        text.extend(format!("{row},\"a note of some length,\nin two lines, about row {row:08}\"\n").bytes());
    }
    text
}

const SQL: &str = "SELECT count(*), sum(id), count(DISTINCT note), max(length(note)) FROM t";

fn expected() -> String {
    format!("{ROWS}|{}|{ROWS}|55", ROWS * (ROWS - 1) / 2)
}

/// An S3 server with the bucket, to which the file has been uploaded. The server knows the ETag
/// only of uploaded files; for others it reads the file on each request.
async fn bucket() -> (TempDir, Server) {
    let files = folder(&[("bucket/other", b"")]);
    let server = s3(files.path());
    client(&server, SECRET).put(&"t.csv".into(), text().into()).await.unwrap();
    (files, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_is_read_in_ranges() {
    let (_files, server) = bucket().await;
    for partitions in [1, 2, 16] {
        let ctx = session(client(&server, SECRET), partitions).await;
        assert_eq!(rows(&ctx, SQL).await, [expected()], "{partitions} partitions");
    }
    let limited = session(client(&server, SECRET), 1).await;
    assert_eq!(rows(&limited, "SELECT id FROM t LIMIT 3").await, ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_with_another_secret_is_an_error_that_says_so() {
    let (_files, server) = bucket().await;
    let ctx = SessionContext::new();
    ctx.register_object_store(&"s3://bucket/".parse().unwrap(), client(&server, "another secret"));
    let message = ctx.register_csv_file("t", "s3://bucket/t.csv").await.unwrap_err().to_string();
    assert!(message.contains("403") || message.contains("SignatureDoesNotMatch"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_after_it_was_listed_is_an_error() {
    let (_files, server) = bucket().await;
    let ctx = session(client(&server, SECRET), 1).await;
    let plan = ctx.sql(SQL).await.unwrap().create_physical_plan().await.unwrap();
    // This text is as long as the first one, and the upload is within the same second.
    let other = String::from_utf8(text()).unwrap().replace("two lines", "2 lines--");
    client(&server, SECRET).put(&"t.csv".into(), other.into_bytes().into()).await.unwrap();
    let message = collect(plan, ctx.task_ctx()).await.unwrap_err().to_string();
    assert!(message.contains("t.csv") && message.contains("has changed since it was listed"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_or_stall_are_made_again() {
    let (_files, server) = bucket().await;
    let store = client(&server, SECRET);
    let whole = session(store, 1).await;
    let right = rows(&whole, SQL).await;
    for partitions in [1, 2] {
        for cut in
            [Cut::Close(0), Cut::Close(100), Cut::Close(70_000), Cut::Close(1_100_000), Cut::Stall(300_000)]
        {
            let cuts = Arc::default();
            // A client keeps its connections, so the first one has to break too.
            let proxy = proxy(&server, &cuts, move |number| (number % 2 == 0).then_some(cut));
            let ctx = session(client_that_waits(&proxy, SECRET, Duration::from_secs(3)), partitions).await;
            let found = ctx.sql(SQL).await.unwrap().collect().await.unwrap();
            assert_eq!(cells(&found), right);
            assert!(cuts.load(SeqCst) > 0, "{cut:?}, {partitions} partitions");
        }
    }
}

/// The bytes that have passed are those before the missing one, headers, and parts of later blocks.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_always_breaks_is_an_error_that_says_where() {
    const BYTES: usize = 500_000;
    static LEFT: AtomicUsize = AtomicUsize::new(BYTES);
    let (_files, server) = bucket().await;
    let proxy = proxy(&server, &Arc::default(), |_| Some(Cut::CloseAll(&LEFT)));
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    datafusion_csv_stream::install(&ctx).unwrap();
    ctx.register_object_store(&"s3://bucket/".parse().unwrap(), client(&proxy, SECRET));
    let create = "CREATE EXTERNAL TABLE t (id BIGINT, note VARCHAR) STORED AS CSV LOCATION 's3://bucket/t.csv' OPTIONS \
                  ('memory_limit' '1MiB')";
    ctx.sql(create).await.unwrap();
    let message = ctx.sql(SQL).await.unwrap().collect().await.unwrap_err().to_string();
    let (_, from) =
        message.split_once("t.csv: no byte came from byte ").unwrap_or_else(|| panic!("{message}"));
    let (at, rest) = from.split_once(' ').unwrap();
    assert!((BYTES / 4..BYTES).contains(&at.parse().unwrap()), "{message}");
    assert!(rest.contains("with 5 tries"), "{message}");
}

/// Runs the command line with these environment variables.
fn command_line(url: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_csv-stream"))
        .args(["query", &SQL.replace("FROM t", &format!("FROM '{url}'")), "--format", "csv"])
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_reads_stores_by_the_environment() {
    let ((_files, s3), requests) = (bucket().await, Arc::new(AtomicUsize::new(0)));
    let http = http(text(), Arc::clone(&requests));
    let (s3, server) = (s3.url(), http.url());
    let aws = |secret| {
        [
            ("AWS_ENDPOINT_URL", s3.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ]
    };
    // Google's and Azure's own clients, with a server that knows only HTTP.
    let google = [
        ("GOOGLE_BASE_URL", server.as_str()),
        ("GOOGLE_ALLOW_HTTP", "true"),
        ("GOOGLE_SKIP_SIGNATURE", "true"),
    ];
    let azure = [
        ("AZURE_STORAGE_ENDPOINT", server.as_str()),
        ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
        ("AZURE_ALLOW_HTTP", "true"),
        ("AZURE_SKIP_SIGNATURE", "true"),
    ];
    for (url, variables, asks_http) in [
        ("s3://bucket/t.csv", &aws(SECRET)[..], false),
        (&format!("{server}/t.csv"), &[], true),
        ("gs://bucket/t.csv", &google, true),
        ("az://container/t.csv", &azure, true),
    ] {
        let output = command_line(url, variables);
        let (found, message) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{url}: {message}");
        assert_eq!(found.lines().nth(1), Some(expected().replace('|', ",").as_str()), "{url}");
        // The requests are a `HEAD`, a sample, another `HEAD`, and several blocks.
        let asked = requests.swap(0, SeqCst);
        assert_eq!(asked > 5, asks_http, "{url}: {asked} requests");
    }
    let output = command_line("s3://bucket/t.csv", &aws("wrong"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("403"), "{message}");
}

/// A server that sends the reader on to another path, and that doesn't know ranges.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_follows_redirections_and_reads_without_ranges() {
    let rows = 300_000;
    let text = Bytes::from(format!("n,s\n{}", "1,some text\n".repeat(rows)));
    let server = Server::start(move |socket, _| {
        let text = text.clone();
        async move {
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let text = text.clone();
                async move {
                    let builder = Response::builder().header(LAST_MODIFIED, "Wed, 21 Oct 2026 07:28:00 GMT");
                    let response = match request.uri().path() {
                        "/there/t.csv" => builder.body(Full::new(text)),
                        _ => builder
                            .status(StatusCode::FOUND)
                            .header("location", "/there/t.csv")
                            .body(Full::default()),
                    };
                    Ok::<_, Infallible>(response.unwrap())
                }
            });
            // A client may disconnect at any time.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        }
    });
    for threads in ["1", "4"] {
        let sql = format!("SELECT sum(n), count(*) FROM '{}/here/t.csv'", server.url());
        let output = tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_csv-stream"))
                .args(["query", "--threads", threads, "--format", "csv", &sql])
                .output()
                .unwrap()
        });
        let Output { stdout, stderr, .. } = output.await.unwrap();
        let found = String::from_utf8_lossy(&stdout);
        assert!(
            found.ends_with(&format!("\n{rows},{rows}\n")),
            "{found}{}",
            String::from_utf8_lossy(&stderr)
        );
    }
}
