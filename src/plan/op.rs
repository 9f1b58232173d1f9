//! The operations of a plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::PlatformRole;
use crate::model::activepieces::{Census, Contents, Grant, User, moved_link};
use crate::model::desired::{Attributes, Leave};
use crate::model::id::{AccountId, InvitationId, OktaGroupId, OktaUserId, ProjectId};
use crate::model::problem::Accepted;
use crate::model::problem::Problem;
use crate::plan::deferred::Deferred;
use crate::plan::deferred::Shrunk;
use crate::plan::drift::Drift;

/// All that would be written, in the order in which it is shown; same input, same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub users: Vec<UserOp>,
    pub projects: Vec<ProjectOp>,
    /// Waiting invitations to delete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invitations: Vec<InvitationOp>,
    pub problems: Vec<Problem>,
    /// The problems that the admin knows of and has accepted in the config.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Accepted>,
    /// What an admin should look at although nothing is wrong: a protected account, a project whose group isn't pushed.
    pub warnings: Vec<String>,
    /// Deferred operations, each with the reason.
    #[serde(default)]
    pub held: Vec<Deferred>,
    /// Where the read was much smaller than the last trusted one; anything here means that nothing is taken away.
    #[serde(default)]
    pub shrunk: Vec<Shrunk>,
    pub standing: Standing,
    /// Where the expression of each attribute stands, where some stand in Okta.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expressions: BTreeMap<String, String>,
    /// What was changed on the platform since the last run.
    #[serde(default, skip_serializing_if = "Drift::is_default")]
    pub drift: Drift,
}

/// The counts of the platform, and of what stays unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Okta users in scope who aren't deactivated in Okta.
    pub in_scope: usize,
    /// Whether a part of the scope wasn't found: then no deactivation follows from a user's being out of scope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scope_is_incomplete: bool,
    /// Users in scope who have no account and get none, by their status in Okta: `staged`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without_account: BTreeMap<String, usize>,
    /// Matched users that need nothing.
    pub unchanged_users: usize,
    /// Linked projects that need nothing.
    pub unchanged_projects: usize,
    /// Active accounts that are linked to an Okta user, or will be: what a share of deactivations is counted over.
    pub managed_active: usize,
    /// Those of them that are ADMIN or OPERATOR.
    #[serde(default)]
    pub privileged_active: usize,
    /// Members of all projects whose groups are pushed, together.
    #[serde(default)]
    pub members: usize,
    /// All active accounts that are ADMIN, managed or not.
    #[serde(default)]
    pub admins: BTreeSet<AccountId>,
    /// All active accounts that are OPERATOR, managed or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub operators: BTreeSet<AccountId>,
    /// All accounts by platform role and status.
    #[serde(default, skip_serializing_if = "Census::is_empty")]
    pub accounts: Census,
    #[serde(default)]
    pub owner: Option<AccountId>,
    /// Users whose e-mail address isn't that of their account any more.
    #[serde(default)]
    pub email_changed: BTreeSet<OktaUserId>,
    /// Users out of scope or gone from Okta whose accounts are active, with these accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<OktaUserId, AccountId>,
    /// User names that a waiting invitation makes ADMIN though Okta doesn't, unless the plan deletes it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waiting_admins: BTreeSet<String>,
    /// Those of them who are gone from Okta.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deleted: BTreeSet<OktaUserId>,
    /// Users of a status without access that has a grace, whose accounts are active.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stated: BTreeMap<OktaUserId, Leave>,
    /// Users whose recorded project role in a group's project counts no more: they are members, or not in the group.
    #[serde(skip)]
    pub settled_roles: BTreeSet<(OktaGroupId, OktaUserId)>,
    /// User names of the accounts without an externalId that match no user.
    pub local: Vec<String>,
    /// User names of the accounts with an externalId that is no Okta user id and that match no user.
    pub foreign: Vec<String>,
    /// User names of the embedded accounts, which SCIM hides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedded: Vec<String>,
}

