//! A small Okta for the client's own tests, with the habits that matter to it: it pages, loses parameters in its links,
//! and can hide a user from a listing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::http::scripted::{Act, ScriptedServer, Seen, answer, fast};
use crate::http::{Client, Settings};
use crate::okta::api::client::{Okta, api_token, settings};

/// A client with the real budgets and pauses of milliseconds.
pub(super) fn okta(url: &str) -> Okta {
    Okta::new(Client::new(Settings { retry: fast(), ..settings(url, api_token(&"00token".into())) }).unwrap())
}

pub(super) fn error(status: u16, code: &str, cause: &str) -> Act {
    let body = json!({"errorCode": code, "errorSummary": "x", "errorCauses": [{"errorSummary": cause}]});
    answer(status, &[("content-type", "application/json")], &body.to_string())
}

/// A page with its `Link` headers apart, as Okta sends them.
pub(super) fn page(seen: &Seen, items: &Value, after: Option<&str>) -> Act {
    let here = format!("http://{}{}", seen.header("host").unwrap(), seen.path());
    let own = format!("<{here}?limit=1>; rel=\"self\"");
    let next = after.map(|after| format!("<{here}?after={after}>; rel=\"next\""));
    let mut headers = vec![("content-type", "application/json"), ("Link", own.as_str())];
    headers.extend(next.as_deref().map(|next| ("link", next)));
    answer(200, &headers, &items.to_string())
}

pub(super) fn user(id: &str, status: &str) -> Value {
    // Created in the order of the ids.
    let second = id.bytes().last().unwrap_or_default() % 60;
    let created = format!("2024-01-01T00:00:{second:02}.000Z");
    json!({"id": id, "status": status, "created": created, "profile": {"login": format!("{id}@example.com")}})
}

#[derive(Clone, Default)]
pub(super) struct Company {
    /// Id and status.
    pub users: BTreeMap<&'static str, &'static str>,
    /// Id, name, type and members.
    pub groups: Vec<(&'static str, &'static str, &'static str, Vec<&'static str>)>,
    /// Id, label, status and assigned users.
    pub apps: Vec<(&'static str, &'static str, &'static str, Vec<&'static str>)>,
    /// Entities on a page.
    pub page: usize,
    /// Path and user: missing from that listing; `index` is whatever is found by a search or filter.
    pub hidden: BTreeSet<(&'static str, &'static str)>,
    /// The statuses of assignments that aren't ACTIVE, by user.
    pub assignments: BTreeMap<&'static str, &'static str>,
    /// Embeds no user in app users after the first page, as Okta did.
    pub forgets_expand: bool,
}

impl Company {
    pub(super) async fn serve(self) -> ScriptedServer {
        ScriptedServer::new(move |seen| self.act(seen)).await
    }

    pub(super) fn act(&self, seen: &Seen) -> Act {
        let path = seen.path().trim_start_matches("/api/v1/").to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["users"] => self.list(seen, &self.searched(seen)),
            ["users", id] => self.one(self.users.get_key_value(id).map(|(id, status)| user(id, status))),
            ["users", id, "groups"] if self.users.contains_key(id) => {
                let groups = self.groups.iter().filter(|group| group.3.contains(id));
                self.list(seen, &groups.map(group_json).collect::<Vec<_>>())
            }
            ["users", _, "groups"] => self.one(None),
            ["groups"] => self.list(seen, &self.groups.iter().map(group_json).collect::<Vec<_>>()),
            ["groups", id] => self.one(self.groups.iter().find(|group| group.0 == *id).map(group_json)),
            ["groups", id, "users"] => match self.groups.iter().find(|group| group.0 == *id) {
                Some(group) => self.list(seen, &self.people(&path, &group.3)),
                None => self.one(None),
            },
            ["apps"] => {
                let prefix = seen.param("q").unwrap_or_default();
                let apps = self.apps.iter().filter(|app| app.1.starts_with(&prefix)).map(app_json);
                self.list(seen, &apps.collect::<Vec<_>>())
            }
            ["apps", id] => self.one(self.apps.iter().find(|app| app.0 == *id).map(app_json)),
            ["apps", id, "users"] => match self.apps.iter().find(|app| app.0 == *id) {
                Some(app) => self.list(seen, &self.app_users(seen, &path, &app.3)),
                None => self.one(None),
            },
            ["apps", id, "users", user] => {
                let assigned = self.apps.iter().any(|app| app.0 == *id && app.3.contains(user));
                self.one(assigned.then(|| json!({"id": user, "status": self.assignment(user), "profile": {}})))
            }
            _ => error(404, "E0000008", "path"),
        }
    }

    fn searched(&self, seen: &Seen) -> Vec<Value> {
        let text = seen.param("search").or_else(|| seen.param("filter")).unwrap();
        // A search or filter for a few users.
        let narrowed = text.contains("id eq \"");
        let hidden = |id: &str| {
            let is_hidden = |path: &str| self.hidden.iter().any(|(at, user)| *at == path && *user == id);
            is_hidden("index") || (!narrowed && is_hidden("users"))
        };
        let fits = |id: &str| {
            (!narrowed || text.contains(&format!("id eq \"{id}\"")))
                && (!text.contains("status eq \"ACTIVE\"") || self.users[id] == "ACTIVE")
        };
        let shown = self.users.keys().filter(|id| !hidden(id) && fits(id));
        shown.map(|id| user(id, self.users[id])).collect()
    }

    fn people(&self, path: &str, ids: &[&'static str]) -> Vec<Value> {
        let shown = ids.iter().filter(|id| !self.hidden.iter().any(|(at, user)| *at == path && user == *id));
        shown.map(|id| user(id, self.users[id])).collect()
    }

    fn app_users(&self, seen: &Seen, path: &str, ids: &[&'static str]) -> Vec<Value> {
        let expands = seen.param("expand").as_deref() == Some("user");
        let forgets = self.forgets_expand && seen.param("after").is_some();
        let people = self.people(path, ids).into_iter();
        let with_user = |person: Value| {
            let embedded = if expands && !forgets { json!({"user": person}) } else { json!({}) };
            let status = self.assignment(person["id"].as_str().unwrap());
            json!({"id": person["id"], "status": status, "scope": "USER", "profile": {}, "_embedded": embedded})
        };
        people.map(with_user).collect()
    }

    fn assignment(&self, user: &str) -> &'static str {
        self.assignments.get(user).copied().unwrap_or("ACTIVE")
    }

    fn list(&self, seen: &Seen, items: &[Value]) -> Act {
        let start: usize = seen.param("after").map_or(0, |after| after.parse().unwrap());
        let end = (start + self.page.max(1)).min(items.len());
        let after = (end < items.len()).then(|| end.to_string());
        page(seen, &Value::Array(items[start..end].to_vec()), after.as_deref())
    }

    #[expect(clippy::unused_self, reason = "reads like its sibling")]
    fn one(&self, entity: Option<Value>) -> Act {
        match entity {
            Some(entity) => answer(200, &[("content-type", "application/json")], &entity.to_string()),
            None => error(404, "E0000007", "Not found"),
        }
    }
}

fn group_json(group: &(&str, &str, &str, Vec<&str>)) -> Value {
    json!({"id": group.0, "type": group.2, "profile": {"name": group.1}})
}

fn app_json(app: &(&str, &str, &str, Vec<&str>)) -> Value {
    json!({"id": app.0, "name": "bookmark", "label": app.1, "status": app.2})
}
