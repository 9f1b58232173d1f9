//! The laws that hold after every run, whatever happened before it. They are checked against both servers, the plan and the
//! exit code, and never against what the product records about itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use oktapieces_sandbox::activepieces::{Platform, ProjectSnapshot, UserSnapshot as Account};
use oktapieces_sandbox::okta::UserSnapshot as User;
use serde_json::Value;

use super::event::{Invitations, ProjectRoles, Projects, Roles, Setup};
use super::world::{FOREIGN, Interference, Key, Standing, Truth, changes};
use crate::support::Outcome;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plan,
    /// An apply that a limit refused.
    Refused,
    Apply,
    ApplySaved,
    /// Accounts are linked, and nothing else.
    Adopt,
    Undo,
    Kill,
}

/// A run, and all that there is to judge it by.
pub struct Step<'a> {
    pub kind: Kind,
    pub setup: &'a Setup,
    /// Whether the config compares what is true or false with a text.
    pub mistaken: bool,
    /// Kind and subject of the problems that the config accepts.
    pub accepted: &'a BTreeSet<(String, String)>,
    pub before: Standing,
    pub after: Standing,
    pub truth: Truth,
    /// Okta's time before and after it.
    pub times: (Timestamp, Timestamp),
    /// `null` where the run came to none.
    pub plan: Value,
    pub outcome: &'a Outcome,
    pub interferences: Vec<Interference>,
    /// Whether an answer of Activepieces was lost in it.
    pub faulty: bool,
    pub arguments: Vec<String>,
    /// The accounts of the run that is undone, each with the Okta user of that run.
    pub undoes: BTreeMap<String, String>,
}

/// A user who is missing from the scope.
#[derive(Clone, Copy, Debug)]
struct Missing {
    runs: usize,
    since: (Timestamp, Timestamp),
    /// Whether each run that missed them counts for sure, and the clock went forward all the time.
    sure: bool,
}

/// What is known of the runs before.
#[derive(Debug, Default)]
pub struct Ledger {
    missing: BTreeMap<String, Missing>,
    /// Users of a status that has a grace, with it.
    stated: BTreeMap<String, (String, Missing)>,
    /// Since when accounts are inactive in each run.
    inactive: BTreeMap<String, (Timestamp, Timestamp)>,
    /// The project roles of members who were removed, by project and account.
    roles: BTreeMap<Key, String>,
    /// Runs that wrote something, with their accounts and Okta users.
    pub runs: Vec<(u64, BTreeMap<String, String>)>,
    latest: Timestamp,
}

const WITH_ACCESS: [&str; 5] = ["ACTIVE", "PROVISIONED", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY"];
/// What a step takes at most, in seconds.
const SLACK: i64 = 120;

impl Truth {
    fn has_access(&self, user: &str) -> bool {
        self.in_scope.contains(user)
            && !self.is_out(user)
            && self.users.get(user).is_some_and(|user| WITH_ACCESS.contains(&user.status.as_str()))
    }

    /// The status by which a user is out, where Okta says so by itself.
    fn stated(&self, user: &str) -> Option<&str> {
        let status = self.users.get(user)?.status.as_str();
        let locked = self.close_locked && self.in_scope.contains(user);
        (["SUSPENDED", "DEPROVISIONED"].contains(&status) || (locked && status == "LOCKED_OUT")).then_some(status)
    }

    fn is_out(&self, user: &str) -> bool {
        self.stated(user).is_some()
    }

    /// Gone from Okta, or out of scope.
    fn is_missing(&self, user: &str) -> bool {
        !self.users.contains_key(user) || (!self.is_out(user) && !self.in_scope.contains(user))
    }

    fn role(&self, setup: &Setup, user: &str) -> Option<&'static str> {
        match setup.roles {
            Roles::None => None,
            Roles::Profile => Some(match self.users.get(user)?.profile["okta_role"].as_str() {
                Some("Master") => "ADMIN",
                Some("op") => "OPERATOR",
                _ => "MEMBER",
            }),
            Roles::Group => {
                let admins = self.groups.values().filter(|(name, _)| name == "Admins");
                Some(if admins.into_iter().any(|(_, members)| members.contains(user)) { "ADMIN" } else { "MEMBER" })
            }
        }
    }

    /// The project role that a user should have in each project; none where Okta doesn't say.
    fn project_role(&self, setup: &Setup, user: &str) -> Option<&'static str> {
        let leads: Vec<_> =
            self.groups.values().filter(|(name, _)| name == "Leads").map(|(_, members)| members).collect();
        let by_lead = || if leads.iter().any(|members| members.contains(user)) { "Admin" } else { "Viewer" };
        match setup.project_roles {
            ProjectRoles::None => None,
            ProjectRoles::Fixed | ProjectRoles::OnAdd => Some("Viewer"),
            // A group that isn't there, or twice, says nothing about any user.
            ProjectRoles::ByGroup => (leads.len() == 1).then(by_lead),
            ProjectRoles::ByExpression => Some(by_lead()),
        }
    }

    /// The users in the groups that a project is made of; none where it has no group, or not all are there.
    fn members(&self, setup: &Setup, project: &ProjectSnapshot) -> Option<BTreeSet<String>> {
        let linked = self.groups.get(project.external_id.as_ref()?)?;
        if setup.projects != Projects::Together {
            return Some(linked.1.clone());
        }
        let named = |name: &str| self.groups.values().filter(move |group| group.0 == name).collect::<Vec<_>>();
        let all = ["AP Eng", "AP Ops"].map(named);
        let is_whole = all.iter().all(|groups| groups.len() == 1);
        is_whole.then(|| all.iter().flatten().flat_map(|group| group.1.clone()).collect())
    }

    fn of_address<'t>(&'t self, address: &'t str) -> impl Iterator<Item = &'t User> {
        self.users
            .values()
            .filter(move |user| user.profile["email"].as_str().is_some_and(|email| email.eq_ignore_ascii_case(address)))
    }
}

