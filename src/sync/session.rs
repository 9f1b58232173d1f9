//! A config and the clients made from it: what `check`, `plan` and `apply` work with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Url;

use crate::activepieces::{self, Activepieces};
use crate::apply::estimate::Estimate;
use crate::config::{self, settings::Settings};
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::http::Waits;
use crate::http::answers::{self, Recorder, Source};
use crate::mapping::attributes::Mapping;
use crate::model::activepieces::{Invitations, Platform, StandingRoles};
use crate::model::desired::Desired;
use crate::model::id::{AccountId, OktaGroupId, OktaIds, OktaUserId};
use crate::model::known::KnownOrg;
use crate::model::org::Org;
use crate::okta::{self, Okta, Step, StillThere};
use crate::output::document::Document;
use crate::output::progress::Progress;
use crate::output::text::{count, counted, safe};
use crate::plan::deferred::{Because, Deferred};
use crate::plan::diff::losing;
use crate::plan::hold::held;
use crate::plan::hold::{accepted, dormant, grace};
use crate::plan::in_line::{Before, Digests, InLine};
use crate::plan::op::{ProjectAction, ProjectOp, UserOp};
use crate::plan::policy::OnInvitation;
use crate::plan::saved::Fingerprints;
use crate::plan::undo::{self, Undone};
use crate::plan::{Comparison, Past, Plan};
use crate::snapshot::Snapshot;
use crate::state::StateFile;
use crate::sync::context::Context;
use crate::sync::expressions::{self, Expressions};
use crate::sync::settle::{self, Draft, Drafted, Sources};
use crate::sync::waiting::told as telling_waits;
use crate::sync::{access, clock, environment, recreations};

/// The default for the most requests to Activepieces in parallel.
pub const PARALLELISM: u32 = 32;

/// Everything to plan and apply with.
#[derive(Debug)]
pub struct Session {
    pub settings: Settings,
    /// For all that is asked about single users and groups: always the server.
    pub okta: Okta,
    /// For the first read, which may share its listings with those of other targets.
    pub listings: Okta,
    pub activepieces: Activepieces,
    /// Whether a read says nothing of itself, since it was shown before.
    pub silent: bool,
}

/// A plan, and the state to record for the next run.
#[derive(Debug)]
pub struct Planned {
    pub plan: Plan,
    pub made_from: Fingerprints,
    /// State to record whether the run is completed or not: users who were seen aren't missing any more.
    pub seen: Past,
    /// State to record once the run is completed.
    pub remember: Past,
    pub known: KnownOrg,
    /// What this run may leave in line.
    pub digests: Digests,
    /// The time of the read, by Okta's clock.
    pub now: Timestamp,
}

/// A plan with what it was made from.
#[derive(Debug)]
pub struct Looked {
    pub plan: Plan,
    pub desired: Desired,
    pub platform: Platform,
    pub org: Org,
    pub mapping: Mapping,
    pub known: KnownOrg,
    /// State to record: users who were seen aren't missing any more.
    pub seen: Past,
    /// The time of the read, by Okta's clock.
    pub now: Timestamp,
}

/// Both sides as they were read.
struct Sides {
    expressions: Expressions,
    reading: okta::Reading,
    platform: Platform,
    now: Timestamp,
}

