//! The explanation of one user.

use std::collections::BTreeSet;

use super::past;
use super::read::{self, Knows, Seen};
use super::subject::{self, Subject};
use crate::error::Result;
use crate::expression::{self, Step as Part, Value};
use crate::mapping::attributes::Mapped;
use crate::mapping::roles::RoleRule;
use crate::model::activepieces::{EmbeddedUser, Project, StandingRoles, User};
use crate::model::desired::{DesiredProject, DesiredState, DesiredUser, Source};
use crate::model::id::{OktaGroupId, OktaIds, OktaUserId};
use crate::model::okta::Group;
use crate::okta::lookup::few::{Few, Told};
use crate::output::explained::{
    ExplainedAccount, ExplainedAssignment, ExplainedAttribute, ExplainedGroup, ExplainedProject, ExplainedUser,
    ExpressionPart, GroupUse, Link, OktaUser, Outcome, ScopePart,
};
use crate::plan::Policy;
use crate::plan::diff::matching;
use crate::plan::op::{ProjectAction, ProjectOp};
use crate::plan::part::{About, Part as PlanPart};
use crate::plan::policy::{EmailChange, OnInvitation};
use crate::sync::context::Context;
use crate::sync::expressions;
use crate::sync::journal::owed_roles;
use crate::sync::session::{self, Session};

/// Explains the user that a text names.
pub async fn explain(session: &Session, text: &str, context: &Context) -> Result<ExplainedUser> {
    let state = session::state_to_read(&session.settings, context)?;
    let (id, found) = match subject::find(session, text).await? {
        Subject::User(id, found) => (id, found),
        Subject::Account(account) => return Ok(unknown(&account, &session.settings.policy)),
        Subject::Embedded(account) => return Ok(embedded(account)),
    };
    let unchecked = expressions::find_if_there(&session.okta, &session.settings).await?;
    let mut expressions = expressions::check_all(&session.okta, unchecked).await;
    let mapping = expressions.mapping.clone();
    let settings = &session.settings;
    let mut few = Few::new(&session.okta, &settings.scope, &settings.projects, mapping.needs()).await?;
    if let Some(found) = found {
        few.keep(*found);
    }
    expressions.check_app_user(&session.okta, few.app()).await;
    let owed_roles = owed_roles(&state, &mapping)?;
    let knows = Knows { past: state.past()?.unwrap_or_default(), owed_roles };
    let seen = Box::pin(read::read(session, &id, &mapping, few, knows)).await?;
    expressions.settle(&seen.few.org);
    expressions.warned().iter().chain(&seen.few.warnings).for_each(|warning| context.printer.warning(warning));
    let mut explained = Explaining { session, id: &id, seen: &seen }.all();
    explained.runs = past::runs(&state, &id)?;
    Ok(explained)
}

/// The explanation of an account that Okta doesn't know.
fn unknown(account: &User, policy: &Policy) -> ExplainedUser {
    let mut account = explained_account(account, policy, None);
    account.is_the_users = true;
    let why = "accounts that Okta doesn't know are never changed".to_owned();
    let next_apply = PlanPart { warnings: vec![why], ..PlanPart::default() };
    let not_looked_at = vec![
        "projects of the account: the server tells them for linked accounts with the role MEMBER alone".to_owned(),
    ];
    ExplainedUser { accounts: vec![account], next_apply, not_looked_at, ..ExplainedUser::default() }
}

fn embedded(account: EmbeddedUser) -> ExplainedUser {
    let why = "embedded accounts are never changed".to_owned();
    let next_apply = PlanPart { warnings: vec![why], ..PlanPart::default() };
    ExplainedUser { accounts: vec![explained_embedded(account)], next_apply, ..ExplainedUser::default() }
}

fn explained_embedded(account: EmbeddedUser) -> ExplainedAccount {
    ExplainedAccount {
        id: account.id,
        user_name: account.user_name,
        given_name: String::new(),
        family_name: String::new(),
        active: true,
        platform_role: String::new(),
        external_id: None,
        link: Link::AnotherDirectory,
        is_the_users: false,
        owner: false,
        protected: false,
        embedded: true,
    }
}

