//! A walk for each kind of fault, which doesn't depend on chance.

use super::event::{
    ADMINS, Event, Hand, Invitations, LEADS, Listing, Name, ProjectRoles, Projects, Role, Roles, Scope, Setup,
};
use super::runs;

/// Rules for projects, and whether projects may be deleted.
const RULES: [(Projects, bool); 3] = [(Projects::ByName, false), (Projects::ByName, true), (Projects::ByPattern, true)];

/// Goes a walk that must not break a law.
async fn holds(setup: Setup, events: &[Event]) {
    if let Some(breach) = runs::walk(setup, events).await {
        panic!("{breach}");
    }
}

fn by_group() -> Setup {
    Setup { roles: Roles::Group, ..Setup::default() }
}

fn by_pattern() -> Setup {
    Setup { projects: Projects::ByPattern, delete_unpushed: true, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_undoes_a_role_of_somebody_who_left_since() {
    let events =
        [Event::Profile(1, Role::Operator), Event::Apply, Event::Status(1, "SUSPENDED"), Event::Apply, Event::Undo(1)];
    holds(Setup::default(), &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_renames_somebody_whose_account_is_closed_meanwhile() {
    for (old_server, write) in [(false, "PATCH"), (false, "PUT"), (true, "PUT")] {
        let events = [
            Event::Rename(1),
            Event::Rename(2),
            Event::Middle(write, 0, Hand::Close(1)),
            Event::Middle(write, 0, Hand::Close(2)),
            Event::Apply,
        ];
        holds(Setup { old_server, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_adopts_accounts_while_a_second_admin_writes() {
    for (old_server, roles) in [(false, Roles::Profile), (true, Roles::None)] {
        let invited = |p, role| {
            [Event::Delete(p), Event::Apply, Event::Address(p), Event::Hire(p), Event::Hand(Hand::Invite(p, role))]
        };
        let events = [
            &invited(1, Role::Admin)[..],
            &invited(2, Role::Member),
            &[
                Event::Twin(2, "ACTIVE"),
                Event::Middle("PATCH", 0, Hand::Close(1)),
                Event::Adopt,
                Event::Adopt,
                Event::Apply,
                Event::Undo(1),
            ],
        ];
        holds(Setup { roles, old_server, ..Setup::default() }, &events.concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_gives_a_role_meanwhile() {
    for (old_server, write) in [(false, "PATCH"), (false, "PUT"), (true, "PUT")] {
        let events = [
            Event::Rename(1),
            Event::Rename(2),
            Event::Middle(write, 0, Hand::Role(1, Role::Operator)),
            Event::Middle(write, 0, Hand::Role(2, Role::Operator)),
            Event::Apply,
        ];
        holds(Setup { old_server, roles: Roles::None, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_invites_an_admin_while_the_account_is_made() {
    for roles in [Roles::None, Roles::Profile] {
        for protect in [false, true] {
            let events = [
                Event::Status(0, "DEPROVISIONED"),
                Event::Apply,
                Event::Address(1),
                Event::Hand(Hand::Close(1)),
                Event::Delete(2),
                Event::Apply,
                Event::Address(2),
                Event::Hire(2),
                Event::Middle("POST", 0, Hand::Invite(2, Role::Admin)),
                Event::Apply,
            ];
            holds(Setup { roles, protect, ..Setup::default() }, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_suspends_while_a_group_changes() {
    let changes = [
        Event::NameGroup(0, Name::Taken),
        Event::NameGroup(0, Name::Untaken),
        Event::NameGroup(0, Name::Empty),
        Event::DeleteGroup(0),
        Event::RemakeGroup(0),
        Event::DoubleGroup(0),
        Event::DeleteGroup(ADMINS),
        Event::DoubleGroup(ADMINS),
    ];
    for change in changes {
        for (projects, delete_unpushed) in RULES {
            let setup = Setup { projects, delete_unpushed, roles: Roles::Group, ..Setup::default() };
            holds(setup, &[change.clone(), Event::Status(1, "SUSPENDED"), Event::Apply]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_suspends_and_unassigns() {
    for scope in [Scope::App, Scope::Groups, Scope::Search] {
        for (grace_runs, keep_unassigned) in [(3, false), (1, true)] {
            let events = [Event::Status(1, "SUSPENDED"), Event::Unassign(1), Event::Apply];
            holds(Setup { scope, grace_runs, keep_unassigned, ..Setup::default() }, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_suspends_somebody_whose_address_is_another_persons() {
    let suspended = Event::Status(1, "SUSPENDED");
    let moved = [Event::Twin(1, "ACTIVE"), Event::Address(1)];
    let twins = [Event::Twin(1, "SUSPENDED"), Event::Twin(1, "SUSPENDED")];
    let swapped = [Event::Swap(1, 2), Event::Status(2, "SUSPENDED")];
    for before in [moved, twins, swapped] {
        let [one, other] = before;
        holds(Setup::default(), &[one, other, suspended.clone(), Event::Apply]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_suspends_the_last_admin_and_others() {
    for protect in [false, true] {
        let events = [
            Event::Hand(Hand::Owner(Role::Member)),
            Event::Status(0, "SUSPENDED"),
            Event::Status(1, "SUSPENDED"),
            Event::Apply,
        ];
        holds(Setup { protect, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_misses_a_member_once_or_always() {
    for times in [1, usize::MAX] {
        for (group, setup) in [(ADMINS, by_group()), (0, Setup::default()), (1, by_pattern())] {
            let events = [
                Event::Join(1, group),
                Event::Apply,
                Event::Miss(1, Listing::Members(group), times),
                Event::Rename(2),
                Event::Apply,
                Event::Apply,
                Event::SeeAll,
                Event::Plan,
            ];
            holds(setup, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_misses_somebody_of_the_scope_once_or_always() {
    for times in [1, usize::MAX] {
        for (listing, scope) in [
            (Listing::AppUsers, Scope::App),
            (Listing::Users, Scope::App),
            (Listing::Users, Scope::Search),
            (Listing::Users, Scope::Everyone),
            (Listing::Users, Scope::Groups),
        ] {
            let events = [Event::Miss(1, listing, times), Event::Rename(2), Event::Apply, Event::Apply];
            holds(Setup { scope, ..Setup::default() }, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_hires_somebody_at_the_address_of_an_admin() {
    for roles in [Roles::None, Roles::Profile, Roles::Group] {
        for gone in [Event::Status(0, "DEPROVISIONED"), Event::Delete(0)] {
            let events = [Event::Hand(Hand::Role(0, Role::Admin)), gone, Event::Apply, Event::Hire(0), Event::Apply];
            holds(Setup { roles, ..Setup::default() }, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_undoes_the_change_of_an_account_that_is_another_persons_since() {
    let events =
        [Event::Hand(Hand::Close(1)), Event::Apply, Event::Delete(1), Event::Hire(1), Event::Apply, Event::Undo(1)];
    holds(Setup::default(), &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_past_projects_of_others() {
    for projects in [Projects::ByName, Projects::ByPattern] {
        let events = [Event::Foreign, Event::Apply, Event::DeleteGroup(1), Event::Apply];
        holds(Setup { projects, delete_unpushed: true, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_misses_sees_and_misses_again() {
    let between = [Event::Apply, Event::ApplySaved];
    for seen in between {
        let events = [
            Event::Rename(2),
            Event::Save,
            Event::Unassign(1),
            Event::Apply,
            Event::Assign(1),
            seen,
            Event::Unassign(1),
            Event::Apply,
        ];
        holds(Setup { grace_runs: 2, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_sees_somebody_in_a_refused_run_only() {
    let setup = Setup { grace_runs: 2, projects: Projects::ByPattern, delete_unpushed: true, ..Setup::default() };
    let events = [
        Event::Unassign(1),
        Event::Apply,
        Event::Assign(1),
        Event::DeleteGroup(1),
        Event::ApplyRefused,
        Event::Unassign(1),
        Event::Apply,
    ];
    holds(setup, &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_oktas_clock() {
    for hours in [1, 23, 25, 8760] {
        let setup = Setup { grace_hours: 24, ..Setup::default() };
        let events = [Event::Unassign(1), Event::Apply, Event::Clock(hours), Event::Apply];
        holds(setup.clone(), &events).await;
        let events = [Event::Clock(-hours), Event::Unassign(1), Event::Apply, Event::Clock(hours), Event::Apply];
        holds(setup, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_a_clock_that_goes_back_while_a_member_is_missing() {
    for hours in [-1, -30] {
        let setup = Setup { people: 5, scope: Scope::Everyone, grace_runs: 2, grace_hours: 24, ..by_pattern() };
        holds(setup, &[Event::Delete(4), Event::Apply, Event::Clock(hours)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_somebody_protected_who_is_gone_within_the_grace() {
    for protect in [true, false] {
        let setup = Setup { grace_runs: 4, protect, ..Setup::default() };
        holds(setup, &[Event::Hand(Hand::ProjectRole(0, 0, "Admin")), Event::Delete(0), Event::Apply]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_a_group_that_is_renamed_or_made_again() {
    for change in [
        Event::NameGroup(1, Name::Untaken),
        Event::NameGroup(1, Name::Taken),
        Event::RemakeGroup(1),
        Event::DoubleGroup(1),
    ] {
        for (projects, delete_unpushed) in RULES {
            let setup = Setup { projects, delete_unpushed, ..Setup::default() };
            holds(setup, &[change.clone(), Event::Apply, Event::Apply]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_a_project_that_both_sides_rename() {
    for delete_unpushed in [false, true] {
        let events = [Event::Hand(Hand::RenameProject(1)), Event::NameGroup(1, Name::Untaken), Event::Apply];
        holds(Setup { delete_unpushed, ..by_pattern() }, &events).await;
        let events = [Event::Hand(Hand::RenameProject(1)), Event::RemakeGroup(1), Event::Apply];
        holds(Setup { delete_unpushed, ..by_pattern() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_undoes_a_removal_from_a_project() {
    let events = [
        Event::Hand(Hand::ProjectRole(1, 1, "Admin")),
        Event::Quit(1, 1),
        Event::Apply,
        Event::Join(1, 1),
        Event::Undo(0),
    ];
    holds(Setup::default(), &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_loses_answers_and_is_killed() {
    for after in 0..3 {
        let events = [
            Event::Rename(1),
            Event::Profile(2, Role::Operator),
            Event::Join(2, 0),
            Event::Lose(after),
            Event::Apply,
            Event::Rename(1),
            Event::Quit(2, 0),
            Event::Kill(after),
            Event::Status(1, "SUSPENDED"),
            Event::Undo(0),
            Event::Apply,
        ];
        holds(Setup::default(), &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_promotes_somebody_whose_role_does_not_stand() {
    let events = [
        Event::Hand(Hand::Owner(Role::Member)),
        Event::Status(0, "SUSPENDED"),
        Event::Profile(2, Role::Admin),
        Event::RolesStay(true),
        Event::Apply,
        Event::RolesStay(false),
        Event::Status(1, "SUSPENDED"),
        Event::Apply,
    ];
    holds(Setup::default(), &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_compares_what_is_true_or_false_with_a_text() {
    for roles in [Roles::None, Roles::Profile, Roles::Group] {
        let events = [
            Event::Profile(1, Role::Admin),
            Event::Save,
            Event::Mistake(true),
            Event::Status(2, "SUSPENDED"),
            Event::Plan,
            Event::Apply,
            Event::ApplySaved,
            Event::Mistake(false),
            Event::Apply,
        ];
        holds(Setup { roles, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_a_user_who_goes_missing_while_the_address_changes() {
    let setup = Setup {
        scope: Scope::Groups,
        roles: Roles::Group,
        grace_runs: 2,
        remove_memberships: true,
        recreate: true,
        ..Setup::default()
    };
    holds(setup, &[Event::Address(4), Event::Kill(1), Event::Unassign(4)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_a_changed_address_to_which_the_server_gives_no_role() {
    let setup = Setup { scope: Scope::Everyone, roles: Roles::Group, recreate: true, ..Setup::default() };
    holds(setup, &[Event::RolesStay(true), Event::Join(3, 2), Event::Address(3), Event::Apply]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_saves_no_plan_for_a_mistake_in_the_config() {
    for roles in [Roles::None, Roles::Profile, Roles::Group] {
        let events = [Event::Mistake(true), Event::Save, Event::Mistake(false), Event::ApplySaved, Event::Apply];
        holds(Setup { roles, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_accepts_what_is_open_and_then_something_new_is() {
    for roles in [Roles::None, Roles::Profile] {
        let events = [
            Event::Address(1),
            Event::Apply,
            Event::Accept,
            Event::Plan,
            Event::Apply,
            Event::Address(2),
            Event::Apply,
            Event::Accept,
            Event::Address(1),
            Event::Apply,
        ];
        holds(Setup { roles, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_deletes_somebody_who_is_kept_for_that() {
    for keep_unassigned in [false, true] {
        let events = [Event::Delete(1), Event::Status(2, "SUSPENDED"), Event::Apply, Event::Unassign(3), Event::Apply];
        holds(Setup { keep_deleted: true, keep_unassigned, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_closes_an_invited_admin_while_the_account_is_taken_over() {
    for old_server in [false, true] {
        let events = [
            Event::Delete(4),
            Event::Address(4),
            Event::Hire(4),
            Event::Middle("POST", 0, Hand::Invite(4, Role::Admin)),
            Event::Apply,
            Event::Middle("GET", 1, Hand::Close(1)),
            Event::Apply,
        ];
        holds(Setup { people: 3, roles: Roles::None, protect: true, old_server, ..Setup::default() }, &events).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_closes_the_account_of_a_deleted_user_while_it_is_read() {
    let events = [Event::Delete(0), Event::Middle("GET", 1, Hand::Close(0)), Event::Apply];
    let setup = Setup {
        scope: Scope::Search,
        project_roles: ProjectRoles::ByGroup,
        delete_unpushed: false,
        grace_runs: 2,
        grace_hours: 24,
        roles: Roles::Group,
        protect: false,
        ..by_pattern()
    };
    holds(setup, &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_undoes_an_undo_that_removed_a_member() {
    let events = [
        Event::NameGroup(1, Name::Empty),
        Event::Rename(1),
        Event::Apply,
        Event::Undo(1),
        Event::Kill(1),
        Event::Apply,
        Event::Undo(2),
    ];
    let setup = Setup {
        people: 3,
        scope: Scope::Search,
        roles: Roles::Profile,
        project_roles: ProjectRoles::OnAdd,
        keep_unassigned: true,
        keep_suspended: true,
        ..by_pattern()
    };
    holds(setup, &events).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_moves_project_roles() {
    let by_hand = |p, role| Event::Hand(Hand::ProjectRole(p, 0, role));
    let walks: [&[Event]; 6] = [
        &[by_hand(1, "Viewer"), Event::Join(0, LEADS), Event::Apply, Event::Undo(0), Event::Apply],
        &[Event::Quit(1, LEADS), Event::Join(2, LEADS), Event::Apply, Event::Status(1, "SUSPENDED"), Event::Undo(0)],
        // A member who is missing from one listing of the group keeps the role.
        &[Event::Miss(1, Listing::Members(LEADS), 1), Event::Join(0, LEADS), Event::Apply],
        &[Event::Miss(1, Listing::Members(LEADS), usize::MAX), Event::Join(0, LEADS), Event::Apply],
        &[Event::NameGroup(LEADS, Name::Untaken), by_hand(1, "Viewer"), Event::Status(2, "SUSPENDED"), Event::Apply],
        &[
            Event::Quit(1, LEADS),
            Event::Middle("POST", 0, Hand::ProjectRole(1, 0, "Viewer")),
            Event::Join(0, LEADS),
            Event::Apply,
            Event::Quit(2, 0),
            Event::Kill(0),
            Event::Apply,
        ],
    ];
    let given = [ProjectRoles::Fixed, ProjectRoles::OnAdd, ProjectRoles::ByGroup, ProjectRoles::ByExpression];
    for project_roles in given {
        for events in walks {
            holds(Setup { project_roles, ..Setup::default() }, events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_makes_one_project_of_two_groups_of_which_one_goes() {
    let changes = [
        Event::NameGroup(0, Name::Untaken),
        Event::NameGroup(1, Name::Untaken),
        Event::DeleteGroup(0),
        Event::RemakeGroup(0),
        Event::DoubleGroup(1),
        Event::Quit(1, 0),
    ];
    for change in changes {
        for project_roles in [ProjectRoles::None, ProjectRoles::ByGroup] {
            let setup =
                Setup { projects: Projects::Together, project_roles, delete_unpushed: true, ..Setup::default() };
            let events = [Event::Apply, change.clone(), Event::Apply, Event::Status(2, "SUSPENDED"), Event::Apply];
            holds(setup, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_with_invitations_that_wait_for_users_who_come_leave_and_sign_in() {
    for invitations in [Invitations::Report, Invitations::Revoke] {
        for roles in [Roles::None, Roles::Profile, Roles::Group] {
            let events = [
                Event::Hand(Hand::LeaveInvitation(1, Role::Admin)),
                Event::Hand(Hand::LeaveInvitation(2, Role::Member)),
                Event::Hand(Hand::LeaveProjectInvitation(2, 1, "Admin")),
                Event::Plan,
                Event::Status(2, "SUSPENDED"),
                Event::Miss(1, Listing::Members(0), 1),
                Event::Apply,
                Event::Hand(Hand::LeaveInvitation(1, Role::Admin)),
                Event::Middle("DELETE", 0, Hand::LeaveInvitation(1, Role::Operator)),
                Event::Rename(1),
                Event::Apply,
                Event::Hand(Hand::LeaveInvitation(0, Role::Operator)),
                Event::Kill(0),
                Event::Hand(Hand::LeaveInvitation(1, Role::Admin)),
                Event::Hand(Hand::SignIn(1)),
                Event::Apply,
                Event::Undo(0),
            ];
            let setup = Setup { invitations, roles, project_roles: ProjectRoles::ByGroup, ..Setup::default() };
            holds(setup, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_swaps_the_projects_of_two_groups_and_is_killed() {
    for after in 0..4 {
        for rest in [vec![Event::Apply], vec![Event::SwapProjects, Event::Apply], vec![Event::Undo(0), Event::Apply]] {
            let setup = Setup { projects: Projects::Named, delete_unpushed: true, ..Setup::default() };
            let swap = [Event::Apply, Event::SwapProjects, Event::Kill(after)];
            holds(setup, &[&swap[..], &rest].concat()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_with_changed_addresses_that_are_cut_short_swapped_and_undone() {
    for roles in [Roles::None, Roles::Profile] {
        for after in 0..3 {
            let events = [
                Event::Hand(Hand::Role(2, Role::Operator)),
                Event::Address(2),
                Event::Kill(after),
                Event::Status(2, "SUSPENDED"),
                Event::Apply,
                Event::Status(2, "ACTIVE"),
                Event::Apply,
                Event::Address(1),
                Event::Middle("PATCH", after, Hand::Close(1)),
                Event::Apply,
                Event::Undo(0),
                Event::Swap(1, 3),
                Event::Kill(after),
                Event::Rename(3),
                Event::Apply,
                Event::Undo(0),
                Event::Delete(3),
            ];
            holds(Setup { roles, recreate: true, ..Setup::default() }, &events).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_deletes_accounts_that_were_inactive_for_long() {
    let dormant = |p| [Event::Unassign(p), Event::Apply, Event::Apply, Event::Clock(49)];
    for meanwhile in [Hand::Reopen(1), Hand::Role(1, Role::Admin), Hand::Close(1)] {
        for old_server in [false, true] {
            let events =
                [&dormant(1)[..], &[Event::Middle("DELETE", 0, meanwhile), Event::Apply, Event::Apply]].concat();
            holds(Setup { delete_inactive: true, old_server, ..Setup::default() }, &events).await;
        }
    }
    let back = [&dormant(2)[..], &[Event::Apply, Event::Undo(0), Event::Assign(2), Event::Apply]].concat();
    holds(Setup { delete_inactive: true, remove_memberships: true, ..Setup::default() }, &back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_archives_the_project_of_a_group() {
    let setup = || Setup { archive: true, remove_memberships: true, ..by_pattern() };
    let gone = [Event::DeleteGroup(0), Event::Apply, Event::Apply];
    for then in
        [Event::RemakeGroup(0), Event::Undo(0), Event::Hand(Hand::RenameProject(0)), Event::Status(1, "SUSPENDED")]
    {
        holds(setup(), &[&gone[..], &[then, Event::Apply]].concat()).await;
    }
    holds(setup(), &[Event::RemakeGroup(0), Event::Kill(0), Event::Apply]).await;
    holds(setup(), &[Event::DeleteGroup(0), Event::Kill(0), Event::Apply]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_prepares_the_account_of_a_staged_user() {
    for old_server in [false, true] {
        let setup = Setup { prepare: true, old_server, roles: Roles::Group, ..Setup::default() };
        let hired = [Event::Delete(2), Event::Apply, Event::Hire(2), Event::Status(2, "STAGED"), Event::Lose(0)];
        let rest = [Event::Join(2, ADMINS), Event::Apply, Event::Status(2, "ACTIVE"), Event::Apply, Event::Undo(1)];
        holds(setup, &[hired, rest].concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_that_takes_memberships_with_access() {
    for stated_hours in [0, 24] {
        let setup = Setup { remove_memberships: true, stated_hours, close_locked: true, ..Setup::default() };
        let gone = [Event::Hand(Hand::ProjectRole(1, 0, "Admin")), Event::Status(1, "SUSPENDED"), Event::Apply];
        let later = [Event::Clock(25), Event::Apply, Event::Status(2, "LOCKED_OUT"), Event::Apply];
        let back =
            [Event::Status(1, "ACTIVE"), Event::Status(2, "ACTIVE"), Event::Lose(1), Event::Apply, Event::Undo(1)];
        holds(setup, &[&gone[..], &later, &back].concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_an_account_that_a_suspended_user_takes_over_within_a_grace() {
    for (scope, grace_runs) in [(Scope::Search, 1), (Scope::App, 2)] {
        let grace_hours = if grace_runs > 1 { 24 } else { 0 };
        let setup = Setup {
            scope,
            projects: Projects::ByPattern,
            grace_runs,
            grace_hours,
            stated_hours: 24,
            ..Setup::default()
        };
        holds(setup, &[Event::Apply, Event::Twin(0, "SUSPENDED"), Event::Delete(0), Event::Apply]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn walk_of_an_admin_whose_address_changes_and_whose_run_is_killed() {
    for after in 0..4 {
        let setup = Setup { scope: Scope::Everyone, roles: Roles::Group, recreate: true, ..Setup::default() };
        holds(setup, &[Event::Address(0), Event::Kill(after), Event::Apply]).await;
    }
}