/// State recorded by earlier runs.
#[derive(Debug)]
pub struct Knows {
    pub past: Past,
    /// Empty where everything is read again.
    pub org: KnownOrg,
    /// Users whose project roles the last run was to give and didn't, by group.
    pub owed_roles: BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>,
    /// What the last run left in line.
    pub in_line: Option<InLine>,
    /// Whether the plan may be written: then what it changes is read again, even if it is cached.
    pub writes: bool,
    /// The fingerprint of the config file, if the plan is saved or compared with a saved one.
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

/// The config file of a command that writes to it.
pub fn config_file(context: &Context) -> Result<PathBuf> {
    let path = config_path(context);
    if config::is_input(&path) { Err(no_file()) } else { Ok(path) }
}

/// Why a command that writes the config can't be run with the standard input in its place.
pub fn no_file() -> Error {
    Error::new(Kind::Usage, "this command writes the config file, and `-` is the standard input")
        .hint("name a file by --config")
}

/// Reads the config file, for a command that is about one target, and tells its warnings.
pub fn load(context: &Context) -> Result<Settings> {
    let settings = one_target(context)?;
    settings.warnings.iter().for_each(|warning| context.printer.warning(warning));
    Ok(settings)
}

/// The settings of the one target that is wanted, which has to be named where the file has several.
pub fn one_target(context: &Context) -> Result<Settings> {
    let mut wanted = targets(context)?;
    if wanted.len() > 1 {
        let names: Vec<&str> = wanted.iter().map(Settings::target_name).collect();
        let error =
            Error::new(Kind::Usage, format!("this is about one target, and there are several: {}", names.join(", ")));
        return Err(error.hint("name one with --target"));
    }
    Ok(wanted.swap_remove(0))
}

/// Reads the config file: the settings of the targets that are wanted, in the order of the file, and never none. A warning about
/// what they inherit is only the first one's.
pub fn targets(context: &Context) -> Result<Vec<Settings>> {
    let mut all = config::load(&config_path(context), context.printer.colours_stderr())?;
    let names: Vec<String> = all.iter().filter_map(|settings| settings.target.clone()).collect();
    if let Some(unknown) = context.targets.iter().find(|wanted| !names.contains(wanted)) {
        let error = Error::new(Kind::Usage, format!("the config has no target \"{}\"", safe(unknown)));
        return Err(match names.as_slice() {
            [] => error.hint("leave --target out: the config has no [[target]]"),
            names => error.hint(format!("its targets are {}", names.join(", "))),
        });
    }
    all.retain(|settings| {
        context.targets.is_empty() || settings.target.as_ref().is_some_and(|name| context.targets.contains(name))
    });
    let mut told = BTreeSet::new();
    for settings in &mut all {
        settings.warnings.retain(|warning| told.insert(warning.clone()));
    }
    Ok(all)
}

/// Opens the state file of the org and the platform that the config names.
pub fn state(settings: &Settings) -> Result<StateFile> {
    StateFile::open(&state_folder()?, settings.okta.org_url.authority(), &platform_name(settings))
}

/// Opens it for a command that writes nothing but its own record, which isn't kept where the disk is read-only.
pub fn state_to_read(settings: &Settings, context: &Context) -> Result<StateFile> {
    let state = StateFile::open_to_read(&state_folder()?, settings.okta.org_url.authority(), &platform_name(settings))?;
    if let Some(why) = state.is_forgotten() {
        context.printer.warning(&format!(
            "the state file {} {why}: it is only read, and nothing of this run is recorded",
            state.path().display()
        ));
    }
    Ok(state)
}

fn state_folder() -> Result<PathBuf> {
    environment::user_state().ok_or_else(|| {
        Error::new(Kind::Failed, "no home directory for the state file")
            .hint(format!("set {} to a folder that outlives the run", environment::STATE_HOME))
    })
}

/// The platform's host, and the path where it has one: several platforms may share one host.
fn platform_name(settings: &Settings) -> String {
    let url = &settings.activepieces.url;
    format!("{}{}", url.authority(), url.path().trim_end_matches('/'))
}

/// Gives the org what earlier runs left to be done.
pub fn remind(org: &mut Org, past: &Past, owed_roles: &BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>) {
    org.owed_roles.clone_from(owed_roles);
    org.archived.clone_from(&past.archived);
    org.left_roles.clone_from(&past.left_roles);
}

impl Session {
    /// Reads the config and both secrets; nothing is sent yet.
    pub fn open(context: &Context, parallelism: u32) -> Result<Self> {
        Self::with(load(context)?, parallelism)
    }

    /// Makes the clients for these settings.
    pub fn with(settings: Settings, parallelism: u32) -> Result<Self> {
        let okta = access::okta(&settings)?;
        let activepieces = http::Settings { parallelism, ..access::activepieces(&settings)? };
        Self::of(settings, okta, activepieces)
    }