/// One change of one account: a single request, with a read before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserOp {
    pub action: UserAction,
    pub user_name: String,
    pub okta_id: OktaUserId,
    /// None for a creation.
    pub account: Option<AccountId>,
    /// What differs, in a fixed order.
    pub changes: Vec<Change>,
    pub reason: Reason,
    /// All desired attributes; none for a deactivation that changes nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// Accounts that the user leaves: for one that is replaced those of earlier addresses, for a deactivation others to close.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Replaced>,
    /// What a deletion destroys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroys: Option<Box<Destroyed>>,
}

/// An account that a user had under an earlier e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub account: AccountId,
    pub user_name: String,
    /// The externalId that it has.
    pub link: String,
    pub fate: Fate,
    /// What the new account gets of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Copied>,
    /// What its personal project holds, which can't be moved.
    #[serde(default)]
    pub personal: Contents,
}

/// What becomes of an account that its user leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Close,
    /// It is inactive already.
    Closed,
    /// Another user has its address now, and gets it with its personal project.
    TakenOver {
        by: String,
    },
}

/// A membership that the new account gets as the old one has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Copied {
    pub name: String,
    pub project: ProjectId,
    /// Whether the account becomes a member by it; else only its project role is set.
    pub joins: bool,
    /// The project role, where the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl Replaced {
    /// Whether its externalId still names the user.
    pub fn is_linked_to(&self, user: &OktaUserId) -> bool {
        self.link == user.as_str()
    }

    /// The write that moves its externalId; none where it was moved before.
    pub fn moving(&self, user: &OktaUserId) -> Option<UserOp> {
        let to = moved_link(user, &self.account);
        self.is_linked_to(user).then(|| self.write(user, UserAction::Update, Attribute::ExternalId, &self.link, to))
    }

    /// The write that closes it.
    pub fn closing(&self, user: &OktaUserId) -> Option<UserOp> {
        let close = || self.write(user, UserAction::Deactivate, Attribute::Active, "true", "false".to_owned());
        (self.fate == Fate::Close).then(close)
    }

    fn write(&self, user: &OktaUserId, action: UserAction, attribute: Attribute, from: &str, to: String) -> UserOp {
        UserOp {
            action,
            user_name: self.user_name.clone(),
            okta_id: user.clone(),
            account: Some(self.account.clone()),
            changes: vec![Change { attribute, from: Some(from.to_owned()), to }],
            reason: Reason::EmailChanged,
            attributes: None,
            replaces: Vec::new(),
            destroys: None,
        }
    }
}

/// What goes with an account for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// Since when runs have found the account inactive, by Okta's clock.
    pub inactive_since: Timestamp,
    /// The contents of the personal project.
    #[serde(flatten)]
    pub contents: Contents,
}

/// The action on an account; the weightiest comes first where several would fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserAction {
    Create,
    Reactivate,
    /// Sets the externalId of an account that was made by invitation or for an earlier Okta user.
    Adopt,
    /// Gives the user the account of a new e-mail address instead of that of the old one.
    Recreate,
    Update,
    Deactivate,
    /// Destroys the account with its personal project, which can't be undone.
    Delete,
}

impl UserAction {
    /// The name as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Reactivate => "reactivate",
            Self::Adopt => "adopt",
            Self::Recreate => "recreate",
            Self::Update => "update",
            Self::Deactivate => "deactivate",
            Self::Delete => "delete",
        }
    }
}

/// One attribute, from → to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub attribute: Attribute,
    /// None where there is no current value.
    pub from: Option<String>,
    pub to: String,
}

/// The attributes that can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attribute {
    Active,
    PlatformRole,
    GivenName,
    FamilyName,
    ExternalId,
}

impl Attribute {
    /// The value that an account has, as a [`Change`] writes it; `""` where there is none.
    pub fn of(self, user: &User) -> &str {
        match self {
            Self::Active if user.active => "true",
            Self::Active => "false",
            Self::PlatformRole => &user.platform_role,
            Self::GivenName => &user.given_name,
            Self::FamilyName => &user.family_name,
            Self::ExternalId => user.link().unwrap_or_default(),
        }
    }

