//! Finds the apps and groups that the config names; reports all wrong names at once.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::OnceCell;
use tokio::try_join;

use crate::error::Error;
use crate::expression::Needs;
use crate::http::Failure;
use crate::mapping::projects::{
    Answers, Filter, ProjectRule, Selected, Selector, find_group, idle_exclusions, idle_patterns, select,
};
use crate::mapping::roles::RoleRule;
use crate::model::desired::{MissingPart, RuleFault, Unresolved};
use crate::model::id::{OktaAppId, OktaGroupId, OktaIds};
use crate::model::known::KnownGroups;
use crate::model::okta::{Group, Profile};
use crate::model::org::{Scope, Target};
use crate::model::similar::nearest;
use crate::okta::api::client::Okta;
use crate::okta::api::wire::{App, GroupPush, WireGroup};
use crate::okta::read::known::Known;
use crate::okta::recheck::search::Search;

/// A scope whose names were found in the org.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedScope {
    pub app: Option<App>,
    pub groups: Vec<Group>,
    pub search: Option<String>,
    pub everyone: bool,
    /// Whether a part of it wasn't found, so that no user is known to be out of scope.
    pub is_incomplete: bool,
    /// What expressions ask for.
    pub needs: Needs,
}

impl ResolvedScope {
    /// What is named, by ids: the same for the same scope.
    pub fn key(&self) -> String {
        self.parts().join(", ")
    }

    /// The parts of [`Self::key`].
    pub fn parts(&self) -> Vec<String> {
        let app = self.app.iter().map(|app| format!("app {}", app.id));
        let groups: BTreeSet<String> = self.groups.iter().map(|group| format!("group {}", group.id)).collect();
        let search = self.search.iter().map(|search| format!("search {search}"));
        let everyone = self.everyone.then(|| "everyone".to_owned());
        app.chain(groups).chain(search).chain(everyone).collect()
    }
}

/// What the names stand for.
pub(crate) struct Resolved<'a> {
    pub scope: ResolvedScope,
    /// All groups of the org, where any name or pattern asked for them.
    pub groups: Vec<Group>,
    /// What is known of them from earlier.
    pub known: Known<'a>,
    /// The same as the API has them, where expressions ask for it.
    pub group_objects: BTreeMap<OktaGroupId, Profile>,
    /// The groups to push.
    pub pushed: Vec<Group>,
    /// The projects that they make.
    pub targets: Vec<Target>,
    /// The groups that decide about project roles, by the names or ids of the config.
    pub role_groups: BTreeMap<String, Result<Group, RuleFault>>,
    /// Rules that push nothing as they stand.
    pub unresolved: Vec<Unresolved>,
    /// Parts of the scope that weren't found.
    pub missing_scope: Vec<MissingPart>,
    pub warnings: Vec<String>,
}

/// The app that the config names, looked up once.
pub(crate) struct NamedApp<'a> {
    okta: &'a Okta,
    wanted: Option<&'a str>,
    /// `config.toml:9: `, or nothing.
    place: String,
    found: OnceCell<Result<Option<App>, String>>,
}

impl<'a> NamedApp<'a> {
    pub fn new(okta: &'a Okta, scope: &'a Scope) -> Self {
        let place = place(scope.app_at.as_deref());
        Self { okta, wanted: scope.app.as_deref(), place, found: OnceCell::new() }
    }

    /// The same as [`find_app`] gives.
    pub async fn find(&self) -> Result<Result<Option<App>, String>, Error> {
        let found = self.found.get_or_try_init(|| find_app(self.okta, self.wanted)).await.cloned()?;
        Ok(found.map_err(|fault| format!("{}{fault}", self.place)))
    }
}

/// The place of a key before what is wrong with it.
fn place(location: Option<&str>) -> String {
    location.map(|location| format!("{location}: ")).unwrap_or_default()
}

