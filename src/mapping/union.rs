//! The project that several groups make together: its members, and the highest role of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::Members;
use crate::model::desired::{DesiredProject, DesiredRole, DesiredRoles, Source};
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::org::{Org, PushedGroup, Target};
use crate::model::problem::{Problem, ProblemKind};
use crate::model::role::is_same_project_role;

/// The roles of the members of a project, by the place of the rule that takes their group.
type RolesOf<'a> = dyn Fn(usize, &Members<OktaUserId>) -> Option<DesiredRoles> + 'a;

/// So many groups are named in the reason for a removal.
const NAMED: usize = 3;

/// The desired project, by the externalId that a new one gets.
pub fn project(target: &Target, org: &Org, roles_of: &RolesOf<'_>) -> Option<(OktaGroupId, DesiredProject)> {
    let link = target.sources.first()?.link.clone();
    let groups: Option<Vec<(&Source, &PushedGroup)>> =
        target.sources.iter().map(|source| Some((source, org.pushed.get(&source.group)?))).collect();
    let groups = groups?;
    let mut by_rule: BTreeMap<usize, Vec<&PushedGroup>> = BTreeMap::new();
    for (source, pushed) in &groups {
        by_rule.entry(source.rule).or_default().push(pushed);
    }
    let parts = by_rule.into_iter().map(|(rule, pushed)| {
        let members = together(pushed.iter().map(|pushed| &pushed.members));
        Part { roles: roles_of(rule, &members), members }
    });
    let parts: Vec<Part> = parts.collect();
    let names: Vec<&str> = groups.iter().map(|(_, pushed)| pushed.group.name.as_str()).collect();
    let members = together(parts.iter().map(|part| &part.members));
    let mut roles = merged(parts, &target.name);
    if let Some(roles) = &mut roles {
        let owed = target.sources.iter().filter_map(|source| org.owed_roles.get(&source.link));
        roles.owed = owed.flatten().cloned().collect();
    }
    let (name, is_named, sources) = (target.name.clone(), target.is_named, target.sources.clone());
    Some((link, DesiredProject { name, is_named, sources, group_name: listed(&names), members, roles }))
}

/// The members of all these groups. Those of one group share its memory.
fn together<'a>(groups: impl Iterator<Item = &'a Members<OktaUserId>>) -> Members<OktaUserId> {
    let groups: Vec<_> = groups.collect();
    match groups.as_slice() {
        [one] => (*one).clone(),
        several => several.iter().flat_map(|members| members.iter()).cloned().collect(),
    }
}

/// `AP EMEA or AP US`
fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|name| (*name).to_owned()).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => shown.concat(),
    }
}

/// What the groups of one rule add to a project.
struct Part {
    members: Members<OktaUserId>,
    roles: Option<DesiredRoles>,
}

/// The roles by all rules of a project; none where no rule says anything about roles.
fn merged(mut parts: Vec<Part>, project: &str) -> Option<DesiredRoles> {
    parts.retain(|part| part.roles.is_some());
    if parts.len() < 2 {
        return parts.pop()?.roles;
    }
    let all = || parts.iter().filter_map(|part| part.roles.as_ref());
    let first = all().next()?;
    let mut together = DesiredRoles {
        names: all().flat_map(|roles| roles.names.clone()).collect(),
        order: Arc::clone(&first.order),
        on_add_only: first.on_add_only,
        groups: all().flat_map(|roles| roles.groups.clone()).collect(),
        problems: all().flat_map(|roles| roles.problems.clone()).collect(),
        location: first.location.clone(),
        ..DesiredRoles::default()
    };
    let users: BTreeSet<&OktaUserId> = all().flat_map(|roles| roles.of.keys()).collect();
    let mut shared = BTreeSet::new();
    let mut share = |role: DesiredRole| {
        let role = Arc::new(role);
        shared.get(&role).cloned().unwrap_or_else(|| {
            shared.insert(Arc::clone(&role));
            role
        })
    };
    let mut unordered = BTreeSet::new();
    for id in users {
        let role = highest(id, &parts, &together.order, &mut unordered);
        together.of.extend(role.map(|role| (id.clone(), share(role))));
    }
    together.problems.extend(unordered.into_iter().map(|(one, other)| no_order(&one, &other, project, first)));
    Some(together)
}