    /// SCIM's own name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::PlatformRole => "platformRole",
            Self::GivenName => "givenName",
            Self::FamilyName => "familyName",
            Self::ExternalId => "externalId",
        }
    }
}

/// Why a user is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// New in scope.
    Assigned,
    /// Active in Okta, inactive there.
    ActiveInOkta,
    /// The account was made by hand or invitation and has the same e-mail address.
    SameEmail,
    /// The account was made by hand or invitation, and has one of the user's aliases as its e-mail address.
    Alias,
    /// The account was linked to another Okta user, who is deactivated in Okta or deleted, and has the same e-mail address.
    Relinked,
    /// The account was linked to another directory and has the same e-mail address.
    OtherDirectory,
    /// The e-mail address changed in Okta.
    EmailChanged,
    /// The user who had this address has another one now.
    AddressPassedOn,
    /// Staged in Okta: the account is made and inactive.
    Staged,
    /// The profile, or what the expressions make of it, differs.
    Profile,
    Left(Leave),
    /// The run of this number is undone.
    Undo(u32),
}

/// Deletes an accepted invitation that waits and that Okta contradicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationOp {
    pub id: InvitationId,
    /// The address that was invited.
    pub user_name: String,
    pub okta_id: OktaUserId,
    pub grant: Grant,
    /// `Okta gives MEMBER`.
    pub reason: String,
    /// Why the user has no access, if that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Leave>,
}

/// What is done to one project. The parts are written in this order and never in parallel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectOp {
    pub name: String,
    /// The externalId that the project has or gets: the id of its group, or of one of them.
    pub group: OktaGroupId,
    /// None for a creation.
    pub project: Option<ProjectId>,
    pub action: ProjectAction,
    /// How many members it has before.
    #[serde(default)]
    pub members: usize,
    pub add: Vec<Member>,
    pub remove: Vec<Removal>,
    /// Project roles of members that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleChange>,
}

/// A member whose project role changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleChange {
    pub user_name: String,
    pub account: AccountId,
    pub okta_id: OktaUserId,
    pub from: String,
    pub to: String,
    /// `group AP Leads`, `rule config.toml:40`.
    pub reason: String,
    /// Whether it follows from the user's absence in a group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_absence: bool,
}

/// What is done to the project itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectAction {
    Create,
    /// Sets the externalId of a project of exactly that name, which touches no member by itself.
    Adopt,
    /// Moves the project of another group to this one, with all that is in it: of a group that was deleted to the one that was
    /// made again under its name, or the project that the config names.
    Relink {
        from: OktaGroupId,
        /// Whether the config names the project. Without that, the group of before has to be gone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_named: bool,
        /// The name of an archived project, which gets its own name back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<String>,
    },
    Rename {
        from: String,
    },
    /// Only members change.
    Members,
    /// Marks the project of a deleted group by its name and removes its members; all that is in it stays. The name of before is the
    /// same where only members are left.
    Archive {
        from: String,
    },
    /// Destroys it with all that is in it, since its group isn't pushed any more (docs/activepieces.md#deletion-of-a-group).
    Delete {
        /// What goes with it.
        #[serde(flatten)]
        contents: Contents,
    },
}

impl ProjectAction {
    /// The name as JSON has it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Relink { .. } => "relink",
            Self::Rename { .. } => "rename",
            Self::Members => "members",
            Self::Archive { .. } => "archive",
            Self::Delete { .. } => "delete",
        }
    }
}

/// How the name of an archived project begins.
const ARCHIVED: &str = "Archived: ";

/// The name that a project gets when it is archived; once is enough.
pub fn archived_name(name: &str) -> String {
    if name.starts_with(ARCHIVED) { name.to_owned() } else { format!("{ARCHIVED}{name}") }
}

/// The name of before, of an archived project.
pub fn name_before_archive(name: &str) -> Option<&str> {
    name.strip_prefix(ARCHIVED)
}

