//! `oktapieces check`: tests the config, both servers and the rights of both secrets.

use std::collections::BTreeSet;

use clap::Args;

use crate::activepieces::wire::CONFIG_SCHEMA;
use crate::activepieces::{self, Activepieces};
use crate::config::MonitoringSettings;
use crate::config::settings::Settings;
use crate::error::{EXIT_OK, Error, Kind, Result, Topic};
use crate::expression::check::Severity;
use crate::mapping::attributes::{self, Mapping};
use crate::model::activepieces::{KnownRoles, Platform};
use crate::model::known::KnownOrg;
use crate::model::problem::ProblemKind;
use crate::okta::{self, Okta};
use crate::output::progress::Progress;
use crate::output::text::{counted, safe};
use crate::plan::diff::roles::unknown_role;
use crate::sync::context::Context;
use crate::sync::expressions::{self, Expressions};
use crate::sync::notify;
use crate::sync::session::{self, PARALLELISM, Session};
use crate::sync::targets::{SharedReads, Targets, ended};
use crate::sync::{access, clock, environment, waiting};

mod failing;
mod lines;

use lines::{LineState, Lines};

/// Test the config, both servers, the rights of both secrets, and what the scope names
#[derive(Debug, Args)]
pub struct CheckArgs {}

pub async fn run(_: CheckArgs, context: &Context) -> Result<u8> {
    let targets = session::targets(context)?;
    let (shared, mut ending) = (SharedReads::of(&targets), Targets::new(&targets, context));
    for settings in targets {
        ending.turn_of(settings.target_name());
        settings.warnings.iter().for_each(|warning| context.printer.warning(warning));
        let result = Box::pin(of_target(settings.clone(), &shared, context)).await;
        ending.end(ended(&settings, &result, |code| if code == EXIT_OK { "passed" } else { "failed" }), result);
    }
    ending.finish()
}

async fn of_target(settings: Settings, shared: &SharedReads, context: &Context) -> Result<u8> {
    let mut lines = Lines::new(context);
    let expressions = settings.mapping.expressions().len();
    lines.ok("config", format!("valid, with {}", counted(expressions, "expression", "expressions")));
    for warning in &settings.warnings {
        lines.warn("config", warning.clone(), None);
    }
    monitoring(&settings, &mut lines);
    if local_side(&settings, &mut lines) {
        let mut session = Session::with(settings, PARALLELISM)?;
        shared.join(&mut session);
        okta_side(&session, &session.listings, &mut lines).await;
        activepieces_side(&session, &mut lines).await;
        if session.settings.mapping.manages_roles() {
            project_roles(&session, &mut lines).await;
        }
    }
    Ok(lines.finish())
}

/// What this machine has to have before anything can be sent; whether it has all of it.
fn local_side(settings: &Settings, lines: &mut Lines<'_>) -> bool {
    let mut is_ready = true;
    if let Err(error) = environment::timeout() {
        lines.fail("environment", &error);
        is_ready = false;
    }
    for (name, file) in
        [("Okta CA file", &settings.okta.ca_file), ("Activepieces CA file", &settings.activepieces.ca_file)]
    {
        let Some(path) = file else { continue };
        let shown = |found: &Vec<_>| {
            format!("`{}` holds {}", path.display(), counted(found.len(), "certificate", "certificates"))
        };
        is_ready &= lines.result(name, access::authorities(Some(path)), shown).is_some();
    }
    let okta = access::okta_secret(settings);
    is_ready &= lines.result(access::name(settings), okta, |()| access::described(settings)).is_some();
    if let Some(asked) = access::asked_scopes(settings) {
        lines.ok("Okta scopes", asked);
    }
    let key = &settings.activepieces.api_key;
    is_ready & lines.result("Activepieces key", key.read(), |_| key.to_string()).is_some()
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
    let is_allowed = rights(session, okta, lines).await;
    if let Some(warning) = clock::warning(okta) {
        lines.warn(
            "clock",
            warning,
            Some("set the clock, by NTP for example: tokens, proofs and certificates depend on it"),
        );
    }
    if is_allowed && let Some(expressions) = expressions(&session.settings, okta, lines).await {
        scope(session, &expressions.mapping, lines).await;
    }
}

/// Whether users, groups and apps may be listed. Each may be refused for itself; any other failure would be the same for all.
async fn rights(session: &Session, okta: &Okta, lines: &mut Lines<'_>) -> bool {
    let mut all = true;
    for name in ["Okta rights: users", "Okta rights: groups", "Okta rights: apps"] {
        let answer = match name {
            "Okta rights: users" => okta.probe_users().await,
            "Okta rights: groups" => okta.probe_groups().await,
            _ if session.settings.scope.app.is_none() => continue,
            _ => okta.probe_apps().await,
        };
        let is_own = answer.as_ref().err().is_none_or(|failure| failure.status() == Some(403));
        let error = answer.map_err(Error::from);
        let is_credentials = error.as_ref().is_err_and(|error| !is_own && error.kind == Kind::Unauthorized);
        let name = if is_credentials { access::name(&session.settings) } else { name };
        all &= lines.result(name, error, |()| "may be listed".to_owned()).is_some();
        if !is_own {
            return false;
        }
    }
    all
}

