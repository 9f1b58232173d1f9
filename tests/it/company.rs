//! The sandbox as a whole: both servers with a company in them, and the config for them.

use std::net::TcpStream;

use oktapieces::config;
use oktapieces::model::org::Scope;
use oktapieces::plan::policy::Limit;
use oktapieces_sandbox::company::{self, Shape};
use oktapieces_sandbox::{Options, Sandbox};

const GENERATED: Shape = Shape::Generated { users: 20, groups: 2, members: 5, existing: 0.5, drift: 0.5, seed: 1 };

#[test]
fn the_config_of_every_company_is_valid() {
    for (shape, limit) in [(Shape::Seeded, 50.0), (Shape::Tour, 50.0), (GENERATED, 100.0)] {
        let text = company::config(&shape, "http://127.0.0.1:1001", "http://127.0.0.1:1002");
        let settings = config::parse(&text, "config.toml").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(settings.warnings, Vec::<String>::new());
        assert_eq!(settings.okta.org_url.as_str(), "http://127.0.0.1:1001/");
        assert_eq!(settings.activepieces.url.as_str(), "http://127.0.0.1:1002/");
        let app_at = settings.scope.app_at.clone();
        assert_eq!(settings.scope, Scope { app: Some("Activepieces".to_owned()), app_at, ..Scope::default() });
        assert_eq!(settings.policy.limits.deactivations, Limit::Percent(limit));
        assert!(settings.mapping.platform_role.is_some());
    }
}

#[tokio::test]
async fn both_servers_serve_once_started() {
    let sandbox = Sandbox::start(Options { company: GENERATED, ..Options::default() }).await.unwrap();
    assert_ne!(sandbox.okta_url(), sandbox.activepieces_url());
    for url in [sandbox.okta_url(), sandbox.activepieces_url()] {
        TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        assert!(sandbox.config().contains(&format!("\"{url}\"")), "{url}");
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let okta_port = taken.local_addr().unwrap().port();
    let error = Sandbox::start(Options { okta_port, ..Options::default() }).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
