//! Finds the project of each desired project: the one that the config names, or else the one that is linked to its group.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::activepieces::{Platform, Project};
use crate::model::desired::{Desired, DesiredProject};
use crate::model::id::{OktaGroupId, OktaUserId, ProjectId};
use crate::model::problem::ProblemKind;
use crate::plan::diff::members::Owners;
use crate::plan::op::name_before_archive;

/// Why a group whose project is named for another one gets none.
const STAYS_ELSEWHERE: &str =
    "its group is linked to a project that the config names for another group, and that can't be linked to that one";
/// The length of an Activepieces id, of letters and digits.
const ID_LENGTH: usize = 21;

/// A desired project, and its project on the platform.
pub struct Found<'a> {
    pub key: &'a OktaGroupId,
    pub desired: &'a DesiredProject,
    pub project: ProjectMatch<'a>,
    /// The externalId that the project has or gets.
    pub link: &'a OktaGroupId,
    /// The project's name. A project that the config names by its id keeps its own, the one before it was archived.
    pub name: &'a str,
}

/// The project of a group.
pub enum ProjectMatch<'a> {
    Linked(&'a Project),
    /// Without an externalId: of exactly the name, or named by the config.
    ToAdopt(&'a Project),
    /// Linked to a group that was deleted, of which this one is made again.
    ToRelink(&'a Project),
    /// Named by the config, and linked to another group.
    ToMove(&'a Project),
    /// Linked to a group that was deleted, of which this one may be made again.
    Unclear(&'a Project),
    Ambiguous(usize),
    /// No project can be taken, for this reason; the project that it is about stays as it is.
    Refused(ProblemKind, String, Option<&'a Project>),
    Nothing,
}

impl<'a> ProjectMatch<'a> {
    /// The project that is written.
    pub fn project(&self) -> Option<&'a Project> {
        match self {
            Self::Linked(project) | Self::ToAdopt(project) | Self::ToRelink(project) | Self::ToMove(project) => {
                Some(project)
            }
            Self::Ambiguous(_) | Self::Unclear(_) | Self::Refused(..) | Self::Nothing => None,
        }
    }

    /// The project that this is about, written or not.
    pub fn claimed(&self) -> Option<&'a ProjectId> {
        match self {
            Self::Unclear(project) | Self::Refused(_, _, Some(project)) => Some(&project.id),
            _ => self.project().map(|project| &project.id),
        }
    }
}

/// Finds all, in the order of the desired projects.
pub fn find<'a>(desired: &'a Desired, platform: &'a Platform, owners: &Owners<'_>) -> Vec<Found<'a>> {
    let mut standing = Standing::of(desired, platform);
    let orphans = Orphans::of(desired, platform);
    loop {
        let found = standing.find(&orphans, owners);
        let is_refused = |found: &&Found<'_>| matches!(found.project, ProjectMatch::Refused(..));
        let refused: BTreeSet<_> = found.iter().filter(is_refused).map(|found| found.key).collect();
        // What isn't linked to one group stays with the other, which may refuse more.
        if refused == standing.refused {
            return found;
        }
        standing.refused = refused;
    }
}

fn taken_twice<'a>(desired: &DesiredProject, project: &'a Project) -> ProjectMatch<'a> {
    let group = &desired.group_name;
    let message =
        format!("it would be the project of the group {group}, and the config names it for another group too");
    ProjectMatch::Refused(ProblemKind::ProjectNameTwice, message, Some(project))
}

/// The project that the config names.
enum Named<'a> {
    There(&'a Project),
    Several(usize),
    NoSuchId,
    Nothing,
}

/// The current projects, indexed for lookups by group.
struct Standing<'a> {
    desired: &'a Desired,
    by_external_id: BTreeMap<&'a str, &'a Project>,
    /// Projects without an externalId, and those that a run was moving from one group to another.
    unlinked_by_name: BTreeMap<&'a str, Vec<&'a Project>>,
    named: BTreeMap<&'a OktaGroupId, Named<'a>>,
    /// The desired projects of which the config names a project, by the project.
    claims: BTreeMap<&'a ProjectId, Vec<&'a OktaGroupId>>,
    /// The desired projects that can't have a project.
    refused: BTreeSet<&'a OktaGroupId>,
}

