//! Servers on the loopback interface. One of them is S3: it checks signatures, and its buckets are
//! folders.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use object_store::aws::AmazonS3Builder;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

pub(crate) const KEY: &str = "key";
pub(crate) const SECRET: &str = "secret";
/// A server in threads of its own, which ends when this is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Server {
    /// Serves each new connection, which is numbered.
    pub(crate) fn start<F>(serve: impl Fn(TcpStream, usize) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            for number in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(socket, number));
            }
        });
        Server { address, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An S3 server whose buckets are the folders in `folder`.
pub(crate) fn s3(folder: &Path) -> Server {
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
    builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
    let service = builder.build();
    Server::start(move |socket, _| {
        let service = service.clone();
        async move {
            let connection = hyper::server::conn::http1::Builder::new();
            // A client may disconnect at any time.
            let _ = connection.serve_connection(TokioIo::new(socket), service).await;
        }
    })
}

/// A client of the bucket `bucket`. It tries each request twice, without waiting. Its retries don't
/// cover bodies, so those of this crate can be seen.
pub(crate) fn s3_client(url: &str, secret: &str, patience: Duration) -> AmazonS3Builder {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(1), ..BackoffConfig::default() };
    AmazonS3Builder::new()
        .with_endpoint(url)
        .with_bucket_name("bucket")
        .with_region("us-east-1")
        .with_access_key_id(KEY)
        .with_secret_access_key(secret)
        .with_client_options(ClientOptions::new().with_allow_http(true).with_timeout(patience))
        .with_retry(RetryConfig { max_retries: 1, backoff, ..RetryConfig::default() })
}