fn is_okta_user(external: &str) -> bool {
    external.len() == 20 && external.starts_with("00u")
}

fn linked(account: &Account) -> Option<&str> {
    account.external_id.as_deref().filter(|external| is_okta_user(external))
}

/// The user who left the account for that of another address.
fn former(account: &Account) -> Option<&str> {
    let user = account.external_id.as_deref()?.strip_suffix(&account.id)?.strip_suffix("-replaced-")?;
    Some(user).filter(|user| is_okta_user(user))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Step<'_> {
    fn users(&self) -> &[Value] {
        list(&self.plan["users"])
    }

    fn projects(&self) -> &[Value] {
        list(&self.plan["projects"])
    }

    fn op_of(&self, account: &Account) -> Option<&Value> {
        self.users().iter().find(|op| op["account"] == account.id.as_str() || op["user_name"] == account.email.as_str())
    }

    /// The accounts that the plan names, each with the Okta user.
    pub fn accounts(&self) -> BTreeMap<String, String> {
        let account = |op: &Value| {
            let made = || self.after.by_address(text(&op["user_name"])).map(|account| account.id.clone());
            op["account"].as_str().map(str::to_owned).or_else(made)
        };
        self.users().iter().filter_map(|op| Some((account(op)?, text(&op["okta_id"]).to_owned()))).collect()
    }

    /// What a second admin left last of one thing, and whether the run can't have seen it before its own write.
    fn interfered(&self, key: &Key) -> Option<(Option<String>, bool)> {
        let last = self.interferences.iter().rev().find(|seen| seen.changes.contains_key(key))?;
        let next_is_its_write = last.method != "GET" && last.path.contains(&key.0);
        Some((last.changes[key].clone(), next_is_its_write))
    }

    /// Whether an account was closed before the run, or by another client while it ran.
    fn was_closed(&self, id: &str) -> bool {
        let key = (id.to_owned(), "active".to_owned());
        let closes = |seen: &Interference| seen.changes.get(&key) == Some(&Some("false".to_owned()));
        self.before.accounts.get(id).is_none_or(|account| !account.active) || self.interferences.iter().any(closes)
    }

    fn touched(&self, id: &str) -> bool {
        self.interferences.iter().any(|seen| seen.changes.keys().any(|key| key.0 == id))
    }

    /// Everything that the plan says of single things.
    #[expect(clippy::too_many_lines, reason = "a row for each kind of operation")]
    fn planned(&self) -> BTreeMap<Key, Option<String>> {
        let mut planned = BTreeMap::new();
        for op in self.users() {
            let account = op["account"].as_str().or_else(|| Some(&self.after.by_address(text(&op["user_name"]))?.id));
            for change in list(&op["changes"]) {
                let (Some(id), attribute) = (account, text(&change["attribute"])) else { continue };
                planned.insert((id.to_owned(), attribute.to_owned()), Some(text(&change["to"]).to_owned()));
            }
            if op["action"] == "delete" {
                let gone = self
                    .before
                    .facts()
                    .into_keys()
                    .filter(|key| Some(key.0.as_str()) == account || Some(key.1.as_str()) == account);
                planned.extend(gone.map(|key| (key, None)));
            }
            let is_made = text(&op["action"]) == "create" || (op["action"] == "recreate" && op["account"].is_null());
            if let (Some(id), true) = (account, is_made) {
                for attribute in ["active", "platformRole", "givenName", "familyName", "externalId"] {
                    let key = (id.to_owned(), attribute.to_owned());
                    // The server may make another role of it, which the run tells.
                    let stands = self.after.facts().get(&key).cloned();
                    planned.insert(key, stands);
                }
            }
        }
        for op in self.users() {
            let account = op["account"].as_str().or_else(|| Some(&self.after.by_address(text(&op["user_name"]))?.id));
            for left in list(&op["replaces"]) {
                let old = text(&left["account"]).to_owned();
                if left["fate"] == "close" {
                    planned.insert((old, "active".to_owned()), Some("false".to_owned()));
                }
                for copied in list(&left["copies"]) {
                    let Some(account) = account else { continue };
                    let key = (text(&copied["project"]).to_owned(), account.to_owned());
                    planned.insert(key.clone(), self.after.facts().get(&key).cloned());
                }
            }
        }
        for op in self.projects() {
            let made = || {
                let group = op["group"].as_str();
                self.after.projects.values().find(|project| project.external_id.as_deref() == group)
            };
            let Some(id) = op["project"].as_str().map(str::to_owned).or_else(|| Some(made()?.id.clone())) else {
                continue;
            };
            let mut plan = |what: &str, value: Option<String>| planned.insert((id.clone(), what.to_owned()), value);
            let action = &op["action"];
            if action.get("delete").is_some() {
                for key in self.before.facts().into_keys().filter(|key| key.0 == id) {
                    plan(&key.1, None);
                }
                continue;
            }
            if action != "members" {
                plan("name", op["name"].as_str().map(str::to_owned));
                plan("externalId", op["group"].as_str().map(str::to_owned));
            }
            let facts = self.after.facts();
            for member in list(&op["add"]) {
                let account =
                    member["account"].as_str().or_else(|| Some(&self.after.by_address(text(&member["user_name"]))?.id));
                let Some(account) = account else { continue };
                if !self.before.projects.get(&id).is_some_and(|project| project.members.contains_key(account)) {
                    plan(account, facts.get(&(id.clone(), account.to_owned())).cloned());
                }
            }
            for member in list(&op["remove"]) {
                plan(text(&member["account"]), None);
            }
            for change in list(&op["roles"]) {
                plan(text(&change["account"]), change["to"].as_str().map(str::to_owned));
            }
        }
        for op in list(&self.plan["invitations"]) {
            planned.insert((text(&op["id"]).to_owned(), "invitation".to_owned()), None);
        }
        planned
    }

    /// Whether the plan moves the externalId of an account that its user leaves to this value.
    fn moves(&self, (id, what): &Key, value: Option<&str>) -> bool {
        let op = self.users().iter().find(|op| list(&op["replaces"]).iter().any(|left| left["account"] == id.as_str()));
        let moved = op.map(|op| format!("{}-replaced-{id}", text(&op["okta_id"])));
        what == "externalId" && value.is_some() && moved.as_deref() == value
    }

    /// Whether a user's earlier account had this role.
    fn had_role(&self, user: &str, role: &str) -> bool {
        let own = |account: &&Account| linked(account) == Some(user) || former(account) == Some(user);
        self.before.accounts.values().filter(own).any(|account| account.role == role)
    }

    /// What the plan says of a thing that it changes stood there before.
    fn reads(&self, (id, what): &Key) -> Option<&str> {
        let user = self.users().iter().find(|op| op["account"] == id.as_str());
        let change =
            user.and_then(|op| list(&op["changes"]).iter().find(|change| change["attribute"] == what.as_str()));
        let project = self.projects().iter().find(|op| op["project"] == id.as_str());
        let name = project.filter(|_| what == "name").and_then(|op| {
            let action = &op["action"];
            action.get("rename").or_else(|| action.get("archive"))
        });
        let role = project.and_then(|op| list(&op["roles"]).iter().find(|change| change["account"] == what.as_str()));
        change.or(name).or(role).map(|read| text(&read["from"]))
    }

    /// What the run itself changed.
    fn own_changes(&self) -> BTreeMap<Key, Option<String>> {
        let mut own = changes(&self.before, &self.after);
        own.retain(|key, value| self.interfered(key).is_none_or(|(left, _)| left != *value));
        own
    }

    /// Whether an account or a project is another system's.
    fn is_foreign(&self, id: &str) -> bool {
        let account = self.before.accounts.get(id).and_then(|account| account.external_id.as_deref());
        let project = self.before.projects.get(id).and_then(|project| project.external_id.as_deref());
        account.or(project).is_some_and(|external| FOREIGN.contains(&external))
    }

    fn said(&self, text: &str) -> bool {
        self.outcome.stdout.contains(text) || self.outcome.stderr.contains(text)
    }
}

