//! [`BoundedConnector`]: HTTP clients of stores, with buffers that don't grow.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, LOCATION, USER_AGENT};
use hyper::{Method, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};
use object_store::{ClientConfigKey, ClientOptions};
use tokio::time::{error::Elapsed, timeout};

/// Bytes that a connection reads at once. hyper's buffers grow to 408 KiB if they may, and a
/// connection has up to three of them.
const BUFFER_BYTES: usize = 32 << 10;

/// Redirections of one request that are followed.
const MAX_REDIRECTS: usize = 10;

/// Connections that wait for another request, for each host.
const IDLE_CONNECTIONS: usize = 8;

/// The user agent without [`ClientConfigKey::UserAgent`].
const DEFAULT_AGENT: &str = concat!("datafusion-csv-stream/", env!("CARGO_PKG_VERSION"));

/// The variables that name a proxy, which only object_store's own client can use.
const PROXIES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// Makes the HTTP/1.1 clients of stores, with buffers of a fixed size.
///
/// A connection of object_store's own client can hold 1.2 MB while its reader is slower than its
/// store. A scan closes connections for which its memory limit has no room, and opens others, which
/// takes time. A connection of these clients holds 128 KiB at the most, so that isn't needed.
///
/// The timeout of [`ClientOptions`] is for the head of a response, and for each wait for bytes of its
/// body. It is not for the body as a whole, which may be large. Of the options, it also uses the
/// timeout to connect, `allow_http` and the user agent. Where a proxy is set, by an option or by the
/// environment, or certificates are not to be checked, it makes object_store's own client.
///
/// ```
/// use datafusion_csv_stream::client::BoundedConnector;
/// use object_store::aws::AmazonS3Builder;
///
/// let builder = AmazonS3Builder::new().with_bucket_name("bucket").with_http_connector(BoundedConnector);
/// # builder.build()?;
/// # Ok::<(), object_store::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct BoundedConnector;

impl HttpConnector for BoundedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let is_true = |key| options.get_config_value(&key).is_some_and(|value| is_yes(&value));
        let needs_more = is_true(ClientConfigKey::AllowInvalidCertificates)
            || options.get_config_value(&ClientConfigKey::ProxyUrl).is_some()
            || PROXIES.iter().any(|name| is_set(name) || is_set(&name.to_uppercase()));
        if needs_more {
            return ReqwestConnector::default().connect(options);
        }
        // A time that isn't set has been switched off, because object_store sets its defaults.
        let time =
            |key| options.get_config_value(&key).and_then(|text| humantime::parse_duration(&text).ok());
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(time(ClientConfigKey::ConnectTimeout));
        let tls = HttpsConnectorBuilder::new().with_native_roots().map_err(no_certificates)?;
        let tls = match is_true(ClientConfigKey::AllowHttp) {
            true => tls.https_or_http(),
            false => tls.https_only(),
        };
        let client = Client::builder(TokioExecutor::new())
            .http1_read_buf_exact_size(BUFFER_BYTES)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .build(tls.enable_http1().wrap_connector(tcp));
        let agent = options.get_config_value(&ClientConfigKey::UserAgent);
        let agent = agent.unwrap_or_else(|| DEFAULT_AGENT.to_owned());
        let timeout = time(ClientConfigKey::Timeout).unwrap_or(Duration::MAX);
        Ok(HttpClient::new(BoundedClient { client, agent, timeout }))
    }
}

/// Whether a value of an option means yes, as object_store reads it.
fn is_yes(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn no_certificates(error: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "HTTP", source: error.into() }
}

struct BoundedClient {
    client: Client<HttpsConnector<TcpConnector>, HttpRequestBody>,
    agent: String,
    timeout: Duration,
}

impl fmt::Debug for BoundedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedClient").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpService for BoundedClient {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Ok(agent) = self.agent.parse() {
            request.headers_mut().entry(USER_AGENT).or_insert(agent);
        }
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        for _ in 0..MAX_REDIRECTS {
            // A request to read has no body.
            let again = is_read.then(|| (request.method().clone(), request.headers().clone()));
            let from = request.uri().clone();
            let response = timeout(self.timeout, self.client.request(request)).await.map_err(late)?;
            let response = response.map_err(|error| {
                let kind = if error.is_connect() { HttpErrorKind::Connect } else { kind(&error) };
                HttpError::new(kind, error)
            })?;
            let target =
                response.status().is_redirection().then(|| target(&from, response.headers())).flatten();
            let (Some(target), Some((method, headers))) = (target, again) else {
                return Ok(response.map(|body| patient(body, self.timeout)));
            };
            request = HttpRequest::new(HttpRequestBody::empty());
            *request.method_mut() = method;
            *request.headers_mut() = headers;
            request.headers_mut().remove(HOST);
            if target.authority() != from.authority() {
                request.headers_mut().remove(AUTHORIZATION);
            }
            *request.uri_mut() = target;
        }
        let text = format!("more than {MAX_REDIRECTS} redirections");
        Err(HttpError::new(HttpErrorKind::Unknown, io::Error::other(text)))
    }
}

/// The target of a redirection.
fn target(from: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let base = url::Url::parse(&from.to_string()).ok()?;
    base.join(location).ok()?.as_str().parse().ok()
}

/// A body that fails if none of its bytes comes for this long while some are waited for.
fn patient(body: Incoming, patience: Duration) -> HttpResponseBody {
    let frames = stream::try_unfold(body, move |mut body| async move {
        match timeout(patience, body.frame()).await.map_err(late)? {
            Some(Ok(frame)) => Ok(Some((frame, body))),
            Some(Err(error)) => Err(HttpError::new(kind(&error), error)),
            None => Ok(None),
        }
    });
    HttpResponseBody::new(StreamBody::new(frames))
}

fn late(elapsed: Elapsed) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, elapsed)
}

/// The kind of an error, which tells object_store whether a retry may help.
fn kind(error: &(dyn StdError + 'static)) -> HttpErrorKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_closed() || error.is_canceled() || error.is_incomplete_message())
        {
            return HttpErrorKind::Request;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::TimedOut => return HttpErrorKind::Timeout,
                io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof => return HttpErrorKind::Interrupted,
                _ => (),
            }
        }
        cause = error.source();
    }
    HttpErrorKind::Unknown
}