/// The highest of the roles that the rules give a user, unknown where one of them is unknown or has no place in the order.
fn highest(
    id: &OktaUserId,
    parts: &[Part],
    order: &[String],
    unordered: &mut BTreeSet<(String, String)>,
) -> Option<DesiredRole> {
    let place = |role: &str| order.iter().position(|known| is_same_project_role(known, role));
    let given: Vec<&DesiredRole> =
        parts.iter().filter_map(|part| Some(part.roles.as_ref()?.of.get(id)?.as_ref())).collect();
    let ranked = |role: &&&DesiredRole| role.role.as_deref().and_then(place).unwrap_or(usize::MAX);
    let best: DesiredRole = (*given.iter().min_by_key(ranked)?).clone();
    let is_top = best.role.as_deref().and_then(place) == Some(0);
    // Another rule could give a higher role to a user that the listing of its group missed.
    let by_absence = best.by_absence || (!is_top && parts.iter().any(|part| !part.members.contains(id)));
    let differs = |role: &&&DesiredRole| match (&role.role, &best.role) {
        (Some(role), Some(best)) => !is_same_project_role(role, best),
        (role, best) => role != best,
    };
    let Some(other) = given.iter().filter(differs).find(|role| role.role.as_deref().and_then(place).is_none()) else {
        return Some(DesiredRole { by_absence, ..best });
    };
    if is_top {
        return Some(DesiredRole { by_absence, ..best });
    }
    if let (Some(one), Some(other)) = (best.role.clone(), other.role.clone()) {
        unordered.insert((one, other));
    }
    Some(DesiredRole { role: None, by_absence, because: best.because })
}

fn no_order(one: &str, other: &str, project: &str, roles: &DesiredRoles) -> Problem {
    let message = format!(
        "it isn't stated whether the role {one:?} is higher than {other:?}; members who would have both keep their role \
         (hint: name both in `role_order` under [projects_policy])"
    );
    Problem::new(project, ProblemKind::UnknownProjectRole, message).at(roles.location.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::okta::{Group, GroupType};

    fn ids(names: &[&str]) -> Members<OktaUserId> {
        names.iter().map(|name| OktaUserId::from(*name)).collect()
    }

    /// A project of the groups `00g1` with ada and bob by the first rule, and `00g2` with bob and cy by the second.
    fn made(roles: [Option<&str>; 2]) -> DesiredProject {
        let mut org = Org::default();
        for (id, name, members) in [("00g1", "EMEA", ["ada", "bob"]), ("00g2", "US", ["bob", "cy"])] {
            let group = Group { id: id.into(), name: name.to_owned(), kind: GroupType::OktaGroup };
            org.pushed.insert(id.into(), PushedGroup { group, members: ids(&members) });
        }
        let source = |id: &str, rule| Source { rule, ..Source::of(id.into()) };
        let sources = vec![source("00g2", 1), source("00g1", 0)];
        let target = Target { name: "Sales".to_owned(), is_named: true, sources };
        let roles_of = |rule: usize, members: &Members<OktaUserId>| {
            let role = roles[rule]?;
            let given = DesiredRole { role: Some(role.to_owned()), because: format!("rule {rule}"), by_absence: false };
            let given = Arc::new(given);
            Some(DesiredRoles {
                of: members.iter().map(|id| (id.clone(), Arc::clone(&given))).collect(),
                order: ["Admin", "Editor", "Viewer"].map(str::to_owned).into(),
                ..DesiredRoles::default()
            })
        };
        let (link, project) = project(&target, &org, &roles_of).unwrap();
        assert_eq!(link.as_str(), "00g2", "the first group of the config");
        project
    }

    /// The roles as `ada=Viewer`, `?` where it can't be told, with `*` where they follow from an absence.
    fn shown(roles: [Option<&str>; 2]) -> String {
        let one = |(id, role): (&OktaUserId, &Arc<DesiredRole>)| {
            let by_absence = if role.by_absence { "*" } else { "" };
            format!("{id}={}{by_absence}", role.role.as_deref().unwrap_or("?"))
        };
        let roles = made(roles).roles;
        roles.iter().flat_map(|roles| &roles.of).map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_members_of_all_groups_are_members_each_once() {
        let project = made([None, None]);
        assert_eq!(project.members, ids(&["ada", "bob", "cy"]));
        assert_eq!((project.group_name.as_str(), project.roles), ("US or EMEA", None));
    }

    #[test]
    fn the_highest_role_of_all_rules_counts() {
        assert_eq!(shown([Some("Viewer"), Some("Admin")]), "ada=Viewer* bob=Admin cy=Admin");
        assert_eq!(shown([Some("Editor"), Some("Viewer")]), "ada=Editor* bob=Editor cy=Viewer*");
        assert_eq!(shown([None, Some("Viewer")]), "bob=Viewer cy=Viewer", "a rule without a role says nothing");
    }

    #[test]
    fn a_role_without_a_place_in_the_order_is_not_compared() {
        assert_eq!(shown([Some("QA"), Some("Viewer")]), "ada=QA* bob=? cy=Viewer*");
        assert_eq!(
            shown([Some("QA"), Some("Admin")]),
            "ada=QA* bob=Admin cy=Admin",
            "nothing is higher than the first"
        );
        let problems = made([Some("QA"), Some("Viewer")]).roles.unwrap().problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn few_groups_are_named() {
        assert_eq!(listed(&["A"]), "A");
        assert_eq!(listed(&["A", "B", "C"]), "A, B or C");
        assert_eq!(listed(&["A", "B", "C", "D", "E"]), "A, B, C or 2 more");
    }
}
