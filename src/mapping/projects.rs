//! Selects the groups that become projects, and names the projects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::roles::RoleRule;
use crate::model::desired::{RuleFault, Source, Unresolved};
use crate::model::id::OktaGroupId;
use crate::model::okta::{Group, GroupType};
use crate::model::org::Target;
use crate::model::similar::nearest;

/// One `[[projects]]` entry.
#[derive(Clone, Debug)]
pub struct ProjectRule {
    pub selector: Selector,
    /// The project's name; `$1` is the pattern's first group. Without it: the group's name.
    pub name: Option<String>,
    /// The one project of all groups that the rule selects: the name or id of an existing project, or the name of a new one.
    pub project: Option<String>,
    /// The name of a further project of groups that other rules select too.
    pub also: Option<String>,
    /// `config.toml:40`.
    pub location: Option<String>,
    /// The project roles of the members; none where they aren't managed.
    pub roles: Option<Arc<RoleRule>>,
}

/// How a rule selects groups.
#[derive(Clone, Debug)]
pub enum Selector {
    /// The groups with these ids or exactly these names.
    Groups(Vec<String>),
    /// Every group that the filter takes.
    Match(Filter),
}

/// The groups that a rule takes without naming them. `Everyone` and other built-in groups are never among them.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Of the group's name.
    pub pattern: Regex,
    pub kind: Option<GroupType>,
    /// Only groups that the app of the scope pushes in Okta.
    pub pushed_by_okta: bool,
    /// Ids or exact names of groups that aren't taken.
    pub exclude: Vec<String>,
    pub exclude_pattern: Option<Regex>,
    /// An Okta search that finds the groups.
    pub search: Option<String>,
    /// An Okta search that finds groups that aren't taken.
    pub exclude_search: Option<String>,
}

/// What Okta answers about groups in addition to their listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Groups that the app of the scope pushes in Okta.
    pub pushed: BTreeSet<OktaGroupId>,
    /// The groups that each search finds.
    pub found: BTreeMap<String, BTreeSet<OktaGroupId>>,
}

impl Answers {
    fn finds(&self, search: &str, group: &Group) -> bool {
        self.found.get(search).is_some_and(|found| found.contains(&group.id))
    }
}

/// The result of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The groups that are pushed, sorted by id.
    pub pushed: Vec<Group>,
    /// The projects that they make.
    pub targets: Vec<Target>,
    /// Faults of rules. Each concerns its own project only.
    pub unresolved: Vec<Unresolved>,
}

impl ProjectRule {
    /// A rule that makes each group the project of its name.
    pub fn new(selector: Selector) -> Self {
        Self { selector, name: None, project: None, also: None, location: None, roles: None }
    }

    /// Whether both rules make the same one project.
    pub fn shares_project(&self, other: &Self) -> bool {
        self.project.is_some() && (&self.project, &self.also) == (&other.project, &other.also)
    }

    /// Whether the rule takes the group. Which groups Okta's app pushes isn't asked.
    pub fn may_take(&self, group: &Group) -> bool {
        match &self.selector {
            Selector::Groups(wanted) => wanted.iter().any(|wanted| is_called(group, wanted)),
            Selector::Match(filter) => filter.takes(group, None),
        }
    }
}

impl Selector {
    /// The group with this id or exactly this name.
    pub fn group(wanted: impl Into<String>) -> Self {
        Self::Groups(vec![wanted.into()])
    }

    /// The ids or names of the groups that are named.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Groups(wanted) => wanted,
            Self::Match(_) => &[],
        }
    }
}

impl Filter {
    /// Every group whose name matches.
    pub fn of(pattern: Regex) -> Self {
        Self {
            pattern,
            kind: None,
            pushed_by_okta: false,
            exclude: Vec::new(),
            exclude_pattern: None,
            search: None,
            exclude_search: None,
        }
    }

    /// The searches of the filter.
    pub fn searches(&self) -> impl Iterator<Item = &String> {
        self.search.iter().chain(&self.exclude_search)
    }

