//! `oktapieces sandbox`: serves a simulated Okta org and Activepieces platform on loopback.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::output::text::{BOLD, HINT, styled};
use crate::sync::context::Context;
use crate::sync::interrupt::signal;
use oktapieces_sandbox::activepieces::Generation;
use oktapieces_sandbox::okta::Imports;
use oktapieces_sandbox::serve::{Chance, FaultKind};
use oktapieces_sandbox::{Options, Sandbox, company::Shape};

/// Serve an Okta org and an Activepieces platform on this machine, to try things out on
///
/// Without a number of users it's a small company in which every case occurs that a sync has to deal with.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Make up an org of so many users; 0 leaves a fresh platform with just its owner
    #[arg(long, value_name = "N")]
    users: Option<usize>,
    /// So many groups, pushed as projects
    #[arg(long, value_name = "N", default_value_t = 20, requires = "users")]
    groups: usize,
    /// So many members in each group
    #[arg(long, value_name = "N", default_value_t = 50, requires = "users")]
    members: usize,
    /// The share of the users, 0 to 1, that have an account already
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, requires = "users", value_parser = share)]
    existing: f64,
    /// The share of those, 0 to 1, that differ from Okta
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, requires = "users", value_parser = share)]
    drift: f64,
    /// When the users were created: recent (three in ten within the last hour), even (over three years), bulk (six in ten in 25
    /// imports of four minutes), moments (in seven such imports), or second (all at once)
    #[arg(long, value_name = "KIND", default_value = "recent", requires = "users", value_parser = imports)]
    imports: Imports,
    /// Another seed makes another company
    #[arg(long, value_name = "N", default_value_t = 1, requires = "users")]
    seed: u64,
    /// Milliseconds that each answer takes longer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Let each request cost Activepieces what it costs a real server with so many CPUs, and queue for them: 110 ms to
    /// make a user, 1 ms for each member of a group
    #[arg(long, value_name = "N", value_parser = cpus)]
    activepieces_cpus: Option<usize>,
    /// Answer as this version of Activepieces does: 0.79 (roles are not in SCIM), 0.85, or 0.86 (SCIM hides embedded accounts)
    #[arg(long, value_name = "VERSION", default_value = "0.85", value_parser = generation)]
    activepieces_version: Generation,
    /// Add so many embedded accounts, as customers' tokens make them
    #[arg(long, value_name = "N", default_value_t = 0)]
    embedded: usize,
    /// Okta requests a minute, in each of its buckets
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// Let this happen to a share of the requests, such as cut-after:0.02: 500, 502, html, 401, 429 (with Retry-After in
    /// seconds), 429-date, 429-bare, 429-at-once, cut-before, cut-after, 500-after, truncated, slow (for a second), stall in the
    /// middle of the answer, hang or hang-after (for 5 seconds), expired-cursor
    #[arg(long, value_name = "KIND:RATE", value_parser = chance)]
    fault: Vec<Chance>,
    /// Another seed lets the faults befall other requests
    #[arg(long, value_name = "N", default_value_t = 1)]
    fault_seed: u64,
    /// The org's port; any free one if none is named
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    okta_port: u16,
    /// The platform's port; any free one if none is named
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    activepieces_port: u16,
    /// Write a config for these servers to a file; the secrets are shown as environment variables
    #[arg(long, value_name = "FILE")]
    write_config: Option<PathBuf>,
    /// Replace that file if it is there
    #[arg(long, requires = "write_config")]
    force: bool,
}

fn chance(text: &str) -> std::result::Result<Chance, String> {
    let (name, rate) = text.split_once(':').ok_or("a kind and a rate are wanted, such as 500:0.02")?;
    let Some((_, kind)) = FaultKind::NAMED.into_iter().find(|(known, _)| *known == name) else {
        return Err(format!("the kinds are {}", FaultKind::NAMED.map(|(known, _)| known).join(", ")));
    };
    Ok(Chance { kind, rate: share(rate)? })
}

fn cpus(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(cpus @ 1..=1024) => Ok(cpus),
        _ => Err("a number from 1 to 1024 is wanted".to_owned()),
    }
}