impl<'a> Standing<'a> {
    fn of(desired: &'a Desired, platform: &'a Platform) -> Self {
        let (mut by_external_id, mut unlinked_by_name) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for project in &platform.projects {
            let id = project.external_id.as_deref().unwrap_or_default();
            let is_moving = desired.ids.project_link(id).is_some_and(|link| link.is_moving);
            if id.is_empty() || is_moving {
                unlinked_by_name.entry(project.display_name.as_str()).or_default().push(project);
            }
            if !id.is_empty() {
                by_external_id.insert(id, project);
            }
        }
        let named: BTreeMap<_, _> = named_projects(desired, platform);
        let mut claims: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, found) in &named {
            if let Named::There(project) = found {
                claims.entry(&project.id).or_default().push(*key);
            }
        }
        Self { desired, by_external_id, unlinked_by_name, named, claims, refused: BTreeSet::new() }
    }

    /// The project of each desired one, given which are refused.
    fn find(&self, orphans: &Orphans<'a>, owners: &Owners<'_>) -> Vec<Found<'a>> {
        let found = self.desired.projects.iter().map(|(key, project)| {
            let mut found = if project.is_named { self.named(key, project) } else { self.unnamed(key, project) };
            if matches!(found.project, ProjectMatch::Nothing) {
                found.project = orphans.of_group(key, project, owners);
            }
            // The own project of a group stays with it, if the config names none for the group.
            let is_own = matches!(found.project, ProjectMatch::Linked(_)) && !project.is_named;
            let taken = found.project.project().filter(|taken| self.is_claimed_by_others(taken, key));
            if let Some(taken) = taken.filter(|_| !is_own) {
                found.project = taken_twice(project, taken);
            }
            found
        });
        found.collect()
    }

    /// Whether the config names the project for another desired project.
    fn is_claimed_by_others(&self, project: &Project, key: &OktaGroupId) -> bool {
        self.claims.get(&project.id).is_some_and(|claims| claims.iter().any(|claim| *claim != key))
    }

    /// The projects that are linked to a group of the desired project, in the order of the config.
    fn linked(&self, project: &'a DesiredProject) -> impl Iterator<Item = (&'a OktaGroupId, &'a Project)> {
        project.links().filter_map(|link| Some((link, *self.by_external_id.get(link.as_str())?)))
    }

    /// An externalId that no project has, or only one that moves to another group and gives it up.
    fn free_link(&self, key: &OktaGroupId, project: &'a DesiredProject) -> Option<&'a OktaGroupId> {
        let moves = |holder: &Project| {
            let claims = self.claims.get(&holder.id).into_iter().flatten();
            claims.filter(|claim| **claim != key).any(|claim| !self.refused.contains(*claim))
        };
        let is_free = |link: &OktaGroupId| self.by_external_id.get(link.as_str()).is_none_or(|holder| moves(holder));
        project.links().find(|link| is_free(link))
    }

    /// The project of a group for which the config names none. Its own project stays with it, whatever other rules name.
    fn unnamed(&self, key: &'a OktaGroupId, desired: &'a DesiredProject) -> Found<'a> {
        let (link, name) = (key, desired.name.as_str());
        let is_moving = |project: &Project| project.external_id.as_deref().is_some_and(|id| !id.is_empty());
        let project = match self.by_external_id.get(key.as_str()) {
            Some(project) => ProjectMatch::Linked(project),
            None => match self.unlinked_by_name.get(name).map(Vec::as_slice) {
                None | Some([]) => ProjectMatch::Nothing,
                Some([project]) if is_moving(project) => ProjectMatch::ToMove(project),
                Some([project]) => ProjectMatch::ToAdopt(project),
                Some(several) => ProjectMatch::Ambiguous(several.len()),
            },
        };
        Found { key, desired, project, link, name }
    }

    /// The project that the config names, by its name or id; where there is none, the one that is linked to a group.
    fn named(&self, key: &'a OktaGroupId, desired: &'a DesiredProject) -> Found<'a> {
        let found = |project, link, name| Found { key, desired, project, link, name };
        let text = desired.name.as_str();
        match self.named.get(key) {
            Some(Named::There(project)) => {
                let (project, link) = self.to_link(key, desired, project);
                let name = own_name(&project, text);
                found(project, link, name)
            }
            Some(Named::Several(count)) => {
                let message = format!("{count} projects have this name; name one by its id: `project = \"...\"`");
                found(ProjectMatch::Refused(ProblemKind::AmbiguousProject, message, None), key, text)
            }
            Some(Named::NoSuchId) => {
                let message = "no project has this id or name (hint: correct `project`; a new project gets a name)";
                found(ProjectMatch::Refused(ProblemKind::ProjectNotFound, message.to_owned(), None), key, text)
            }
            Some(Named::Nothing) | None => {
                let (project, link) = self.own(key, desired);
                found(project, link, text)
            }
        }
    }

    /// The project that is linked to a group of those that make it, and that no other rule names.
    fn own(&self, key: &'a OktaGroupId, desired: &'a DesiredProject) -> (ProjectMatch<'a>, &'a OktaGroupId) {
        let own = self.linked(desired).filter(|(_, project)| !self.is_claimed_by_others(project, key));
        let own: Vec<_> = own.collect();
        match own.as_slice() {
            [] => self.free_link(key, desired).map_or_else(
                || (ProjectMatch::Refused(ProblemKind::ProjectTaken, STAYS_ELSEWHERE.to_owned(), None), key),
                |link| (ProjectMatch::Nothing, link),
            ),
            [(link, project)] => (ProjectMatch::Linked(project), link),
            several => {
                let names: Vec<String> =
                    several.iter().map(|(_, project)| format!("{:?} ({})", project.display_name, project.id)).collect();
                let message = format!(
                    "the projects {} are linked to groups of this one; name one by its id: `project = \"...\"`",
                    names.join(" and ")
                );
                (ProjectMatch::Refused(ProblemKind::AmbiguousProject, message, None), key)
            }
        }
    }

    /// How a project that the config names becomes that of the groups.
    fn to_link(
        &self,
        key: &'a OktaGroupId,
        desired: &'a DesiredProject,
        project: &'a Project,
    ) -> (ProjectMatch<'a>, &'a OktaGroupId) {
        let refused = |why| (ProjectMatch::Refused(ProblemKind::ProjectTaken, why, Some(project)), key);
        let now = project.external_id.as_deref().unwrap_or_default();
        if let Some(link) = desired.links().find(|link| link.as_str() == now) {
            return (ProjectMatch::Linked(project), link);
        }
        if !now.is_empty() {
            if self.desired.ids.project_link(now).is_none() {
                return refused(format!("the project is linked to {now:?}, which isn't the id of an Okta group"));
            }
            let owner = self.desired.project_of(now);
            // A rule that names a project of its own gives this one up.
            if let Some(owner) = owner.filter(|owner| !owner.is_named) {
                return refused(format!(
                    "the project is linked to the group {} ({now}), which is pushed too; name another project for that group \
                     (`project = \"...\"`), or take it out of the rules",
                    owner.group_name
                ));
            }
        }
        let Some(link) = self.free_link(key, desired) else {
            let own = self.linked(desired).map(|(link, own)| format!("{:?} ({}) to {link}", own.display_name, own.id));
            let own: Vec<String> = own.collect();
            return refused(format!(
                "another project is linked to its group: {}; an externalId can't be cleared (hint: name that project, or \
                 give it to another group by `project = \"...\"`, or delete it in Activepieces)",
                own.join(", ")
            ));
        };
        if now.is_empty() { (ProjectMatch::ToAdopt(project), link) } else { (ProjectMatch::ToMove(project), link) }
    }
}

