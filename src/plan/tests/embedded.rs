//! Embedded accounts and projects are left alone.

use super::*;
use crate::model::Members;
use crate::model::activepieces::EmbeddedUser;

fn embedded(names: &[&str]) -> Vec<EmbeddedUser> {
    let user = |name: &&str| EmbeddedUser { id: (*name).into(), user_name: format!("{name}@example.com") };
    names.iter().map(user).collect()
}

#[test]
fn a_user_with_the_address_of_an_embedded_account_is_a_problem_and_joins_no_project() {
    let members = [okta_id("ada"), okta_id("bob")].into_iter().collect();
    let eng = DesiredProject::of(group_id("Eng"), "Eng", "Eng", members);
    let desired = with_projects(users([present("ada"), present("bob")]), [(group_id("Eng"), eng)]);
    let platform = Platform { embedded: embedded(&["ada", "guest"]), ..Platform::default() };
    let plan = diff(&desired, &platform, &policy());
    assert_eq!((kinds(&plan), action(&plan)), (vec![ProblemKind::EmbeddedAccount], Some(UserAction::Create)));
    assert_eq!(
        (plan.problems[0].subject.as_str(), plan.users[0].user_name.as_str()),
        ("ada@example.com", "bob@example.com")
    );
    assert_eq!(plan.projects[0].add.iter().map(|member| &member.okta_id).collect::<Vec<_>>(), [&okta_id("bob")]);
    assert_eq!(plan.standing.embedded, ["ada@example.com", "guest@example.com"]);
}

#[test]
fn a_user_who_has_an_account_or_left_is_no_problem_for_an_embedded_account() {
    for (user, account) in
        [(present("ada"), Some(linked("ada"))), (wanted("ada", DesiredState::Left(Leave::Deactivated)), None)]
    {
        let platform = Platform { embedded: embedded(&["ada"]), ..platform(account) };
        let plan = diff(&users([user]), &platform, &policy());
        assert_eq!((kinds(&plan), action(&plan)), (vec![], None));
    }
}

#[test]
fn a_project_with_a_customers_external_id_is_never_adopted_renamed_or_deleted() {
    let eng = DesiredProject::of(group_id("Eng"), "Eng", "Eng", Members::default());
    let platform = Platform { projects: vec![project("Eng", Some("customer-1"), &["guest"])], ..Platform::default() };
    let policy = Policy { delete_unpushed: true, ..policy() };
    let plan = diff(&with_projects(users([]), [(group_id("Eng"), eng)]), &platform, &policy);
    let actions: Vec<_> = plan.projects.iter().map(|op| (&op.action, &op.project)).collect();
    assert_eq!(actions, [(&ProjectAction::Create, &None)]);
}
