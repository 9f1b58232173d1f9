//! `oktapieces check`: tests the config, both servers and the rights of both secrets.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use crate::activepieces::wire::CONFIG_SCHEMA;
use crate::activepieces::{self, Activepieces};
use crate::config::MonitoringSettings;
use crate::config::settings::Settings;
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::expression::check::Severity;
use crate::mapping::attributes::{self, Mapping};
use crate::model::activepieces::{KnownRoles, Platform};
use crate::model::desired::DesiredState;
use crate::model::known::KnownOrg;
use crate::okta::{self, Okta};
use crate::output::json::FORMAT_VERSION;
use crate::output::progress::Progress;
use crate::output::text::{ADD, CHANGE, HINT, REMOVE, counted, safe, styled};
use crate::plan::diff::roles::unknown_role;
use crate::sync::access;
use crate::sync::context::Context;
use crate::sync::expressions::{self, Expressions};
use crate::sync::notify;
use crate::sync::session::{PARALLELISM, Session, load};
use crate::sync::waiting;

/// Test the config, both servers, the rights of both secrets, and what the scope names
#[derive(Debug, Args)]
pub struct CheckArgs {}

/// One thing that was tested.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    state: LineState,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fix: Vec<String>,
    #[serde(skip)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum LineState {
    Ok,
    Note,
    Warning,
    Failed,
}

/// The lines so far, each shown as soon as it's known.
struct Lines<'a> {
    context: &'a Context,
    lines: Vec<Line>,
}

pub async fn run(_: CheckArgs, context: &Context) -> Result<u8> {
    let mut lines = Lines { context, lines: Vec::new() };
    let settings = load(context)?;
    let expressions = settings.mapping.expressions().len();
    lines.ok("config", format!("valid, with {}", counted(expressions, "expression", "expressions")));
    for warning in &settings.warnings {
        lines.add("config", LineState::Warning, warning.clone(), Vec::new(), None);
    }
    monitoring(&settings, &mut lines);
    let okta_secret = lines.result(access::name(&settings), access::okta(&settings), |_| access::described(&settings));
    if let Some(asked) = access::asked_scopes(&settings) {
        lines.ok("Okta scopes", asked);
    }
    let key = &settings.activepieces.api_key;
    let activepieces_secret = lines.result("Activepieces key", key.read(), |_| key.to_string());
    if okta_secret.is_some() && activepieces_secret.is_some() {
        let session = Session::with(settings, PARALLELISM)?;
        okta_side(&session, &session.okta, &mut lines).await;
        activepieces_side(&session, &mut lines).await;
        if session.settings.mapping.manages_roles() {
            project_roles(&session, &mut lines).await;
        }
    }
    Ok(lines.finish())
}

/// Whether the addresses that hear of runs can be read. Nothing is sent to them.
fn monitoring(settings: &Settings, lines: &mut Lines<'_>) {
    let MonitoringSettings { webhook, heartbeat, ca_file, .. } = &settings.monitoring;
    for (name, source) in [("webhook", webhook), ("heartbeat", heartbeat)] {
        if let Some(source) = source {
            lines.result(name, notify::described(source, ca_file.as_ref()), String::clone);
        }
    }
}

/// The org, the token's rights, and what the scope and the pushed groups come to.
async fn okta_side(session: &Session, okta: &Okta, lines: &mut Lines<'_>) {
    let reached = okta.well_known().await.map_err(Error::from);
    if lines.result("Okta org", reached, |_| format!("{} answers", session.org())).is_none() {
        return;
    }
    let users = okta.probe_users().await.map_err(Error::from);
    let mut allowed = lines.result("Okta rights: users", users, |()| "may be listed".to_owned()).is_some();
    let groups = okta.probe_groups().await.map_err(Error::from);
    allowed &= lines.result("Okta rights: groups", groups, |()| "may be listed".to_owned()).is_some();
    if session.settings.scope.app.is_some() {
        let apps = okta.probe_apps().await.map_err(Error::from);
        allowed &= lines.result("Okta rights: apps", apps, |()| "may be listed".to_owned()).is_some();
    }
    if allowed && let Some(expressions) = expressions(&session.settings, okta, lines).await {
        scope(session, &expressions.mapping, lines).await;
    }
}

