//! Resolves the project roles of `[[projects]]`: one for all, by group, or by an expression.

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
    let place = typed.roles.as_ref().map(Spanned::span).or(typed.role.as_ref().map(Spanned::span));
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