impl Ledger {
    /// All breaches of the laws by a run, which is remembered.
    pub fn judge(&mut self, step: &Step<'_>) -> Vec<String> {
        let mut found = Vec::new();
        if step.mistaken && (step.kind != Kind::Undo || step.outcome.code == 78) {
            mistake(step, &mut found);
            return found;
        }
        self.count(step);
        access(step, &mut found);
        offboarding(step, &mut found);
        writes(step, &mut found);
        if matches!(step.kind, Kind::Apply | Kind::ApplySaved | Kind::Kill) {
            self.reasons(step, &mut found);
        }
        admins(step, &mut found);
        invitations(step, &mut found);
        belongings(step, &mut found);
        adoption(step, &mut found);
        undone(step, &mut found);
        self.project_roles(step, &mut found);
        project_admins(step, &mut found);
        self.graces(step, &mut found);
        self.deletions(step, &mut found);
        exit_code(step, &mut found);
        found
    }

    /// Counts who is missing.
    fn count(&mut self, step: &Step<'_>) {
        let backwards = step.times.0 < self.latest;
        self.latest = step.times.1;
        if backwards {
            // The wait counts again from the time that the clock went back to.
            for missing in self.missing.values_mut().chain(self.stated.values_mut().map(|(_, since)| since)) {
                missing.sure = false;
                missing.since.0 = missing.since.0.min(step.times.0);
            }
        }
        if matches!(step.kind, Kind::Plan | Kind::Undo | Kind::Adopt) {
            return;
        }
        let counts = step.kind == Kind::Apply && [0, 3].contains(&step.outcome.code);
        let users: BTreeSet<&str> = step.before.accounts.values().filter_map(linked).collect();
        self.missing.retain(|user, _| step.truth.is_missing(user) && users.contains(user.as_str()));
        self.stated.retain(|user, (status, _)| step.truth.stated(user) == Some(status));
        if step.kind == Kind::Refused {
            return;
        }
        for user in &users {
            let Some(status) = step.truth.stated(user) else { continue };
            let new = Missing { runs: 0, since: step.times, sure: true };
            let (_, since) = self.stated.entry((*user).to_owned()).or_insert((status.to_owned(), new));
            since.sure &= !backwards;
        }
        for user in users.into_iter().filter(|user| step.truth.is_missing(user)) {
            let new = Missing { runs: 0, since: step.times, sure: true };
            let missing = self.missing.entry(user.to_owned()).or_insert(new);
            missing.runs += 1;
            missing.sure &= counts && !backwards;
        }
    }

    /// Whether a user who is missing may have a grace still.
    fn may_wait(&self, setup: &Setup, user: &str, now: Timestamp) -> bool {
        let Some(missing) = self.missing.get(user) else { return true };
        let waited = now.as_second() - missing.since.0.as_second();
        missing.runs < setup.grace_runs || waited + SLACK < setup.grace_hours * 3600
    }

