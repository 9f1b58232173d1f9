//! The client's core: single entities, and listings that are complete or an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::http::link::next_cursor;
use crate::http::{Authorization, Client, Failure, Request, Settings, Waits};
use crate::model::packed::KeptAttributes;
use crate::okta::api::buckets::bucket_of;
use crate::okta::api::wire::{App, Keyed, OrgSettings, WellKnownOrg};
use crate::okta::shared::Shared;

/// How many requests an integrator's org allows in flight; others allow 75 (`docs/okta.md#requests-in-flight`).
pub const PARALLELISM: u32 = 35;
/// Requests that are reserved for listings whose pages can only be read one after another, so that these never wait.
const FOR_CHAINS: usize = 2;
/// The share of this and of each rate limit that is used by default: other integrations need the rest.
pub const SHARE: f64 = 0.8;
/// How often a listing is started again after its cursor expired (`docs/okta.md#expired-cursors`).
pub(crate) const RESTARTS: usize = 3;
/// More pages than any org has.
pub(crate) const MOST_PAGES: usize = 100_000;
/// A server that times out gets no smaller pages than this.
const SMALLEST_PAGE: u32 = 10;
/// After this many good pages a page that was made smaller grows again.
const PAGES_TO_GROW: u32 = 10;

/// The header for an API token.
pub fn api_token(token: &SecretString) -> Authorization {
    Authorization::Fixed(format!("SSWS {}", token.expose_secret().trim()).into())
}

/// The settings of a client for this org.
pub fn settings(org_url: &str, authorization: Authorization) -> Settings {
    let waits = Waits::of("Okta");
    Settings { authorization, parallelism: PARALLELISM, share: SHARE, bucket_of, waits, ..Settings::new(org_url) }
}

/// A client of one Okta org. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Okta {
    http: Client,
    at_once: usize,
    side_by_side: Arc<Semaphore>,
    /// The app that the config names, once it was found.
    pub(crate) named_app: Arc<OnceLock<(String, App)>>,
    /// Where a first read shares its listings with those of other targets.
    shared: Option<Shared>,
}

/// Called after each page with the number of entities so far.
pub(crate) type OnPage<'a> = &'a (dyn Fn(usize) + Send + Sync);

/// What to list. Each page repeats the parameters (`docs/okta.md#links-lose-parameters`).
pub(crate) struct Listing<'a> {
    pub path: String,
    pub params: &'a [(&'a str, &'a str)],
    /// The page size; none where the route has none.
    pub limit: Option<u32>,
    pub header: Option<(HeaderName, HeaderValue)>,
}

enum Pages<T> {
    Complete(Vec<T>),
    /// The cursor expired on the way.
    Expired(Failure),
}

impl Okta {
    /// A client that sends through this transport; see [`settings`].
    pub fn new(http: Client) -> Self {
        let at_once = http.pace().parallelism().saturating_sub(FOR_CHAINS).max(1);
        Self { http, at_once, side_by_side: Arc::new(Semaphore::new(at_once)), named_app: Arc::default(), shared: None }
    }

    /// The same client for a first read, which takes the listings of earlier targets and leaves its own to later ones.
    #[must_use]
    pub fn sharing(&self, shared: Shared) -> Self {
        Self { shared: Some(shared), ..self.clone() }
    }