fn explained_account(account: &User, policy: &Policy, id: Option<&OktaUserId>) -> ExplainedAccount {
    let link = match account.link() {
        None => Link::None,
        Some(link) if Some(link) == id.map(OktaUserId::as_str) => Link::ThisUser,
        Some(link) if OktaIds::default().is_user(link) => Link::AnotherUser,
        Some(_) => Link::AnotherDirectory,
    };
    ExplainedAccount {
        id: account.id.clone(),
        user_name: account.user_name.clone(),
        given_name: account.given_name.clone(),
        family_name: account.family_name.clone(),
        active: account.active,
        platform_role: account.platform_role.to_string(),
        external_id: account.link().map(str::to_owned),
        link,
        is_the_users: false,
        owner: false,
        protected: policy.protect.contains(&account.user_name),
        embedded: false,
    }
}

/// What is explained, and from what.
struct Explaining<'a> {
    session: &'a Session,
    id: &'a OktaUserId,
    seen: &'a Seen<'a>,
}

impl Explaining<'_> {
    fn all(&self) -> ExplainedUser {
        let account = self.account();
        let (user, projects) = (self.okta(), self.projects(account));
        ExplainedUser {
            next_apply: self.part(&user, account, &projects),
            user: Some(user),
            attributes: self.attributes(account),
            accounts: self.accounts(account),
            projects,
            runs: Vec::new(),
            not_looked_at: self.not_looked_at(account),
        }
    }

    fn told(&self) -> Option<&Told> {
        self.seen.few.told.get(self.id)
    }

    fn desired(&self) -> Option<&DesiredUser> {
        self.seen.desired.users.get(self.id)
    }

    /// The account that a run brings in line with the user.
    fn account(&self) -> Option<&User> {
        let matches = matching::matches(&self.seen.desired, &self.seen.platform, &self.session.settings.policy);
        let place = self.seen.desired.users.keys().position(|id| id == self.id)?;
        matches.account_of[place].or(matches.linked[place])
    }

    fn okta(&self) -> OktaUser {
        let (told, org) = (self.told(), &self.seen.few.org);
        let status = org.users.get(self.id).map(|user| user.status.to_string());
        let is_undecided = self.seen.few.undecided().contains(self.id);
        let (outcome, because) = self.outcome();
        let assignment = told.and_then(|told| told.assignment.as_ref()).zip(self.seen.few.app());
        OktaUser {
            id: self.id.clone(),
            login: self.desired().map_or_else(|| self.id.to_string(), |user| user.login().to_owned()),
            email: told.and_then(|told| told.email.clone()),
            status,
            in_scope: (!is_undecided).then(|| org.in_scope.contains(self.id)),
            scope: told.map(|told| told.scope.iter().map(scope_part).collect()).unwrap_or_default(),
            assignment: assignment.map(|(assignment, app)| ExplainedAssignment {
                app: app.label.clone(),
                status: assignment.status.clone(),
                by_group: assignment.by_group,
                in_force: assignment.is_in_force,
            }),
            groups: told.and_then(|told| told.groups.as_ref()).map(|groups| self.groups(groups)),
            outcome,
            because,
        }
    }

    fn outcome(&self) -> (Outcome, String) {
        match self.desired().map(|user| &user.state) {
            Some(DesiredState::Present(_)) => (Outcome::Access, "in scope, and active in Okta".to_owned()),
            Some(DesiredState::Left(leave)) => (Outcome::NoAccess, leave.as_str().to_owned()),
            Some(DesiredState::Untouched(status)) => {
                (Outcome::LeftAlone, format!("nothing follows from the status {:?}", status.as_str()))
            }
            Some(DesiredState::Problem(_)) => {
                (Outcome::LeftAlone, "there are problems (see the next apply)".to_owned())
            }
            None => (Outcome::LeftAlone, "nothing is known of the user".to_owned()),
        }
    }

    fn groups(&self, groups: &[Group]) -> Vec<ExplainedGroup> {
        let explained = |group: &Group| ExplainedGroup {
            id: group.id.clone(),
            name: group.name.clone(),
            kind: group.kind.as_str().to_owned(),
            uses: self.uses(group),
        };
        groups.iter().map(explained).collect()
    }

    fn uses(&self, group: &Group) -> Vec<GroupUse> {
        let (settings, org) = (&self.session.settings, &self.seen.few.org);
        let names = |wanted: &String| *wanted == group.name || wanted == group.id.as_str();
        let scope = settings.scope.groups.iter().any(names).then_some(GroupUse::Scope);
        let project = org
            .targets_of(&group.id)
            .map(|(target, source)| GroupUse::Project { project: target.name.clone(), rule: self.rule(source) });
        let of_roles = settings.projects.iter().filter_map(|rule| rule.roles.as_deref()).flat_map(|rule| {
            let by = rule.by_group.iter().filter(|by| by.groups.iter().any(names));
            by.map(|by| GroupUse::ProjectRole { role: by.role.clone(), rule: rule.location.clone() })
        });
        let mut uses: Vec<GroupUse> = scope.into_iter().chain(project).chain(of_roles).collect();
        uses.dedup();
        uses
    }

    /// The place of the rule that takes a group for a project.
    fn rule(&self, source: &Source) -> Option<String> {
        self.session.settings.projects.get(source.rule)?.location.clone()
    }

    /// Whether the user is in a group that is pushed.
    fn is_in(&self, source: &Source) -> bool {
        self.seen.few.org.pushed.get(&source.group).is_some_and(|pushed| pushed.members.contains(self.id))
    }

    fn attributes(&self, account: Option<&User>) -> Vec<ExplainedAttribute> {
        let org = &self.seen.few.org;
        let Some(packed) = org.users.get(self.id) else { return Vec::new() };
        let user = packed.unpack(self.id);
        let groups = org.groups_of.get(self.id).map(Vec::as_slice).unwrap_or_default();
        let evaluation = expression::Context::new(&user, groups).with_extra(&org.extra).at(self.seen.now);
        let own = ["userName", "givenName", "familyName", "email", "displayName", "platformRole"];
        let all = self.seen.mapping.expressions();
        let mut explained: Vec<ExplainedAttribute> =
            own.iter().filter_map(|name| Some(attribute(name, all.get(*name)?, &evaluation, account))).collect();
        let rules: BTreeSet<usize> = org
            .targets
            .iter()
            .flat_map(|target| &target.sources)
            .filter(|source| self.is_in(source))
            .map(|source| source.rule)
            .collect();
        for place in rules {
            let rule = self.seen.mapping.project_roles.get(place).and_then(Option::as_deref);
            if let Some(mapped) = rule.and_then(RoleRule::expression) {
                explained.push(attribute("project role", mapped, &evaluation, None));
            }
        }
        explained
    }

    fn accounts(&self, account: Option<&User>) -> Vec<ExplainedAccount> {
        let (platform, desired) = (&self.seen.platform, self.desired());
        let user_name = desired.and_then(|user| user.user_name.as_deref());
        let is_asked = |user: &&User| {
            user.link() == Some(self.id.as_str())
                || Some(user.user_name.as_str()) == user_name
                || account.is_some_and(|account| account.id == user.id)
        };
        let explained = |user: &User| ExplainedAccount {
            is_the_users: account.is_some_and(|account| account.id == user.id),
            owner: platform.owner.as_ref() == Some(&user.id),
            ..explained_account(user, &self.session.settings.policy, Some(self.id))
        };
        let embedded = platform.embedded.iter().filter(|account| Some(account.user_name.as_str()) == user_name);
        let users = platform.users.iter().filter(is_asked).map(explained);
        users.chain(embedded.cloned().map(explained_embedded)).collect()
    }

    fn projects(&self, account: Option<&User>) -> Vec<ExplainedProject> {
        let (platform, desired) = (&self.seen.platform, &self.seen.desired);
        let mut explained: Vec<ExplainedProject> = Vec::new();
        let mut shown = BTreeSet::new();
        for wanted in desired.projects.values().filter(|wanted| wanted.members.contains(self.id)) {
            let project = self.project_of(wanted);
            shown.extend(project.map(|project| project.id.clone()));
            explained.push(self.project(project, Some(wanted), account));
        }
        for project in &platform.projects {
            let is_member = account.is_some_and(|account| project.members.contains(&account.id));
            if is_member && !shown.contains(&project.id) {
                let link = project.external_id.as_deref().unwrap_or_default();
                let wanted = desired.project_of(link);
                explained.push(self.project(Some(project), wanted, account));
            }
        }
        explained.sort_by(|one, other| one.name.cmp(&other.name));
        explained
    }

    /// The project on the platform: the one of the plan, or the one that is linked to a group, else the only unlinked one of its name.
    fn project_of(&self, wanted: &DesiredProject) -> Option<&Project> {
        let projects = &self.seen.platform.projects;
        let op = self.seen.plan.projects.iter().find(|op| wanted.has_link(op.group.as_str()));
        if let Some(id) = op.and_then(|op| op.project.as_ref()) {
            return projects.iter().find(|project| project.id == *id);
        }
        let link = |project: &&Project| project.external_id.as_deref().unwrap_or_default().to_owned();
        projects.iter().find(|project| wanted.has_link(&link(project))).or_else(|| {
            let mut unlinked =
                projects.iter().filter(|project| link(project).is_empty() && project.display_name == wanted.name);
            unlinked.next().filter(|_| unlinked.next().is_none())
        })
    }

    fn project(
        &self,
        project: Option<&Project>,
        wanted: Option<&DesiredProject>,
        account: Option<&User>,
    ) -> ExplainedProject {
        let org = &self.seen.few.org;
        let linked = project.and_then(|project| project.external_id.as_deref()).map(OktaGroupId::from);
        let linked = linked.filter(|link| self.seen.desired.ids.project_link(link.as_str()).is_some());
        let member = project.zip(account).filter(|(project, account)| project.members.contains(&account.id));
        let in_group = wanted.is_some_and(|wanted| wanted.members.contains(self.id));
        let desired_role = wanted.and_then(|wanted| wanted.roles.as_ref()?.of.get(self.id));
        let source = wanted.and_then(|wanted| self.deciding(wanted));
        let group = source.map(|source| source.group.clone()).or_else(|| linked.map(|link| link.of_group()));
        let of_several = wanted.filter(|_| !in_group).map(|wanted| wanted.group_name.clone());
        let group_name = of_several.or_else(|| org.groups.get(group.as_ref()?).cloned());
        let of_config = source.and_then(|source| self.rule(source));
        let because = match (&group_name, wanted.is_some()) {
            (Some(name), true) if in_group => format!("in group {name}"),
            (Some(name), true) => format!("isn't in group {name}"),
            (Some(name), false) => format!("no rule pushes its group {name}; the project stays as it is"),
            (None, _) if group.is_some() => "its group isn't in Okta; the project stays as it is".to_owned(),
            (None, _) => "the project has no Okta group: added by hand".to_owned(),
        };
        let place = of_config.as_ref().map(|rule| format!(" ({rule})")).unwrap_or_default();
        let name = project.map(|project| &project.display_name).or(wanted.map(|wanted| &wanted.name));
        ExplainedProject {
            name: name.cloned().unwrap_or_default(),
            id: project.map(|project| project.id.clone()),
            group,
            group_name,
            rule: of_config,
            in_group,
            member: member.is_some(),
            role: member
                .and_then(|(project, account)| self.seen.roles.get(&(project.id.clone(), account.id.clone())).cloned()),
            desired_role: desired_role.and_then(|given| given.role.clone()),
            desired_role_because: desired_role.map(|given| given.because.clone()),
            because: because + &place,
        }
    }

    /// The first group of a project that the user is in, or else the first of all.
    fn deciding<'w>(&self, wanted: &'w DesiredProject) -> Option<&'w Source> {
        wanted.sources.iter().find(|source| self.is_in(source)).or(wanted.sources.first())
    }

    fn part(&self, user: &OktaUser, account: Option<&User>, projects: &[ExplainedProject]) -> PlanPart {
        let user_name = self.desired().and_then(|user| user.user_name.as_deref());
        let names = [Some(user.login.as_str()), user_name, account.map(|account| account.user_name.as_str())];
        let about = About {
            id: self.id,
            login: &user.login,
            names: names.into_iter().flatten().collect(),
            projects: projects.iter().filter(|project| project.in_group).map(|project| project.name.as_str()).collect(),
        };
        PlanPart::of(&self.seen.plan, &about)
    }

    fn not_looked_at(&self, account: Option<&User>) -> Vec<String> {
        let mut not = vec![
            "the limits of [safety] and the trust in the read, which count all users".to_owned(),
            "other users whose userName gives the same address, but for those with it as their e-mail address or login"
                .to_owned(),
        ];
        let policy = &self.session.settings.policy;
        if policy.invitations != OnInvitation::Ignore {
            not.push("accepted invitations that wait".to_owned());
        }
        if policy.email_change == EmailChange::Recreate {
            not.push("accounts of earlier addresses that an earlier run left and didn't close".to_owned());
        }
        if !self.seen.all_projects {
            let who = "projects of other groups and projects without a group: the server tells them for linked accounts with the role MEMBER alone";
            not.push(who.to_owned());
        }
        let unlinked = self.seen.platform.projects.iter().filter(|project| {
            let is_member = account.is_some_and(|account| project.members.contains(&account.id));
            is_member && project.external_id.as_deref().is_none_or(str::is_empty)
        });
        let unlinked: Vec<String> = unlinked.map(|project| format!("{:?}", project.display_name)).collect();
        if !unlinked.is_empty() {
            let unlinked = unlinked.join(", ");
            not.push(format!(
                "whether the next apply links a group to {unlinked}, and removes the user who isn't in that group"
            ));
        }
        if self.creates_a_project() {
            not.push(
                "whether a project that isn't there yet takes the place of one whose group was deleted".to_owned(),
            );
        }
        if self.seen.platform.roles == StandingRoles::Off {
            not.push("project roles, which the platform's plan doesn't have".to_owned());
        }
        not
    }

    fn creates_a_project(&self) -> bool {
        let is_new = |op: &&ProjectOp| op.action == ProjectAction::Create;
        self.seen.plan.projects.iter().filter(is_new).any(|op| op.add.iter().any(|member| member.okta_id == *self.id))
    }
}