    /// The same; each answer to a read is recorded.
    pub fn recorded(
        settings: Settings,
        parallelism: u32,
        (okta, activepieces): (&Recorder, &Recorder),
    ) -> Result<Self> {
        let okta = http::Settings { source: Source::Recorded(okta.clone()), ..access::okta(&settings)? };
        let activepieces = http::Settings {
            source: Source::Recorded(activepieces.clone()),
            parallelism,
            ..access::activepieces(&settings)?
        };
        Self::of(settings, okta, activepieces)
    }

    /// Plans from recorded answers: no secret is read, and nothing is sent.
    pub fn offline(settings: Settings, snapshot: &Snapshot) -> Result<Self> {
        let played = |url: &Url, answers| {
            let time = Some(snapshot.read_at);
            let source = Source::Snapshot(Arc::new(answers::Snapshot { answers, time }));
            http::Settings { source, ..http::Settings::new(url.as_str().trim_end_matches('/')) }
        };
        let okta = played(&settings.okta.org_url, snapshot.okta_by_id());
        let activepieces = played(&settings.activepieces.url, snapshot.activepieces_answers.clone());
        Self::of(settings, okta, activepieces)
    }

    fn of(settings: Settings, okta: http::Settings, activepieces: http::Settings) -> Result<Self> {
        let okta = Okta::new(http::Client::new(okta)?);
        let activepieces = Activepieces::new(http::Client::new(activepieces)?);
        Ok(Self { settings, listings: okta.clone(), okta, activepieces, silent: false })
    }

    /// From now on every read is this session's own.
    pub fn read_alone(&mut self) {
        self.listings = self.okta.clone();
    }

    /// The org's host, with the port where it's an unusual one.
    pub fn org(&self) -> &str {
        self.settings.okta.org_url.authority()
    }

    /// The platform's host, with the port where it's an unusual one.
    pub fn platform(&self) -> &str {
        self.settings.activepieces.url.authority()
    }

    /// What the platform is known by on this machine, whatever the config calls it: its own id, or else its address.
    pub async fn platform_id(&self) -> Result<String> {
        match self.activepieces.platform_id().await? {
            Some(id) => Ok(id),
            None => Ok(address(&self.settings.activepieces.url).await),
        }
    }