/// A user who is added to a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    pub user_name: String,
    pub okta_id: OktaUserId,
    /// None where the account is made by this very plan.
    pub account: Option<AccountId>,
    /// The project role to give: the one that Okta asks for, or the one of before an undo. Without it the server gives its
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Why the member gets that role: `group AP Leads`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_reason: Option<String>,
}

/// A user who is removed from a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Removal {
    pub user_name: String,
    pub account: AccountId,
    pub reason: String,
    /// The Okta user that the account belonged to when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub okta_id: Option<OktaUserId>,
    /// The project role that goes with the membership, where the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it follows from the account's being closed, and not from a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// When the account of a removed member is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// By this plan: without the deactivation there is no removal.
    ByThisPlan,
    Before,
}

/// The default role that may do everything in a project.
const PROJECT_ADMIN: &str = "Admin";

/// Whether a project role is the one that may do everything.
pub fn is_project_admin(role: &str) -> bool {
    role.eq_ignore_ascii_case(PROJECT_ADMIN)
}

/// A user who becomes Admin of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NewProjectAdmin<'a> {
    pub user_name: &'a str,
    pub project: &'a str,
    /// The role of a member; none for a new member.
    pub from: Option<&'a str>,
    pub role: &'a str,
    pub reason: &'a str,
}

/// The counts of a plan's operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub create: usize,
    pub reactivate: usize,
    pub adopt: usize,
    pub recreate: usize,
    pub update: usize,
    pub deactivate: usize,
    pub delete: usize,
    pub projects_create: usize,
    pub projects_adopt: usize,
    pub projects_relink: usize,
    pub projects_rename: usize,
    pub projects_archive: usize,
    pub projects_delete: usize,
    pub members_add: usize,
    pub members_remove: usize,
    pub project_roles: usize,
    pub invitations_revoke: usize,
}

impl UserOp {
    /// The accounts that it closes in addition to its own.
    pub fn closed(&self) -> impl Iterator<Item = &Replaced> {
        self.replaces.iter().filter(|left| left.fate == Fate::Close)
    }

    /// What isn't done where the operation is deferred, by user name: its own action, and the closing of further accounts that a
    /// deactivation is for.
    pub fn undone(&self) -> impl Iterator<Item = (&str, UserAction)> {
        let further = self.closed().filter(|_| self.action == UserAction::Deactivate);
        let further = further.map(|left| (left.user_name.as_str(), UserAction::Deactivate));
        std::iter::once((self.user_name.as_str(), self.action)).chain(further)
    }

    /// The accounts that the user would leave, each with the user.
    fn leaves(&self) -> impl Iterator<Item = (AccountId, OktaUserId)> {
        self.replaces.iter().map(|left| (left.account.clone(), self.okta_id.clone()))
    }

    /// Whether the account is an active ADMIN afterwards.
    pub fn makes_admin(&self) -> bool {
        self.gives_admin() && !self.makes_inactive()
    }

    fn gives_admin(&self) -> bool {
        self.gives(PlatformRole::Admin)
    }

    fn gives(&self, role: PlatformRole) -> bool {
        let given = self.attributes.as_ref().map(|attributes| attributes.platform_role);
        self.action != UserAction::Deactivate && given == Some(role)
    }

    /// The change of the role, if any.
    pub fn role_change(&self) -> Option<&Change> {
        self.changes.iter().find(|change| change.attribute == Attribute::PlatformRole)
    }

