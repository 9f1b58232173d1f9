//! A config and the clients made from it: what `check`, `plan` and `apply` work with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use jiff::Timestamp;

use super::draft::{self, Drafted, Sources};
use super::{Context, access, environment, expressions};
use crate::activepieces::{self, Activepieces};
use crate::config::{self, settings::Settings};
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::mapping::attributes::Mapping;
use crate::model::known::KnownOrg;
use crate::okta::{self, Okta, Step, StillThere};
use crate::output::progress::Progress;
use crate::output::text::{count, counted};
use crate::plan::held::{self, Because, Held};
use crate::plan::op::ProjectAction;
use crate::plan::saved::Fingerprints;
use crate::plan::{Past, Plan};
use crate::state::State;

/// The most requests to Activepieces side by side, unless the admin says otherwise.
pub const PARALLELISM: u32 = 32;

/// Everything to plan and apply with.
#[derive(Debug)]
pub struct Session {
    pub settings: Settings,
    /// Made when it's asked for.
    okta: OnceLock<Okta>,
    pub activepieces: Activepieces,
}

/// A plan, and what a run that came to its end with it leaves to be known.
#[derive(Debug)]
pub struct Planned {
    pub plan: Plan,
    pub made_from: Fingerprints,
    pub remember: Past,
    /// What it leaves to be known of the org.
    pub known: KnownOrg,
}

/// What earlier runs left to be known.
#[derive(Debug)]
pub struct Knows {
    pub past: Past,
    /// Empty where all is to be read.
    pub org: KnownOrg,
    /// Whether the plan may be written: what it changes is read then, whatever is known.
    pub writes: bool,
    /// The name of the config file's content, if the plan is kept or held against one that was.
    pub config: Option<String>,
}

/// The config file: the one that was named, else `config.toml` here, else the user's own.
pub fn config_path(context: &Context) -> PathBuf {
    let here = PathBuf::from("config.toml");
    match &context.config {
        Some(path) => path.clone(),
        None if here.exists() => here,
        None => environment::user_config().filter(|path| path.exists()).unwrap_or(here),
    }
}

/// Reads the config file.
pub fn load(context: &Context) -> Result<Settings> {
    let settings = config::load(&config_path(context), context.printer.colours_stderr())?;
    for warning in &settings.warnings {
        context.printer.warning(warning);
    }
    Ok(settings)
}

/// Opens the state file of the org and the platform that the config names.
pub fn state(settings: &Settings) -> Result<State> {
    let folder = environment::user_state().ok_or_else(|| {
        Error::new(Kind::Failed, "there is no home folder to keep the state file in")
            .hint(format!("set {} to a folder that outlives the run", environment::STATE_HOME))
    })?;
    State::open(&folder, settings.okta.org_url.authority(), &platform_name(settings))
}

/// The platform's host, and the path where it has one: several platforms may stand under one host.
fn platform_name(settings: &Settings) -> String {
    let url = &settings.activepieces.url;
    format!("{}{}", url.authority(), url.path().trim_end_matches('/'))
}

impl Session {
    /// Reads the config and both secrets; nothing is sent yet.
    pub fn open(context: &Context, parallelism: u32) -> Result<Self> {
        Self::with(load(context)?, parallelism)
    }

    /// Makes the clients for these settings.
    pub fn with(settings: Settings, parallelism: u32) -> Result<Self> {
        let okta = OnceLock::from(okta_client(&settings)?);
        let activepieces = activepieces_client(&settings, parallelism)?;
        Ok(Self { settings, okta, activepieces })
    }

    /// Reads the config and the secret of Activepieces alone, for what needs no more.
    pub fn without_okta(context: &Context, parallelism: u32) -> Result<Self> {
        let settings = load(context)?;
        let activepieces = activepieces_client(&settings, parallelism)?;
        Ok(Self { settings, okta: OnceLock::new(), activepieces })
    }

    /// The client of the org.
    pub fn okta(&self) -> Result<&Okta> {
        if let Some(okta) = self.okta.get() {
            return Ok(okta);
        }
        let okta = okta_client(&self.settings)?;
        Ok(self.okta.get_or_init(|| okta))
    }

    /// The org's host, with the port where it's an unusual one.
    pub fn org(&self) -> &str {
        self.settings.okta.org_url.authority()
    }

    /// The platform's host, with the port where it's an unusual one.
    pub fn platform(&self) -> &str {
        self.settings.activepieces.url.authority()
    }

    /// Opens the state file of this org and platform.
    pub fn state(&self) -> Result<State> {
        state(&self.settings)
    }