    /// Whether the filter takes the group; without answers what they would say is taken to be so.
    pub fn takes(&self, group: &Group, answers: Option<&Answers>) -> bool {
        let is_excluded = self.exclude.iter().any(|name| is_called(group, name))
            || self.exclude_pattern.as_ref().is_some_and(|pattern| pattern.is_match(&group.name))
            || self.exclude_search.as_ref().zip(answers).is_some_and(|(search, answers)| answers.finds(search, group));
        group.kind != GroupType::BuiltIn
            && self.kind.as_ref().is_none_or(|kind| *kind == group.kind)
            && (!self.pushed_by_okta || answers.is_none_or(|answers| answers.pushed.contains(&group.id)))
            && self.search.as_ref().zip(answers).is_none_or(|(search, answers)| answers.finds(search, group))
            && self.pattern.is_match(&group.name)
            && !is_excluded
    }
}

/// As the config has it: `match = "^AP"`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Groups(wanted) => match wanted.as_slice() {
                [group] => write!(f, "group = {group:?}"),
                several => write!(f, "groups = {several:?}"),
            },
            Self::Match(Filter { pattern, pushed_by_okta: true, .. }) if pattern.as_str().is_empty() => {
                write!(f, "group_push = \"from_okta\"")
            }
            Self::Match(Filter { search: Some(search), .. }) => write!(f, "search = {search:?}"),
            Self::Match(filter) => write!(f, "match = {:?}", filter.pattern.as_str()),
        }
    }
}

fn is_called(group: &Group, wanted: &str) -> bool {
    group.id.as_str() == wanted || group.name == wanted
}

/// The groups that the rules push, and the projects that they make.
///
/// The first rule that selects a group names its project; rules of a further project (`also`) come in addition. All groups of
/// the rules that name one project make it together. If a rule names a group and several groups have that name, no rule selects
/// them: the intended one is unknown. A project of several groups of which one isn't found is left out as a whole, because
/// its members aren't known.
pub fn select(rules: &[ProjectRule], groups: &[Group], answers: &Answers) -> Selected {
    let (taken, mut unresolved) = resolve(rules, groups);
    let is_doubled = |group: &Group| {
        unresolved.iter().any(
            |rule: &Unresolved| matches!(&rule.fault, RuleFault::SeveralGroups { groups } if groups.contains(group)),
        )
    };
    let mut sorted: Vec<&Group> = groups.iter().filter(|group| !is_doubled(group)).collect();
    sorted.sort_by(|one, other| one.id.cmp(&other.id));
    let mut made = Made::default();
    let layers: BTreeSet<Option<&str>> = rules.iter().map(|rule| rule.also.as_deref()).collect();
    for layer in layers {
        for &group in &sorted {
            let mut placed =
                rules.iter().zip(&taken).enumerate().filter(|(_, (rule, _))| rule.also.as_deref() == layer);
            let found =
                placed.find_map(|(place, (rule, taken))| Some((place, rule, taken.name(rule, group, answers)?)));
            let Some((place, rule, name)) = found else { continue };
            if name.trim().is_empty() {
                unresolved.push(Unresolved {
                    wanted: group.name.clone(),
                    project: group.name.clone(),
                    fault: RuleFault::EmptyName { group: group.id.clone() },
                    location: rule.location.clone(),
                });
            } else {
                made.add(rule, place, &taken[place], group, name);
            }
        }
    }
    let is_whole = |rules: &BTreeSet<usize>| rules.iter().all(|place| taken[*place].is_whole());
    let (targets, used) = made.targets(rules, is_whole);
    let pushed = sorted.into_iter().filter(|group| used.contains(&group.id)).cloned().collect();
    Selected { pushed, targets, unresolved }
}

/// The projects as they are found, those with a name in the config apart.
#[derive(Default)]
struct Made {
    own: Vec<Target>,
    /// By layer and name, with the order of each group: of the rule, and in it.
    named: BTreeMap<(Option<String>, String), Vec<Placed>>,
}

/// A group, by the place of its rule and its place in the rule.
type Placed = ((usize, usize), Source);

