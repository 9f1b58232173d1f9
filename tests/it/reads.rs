//! Large reads of an org that changes meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use oktapieces::expression::Needs;
use oktapieces::http::Client;
use oktapieces::model::known::KnownOrg;
use oktapieces::model::org::Scope;
use oktapieces::okta::{Okta, api_token, read, settings};
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::Org;
use oktapieces_sandbox::{Options, Sandbox};
use serde_json::json;

const USERS: usize = 20_000;

async fn sandbox() -> Sandbox {
    let company = Shape::Generated { users: USERS, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 1 };
    let latency = Duration::from_millis(20);
    let options = Options { company, latency, rate_limit: Some(1_000_000), ..Options::default() };
    Sandbox::start(options).await.expect("the sandbox starts")
}

fn okta(sandbox: &Sandbox) -> Okta {
    let token = api_token(&sandbox.okta_token().into());
    Okta::new(Client::new(settings(&sandbox.okta_url(), token)).expect("a client"))
}

/// The ids that a read of all users finds.
async fn everybody(okta: &Okta) -> BTreeSet<String> {
    let scope = Scope { everyone: true, ..Scope::default() };
    let reading =
        read(okta, &scope, &[], &Needs::default(), &KnownOrg::default(), &|_| ()).await.expect("a whole read");
    assert_eq!(reading.org.users.len(), reading.org.in_scope.len());
    reading.org.users.keys().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_read_side_by_side_with_hardly_more_requests_than_one_after_another() {
    let sandbox = sandbox().await;
    assert_eq!(everybody(&okta(&sandbox)).await.len(), USERS);
    let requests = usize::try_from(sandbox.okta_traffic().count("GET /api/v1/users")).unwrap();
    assert!((100..=105).contains(&requests), "{requests} for 100 pages");
}

/// Changes users, deletes the doomed and makes new ones until it's told to stop; gives how many changes there were.
async fn change(org: Arc<Org>, staying: Vec<String>, doomed: Vec<String>, stop: Arc<AtomicBool>) -> usize {
    let mut changes = 0;
    let mut doomed = doomed.into_iter();
    for (turn, id) in staying.iter().cycle().enumerate() {
        org.set_profile(id, "department", json!(format!("Team {turn}")));
        org.set_status(id, if turn % 2 == 0 { "SUSPENDED" } else { "ACTIVE" });
        if turn % 10 == 0 {
            doomed.next().into_iter().for_each(|id| org.delete_user(&id));
            changes += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if stop.load(Ordering::SeqCst) {
            break;
        }
    }
    changes
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_side_by_side_lose_and_double_nobody_while_the_org_changes() {
    let sandbox = sandbox().await;
    let okta = okta(&sandbox);
    let all = everybody(&okta).await;
    let doomed: Vec<String> = all.iter().step_by(40).cloned().collect();
    let staying: Vec<String> = all.iter().filter(|id| !doomed.contains(id)).cloned().collect();
    let stop = Arc::new(AtomicBool::new(false));
    let changing = change(Arc::clone(sandbox.org()), staying.clone(), doomed.clone(), Arc::clone(&stop));
    let changing = tokio::spawn(changing);
    tokio::time::sleep(Duration::from_millis(5)).await;
    let read = everybody(&okta).await;
    stop.store(true, Ordering::SeqCst);
    assert!(changing.await.unwrap() > 10, "the org changed while it was read");
    let lost: Vec<_> = staying.iter().filter(|id| !read.contains(*id)).collect();
    assert_eq!(lost, Vec::<&String>::new());
    assert!(read.is_subset(&all), "and no other user is there");
}