pub(crate) async fn resolve<'a>(
    app: &NamedApp<'_>,
    scope: &Scope,
    rules: &[ProjectRule],
    needs: &Needs,
    known: &'a KnownGroups,
) -> Result<Resolved<'a>, Error> {
    let lists_groups = !scope.groups.is_empty() || !rules.is_empty() || needs.groups || needs.group_objects;
    let searches = rules.iter().any(|rule| searches_of(rule).next().is_some());
    let groups = all_groups(app.okta, lists_groups, needs.group_objects || searches);
    let okta = app.okta;
    let (found, (groups, group_objects)) = try_join!(app.find(), groups)?;
    let mut known = Known::new(known, &groups, app.okta.server_time());
    let mut groups: Vec<Group> = groups.into_iter().map(Group::from).collect();
    let in_rules = rules.iter().flat_map(|rule| rule.selector.names());
    let of_roles: BTreeSet<&String> =
        rules.iter().filter_map(|rule| rule.roles.as_deref()).flat_map(RoleRule::groups).collect();
    add_missed(okta, in_rules.chain(&scope.groups).chain(of_roles.iter().copied()), &mut groups).await?;
    let mut missing_scope = Vec::new();
    let mut missing =
        |wanted: &str, fault: String| missing_scope.push(MissingPart { wanted: wanted.to_owned(), fault });
    let app = found.unwrap_or_else(|fault| {
        missing(scope.app.as_deref().unwrap_or_default(), fault);
        None
    });
    let mut in_scope = Vec::new();
    for wanted in &scope.groups {
        match find_group(wanted, &groups) {
            Ok(group) => in_scope.push(group.clone()),
            Err(fault) => {
                let place = place(scope.groups_at.as_deref());
                missing(wanted, format!("{place}[scope] groups: {}", fault.told(wanted)));
            }
        }
    }
    let answers = Box::pin(answers_about_groups(okta, app.as_ref(), rules, &group_objects)).await?;
    let Selected { pushed, targets, unresolved } = select(rules, &groups, &answers);
    let role_groups =
        of_roles.into_iter().map(|wanted| (wanted.clone(), find_group(wanted, &groups).cloned())).collect();
    // Profiles of their members are needed, not only ids.
    known.always_reads(&in_scope);
    let mut warnings = warnings(app.as_ref(), &idle_patterns(rules, &groups, &answers));
    warnings.extend(idle_exclusions(rules, &groups).into_iter().map(not_excluded));
    let scope = ResolvedScope {
        app,
        groups: in_scope,
        search: scope.search.clone(),
        everyone: scope.everyone,
        is_incomplete: !missing_scope.is_empty(),
        needs: needs.clone(),
    };
    Ok(Resolved {
        scope,
        groups,
        known,
        group_objects: if needs.group_objects { group_objects } else { BTreeMap::new() },
        pushed,
        targets,
        role_groups,
        unresolved,
        missing_scope,
        warnings,
    })
}

/// What the rules ask Okta in addition to the listing of groups: one request for each distinct search. Groups whose own profiles meet a
/// search are found too: the index behind it may be behind (`docs/okta.md#the-search-index-is-eventually-consistent`).
pub(crate) async fn answers_about_groups(
    okta: &Okta,
    app: Option<&App>,
    rules: &[ProjectRule],
    groups: &BTreeMap<OktaGroupId, Profile>,
) -> Result<Answers, Error> {
    let pushed = groups_pushed_by(okta, app, rules).await?;
    let mut found = BTreeMap::new();
    for rule in rules {
        for search in searches_of(rule) {
            if found.contains_key(search) {
                continue;
            }
            let answer = okta.groups_found(search).await.map_err(|failure| refused_search(failure, search, rule))?;
            let parsed = Search::parse(search);
            let meets = |group: &Profile| parsed.as_ref().is_some_and(|search| search.finds(group) == Some(true));
            let missed = groups.iter().filter(|(_, group)| meets(group)).map(|(id, _)| id.clone());
            found.insert(search.clone(), answer.into_iter().map(|group| group.id).chain(missed).collect());
        }
    }
    Ok(Answers { pushed, found })
}

fn searches_of(rule: &ProjectRule) -> impl Iterator<Item = &String> {
    let filter = match &rule.selector {
        Selector::Match(filter) => Some(filter),
        Selector::Groups(_) => None,
    };
    filter.into_iter().flat_map(Filter::searches)
}