/// The expressions, and findings by the org's own user schema that don't depend on the user.
async fn expressions(settings: &Settings, okta: &Okta, lines: &mut Lines<'_>) -> Option<Expressions> {
    let read = expressions::read(okta, settings, settings.from_okta).await;
    let found = match read {
        Ok(found) => found,
        Err(error) => {
            lines.fail("expressions", &error);
            return None;
        }
    };
    if found.asked_other_types
        && let Some(asked) = access::scopes_when_needed(settings)
    {
        lines.ok("Okta scopes", format!("{asked}, in a token of its own: the default user type lacks an attribute"));
    }
    for warning in &found.warnings {
        lines.warn("expressions", warning.clone(), None);
    }
    for (attribute, finding) in &found.findings {
        let (told, hint) = (found.told(attribute, finding), finding.hint.as_deref());
        match finding.severity {
            Severity::Error => {
                let error = Error::new(Kind::Config, told).about(Topic::Expression);
                lines.fail("expressions", &hint.into_iter().fold(error, Error::hint));
            }
            Severity::Warning => lines.warn("expressions", told, hint),
            Severity::Note => {
                lines.add("expressions", LineState::Note, told, hint.map(str::to_owned).into_iter().collect());
            }
        }
    }
    if found.are_checked() && found.findings.iter().all(|(_, finding)| finding.severity == Severity::Note) {
        lines.ok("expressions", "fit the org's user schema".to_owned());
    }
    if let Err(error) = found.mistakes(settings, lines.context.printer.colours_stderr()) {
        if !lines.context.printer.json {
            lines.context.printer.status(&format!("\n{error}\n"));
        }
        if found.findings.iter().all(|(_, finding)| finding.severity != Severity::Error) {
            lines.fail("expressions", &error);
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
    missing(&reading, lines);
    for warning in &reading.warnings {
        lines.warn("Okta scope", warning.clone(), None);
    }
    let desired = attributes::desired(&reading.org, mapping, jiff::Timestamp::now());
    let floor = session.settings.policy.limits.floor();
    failing::tell(&desired, reading.org.in_scope.len(), floor, lines);
}

/// What the config names and the org doesn't have.
fn missing(reading: &okta::Reading, lines: &mut Lines<'_>) {
    for part in &reading.org.missing_scope {
        let fix = "correct [scope]; until then no user counts as out of scope";
        lines.problem("Okta scope", ProblemKind::ScopeNotFound, part.fault.clone(), fix);
    }
    for rule in &reading.org.unresolved {
        let place = rule.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let fix = "correct the rule under [[projects]]; until then its project stays as it is";
        let kind = rule.fault.kind();
        lines.problem("Okta groups", kind, format!("{place}{}", rule.fault.told(&rule.wanted)), fix);
    }
    for (wanted, fault) in &reading.org.missing_role_groups {
        let fix = "correct `roles` under [[projects]]; until then roles that depend on it stay as they are";
        lines.problem("Okta groups", fault.kind(), format!("roles: {}", fault.told(wanted)), fix);
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
        lines.warn("Activepieces owner", "isn't known".to_owned(), Some("name the owner under safety.protect"));
    }
}

/// Whether the platform has the project roles that the config names.
async fn project_roles(session: &Session, lines: &mut Lines<'_>) {
    let roles = match session.activepieces.project_roles().await {
        Ok(roles) => roles,
        Err(failure) => {
            lines.fail("project roles", &failure.into());
            return;
        }
    };
    let known = KnownRoles { names: roles.into_iter().map(|role| role.name).collect(), ..KnownRoles::default() };
    let given = session.settings.mapping.project_roles.iter().flatten();
    let named: BTreeSet<_> = given.flat_map(|rule| rule.names().map(|name| (rule.location.clone(), name))).collect();
    let mut all_known = true;
    for (location, name) in named.iter().filter(|(_, name)| known.spelled(name).is_none()) {
        let place = location.as_ref().map(|location| format!("{location}: ")).unwrap_or_default();
        let fix = "correct `role` or `roles` under [[projects]], or make the role on the platform";
        let kind = ProblemKind::UnknownProjectRole;
        lines.problem("project roles", kind, place + &unknown_role(name, &known), fix);
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
        lines.add("Activepieces plan", state, format!("has no {name}: {refused}"), Vec::new());
    }
}

/// The generation of the server, as its answers show it. A server that hides embedded accounts answers as the one before it
/// while it has none (`docs/activepieces.md`).
async fn generation(activepieces: &Activepieces, platform: &Platform, lines: &mut Lines<'_>) {
    let bare = match activepieces.has_bare_lists().await {
        Ok(bare) => bare,
        Err(failure) => {
            lines.fail("Activepieces version", &failure.into());
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