/// The expressions, and findings by the org's own user schema that don't depend on the user.
async fn expressions(settings: &Settings, okta: &Okta, lines: &mut Lines<'_>) -> Option<Expressions> {
    let read = expressions::read(okta, settings, settings.from_okta).await;
    let found = match read {
        Ok(found) => found,
        Err(error) => {
            lines.result::<()>("expressions", Err(error), |()| String::new());
            return None;
        }
    };
    if found.asked_other_types
        && let Some(asked) = access::scopes_when_needed(settings)
    {
        lines.ok("Okta scopes", format!("{asked}, in a token of its own: the default user type lacks an attribute"));
    }
    for warning in &found.warnings {
        lines.add("expressions", LineState::Warning, warning.clone(), Vec::new(), None);
    }
    for (attribute, finding) in &found.findings {
        let (state, kind) = match finding.severity {
            Severity::Error => (LineState::Failed, Some(Kind::Config)),
            Severity::Warning => (LineState::Warning, None),
            Severity::Note => (LineState::Note, None),
        };
        lines.add(
            "expressions",
            state,
            found.told(attribute, finding),
            finding.hint.clone().into_iter().collect(),
            kind,
        );
    }
    if found.are_checked() && found.findings.iter().all(|(_, finding)| finding.severity == Severity::Note) {
        lines.ok("expressions", "fit the org's user schema".to_owned());
    }
    if let Err(error) = found.mistakes(settings, lines.context.printer.colours_stderr()) {
        if !lines.context.printer.json {
            lines.context.printer.status(&format!("\n{error}\n"));
        }
        if found.findings.iter().all(|(_, finding)| finding.severity != Severity::Error) {
            lines.add("expressions", LineState::Failed, error.to_string(), error.hints, Some(error.kind));
        }
        return None;
    }
    Some(found)
}

/// Who is in scope, which groups are pushed, and whether the expressions give values for all.
async fn scope(session: &Session, mapping: &Mapping, lines: &mut Lines<'_>) {
    let progress = Progress::spinner(&lines.context.printer, "Reading Okta");
    let known = KnownOrg::default();
    let read = Box::pin(session.read_okta(mapping, &known, &progress));
    let reading = waiting::told(read, session.waits(), &progress, &lines.context.printer).await;
    drop(progress);
    let shown = |reading: &okta::Reading| {
        let users = counted(reading.org.in_scope.len(), "user", "users");
        format!("{users} in scope, {} pushed", counted(reading.org.pushed.len(), "group", "groups"))
    };
    let Some(reading) = lines.result("Okta scope", reading, shown) else { return };
    if reading.asked_by_expressions > 0 {
        let requests =
            counted(usize::try_from(reading.asked_by_expressions).unwrap_or(usize::MAX), "request", "requests");
        lines.ok("expressions", format!("ask for more than profiles: {requests} more"));
    }
    for part in &reading.org.missing_scope {
        let fix = vec!["correct [scope]; until then no user counts as out of scope".to_owned()];
        lines.add("Okta scope", LineState::Failed, part.fault.clone(), fix, Some(Kind::Config));
    }
    for rule in &reading.org.unresolved {
        let place = rule.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let fix = vec!["correct the rule under [[projects]]; until then its project stays as it is".to_owned()];
        let detail = format!("{place}{}", rule.fault.told(&rule.wanted));
        lines.add("Okta groups", LineState::Failed, detail, fix, Some(Kind::Config));
    }
    for (wanted, fault) in &reading.org.missing_role_groups {
        let fix =
            vec!["correct `roles` under [[projects]]; until then roles that depend on it stay as they are".to_owned()];
        let detail = format!("roles: {}", fault.told(wanted));
        lines.add("Okta groups", LineState::Failed, detail, fix, Some(Kind::Config));
    }
    for warning in &reading.warnings {
        lines.add("Okta scope", LineState::Warning, warning.clone(), Vec::new(), None);
    }
    let desired = attributes::desired(&reading.org, mapping, jiff::Timestamp::now());
    let problems = desired.users.values().filter(|user| matches!(user.state, DesiredState::Problem(_))).count();
    if problems == 0 {
        lines.ok("expressions", "give a value for all users".to_owned());
    } else {
        let people = counted(problems, "user has", "users have");
        let detail = format!("{people} no valid attributes and would be left alone");
        lines.add("expressions", LineState::Warning, detail, vec!["oktapieces plan names them".to_owned()], None);
    }
}

