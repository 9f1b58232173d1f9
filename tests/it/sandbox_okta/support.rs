//! An org on a loopback port and short ways to ask it.

use std::sync::Arc;

use oktapieces_sandbox::okta::{Org, SeedUser, admit, router};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Map, Value, json};

/// The label of the app of these tests.
pub const APP: &str = "Activepieces";
/// An id that no user has.
pub const UNKNOWN: &str = "00u0000000000000none";

/// An org that is served until the test's end.
pub struct Server {
    pub org: Arc<Org>,
    pub url: String,
    pub client: Client,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// `null` where the body isn't JSON.
    pub body: Value,
}

impl Answer {
    pub fn ids(&self) -> Vec<&str> {
        self.items().iter().map(|item| item["id"].as_str().unwrap()).collect()
    }

    pub fn items(&self) -> &Vec<Value> {
        self.body.as_array().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// The logins of users, sorted.
    pub fn logins(&self) -> Vec<&str> {
        let mut logins: Vec<_> =
            self.items().iter().map(|item| item["profile"]["login"].as_str().unwrap_or_default()).collect();
        logins.sort_unstable();
        logins
    }

    /// The names of groups, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.items().iter().map(|item| item["profile"]["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        names
    }

    /// The values of the `Link` headers, each as it came.
    pub fn links(&self) -> Vec<&str> {
        self.headers.get_all("link").iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The URL of the link of this kind.
    pub fn link(&self, rel: &str) -> Option<&str> {
        let end = format!(">; rel=\"{rel}\"");
        self.links().into_iter().find_map(|link| link.strip_prefix('<')?.strip_suffix(&end))
    }

    pub fn next(&self) -> &str {
        self.link("next").unwrap_or_else(|| panic!("no next link: {:?}", self.links()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn number(&self, header: &str) -> i64 {
        self.header(header).parse().unwrap()
    }

    /// Status and error code.
    pub fn failure(&self) -> (u16, &str) {
        (self.status, self.body["errorCode"].as_str().unwrap_or_default())
    }

    /// What the first cause of an error says.
    pub fn cause(&self) -> &str {
        self.body["errorCauses"][0]["errorSummary"].as_str().unwrap_or_default()
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::serve(Org::new(7, None)).await
    }

    pub async fn serve(org: Org) -> Self {
        let org = Arc::new(org);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = admit(router(Arc::clone(&org)), Arc::clone(&org));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { org, url, client: Client::builder().no_proxy().build().unwrap() }
    }

    /// A request with the token, to a path below `/api/v1/` or a whole URL.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header(AUTHORIZATION, format!("SSWS {}", self.org.token()))
    }

    /// A request without a token.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}/api/v1/{path}", self.url) };
        self.client.request(method, url)
    }

    pub async fn get(&self, path: &str) -> Answer {
        finish(self.request(Method::GET, path)).await
    }

    /// The first page of a listing with parameters, which are percent-encoded here.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        finish(self.request(Method::GET, path).query(parameters)).await
    }

    /// The users that a search finds.
    pub async fn search(&self, search: &str) -> Answer {
        self.query("users", &[("search", search)]).await
    }

    /// The ids on all pages, links followed as they came.
    pub async fn all_ids(&self, path: &str) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let page = self.get(&path).await;
            ids.extend(page.ids().into_iter().map(str::to_owned));
            next = page.link("next").map(str::to_owned);
        }
        ids
    }

    /// A user with this login, which is the address too.
    pub fn user(&self, login: &str, status: &str) -> String {
        self.person(status, &json!({"login": login, "email": login, "firstName": "Given", "lastName": "Family"}))
    }

    /// A user with this profile.
    pub fn person(&self, status: &str, profile: &Value) -> String {
        let profile: Map<String, Value> = profile.as_object().unwrap().clone();
        self.org.seed_user(SeedUser { id: None, status: status.to_owned(), profile })
    }

    /// So many active users; their ids, sorted.
    pub fn users(&self, count: usize) -> Vec<String> {
        let mut ids: Vec<_> =
            (0..count).map(|number| self.user(&format!("user{number:04}@example.com"), "ACTIVE")).collect();
        ids.sort();
        ids
    }

    /// So many groups without members.
    pub fn groups(&self, count: usize) -> Vec<String> {
        (0..count).map(|number| self.group(&format!("Group {number:04}"), &[])).collect()
    }

    pub fn group(&self, name: &str, members: &[String]) -> String {
        self.org.seed_group(None, name, "OKTA_GROUP", members)
    }

    /// The app with these users assigned.
    pub fn app(&self, users: &[String]) -> String {
        self.org.seed_app(APP, users)
    }

    pub fn everyone(&self) -> String {
        self.org.group_id("Everyone").unwrap()
    }
}

pub async fn finish(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default() }
}
