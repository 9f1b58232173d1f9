//! What can happen in a walk, and how often.

use proptest::prelude::*;

/// A person by number; more than there are begin from the first again.
pub type P = usize;
/// A group by number: the first two are pushed as projects, the third gives the role ADMIN, the fourth the project role Admin.
pub type G = usize;

/// The group that gives the role ADMIN.
pub const ADMINS: G = 2;
/// The group that gives the project role Admin.
pub const LEADS: G = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    App,
    Groups,
    Search,
    Everyone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// No expression: an account keeps its role.
    None,
    /// By an attribute of the profile.
    Profile,
    /// By the group [`ADMINS`].
    Group,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projects {
    None,
    ByName,
    ByPattern,
    /// Both groups make one project, which is named.
    Together,
    /// Each group has a project that is named for it.
    Named,
}

impl Projects {
    /// The projects that the config names.
    pub fn named(self) -> &'static [&'static str] {
        match self {
            Self::None | Self::ByName | Self::ByPattern => &[],
            Self::Together => &["Team"],
            Self::Named => &["One", "Two"],
        }
    }
}

/// How project roles are given: Admin to those in the group [`LEADS`], Viewer to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectRoles {
    /// Not at all.
    None,
    /// Viewer to all.
    Fixed,
    /// The same, to new members.
    OnAdd,
    ByGroup,
    ByExpression,
}

/// `invitations`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invitations {
    Ignore,
    Report,
    Revoke,
}

/// The config and the servers of a walk.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the config, or a server's own")]
pub struct Setup {
    pub people: usize,
    pub scope: Scope,
    pub roles: Roles,
    pub projects: Projects,
    pub project_roles: ProjectRoles,
    pub delete_unpushed: bool,
    pub archive: bool,
    /// `deactivate_after_runs`
    pub grace_runs: usize,
    /// `deactivate_after`
    pub grace_hours: i64,
    /// `grace` of users who are suspended or deactivated.
    pub stated_hours: i64,
    /// `locked_out = "deactivate"`
    pub close_locked: bool,
    /// `remove_memberships_on_deactivate`
    pub remove_memberships: bool,
    /// `create = "inactive"`
    pub prepare: bool,
    /// `delete_inactive_after = "2d"`
    pub delete_inactive: bool,
    /// Whether the first person is protected.
    pub protect: bool,
    pub keep_unassigned: bool,
    pub keep_suspended: bool,
    pub keep_deleted: bool,
    pub invitations: Invitations,
    /// `email_change = "recreate"`
    pub recreate: bool,
    /// A server of the older generation, which takes a change only with everything else.
    pub old_server: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            people: 4,
            scope: Scope::App,
            roles: Roles::Profile,
            projects: Projects::ByName,
            project_roles: ProjectRoles::None,
            delete_unpushed: false,
            archive: false,
            grace_runs: 1,
            grace_hours: 0,
            stated_hours: 0,
            close_locked: false,
            remove_memberships: false,
            prepare: false,
            delete_inactive: false,
            protect: false,
            keep_unassigned: false,
            keep_suspended: false,
            keep_deleted: false,
            invitations: Invitations::Ignore,
            recreate: false,
            old_server: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Admin,
    Operator,
    Member,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Operator => "OPERATOR",
            Self::Member => "MEMBER",
        }
    }

    /// The value of the profile's attribute that gives it.
    pub fn in_profile(self) -> &'static str {
        match self {
            Self::Admin => "Master",
            Self::Operator => "op",
            Self::Member => "user",
        }
    }
}

/// A listing that misses a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    Users,
    AppUsers,
    Members(G),
}

/// What a second admin does on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// Invites a person: an account that isn't linked, if the address has none.
    Invite(P, Role),
    /// Leaves an accepted invitation waiting.
    LeaveInvitation(P, Role),
    /// The same, to a project.
    LeaveProjectInvitation(P, G, &'static str),
    /// The person signs in, which applies the invitations that wait.
    SignIn(P),
    Close(P),
    Reopen(P),
    Role(P, Role),
    ProjectRole(P, G, &'static str),
    RenameProject(G),
    DeleteProject(G),
    /// Makes a project of the group's name, with a person in it.
    MakeProject(G, P),
    /// Gives the owner another role.
    Owner(Role),
}

/// What a group is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// As at first.
    First,
    /// A name that the pattern takes as well.
    Taken,
    /// A name that no rule takes.
    Untaken,
    /// A name of which the pattern makes an empty one.
    Empty,
}