/// The platform, the key's rights on both interfaces, and what is there.
async fn activepieces_side(session: &Session, lines: &mut Lines<'_>) {
    let activepieces = &session.activepieces;
    let config = activepieces.service_provider_config().await.map_err(Error::from).and_then(|config| {
        if config.schemas.iter().any(|schema| schema == CONFIG_SCHEMA) {
            return Ok(());
        }
        Err(Error::new(Kind::Failed, "the answer is JSON, and not that of a SCIM server")
            .hint("activepieces.url is the platform's address, such as https://activepieces.example.com"))
    });
    let shown = |(): &()| format!("{} answers, and its plan has SCIM", session.platform());
    if lines.result("Activepieces SCIM", config, shown).is_none() {
        return;
    }
    let rest = activepieces.rest_users(1).await.map(|_| ()).map_err(Error::from);
    if lines.result("Activepieces REST", rest, |()| "the key may use it".to_owned()).is_none() {
        return;
    }
    plan_flags(activepieces, lines).await;
    let platform = activepieces::read(activepieces).await;
    let shown = |platform: &Platform| {
        let users = counted(platform.users.len(), "account", "accounts");
        format!("{users}, {}", counted(platform.projects.len(), "team project", "team projects"))
    };
    let Some(platform) = lines.result("Activepieces listing", platform, shown) else { return };
    generation(activepieces, &platform, lines).await;
    let owner = platform.users.iter().find(|user| Some(&user.id) == platform.owner.as_ref());
    if let Some(owner) = owner {
        lines.ok("Activepieces owner", format!("{} is protected", safe(&owner.user_name)));
    } else {
        let fix = vec!["name the owner under safety.protect".to_owned()];
        lines.add("Activepieces owner", LineState::Warning, "isn't known".to_owned(), fix, None);
    }
}

/// Whether the platform has the project roles that the config names.
async fn project_roles(session: &Session, lines: &mut Lines<'_>) {
    let roles = match session.activepieces.project_roles().await {
        Ok(roles) => roles,
        Err(failure) => {
            lines.result::<()>("project roles", Err(failure.into()), |()| String::new());
            return;
        }
    };
    let known = KnownRoles { names: roles.into_iter().map(|role| role.name).collect(), ..KnownRoles::default() };
    let given = session.settings.mapping.project_roles.iter().flatten();
    let named: BTreeSet<_> = given.flat_map(|rule| rule.names().map(|name| (rule.location.clone(), name))).collect();
    let mut all_known = true;
    for (location, name) in named.iter().filter(|(_, name)| known.spelled(name).is_none()) {
        let place = location.as_ref().map(|location| format!("{location}: ")).unwrap_or_default();
        let fix = vec!["correct `role` or `roles` under [[projects]], or make the role on the platform".to_owned()];
        lines.add("project roles", LineState::Failed, place + &unknown_role(name, &known), fix, Some(Kind::Config));
        all_known = false;
    }
    if all_known {
        lines.ok("project roles", format!("the platform has {}", counted(known.names.len(), "role", "roles")));
    }
}

