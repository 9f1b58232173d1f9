//! A platform on a loopback port and short ways to ask it.

use std::sync::Arc;

use oktapieces_sandbox::activepieces::{Platform, SeedUser, router};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// The prefix of the SCIM routes.
pub const SCIM: &str = "/api/v1/scim/v2";
/// The attribute that holds the platform role.
pub const URN: &str = "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes";
/// An id that nothing has.
pub const UNKNOWN: &str = "123456789012345678901";

/// A platform that is served until the test's end.
pub struct Server {
    pub platform: Arc<Platform>,
    pub url: String,
    pub client: Client,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// `null` where the body isn't JSON.
    pub body: Value,
}

impl Answer {
    pub fn ids(&self) -> Vec<&str> {
        self.body["Resources"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
    }

    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }

    /// The ids of a group's members, sorted.
    pub fn members(&self) -> Vec<&str> {
        let mut ids: Vec<_> =
            self.body["members"].as_array().unwrap().iter().map(|m| m["value"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids
    }

    /// Status, `code` and `message`, wherever the shape has them.
    pub fn failure(&self) -> (u16, &str, &str) {
        let message = self.body["message"].as_str().or_else(|| self.body["params"]["message"].as_str());
        (self.status, self.body["code"].as_str().unwrap_or_default(), message.unwrap_or_default())
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::serve(Platform::new(7)).await
    }

    pub async fn serve(platform: Platform) -> Self {
        let platform = Arc::new(platform);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = router(Arc::clone(&platform));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { platform, url, client: Client::builder().no_proxy().build().unwrap() }
    }

    /// A request with the key, to be changed before it is sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header(AUTHORIZATION, format!("Bearer {}", self.platform.api_key()))
    }

    /// A request without a key.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Answer {
        finish(self.request(Method::GET, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header(CONTENT_TYPE, "application/scim+json");
        finish(request.body(body.to_string())).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    /// A PATCH with these operations.
    pub async fn patch(&self, path: &str, operations: Value) -> Answer {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        self.send(Method::PATCH, path, &json!({"schemas": schemas, "Operations": operations})).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        finish(self.request(Method::DELETE, path)).await
    }

    /// The list that a filter leads to; the filter is percent-encoded here.
    pub async fn filtered(&self, resource: &str, filter: &str) -> Answer {
        finish(self.request(Method::GET, &format!("{SCIM}/{resource}")).query(&[("filter", filter)])).await
    }

    /// An active member with this address.
    pub fn seed(&self, email: &str, external_id: Option<&str>) -> String {
        self.platform.seed_user(SeedUser {
            email: email.to_owned(),
            first_name: "Given".to_owned(),
            last_name: "Family".to_owned(),
            external_id: external_id.map(str::to_owned),
            role: "MEMBER".to_owned(),
            active: true,
        })
    }

    /// The same, deactivated.
    pub fn seed_inactive(&self, email: &str, external_id: Option<&str>) -> String {
        self.platform.seed_user(SeedUser {
            email: email.to_owned(),
            first_name: "Given".to_owned(),
            last_name: "Family".to_owned(),
            external_id: external_id.map(str::to_owned),
            role: "MEMBER".to_owned(),
            active: false,
        })
    }

    pub fn owner_id(&self) -> String {
        self.platform.user(Platform::OWNER_EMAIL).unwrap().id
    }

    /// The project roles of a project's members, by user id.
    pub fn roles(&self, project: &str) -> Vec<(String, String)> {
        let project = self.platform.projects().into_iter().find(|p| p.id == project).unwrap();
        project.members.into_iter().collect()
    }
}

pub async fn finish(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status, headers, text, body }
}

/// A user's body with both names.
pub fn user(email: &str, external_id: Option<&str>) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": email,
        "name": {"givenName": "Given", "familyName": "Family"},
    });
    if let Some(external_id) = external_id {
        body["externalId"] = json!(external_id);
    }
    body
}

/// A group's body.
pub fn group(name: &str, external_id: Option<&str>, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": members,
    });
    if let Some(external_id) = external_id {
        body["externalId"] = json!(external_id);
    }
    body
}
