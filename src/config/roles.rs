//! Resolves the project roles of `[[projects]]`: one for all, by group, or by an expression.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::draft::Project;
use super::expressions::mapped;
use super::picture::{Fault, Faults};
use super::source::Source;
use super::types::{RolesManaged, Text};
use crate::mapping::roles::{GroupRole, RoleRule, RoleSource};
use crate::model::role::{PROJECT_ROLES, is_same_project_role};

/// The order of roles, and whether the file states it.
pub(super) struct Order {
    roles: Arc<[String]>,
    is_stated: bool,
}

impl Order {
    pub(super) fn of(typed: Option<&Spanned<Vec<Text>>>, faults: &mut Faults) -> Self {
        let Some(typed) = typed else {
            return Self { roles: PROJECT_ROLES.map(str::to_owned).into(), is_stated: false };
        };
        let roles = typed.get_ref();
        for (place, role) in roles.iter().enumerate() {
            if let Some(first) =
                roles[..place].iter().find(|first| is_same_project_role(first.get_ref().trim(), role.get_ref().trim()))
            {
                let message = format!("the role `{}` is in `role_order` twice", role.get_ref());
                faults.push(Fault::at(role.span(), message).context(first.span(), "here first"));
            }
        }
        Self { roles: roles.iter().map(|role| role.get_ref().trim().to_owned()).collect(), is_stated: true }
    }

    /// The place of a role, the highest first.
    fn place(&self, role: &str) -> Option<usize> {
        self.roles.iter().position(|known| is_same_project_role(known, role.trim()))
    }
}

/// Entries that name one project manage roles the same way, and the order of all roles that they give is known: a member of
/// several groups gets the highest.
pub(super) fn agree(typed: &[Project], order: &Order, faults: &mut Faults) {
    for (at, project) in typed.iter().enumerate().filter(|(_, project)| gives_roles(project)) {
        let Some(first) = typed[..at].iter().find(|first| gives_roles(first) && is_of_one_project(first, project))
        else {
            continue;
        };
        let (Some(here), Some(there)) = (place_of_roles(project), place_of_roles(first)) else { continue };
        if first.roles_managed != project.roles_managed {
            let fault = Fault::at(here.clone(), "entries of one project have the same `roles_managed`");
            faults.push(fault.context(there.clone(), "another one here").help("write the same in both entries"));
        }
        let (roles, others) = (named_roles(project), named_roles(first));
        let differ = |role: &&&Text| !others.iter().all(|other| is_same_project_role(other.get_ref(), role.get_ref()));
        let all = roles.iter().chain(&others).filter(|_| roles.iter().any(|role| differ(&role)));
        for role in all.filter(|role| order.place(role.get_ref()).is_none()) {
            let message =
                format!("it isn't stated whether `{}` is higher than the other roles of the project", role.get_ref());
            let help = format!("name \"{}\" in `role_order` under [projects_policy]", role.get_ref());
            faults.push(Fault::at(role.span(), message).help(help));
        }
    }
}

fn gives_roles(project: &Project) -> bool {
    place_of_roles(project).is_some()
}

fn place_of_roles(project: &Project) -> Option<Range<usize>> {
    project.roles.as_ref().map(Spanned::span).or(project.role.as_ref().map(Spanned::span))
}

fn is_of_one_project(one: &Project, other: &Project) -> bool {
    let named = |project: &Project| {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.get_ref().trim().to_owned());
        (text(&project.one_for_all), text(&project.also))
    };
    one.one_for_all.is_some() && named(one) == named(other)
}

/// The roles that an entry names; those of an expression are known only later.
fn named_roles(project: &Project) -> Vec<&Text> {
    let by_group = project.roles.iter().flat_map(|roles| roles.get_ref().iter().map(|by| &by.role));
    project.role.iter().filter(|role| is_name(role.get_ref())).chain(by_group).collect()
}

/// The roles that an entry gives; none where it says nothing about roles.
pub(super) fn resolve(typed: &Project, order: &Order, source: Source<'_>, faults: &mut Faults) -> Option<RoleRule> {
    let others = match &typed.role {
        Some(text) if is_name(text.get_ref()) => Some(RoleSource::Fixed(text.get_ref().trim().to_owned())),
        Some(text) => Some(RoleSource::Expression(expression(text, source, faults)?)),
        None => None,
    };
    let by_group = by_group(typed, order, faults);
    if others.is_none() && typed.roles.is_none() {
        return None;
    }
    let place = place_of_roles(typed);
    Some(RoleRule {
        by_group,
        others,
        order: Arc::clone(&order.roles),
        on_add_only: typed.roles_managed == RolesManaged::OnAdd,
        location: place.map(|span| source.config.location(&span)),
    })
}

/// Whether a text is the name of a role. An expression that gives a role always has a quote, a bracket or a dot in it, and
/// names of roles have none: a name that does is written as an expression, `'"QA (read)"'`.
fn is_name(text: &str) -> bool {
    !text.contains(['"', '\'', '(', ')', '[', ']', '{', '}', '.', '?', ':', '=', '<', '>', '!', '$'])
}

fn expression(text: &Text, source: Source<'_>, faults: &mut Faults) -> Option<crate::mapping::attributes::Mapped> {
    let help = format!("a role whose name has such characters needs its own quotes: '\"{}\"'", text.get_ref());
    mapped("role", text, Some(&help), source, faults)
}

/// The roles by group, the highest first.
fn by_group(typed: &Project, order: &Order, faults: &mut Faults) -> Vec<GroupRole> {
    let Some(roles) = &typed.roles else { return Vec::new() };
    let typed = roles.get_ref();
    for (at, by) in typed.iter().enumerate() {
        if let Some(first) =
            typed[..at].iter().find(|first| is_same_project_role(first.role.get_ref().trim(), by.role.get_ref().trim()))
        {
            let message = format!("the role `{}` is named twice", by.role.get_ref());
            let fault = Fault::at(by.role.span(), message).context(first.role.span(), "here first");
            faults.push(fault.help("name all its groups in one list"));
        }
    }
    let mut placed = Vec::new();
    for by in typed {
        let place = order.place(by.role.get_ref());
        if place.is_none() && typed.len() > 1 {
            let role = by.role.get_ref();
            let fault =
                Fault::at(by.role.span(), format!("it isn't stated whether `{role}` is higher than the others"));
            let help = if order.is_stated {
                format!("add \"{role}\" to `role_order` under [projects_policy]")
            } else {
                format!(
                    "state the order under [projects_policy]: `role_order = [\"Admin\", \"{role}\", \"Editor\", \"Viewer\"]`, \
                     the highest role first"
                )
            };
            faults.push(fault.help(help));
        }
        let groups = by.groups.iter().map(|group| group.get_ref().clone()).collect();
        placed.push((place, GroupRole { role: by.role.get_ref().trim().to_owned(), groups }));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, by)| by).collect()
}
