//! [`EnvironmentStores`]: object stores that are configured by their URLs and by environment
//! variables.

use std::ffi::OsString;
use std::fmt::Debug;
use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion_csv_stream::client::BoundedConnector;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{ObjectStore, ObjectStoreScheme, parse_url_opts};
use url::Url;

/// The prefixes of the environment variables that AWS, Google and Azure clients read, in lower
/// case.
const PREFIXES: [&str; 3] = ["aws_", "google_", "azure_"];

/// Knows local files, and makes the store of any other URL on its first use: `s3://bucket/`,
/// `gs://bucket/`, `az://container/`, `http://host/`, `https://host/`, and the other URLs that
/// `object_store` supports.
#[derive(Debug, Default)]
pub(super) struct EnvironmentStores {
    known: DefaultObjectStoreRegistry,
}

impl EnvironmentStores {
    /// A runtime environment with these stores.
    pub(super) fn runtime_env() -> Result<Arc<RuntimeEnv>> {
        RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Self::default())).build_arc()
    }
}

impl ObjectStoreRegistry for EnvironmentStores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.known.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.known.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.known.get_store(url).or_else(|_| {
            // A variable that isn't UTF-8 can't be a store's option.
            let text = |(key, value): (OsString, OsString)| {
                Some((key.into_string().ok()?, value.into_string().ok()?))
            };
            let options = options(url, std::env::vars_os().filter_map(text));
            let store = store(url, options).map_err(|error| DataFusionError::ObjectStore(Box::new(error)))?;
            self.register_store(url, Arc::clone(&store));
            Ok(store)
        })
    }
}

/// The store of a URL, with clients whose memory is bounded.
fn store(url: &Url, options: Vec<(String, String)>) -> object_store::Result<Arc<dyn ObjectStore>> {
    /// A builder's store, with the options that the builder knows.
    macro_rules! build {
        ($builder:ty, $url:expr) => {{
            let mut builder = <$builder>::new().with_url($url);
            // Only object_store's own client sends the name and password of a URL.
            if url.username().is_empty() {
                builder = builder.with_http_connector(BoundedConnector);
            }
            let known = |(key, value): (String, String)| Some((key.parse().ok()?, value));
            let options = options.into_iter().filter_map(known);
            Arc::new(options.fold(builder, |builder, (key, value)| builder.with_config(key, value)).build()?)
        }};
    }
    let (scheme, _) = ObjectStoreScheme::parse(url)?;
    Ok(match scheme {
        ObjectStoreScheme::AmazonS3 => build!(AmazonS3Builder, url.as_str()),
        ObjectStoreScheme::GoogleCloudStorage => build!(GoogleCloudStorageBuilder, url.as_str()),
        ObjectStoreScheme::MicrosoftAzure => build!(MicrosoftAzureBuilder, url.as_str()),
        ObjectStoreScheme::Http => build!(HttpBuilder, &url[..url::Position::BeforePath]),
        _ => parse_url_opts(url, options)?.0.into(),
    })
}

/// The options of a store: those of the environment, and `allow_http` for a URL without TLS.
fn options(url: &Url, environment: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let is_for_stores = |key: &str| PREFIXES.iter().any(|prefix| key.starts_with(prefix));
    let environment = environment.map(|(key, value)| (key.to_ascii_lowercase(), value));
    let mut options: Vec<_> = environment.filter(|(key, _)| is_for_stores(key)).collect();
    if url.scheme() == "http" {
        options.push(("allow_http".to_owned(), "true".to_owned()));
    }
    options
}
