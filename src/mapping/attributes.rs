//! The attribute mapping: one Okta expression per Activepieces attribute.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::evaluation::Evaluation;
pub use super::evaluation::{Mapped, Source};
use super::roles::{self, RoleRule};
use super::union;
use crate::expression::{Expression, Needs, Value};
use crate::model::desired::{Attributes, Desired, DesiredProject, DesiredState, DesiredUser, Leave, OnCreateOnly};
use crate::model::id::{OktaGroupId, OktaIds, OktaUserId};
use crate::model::okta::Status;
use crate::model::org::Org;
use crate::model::problem::{Problem, ProblemKind};
use crate::model::{Members, PlatformRole};

/// The expression for each attribute of an account.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub user_name: Mapped,
    pub given_name: Mapped,
    pub family_name: Mapped,
    pub email: Mapped,
    pub display_name: Mapped,
    /// Without it a new account is a MEMBER, and an existing account keeps its role.
    pub platform_role: Option<Mapped>,
    /// Further e-mail addresses by which an account without an externalId is the user's.
    pub aliases: Option<Mapped>,
    /// The project roles that each `[[projects]]` entry gives, in the order of the file.
    pub project_roles: Vec<Option<Arc<RoleRule>>>,
    /// The statuses of users in scope that take access away, though Okta lets these users sign in, or will.
    pub closing: BTreeSet<Leave>,
    /// Whether an inactive account is made for users in scope who are staged.
    pub prepares: bool,
}

impl Mapping {
    /// All expressions, by attribute, those of project roles by the place of their rules.
    pub fn expressions(&self) -> BTreeMap<Cow<'static, str>, &Mapped> {
        let mut all = BTreeMap::from([
            (Cow::Borrowed("userName"), &self.user_name),
            (Cow::Borrowed("givenName"), &self.given_name),
            (Cow::Borrowed("familyName"), &self.family_name),
            (Cow::Borrowed("email"), &self.email),
            (Cow::Borrowed("displayName"), &self.display_name),
        ]);
        all.extend(self.platform_role.as_ref().map(|role| (Cow::Borrowed("platformRole"), role)));
        all.extend(self.aliases.as_ref().map(|aliases| (Cow::Borrowed("aliases"), aliases)));
        let rules = self.project_roles.iter().enumerate();
        let of_rules = rules.filter_map(|(place, rule)| Some((place, rule.as_ref()?.expression()?)));
        all.extend(of_rules.map(|(place, mapped)| (Cow::Owned(format!("role of [[projects]] {}", place + 1)), mapped)));
        all
    }

    /// The data that all expressions need together.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        self.expressions().values().for_each(|mapped| needs.add_all(mapped.expression.needs()));
        needs.staged = self.prepares;
        needs
    }

    /// Whether project roles are managed.
    pub fn manages_roles(&self) -> bool {
        self.project_roles.iter().any(Option::is_some)
    }
}

/// Maps the whole org. `now` is the value of `Time.now()` for all users.
pub fn desired(org: &Org, mapping: &Mapping, now: Timestamp) -> Desired {
    // Both are sorted, so they are merged: a million lookups would double the time.
    let mut in_scope = org.in_scope.iter().peekable();
    let mut reasons = Reasons::default();
    let there = org.users.iter().map(|(id, packed)| {
        while in_scope.next_if(|other| *other < id).is_some() {}
        let in_scope = in_scope.next_if_eq(&id).is_some();
        (id.clone(), Evaluation { user: &packed.unpack(id), org, now }.mapped(in_scope, mapping, &mut reasons))
    });
    let gone = org.gone.iter().map(|id| (id.clone(), deleted(id)));
    // A user who exists after all replaces the deleted one.
    let users = gone.chain(there).collect();
    Desired {
        on_create_only: OnCreateOnly {
            given_name: mapping.given_name.on_create_only,
            family_name: mapping.family_name.on_create_only,
            platform_role: mapping.platform_role.as_ref().is_none_or(|role| role.on_create_only),
        },
        projects: projects(org, mapping, &users, now),
        users,
        vanished: org.vanished.clone(),
        groups: org.groups.clone(),
        archived: org.archived.clone(),
        left_roles: org.left_roles.clone(),
        unresolved: org.unresolved.clone(),
        missing_scope: org.missing_scope.clone(),
        ids: OktaIds::of(org.users.keys(), org.groups.keys().chain(org.pushed.keys())),
    }
}

