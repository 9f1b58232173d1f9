//! Selects the groups that become projects, and names the projects.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::roles::RoleRule;
use crate::model::desired::{RuleFault, Unresolved};
use crate::model::id::OktaGroupId;
use crate::model::okta::{Group, GroupType};
use crate::model::similar::nearest;

/// One `[[projects]]` entry.
#[derive(Clone, Debug)]
pub struct ProjectRule {
    pub selector: Selector,
    /// The project's name; `$1` is the pattern's first group. Without it: the group's name.
    pub name: Option<String>,
    /// `config.toml:40`.
    pub location: Option<String>,
    /// The project roles of the members; none where they aren't managed.
    pub roles: Option<Arc<RoleRule>>,
}

/// How a rule selects groups.
#[derive(Clone, Debug)]
pub enum Selector {
    /// The group with this id or exactly this name.
    Group(String),
    /// Every group whose name matches. `Everyone` and other built-in groups never match.
    Match(Regex),
}

/// The result of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The groups that are pushed, sorted by id, with the name of each project.
    pub pushed: Vec<(Group, String)>,
    /// The place of the rule that pushes each of them.
    pub rule_of: BTreeMap<OktaGroupId, usize>,
    /// Faults of rules. Each concerns its own project only.
    pub unresolved: Vec<Unresolved>,
}

/// The groups that the rules push. The first rule that selects a group names its project. If a rule names a group and several
/// groups have that name, no rule selects them: the intended one is unknown.
pub fn select(rules: &[ProjectRule], groups: &[Group]) -> Selected {
    let (taken, mut unresolved) = resolve(rules, groups);
    let is_doubled = |group: &Group| {
        unresolved.iter().any(
            |rule: &Unresolved| matches!(&rule.fault, RuleFault::SeveralGroups { groups } if groups.contains(group)),
        )
    };
    let mut sorted: Vec<&Group> = groups.iter().filter(|group| !is_doubled(group)).collect();
    sorted.sort_by(|one, other| one.id.cmp(&other.id));
    let (mut pushed, mut rule_of) = (Vec::new(), BTreeMap::new());
    for group in sorted {
        let mut placed = rules.iter().zip(&taken).enumerate();
        let Some((place, rule, name)) =
            placed.find_map(|(place, (rule, ids))| Some((place, rule, ids.name(rule, group)?)))
        else {
            continue;
        };
        if name.trim().is_empty() {
            unresolved.push(Unresolved {
                wanted: group.name.clone(),
                project: group.name.clone(),
                fault: RuleFault::EmptyName { group: group.id.clone() },
                location: rule.location.clone(),
            });
        } else {
            rule_of.insert(group.id.clone(), place);
            pushed.push((group.clone(), name));
        }
    }
    Selected { pushed, rule_of, unresolved }
}

/// The patterns that match no group. They are probably mistakes, but not faults.
pub fn idle_patterns<'a>(rules: &'a [ProjectRule], groups: &[Group]) -> Vec<&'a ProjectRule> {
    let idle = |rule: &&ProjectRule| match &rule.selector {
        Selector::Group(_) => false,
        Selector::Match(pattern) => !groups.iter().any(|group| takes(pattern, group)),
    };
    rules.iter().filter(idle).collect()
}

/// The group with this id, or the only one with exactly this name.
pub fn find_group<'a>(wanted: &str, groups: &'a [Group]) -> Result<&'a Group, RuleFault> {
    if let Some(group) = groups.iter().find(|group| group.id.as_str() == wanted) {
        return Ok(group);
    }
    let named: Vec<&Group> = groups.iter().filter(|group| group.name == wanted).collect();
    match named.as_slice() {
        [group] => Ok(group),
        [] => {
            let nearest = nearest(wanted, groups.iter().map(|group| group.name.as_str()));
            Err(RuleFault::NoSuchGroup { nearest })
        }
        several => Err(RuleFault::SeveralGroups { groups: several.iter().copied().cloned().collect() }),
    }
}

/// What a rule selects, after its group is resolved.
enum Taken<'a> {
    Group(&'a Group),
    Match(&'a Regex),
    Nothing,
}

impl Taken<'_> {
    /// The project's name if this selects the group.
    fn name(&self, rule: &ProjectRule, group: &Group) -> Option<String> {
        match self {
            Self::Group(taken) => {
                (taken.id == group.id).then(|| rule.name.clone().unwrap_or_else(|| group.name.clone()))
            }
            Self::Match(pattern) if takes(pattern, group) => {
                let captures = pattern.captures(&group.name)?;
                let Some(template) = &rule.name else { return Some(group.name.clone()) };
                let mut name = String::new();
                captures.expand(template, &mut name);
                Some(name)
            }
            Self::Match(_) | Self::Nothing => None,
        }
    }
}

/// Whether a rule's pattern selects a group.
pub fn takes(pattern: &Regex, group: &Group) -> bool {
    group.kind != GroupType::BuiltIn && pattern.is_match(&group.name)
}