    /// The listing that the read of an earlier target got, or else the one that is asked for now. One that fails isn't kept.
    pub(crate) async fn shared<T: Clone + Send + Sync + 'static>(
        &self,
        what: impl FnOnce() -> String,
        ask: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let Some(shared) = &self.shared else { return ask.await };
        let what = what();
        if let Some(known) = shared.get(&what) {
            return Ok(known);
        }
        let listing = ask.await?;
        shared.put(&what, listing.clone(), self.http.server_time());
        Ok(listing)
    }

    /// What is kept of each listed user: what this target needs, and what others do that share the listing.
    pub(crate) fn kept(&self, needed: &KeptAttributes) -> KeptAttributes {
        let mut kept = needed.clone();
        self.shared.iter().for_each(|shared| kept.add_all(shared.attributes()));
        kept
    }

    /// Okta's clock: by its last answer, or by that to an earlier target where this one had none yet.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.http.server_time().or_else(|| self.shared.as_ref()?.time())
    }

    /// How many requests may be in flight in all.
    pub(crate) fn at_once(&self) -> usize {
        self.at_once
    }

    /// Does one of many things of its kind in parallel, when its turn comes.
    pub(crate) async fn in_parallel<T>(&self, work: impl Future<Output = T>) -> T {
        // It is never closed, so there always is a turn.
        let _turn = self.side_by_side.acquire().await;
        work.await
    }

    /// The transport, for its counts of requests.
    pub fn http(&self) -> &Client {
        &self.http
    }

    /// The org's settings (scope `okta.orgs.read`).
    pub async fn org(&self) -> Result<OrgSettings, Failure> {
        Ok(self.http.json(&Request::get("/api/v1/org")).await?.0)
    }

    /// What an org answers without credentials: shows that the URL is one of an Okta org.
    pub async fn well_known(&self) -> Result<WellKnownOrg, Failure> {
        Ok(self.http.json(&Request::get("/.well-known/okta-organization")).await?.0)
    }

    /// An entity, or none if Okta says that it doesn't exist (`docs/okta.md#not-found`). Any other 404 is an error.
    pub(crate) async fn entity<T: DeserializeOwned + Send + 'static>(
        &self,
        request: Request,
    ) -> Result<Option<T>, Failure> {
        match self.http.json(&request).await {
            Ok((entity, _)) => Ok(Some(entity)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// All entities of a listing, each once, sorted by id; an error if the listing wasn't read to its end.
    pub(crate) async fn list<T>(&self, listing: &Listing<'_>, on_page: OnPage<'_>) -> Result<Vec<T>, Failure>
    where
        T: DeserializeOwned + Keyed + Send + 'static,
    {
        self.list_as(listing, on_page, &|entity| entity).await
    }

    /// The same; of each entity only the result of `keep` stays in memory.
    pub(crate) async fn list_as<T, K>(
        &self,
        listing: &Listing<'_>,
        on_page: OnPage<'_>,
        keep: &(dyn Fn(T) -> K + Send + Sync),
    ) -> Result<Vec<K>, Failure>
    where
        T: DeserializeOwned + Keyed + Send + 'static,
    {
        let mut restarts = 0;
        loop {
            match self.pages(listing, on_page, keep).await? {
                Pages::Complete(entities) => return Ok(entities),
                Pages::Expired(failure) if restarts == RESTARTS => return Err(failure),
                Pages::Expired(failure) => tracing::debug!(%failure, "starts the listing again"),
            }
            restarts += 1;
        }
    }

    async fn pages<T, K>(
        &self,
        listing: &Listing<'_>,
        on_page: OnPage<'_>,
        keep: &(dyn Fn(T) -> K + Send + Sync),
    ) -> Result<Pages<K>, Failure>
    where
        T: DeserializeOwned + Keyed + Send + 'static,
    {
        // An entity that changes while it's listed may be on two pages: the later one is the newer one.
        let mut entities = BTreeMap::new();
        let mut size = PageSize::new(listing.limit);
        let mut after: Option<String> = None;
        let mut cursors = BTreeSet::new();
        loop {
            let request = listing.request(size, after.as_deref());
            let (page, reply) = match self.http.json::<Vec<T>>(&request).await {
                Ok(answer) => answer,
                Err(failure) if after.is_some() && failure.is_invalid_cursor() => return Ok(Pages::Expired(failure)),
                // Mostly a server that timed out over a large page (`docs/okta.md#500-on-a-large-page`).
                Err(failure) if failure.status() == Some(500) && size.can_shrink() => {
                    size.shrink();
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            size.grow();
            entities.extend(page.into_iter().map(|entity| (entity.key().to_owned(), keep(entity))));
            on_page(entities.len());
            let next = next_cursor(&reply.headers, self.http.base()).map_err(|why| reply.implausible(why))?;
            let Some(next) = next else { return Ok(Pages::Complete(entities.into_values().collect())) };
            if !cursors.insert(next.clone()) {
                return Err(reply.implausible("its next link leads to a page that was read already"));
            }
            if cursors.len() > MOST_PAGES {
                return Err(reply.implausible(format!("it has more than {MOST_PAGES} pages")));
            }
            after = Some(next);
        }
    }
}

impl Listing<'_> {
    /// The name of the listing among recorded answers: the same for all page sizes.
    pub(crate) fn recorded_as(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if params.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, params.join("&")) }
    }

    pub(crate) fn request(&self, size: PageSize, after: Option<&str>) -> Request {
        let mut request = Request::get(&self.path);
        for (name, value) in self.params {
            request = request.param(name, value);
        }
        let listing = self.recorded_as();
        request = request.page_of(listing, after.is_none());
        if let Some(limit) = size.now {
            request = request.param("limit", &limit.to_string());
        }
        if let Some(after) = after {
            request = request.raw_param("after", after);
        }
        if let Some((name, value)) = &self.header {
            request = request.header(name.clone(), value.clone());
        }
        if size.can_shrink() { request.hand_back(StatusCode::INTERNAL_SERVER_ERROR) } else { request }
    }
}

/// The size of the next page.
#[derive(Clone, Copy)]
pub(crate) struct PageSize {
    now: Option<u32>,
    most: Option<u32>,
    good_pages: u32,
}

impl PageSize {
    pub(crate) fn new(limit: Option<u32>) -> Self {
        Self { now: limit, most: limit, good_pages: 0 }
    }

    pub(crate) fn can_shrink(self) -> bool {
        self.now.is_some_and(|now| now > SMALLEST_PAGE)
    }

    pub(crate) fn shrink(&mut self) {
        self.now = self.now.map(|now| (now / 2).max(SMALLEST_PAGE));
        self.good_pages = 0;
    }

    pub(crate) fn grow(&mut self) {
        self.good_pages += 1;
        if self.good_pages == PAGES_TO_GROW {
            self.good_pages = 0;
            self.now = self.now.map(|now| now.saturating_mul(2)).min(self.most);
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
