//! The project roles of a project's members: by Okta group, by an expression, or one for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::evaluation::{Evaluation, Mapped};
use crate::model::Members;
use crate::model::desired::{DesiredRole, DesiredRoles, DesiredState, DesiredUser, RuleFault};
use crate::model::id::OktaUserId;
use crate::model::org::{Org, RoleGroup};
use crate::model::problem::{Problem, ProblemKind};

/// How a `[[projects]]` entry gives project roles.
#[derive(Clone, Debug)]
pub struct RoleRule {
    /// The role of the members of some groups, the highest role first.
    pub by_group: Vec<GroupRole>,
    /// The role of all other members. Without it they keep their role.
    pub others: Option<RoleSource>,
    /// All roles whose order is known, the highest first.
    pub order: Arc<[String]>,
    /// Whether a role is set only when the member is added.
    pub on_add_only: bool,
    /// `config.toml:40`.
    pub location: Option<String>,
}

/// A role, and the ids or names of the groups that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRole {
    pub role: String,
    pub groups: Vec<String>,
}

/// Where a role comes from.
#[derive(Clone, Debug)]
pub enum RoleSource {
    Fixed(String),
    Expression(Mapped),
}

impl RoleRule {
    /// The expression of the rule.
    pub fn expression(&self) -> Option<&Mapped> {
        match &self.others {
            Some(RoleSource::Expression(mapped)) => Some(mapped),
            Some(RoleSource::Fixed(_)) | None => None,
        }
    }

    /// The ids or names of all groups that decide about a role.
    pub fn groups(&self) -> impl Iterator<Item = &String> {
        self.by_group.iter().flat_map(|by| &by.groups)
    }

    /// Every role that the config names, apart from those that an expression computes.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let of_groups = self.by_group.iter().map(|by| by.role.clone());
        let of_others = self.others.iter().flat_map(|others| match others {
            RoleSource::Fixed(role) => vec![role.clone()],
            RoleSource::Expression(mapped) => mapped.expression.constants(),
        });
        of_groups.chain(of_others)
    }

    fn place(&self, what: &str) -> String {
        self.location.as_ref().map_or_else(|| what.to_owned(), |location| format!("{what} {location}"))
    }
}

/// The roles of the members of a group, by the rule that pushes it.
pub fn desired(
    rule: &RoleRule,
    members: &Members<OktaUserId>,
    org: &Org,
    users: &BTreeMap<OktaUserId, DesiredUser>,
    now: Timestamp,
) -> DesiredRoles {
    let missing = |group: &&String| org.missing_role_groups.contains_key(*group);
    let mut roles = DesiredRoles {
        names: rule.names().collect(),
        order: Arc::clone(&rule.order),
        on_add_only: rule.on_add_only,
        groups: rule.groups().filter_map(|group| Some(org.role_groups.get(group)?.id.clone())).collect(),
        problems: rule.groups().filter(missing).map(|group| not_found(group, rule, org)).collect(),
        location: rule.location.clone(),
        ..DesiredRoles::default()
    };
    let mut deciding = Deciding::of(rule, org, now);
    for id in members {
        // Only of users with access anything is made.
        if matches!(users.get(id).map(|user| &user.state), Some(DesiredState::Present(_)))
            && let Some(role) = deciding.role(id, &mut roles.problems)
        {
            roles.of.insert(id.clone(), role);
        }
    }
    roles
}

fn not_found(wanted: &str, rule: &RoleRule, org: &Org) -> Problem {
    let fault = &org.missing_role_groups[wanted];
    let kind = match fault {
        RuleFault::SeveralGroups { .. } => ProblemKind::AmbiguousGroup,
        RuleFault::NoSuchGroup { .. } | RuleFault::EmptyName { .. } => ProblemKind::GroupNotFound,
    };
    let told = fault.told(wanted);
    let message = format!("roles: {told}; project roles that depend on it stay as they are, and no member gets one");
    Problem::new(wanted, kind, message).at(rule.location.clone())
}

/// One role of the rule's order.
struct Step<'a> {
    groups: Vec<(&'a RoleGroup, Arc<DesiredRole>)>,
    /// Set if one of its groups isn't in Okta, so that any user may be in it.
    unknown: Option<Arc<DesiredRole>>,
}