    /// Each change that a run makes has its reason in Okta's real state, whatever a listing missed.
    fn reasons(&self, step: &Step<'_>, found: &mut Vec<String>) {
        let (truth, setup) = (&step.truth, step.setup);
        for ((id, what), value) in step.own_changes().into_iter().filter(|((id, _), _)| !step.is_foreign(id)) {
            if let (Some(before), Some(after)) = (step.before.accounts.get(&id), step.after.accounts.get(&id)) {
                let user = linked(after);
                if what == "active" && !after.active {
                    // A suspended user whose account is kept may still be deactivated as out of scope.
                    let missing = user.is_some_and(|user| {
                        let gone = !truth.users.contains_key(user);
                        (gone && !setup.keep_deleted)
                            || (!gone && !truth.in_scope.contains(user) && !setup.keep_unassigned)
                    });
                    let out =
                        |user: &User| truth.is_out(&user.id) && !(setup.keep_suspended && user.status == "SUSPENDED");
                    let out = user.and_then(|user| truth.users.get(user)).is_some_and(out)
                        || (linked(before).is_none() && truth.of_address(&after.email).any(out));
                    let left = former(after).is_some_and(|user| {
                        let elsewhere = truth.users.get(user).is_some_and(|user| user.profile["email"] != *after.email);
                        elsewhere || !truth.has_access(user)
                    });
                    if !missing && !out && !left {
                        found.push(format!("L4: {} lost the account, and is in scope and not out", after.email));
                    }
                }
                let wanted = user.and_then(|user| truth.role(setup, user));
                // An account that was linked to another user, or that was closed and linked to none.
                let taken_over = linked(before) != user && (linked(before).is_some() || step.was_closed(&id));
                if what == "platformRole" && wanted.is_some_and(|wanted| wanted != after.role) {
                    found.push(format!("L4: {} is {}, Okta gives {wanted:?}", after.email, after.role));
                }
                let is_own = setup.recreate && user.is_some_and(|user| step.had_role(user, &after.role));
                let unmapped = what == "platformRole" && setup.roles == Roles::None;
                if unmapped && !is_own && !(taken_over && after.role == "MEMBER") {
                    found.push(format!("L3: {} is {} now, and the config maps no roles", after.email, after.role));
                }
                continue;
            }
            let (Some(project), Some(account)) = (step.before.projects.get(&id), step.before.accounts.get(&what))
            else {
                continue;
            };
            // A project that moved to another group has the members of that one.
            let now = step.after.projects.get(&id).unwrap_or(project);
            let Some(members) = truth.members(setup, now) else { continue };
            let Some(user) = step.after.accounts.get(&what).and_then(linked) else { continue };
            let deleted = step.before.projects.contains_key(&id) && !step.after.projects.contains_key(&id);
            if let (Some(role), Some(_)) = (&value, project.members.get(&what)) {
                let wanted = truth.project_role(setup, user).filter(|_| truth.has_access(user));
                if wanted != Some(role) {
                    found.push(format!("L4: {} is {role} of {:?}, Okta gives {wanted:?}", account.email, project.name));
                }
            }
            if value.is_none() && !deleted {
                if members.contains(user) && truth.has_access(user) {
                    found.push(format!("L4: {} is out of {:?}, and a member in Okta", account.email, project.name));
                }
                let is_gone = !truth.users.contains_key(user);
                if !step.was_closed(&what) && is_gone && self.may_wait(setup, user, step.times.1) {
                    found.push(format!("L8: {} is out of {:?} within the grace", account.email, project.name));
                }
            }
        }
    }

    /// A member who is added again has the earlier project role.
    fn project_roles(&mut self, step: &Step<'_>, found: &mut Vec<String>) {
        for (key, value) in step.own_changes() {
            let Some(project) = step.before.projects.get(&key.0) else { continue };
            let before = project.members.get(&key.1);
            match (before, value) {
                (Some(role), None) => {
                    self.roles.insert(key, role.clone());
                }
                (None, Some(role)) if step.after.accounts.contains_key(&key.1) => {
                    let had = self.roles.remove(&key);
                    if step.kind == Kind::Undo && had.as_ref().is_some_and(|had| *had != role) {
                        found.push(format!("L7: {key:?} is {role} after an undo, and was {had:?}"));
                    }
                }
                _ => {}
            }
        }
    }

    /// An account is deleted with its flag alone, after two days in which each run found it inactive, and never one that a user
    /// could need.
    fn deletions(&mut self, step: &Step<'_>, found: &mut Vec<String>) {
        let backwards = step.times.0 < self.inactive.values().map(|since| since.1).max().unwrap_or(step.times.0);
        for account in step.before.accounts.values() {
            if account.active || backwards {
                self.inactive.remove(&account.id);
            }
            if !account.active {
                self.inactive.entry(account.id.clone()).or_insert(step.times);
            }
        }
        for account in step.before.accounts.values() {
            if step.after.accounts.contains_key(&account.id) || step.touched(&account.id) {
                continue;
            }
            let user = linked(account).unwrap_or_default();
            let is_out = step.truth.users.get(user).is_none_or(|user| user.status == "DEPROVISIONED");
            let since = self.inactive.get(&account.id).map_or(step.times.1, |since| since.0);
            let waited = step.times.1.as_second() - since.as_second();
            let faults = [
                (!step.arguments.iter().any(|argument| argument == "--allow-account-deletions"), "without the flag"),
                (!step.setup.delete_inactive, "though the config deletes none"),
                (account.active, "though it was active"),
                (user.is_empty(), "though it isn't linked to Okta"),
                (
                    step.truth.has_access(user) || (step.truth.in_scope.contains(user) && !is_out),
                    "though its user is in scope",
                ),
                (account.role == "ADMIN", "though it was ADMIN"),
                (account.email == Platform::OWNER_EMAIL, "though it is the owner's"),
                (step.setup.protect && account.email == "p0@example.com", "though it is protected"),
                (waited + SLACK < 48 * 3600, "too early"),
            ];
            let told = |why: &str| format!("L6: the account {} was deleted {why}", account.email);
            found.extend(faults.into_iter().filter(|(is_so, _)| *is_so).map(|(_, why)| told(why)));
        }
    }

