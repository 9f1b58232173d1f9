//! Tests of what goes with an item that is left out of a plan, and why.

use super::super::item::Missing;
use super::super::op::UserOp;
use super::super::policy::EmailChange;
use super::*;

/// The rest without the items at these places of the plan's list, with why each of the others is gone.
fn without<'a>(plan: &'a Plan, places: &[usize]) -> (Rest<'a>, Vec<Missing>) {
    let items: Vec<Item> = plan.items().collect();
    let left_out: BTreeSet<Item> = places.iter().map(|at| items[*at]).collect();
    let rest = Rest::without(plan, &left_out);
    let gone = items.iter().filter(|item| !left_out.contains(item) && rest.place(**item).is_none());
    let missing = gone.map(|item| rest.missing(*item)).collect();
    (rest, missing)
}

#[test]
fn members_go_with_the_account_or_the_project_that_is_made_for_them() {
    let desired = with_projects(users([present("ada"), present("bob")]), [pushed("Eng", &["ada", "bob"])]);
    let plan = diff(&desired, &platform([linked("bob")]), &policy());
    let items: Vec<Item> = plan.items().collect();
    assert_eq!(items, [Item::User(0), Item::Project(0), Item::Added(0, 0), Item::Added(0, 1)]);
    let (rest, missing) = without(&plan, &[0]);
    assert_eq!((rest.plan().projects[0].add.len(), missing), (1, vec![Missing::Account]));
    assert_eq!(rest.place(Item::Added(0, 1)), Some(Item::Added(0, 0)), "bob has moved up");
    let (rest, missing) = without(&plan, &[1]);
    assert_eq!((rest.plan().projects.len(), missing), (0, vec![Missing::Project; 2]));
    let (rest, missing) = without(&plan, &[2]);
    assert_eq!((rest.plan().projects[0].add.len(), rest.items(4), missing), (1, 3, Vec::new()));
}

#[test]
fn a_member_of_an_account_that_stays_open_stays() {
    let policy = Policy { remove_memberships: true, ..policy() };
    let desired =
        with_projects(users([wanted("ada", DesiredState::Left(Leave::Suspended))]), [pushed("Eng", &["ada"])]);
    let projects = vec![project("Eng", Some(group_id("Eng").as_str()), &["ada"])];
    let plan = diff(&desired, &Platform { projects, ..platform([linked("ada")]) }, &policy);
    let (rest, missing) = without(&plan, &[0]);
    assert!(rest.plan().is_empty(), "{plan:#?}");
    assert_eq!(missing, [Missing::Deactivation]);
}

#[test]
fn half_of_an_exchange_of_accounts_is_never_left() {
    let moved = |name: &str, address: &str| {
        let (id, user) = present(name);
        let address = format!("{address}@example.com");
        (id, DesiredUser::new(&address, Some(address.clone()), user.state))
    };
    let policy = Policy { email_change: EmailChange::Recreate, ..policy() };
    let swap = users([moved("ada", "bob"), moved("bob", "ada")]);
    let plan = diff(&swap, &platform([linked("ada"), linked("bob")]), &policy);
    for at in [0, 1] {
        let (rest, missing) = without(&plan, &[at]);
        assert_eq!((rest.plan().users.len(), missing), (0, vec![Missing::Exchange]), "{plan:#?}");
    }
}

#[test]
fn the_last_admin_stays_where_the_new_one_is_left_out() {
    let (id, mut user) = present("ada");
    let DesiredState::Present(attributes) = &mut user.state else { panic!() };
    attributes.platform_role = PlatformRole::Admin;
    let standing = platform([linked("ada"), admin(linked("bob"))]);
    let plan = diff(&users([(id, user), present("bob")]), &standing, &policy());
    assert_eq!(plan.users.len(), 2, "{plan:#?}");
    let at = plan.users.iter().position(UserOp::is_new_admin).unwrap();
    let (rest, missing) = without(&plan, &[at]);
    assert_eq!((rest.plan().users.len(), missing), (0, vec![Missing::OtherAdmin]), "{rest:#?}");
    assert_eq!(rest.plan().warnings, ["bob@example.com is the last active ADMIN and stays so"]);
}