/// The evaluation of a rule. Most members share one of a few roles, so each is stored once.
struct Deciding<'a> {
    rule: &'a RoleRule,
    org: &'a Org,
    now: Timestamp,
    steps: Vec<Step<'a>>,
    others: Option<Arc<DesiredRole>>,
    evaluated: BTreeMap<String, Arc<DesiredRole>>,
}

impl<'a> Deciding<'a> {
    fn of(rule: &'a RoleRule, org: &'a Org, now: Timestamp) -> Self {
        let step = |(place, by): (usize, &'a GroupRole)| {
            // The groups of one role are equal: only those of a higher role would have given another one.
            let by_absence = place > 0;
            let there = by.groups.iter().filter_map(|wanted| org.role_groups.get(wanted)).map(|group| {
                let because = format!("group {}", group.name);
                (group, Arc::new(DesiredRole { role: Some(by.role.clone()), because, by_absence }))
            });
            let unknown = by.groups.iter().any(|wanted| org.missing_role_groups.contains_key(wanted));
            let unknown =
                unknown.then(|| Arc::new(DesiredRole { role: None, because: rule.place("rule"), by_absence }));
            Step { groups: there.collect(), unknown }
        };
        let steps: Vec<_> = rule.by_group.iter().enumerate().map(step).collect();
        let others = match &rule.others {
            Some(RoleSource::Fixed(name)) => Some(Arc::new(DesiredRole {
                role: Some(name.clone()),
                because: rule.place("rule"),
                by_absence: !steps.is_empty(),
            })),
            Some(RoleSource::Expression(_)) | None => None,
        };
        Self { rule, org, now, steps, others, evaluated: BTreeMap::new() }
    }

    /// The role of a user; none where the rule says nothing about it.
    fn role(&mut self, id: &OktaUserId, problems: &mut Vec<Problem>) -> Option<Arc<DesiredRole>> {
        for step in &self.steps {
            if let Some((_, gives)) = step.groups.iter().find(|(group, _)| group.members.contains(id)) {
                return Some(Arc::clone(gives));
            }
            if let Some(unknown) = &step.unknown {
                return Some(Arc::clone(unknown));
            }
        }
        match self.rule.expression() {
            Some(mapped) => self.evaluated(id, mapped, problems),
            None => self.others.clone(),
        }
    }

