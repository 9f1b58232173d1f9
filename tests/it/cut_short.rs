//! Runs that the server cuts short, and what the next run makes of them.

use oktapieces_sandbox::activepieces::Smtp;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};

use crate::support::Stage;

const NEWCOMERS: Shape = Shape::Generated { users: 40, groups: 1, members: 2, existing: 0.0, drift: 0.0, seed: 3 };

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_ends_the_run_and_the_next_one_may_do_the_rest() {
    let stage = Stage::of(NEWCOMERS).await;
    stage.reconfigure("[safety]", "[safety]\nmax_creations = 5");
    let traffic = stage.sandbox.activepieces_traffic();
    let (method, path) = (Some("POST".to_owned()), "/api/v1/scim/v2/Users".to_owned());
    traffic.fault(Fault { method, path, kind: FaultKind::CutBefore, after: 10, times: usize::MAX });
    let looks = "/api/v1/scim/v2/Users?".trim_end_matches('?').to_owned();
    traffic.fault(Fault {
        method: Some("GET".to_owned()),
        path: looks,
        kind: FaultKind::CutBefore,
        after: 1,
        times: usize::MAX,
    });
    let first = stage.run(&["apply", "--yes", "--parallelism", "1"]).await;
    assert_eq!(first.code, 3, "{first:#?}");
    assert!(first.stderr.contains("Activepieces stopped answering"), "{first:#?}");
    assert!(first.stdout.contains("not begun"), "{first:#?}");
    // Three operations found out, and each of the others wasn't tried.
    assert_eq!(traffic.count("POST /api/v1/scim/v2/Users"), 13, "{first:#?}");
    traffic.mend();
    // The first run's other creations are more than the limit allows, and were allowed then.
    let second = stage.run(&["apply", "--yes"]).await;
    assert_eq!(second.code, 0, "{second:#?}");
    assert!(stage.plan().await["users"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn welcome_mails_that_fail_are_told_and_the_accounts_are_there() {
    let stage = Stage::of(NEWCOMERS).await;
    stage.sandbox.platform().configure(|settings| settings.smtp = Smtp::Failing);
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    let made = stage.people().len();
    assert!(applied.stdout.contains(&format!("{made} welcome e-mails weren't sent")), "{made}: {applied:#?}");
}