fn generation(text: &str) -> std::result::Result<Generation, String> {
    let known = Generation::NAMED.into_iter().find(|(name, _)| *name == text);
    known
        .map(|(_, generation)| generation)
        .ok_or_else(|| format!("the versions are {}", Generation::NAMED.map(|(name, _)| name).join(", ")))
}

fn imports(text: &str) -> std::result::Result<Imports, String> {
    let known = Imports::NAMED.into_iter().find(|(name, _)| *name == text);
    known
        .map(|(_, imports)| imports)
        .ok_or_else(|| format!("the kinds are {}", Imports::NAMED.map(|(name, _)| name).join(", ")))
}

fn share(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share from 0 to 1 is wanted".to_owned()),
    }
}

impl SandboxArgs {
    fn options(&self) -> Options {
        let &Self { groups, members, existing, drift, seed, .. } = self;
        let company = match self.users {
            Some(users) => Shape::Generated { users, groups, members, existing, drift, seed },
            None => Shape::Seeded,
        };
        Options {
            company,
            imports: self.imports,
            latency: Duration::from_millis(self.latency),
            activepieces_cpus: self.activepieces_cpus,
            generation: self.activepieces_version,
            embedded: self.embedded,
            rate_limit: self.rate_limit,
            chances: self.fault.clone(),
            fault_seed: self.fault_seed,
            okta_port: self.okta_port,
            activepieces_port: self.activepieces_port,
        }
    }
}

pub async fn run(args: SandboxArgs, context: &Context) -> Result<u8> {
    let sandbox = start(args.options()).await?;
    if let Some(path) = &args.write_config {
        super::init::write_config(path, &sandbox.config(), args.force)?;
    }
    if context.printer.json {
        let answer = serde_json::json!({
            "okta": { "url": sandbox.okta_url(), "token": sandbox.okta_token() },
            "activepieces": { "url": sandbox.activepieces_url(), "api_key": sandbox.api_key() },
            "config": sandbox.config(),
            "file": args.write_config,
        });
        context.printer.answer_json(&answer);
    } else {
        context.printer.answer(&description(&sandbox, args.write_config.as_deref()));
    }
    signal().await;
    if context.printer.json {
        context.printer.answer_json(&traffic(&sandbox));
    }
    Ok(EXIT_OK)
}

/// What was asked of the servers, by route, and how many requests Okta refused with 429.
fn traffic(sandbox: &Sandbox) -> serde_json::Value {
    serde_json::json!({
        "requests": {
            "okta": sandbox.okta_traffic().counts(),
            "activepieces": sandbox.activepieces_traffic().counts(),
        },
        "refused": sandbox.org().refused(),
    })
}

/// Starts both servers.
pub async fn start(options: Options) -> Result<Sandbox> {
    let started = Sandbox::start(options).await;
    started.map_err(|error| {
        Error::from_source(Kind::Failed, error)
            .context("starting the sandbox")
            .hint("without --okta-port and --activepieces-port any free ports are taken")
    })
}

fn description(sandbox: &Sandbox, file: Option<&Path>) -> String {
    let okta = format!("{} {}", styled(BOLD, "Okta        "), sandbox.okta_url());
    let activepieces = format!("{} {}", styled(BOLD, "Activepieces"), sandbox.activepieces_url());
    let config = match file {
        Some(file) => format!("The config is in {}.", file.display()),
        None => format!("Save this as config.toml:\n\n{}", sandbox.config().trim_end()),
    };
    let flag = file.filter(|file| *file != Path::new("config.toml"));
    let flag = flag.map(|file| format!(" --config {}", file.display())).unwrap_or_default();
    let (token, key) = (sandbox.okta_token(), sandbox.api_key());
    let commands = format!("export OKTA_API_TOKEN={token} ACTIVEPIECES_API_KEY={key}\noktapieces plan{flag}");
    let commands = styled(HINT, commands);
    format!(
        "{okta}\n{activepieces}\n\n{config}\n\nThen, in another terminal:\n\n{commands}\n\nThe servers run until Ctrl-C."
    )
}
