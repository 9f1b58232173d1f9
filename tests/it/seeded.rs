//! That the seeded company has every case, as the planner sees them.

use std::collections::BTreeSet;

use oktapieces::model::PlatformRole;
use oktapieces::model::activepieces as there;
use oktapieces::model::desired::{Attributes, Desired, DesiredProject, DesiredState, DesiredUser, Leave};
use oktapieces::model::id::{OktaGroupId, OktaIds};
use oktapieces::model::okta::Status;
use oktapieces::model::problem::{Problem, ProblemKind};
use oktapieces::plan::Past;
use oktapieces::plan::guard::{self, Allowed};
use oktapieces::plan::op::{Plan, ProjectAction, UserAction};
use oktapieces::plan::policy::{Limit, Limits, Policy};
use oktapieces_sandbox::company::person::{Account, OktaUser, Person, email, group_id, names, user_id};
use oktapieces_sandbox::company::seeded::people;
use oktapieces_sandbox::company::teams::{GROUPS, PROJECTS};

/// The address of the platform's owner, who isn't in the company.
const OWNER: &str = oktapieces_sandbox::activepieces::Platform::OWNER_EMAIL;

/// What the config makes of a user, by the tables of a sync.
fn state(user: &OktaUser, name: &str) -> DesiredState {
    let status = Status::from(user.status.to_owned());
    let [given, family] = names(name).map(str::to_owned);
    let problem = |kind| DesiredState::Problem(vec![Problem::new(email(name), kind, "")]);
    match (&status, user.assigned) {
        (Status::Deprovisioned, _) => DesiredState::Left(Leave::Deactivated),
        (Status::Suspended, true) => DesiredState::Left(Leave::Suspended),
        (_, false) => DesiredState::Left(Leave::Unassigned),
        (Status::Staged | Status::Other(_), true) => DesiredState::Untouched(status),
        _ if !user.email.as_deref().is_some_and(|email| email.contains('@')) => problem(ProblemKind::InvalidAttribute),
        _ if family.is_empty() => problem(ProblemKind::ExpressionFailed),
        _ => match user.okta_role {
            Some("boss") => problem(ProblemKind::InvalidRole),
            role => DesiredState::Present(Attributes {
                given_name: Some(given),
                family_name: Some(family),
                platform_role: match role {
                    Some("Master") => PlatformRole::Admin,
                    Some("op") => PlatformRole::Operator,
                    _ => PlatformRole::Member,
                },
                ..Attributes::default()
            }),
        },
    }
}

fn desired(people: &[Person]) -> Desired {
    let mut desired = Desired::default();
    for person in people {
        if let Some(user) = &person.okta {
            let user_name = user.email.as_deref().map(str::to_lowercase).filter(|email| email.contains('@'));
            let user_name = user_name.filter(|_| user.assigned && user.status != "DEPROVISIONED");
            let user = DesiredUser::new(&email(person.name), user_name, state(user, person.name));
            desired.users.insert(user_id(person.name).into(), user);
        }
    }
    let external_ids = people.iter().filter_map(|person| person.account.as_ref()?.external_id.clone());
    for id in external_ids.filter(|id| OktaIds::default().is_user(id)) {
        let gone = DesiredUser::new(&id, None, DesiredState::Left(Leave::Deleted));
        desired.users.entry(id.into()).or_insert(gone);
    }
    for (kind, name, members) in GROUPS {
        let Some(project) = name.strip_prefix("AP ") else { continue };
        let members = members.iter().map(|name| user_id(name).into()).collect();
        let group = OktaGroupId::from(group_id(kind, name));
        let project = DesiredProject::of(group.clone(), project, name, members);
        desired.projects.insert(group, project);
    }
    desired
}

fn standing(people: &[Person]) -> there::Platform {
    let user = |account: &Account| {
        let [given_name, family_name] = names(account.name).map(str::to_owned);
        there::User {
            id: account.email.as_str().into(),
            external_id: account.external_id.as_deref().map(Into::into),
            user_name: account.email.clone(),
            given_name,
            family_name,
            active: account.active,
            platform_role: account.role.into(),
            created: None,
        }
    };
    let mut users: Vec<_> = people.iter().filter_map(|person| person.account.as_ref()).map(user).collect();
    let owner = there::User { id: OWNER.into(), external_id: None, user_name: OWNER.to_owned(), ..users[0].clone() };
    users.push(there::User { active: true, platform_role: "ADMIN".into(), ..owner });
    let projects = PROJECTS.iter().enumerate().map(|(at, (name, group, members))| there::Project {
        id: at.to_string().into(),
        external_id: group.map(|name| group_id("OKTA_GROUP", name)),
        display_name: (*name).to_owned(),
        members: members.iter().map(|(name, _)| email(name).into()).collect(),
    });
    there::Platform { users, projects: projects.collect(), owner: Some(OWNER.into()), ..there::Platform::default() }
}