impl Made {
    fn add(&mut self, rule: &ProjectRule, place: usize, taken: &Taken<'_>, group: &Group, name: String) {
        let link = rule.also.as_ref().map_or_else(|| group.id.clone(), |also| group.id.further(also));
        let source = Source { group: group.id.clone(), link, rule: place };
        if rule.project.is_none() {
            self.own.push(Target { name, is_named: false, sources: vec![source] });
            return;
        }
        let sources = self.named.entry((rule.also.clone(), name)).or_default();
        sources.push(((place, taken.place(group)), source));
    }

    /// All projects, and the groups that make them.
    fn targets(
        self,
        rules: &[ProjectRule],
        is_whole: impl Fn(&BTreeSet<usize>) -> bool,
    ) -> (Vec<Target>, BTreeSet<OktaGroupId>) {
        let Self { own: mut targets, named } = self;
        for ((also, name), mut sources) in named {
            let of_project = |rule: &ProjectRule| (&rule.also, rule.project.as_ref()) == (&also, Some(&name));
            let places = rules.iter().enumerate().filter(|(_, rule)| of_project(rule)).map(|(place, _)| place);
            if is_whole(&places.collect()) {
                sources.sort_by_key(|(place, _)| *place);
                let sources = sources.into_iter().map(|(_, source)| source).collect();
                targets.push(Target { name, is_named: true, sources });
            }
        }
        let used = targets.iter().flat_map(|target| &target.sources).map(|source| source.group.clone()).collect();
        (targets, used)
    }
}

/// The rules that select no group without naming one. They are probably mistakes, but not faults.
pub fn idle_patterns<'a>(rules: &'a [ProjectRule], groups: &[Group], answers: &Answers) -> Vec<&'a ProjectRule> {
    let idle = |rule: &&ProjectRule| match &rule.selector {
        Selector::Groups(_) => false,
        Selector::Match(filter) => !groups.iter().any(|group| filter.takes(group, Some(answers))),
    };
    rules.iter().filter(idle).collect()
}

/// The names that rules exclude and that no group has, each with its rule: a group that was renamed isn't excluded any more.
pub fn idle_exclusions<'a>(rules: &'a [ProjectRule], groups: &[Group]) -> Vec<(&'a str, &'a ProjectRule)> {
    let excluded = |rule: &'a ProjectRule| match &rule.selector {
        Selector::Groups(_) => &[],
        Selector::Match(filter) => filter.exclude.as_slice(),
    };
    let all = rules.iter().flat_map(|rule| excluded(rule).iter().map(move |name| (name.as_str(), rule)));
    all.filter(|(name, _)| !groups.iter().any(|group| is_called(group, name))).collect()
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

/// What a rule selects, after its groups are resolved.
enum Taken<'a> {
    /// Those that were found, in the order of the config, and whether all were.
    Groups(Vec<&'a Group>, bool),
    Match(&'a Filter),
}

impl Taken<'_> {
    /// The project's name if this selects the group.
    fn name(&self, rule: &ProjectRule, group: &Group, answers: &Answers) -> Option<String> {
        let filter = match self {
            Self::Groups(taken, _) if taken.iter().any(|taken| taken.id == group.id) => None,
            Self::Match(filter) if filter.takes(group, Some(answers)) => Some(filter),
            Self::Groups(..) | Self::Match(_) => return None,
        };
        if let Some(project) = &rule.project {
            return Some(project.clone());
        }
        let Some(template) = &rule.name else { return Some(group.name.clone()) };
        let Some(filter) = filter else { return Some(template.clone()) };
        let mut name = String::new();
        filter.pattern.captures(&group.name)?.expand(template, &mut name);
        Some(name)
    }

    /// The group's place in the rule.
    fn place(&self, group: &Group) -> usize {
        match self {
            Self::Groups(taken, _) => taken.iter().position(|taken| taken.id == group.id).unwrap_or_default(),
            Self::Match(_) => 0,
        }
    }

    fn is_whole(&self) -> bool {
        !matches!(self, Self::Groups(_, false))
    }
}

