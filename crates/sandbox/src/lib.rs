//! A stateful Okta org and Activepieces platform on loopback, for `demo`, `sandbox` and the tests.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub mod activepieces;
pub mod company;
pub mod okta;
pub mod serve;

use company::Shape;
use serve::{Chance, Traffic};

/// What a sandbox is like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub company: Shape,
    /// When its Okta users were created.
    pub imports: okta::Imports,
    /// How long each server waits before it answers.
    pub latency: Duration,
    /// The CPUs that Activepieces has for requests, which cost then what they cost on a real server; without it nothing.
    pub activepieces_cpus: Option<usize>,
    /// Which of Activepieces' generations is served.
    pub generation: activepieces::Generation,
    /// The number of embedded accounts on the platform, and if there are any, a project of theirs.
    pub embedded: usize,
    /// Requests a minute in each of Okta's buckets; without it those of a workforce org.
    pub rate_limit: Option<u32>,
    /// What happens to requests to either server by chance.
    pub chances: Vec<Chance>,
    /// Another seed affects other requests.
    pub fault_seed: u64,
    /// 0 for any free port.
    pub okta_port: u16,
    /// 0 for any free port.
    pub activepieces_port: u16,
}

/// Both servers with a company in them. Dropping it stops both: nothing new is taken, and what runs is finished.
#[derive(Debug)]
pub struct Sandbox {
    shape: Shape,
    org: Arc<okta::Org>,
    platform: Arc<activepieces::Platform>,
    okta: RunningServer,
    activepieces: RunningServer,
}

/// One server that runs for as long as this is held.
#[derive(Debug)]
struct RunningServer {
    address: SocketAddr,
    traffic: Arc<Traffic>,
    _stop: DropGuard,
}

impl Sandbox {
    /// Fills both servers and starts them on 127.0.0.1. Both serve when it returns.
    ///
    /// It fails where a port is taken.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listeners = (listen(options.okta_port).await?, listen(options.activepieces_port).await?);
        let (org, platform) = company::build(&options.company, options.imports, options.rate_limit);
        platform.configure(|settings| settings.generation = options.generation);
        company::embed(&platform, options.embedded);
        let (org, platform) = (Arc::new(org), Arc::new(platform.with_cpus(options.activepieces_cpus)));
        let admitted = |router| okta::admit(router, Arc::clone(&org));
        let mut seeds = fastrand::Rng::with_seed(options.fault_seed);
        let mut traffic = || Traffic::new(options.latency, options.chances.clone(), seeds.u64(..));
        Ok(Self {
            okta: RunningServer::start(listeners.0, okta::router(Arc::clone(&org)), traffic(), admitted)?,
            activepieces: RunningServer::start(
                listeners.1,
                activepieces::router(Arc::clone(&platform)),
                traffic(),
                |router| router,
            )?,
            shape: options.company,
            org,
            platform,
        })
    }

    /// The org's URL, without a trailing slash.
    pub fn okta_url(&self) -> String {
        self.okta.url()
    }

    /// The API token of the org.
    pub fn okta_token(&self) -> String {
        self.org.token()
    }

    /// The platform's base URL, without a trailing slash.
    pub fn activepieces_url(&self) -> String {
        self.activepieces.url()
    }

    /// The API key of the platform.
    pub fn api_key(&self) -> &str {
        self.platform.api_key()
    }

    /// The text of a config file for these servers. The secrets are to be in `OKTA_API_TOKEN` and
    /// `ACTIVEPIECES_API_KEY`.
    pub fn config(&self) -> String {
        company::config(&self.shape, &self.okta_url(), &self.activepieces_url())
    }

    pub fn org(&self) -> &Arc<okta::Org> {
        &self.org
    }

    pub fn platform(&self) -> &Arc<activepieces::Platform> {
        &self.platform
    }

    pub fn okta_traffic(&self) -> &Arc<Traffic> {
        &self.okta.traffic
    }

    pub fn activepieces_traffic(&self) -> &Arc<Traffic> {
        &self.activepieces.traffic
    }
}

impl RunningServer {
    /// `outermost` is put before the traffic, so that it sees requests that wait.
    fn start(
        listener: TcpListener,
        router: axum::Router,
        traffic: Traffic,
        outermost: impl FnOnce(axum::Router) -> axum::Router,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let traffic = Arc::new(traffic);
        let router = outermost(serve::layer(router, Arc::clone(&traffic)));
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future());
        Ok(Self { address, traffic, _stop: stop.drop_guard() })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}