    fn graces(&self, step: &Step<'_>, found: &mut Vec<String>) {
        if !matches!(step.kind, Kind::Apply | Kind::ApplySaved) {
            return;
        }
        let setup = step.setup;
        for account in step.after.accounts.values().filter(|account| !account.active) {
            let Some((status, since)) = linked(account).and_then(|user| self.stated.get(user)) else { continue };
            let user = linked(account).unwrap_or_default();
            let was_active = step.before.accounts.get(&account.id).is_some_and(|before| before.active);
            let waited = step.times.1.as_second() - since.since.0.as_second();
            // A suspended user who is out of scope too is closed for that.
            let is_one_reason = status != "LOCKED_OUT" && step.truth.in_scope.contains(user);
            let waits = is_one_reason && waited + SLACK < setup.stated_hours * 3600;
            let was_theirs = step.before.accounts.get(&account.id).and_then(linked) == Some(user);
            if was_active && was_theirs && since.sure && waits && !step.touched(&account.id) {
                found.push(format!("L8: {} was deactivated within the grace of {status}: {since:?}", account.email));
            }
        }
        for account in step.after.accounts.values() {
            let Some(user) = linked(account).filter(|user| step.truth.is_missing(user)) else { continue };
            let Some(missing) = self.missing.get(user) else { continue };
            let was_active = step.before.accounts.get(&account.id).is_some_and(|before| before.active);
            if was_active
                && !account.active
                && !step.touched(&account.id)
                && missing.sure
                && self.may_wait(setup, user, step.times.1)
            {
                found.push(format!("L8: {} was deactivated within the grace: {missing:?}", account.email));
            }
            let waited = step.times.0.as_second() - missing.since.1.as_second();
            let is_over = missing.runs >= setup.grace_runs && waited >= setup.grace_hours * 3600;
            let clean = step.kind == Kind::Apply && [0, 3].contains(&step.outcome.code) && !step.faulty;
            let named =
                ["problems", "accepted"].into_iter().any(|what| step.plan[what].to_string().contains(&account.email));
            let gone = !step.truth.users.contains_key(user);
            let stays = if gone { setup.keep_deleted } else { setup.keep_unassigned };
            let kept = stays || named || exemption(step, account).is_some() || step.touched(&account.id);
            if clean && missing.sure && is_over && account.active && !kept {
                found.push(format!("L8: {} is active after the grace: {missing:?}", account.email));
            }
        }
    }
}

/// What isn't as Okta has it once nothing is left to do, of all that the plan has no word about.
pub fn unsettled(setup: &Setup, truth: &Truth, standing: &Standing, plan: &Value) -> Option<String> {
    let words: String =
        ["problems", "accepted", "held", "warnings"].into_iter().map(|what| plan[what].to_string()).collect();
    let staged = |user: &&User| setup.prepare && user.status == "STAGED" && truth.in_scope.contains(&user.id);
    for user in truth.users.values().filter(staged) {
        let email = text(&user.profile["email"]).to_lowercase();
        // A user of the same address who has access, or whose account it is, comes first.
        let twins = truth.of_address(&email).count();
        if twins == 1 && standing.by_address(&email).is_none() && !words.contains(&email) && !words.contains(&user.id) {
            return Some(format!("{email} is staged and has no account"));
        }
    }
    for user in truth.users.values().filter(|user| truth.has_access(&user.id)) {
        let profile = |what: &str| text(&user.profile[what]).to_owned();
        let (email, login) = (profile("email"), profile("login"));
        if [&email, &login, &user.id].into_iter().any(|name| words.contains(name)) {
            continue;
        }
        let Some(account) = standing.accounts.values().find(|account| linked(account) == Some(&user.id)) else {
            return Some(format!("{email} has no account"));
        };
        let keeps = setup.protect && account.email == "p0@example.com" || account.email == Platform::OWNER_EMAIL;
        let role = truth.role(setup, &user.id).is_none_or(|role| role == account.role || keeps);
        if !account.active || !role || account.first_name != profile("firstName") {
            return Some(format!("{email} is to be like {user:?}, and is {account:?}"));
        }
        for project in standing.projects.values().filter(|project| !words.contains(&project.name)) {
            let name = project.external_id.as_ref().and_then(|group| Some(&truth.groups.get(group)?.0));
            let (Some(name), Some(members)) = (name, truth.members(setup, project)) else { continue };
            let pushed = match setup.projects {
                Projects::None => false,
                Projects::ByName | Projects::Together | Projects::Named => {
                    ["AP Eng", "AP Ops"].contains(&name.as_str())
                }
                Projects::ByPattern => name.starts_with("AP "),
            };
            let wanted = truth.project_role(setup, &user.id).filter(|_| setup.project_roles != ProjectRoles::OnAdd);
            let has = project.members.get(&account.id).map(String::as_str);
            if pushed
                && wanted.is_some()
                && has.is_some_and(|has| Some(has) != wanted)
                && account.email != Platform::OWNER_EMAIL
            {
                return Some(format!("{email} is {has:?} of {:?}, Okta gives {wanted:?}", project.name));
            }
            if pushed && members.contains(&user.id) != project.members.contains_key(&account.id) {
                return Some(format!("{email} is in {:?}, or isn't, unlike in {name:?}", project.name));
            }
        }
    }
    None
}

/// A member whose account is closed once nothing is left to do, of all that the plan has no word about.
pub fn closed_members(setup: &Setup, truth: &Truth, standing: &Standing, plan: &Value) -> Option<String> {
    let words: String = ["problems", "accepted", "held"].into_iter().map(|what| plan[what].to_string()).collect();
    for project in standing.projects.values().filter(|_| setup.remove_memberships) {
        let group = project.external_id.as_deref().unwrap_or_default();
        if group.len() != 20 || !group.starts_with("00g") || words.contains(&project.name) {
            continue;
        }
        for account in project.members.keys().filter_map(|id| standing.accounts.get(id)) {
            let Some(user) = linked(account).filter(|user| truth.is_out(user)) else { continue };
            let kept = setup.keep_suspended && truth.stated(user) == Some("SUSPENDED");
            if !account.active && !kept && !words.contains(&account.email) && !words.contains(user) {
                return Some(format!("{} is closed, and a member of {:?}", account.email, project.name));
            }
        }
    }
    None
}