#[derive(Clone, Debug)]
pub enum Event {
    /// A new user with the person's address, if the person is deactivated or deleted.
    Hire(P),
    /// Another first name.
    Rename(P),
    Status(P, &'static str),
    Delete(P),
    Assign(P),
    Unassign(P),
    Join(P, G),
    Quit(P, G),
    /// Another address.
    Address(P),
    Swap(P, P),
    /// Another user of Okta with the person's address, of this status.
    Twin(P, &'static str),
    /// The attribute that gives a role.
    Profile(P, Role),
    NameGroup(G, Name),
    DeleteGroup(G),
    /// Deletes a group, and makes one of the same name and members.
    RemakeGroup(G),
    /// Makes another group of the same name.
    DoubleGroup(G),
    Hand(Hand),
    /// Accounts and projects that another system made, with external ids of its own.
    Foreign,
    /// A listing misses the user in so many requests.
    Miss(P, Listing, usize),
    /// Ends all misses.
    SeeAll,
    /// What is done in the middle of the next run, before so many writes of a kind have passed.
    Middle(&'static str, usize, Hand),
    /// The answer to a write of the next run is lost, after so many.
    Lose(usize),
    /// The platform answers well to a change of role, and keeps the role; or it's over.
    RolesStay(bool),
    /// The config compares an attribute that is true or false with a text; or the mistake is mended.
    Mistake(bool),
    /// The config names each group's project for the other one.
    SwapProjects,
    /// All problems that the plan shows are accepted in the config.
    Accept,
    /// Okta's clock goes by so many hours.
    Clock(i64),
    Plan,
    Apply,
    /// An apply after which nothing that a limit refused is allowed.
    ApplyRefused,
    Save,
    ApplySaved,
    /// Links accounts, and changes nothing else.
    Adopt,
    /// Undoes a run: so many before the last one that may have written.
    Undo(usize),
    /// An apply that is killed while it waits for the answer to a write, after so many.
    Kill(usize),
}

pub fn setup() -> impl Strategy<Value = Setup> {
    let scope = prop_oneof![
        4 => Just(Scope::App),
        1 => Just(Scope::Groups),
        1 => Just(Scope::Search),
        1 => Just(Scope::Everyone)
    ];
    let roles = prop_oneof![1 => Just(Roles::None), 2 => Just(Roles::Profile), 2 => Just(Roles::Group)];
    let projects = prop_oneof![
        1 => Just(Projects::None),
        2 => Just(Projects::ByName),
        2 => Just(Projects::ByPattern),
        1 => Just(Projects::Together),
        1 => Just(Projects::Named)
    ];
    let project_roles = prop_oneof![
        4 => Just(ProjectRoles::None),
        1 => Just(ProjectRoles::Fixed),
        1 => Just(ProjectRoles::OnAdd),
        2 => Just(ProjectRoles::ByGroup),
        1 => Just(ProjectRoles::ByExpression)
    ];
    let projects = (projects, project_roles, prop::bool::weighted(0.3), prop::bool::weighted(0.3));
    let grace = prop_oneof![3 => Just((1, 0)), 1 => Just((2, 0)), 1 => Just((1, 24)), 1 => Just((2, 24))];
    let rare = |one_in: u32| prop::bool::weighted(1.0 / f64::from(one_in));
    let grace = (grace, prop_oneof![4 => Just(0), 1 => Just(24)]);
    let invitations =
        prop_oneof![4 => Just(Invitations::Ignore), 1 => Just(Invitations::Report), 2 => Just(Invitations::Revoke)];
    let keep = (rare(6), rare(6), rare(4), rare(3), rare(4), invitations, rare(2));
    // Three of 1,200 random walks with these found a fault, the last 600 none: each test run has fixed walks of both, long ones meet them.
    let long = std::env::var_os("OKTAPIECES_WALKS").is_some();
    (3..=5_usize, scope, roles, projects, any::<bool>(), grace, any::<bool>(), rare(5), keep, rare(3)).prop_map(
        move |(people, scope, roles, projects, delete_unpushed, grace, protect, keep_unassigned, keep, old)| {
            let (grace, stated_hours) = grace;
            Setup {
                people,
                scope,
                roles,
                projects: projects.0,
                project_roles: projects.1,
                delete_unpushed,
                archive: projects.2,
                remove_memberships: projects.3,
                grace_runs: grace.0,
                grace_hours: grace.1,
                stated_hours,
                close_locked: keep.2,
                prepare: keep.3,
                delete_inactive: keep.4,
                protect,
                keep_unassigned,
                keep_suspended: keep.0,
                keep_deleted: keep.1,
                invitations: if long { keep.5 } else { Invitations::Ignore },
                recreate: long && keep.6,
                old_server: old,
            }
        },
    )
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Admin), Just(Role::Operator), Just(Role::Member)]
}

fn hand() -> impl Strategy<Value = Hand> {
    let (p, g) = (0..5_usize, 0..2_usize);
    let level = prop_oneof![Just("Admin"), Just("Viewer")];
    prop_oneof![
        3 => (p.clone(), role()).prop_map(|(p, role)| Hand::Invite(p, role)),
        2 => (p.clone(), role()).prop_map(|(p, role)| Hand::LeaveInvitation(p, role)),
        1 => (p.clone(), g.clone(), level.clone()).prop_map(|(p, g, level)| Hand::LeaveProjectInvitation(p, g, level)),
        1 => p.clone().prop_map(Hand::SignIn),
        3 => p.clone().prop_map(Hand::Close),
        2 => p.clone().prop_map(Hand::Reopen),
        3 => (p.clone(), role()).prop_map(|(p, role)| Hand::Role(p, role)),
        3 => (p.clone(), g.clone(), level).prop_map(|(p, g, level)| Hand::ProjectRole(p, g, level)),
        1 => g.clone().prop_map(Hand::RenameProject),
        1 => g.clone().prop_map(Hand::DeleteProject),
        1 => (g, p).prop_map(|(g, p)| Hand::MakeProject(g, p)),
        1 => role().prop_map(Hand::Owner),
    ]
}

/// One step, or several that only mean something together.
#[expect(clippy::too_many_lines, reason = "a line for each kind of event")]
fn steps() -> impl Strategy<Value = Vec<Event>> {
    let (p, g) = (0..5_usize, 0..4_usize);
    let status = prop_oneof![
        4 => Just("SUSPENDED"),
        4 => Just("DEPROVISIONED"),
        3 => Just("ACTIVE"),
        1 => Just("LOCKED_OUT"),
        1 => Just("STAGED")
    ];
    let name = prop_oneof![Just(Name::First), Just(Name::Taken), Just(Name::Untaken), Just(Name::Empty)];
    let listing = prop_oneof![Just(Listing::Users), Just(Listing::AppUsers), g.clone().prop_map(Listing::Members)];
    let times = prop_oneof![Just(1_usize), Just(usize::MAX)];
    let write = prop_oneof![3 => Just("PUT"), 3 => Just("PATCH"), 2 => Just("POST"), 1 => Just("GET")];
    let hours = prop_oneof![Just(1_i64), Just(25), Just(-30), Just(8760)];
    let event = prop_oneof![
        3 => p.clone().prop_map(Event::Hire),
        3 => p.clone().prop_map(Event::Rename),
        6 => (p.clone(), status.clone()).prop_map(|(p, status)| Event::Status(p, status)),
        2 => p.clone().prop_map(Event::Delete),
        2 => p.clone().prop_map(Event::Assign),
        3 => p.clone().prop_map(Event::Unassign),
        2 => (p.clone(), g.clone()).prop_map(|(p, g)| Event::Join(p, g)),
        3 => (p.clone(), g.clone()).prop_map(|(p, g)| Event::Quit(p, g)),
        2 => p.clone().prop_map(Event::Address),
        1 => (p.clone(), p.clone()).prop_map(|(one, other)| Event::Swap(one, other)),
        1 => (p.clone(), status.clone()).prop_map(|(p, status)| Event::Twin(p, status)),
        3 => (p.clone(), role()).prop_map(|(p, role)| Event::Profile(p, role)),
        2 => (g.clone(), name).prop_map(|(g, name)| Event::NameGroup(g, name)),
        1 => g.clone().prop_map(Event::DeleteGroup),
        1 => g.clone().prop_map(Event::RemakeGroup),
        1 => g.clone().prop_map(Event::DoubleGroup),
        5 => hand().prop_map(Event::Hand),
        1 => Just(Event::Foreign),
        1 => any::<bool>().prop_map(Event::RolesStay),
        1 => any::<bool>().prop_map(Event::Mistake),
        1 => Just(Event::Accept),
        2 => Just(Event::SwapProjects),
        1 => Just(Event::SeeAll),
        1 => hours.prop_map(Event::Clock),
        1 => Just(Event::Plan),
        8 => Just(Event::Apply),
        1 => Just(Event::ApplyRefused),
        1 => Just(Event::Save),
        1 => Just(Event::ApplySaved),
        1 => Just(Event::Adopt),
    ];
    // What has to meet a run that writes.
    let restless = prop_oneof![
        p.clone().prop_map(Event::Rename),
        (p.clone(), role()).prop_map(|(p, role)| Event::Profile(p, role)),
        (p.clone(), g.clone()).prop_map(|(p, g)| Event::Join(p, g)),
        p.clone().prop_map(|p| Event::Status(p, "SUSPENDED")),
    ];
    let missed = (p.clone(), listing, times, restless.clone())
        .prop_map(|(p, listing, times, other)| vec![Event::Miss(p, listing, times), other, Event::Apply]);
    let middle = (write, 0..3_usize, hand(), restless.clone(), restless.clone())
        .prop_map(|(write, after, hand, one, other)| vec![one, other, Event::Middle(write, after, hand), Event::Apply]);
    let undone = (event.clone(), event.clone(), 0..3_usize)
        .prop_map(|(one, other, back)| vec![one, Event::Apply, other, Event::Apply, Event::Undo(back)]);
    let killed = (restless.clone(), restless.clone(), 0..2_usize)
        .prop_map(|(one, other, after)| vec![one, other, Event::Kill(after)]);
    let lost = (restless.clone(), 0..3_usize).prop_map(|(one, after)| vec![one, Event::Lose(after), Event::Apply]);
    let saved = (restless, event.clone()).prop_map(|(one, other)| vec![one, Event::Save, other, Event::ApplySaved]);
    let contested = (p.clone(), any::<bool>()).prop_map(|(p, moved)| {
        let twins = [Event::Twin(p, "SUSPENDED"), Event::Twin(p, "SUSPENDED")];
        let moved = if moved { vec![Event::Twin(p, "ACTIVE"), Event::Address(p)] } else { twins.to_vec() };
        [moved, vec![Event::Status(p, "SUSPENDED"), Event::Apply]].concat()
    });
    let left = p.clone().prop_map(|p| vec![Event::Status(p, "SUSPENDED"), Event::Unassign(p), Event::Apply]);
    let mistaken = (event.clone(), event.clone()).prop_map(|(one, other)| {
        vec![Event::Mistake(true), one, Event::Apply, other, Event::Plan, Event::Mistake(false), Event::Apply]
    });
    let accepted = (p.clone(), event.clone(), event.clone()).prop_map(|(p, one, other)| {
        vec![Event::Address(p), Event::Apply, one, Event::Accept, Event::Apply, other, Event::Apply]
    });
    let conflict = (p.clone(), role()).prop_map(|(p, role)| {
        let invited = Event::Middle("POST", 0, Hand::Invite(p, role));
        vec![Event::Delete(p), Event::Apply, Event::Address(p), Event::Hire(p), invited, Event::Apply]
    });
    let unkept = (p.clone(), p.clone(), event.clone()).prop_map(|(p, other, event)| {
        let promoted =
            vec![Event::RolesStay(true), Event::Profile(p, Role::Admin), Event::Join(p, ADMINS), Event::Apply];
        let after = vec![event, Event::Status(other, "SUSPENDED"), Event::Apply, Event::RolesStay(false), Event::Apply];
        [promoted, after].concat()
    });
    let staged = (p.clone(), event.clone()).prop_map(|(p, event)| {
        let hired = [Event::Delete(p), Event::Apply, Event::Hire(p), Event::Status(p, "STAGED"), Event::Apply];
        [&hired[..], &[event, Event::Status(p, "ACTIVE"), Event::Apply]].concat()
    });
    let dormant = (p.clone(), event.clone(), event.clone()).prop_map(|(p, one, other)| {
        let gone = [Event::Unassign(p), Event::Apply, Event::Apply, one, Event::Clock(49), Event::Apply];
        [&gone[..], &[other, Event::Assign(p), Event::Apply]].concat()
    });
    let returned = (p.clone(), event.clone()).prop_map(|(p, event)| {
        let gone = [Event::Unassign(p), Event::Apply];
        [&gone[..], &[Event::Assign(p), event, Event::Apply], &gone[..]].concat()
    });
    let renamed =
        (p.clone(), p.clone(), any::<bool>(), 0..3_usize, event.clone()).prop_map(|(p, other, swap, after, event)| {
            let change = if swap { Event::Swap(p, other) } else { Event::Address(p) };
            vec![change, Event::Kill(after), event, Event::Apply]
        });
    let adopted = (p.clone(), role(), event.clone()).prop_map(|(p, role, event)| {
        let invited =
            [Event::Delete(p), Event::Apply, Event::Address(p), Event::Hire(p), Event::Hand(Hand::Invite(p, role))];
        [&invited[..], &[event, Event::Adopt, Event::Apply]].concat()
    });
    let again = (p, any::<bool>()).prop_map(|(p, deleted)| {
        let gone = if deleted { Event::Delete(p) } else { Event::Status(p, "DEPROVISIONED") };
        vec![gone, Event::Apply, Event::Hire(p), Event::Apply]
    });
    prop_oneof![
        24 => event.prop_map(|event| vec![event]),
        4 => missed,
        6 => middle,
        3 => undone,
        1 => killed,
        1 => lost,
        1 => saved,
        1 => contested,
        1 => left,
        1 => again,
        1 => mistaken,
        1 => accepted,
        2 => conflict,
        2 => unkept,
        2 => returned,
        2 => renamed,
        1 => staged,
        2 => dormant,
        1 => adopted,
    ]
}

/// The events of a walk. Shrinking takes events out of it.
pub fn walk() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(steps(), 2..9).prop_map(|steps| steps.concat())
}