fn resolve<'a>(rules: &'a [ProjectRule], groups: &'a [Group]) -> (Vec<Taken<'a>>, Vec<Unresolved>) {
    let mut unresolved = Vec::new();
    let taken = rules.iter().map(|rule| match &rule.selector {
        Selector::Match(filter) => Taken::Match(filter),
        Selector::Groups(all) => {
            let mut taken = Vec::new();
            for wanted in all {
                match find_group(wanted, groups) {
                    Ok(group) => taken.push(group),
                    Err(fault) => {
                        let project = rule.project.as_ref().or(rule.name.as_ref()).unwrap_or(wanted).clone();
                        let location = rule.location.clone();
                        unresolved.push(Unresolved { wanted: wanted.clone(), project, fault, location });
                    }
                }
            }
            let is_whole = taken.len() == all.len();
            Taken::Groups(taken, is_whole)
        }
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
        let location = Some("config.toml:40".into());
        ProjectRule { name: name.map(Into::into), location, ..ProjectRule::new(Selector::group(wanted)) }
    }

    fn by_match(pattern: &str, name: Option<&str>) -> ProjectRule {
        let selector = Selector::Match(Filter::of(Regex::new(pattern).unwrap()));
        ProjectRule { name: name.map(Into::into), ..ProjectRule::new(selector) }
    }

    fn into_one(rule: ProjectRule, project: &str) -> ProjectRule {
        ProjectRule { project: Some(project.to_owned()), ..rule }
    }

    fn all(rules: &[ProjectRule]) -> Selected {
        select(rules, &company(), &Answers::default())
    }

    /// The projects as `00g4 00g3: Sales`, by the externalIds that they may have.
    fn targets(selected: &Selected) -> Vec<String> {
        let shown = |target: &Target| {
            let links: Vec<&str> = target.sources.iter().map(|source| source.link.as_str()).collect();
            format!("{}: {}", links.join(" "), target.name)
        };
        selected.targets.iter().map(shown).collect()
    }

    /// The group and the name of each project of one group.
    fn selected(rules: &[ProjectRule]) -> Vec<(String, String)> {
        let targets = all(rules).targets.into_iter();
        targets.map(|target| (target.sources[0].group.to_string(), target.name)).collect()
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
        let Selected { pushed, unresolved, .. } = all(&rules);
        let faults: Vec<_> =
            unresolved.iter().map(|rule| (rule.project.as_str(), rule.fault.told(&rule.wanted))).collect();
        let expected = [
            ("Enginering", r#"no group in Okta has the id or the name "Enginering"; did you mean "Engineering"?"#),
            ("Two", r#"several groups are named "Twice"; name one by its id: 00g0 (APP_GROUP), 00g1 (OKTA_GROUP)"#),
            ("xyz", r#"no group in Okta has the id or the name "xyz""#),
        ];
        assert_eq!(faults, expected.map(|(project, fault)| (project, fault.to_owned())));
        assert!(unresolved.iter().all(|rule| rule.location.as_deref() == Some("config.toml:40")));
        let pushed: Vec<_> = pushed.iter().map(|group| group.id.as_str()).collect();
        assert_eq!(pushed, ["00g3", "00g4"], "a doubled name is taken by no pattern either");
    }

    #[test]
    fn a_name_that_comes_out_empty_is_a_fault_of_its_group() {
        let Selected { pushed, unresolved, .. } = all(&[by_match("^(?:Eng|AP )(x*)", Some("$1"))]);
        assert!(pushed.is_empty());
        let groups: Vec<_> = unresolved.iter().map(|rule| &rule.fault).collect();
        assert_eq!(groups, ["00g2", "00g3", "00g4"].map(|id| RuleFault::EmptyName { group: id.into() }).each_ref());
    }

    #[test]
    fn patterns_that_match_nothing_are_known() {
        let rules = [by_match("^Nobody", None), by_match("^AP", None), by_match("^Everyone$", None)];
        assert_eq!(idle_patterns(&rules, &company(), &Answers::default()).len(), 2);
    }

    #[test]
    fn all_groups_of_the_rules_that_name_one_project_make_it_in_the_order_of_the_config() {
        let list = ProjectRule::new(Selector::Groups(vec!["AP Team Sales".into(), "AP Team Ops".into()]));
        let rules = [into_one(list, "One"), into_one(by_group("Engineering", None), "One")];
        assert_eq!(targets(&all(&rules)), ["00g4 00g3 00g2: One"]);
        let rules = [into_one(by_match("^AP", None), "One"), by_match("^(?:AP|Eng)", None)];
        assert_eq!(targets(&all(&rules)), ["00g2: Engineering", "00g3 00g4: One"], "the first rule takes a group");
    }

    #[test]
    fn a_project_of_several_groups_is_left_alone_where_one_is_not_found() {
        let list = ProjectRule::new(Selector::Groups(vec!["AP Team Sales".into(), "Lost".into()]));
        let rules = [into_one(list, "One"), into_one(by_group("Engineering", None), "One"), by_group("00g3", None)];
        let selected = all(&rules);
        assert_eq!(targets(&selected), ["00g3: AP Team Ops"]);
        assert_eq!(selected.pushed.len(), 1);
        let faults: Vec<_> =
            selected.unresolved.iter().map(|rule| (rule.wanted.as_str(), rule.project.as_str())).collect();
        assert_eq!(faults, [("Lost", "One")]);
    }

    #[test]
    fn a_further_project_is_made_in_addition() {
        let also = |rule| ProjectRule { also: Some("prod".to_owned()), ..rule };
        let rules = [
            also(by_group("00g3", Some("Ops Prod"))),
            by_match("^AP Team (.+)$", Some("$1")),
            also(by_match("^AP Team (.+)$", Some("$1 Production"))),
            also(into_one(by_group("Engineering", None), "One")),
        ];
        let expected = ["00g3: Ops", "00g4: Sales", "00g3:prod: Ops Prod", "00g4:prod: Sales Production"];
        let expected: Vec<_> = expected.into_iter().chain(["00g2:prod: One"]).collect();
        assert_eq!(targets(&all(&rules)), expected);
        assert_eq!(all(&rules).pushed.len(), 3, "each group once");
    }

    #[test]
    fn a_filter_takes_by_pattern_type_and_what_okta_pushes_without_what_is_excluded() {
        let pushed = ["00g2".into(), "00g3".into(), "00g5".into(), "00g9".into()].into();
        let found = |ids: &[&str]| ids.iter().map(|id| OktaGroupId::from(*id)).collect();
        let found = [("ours".to_owned(), found(&["00g2", "00g4", "00g5"])), ("old".to_owned(), found(&["00g4"]))];
        let answers = Answers { pushed, found: found.into() };
        let any = || Filter::of(Regex::new("").unwrap());
        let taken = |filter: Filter| {
            let rule = ProjectRule::new(Selector::Match(filter));
            let groups = select(&[rule], &company(), &answers).pushed;
            groups.into_iter().map(|group| group.id.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(taken(any()), "00g0 00g1 00g2 00g3 00g4");
        assert_eq!(taken(Filter { kind: Some(GroupType::AppGroup), ..any() }), "00g0 00g3");
        assert_eq!(taken(Filter { pushed_by_okta: true, ..any() }), "00g2 00g3", "and no built-in group");
        assert_eq!(taken(Filter { exclude: vec!["Twice".into(), "00g3".into()], ..any() }), "00g2 00g4");
        let exclude_pattern = Some(Regex::new("^AP").unwrap());
        assert_eq!(taken(Filter { exclude_pattern, pushed_by_okta: true, ..any() }), "00g2");
        let ours = || Filter { search: Some("ours".to_owned()), ..any() };
        assert_eq!(taken(ours()), "00g2 00g4", "and no built-in group");
        assert_eq!(taken(Filter { exclude_search: Some("old".to_owned()), ..ours() }), "00g2");
        assert_eq!(taken(Filter { search: Some("not asked".to_owned()), ..any() }), "");
        let rule = ProjectRule::new(Selector::Match(Filter { exclude: vec!["Twice".into(), "Gone".into()], ..any() }));
        let idle = [rule];
        let idle: Vec<_> = idle_exclusions(&idle, &company()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(idle, ["Gone"]);
    }
}
