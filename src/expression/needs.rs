//! What an expression needs to be evaluated, beside the user's own profile.

use std::collections::BTreeSet;

use super::ast::{Kind, Node, Root};

/// What has to be read before an evaluation, and nothing more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is read or not, whatever the others are")]
pub struct Needs {
    /// The groups that the user is a member of.
    pub groups: bool,
    /// What a group has beside id, type and name.
    pub group_objects: bool,
    /// `appuser`: the user's profile in the app.
    pub app_user: bool,
    /// `app`: the app's own profile.
    pub app: bool,
    /// `org`: name and subdomain.
    pub org: bool,
    /// Primary names of linked objects. A name that is only known for each user is in
    /// [`Needs::any_linked_object`].
    pub linked_objects: BTreeSet<String>,
    /// A linked object whose name is computed.
    pub any_linked_object: bool,
    /// The manager, or the manager's profile in an app.
    pub manager: bool,
    /// The assistant, or the assistant's profile in an app.
    pub assistant: bool,
    /// The user's assignments in directories.
    pub directory_users: bool,
    /// The user's assignments in Workday.
    pub workday_users: bool,
    /// Attributes of the user that aren't in the profile: `created`, `lastLogin`, ….
    pub user_attributes: BTreeSet<String>,
    /// The clock.
    pub now: bool,
    /// Any other names, such as `session` or `idpuser`.
    pub names: BTreeSet<String>,
}

/// What a user of the Identity Engine has beside the profile, `id` and `status`; all of them points in time.
pub const USER_TIMES: [&str; 6] =
    ["activated", "created", "lastLogin", "lastUpdated", "passwordChanged", "statusChanged"];

impl Needs {
    pub(super) fn of(root: &Node) -> Self {
        let mut needs = Self::default();
        root.visit(&mut |node| needs.add(node));
        needs
    }

    fn add(&mut self, node: &Node) {
        match &node.kind {
            Kind::Root(Root::Name(name)) => self.add_name(name),
            Kind::Property { object, name, .. }
                if matches!(object.kind, Kind::Root(Root::User)) && USER_TIMES.contains(&name.as_str()) =>
            {
                self.user_attributes.insert(name.clone());
            }
            Kind::Projection { path, .. } => {
                let known = ["id", "type", "name", "profile"];
                self.group_objects |= path.iter().any(|name| !known.contains(&name.as_str()));
            }
            Kind::Call { function, arguments, .. } => {
                self.groups |= function.needs_groups;
                self.add_call(function.name, arguments);
            }
            Kind::Map(entries) => self.group_objects |= entries.iter().any(|(key, _)| key == "group.source.id"),
            Kind::Method { method, .. } => self.now |= method.name.starts_with("within"),
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

    fn add_call(&mut self, function: &str, arguments: &[Node]) {
        match function {
            "user.getLinkedObject" => match arguments.first().map(|node| &node.kind) {
                Some(Kind::Text(name)) => {
                    self.linked_objects.insert(name.clone());
                }
                _ => self.any_linked_object = true,
            },
            "getManagerUser" | "getManagerAppUser" => self.manager = true,
            "getAssistantUser" | "getAssistantAppUser" => self.assistant = true,
            "hasDirectoryUser" | "findDirectoryUser" => self.directory_users = true,
            "hasWorkdayUser" | "findWorkdayUser" => self.workday_users = true,
            "Time.now" | "DateTime.now" => self.now = true,
            _ => {}
        }
    }
}