/// The projects that the config names.
fn named_projects<'a>(desired: &'a Desired, platform: &'a Platform) -> BTreeMap<&'a OktaGroupId, Named<'a>> {
    let named = desired.projects.iter().filter(|(_, project)| project.is_named);
    let mut named = named.peekable();
    if named.peek().is_none() {
        return BTreeMap::new();
    }
    let by_id: BTreeMap<&str, &Project> =
        platform.projects.iter().map(|project| (project.id.as_str(), project)).collect();
    let mut by_name: BTreeMap<&str, Vec<&Project>> = BTreeMap::new();
    for project in &platform.projects {
        by_name.entry(&project.display_name).or_default().push(project);
    }
    let find = |project: &DesiredProject| {
        let text = project.name.as_str();
        if let Some(found) = by_id.get(text) {
            return Named::There(found);
        }
        let all = by_name.get(text).map(Vec::as_slice).unwrap_or_default();
        let has_link = |other: &&&Project| other.external_id.as_deref().is_some_and(|id| project.has_link(id));
        let mut own = all.iter().filter(has_link);
        match (all, own.next(), own.next()) {
            ([found], ..) | (_, Some(found), None) => Named::There(found),
            ([], ..) if looks_like_an_id(text) => Named::NoSuchId,
            ([], ..) => Named::Nothing,
            (several, ..) => Named::Several(several.len()),
        }
    };
    named.map(|(key, project)| (key, find(project))).collect()
}