fn scope_part((part, within): &(String, Option<bool>)) -> ScopePart {
    ScopePart { part: part.clone(), within: *within }
}

fn attribute(
    name: &str,
    mapped: &Mapped,
    evaluation: &expression::Context<'_>,
    account: Option<&User>,
) -> ExplainedAttribute {
    let outcome = mapped.expression.evaluate(evaluation);
    let mut parts: Vec<ExpressionPart> = Vec::new();
    for step in mapped.expression.trace(evaluation) {
        let part = part(&step);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    ExplainedAttribute {
        attribute: name.to_owned(),
        expression: mapped.expression.source().to_owned(),
        place: mapped.source.location(),
        value: outcome.as_ref().ok().map(Value::to_json),
        error: outcome.err().map(|error| error.message),
        parts,
        current: account.and_then(|account| current(name, account)),
        on_create_only: mapped.on_create_only,
    }
}

fn current(attribute: &str, account: &User) -> Option<String> {
    match attribute {
        "userName" => Some(account.user_name.clone()),
        "givenName" => Some(account.given_name.clone()),
        "familyName" => Some(account.family_name.clone()),
        "platformRole" => Some(account.platform_role.to_string()),
        _ => None,
    }
}

fn part(step: &Part<'_>) -> ExpressionPart {
    let gives = match &step.outcome {
        Ok(value) => value.to_json().to_string(),
        Err(error) => format!("an error: {}", error.message),
    };
    ExpressionPart { part: step.text.to_owned(), gives }
}