/// The desired projects of all pushed groups.
pub fn projects(
    org: &Org,
    mapping: &Mapping,
    users: &BTreeMap<OktaUserId, DesiredUser>,
    now: Timestamp,
) -> BTreeMap<OktaGroupId, DesiredProject> {
    let roles_of = |rule: usize, members: &Members<OktaUserId>| {
        let rule = mapping.project_roles.get(rule)?.as_deref()?;
        Some(roles::desired(rule, members, org, users, now))
    };
    org.targets.iter().filter_map(|target| union::project(target, org, &roles_of)).collect()
}

/// Maps these users again after more of their data was read, such as their groups.
pub fn renew(
    desired: &mut Desired,
    org: &Org,
    mapping: &Mapping,
    now: Timestamp,
    users: impl IntoIterator<Item = OktaUserId>,
) {
    for id in users {
        if org.users.contains_key(&id) || org.gone.contains(&id) {
            let user = user(&id, org, mapping, now);
            desired.users.insert(id, user);
        }
    }
    desired.projects = projects(org, mapping, &desired.users, now);
}

/// Maps one user.
pub fn user(id: &OktaUserId, org: &Org, mapping: &Mapping, now: Timestamp) -> DesiredUser {
    let Some(packed) = org.users.get(id) else { return deleted(id) };
    let evaluation = Evaluation { user: &packed.unpack(id), org, now };
    evaluation.mapped(org.in_scope.contains(id), mapping, &mut Reasons::default())
}

fn deleted(id: &OktaUserId) -> DesiredUser {
    DesiredUser::new(id.as_str(), None, DesiredState::Left(Leave::Deleted)).out_of_scope()
}

/// The reasons for roles. Most users share one of a few reasons, so each is stored once.
#[derive(Default)]
struct Reasons(BTreeSet<Arc<str>>);

/// The most reasons that are shared.
const FEW: usize = 1000;

impl Reasons {
    fn share(&mut self, reason: &str) -> Arc<str> {
        if let Some(shared) = self.0.get(reason) {
            return Arc::clone(shared);
        }
        let new = Arc::from(reason);
        if self.0.len() < FEW {
            self.0.insert(Arc::clone(&new));
        }
        new
    }
}