fn refused_search(failure: Failure, search: &str, rule: &ProjectRule) -> Error {
    let is_refused = failure.status() == Some(400);
    let context = format!("{}[[projects]]: the search of groups {search:?}", place(rule.location.as_deref()));
    let error = Error::from(failure).context(context);
    if !is_refused {
        return error;
    }
    error.hint(
        "correct the search: `eq` and `sw` on any profile attribute, `co` on profile.name and profile.description alone",
    )
}

/// The groups that the app pushes in Okta, where a rule asks for it.
async fn groups_pushed_by(
    okta: &Okta,
    app: Option<&App>,
    rules: &[ProjectRule],
) -> Result<BTreeSet<OktaGroupId>, Error> {
    let asks = |rule: &ProjectRule| matches!(&rule.selector, Selector::Match(filter) if filter.pushed_by_okta);
    let Some(app) = app.filter(|_| rules.iter().any(asks)) else { return Ok(BTreeSet::new()) };
    let pushes = okta.group_pushes(&app.id).await.map_err(|failure| {
        let context = format!("reading which groups the Okta app {:?} pushes", app.label);
        Error::from(failure).context(context).hint(
            "group_push needs the rights to read apps and groups, and an org with the API of group push; name the groups in \
             `groups` otherwise",
        )
    })?;
    Ok(pushes.into_iter().filter(GroupPush::is_on).map(|push| push.source_group_id).collect())
}

/// Adds the groups that the config names by id and that the listing missed.
async fn add_missed(okta: &Okta, names: impl Iterator<Item = &String>, groups: &mut Vec<Group>) -> Result<(), Error> {
    let ids = OktaIds::of([], groups.iter().map(|group| &group.id));
    for wanted in names {
        let missed = matches!(find_group(wanted, groups), Err(RuleFault::NoSuchGroup { .. }));
        if missed && ids.is_group(wanted) {
            let id = OktaGroupId::from(wanted.as_str());
            let found = okta.group(&id).await;
            let failed = |failure| Error::from(failure).context(format!("asking Okta about the group {id}"));
            groups.extend(found.map_err(failed)?);
        }
    }
    Ok(())
}

/// All groups, and with `whole` all that Okta says of them.
async fn all_groups(
    okta: &Okta,
    wanted: bool,
    whole: bool,
) -> Result<(Vec<WireGroup>, BTreeMap<OktaGroupId, Profile>), Error> {
    let failed = |failure| Error::from(failure).context("listing Okta's groups");
    if whole {
        let groups = okta.whole_groups().await.map_err(failed)?;
        return Ok(groups.into_iter().map(|whole| (whole.group.clone(), (whole.group.id, whole.object))).unzip());
    }
    let groups = if wanted { okta.groups().await.map_err(failed)? } else { Vec::new() };
    Ok((groups, BTreeMap::new()))
}

fn warnings(app: Option<&App>, idle: &[&ProjectRule]) -> Vec<String> {
    let inactive = app.filter(|app| !app.is_active()).map(|app| {
        let status = &app.status;
        format!("the Okta app {:?} is {status}, not ACTIVE; its assignments still count as the scope", app.label)
    });
    inactive.into_iter().chain(idle.iter().map(|rule| nothing_taken(rule))).collect()
}

fn nothing_taken(rule: &ProjectRule) -> String {
    let Selector::Match(filter) = &rule.selector else { return String::new() };
    let (pattern, place) = (filter.pattern.as_str(), place(rule.location.as_deref()));
    let what = if let Some(search) = &filter.search {
        format!("no group is taken by the rule of the search {search:?}")
    } else if filter.pushed_by_okta {
        "the rule takes none of the groups that the Okta app pushes".to_owned()
    } else if filter.kind.is_some()
        || !filter.exclude.is_empty()
        || filter.exclude_pattern.is_some()
        || filter.exclude_search.is_some()
    {
        format!("no group is taken by the rule of the pattern {pattern:?}")
    } else {
        format!("no group's name matches the pattern {pattern:?}")
    };
    format!("{place}{what}: this entry pushes no group, and projects that it once made aren't synced")
}