/// What the platform's plan switches off, and what the server will refuse for it.
async fn plan_flags(activepieces: &Activepieces, lines: &mut Lines<'_>) {
    // A server that doesn't say is no failure: what it refuses shows when it's asked.
    let Ok(Some(plan)) = activepieces.platform_plan().await else { return };
    let flags = [
        ("SCIM", plan.scim_enabled, LineState::Warning, "every SCIM request will be refused"),
        (
            "project roles",
            plan.project_roles_enabled,
            LineState::Note,
            "project roles can't be read or set, and new members get the server's default role",
        ),
        ("custom roles", plan.custom_roles_enabled, LineState::Note, "no custom project role can be made"),
        ("API keys", plan.api_keys_enabled, LineState::Note, "this key works, and no new one can be made"),
    ];
    let on: Vec<&str> = flags.iter().filter(|(_, flag, ..)| *flag == Some(true)).map(|(name, ..)| *name).collect();
    if !on.is_empty() {
        lines.ok("Activepieces plan", format!("has {}", on.join(", ")));
    }
    for (name, _, state, refused) in flags.into_iter().filter(|(_, flag, ..)| *flag == Some(false)) {
        lines.add("Activepieces plan", state, format!("has no {name}: {refused}"), Vec::new(), None);
    }
}

/// The generation of the server, as its answers show it. A server that hides embedded accounts answers as the one before it
/// while it has none (`docs/activepieces.md`).
async fn generation(activepieces: &Activepieces, platform: &Platform, lines: &mut Lines<'_>) {
    let bare = match activepieces.has_bare_lists().await {
        Ok(bare) => bare,
        Err(failure) => {
            lines.result::<()>("Activepieces version", Err(failure.into()), |()| String::new());
            return;
        }
    };
    let embedded = counted(platform.embedded.len(), "embedded account", "embedded accounts");
    lines.ok(
        "Activepieces version",
        match (bare, platform.embedded.is_empty()) {
            (true, _) => "answers as 0.79 to 0.83: platform roles are read from REST".to_owned(),
            (false, true) => "answers as 0.85 or newer".to_owned(),
            (false, false) => format!("answers as 0.86 or newer: SCIM hides {embedded}, which are left alone"),
        },
    );
}

impl Lines<'_> {
    fn ok(&mut self, name: &'static str, detail: String) {
        self.add(name, LineState::Ok, detail, Vec::new(), None);
    }

    /// A line for a result, which is given back where it's good.
    fn result<T>(&mut self, name: &'static str, result: Result<T>, shown: impl FnOnce(&T) -> String) -> Option<T> {
        match result {
            Ok(value) => {
                self.ok(name, shown(&value));
                Some(value)
            }
            Err(error) => {
                self.add(name, LineState::Failed, error.to_string(), error.hints.clone(), Some(error.kind));
                None
            }
        }
    }

    fn add(&mut self, name: &'static str, state: LineState, detail: String, fix: Vec<String>, kind: Option<Kind>) {
        let line = Line { name, state, detail, fix, kind };
        if !self.context.printer.json {
            self.context.printer.answer(&line.render());
        }
        self.lines.push(line);
    }

    /// The total and the exit code: that of the first failure.
    fn finish(self) -> u8 {
        let count = |state| self.lines.iter().filter(|line| line.state == state).count();
        let (warnings, failed) = (count(LineState::Warning), count(LineState::Failed));
        if self.context.printer.json {
            let answer = serde_json::json!({
                "format_version": FORMAT_VERSION, "lines": self.lines, "warnings": warnings, "failed": failed,
            });
            self.context.printer.answer_json(&answer);
        } else {
            let warnings = counted(warnings, "warning", "warnings");
            self.context.printer.answer(&format!("\n{failed} failed, {warnings}."));
        }
        let kind = self.lines.iter().find_map(|line| line.kind);
        kind.map_or(EXIT_OK, Kind::exit_code)
    }
}

impl Line {
    fn render(&self) -> String {
        let state = match self.state {
            LineState::Ok => styled(ADD, "ok     "),
            LineState::Note => styled(HINT, "note   "),
            LineState::Warning => styled(CHANGE, "warning"),
            LineState::Failed => styled(REMOVE, "failed "),
        };
        let fixes = self.fix.iter().map(|fix| format!("\n         {}: {fix}", styled(HINT, "fix")));
        format!("{state}  {:<22} {}{}", self.name, self.detail, fixes.collect::<String>())
    }
}