/// The mapping of one user.
impl Evaluation<'_> {
    /// For a user who left, only the user name is evaluated, so that no error in another expression keeps the account
    /// active.
    fn mapped(&self, in_scope: bool, mapping: &Mapping, reasons: &mut Reasons) -> DesiredUser {
        let left = match (&self.user.status, in_scope) {
            (Status::Deprovisioned, _) => Some(Leave::Deactivated),
            // A suspension counts out of scope too: an offboarding often suspends a user and unassigns the app.
            (Status::Suspended, _) => Some(Leave::Suspended),
            // An unknown status decides nothing, in scope or not.
            (Status::Other(_), _) => None,
            (_, false) => Some(Leave::Unassigned),
            (status, true) => match (self.org.unsure.get(&self.user.id), Leave::by_status(status)) {
                (Some(assignment), _) if *status != Status::Staged => return self.unsure(assignment, mapping),
                (_, Some(leave)) if mapping.closing.contains(&leave) => Some(leave),
                (_, Some(Leave::Staged)) => None,
                _ => return self.present(mapping, reasons),
            },
        };
        if self.user.status == Status::Staged
            && in_scope
            && mapping.prepares
            && !self.org.unsure.contains_key(&self.user.id)
        {
            return self.prepared(left, mapping, reasons);
        }
        let user_name = if in_scope { self.user_name(&mapping.user_name).ok() } else { None };
        let state = left.map_or_else(|| DesiredState::Untouched(self.user.status.clone()), DesiredState::Left);
        let user = DesiredUser::new(self.user.login(), user_name, state);
        if in_scope { user } else { user.out_of_scope() }
    }

    /// A user who is staged, with the attributes of the inactive account. A fault in an expression is a problem, but keeps no
    /// account open.
    fn prepared(&self, left: Option<Leave>, mapping: &Mapping, reasons: &mut Reasons) -> DesiredUser {
        let present = self.present(mapping, reasons);
        let state = left.map_or_else(|| DesiredState::Untouched(self.user.status.clone()), DesiredState::Left);
        let user_name = present.user_name.clone();
        match present.state {
            DesiredState::Present(attributes) => {
                DesiredUser::new(self.user.login(), user_name, state).with_prepared(attributes)
            }
            _ if left.is_none() => present,
            _ => DesiredUser::new(self.user.login(), user_name, state),
        }
    }

    /// Leaves a user unchanged whose assignment has an unknown status.
    fn unsure(&self, status: &str, mapping: &Mapping) -> DesiredUser {
        let message = format!("the assignment to the app has the unknown status {status:?}");
        let problem = Problem::new(self.user.login(), ProblemKind::UnknownAssignment, message);
        DesiredUser::new(
            self.user.login(),
            self.user_name(&mapping.user_name).ok(),
            DesiredState::Problem(vec![problem]),
        )
    }

    fn present(&self, mapping: &Mapping, reasons: &mut Reasons) -> DesiredUser {
        let user_name = self.user_name(&mapping.user_name);
        let (role, because) = match &mapping.platform_role {
            None => (Ok(None), None),
            Some(mapped) => (self.role(mapped), self.because(&mapped.expression)),
        };
        let texts = [
            ("givenName", &mapping.given_name),
            ("familyName", &mapping.family_name),
            ("email", &mapping.email),
            ("displayName", &mapping.display_name),
        ]
        .map(|(attribute, mapped)| self.text(attribute, mapped));
        let mut problems: Vec<Problem> = texts.iter().filter_map(|text| text.as_ref().err().cloned()).collect();
        problems.extend(user_name.as_ref().err().cloned());
        problems.extend(role.as_ref().err().cloned());
        let aliases = mapping.aliases.as_ref().map(|mapped| self.addresses("aliases", mapped)).transpose();
        problems.extend(aliases.as_ref().err().cloned());
        let [given_name, family_name, email, display_name] = texts.map(|text| text.ok().flatten());
        let state = if problems.is_empty() {
            DesiredState::Present(Attributes {
                given_name,
                family_name,
                email,
                display_name,
                role_is_null: mapping.platform_role.is_some() && matches!(role, Ok(None)),
                platform_role: role.ok().flatten().unwrap_or_default(),
                role_because: because.map(|because| reasons.share(&because)),
            })
        } else {
            DesiredState::Problem(problems)
        };
        DesiredUser::new(self.user.login(), user_name.ok(), state)
            .with_aliases(aliases.ok().flatten().unwrap_or_default())
    }

    /// The e-mail addresses that an expression gives: one, several or none, as the server keeps them.
    fn addresses(&self, attribute: &str, mapped: &Mapped) -> Result<Vec<String>, Problem> {
        let value = self.value(attribute, mapped)?;
        let each = match &value {
            Value::Null => &[],
            Value::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut addresses = Vec::new();
        for item in each {
            match item {
                Value::Null => {}
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) if let Some(address) = address(text) => addresses.push(address),
                other => return Err(self.no_address(attribute, &other.to_json(), mapped)),
            }
        }
        Ok(addresses)
    }

    /// The user name as the server keeps it: lower-cased and trimmed (docs/activepieces.md#creating-a-user, step 1).
    fn user_name(&self, mapped: &Mapped) -> Result<String, Problem> {
        let text = self.text("userName", mapped)?;
        let address = text.as_deref().and_then(address);
        address.ok_or_else(|| self.no_address("userName", &Json::from(text), mapped))
    }

    fn no_address(&self, attribute: &str, value: &Json, mapped: &Mapped) -> Problem {
        let message = format!("{attribute} gives {value}; it must be an e-mail address");
        self.problem(ProblemKind::InvalidAttribute, message, mapped)
    }

    /// A role, or none for null: Okta omits an attribute whose expression gives null.
    fn role(&self, mapped: &Mapped) -> Result<Option<PlatformRole>, Problem> {
        let value = self.value("platformRole", mapped)?;
        let role = match &value {
            Value::Null => return Ok(None),
            Value::String(text) => PlatformRole::parse(text),
            _ => None,
        };
        role.map(Some).ok_or_else(|| {
            let message = format!("platformRole gives {}; it must be ADMIN, MEMBER or OPERATOR", value.to_json());
            self.problem(ProblemKind::InvalidRole, message, mapped)
        })
    }

    /// The profile attributes that the role depends on, as the plan shows them.
    fn because(&self, expression: &Expression) -> Option<String> {
        let mut because = String::new();
        for attribute in expression.attributes() {
            let (comma, value) = (if because.is_empty() { "" } else { ", " }, self.user.profile.get(attribute));
            // Writing to a text never fails.
            write!(because, "{comma}{attribute} = {}", value.unwrap_or(&Json::Null)).unwrap_or_default();
        }
        (!because.is_empty()).then_some(because)
    }
}