    fn evaluated(&mut self, id: &OktaUserId, mapped: &Mapped, problems: &mut Vec<Problem>) -> Option<Arc<DesiredRole>> {
        let user = self.org.users.get(id)?.unpack(id);
        let by_absence = !self.steps.is_empty() || mapped.expression.needs().groups;
        let because = self.rule.place("expression");
        match (Evaluation { user: &user, org: self.org, now: self.now }).text("role", mapped) {
            Ok(None) => None,
            Ok(Some(role)) => {
                let shared = self
                    .evaluated
                    .entry(role.clone())
                    .or_insert_with(|| Arc::new(DesiredRole { role: Some(role), because, by_absence }));
                Some(Arc::clone(shared))
            }
            Err(problem) => {
                problems.push(problem);
                Some(Arc::new(DesiredRole { role: None, because, by_absence }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Expression;
    use crate::mapping::evaluation::Source;
    use crate::model::desired::Attributes;
    use crate::model::okta::{Profile, Status, User};
    use crate::model::packed::KeptAttributes;

    const USERS: [&str; 5] = ["00u1", "00u2", "00u3", "00u4", "00u5"];

    /// An org with a pushed group of all users, and groups that decide about roles; of one only the name is known.
    fn org() -> Org {
        let group = |id: &str, name: &str, members: &[&str]| RoleGroup {
            id: id.into(),
            name: name.to_owned(),
            members: members.iter().map(|id| OktaUserId::from(*id)).collect(),
        };
        let mut org = Org::default();
        for id in USERS {
            let profile = Profile::from_iter([("team".to_owned(), format!("T{id}").into())]);
            let (id, user) = User::new(id.into(), Status::Active, profile).pack(&KeptAttributes::All);
            org.in_scope.insert(id.clone());
            org.users.insert(id, user);
        }
        org.role_groups.insert("Leads".to_owned(), group("00g1", "Leads", &["00u1", "00u2"]));
        org.role_groups.insert("00g2".to_owned(), group("00g2", "Guests", &["00u2", "00u3"]));
        org.missing_role_groups.insert("Lost".to_owned(), RuleFault::NoSuchGroup { nearest: Vec::new() });
        org
    }

    fn by(role: &str, groups: &[&str]) -> GroupRole {
        GroupRole { role: role.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    fn rule(by_group: Vec<GroupRole>, others: Option<RoleSource>) -> RoleRule {
        let location = Some("config.toml:9".to_owned());
        RoleRule { by_group, others, order: Arc::from([]), on_add_only: false, location }
    }

    fn fixed(role: &str) -> RoleSource {
        RoleSource::Fixed(role.to_owned())
    }

    fn expression(source: &str) -> RoleSource {
        let expression = Expression::parse(source).unwrap();
        RoleSource::Expression(Mapped { expression, source: Source::Default, on_create_only: false })
    }

    fn of(rule: &RoleRule) -> DesiredRoles {
        let present = |id: &str| DesiredUser::new(id, None, DesiredState::Present(Attributes::default()));
        let mut users: BTreeMap<OktaUserId, DesiredUser> =
            USERS.iter().map(|id| (OktaUserId::from(*id), present(id))).collect();
        users.insert("00u5".into(), DesiredUser::new("00u5", None, DesiredState::Untouched(Status::Staged)));
        let members = USERS.iter().map(|id| OktaUserId::from(*id)).collect();
        desired(rule, &members, &org(), &users, Timestamp::UNIX_EPOCH)
    }

    /// The roles as `00u1=Admin`, `?` where it can't be told, with `*` where they follow from an absence.
    fn shown(rule: &RoleRule) -> String {
        let one = |(id, role): (&OktaUserId, &Arc<DesiredRole>)| {
            let by_absence = if role.by_absence { "*" } else { "" };
            format!("{id}={}{by_absence}", role.role.as_deref().unwrap_or("?"))
        };
        of(rule).of.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_highest_role_of_the_groups_counts_then_that_of_all_others() {
        let groups = || vec![by("Admin", &["Leads"]), by("Viewer", &["00g2"])];
        assert_eq!(shown(&rule(groups(), None)), "00u1=Admin 00u2=Admin 00u3=Viewer*");
        assert_eq!(
            shown(&rule(groups(), Some(fixed("Editor")))),
            "00u1=Admin 00u2=Admin 00u3=Viewer* 00u4=Editor*",
            "a user without access has no role"
        );
        assert_eq!(shown(&rule(Vec::new(), Some(fixed("Editor")))), "00u1=Editor 00u2=Editor 00u3=Editor 00u4=Editor");
        let roles = of(&rule(groups(), Some(fixed("Editor"))));
        assert_eq!(roles.of[&"00u3".into()].because, "group Guests");
        assert_eq!(roles.of[&"00u4".into()].because, "rule config.toml:9");
        assert_eq!(roles.names, ["Admin", "Editor", "Viewer"].map(str::to_owned).into());
    }

    #[test]
    fn a_group_that_is_not_there_may_have_anybody_in_it() {
        let lost_first = rule(vec![by("Admin", &["Lost"]), by("Viewer", &["00g2"])], Some(fixed("Editor")));
        assert_eq!(shown(&lost_first), "00u1=? 00u2=? 00u3=? 00u4=?");
        let lost_last = rule(vec![by("Admin", &["Leads"]), by("Viewer", &["Lost"])], Some(fixed("Editor")));
        assert_eq!(shown(&lost_last), "00u1=Admin 00u2=Admin 00u3=?* 00u4=?*");
        let one_of_two = rule(vec![by("Admin", &["Lost", "Leads"])], None);
        assert_eq!(shown(&one_of_two), "00u1=Admin 00u2=Admin 00u3=? 00u4=?");
        let problems = of(&one_of_two).problems;
        assert_eq!((problems.len(), problems[0].kind), (1, ProblemKind::GroupNotFound));
    }

    #[test]
    fn an_expression_gives_a_role_or_none_and_its_fault_concerns_its_user_alone() {
        let source =
            r#"user.team == "T00u1" ? null : user.team == "T00u2" ? String.substring(user.team, 9, 1) : "Viewer""#;
        let rule = rule(Vec::new(), Some(expression(source)));
        assert_eq!(shown(&rule), "00u2=? 00u3=Viewer 00u4=Viewer");
        let roles = of(&rule);
        assert_eq!(roles.problems.len(), 1);
        assert_eq!(roles.names, ["Viewer".to_owned()].into());
    }
}