fn resolve<'a>(rules: &'a [ProjectRule], groups: &'a [Group]) -> (Vec<Taken<'a>>, Vec<Unresolved>) {
    let mut unresolved = Vec::new();
    let taken = rules.iter().map(|rule| match &rule.selector {
        Selector::Match(pattern) => Taken::Match(pattern),
        Selector::Group(wanted) => match find_group(wanted, groups) {
            Ok(group) => Taken::Group(group),
            Err(fault) => {
                let project = rule.name.as_ref().unwrap_or(wanted).clone();
                let location = rule.location.clone();
                unresolved.push(Unresolved { wanted: wanted.clone(), project, fault, location });
                Taken::Nothing
            }
        },
    });
    (taken.collect(), unresolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str, name: &str, kind: GroupType) -> Group {
        Group { id: id.into(), name: name.into(), kind }
    }

    fn company() -> Vec<Group> {
        vec![
            group("00g5", "Everyone", GroupType::BuiltIn),
            group("00g4", "AP Team Sales", GroupType::OktaGroup),
            group("00g3", "AP Team Ops", GroupType::AppGroup),
            group("00g2", "Engineering", GroupType::OktaGroup),
            group("00g1", "Twice", GroupType::OktaGroup),
            group("00g0", "Twice", GroupType::AppGroup),
        ]
    }

    fn by_group(wanted: &str, name: Option<&str>) -> ProjectRule {
        let selector = Selector::Group(wanted.into());
        ProjectRule { selector, name: name.map(Into::into), location: Some("config.toml:40".into()), roles: None }
    }

    fn by_match(pattern: &str, name: Option<&str>) -> ProjectRule {
        let selector = Selector::Match(Regex::new(pattern).unwrap());
        ProjectRule { selector, name: name.map(Into::into), location: None, roles: None }
    }

    fn selected(rules: &[ProjectRule]) -> Vec<(String, String)> {
        select(rules, &company()).pushed.into_iter().map(|(group, name)| (group.id.to_string(), name)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(id, name)| ((*id).into(), (*name).into())).collect()
    }

    #[test]
    fn by_name_by_id_and_by_pattern() {
        let rules =
            [by_group("Engineering", None), by_group("00g0", Some("Two $1")), by_match("^AP Team (.+)$", Some("$1"))];
        let expected = [("00g0", "Two $1"), ("00g2", "Engineering"), ("00g3", "Ops"), ("00g4", "Sales")];
        assert_eq!(selected(&rules), pairs(&expected));
    }

    #[test]
    fn the_first_rule_wins() {
        let rules = [
            by_group("AP Team Ops", Some("Operations")),
            by_match("^AP Team (.+)$", Some("$1")),
            by_match("Ops", None),
        ];
        assert_eq!(selected(&rules), pairs(&[("00g3", "Operations"), ("00g4", "Sales")]));
    }

    #[test]
    fn a_pattern_never_takes_a_built_in_group_but_its_name_does() {
        assert!(!selected(&[by_match(".*", None)]).iter().any(|(id, _)| id == "00g5"));
        assert_eq!(selected(&[by_group("Everyone", None)]), pairs(&[("00g5", "Everyone")]));
    }

    #[test]
    fn the_fault_of_a_rule_concerns_its_project_alone_and_names_the_next_step() {
        let rules = [
            by_group("Enginering", None),
            by_group("Twice", Some("Two")),
            by_group("xyz", None),
            by_match("^(AP Team|Twice)", None),
        ];
        let Selected { pushed, unresolved, .. } = select(&rules, &company());
        let faults: Vec<_> =
            unresolved.iter().map(|rule| (rule.project.as_str(), rule.fault.told(&rule.wanted))).collect();
        let expected = [
            ("Enginering", r#"no group in Okta has the id or the name "Enginering"; did you mean "Engineering"?"#),
            ("Two", r#"several groups are named "Twice"; name one by its id: 00g0 (APP_GROUP), 00g1 (OKTA_GROUP)"#),
            ("xyz", r#"no group in Okta has the id or the name "xyz""#),
        ];
        assert_eq!(faults, expected.map(|(project, fault)| (project, fault.to_owned())));
        assert!(unresolved.iter().all(|rule| rule.location.as_deref() == Some("config.toml:40")));
        let pushed: Vec<_> = pushed.iter().map(|(group, _)| group.id.as_str()).collect();
        assert_eq!(pushed, ["00g3", "00g4"], "a doubled name is taken by no pattern either");
    }

    #[test]
    fn a_name_that_comes_out_empty_is_a_fault_of_its_group() {
        let Selected { pushed, unresolved, .. } = select(&[by_match("^(?:Eng|AP )(x*)", Some("$1"))], &company());
        assert!(pushed.is_empty());
        let groups: Vec<_> = unresolved.iter().map(|rule| &rule.fault).collect();
        assert_eq!(groups, ["00g2", "00g3", "00g4"].map(|id| RuleFault::EmptyName { group: id.into() }).each_ref());
    }

    #[test]
    fn patterns_that_match_nothing_are_known() {
        let rules = [by_match("^Nobody", None), by_match("^AP", None), by_match("^Everyone$", None)];
        assert_eq!(idle_patterns(&rules, &company()).len(), 2);
    }
}