    /// A plan of this session, with what is known around it.
    pub fn document<'a>(&'a self, plan: &'a Plan, hash: &'a str) -> Document<'a> {
        let (config, limits) = (Some(self.settings.text.name()), Some(&self.settings.policy.limits));
        Document { config, limits, ..Document::of_plan(plan, hash, (self.org(), self.platform())) }
    }

    /// How long it takes to write a plan of this session, after its read.
    pub fn estimate(&self, plan: &Plan, state: &StateFile, parallelism: u32) -> Result<Estimate> {
        Ok(Estimate::of(plan, &state.pace()?, self.activepieces.shortest_answer(), parallelism))
    }

    /// Opens the state file of this org and platform.
    pub fn state(&self) -> Result<StateFile> {
        state(&self.settings)
    }

    /// Reads both sides, confirms absences by id, and computes the plan, of which is deferred what must wait; `trust_source`
    /// accepts a read that is much smaller than the last trusted one.
    pub async fn plan(&self, knows: &Knows, trust_source: bool, context: &Context) -> Result<Planned> {
        let progress = Progress::spinner(&context.printer, "Reading Okta and Activepieces");
        let made = Box::pin(self.plan_from_reads(knows, trust_source, &progress, context));
        let (planned, read) = telling_waits(made, self.waits(), &progress, &context.printer).await?;
        drop(progress);
        self.say(context, &read);
        Ok(planned)
    }

    /// The plan, and what was read, in words.
    async fn plan_from_reads(
        &self,
        knows: &Knows,
        trust_source: bool,
        progress: &Progress,
        context: &Context,
    ) -> Result<(Planned, String)> {
        let roles = self.settings.mapping.manages_roles();
        let (sides, due, losing) = self.read_to_plan(knows, roles, progress, context).await?;
        let Sides { expressions, reading, platform, now } = sides;
        let policy = &self.settings.policy;
        let ids = OktaIds::of(reading.org.users.keys(), []);
        let sources = Sources { losing: &losing, due: &due, ..self.sources(knows, &expressions, &platform, now) };
        let Drafted { mut plan, mut digests, made_from, sizes, users, groups, reading, not_recorded } =
            Box::pin(settle::plan(sources, reading)).await?;
        plan.warnings.extend(unknown(not_recorded));
        plan.expressions = expressions.sources().into_iter().map(|(name, place)| (name.into_owned(), place)).collect();
        let mut seen = grace::without_seen(&knows.past, &plan);
        seen.inactive = dormant::without_seen(&knows.past, &platform, policy);
        let run = held::Run { sizes: &sizes, now, trust_source };
        let mut remember = self.finish(&mut plan, &knows.past, &run, &platform.roles).await?;
        remember.inactive = if plan.shrunk.is_empty() {
            dormant::record(&knows.past, &platform, &ids, policy, now)
        } else {
            seen.inactive.clone()
        };
        remember.note_archived(&plan, &platform);
        let before = knows.in_line.as_ref().map(|in_line| Before { in_line, groups: &knows.org.groups });
        plan.drift = digests.drift(&plan, before, &platform);
        let sent = match self.requests() {
            0 => "without any request".to_owned(),
            sent => format!("in {}", counted(usize::try_from(sent).unwrap_or(usize::MAX), "request", "requests")),
        };
        let read = format!(
            "Read {} in scope and {} from Okta, {} and {} from Activepieces, {}.",
            counted(users, "user", "users"),
            counted(groups, "pushed group", "pushed groups"),
            counted(platform.users.len(), "account", "accounts"),
            counted(platform.projects.len(), "project", "projects"),
            sent + &asked(&reading),
        );
        Ok((Planned { plan, made_from, seen, remember, known: reading.known, digests, now }, read))
    }

    /// The same plan, with all that it was made from, for commands that say who has what and why. Project roles are read where they
    /// are wanted, whether the config manages them or not.
    pub async fn look(&self, knows: &Knows, wants_roles: bool, context: &Context) -> Result<Looked> {
        let progress = Progress::spinner(&context.printer, "Reading Okta and Activepieces");
        let manages_roles = self.settings.mapping.manages_roles();
        let roles = wants_roles || manages_roles;
        let (sides, due, losing) = self.read_to_plan(knows, roles, &progress, context).await?;
        let Sides { expressions, reading, platform, now } = sides;
        let sources = Sources { losing: &losing, due: &due, ..self.sources(knows, &expressions, &platform, now) };
        let looked = Box::pin(settle::look(sources, reading)).await?;
        let settle::Looked { mut plan, desired, reading, sizes, not_recorded } = looked;
        plan.warnings.extend(unknown(not_recorded));
        let mut seen = grace::without_seen(&knows.past, &plan);
        seen.inactive = dormant::without_seen(&knows.past, &platform, &self.settings.policy);
        let run = held::Run { sizes: &sizes, now, trust_source: false };
        let unread = StandingRoles::Unread;
        let of_plan = if manages_roles { &platform.roles } else { &unread };
        self.finish(&mut plan, &knows.past, &run, of_plan).await?;
        drop(progress);
        let (mapping, org) = (expressions.mapping, reading.org);
        Ok(Looked { plan, desired, platform, org, mapping, known: reading.known, seen, now })
    }

    /// Both sides with what earlier runs left to be done; the accounts that are due to be deleted, since when, and those that lose
    /// their memberships.
    async fn read_to_plan(
        &self,
        knows: &Knows,
        roles: bool,
        progress: &Progress,
        context: &Context,
    ) -> Result<(Sides, BTreeMap<AccountId, Timestamp>, BTreeSet<AccountId>)> {
        let mut sides = self.read(knows, roles, progress, context).await?;
        remind(&mut sides.reading.org, &knows.past, &knows.owed_roles);
        let policy = &self.settings.policy;
        let due = dormant::due(&knows.past, &sides.platform, policy, sides.now);
        let losing = losing(&sides.platform, policy, &due);
        Ok((sides, due, losing))
    }

    /// Defers what must wait, asks the servers about deletions and roles, and moves accepted problems; gives what to record once the
    /// run is completed.
    async fn finish(&self, plan: &mut Plan, past: &Past, run: &held::Run<'_>, roles: &StandingRoles) -> Result<Past> {
        let policy = &self.settings.policy;
        let mut remember = held::settle(plan, past, run, policy);
        self.look_at_deletions(plan).await?;
        self.look_at_roles(plan, roles).await;
        remember.note_roles(plan);
        self.look_at_account_deletions(plan).await;
        recreations::look(&self.activepieces, plan).await;
        self.look_at_role_changes(plan, roles).await?;
        accepted::settle(plan, &policy.accepted, TimeZone::UTC.to_datetime(run.now).date());
        Ok(remember)
    }

    /// The plan that undoes a run, from what both sides say today. It passes the same rules as any other plan.
    pub async fn undo(&self, knows: &Knows, undone: Undone<'_>, context: &Context) -> Result<Planned> {
        let progress = Progress::spinner(&context.printer, "Reading Okta and Activepieces");
        let made = Box::pin(self.undo_from_reads(knows, undone, &progress, context));
        telling_waits(made, self.waits(), &progress, &context.printer).await
    }

    async fn undo_from_reads(
        &self,
        knows: &Knows,
        undone: Undone<'_>,
        progress: &Progress,
        context: &Context,
    ) -> Result<Planned> {
        let roles = undone.plan.projects.iter().any(|op| !op.roles.is_empty());
        let Sides { expressions, reading, platform, now } = self.read(knows, roles, progress, context).await?;
        let policy = &self.settings.policy;
        let sources = self.sources(knows, &expressions, &platform, now);
        // An undo closes no account because of Okta, and it must know who is out of scope.
        let draft = Box::pin(Draft::of(sources, reading.of_whole_scope()?)).await?;
        let mut plan = undo::undo(undone, &Comparison::of(&draft.desired, &platform, policy), policy);
        let seen = grace::without_seen(&knows.past, &plan);
        let (sizes, reading) = draft.end();
        let run = held::Run { sizes: &sizes, now, trust_source: false };
        held::settle(&mut plan, &knows.past, &run, policy);
        // An undo may be undone too.
        self.look_at_roles(&mut plan, &platform.roles).await;
        recreations::look(&self.activepieces, &mut plan).await;
        accepted::settle(&mut plan, &policy.accepted, TimeZone::UTC.to_datetime(now).date());
        // An undo tells nothing about what the next apply has to expect.
        let (made_from, remember) = (Fingerprints::default(), seen.clone());
        Ok(Planned { plan, made_from, seen, remember, known: reading.known, digests: Digests::default(), now })
    }

    fn say(&self, context: &Context, text: &str) {
        if !self.silent {
            context.printer.status(text);
        }
    }

    fn sources<'a>(
        &'a self,
        knows: &'a Knows,
        expressions: &'a Expressions,
        platform: &'a Platform,
        now: Timestamp,
    ) -> Sources<'a> {
        Sources {
            okta: &self.okta,
            mapping: &expressions.mapping,
            platform,
            policy: &self.settings.policy,
            losing: const { &BTreeSet::new() },
            due: const { &BTreeMap::new() },
            now,
            writes: knows.writes,
            config: knows.config.as_deref(),
        }
    }

    /// Reads both sides, whole or not at all, and checks the expressions against the schemas.
    /// Project roles are read only where they are wanted.
    async fn read(&self, knows: &Knows, roles: bool, progress: &Progress, context: &Context) -> Result<Sides> {
        let okta_side = Box::pin(async {
            let okta = &self.listings;
            let unchecked = expressions::find_if_there(okta, &self.settings).await?;
            let mapping = unchecked.mapping.clone();
            let (mut expressions, reading) = futures_util::future::join(
                expressions::check_all(okta, unchecked),
                self.read_okta(&mapping, &knows.org, progress),
            )
            .await;
            let reading = reading?;
            expressions.check_app_user(okta, reading.scope.app.as_ref()).await;
            expressions.settle(&reading.org);
            expressions.refuse(&self.settings, context.printer.colours_stderr())?;
            Ok((expressions, reading))
        });
        let ((expressions, mut reading), platform) =
            Box::pin(futures_util::future::try_join(okta_side, self.read_platform(roles))).await?;
        if let Some(fault) = reading.scope_fault().filter(|_| !worked_before(&knows.past, &reading, &platform)) {
            return Err(fault);
        }
        name_lost_groups(&knows.past, &mut reading);
        if !self.silent {
            let warned = expressions.warned();
            let clock = clock::warning(&self.okta);
            let warnings = warned.iter().chain(&reading.warnings).chain(&clock);
            warnings.for_each(|warning| context.printer.warning(warning));
        }
        // Graces and retries go by Okta's clock: this machine's may be wrong for a run.
        let now = self.listings.server_time().unwrap_or_else(Timestamp::now);
        Ok(Sides { expressions, reading, platform, now })
    }

    /// Reads the platform, with what the config needs of it.
    async fn read_platform(&self, roles: bool) -> Result<Platform> {
        let activepieces = &self.activepieces;
        if self.settings.policy.invitations == OnInvitation::Ignore {
            return activepieces::read_with_roles(activepieces, roles).await;
        }
        let reads = futures_util::future::join(
            activepieces::read_with_roles(activepieces, roles),
            activepieces::invitations::read(activepieces),
        );
        let (platform, invitations) = reads.await;
        // A snapshot that was made without them says nothing about them.
        let invitations = settle::recorded(invitations)?.unwrap_or(Invitations::Off);
        Ok(Platform { invitations, ..platform? })
    }

    /// Asks Okta again about the group of each project that is to be deleted or archived, and the platform for the contents of
    /// the former. A project whose group is there stays.
    async fn look_at_deletions(&self, plan: &mut Plan) -> Result<()> {
        let (mut there, mut relinked) = (BTreeMap::new(), BTreeSet::new());
        for op in &mut plan.projects {
            if let ProjectAction::Relink { from, is_named: false, .. } = &op.action {
                let asked = settle::recorded(okta::confirm_unpushed(&self.okta, &[], &from.of_group()).await)?;
                if asked.is_none_or(|found| found.is_some()) {
                    relinked.insert(op.group.clone());
                }
            } else if op.is_deletion() || op.is_archival() {
                let asked = okta::confirm_unpushed(&self.okta, &self.settings.projects, &op.group).await;
                // A group that a snapshot doesn't tell of isn't known to be gone.
                let untold = || Some(StillThere { name: op.name.clone(), is_pushed: true });
                if let Some(found) = settle::recorded(asked)?.unwrap_or_else(untold) {
                    there.insert(op.group.clone(), found);
                    continue;
                }
                if let (Some(project), ProjectAction::Delete { contents }) = (&op.project, &mut op.action) {
                    // The counts inform; a route that fails doesn't stop a run.
                    let listed = self.activepieces.project_by_external_id(&op.group).await.ok().flatten();
                    let flows = listed.and_then(|listed| listed.analytics.total_flows);
                    *contents = self.activepieces.contents(project, flows).await;
                }
            }
        }
        let Plan { projects, held, warnings, .. } = plan;
        let is_there = |op: &mut ProjectOp| (op.is_deletion() || op.is_archival()) && there.contains_key(&op.group);
        for op in projects.extract_if(.., is_there) {
            let StillThere { name, is_pushed } = &there[&op.group];
            if *is_pushed {
                let about = format!("the group {name}");
                let what = format!("{} the project", op.action.as_str());
                held.push(Deferred::new(&op.name, what, Because::AnswersDisagree { about }));
            } else {
                warnings.push(format!(
                    "the group of project {} is called {name} in Okta and isn't pushed; the project stays as it is",
                    op.name
                ));
            }
        }
        for op in projects.extract_if(.., |op| relinked.contains(&op.group)) {
            let about = format!("the deletion of the group that {} is linked to", op.name);
            held.push(Deferred::new(&op.name, "link the project to another group", Because::AnswersDisagree { about }));
        }
        held.sort();
        warnings.sort();
        Ok(())
    }

    /// Asks for the contents of the personal projects that would be destroyed with their accounts. The counts inform; a route that
    /// fails doesn't stop a run.
    async fn look_at_account_deletions(&self, plan: &mut Plan) {
        let mut doomed: Vec<&mut UserOp> = plan.users.iter_mut().filter(|op| op.is_deletion()).collect();
        if doomed.is_empty() {
            return;
        }
        let listed = self.activepieces.personal_projects().await;
        let listed = listed.inspect_err(|failure| tracing::debug!(%failure, "the personal projects aren't known"));
        let personal: BTreeMap<AccountId, _> =
            listed.into_iter().flat_map(|page| page.data).map(|project| (project.owner_id.clone(), project)).collect();
        for op in &mut doomed {
            let (Some(account), Some(destroys)) = (&op.account, &mut op.destroys) else { continue };
            if let Some(project) = personal.get(account) {
                destroys.contents = self.activepieces.contents(&project.id, project.analytics.total_flows).await;
            }
        }
    }

    /// Notes the project role that goes with each membership, as far as the server tells it: the plan shows it, and an undo
    /// gives it back.
    async fn look_at_roles(&self, plan: &mut Plan, known: &StandingRoles) {
        if let StandingRoles::Known(known) = known {
            for op in &mut plan.projects {
                let Some(project) = &op.project else { continue };
                for removal in &mut op.remove {
                    removal.role = known.of(project, &removal.account).map(str::to_owned);
                }
            }
            return;
        }
        let changed = plan.projects.iter_mut().filter(|op| !op.remove.is_empty());
        let reads = changed.filter_map(|op| {
            let project = op.project.clone()?;
            Some(async move { (op, self.activepieces.project_members(&project).await) })
        });
        let mut answers = stream::iter(reads).buffer_unordered(activepieces::LOOKUPS_AT_ONCE);
        while let Some((op, answer)) = answers.next().await {
            let members = match answer {
                Ok(members) => members.unwrap_or_default(),
                Err(failure) => {
                    tracing::debug!(%failure, "the project roles aren't known");
                    continue;
                }
            };
            let role_of: BTreeMap<_, _> = members.into_iter().map(|member| (member.user_id, member.role)).collect();
            for removal in &mut op.remove {
                removal.role = role_of.get(&removal.account).cloned();
            }
        }
    }

    /// Leaves project roles out of the plan where the server doesn't let them be set, and warns of it once. The server is asked
    /// only if the plan sets any.
    async fn look_at_role_changes(&self, plan: &mut Plan, known: &StandingRoles) -> Result<()> {
        let is_set = match known {
            StandingRoles::Off => false,
            // Unread roles are set too, where a user comes back to a project.
            StandingRoles::Unread | StandingRoles::Known(_) => {
                let mut projects =
                    plan.projects.iter().filter(|op| op.sets_roles()).filter_map(|op| op.project.as_ref());
                match projects.next() {
                    // Of a snapshot that doesn't tell, the listed roles are the best answer: it can't be applied.
                    Some(project) => {
                        let asked = self.activepieces.sets_project_roles(project).await.map_err(Error::from);
                        settle::recorded(asked)?.unwrap_or(true)
                    }
                    None => return Ok(()),
                }
            }
        };
        if is_set {
            return Ok(());
        }
        for op in &mut plan.projects {
            op.roles.clear();
            for member in &mut op.add {
                (member.role, member.role_reason) = (None, None);
            }
        }
        plan.projects.retain(|op| !op.is_empty());
        let warning =
            "the platform's plan has no project roles: none is set, and new members get the server's default role";
        plan.warnings.push(warning.to_owned());
        plan.warnings.sort();
        Ok(())
    }

    /// Reads the users in scope and the pushed groups, and tells how far it is.
    pub async fn read_okta(&self, mapping: &Mapping, known: &KnownOrg, progress: &Progress) -> Result<okta::Reading> {
        let Settings { scope, projects, .. } = &self.settings;
        let tell = |step: okta::Progress| progress.message(told(step));
        okta::read(&self.listings, scope, projects, &mapping.needs(), known, &tell).await
    }

    /// How many requests were sent so far, to both servers.
    pub fn requests(&self) -> u64 {
        self.okta.http().requests() + self.activepieces.requests()
    }

    /// What requests to both servers wait for.
    pub fn waits(&self) -> [&Waits; 2] {
        [self.okta.http().pace().waits(), self.activepieces.waits()]
    }

    /// How long requests waited for rate limits so far.
    pub fn waited(&self) -> std::time::Duration {
        self.waits().iter().map(|waits| waits.for_rate_limits()).sum()
    }
}