/// A project of a deleted group that isn't archived once nothing is left to do, of all that the plan has no word about.
pub fn unarchived(setup: &Setup, truth: &Truth, standing: &Standing, plan: &Value) -> Option<String> {
    let words: String = ["problems", "accepted", "held"].into_iter().map(|what| plan[what].to_string()).collect();
    for project in standing.projects.values().filter(|_| setup.archive && setup.projects != Projects::None) {
        let group = project.external_id.as_deref().unwrap_or_default();
        let is_gone = group.len() == 20 && group.starts_with("00g") && !truth.groups.contains_key(group);
        let name = project.name.strip_prefix("Archived: ").unwrap_or(&project.name);
        // A rule that names the group leaves its project alone.
        if !is_gone || words.contains(name) {
            continue;
        }
        let is_linked = |id: &String| standing.accounts.get(id).is_some_and(|account| linked(account).is_some());
        let members: Vec<&String> = project.members.keys().filter(|id| is_linked(id)).collect();
        let left = members.iter().any(|id| !words.contains(&standing.accounts[*id].email));
        if !project.name.starts_with("Archived: ") || left {
            return Some(format!("the group of {project:?} is gone, and the project isn't archived"));
        }
    }
    None
}

/// No account becomes active unless the plan shows it for a user who has access in Okta now.
fn access(step: &Step<'_>, found: &mut Vec<String>) {
    for account in step.after.accounts.values().filter(|account| account.active) {
        let before = step.before.accounts.get(&account.id);
        let by_hand = step.interfered(&(account.id.clone(), "active".to_owned()));
        if before.is_some_and(|before| before.active) || by_hand == Some((Some("true".to_owned()), false)) {
            continue;
        }
        if by_hand.is_some_and(|(_, next)| next) {
            continue;
        }
        let op = step.op_of(account).filter(|op| ["create", "reactivate", "recreate"].contains(&text(&op["action"])));
        let Some(op) = op else {
            found.push(format!("L1: {} became active, and the plan doesn't say so", account.email));
            continue;
        };
        if !step.truth.has_access(text(&op["okta_id"])) {
            found.push(format!("L1: {} became active, and has no access in Okta", account.email));
        }
    }
}