    /// Reads both sides, reads again whoever is missing somewhere, and computes the plan, of which is held back what must
    /// wait; `trust_source` takes a read for right that is much smaller than the last trusted one.
    pub async fn plan(&self, knows: &Knows, trust_source: bool, context: &Context) -> Result<Planned> {
        let progress = Progress::spinner(&context.printer, "Reading Okta and Activepieces");
        let okta_side = Box::pin(async {
            let okta = self.okta()?;
            let unchecked = expressions::find(okta, &self.settings, self.settings.from_okta).await?;
            let mapping = unchecked.mapping.clone();
            let (mut expressions, reading) = futures_util::future::join(
                expressions::check_all(okta, unchecked),
                self.read_okta(&mapping, &knows.org, &progress),
            )
            .await;
            let reading = reading?;
            expressions.settle(&reading.org);
            expressions.refuse(&self.settings, context.printer.colours_stderr())?;
            Ok((expressions, reading))
        });
        let ((expressions, reading), platform) =
            Box::pin(futures_util::future::try_join(okta_side, activepieces::read(&self.activepieces))).await?;
        for warning in expressions.warned().iter().chain(&reading.warnings) {
            context.printer.warning(warning);
        }
        let policy = &self.settings.policy;
        let now = Timestamp::now();
        let sources = Sources {
            okta: self.okta()?,
            mapping: &expressions.mapping,
            platform: &platform,
            policy,
            now,
            writes: knows.writes,
            config: knows.config.as_deref(),
        };
        let Drafted { mut plan, made_from, sizes, users, groups, reading } =
            Box::pin(draft::plan(sources, reading)).await?;
        plan.expressions = expressions.sources().into_iter().map(|(name, place)| (name.to_owned(), place)).collect();
        let run = held::Run { sizes: &sizes, now, trust_source };
        let remember = held::settle(&mut plan, &knows.past, &run, policy);
        self.look_at_deletions(&mut plan).await?;
        drop(progress);
        context.printer.status(&format!(
            "Read {} in scope and {} from Okta, {} and {} from Activepieces, in {}.",
            counted(users, "user", "users"),
            counted(groups, "pushed group", "pushed groups"),
            counted(platform.users.len(), "account", "accounts"),
            counted(platform.projects.len(), "project", "projects"),
            counted(usize::try_from(self.requests()).unwrap_or(usize::MAX), "request", "requests") + &asked(&reading),
        ));
        Ok(Planned { plan, made_from, remember, known: reading.known })
    }

    /// Asks Okta again about the group of each project that is to be deleted, and the platform for its flows. A project
    /// whose group is there isn't deleted.
    async fn look_at_deletions(&self, plan: &mut Plan) -> Result<()> {
        let mut there = BTreeMap::new();
        for op in &mut plan.projects {
            if let ProjectAction::Delete { flows } = &mut op.action {
                if let Some(found) = okta::confirm_unpushed(self.okta()?, &self.settings.projects, &op.group).await? {
                    there.insert(op.group.clone(), found);
                    continue;
                }
                let project = self.activepieces.project_by_external_id(&op.group).await?;
                *flows = project.and_then(|project| project.analytics.total_flows);
            }
        }
        let Plan { projects, held, warnings, .. } = plan;
        for op in projects.extract_if(.., |op| op.is_deletion() && there.contains_key(&op.group)) {
            let StillThere { name, is_pushed } = &there[&op.group];
            if *is_pushed {
                let about = format!("the group {name}");
                held.push(Held::new(&op.name, "delete the project", Because::AnswersDisagree { about }));
            } else {
                warnings.push(format!(
                    "the group of project {} is called {name} in Okta and isn't pushed; the project stays as it is",
                    op.name
                ));
            }
        }
        held.sort();
        warnings.sort();
        Ok(())
    }

    /// Reads the users in scope and the pushed groups, and tells how far it is.
    pub async fn read_okta(&self, mapping: &Mapping, known: &KnownOrg, progress: &Progress) -> Result<okta::Reading> {
        let Settings { scope, projects, .. } = &self.settings;
        let tell = |step: okta::Progress| progress.message(told(step));
        okta::read(self.okta()?, scope, projects, &mapping.needs(), known, &tell).await
    }

    /// How many requests were sent so far, to both servers.
    pub fn requests(&self) -> u64 {
        self.okta.get().map_or(0, |okta| okta.http().requests()) + self.activepieces.requests()
    }
}

/// How much of a read is owed to the expressions, and how much was known already.
fn asked(reading: &okta::Reading) -> String {
    let asked = match reading.asked_by_expressions {
        0 => String::new(),
        asked => format!(" ({asked} of them because expressions ask for more than profiles)"),
    };
    match reading.unread.len() {
        0 => asked,
        unread => format!("{asked}, {} unchanged since an earlier run", counted(unread, "group", "groups")),
    }
}

/// How far the read of Okta is, for people.
fn told(progress: okta::Progress) -> String {
    let what = match progress.step {
        Step::Names => "Finding the app and the groups",
        Step::AppUsers => "Reading users of the app",
        Step::SearchedUsers => "Reading users that the search finds",
        Step::AllUsers => "Reading users",
        Step::Members => "Reading members of groups",
        Step::GroupsOfUsers => "Reading groups of users",
    };
    let total = progress.total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
    format!("{what}: {}{total}", count(progress.done))
}

/// The client of the org alone, for commands that need no more.
pub fn okta_client(settings: &Settings) -> Result<Okta> {
    Ok(Okta::new(http::Client::new(access::okta(settings)?)?))
}

fn activepieces_client(settings: &Settings, parallelism: u32) -> Result<Activepieces> {
    let transport = access::activepieces(settings)?;
    Ok(Activepieces::new(http::Client::new(http::Settings { parallelism, ..transport })?))
}