/// The e-mail address as the server keeps it: lower-cased and trimmed; none where the text isn't one.
fn address(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    address.contains('@').then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::okta::{Profile, User};
    use crate::model::packed::KeptAttributes;

    fn mapping() -> Mapping {
        let expression = Expression::parse("user.login").unwrap();
        let login = Mapped { expression, source: Source::Default, on_create_only: false };
        Mapping {
            user_name: login.clone(),
            given_name: login.clone(),
            family_name: login.clone(),
            email: login.clone(),
            display_name: login,
            platform_role: None,
            aliases: None,
            project_roles: Vec::new(),
            closing: BTreeSet::new(),
            prepares: false,
        }
    }

    #[test]
    fn a_status_takes_access_away_where_the_config_says_so() {
        let of = |status: &Status, in_scope: bool, closing: &[Leave]| {
            let profile: Profile = [("login".to_owned(), "ada@example.com".into())].into_iter().collect();
            let (id, packed) = User::new("00u1".into(), status.clone(), profile).pack(&KeptAttributes::All);
            let mut org = Org { users: [(id.clone(), packed)].into(), ..Org::default() };
            org.in_scope.extend(in_scope.then(|| id.clone()));
            let mapping = Mapping { closing: closing.iter().copied().collect(), ..mapping() };
            user(&id, &org, &mapping, Timestamp::UNIX_EPOCH).state
        };
        for status in Status::KNOWN {
            let Some(leave) = Leave::by_status(&status) else { continue };
            let without = of(&status, true, &[]);
            assert!(matches!(without, DesiredState::Present(_) | DesiredState::Untouched(Status::Staged)), "{status}");
            assert_eq!(of(&status, true, &[leave]), DesiredState::Left(leave));
            assert_eq!(of(&status, false, &[leave]), DesiredState::Left(Leave::Unassigned), "{status}");
        }
        let all = Leave::NAMED.map(|(_, leave)| leave);
        assert!(matches!(of(&Status::Active, true, &all), DesiredState::Present(_)));
        assert_eq!(of(&Status::Suspended, true, &[]), DesiredState::Left(Leave::Suspended));
    }

    #[test]
    fn a_status_that_is_not_known_takes_nothing_away_whatever_the_scope() {
        let (_, packed) =
            User::new("00u1".into(), Status::Other("ACTIVATING".to_owned()), Profile::new()).pack(&KeptAttributes::All);
        for in_scope in [true, false] {
            let mut org = Org { users: [("00u1".into(), packed.clone())].into(), ..Org::default() };
            org.in_scope.extend(in_scope.then(|| OktaUserId::from("00u1")));
            let mapped = user(&"00u1".into(), &org, &mapping(), Timestamp::UNIX_EPOCH);
            assert_eq!(mapped.state, DesiredState::Untouched(Status::Other("ACTIVATING".to_owned())), "{in_scope}");
        }
    }
}