/// Whether the scope was once found whole, so that users may have accounts by it that have to be closed: an earlier run found an
/// app or a group that isn't found now, or an active account is linked. Otherwise a name in the config is wrong.
fn worked_before(past: &Past, reading: &okta::Reading, platform: &Platform) -> bool {
    let ids = OktaIds::of(reading.org.users.keys(), reading.org.groups.keys());
    !lost_parts(past, reading).is_empty()
        || platform.users.iter().any(|user| user.active && user.okta_id(&ids).is_some())
}

/// The apps and groups of the scope that the last trusted run found and this one didn't: `group 00g…`.
fn lost_parts(past: &Past, reading: &okta::Reading) -> Vec<String> {
    let found = reading.scope.parts();
    let earlier = past.trusted.iter().flat_map(|sizes| sizes.scope.split(", "));
    let named = earlier.filter(|part| part.starts_with("app ") || part.starts_with("group "));
    named.filter(|part| !found.iter().any(|found| found == part)).map(str::to_owned).collect()
}

/// Says of a missing part of the scope which groups an earlier run found in its place, by their names of today.
fn name_lost_groups(past: &Past, reading: &mut okta::Reading) {
    let lost = lost_parts(past, reading);
    let ids = lost.iter().filter_map(|part| part.strip_prefix("group "));
    let names = ids.filter_map(|id| reading.org.groups.get(&OktaGroupId::from(id)));
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    if names.is_empty() {
        return;
    }
    for part in &mut reading.org.missing_scope {
        part.fault = format!("{}; an earlier run found {}", part.fault, names.join(" and "));
    }
}