fn plan() -> Plan {
    let people = people();
    let policy = Policy {
        limits: Limits { deactivations: Limit::Percent(50.0), ..Limits::default() },
        protect: BTreeSet::from(["paul.protected@example.com".to_owned()]),
        ..Policy::default()
    };
    let plan = oktapieces::plan::diff(&desired(&people), &standing(&people), &policy);
    assert_eq!(guard::check(&plan, "", &policy, &Past::default(), &Allowed::default()), []);
    plan
}

#[test]
fn every_status_meets_every_account() {
    let people = people();
    let statuses = Status::KNOWN.iter().map(Status::as_str).chain(["ACTIVATING"]);
    for status in statuses {
        for account in [None, Some(false), Some(true)] {
            let is = |person: &&Person| {
                let linked = person.account.as_ref().map(|account| account.active);
                person.okta.as_ref().is_some_and(|user| user.status == status && user.assigned) && linked == account
            };
            assert!(people.iter().any(|person| is(&person)), "{status} with {account:?}");
        }
    }
}

#[test]
fn names_addresses_and_ids_are_unique_and_the_teams_name_people() {
    let people = people();
    let users: BTreeSet<_> = people.iter().filter(|person| person.okta.is_some()).map(|p| user_id(p.name)).collect();
    assert_eq!(users.len(), people.iter().filter(|person| person.okta.is_some()).count());
    let accounts: Vec<_> = people.iter().filter_map(|person| person.account.as_ref()).collect();
    let emails: BTreeSet<_> = accounts.iter().map(|account| account.email.as_str()).collect();
    let external_ids: Vec<_> = accounts.iter().filter_map(|account| account.external_id.as_deref()).collect();
    assert_eq!(emails.len(), accounts.len());
    assert_eq!(external_ids.iter().collect::<BTreeSet<_>>().len(), external_ids.len());
    for (_, group, members) in GROUPS {
        assert!(members.iter().all(|name| users.contains(&user_id(name))), "{group}");
    }
    for (project, _, members) in PROJECTS {
        assert!(members.iter().all(|(name, _)| emails.contains(email(name).as_str())), "{project}");
    }
}

#[test]
fn every_kind_of_change_problem_and_warning_is_planned() {
    use ProblemKind::{
        AmbiguousProject, ClaimedTwice, EmailChanged, ExpressionFailed, InvalidAttribute, InvalidRole,
        ProjectNameTwice, TwoAccounts,
    };
    let plan = plan();
    let users = |action| plan.users.iter().filter(move |op| op.action == action).map(|op| op.user_name.as_str());
    let local = |action| users(action).map(|name| name.trim_end_matches("@example.com")).collect::<Vec<_>>();
    assert_eq!(local(UserAction::Create), ["ada.adler", "dan.dorn", "gia.graf", "jon.jung", "max.mohn"]);
    assert_eq!(
        local(UserAction::Reactivate),
        ["ben.brook", "eva.ernst", "hal.horn", "kai.klein", "kim.kern", "nora.nagel"]
    );
    assert_eq!(local(UserAction::Adopt), ["lotte.lenz", "mia.mayer", "nils.noll", "olga.orth", "paula.preis"]);
    assert_eq!(local(UserAction::Update), ["gina.gruber", "hugo.hahn", "ines.imhof", "yara.old"]);
    assert_eq!(
        local(UserAction::Deactivate),
        ["rita.rau", "ruth.roth", "udo.ulrich", "wanda.weiss", "xenia.xaver", "yann.yilmaz"]
    );
    let kinds: BTreeSet<_> = plan.problems.iter().map(|problem| problem.kind).collect();
    let expected = [
        AmbiguousProject,
        ClaimedTwice,
        EmailChanged,
        ExpressionFailed,
        InvalidAttribute,
        InvalidRole,
        ProjectNameTwice,
        TwoAccounts,
    ];
    assert_eq!(kinds, BTreeSet::from(expected));
    assert_eq!(plan.warnings.len(), 4, "{:?}", plan.warnings); // The owner, the protected one, two unpushed projects.
    assert!(plan.standing.local.contains(&email("Zita Zeller")));
    assert_eq!(plan.standing.foreign, [email("Berta Busch")]);
}

#[test]
fn every_kind_of_project_change_is_planned() {
    let plan = plan();
    let projects: Vec<_> = plan.projects.iter().map(|op| (op.name.as_str(), &op.action)).collect();
    let renamed = ProjectAction::Rename { from: "Infrastructure".to_owned() };
    let expected = [
        ("Archive", &ProjectAction::Create),
        ("Engineering", &ProjectAction::Members),
        ("Finance", &ProjectAction::Create),
        ("Platform", &renamed),
        ("Sales", &ProjectAction::Adopt),
    ];
    assert_eq!(projects, expected);
    let engineering = &plan.projects[1];
    let added: Vec<_> = engineering.add.iter().map(|member| member.user_name.clone()).collect();
    assert_eq!(added, ["Dan Dorn", "Hal Horn", "Hugo Hahn"].map(email));
    let removed: Vec<_> = engineering.remove.iter().map(|removal| removal.user_name.clone()).collect();
    assert_eq!(removed, ["Otto Ohm", "Xenia Xaver", "Yann Yilmaz"].map(email));
    assert_eq!(plan.standing.unchanged_projects, 1);
}
