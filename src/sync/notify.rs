//! Tells other services of a run: the webhook and the heartbeat of the config. What fails here is the text of a warning, and
//! never shows an address.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::config::{MonitoringSettings, SecretSource, WebhookFormat, WebhookOn, secret_url};
use crate::error::Result;
use crate::http::retry::Policy;
use crate::http::{self, Client, Request};
use crate::output::run_summary::Summary;
use crate::output::webhook;
use crate::sync::access::authorities;
use crate::sync::environment::proxy;

/// How long a service may take for anything.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long all attempts may take.
const LONGEST: Duration = Duration::from_secs(30);
/// Every good answer of such services, which say nothing with it.
const GOOD: &[StatusCode] = &[StatusCode::OK, StatusCode::CREATED, StatusCode::ACCEPTED, StatusCode::NO_CONTENT];

/// The services that hear of a run.
#[derive(Debug, Default)]
pub struct Services {
    webhook: Option<Service>,
    format: WebhookFormat,
    on: BTreeSet<WebhookOn>,
    heartbeat: Option<Service>,
}

/// One address.
#[derive(Debug)]
struct Service {
    /// `webhook`, `heartbeat`
    name: &'static str,
    client: Client,
    url: SecretUrl,
}

/// An address that no one may see.
struct SecretUrl(Url);

impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretUrl")
    }
}

impl Services {
    /// Reads the addresses; also gives what is wrong with those that can't be used.
    pub fn open(settings: &MonitoringSettings) -> (Self, Vec<String>) {
        let mut wrong = Vec::new();
        let mut service = |name, source: &Option<SecretSource>| {
            let opened = Service::open(name, source.as_ref()?, settings.ca_file.as_ref());
            opened.map_err(|why| wrong.push(why)).ok()
        };
        let (webhook, heartbeat) = (service("webhook", &settings.webhook), service("heartbeat", &settings.heartbeat));
        let (format, on) = (settings.webhook_format, settings.webhook_on.clone());
        (Self { webhook, format, on, heartbeat }, wrong)
    }

    /// Tells them of the run; gives what failed.
    pub async fn tell(&self, summary: &Summary) -> Vec<String> {
        let mut failed = Vec::new();
        if let Some(webhook) = self.webhook.as_ref().filter(|_| self.hears(summary)) {
            let message = match self.format {
                WebhookFormat::Json => webhook::json(summary),
                WebhookFormat::Slack => webhook::slack(summary),
            };
            failed.extend(webhook.post(&message).await.err());
        }
        // A plan brings nothing in line, and an apply is what has to be missed.
        let beats = summary.command == "apply" && summary.ended_well();
        if let Some(heartbeat) = self.heartbeat.as_ref().filter(|_| beats) {
            failed.extend(heartbeat.fetch().await.err());
        }
        failed
    }

    /// Whether the webhook hears of the run.
    fn hears(&self, summary: &Summary) -> bool {
        self.on.iter().any(|on| match on {
            WebhookOn::Change => summary.has_changes(),
            WebhookOn::Failure => !summary.ended_well(),
            WebhookOn::News => summary.is_news(),
        })
    }
}

impl Service {
    fn open(name: &'static str, source: &SecretSource, ca_file: Option<&PathBuf>) -> std::result::Result<Self, String> {
        let (client, url) = connect(source, ca_file).map_err(|error| {
            let hint = error.hints.first().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
            format!("no {name}: {error}{hint}")
        })?;
        Ok(Self { name, client, url: SecretUrl(url) })
    }

    async fn post(&self, message: &Value) -> std::result::Result<(), String> {
        let request =
            Request::new(Method::POST, self.target()).body("application/json", message.to_string().into_bytes());
        self.send(request).await
    }

    async fn fetch(&self) -> std::result::Result<(), String> {
        self.send(Request::get(self.target())).await
    }

    /// The path and the query of the address.
    fn target(&self) -> String {
        let url = &self.url.0;
        format!("{}{}", url.path(), url.query().map(|query| format!("?{query}")).unwrap_or_default())
    }

    async fn send(&self, request: Request) -> std::result::Result<(), String> {
        let sent = tokio::time::timeout(LONGEST, self.client.send(&request.complete(GOOD).timeout(PATIENCE))).await;
        let why = match sent {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(failure)) => failure.cause().to_string(),
            Err(_) => format!("got no answer within {} s", LONGEST.as_secs()),
        };
        Err(format!("the {} at {} {why}", self.name, self.url.0.authority()))
    }
}

/// The client of an address, and the address.
fn connect(source: &SecretSource, ca_file: Option<&PathBuf>) -> Result<(Client, Url)> {
    let secret = source.read()?;
    let url = secret_url(secret.expose_secret()).map_err(|why| source.error(why))?;
    let settings = http::Settings {
        authorities: authorities(ca_file.map(PathBuf::as_path))?,
        proxy: proxy(url.scheme()),
        parallelism: 1,
        retry: Policy { repeats: 1, rate_repeats: 1, max_wait: PATIENCE, max_waits: PATIENCE, ..Policy::default() },
        body_timeout: PATIENCE,
        hides_paths: true,
        ..http::Settings::new(url.origin().ascii_serialization())
    };
    parts(&url).for_each(|part| settings.mask.keep(&SecretString::from(part)));
    Ok((Client::new(settings.within(PATIENCE))?, url))
}

/// What of an address a server may repeat: all behind its host, and each part of it that isn't a word of three letters.
fn parts(url: &Url) -> impl Iterator<Item = String> {
    let query = url.query().unwrap_or_default();
    let parts = url.path().split('/').chain(query.split(['&', '=']));
    let whole = [format!("{}{query}", url.path())].into_iter().filter(|whole| whole != "/");
    whole.chain(parts.filter(|part| part.len() > 3).map(str::to_owned))
}

/// What an address is, for people: where it comes from, and its host.
pub fn described(source: &SecretSource, ca_file: Option<&PathBuf>) -> Result<String> {
    let (_, url) = connect(source, ca_file)?;
    Ok(format!("{source}, at {}", url.authority()))
}