/// The address that a URL's host has, with its port and path: the same for all names of one server. One of several addresses
/// is taken that doesn't depend on their order.
async fn address(url: &Url) -> String {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port)).await;
    let addresses: Vec<IpAddr> = found.map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default();
    let place = if addresses.iter().any(IpAddr::is_loopback) {
        "loopback".to_owned()
    } else {
        addresses.iter().min().map_or_else(|| host.to_owned(), ToString::to_string)
    };
    format!("{place}:{port}{}", url.path().trim_end_matches('/'))
}

/// A warning about users that a snapshot has too few answers about.
fn unknown(users: usize) -> Option<String> {
    (users > 0).then(|| {
        let users = counted(users, "user", "users");
        format!("the snapshot doesn't hold what Okta says of {users}: operations that depend on it are deferred")
    })
}

/// How many requests of a read expressions asked for, and how much was cached.
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

/// The progress of the read of Okta, in words.
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

/// The client of the org, for commands that need no platform.
pub fn okta_client(settings: &Settings) -> Result<Okta> {
    Ok(Okta::new(http::Client::new(access::okta(settings)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_names_of_this_machine_are_one_address() {
        let address = async |url: &str| address(&url.parse().unwrap()).await;
        let expected = "loopback:8080";
        for url in ["http://localhost:8080", "http://127.0.0.1:8080/", "http://[::1]:8080", "http://127.9.9.9:8080"] {
            assert_eq!(address(url).await, expected, "{url}");
        }
        assert_eq!(address("http://127.0.0.1/team/").await, "loopback:80/team");
        assert_eq!(address("https://192.0.2.7").await, "192.0.2.7:443");
        assert_eq!(address("https://nowhere.invalid").await, "nowhere.invalid:443");
    }
}