    /// The projects that a new account becomes Admin of as the old one was.
    pub fn copied_project_admins(&self) -> impl Iterator<Item = NewProjectAdmin<'_>> {
        let copies = self.replaces.iter().flat_map(|left| &left.copies);
        let new = copies.map(|copied| NewProjectAdmin {
            user_name: &self.user_name,
            project: &copied.name,
            from: None,
            role: copied.role.as_deref().unwrap_or_default(),
            reason: "as with the old account",
        });
        new.filter(|new| is_project_admin(new.role))
    }

    pub fn is_deletion(&self) -> bool {
        self.action == UserAction::Delete
    }

    /// Whether it makes an account, with a creation or in place of that of an earlier address.
    pub fn makes_account(&self) -> bool {
        self.account.is_none() && matches!(self.action, UserAction::Create | UserAction::Recreate)
    }

    /// Whether it makes an account that is inactive at once.
    pub fn makes_inactive(&self) -> bool {
        let is_inactive = |change: &Change| change.attribute == Attribute::Active && change.to == "false";
        self.action == UserAction::Create && self.changes.iter().any(is_inactive)
    }

    /// Whether an account becomes ADMIN by it that wasn't: by the role, by access or by the link to the account.
    pub fn is_new_admin(&self) -> bool {
        self.gives_admin() && self.changes_access()
    }

    /// Whether an account becomes OPERATOR by it that was neither OPERATOR nor ADMIN, in the same ways.
    pub fn is_new_operator(&self) -> bool {
        self.gives(PlatformRole::Operator) && self.changes_access() && !self.is_downgrade()
    }

    fn changes_access(&self) -> bool {
        self.changes.iter().any(|change| match change.attribute {
            Attribute::Active | Attribute::PlatformRole | Attribute::ExternalId => true,
            Attribute::GivenName | Attribute::FamilyName => false,
        })
    }

    /// Whether it takes ADMIN away from one of these, who have it.
    pub fn takes_admin(&self, admins: &BTreeSet<AccountId>) -> bool {
        self.taken_from(admins).next().is_some()
    }

    /// Those of these ADMINs that lose the role or access by it: the account, and the ones that are closed with it.
    fn taken_from<'a>(&'a self, admins: &'a BTreeSet<AccountId>) -> impl Iterator<Item = &'a AccountId> {
        let touched = self.account.iter().chain(self.closed().map(|left| &left.account));
        touched.filter(|account| !self.makes_admin() && admins.contains(*account))
    }

    /// Whether an account loses ADMIN or OPERATOR for a lesser role.
    pub fn is_downgrade(&self) -> bool {
        self.role_change().is_some_and(|change| {
            let from = change.from.as_deref().and_then(PlatformRole::parse);
            // Roles are ordered from the mightiest to the least.
            matches!((from, PlatformRole::parse(&change.to)), (Some(from), Some(to)) if from < to)
        })
    }
}

impl ProjectOp {
    /// The externalId that the project gives up.
    pub fn moved_from(&self) -> Option<&OktaGroupId> {
        match &self.action {
            ProjectAction::Relink { from, .. } => Some(from),
            _ => None,
        }
    }

    pub fn is_deletion(&self) -> bool {
        matches!(self.action, ProjectAction::Delete { .. })
    }

    pub fn is_archival(&self) -> bool {
        matches!(self.action, ProjectAction::Archive { .. })
    }

    /// Whether it sets a project role.
    pub fn sets_roles(&self) -> bool {
        !self.roles.is_empty() || self.add.iter().any(|member| member.role.is_some())
    }

    /// All users who become Admin of the project.
    pub fn new_admins(&self) -> impl Iterator<Item = NewProjectAdmin<'_>> {
        let added = self.add.iter().map(|member| NewProjectAdmin {
            user_name: &member.user_name,
            project: &self.name,
            from: None,
            role: member.role.as_deref().unwrap_or_default(),
            reason: member.role_reason.as_deref().unwrap_or_default(),
        });
        let changed = self.roles.iter().map(|change| NewProjectAdmin {
            user_name: &change.user_name,
            project: &self.name,
            from: Some(&change.from),
            role: &change.to,
            reason: &change.reason,
        });
        added.chain(changed).filter(|new| is_project_admin(new.role))
    }

    /// Whether there is nothing in it to write.
    pub fn is_empty(&self) -> bool {
        self.action == ProjectAction::Members && self.add.is_empty() && self.remove.is_empty() && self.roles.is_empty()
    }
}

