//! Makes snapshots: records a plan's reads, redacts them, and checks that the same plan follows from the file.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Kind, Result};
use crate::expression::ast;
use crate::http::answers::{Answer, Recorder};
use crate::mapping::attributes::Mapping;
use crate::mapping::projects::{Selector, find_group};
use crate::model::okta::{Group, GroupType};
use crate::okta::api::wire::WireGroup;
use crate::output::text::counted;
use crate::plan::hold::resumed::Resumed;
use crate::plan::outline::Outline;
use crate::plan::{Past, Plan};
use crate::snapshot::kept::kept;
use crate::snapshot::redact::{Keep, redact, words};
use crate::snapshot::{FORMAT_VERSION, Snapshot};
use crate::sync::context::Context;
use crate::sync::expressions;
use crate::sync::journal::fingerprint;
use crate::sync::session::{Knows, PARALLELISM, Planned, Session};

/// A session whose reads are recorded.
#[derive(Debug)]
pub struct Recording {
    pub session: Session,
    okta: Recorder,
    activepieces: Recorder,
}

impl Recording {
    /// Reads the config and both secrets; nothing is sent yet.
    pub fn open(context: &Context) -> Result<Self> {
        let settings = super::session::load(context)?;
        let (okta, activepieces) = (Recorder::new(kept), Recorder::new(kept));
        let session = Session::recorded(settings, PARALLELISM, (&okta, &activepieces))?;
        Ok(Self { session, okta, activepieces })
    }

    /// Plans, and gives the plan with what it was made from.
    pub async fn snapshot(&self, past: Past, resumed: Resumed, context: &Context) -> Result<(Plan, Snapshot)> {
        let knows = knows(past);
        let Planned { plan, now, .. } = self.session.plan(&knows, false, context).await?;
        let settings = &self.session.settings;
        let snapshot = Snapshot {
            format_version: FORMAT_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            okta: settings.okta.org_url.to_string(),
            activepieces: settings.activepieces.url.to_string(),
            read_at: now,
            redacted: false,
            attributes: None,
            config: fingerprint(context)?,
            past: knows.past,
            resumed,
            okta_answers: self.okta.answers(),
            activepieces_answers: self.activepieces.answers(),
        };
        Ok((plan, snapshot))
    }

    /// The snapshot without personal data.
    pub async fn redacted(&self, snapshot: Snapshot) -> Result<Snapshot> {
        let offline = Session::offline(self.session.settings.clone(), &snapshot)?;
        let mapping = expressions::find_if_there(&offline.okta, &offline.settings).await?.mapping;
        let keep = keep(&offline, &mapping, &snapshot);
        redact(snapshot, &keep)
    }

    /// In how many places the plan from a snapshot isn't this one.
    pub async fn differences(&self, plan: &Plan, snapshot: &Snapshot, context: &Context) -> Result<usize> {
        let mut offline = Session::offline(self.session.settings.clone(), snapshot)?;
        offline.silent = true;
        let planned = offline.plan(&knows(snapshot.past.clone()), false, context).await?;
        Ok(Outline::of(plan).differences(&Outline::of(&planned.plan)))
    }
}

/// What a plan from a snapshot knows of earlier runs. All groups are read, so that the snapshot holds them.
pub fn knows(past: Past) -> Knows {
    let (org, owed_roles) = (crate::model::known::KnownOrg::default(), BTreeMap::new());
    Knows { past, org, owed_roles, in_line: None, writes: false, config: None }
}

/// Refuses a snapshot of another org or platform than those of the config. A redacted one doesn't say of which it is.
pub fn is_for(snapshot: &Snapshot, session: &Session) -> Result<()> {
    let here = (session.settings.okta.org_url.as_str(), session.settings.activepieces.url.as_str());
    let there = (snapshot.okta.as_str(), snapshot.activepieces.as_str());
    if snapshot.redacted || there == here {
        return Ok(());
    }
    let error = format!(
        "the snapshot is of {} and {}, and the config names {} and {}",
        crate::output::text::safe(there.0),
        crate::output::text::safe(there.1),
        here.0,
        here.1
    );
    Err(Error::new(Kind::Refused, error))
}

