//! The data that an expression needs.

use std::collections::BTreeSet;

use super::ast::{Kind, Node, Root};
use super::functions::Reads;
use crate::model::org::{Instances, Relation};
use crate::model::packed::KeptAttributes;

/// The data to read before an evaluation. Nothing else is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is read or not, whatever the others are")]
pub struct Needs {
    /// The attributes of the user's own profile, and the names of times.
    pub attributes: KeptAttributes,
    /// The groups that the user is a member of.
    pub groups: bool,
    /// The groups whose members the expression asks for, by the names or ids that it gives as texts.
    pub named_groups: BTreeSet<String>,
    /// Properties of groups other than id, type and name.
    pub group_objects: bool,
    /// `appuser`: the user's profile in the app.
    pub app_user: bool,
    /// `app`: the app itself.
    pub app: bool,
    /// `org`: name and subdomain.
    pub org: bool,
    /// Other people.
    pub relations: BTreeSet<Relation>,
    /// A linked object whose name is computed.
    pub any_linked_object: bool,
    /// The user's assignments in directories and in Workday.
    pub assignments: BTreeSet<Instances>,
    /// The clock.
    pub now: bool,
    /// Users who are staged in Okta, too: accounts are made for them.
    pub staged: bool,
    /// Any other names: of apps, such as `zendesk`, or of a sign-in, such as `session`.
    pub names: BTreeSet<String>,
}

/// Names that exist during a sign-in, and never in a mapping.
const OF_A_SESSION: [&str; 8] =
    ["access", "accessRequest", "device", "idpuser", "login", "security", "session", "target_app"];

impl Needs {
    pub(super) fn of(root: &Node) -> Self {
        let mut needs = Self::default();
        root.visit(&mut |node| needs.add(node));
        needs.add_attributes(root);
        needs
    }

    /// Adds each attribute that is named. All attributes are needed where an expression uses the whole profile, or other
    /// people, who may be users in scope too.
    fn add_attributes(&mut self, root: &Node) {
        let (mut profiles, mut named) = (0_usize, 0_usize);
        root.visit(&mut |node| {
            profiles += usize::from(is_profile(node));
            if let Some((_, name)) = node.property().filter(|(object, _)| is_profile(object)) {
                named += 1;
                self.add_attribute(name);
            }
        });
        if profiles > named || !self.relations.is_empty() || self.any_linked_object {
            self.attributes = KeptAttributes::All;
        }
    }

    fn add_attribute(&mut self, name: &str) {
        self.attributes.insert(name);
        if name == "displayName" {
            // Okta derives it from these until an admin edits it.
            self.attributes.insert("firstName");
            self.attributes.insert("lastName");
        }
    }

    fn add(&mut self, node: &Node) {
        match &node.kind {
            Kind::Root(Root::Name(name)) => self.add_name(name),
            Kind::Property { object, name, .. } if is_of_element(object) => {
                self.group_objects |= !["id", "type", "name", "profile"].contains(&name.as_str());
            }
            Kind::Call { function, owner, arguments, .. } => self.add_call(function.reads, owner.as_ref(), arguments),
            Kind::Method { method, arguments, .. } => self.add_call(method.reads, None, arguments),
            Kind::Map(entries) => self.group_objects |= entries.iter().any(|(key, _)| key == "group.source.id"),
            _ => {}
        }
    }

    fn add_name(&mut self, name: &str) {
        match name {
            "appuser" | "appUser" => self.app_user = true,
            "app" => self.app = true,
            "org" => self.org = true,
            other => {
                self.names.insert(other.to_owned());
            }
        }
    }

    fn add_call(&mut self, reads: Reads, owner: Option<&String>, arguments: &[Node]) {
        let text_at = |at: usize| arguments.get(at).and_then(text);
        match reads {
            Reads::Nothing | Reads::User => {}
            Reads::Clock => self.now = true,
            Reads::Groups => self.groups = true,
            Reads::NamedGroups => {
                self.groups = true;
                self.named_groups.extend(arguments.iter().filter_map(text));
            }
            Reads::LinkedObject => {
                self.any_linked_object |= text_at(0).is_none();
                self.relations.extend(text_at(0).map(Relation::LinkedObject));
            }
            Reads::Manager => self.relations.extend([Relation::Manager]),
            Reads::Assistant => self.relations.extend([Relation::Assistant]),
            Reads::ManagerApp => self.relations.extend(text_at(1).map(Relation::ManagerApp)),
            Reads::AssistantApp => self.relations.extend(text_at(1).map(Relation::AssistantApp)),
            Reads::Assignments(app) => {
                self.assignments.insert(owner.cloned().map_or(Instances::All(app), Instances::Named));
            }
        }
    }

    /// The names that may be those of apps.
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| !OF_A_SESSION.contains(name))
    }

    /// Adds what another expression needs.
    pub fn add_all(&mut self, other: &Self) {
        self.attributes.add_all(&other.attributes);
        self.groups |= other.groups;
        self.named_groups.extend(other.named_groups.iter().cloned());
        self.group_objects |= other.group_objects;
        self.app_user |= other.app_user;
        self.app |= other.app;
        self.org |= other.org;
        self.relations.extend(other.relations.iter().cloned());
        self.any_linked_object |= other.any_linked_object;
        self.assignments.extend(other.assignments.iter().cloned());
        self.now |= other.now;
        self.staged |= other.staged;
        self.names.extend(other.names.iter().cloned());
    }
}

fn text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The element of a projection, which may be a group, or a property of it.
fn is_of_element(node: &Node) -> bool {
    match &node.kind {
        Kind::Element => true,
        Kind::Property { object, .. } => is_of_element(object),
        _ => false,
    }
}

/// `user` and `user.profile`.
fn is_profile(node: &Node) -> bool {
    match &node.kind {
        Kind::Root(root) => *root == Root::User,
        Kind::Property { object, name, .. } => name == "profile" && matches!(object.kind, Kind::Root(Root::User)),
        _ => false,
    }
}