/// The name of a project that the config names. One that was archived gets its name back, if it is named by its id.
fn own_name<'a>(found: &ProjectMatch<'a>, text: &'a str) -> &'a str {
    let Some(project) = found.project() else { return text };
    let name = project.display_name.as_str();
    let was_archived = project.id.as_str() == text && !matches!(found, ProjectMatch::ToAdopt(_));
    name_before_archive(name).filter(|_| was_archived).unwrap_or(name)
}

/// Whether a text has the shape of a project's id.
pub fn looks_like_an_id(text: &str) -> bool {
    text.len() == ID_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Projects whose Okta groups are gone. A group that is deleted and made again has another id, and its project is
/// still linked to the old one.
struct Orphans<'a> {
    /// Each with the name of a further project of the group, where it is one.
    projects: Vec<(&'a Project, Option<&'a str>)>,
    /// How many groups are to be projects of each name.
    names: BTreeMap<&'a str, usize>,
    archived: &'a Archived,
}

/// The members that each project had when it was archived.
type Archived = BTreeMap<ProjectId, BTreeSet<OktaUserId>>;

impl<'a> Orphans<'a> {
    fn of(desired: &'a Desired, platform: &'a Platform) -> Self {
        let links: BTreeSet<&str> =
            desired.projects.values().flat_map(DesiredProject::links).map(OktaGroupId::as_str).collect();
        let orphan = |project: &'a Project| {
            let id = project.external_id.as_deref()?;
            let link = desired.ids.project_link(id).filter(|link| !link.is_moving)?;
            let group = OktaGroupId::from(link.group);
            let is_gone = !desired.groups.contains_key(&group)
                && !links.contains(id)
                && !desired.vanished.contains_key(&OktaGroupId::from(id));
            is_gone.then_some((project, link.also))
        };
        // Without a listing of groups nothing says which are gone.
        let is_listed = !desired.groups.is_empty();
        let projects = platform.projects.iter().filter(|_| is_listed).filter_map(orphan).collect();
        let mut names = BTreeMap::new();
        for project in desired.projects.values() {
            *names.entry(project.name.as_str()).or_default() += 1;
        }
        Self { projects, names, archived: &desired.archived }
    }

    /// The project of a group that has none: certain where the name is the same and most of the members are.
    fn of_group(&self, key: &OktaGroupId, group: &DesiredProject, owners: &Owners<'_>) -> ProjectMatch<'a> {
        let also = key.also();
        let projects = || self.projects.iter().filter(|(_, other)| *other == also).map(|(project, _)| *project);
        let own_name = |project: &'a Project| name_before_archive(&project.display_name);
        let is_named = |project: &&'a Project| own_name(project).unwrap_or(&project.display_name) == group.name;
        let mut of_name = projects().filter(is_named);
        match (of_name.next(), of_name.next()) {
            (Some(project), None) if self.names.get(group.name.as_str()) == Some(&1) => {
                // An archived project has no members left to know the group by.
                let recorded = self.archived.get(&project.id).filter(|_| own_name(project).is_some());
                let (shared, owned) = match recorded {
                    Some(members) => (members.iter().filter(|id| group.members.contains(id)).count(), members.len()),
                    None if own_name(project).is_some() => (0, 1),
                    None => owners.shared(project, &group.members),
                };
                if shared * 2 >= owned { ProjectMatch::ToRelink(project) } else { ProjectMatch::Unclear(project) }
            }
            (Some(project), _) => ProjectMatch::Unclear(project),
            (None, _) => {
                let is_like = |project: &&Project| {
                    let (shared, owned) = owners.shared(project, &group.members);
                    shared >= 2 && shared * 5 >= owned.max(group.members.len()) * 4
                };
                projects().find(is_like).map_or(ProjectMatch::Nothing, ProjectMatch::Unclear)
            }
        }
    }
}