/// Refuses a config that asks for attributes that were left out of the snapshot, and warns of one that a redacted snapshot wasn't
/// made for.
pub async fn serves(snapshot: &Snapshot, session: &Session, context: &Context) -> Result<()> {
    let mapping = expressions::find_if_there(&session.okta, &session.settings).await?.mapping;
    let missing = snapshot.missing(&mapping.needs().attributes);
    if !missing.is_empty() {
        let error = format!("the config asks for what was left out of the snapshot: {}", missing.join(", "));
        return Err(Error::new(Kind::Config, error).hint("export a new snapshot with this config"));
    }
    if snapshot.redacted && snapshot.config != fingerprint(context)? {
        context.printer.warning(
            "the snapshot was redacted for another config: values that this config compares with may have been replaced",
        );
    }
    Ok(())
}

/// Refuses a redacted snapshot from which another plan follows.
pub fn gives_the_plan(differences: usize) -> Result<()> {
    if differences == 0 {
        return Ok(());
    }
    let differences = counted(differences, "place", "places");
    let error = format!("the plan from the redacted snapshot differs in {differences}, so the snapshot wasn't written");
    Err(Error::new(Kind::Refused, error).hint(
        "expressions that compare parts of words can't be kept: see docs/snapshots.md, or export without --redact",
    ))
}

/// What the config compares with, and so isn't replaced.
fn keep(session: &Session, mapping: &Mapping, snapshot: &Snapshot) -> Keep {
    let settings = &session.settings;
    let mut literals = Vec::new();
    for mapped in mapping.expressions().values() {
        mapped.expression.ast().visit(&mut |node| {
            if let ast::Kind::Text(text) = &node.kind {
                literals.push(text.clone());
            }
        });
    }
    for rule in &settings.projects {
        literals.extend(compared(&rule.selector));
        literals.extend(rule.name.clone().into_iter().chain(rule.project.clone()));
        let roles = rule.roles.iter();
        literals.extend(
            roles.flat_map(|roles| roles.groups().cloned().chain(roles.names()).chain(roles.order.iter().cloned())),
        );
    }
    let scope = &settings.scope;
    literals.extend(scope.app.iter().chain(&scope.groups).cloned());
    let search = scope.search.as_deref().unwrap_or_default();
    literals.extend(quoted(search));
    // Okta's own groups, such as Everyone, are known by their names.
    let groups = groups(snapshot);
    literals.extend(groups.iter().filter(|group| group.kind == GroupType::BuiltIn).map(|group| group.name.clone()));
    let mut attributes = mapping.needs().attributes;
    for rest in search.split("profile.").skip(1) {
        attributes.insert(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
    }
    let accepted = settings.policy.accepted.iter().map(|accepted| accepted.who.clone());
    let values = settings.policy.protect.iter().cloned().chain(accepted);
    Keep {
        words: literals.iter().flat_map(|literal| words(literal)).collect(),
        values: values.map(|value| value.trim().to_lowercase()).collect(),
        group_words: group_names(session, &groups).iter().flat_map(|name| words(name)).collect(),
        attributes,
    }
}

/// What a search compares with: every second part is within quotes.
fn quoted(search: &str) -> impl Iterator<Item = String> {
    search.split('"').skip(1).step_by(2).map(str::to_owned)
}

/// The names and patterns that a rule compares groups with.
fn compared(selector: &Selector) -> Vec<String> {
    match selector {
        Selector::Groups(names) => names.clone(),
        Selector::Match(filter) => {
            let patterns = filter.exclude_pattern.iter().chain([&filter.pattern]);
            let searched = filter.searches().flat_map(|search| quoted(search));
            let names = filter.exclude.iter().cloned().chain(searched);
            patterns.map(|pattern| pattern.as_str().to_owned()).chain(names).collect()
        }
    }
}

/// The groups that were listed.
fn groups(snapshot: &Snapshot) -> Vec<Group> {
    let listed = match snapshot.okta_answers.get("/api/v1/groups") {
        Some(Answer::List(listed)) => listed.as_slice(),
        _ => &[],
    };
    let groups = listed.iter().filter_map(|group| serde_json::from_str::<WireGroup>(group.text()).ok());
    groups.map(Group::from).collect()
}

/// The names of the groups that the config pushes or takes the scope from.
fn group_names(session: &Session, groups: &[Group]) -> BTreeSet<String> {
    // More names than needed may stay where the rules take what Okta's app pushes.
    let pushed = groups.iter().filter(|group| session.settings.projects.iter().any(|rule| rule.may_take(group)));
    let in_scope = session.settings.scope.groups.iter().filter_map(|name| find_group(name, groups).ok());
    in_scope.map(|group| group.name.clone()).chain(pushed.map(|group| group.name.clone())).collect()
}