/// Why an account may stay open.
fn exemption(step: &Step<'_>, account: &Account) -> Option<&'static str> {
    if account.email == Platform::OWNER_EMAIL {
        return Some("owner");
    }
    if step.setup.protect && account.email == "p0@example.com" {
        return Some("protected");
    }
    let is_admin = |account: &&Account| account.active && account.role == "ADMIN";
    let admins = step.after.accounts.values().filter(is_admin).count();
    (account.role == "ADMIN" && admins == 1).then_some("last ADMIN")
}

/// A user who is out in Okta has no active account after an apply, and no fault ends a run before that.
fn offboarding(step: &Step<'_>, found: &mut Vec<String>) {
    let code = step.outcome.code;
    let expected = match step.kind {
        Kind::Undo => vec![0, 3, 5, 64],
        Kind::Kill => return,
        Kind::Refused => vec![5, 7],
        Kind::Adopt => vec![0, 3, 5, 7],
        Kind::Plan | Kind::Apply | Kind::ApplySaved => vec![0, 3, 5],
    };
    if !expected.contains(&code) && !step.faulty {
        let why: String = step.outcome.stderr.lines().take(2).collect();
        found.push(format!("L2: {:?} ended with {code}: {why}", step.kind));
    }
    if step.kind != Kind::Apply || step.faulty {
        return;
    }
    for account in step.after.accounts.values().filter(|account| account.active) {
        if former(account).is_some()
            && [0, 3].contains(&code)
            && !step.touched(&account.id)
            && !step.said(&account.email)
        {
            found.push(format!("L2: {} was replaced, and is active after an apply", account.email));
        }
        let Some(user) = linked(account).or(former(account)) else { continue };
        let status = step.truth.users.get(user).map(|user| user.status.as_str());
        let may_wait = step.setup.grace_runs > 1 || step.setup.grace_hours > 0;
        let kept = match status {
            Some("SUSPENDED") => step.setup.keep_suspended || step.setup.stated_hours > 0,
            Some("DEPROVISIONED") => step.setup.stated_hours > 0,
            Some("LOCKED_OUT") => !step.truth.is_out(user),
            None => may_wait || step.setup.keep_deleted,
            Some(_) => true,
        };
        if kept || step.touched(&account.id) {
            continue;
        }
        match exemption(step, account) {
            None => found.push(format!(
                "L2: {} is active after an apply ({code}), and {} in Okta",
                account.email,
                status.unwrap_or("gone")
            )),
            Some(why) if [0, 3].contains(&code) && !step.said(&account.email) => {
                found.push(format!("L2: {} stays active as {why}, and nothing names it", account.email));
            }
            Some(_) => {}
        }
    }
}

/// A run changes what its plan says, and nothing that a second admin changed meanwhile.
fn writes(step: &Step<'_>, found: &mut Vec<String>) {
    let planned = step.planned();
    let facts = step.after.facts();
    for (key, value) in step.own_changes() {
        // A killed run may have freed the externalId of a project that another one gets.
        let freed = value.as_deref().and_then(|value| value.strip_suffix("-moving"));
        let is_freed = step.kind == Kind::Kill
            && freed.is_some()
            && planned.get(&key).is_some_and(|planned| planned.as_deref() == freed);
        if step.interfered(&key).is_none()
            && planned.get(&key) != Some(&value)
            && !is_freed
            && !step.moves(&key, value.as_deref())
        {
            found.push(format!("L3: {key:?} is {value:?}, which the plan doesn't say"));
        }
    }
    let touched: BTreeSet<&Key> = step.interferences.iter().flat_map(|seen| seen.changes.keys()).collect();
    for key in touched {
        let Some((left, next)) = step.interfered(key) else { continue };
        let stands = facts.get(key).cloned();
        // Between a look and a write there is always a moment.
        let removed = planned.get(key) == Some(&None) && stands.is_none();
        let unseen = next && (planned.contains_key(key) || step.setup.old_server);
        let seen = step.reads(key).is_some_and(|read| Some(read) == left.as_deref());
        let was_made = !step.before.accounts.contains_key(&key.0) && step.after.accounts.contains_key(&key.0);
        let may_be_linked = was_made && ["externalId", "givenName", "familyName"].contains(&key.1.as_str());
        if stands != left && !unseen && !seen && !removed && !may_be_linked {
            found.push(format!("L3: {key:?} is {stands:?}, and a second admin left {left:?}"));
        }
    }
}

/// Each new ADMIN is named.
fn admins(step: &Step<'_>, found: &mut Vec<String>) {
    for account in step.after.accounts.values().filter(|account| account.active && account.role == "ADMIN") {
        let was =
            |before: &Account| before.active && before.role == "ADMIN" && before.external_id == account.external_id;
        let by_hand = |what: &str| step.interfered(&(account.id.clone(), what.to_owned())).is_some();
        let linked_only = step
            .before
            .accounts
            .get(&account.id)
            .is_some_and(|before| before.active && before.role == "ADMIN" && linked(before).is_none());
        // The user who leaves the account for another one was ADMIN with it.
        let left = former(account).is_some_and(|user| {
            let before = step.before.accounts.get(&account.id);
            before.is_some_and(|before| before.active && before.role == "ADMIN" && linked(before) == Some(user))
        });
        if step.before.accounts.get(&account.id).is_some_and(was)
            || left
            || linked_only
            || by_hand("platformRole")
            || by_hand("active")
        {
            continue;
        }
        let named = step.op_of(account).is_some_and(|op| op["changes"].to_string().contains("ADMIN"))
            || names_as_admin(&step.plan, &account.email);
        if !named {
            found.push(format!("L5: {} became ADMIN, and the plan doesn't say so", account.email));
        }
        let inherits = step.before.accounts.get(&account.id).is_some_and(|before| {
            let is_own = linked(account).is_some_and(|user| step.setup.recreate && step.had_role(user, "ADMIN"));
            let other = linked(before).is_some() && linked(before) != linked(account);
            other && step.setup.roles == Roles::None && !is_own
        });
        if inherits {
            found.push(format!("L5: {} inherited ADMIN from another user", account.email));
        }
    }
}

/// Only an invitation that Okta contradicts is deleted, and no invitation makes a user ADMIN unseen.
fn invitations(step: &Step<'_>, found: &mut Vec<String>) {
    let (truth, setup) = (&step.truth, step.setup);
    let user_of = |email: &str| {
        let linked = step.before.by_address(email).and_then(linked);
        linked.map(str::to_owned).or_else(|| truth.of_address(email).next().map(|user| user.id.clone()))
    };
    for ((id, what), value) in step.own_changes().into_iter().filter(|((_, what), _)| what == "invitation") {
        let Some(row) = step.before.invitations.get(&id).filter(|_| value.is_none()) else {
            found.push(format!("L3: {what} {id} is {value:?}"));
            continue;
        };
        if setup.invitations != Invitations::Revoke {
            found.push(format!("L3: {row:?} was deleted, and the config doesn't say so"));
        }
        let user = user_of(&row.email);
        let right = user.as_deref().filter(|user| truth.has_access(user)).is_some_and(|user| match &row.project {
            None => truth.role(setup, user).is_none_or(|role| role == row.role),
            Some(project) => {
                let group = step.before.projects.get(project).and_then(|project| project.external_id.as_ref());
                let members = group.and_then(|group| truth.groups.get(group)).map(|(_, members)| members);
                let role = truth.project_role(setup, user);
                members.is_none_or(|members| members.contains(user)) && role.is_none_or(|role| role == row.role)
            }
        });
        if right || user.is_none() {
            found.push(format!("L4: {row:?} was deleted, and Okta doesn't contradict it"));
        }
    }
    if setup.invitations == Invitations::Ignore || step.plan.is_null() || matches!(step.kind, Kind::Undo | Kind::Adopt)
    {
        return;
    }
    for row in step.before.invitations.values().filter(|row| row.project.is_none() && row.role == "ADMIN") {
        let Some(user) = user_of(&row.email).filter(|user| truth.has_access(user)) else { continue };
        let is_admin = step.before.by_address(&row.email).is_some_and(|account| account.role == "ADMIN");
        let by_hand = step.interfered(&(row.id.clone(), "invitation".to_owned())).is_some();
        let said = ["invitations", "waiting_admins", "held"]
            .iter()
            .any(|part| step.plan[part].to_string().contains(&row.email));
        if truth.role(setup, &user) != Some("ADMIN") && !is_admin && !by_hand && !said {
            found.push(format!("L5: {row:?} makes {} ADMIN, and the plan doesn't say so", row.email));
        }
    }
}

/// Each new Admin of a project is named.
fn project_admins(step: &Step<'_>, found: &mut Vec<String>) {
    for ((id, what), value) in step.own_changes() {
        let (Some(project), Some(account)) = (step.after.projects.get(&id), step.after.accounts.get(&what)) else {
            continue;
        };
        let named = list(&step.plan["new_project_admins"])
            .iter()
            .any(|new| new["user_name"] == account.email.as_str() && new["project"] == project.name.as_str());
        if value.as_deref() == Some("Admin") && !named {
            found.push(format!("L5: {} is Admin of {:?}, and the plan doesn't say so", account.email, project.name));
        }
    }
}

/// Whether a part of the plan that is about ADMINs, or a sentence with the word, has this name.
fn names_as_admin(plan: &Value, name: &str) -> bool {
    let Some(plan) = plan.as_object() else { return false };
    plan.iter().filter(|(key, _)| !["users", "standing"].contains(&key.as_str())).any(|(key, value)| {
        key.contains("admin") && value.to_string().contains(name)
            || list(value).iter().any(|one| one.to_string().contains(name) && one.to_string().contains("ADMIN"))
    })
}

/// Undo leaves accounts alone that were linked to another user since.
fn undone(step: &Step<'_>, found: &mut Vec<String>) {
    for ((id, what), value) in step.own_changes() {
        let user = step.before.accounts.get(&id).and_then(linked);
        if let (Some(user), Some(then)) = (user, step.undoes.get(&id))
            && user != then
        {
            found.push(format!("L7: {what} of an account is {value:?}, and it is {user}'s since, not {then}'s"));
        }
    }
}

/// An adoption links accounts without an externalId to the user who alone has their address and access, and changes nothing else.
fn adoption(step: &Step<'_>, found: &mut Vec<String>) {
    if step.kind != Kind::Adopt {
        return;
    }
    for ((id, what), value) in step.own_changes() {
        let (Some(account), "externalId") = (step.before.accounts.get(&id), what.as_str()) else {
            found.push(format!("L3: {what} of {id} is {value:?} after an adoption"));
            continue;
        };
        let user = value.unwrap_or_default();
        let address = |user: &User| user.profile["email"].as_str().map(str::to_lowercase);
        let is_theirs = step.truth.users.get(&user).is_some_and(|user| address(user).as_ref() == Some(&account.email));
        let claims = |(other, of): (&String, &User)| {
            address(of).as_ref() == Some(&account.email) && step.truth.has_access(other)
        };
        let alone = step.truth.users.iter().filter(|user| claims(*user)).count() == 1;
        if account.external_id.is_some() || !account.active || !is_theirs || !step.truth.has_access(&user) || !alone {
            found.push(format!("L6: the account {} was linked to {user}, which is in doubt", account.email));
        }
    }
}

/// What belongs to others is left alone, and nothing is deleted without its flag or while its group is there.
fn belongings(step: &Step<'_>, found: &mut Vec<String>) {
    for ((id, what), value) in step.own_changes() {
        if step.is_foreign(&id) {
            found.push(format!("L6: {what} of a foreign thing is {value:?}"));
        }
    }
    let deleted = step.before.projects.values().filter(|project| {
        let by_hand = step.interfered(&(project.id.clone(), "name".to_owned()));
        !step.after.projects.contains_key(&project.id) && by_hand.is_none()
    });
    for project in deleted {
        if !step.arguments.iter().any(|argument| argument == "--allow-project-deletions") {
            found.push(format!("L6: the project {:?} was deleted without the flag", project.name));
        }
        if step.setup.projects.named().contains(&project.name.as_str()) {
            found.push(format!("L6: the project {:?} was deleted, and the config names it", project.name));
        }
        let group = project.external_id.as_deref().unwrap_or_default();
        let named = |name: &str| name == project.name || name.strip_prefix("AP ") == Some(project.name.as_str());
        if step.truth.groups.contains_key(group) {
            found.push(format!("L6: the project {:?} was deleted, and its group is there", project.name));
        } else if step.truth.groups.values().any(|(name, _)| named(name)) {
            found.push(format!("L6: the project {:?} was deleted, and its group was made again", project.name));
        }
    }
    for (before, after) in
        step.before.projects.values().filter_map(|before| Some((before, step.after.projects.get(&before.id)?)))
    {
        let is_archived = after.name.starts_with("Archived: ") && !before.name.starts_with("Archived: ");
        let group = after.external_id.as_deref().unwrap_or_default();
        if is_archived && (!step.setup.archive || step.truth.groups.contains_key(group)) {
            found.push(format!("L6: the project {:?} was archived, and its group is there", before.name));
        }
    }
    if step.setup.archive
        && step.kind != Kind::Undo
        && list(&step.plan["projects"]).iter().any(|op| op["action"].get("delete").is_some())
    {
        found.push("L6: a project is to be deleted where projects are archived".to_owned());
    }
    let made = step.after.projects.values().filter(|project| !step.before.projects.contains_key(&project.id));
    for project in made.filter(|project| project.external_id.is_some() && step.kind != Kind::Undo) {
        let orphan = |other: &&ProjectSnapshot| {
            let group = other.external_id.as_deref().unwrap_or_default();
            let name = other.name.strip_prefix("Archived: ").unwrap_or(&other.name);
            name == project.name && group.starts_with("00g") && !step.truth.groups.contains_key(group)
        };
        if step.before.projects.values().any(|other| orphan(&other)) {
            found.push(format!("L6: a second project {:?} was made next to that of a deleted group", project.name));
        }
    }
}

/// A comparison that is never true for any user ends a run before it writes.
fn mistake(step: &Step<'_>, found: &mut Vec<String>) {
    if step.outcome.code != 78 {
        found.push(format!("L9: {:?} ended with {}, and the config has a mistake", step.kind, step.outcome.code));
    }
    for ((id, what), value) in step.own_changes() {
        found.push(format!("L9: {what} of {id} is {value:?}, and the config has a mistake"));
    }
}

/// 3 means that something is open, and 0 that nothing is.
fn exit_code(step: &Step<'_>, found: &mut Vec<String>) {
    if step.kind == Kind::Kill || step.plan.is_null() {
        return;
    }
    let report: Value = serde_json::from_str(&step.outcome.stdout).unwrap_or_default();
    let undone = report["done"] != report["operations"]
        || ["stale", "diverged"].into_iter().any(|what| !list(&report[what]).is_empty())
        || report["interrupted"] == true;
    let problems = list(&step.plan["problems"]).len();
    let accepts =
        |problem: &Value| step.accepted.contains(&(text(&problem["kind"]).into(), text(&problem["subject"]).into()));
    for problem in list(&step.plan["problems"]).iter().filter(|problem| accepts(problem)) {
        found.push(format!("L10: a problem is accepted, and counts: {problem}"));
    }
    for problem in list(&step.plan["accepted"]).iter().filter(|problem| !accepts(problem)) {
        found.push(format!("L10: a problem doesn't count, and the config doesn't accept it: {problem}"));
    }
    match step.outcome.code {
        0 if problems > 0 || undone => found.push(format!("L10: 0 with {problems} problems, undone: {undone}")),
        3 if problems == 0 && !undone && !step.faulty => found.push("L10: 3, and nothing is open".to_owned()),
        _ => {}
    }
}