impl Plan {
    /// Leaves out removals of members whose accounts the plan doesn't close any more.
    pub fn keep_members_of_open_accounts(&mut self) {
        let deactivations = self.users.iter().filter(|op| op.action == UserAction::Deactivate);
        let closed: BTreeSet<&AccountId> = deactivations.filter_map(|op| op.account.as_ref()).collect();
        let stays = |removal: &Removal| removal.closed != Some(Closed::ByThisPlan) || closed.contains(&removal.account);
        self.projects.iter_mut().for_each(|op| op.remove.retain(stays));
        self.projects.retain(|op| !op.is_empty());
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.projects.is_empty() && self.invitations.is_empty()
    }

    pub fn totals(&self) -> Totals {
        let users = |action| self.users.iter().filter(|op| op.action == action).count();
        let projects = |test: fn(&ProjectAction) -> bool| self.projects.iter().filter(|op| test(&op.action)).count();
        Totals {
            create: users(UserAction::Create),
            reactivate: users(UserAction::Reactivate),
            adopt: users(UserAction::Adopt),
            recreate: users(UserAction::Recreate),
            update: users(UserAction::Update),
            deactivate: users(UserAction::Deactivate),
            delete: users(UserAction::Delete),
            projects_create: projects(|action| *action == ProjectAction::Create),
            projects_adopt: projects(|action| *action == ProjectAction::Adopt),
            projects_relink: projects(|action| matches!(action, ProjectAction::Relink { .. })),
            projects_rename: projects(|action| matches!(action, ProjectAction::Rename { .. })),
            projects_archive: projects(|action| matches!(action, ProjectAction::Archive { .. })),
            projects_delete: projects(|action| matches!(action, ProjectAction::Delete { .. })),
            members_add: self.projects.iter().map(|op| op.add.len()).sum(),
            members_remove: self.projects.iter().map(|op| op.remove.len()).sum(),
            project_roles: self.projects.iter().map(|op| op.roles.len()).sum(),
            invitations_revoke: self.invitations.len(),
        }
    }

    /// All users who become Admin of a project.
    pub fn new_project_admins(&self) -> impl Iterator<Item = NewProjectAdmin<'_>> {
        let copied = self.users.iter().flat_map(UserOp::copied_project_admins);
        self.projects.iter().flat_map(ProjectOp::new_admins).chain(copied)
    }

    /// All users who become ADMIN.
    pub fn new_admins(&self) -> impl Iterator<Item = &UserOp> {
        self.users.iter().filter(|op| op.is_new_admin())
    }

    /// All users who become OPERATOR.
    pub fn new_operators(&self) -> impl Iterator<Item = &UserOp> {
        self.users.iter().filter(|op| op.is_new_operator())
    }

    /// Whether every active ADMIN of today loses the role or access.
    pub fn takes_all_admins(&self) -> bool {
        let admins = &self.standing.admins;
        let lost: BTreeSet<&AccountId> = self.users.iter().flat_map(|op| op.taken_from(admins)).collect();
        !lost.is_empty() && lost.len() == admins.len()
    }

    /// A welcome e-mail goes out for each creation (docs/activepieces.md#creating-a-user, step 8).
    pub fn welcome_emails(&self) -> usize {
        self.users.iter().filter(|op| op.makes_account()).count()
    }

    /// Leaves out what needs the operations, which were left out, of users who would leave an account: the new account isn't added to
    /// projects, and no other user gets the old one.
    pub fn leave_out(&mut self, ops: Vec<UserOp>) {
        let mut recreated = BTreeSet::new();
        let mut gone = ops;
        while !gone.is_empty() {
            let left: BTreeMap<AccountId, OktaUserId> = gone.iter().flat_map(UserOp::leaves).collect();
            recreated.extend(gone.into_iter().filter(|op| op.action == UserAction::Recreate).map(|op| op.okta_id));
            let needs = |op: &mut UserOp| {
                let left_by = op.account.as_ref().and_then(|account| left.get(account));
                left_by.is_some_and(|user| *user != op.okta_id)
            };
            gone = self.users.extract_if(.., needs).collect();
        }
        if recreated.is_empty() {
            return;
        }
        self.projects.iter_mut().for_each(|op| op.add.retain(|member| !recreated.contains(&member.okta_id)));
        self.projects.retain(|op| !op.is_empty());
    }
}