fn not_excluded((name, rule): (&str, &ProjectRule)) -> String {
    let place = place(rule.location.as_deref());
    format!("{place}no group in Okta has the id or the name {name:?}, so `exclude` leaves out nothing for it")
}

/// The app, none where none is configured, or what is wrong with the name. It is looked for once.
pub(crate) async fn find_app(okta: &Okta, wanted: Option<&str>) -> Result<Result<Option<App>, String>, Error> {
    let Some(wanted) = wanted else { return Ok(Ok(None)) };
    if let Some((_, app)) = okta.named_app.get().filter(|(name, _)| name == wanted) {
        return Ok(Ok(Some(app.clone())));
    }
    let found = look_for_app(okta, wanted).await?;
    if let Ok(Some(app)) = &found {
        okta.named_app.get_or_init(|| (wanted.to_owned(), app.clone()));
    }
    Ok(found)
}

async fn look_for_app(okta: &Okta, wanted: &str) -> Result<Result<Option<App>, String>, Error> {
    let failed = |failure| Error::from(failure).context("looking for the Okta app");
    if OktaAppId::is_shape_of(wanted)
        && let Some(app) = okta.app(&OktaAppId::from(wanted)).await.map_err(failed)?.filter(App::exists)
    {
        return Ok(Ok(Some(app)));
    }
    // The server's `q` finds prefixes of labels and of names, so the label is compared here.
    let candidates = okta.apps(Some(wanted)).await.map_err(failed)?;
    let labelled: Vec<&App> = candidates.iter().filter(|app| app.label == wanted && app.exists()).collect();
    match labelled.as_slice() {
        [app] => Ok(Ok(Some((*app).clone()))),
        [] => {
            let mut all = okta.apps(None).await.map_err(failed)?;
            // An id of a shape that isn't known.
            if let Some(at) = all.iter().position(|app| app.id.as_str() == wanted && app.exists()) {
                return Ok(Ok(Some(all.swap_remove(at))));
            }
            Ok(Err(no_such_app(wanted, &candidates, &all)))
        }
        several => {
            let ids: Vec<String> = several.iter().map(|app| format!("{} ({})", app.id, app.status)).collect();
            Ok(Err(format!(
                "[scope] app: several apps are labelled {wanted:?}; name one by its id: {}",
                ids.join(", ")
            )))
        }
    }
}

/// How many apps are listed where none has a similar label.
const LISTED: usize = 10;

fn no_such_app(wanted: &str, candidates: &[App], all: &[App]) -> String {
    let mut labels: Vec<String> = candidates.iter().map(|app| app.label.clone()).collect();
    labels.extend(nearest(wanted, all.iter().map(|app| app.label.as_str())));
    let mut shown: Vec<String> = Vec::new();
    for label in labels.iter().map(|label| format!("{label:?}")) {
        if shown.len() < 3 && !shown.contains(&label) {
            shown.push(label);
        }
    }
    let hint = if shown.is_empty() {
        listed(OktaAppId::is_shape_of(wanted), all)
    } else {
        format!("; did you mean {}?", shown.join(" or "))
    };
    format!("[scope] app: no app in Okta has the id or the label {wanted:?}{hint}")
}

/// The apps that there are, where nothing tells which of them is meant.
fn listed(is_id: bool, all: &[App]) -> String {
    let other_org = if is_id { "; an id of another org isn't found here" } else { "" };
    let mut apps: Vec<&App> = all.iter().filter(|app| app.exists()).collect();
    apps.sort_by(|one, other| one.label.cmp(&other.label));
    let shown = apps.iter().take(LISTED).map(|app| format!("{:?} ({})", app.label, app.id)).collect::<Vec<_>>();
    match (shown.is_empty(), apps.len().saturating_sub(LISTED)) {
        (true, _) => format!("{other_org}; this org has no app, or the token may see none"),
        (false, 0) => format!("{other_org}; the org has {}", shown.join(", ")),
        (false, more) => format!("{other_org}; the org has {} and {more} more", shown.join(", ")),
    }
}
