//! The routes, and what stands before them: rights, rate limits, and the number of requests at once.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LINK};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;

use super::errors::{self, ApiError};
use super::limits::{AT_ONCE, Granted};
use super::page::{Page, Query, Rules, cut, decoded, parse_query};
use super::render;
use super::search::{self, Criterion};
use super::state::{Org, Tables, UserRow};

/// All routes of the org, without the limits that [`admit`] puts before them. Links and hrefs use the host of the request.
pub fn router(org: Arc<Org>) -> Router {
    Router::new().fallback(answer).with_state(org)
}

/// Lets requests in by the org's limits; the outermost layer, so that it sees how many are in flight.
pub fn admit(router: Router, org: Arc<Org>) -> Router {
    router.layer(from_fn_with_state(org, limited))
}

/// What a request asks for.
struct Ask<'a> {
    /// The path below `/api/v1`.
    path: Vec<&'a str>,
    query: Query,
    host: String,
    credentials: bool,
}

/// An answer: one entity, or a page with its links.
type Answer = Result<(Value, Vec<(&'static str, String)>), ApiError>;

async fn limited(State(org): State<Arc<Org>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let Some(below) = path.strip_prefix("/api/v1/") else { return next.run(request).await };
    let segments: Vec<&str> = below.split('/').collect();
    let in_flight = org.enter();
    let now = Timestamp::now().as_second();
    if in_flight.number > AT_ONCE {
        // The concurrency kind has no limit to tell of, and its reset is a mere guess.
        let granted = Granted { limit: 0, remaining: 0, reset: now + 60, allowed: false };
        return with_limits(failed(&errors::too_many_requests()), granted);
    }
    let granted = org.take(&segments, now);
    if !granted.allowed {
        return with_limits(failed(&errors::too_many_requests()), granted);
    }
    let response = next.run(request).await;
    drop(in_flight);
    with_limits(response, granted)
}

fn with_limits(mut response: Response, granted: Granted) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-rate-limit-limit", granted.limit.into());
    headers.insert("x-rate-limit-remaining", granted.remaining.into());
    headers.insert("x-rate-limit-reset", granted.reset.into());
    response
}

async fn answer(State(org): State<Arc<Org>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let host = format!("http://{}", header(&parts.headers, HOST.as_str()).unwrap_or("localhost"));
    let path = parts.uri.path();
    if path == "/.well-known/okta-organization" {
        return json(StatusCode::OK, &render::well_known(&host));
    }
    let Some(below) = path.strip_prefix("/api/v1/") else { return failed(&errors::no_such_path()) };
    if header(&parts.headers, AUTHORIZATION.as_str()) != Some(format!("SSWS {}", org.token()).as_str()) {
        return failed(&errors::invalid_token());
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return failed(&errors::wrong_method());
    }
    let response = header(&parts.headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let ask = Ask {
        path: below.split('/').collect(),
        query: parse_query(parts.uri.query().unwrap_or_default()),
        credentials: !(response.contains("okta-response=") && response.contains("omitCredentials")),
        host,
    };
    match ask.answer(&org.read()) {
        Err(error) => failed(&error),
        Ok((body, links)) => {
            let mut response = json(StatusCode::OK, &body);
            for (rel, query) in links {
                let link = format!("<{}{path}?{query}>; rel=\"{rel}\"", ask.host);
                if let Ok(value) = HeaderValue::from_str(&link) {
                    response.headers_mut().append(LINK, value);
                }
            }
            response
        }
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert("x-okta-request-id", HeaderValue::from_static("sandbox-request"));
    response
}

fn failed(error: &ApiError) -> Response {
    json(error.status, &error.body)
}

const USERS: Rules = Rules { default: 200, most: 200, is_search: true, keeps: &["search", "filter"] };
const GROUPS: Rules = Rules { default: 10_000, most: 10_000, is_search: true, keeps: &["search", "filter", "expand"] };
const MEMBERS: Rules = Rules { default: 1000, most: 1000, is_search: false, keeps: &[] };
const GROUPS_OF_USER: Rules = Rules { default: 200, most: 200, is_search: false, keeps: &[] };
const APPS: Rules = Rules { default: 20, most: 200, is_search: false, keeps: &["q", "filter"] };
/// `expand` is lost in the links, as it was until release 2026.07.3.
const APP_USERS: Rules = Rules { default: 50, most: 500, is_search: false, keeps: &["q"] };
const APP_GROUPS: Rules = Rules { default: 20, most: 200, is_search: false, keeps: &[] };
const PUSHES: Rules = Rules { default: 100, most: 1000, is_search: false, keeps: &[] };
/// `sourceId` and `targetId` are lost in the links.
const MAPPINGS: Rules = Rules { default: 20, most: 200, is_search: false, keeps: &[] };

#[expect(clippy::unnecessary_wraps, reason = "it ends a route, and routes can fail")]
fn one(value: Value) -> Answer {
    Ok((value, Vec::new()))
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a route, and routes can fail")]
fn listed(page: Page<Value>) -> Answer {
    Ok((Value::Array(page.items), page.links))
}

impl Ask<'_> {
    fn answer(&self, tables: &Tables) -> Answer {
        let host = &self.host;
        match self.path.as_slice() {
            ["users"] => self.users(tables),
            ["users", id] => self.user(tables, id),
            ["users", id, "groups"] => self.groups_of_user(tables, id),
            ["groups"] => self.groups(tables),
            ["groups", id] => {
                let row = tables.groups.get(*id).ok_or_else(|| errors::not_found(id, "UserGroup"))?;
                one(render::group(id, row, host))
            }
            ["groups", id, "users"] => self.members(tables, id),
            ["apps", ..] => self.app_routes(tables),
            ["mappings"] => self.mappings(tables),
            ["mappings", id] => {
                let found = tables.apps.iter().find(|(app, _)| render::mapping_id(app) == *id);
                let (app, row) = found.ok_or_else(|| errors::not_found(id, "ProfileMapping"))?;
                one(render::mapping(app, row, host, true))
            }
            ["meta", "schemas", "user", "default"] => one(render::user_schema(tables, host)),
            ["meta", "schemas", "apps", app, "default"] => {
                let row = tables.apps.get(*app).ok_or_else(|| errors::not_found(app, "AppInstance"))?;
                one(render::app_schema(app, row, host))
            }
            ["meta", "types", "user"] => one(render::user_types(host)),
            ["org"] => one(render::org(host)),
            _ => Err(errors::no_such_path()),
        }
    }

    /// The parsed `search` or `filter`.
    fn criterion(&self) -> Result<Option<Criterion>, ApiError> {
        let text = self.query.get("search").or_else(|| self.query.get("filter"));
        text.map(|text| search::parse(text).map_err(|cause| errors::invalid_search(&cause))).transpose()
    }

    /// Deactivated users are left out unless a search or a filter asks for them.
    fn users(&self, tables: &Tables) -> Answer {
        let criterion = self.criterion()?;
        let everybody = matches!(&criterion, Some(Criterion::Present(attribute)) if attribute == "status");
        let prefix = self.query.get("q").map(|prefix| prefix.to_lowercase());
        let shown = |(id, row): &(&String, &UserRow)| match (&criterion, &prefix) {
            (_, Some(prefix)) => row.status != "DEPROVISIONED" && begins(row, prefix),
            (None, None) => row.status != "DEPROVISIONED",
            (Some(_), None) if everybody => true,
            (Some(criterion), None) => criterion.meets(&render::user(id, row, "", false)),
        };
        if prefix.is_some() {
            let found = tables.users.iter().filter(shown).take(10);
            return one(found.map(|(id, row)| render::user(id, row, &self.host, self.credentials)).collect());
        }
        listed(cut(&self.query, USERS, |after| {
            let rows = tables.users.range::<str, _>((after, Bound::Unbounded)).filter(shown);
            rows.map(|(id, row)| (id.as_str(), render::user(id, row, &self.host, self.credentials)))
        })?)
    }

    fn user(&self, tables: &Tables, id: &str) -> Answer {
        let asked = decoded(id);
        let id = tables.logins.get(&asked.to_lowercase()).unwrap_or(&asked);
        let row = tables.users.get(id).ok_or_else(|| errors::not_found(&asked, "User"))?;
        one(render::user(id, row, &self.host, true))
    }

    fn groups_of_user(&self, tables: &Tables, user: &str) -> Answer {
        if !tables.users.contains_key(user) {
            return Err(errors::not_found(user, "User"));
        }
        let mut groups = tables.groups_of.get(user).cloned().unwrap_or_default();
        groups.insert(tables.everyone.clone());
        listed(cut(&self.query, GROUPS_OF_USER, |after| {
            let rows = groups.range::<str, _>((after, Bound::Unbounded));
            rows.filter_map(|id| Some((id.as_str(), render::group(id, tables.groups.get(id)?, &self.host))))
        })?)
    }

    /// With `q` there is one page of at most 300 groups, and no link.
    fn groups(&self, tables: &Tables) -> Answer {
        let stats = self.query.get("expand").is_some_and(|expand| expand.contains("stats"));
        let rendered = |id: &String| {
            let row = tables.groups.get(id)?;
            let members = if *id == tables.everyone { tables.users.len() } else { row.members.len() };
            Some(if stats {
                render::group_with_stats(id, row, &self.host, members)
            } else {
                render::group(id, row, &self.host)
            })
        };
        if let Some(prefix) = self.query.get("q") {
            let prefix = prefix.to_lowercase();
            let found = tables.groups.iter().filter(|(_, row)| row.name.to_lowercase().starts_with(&prefix)).take(300);
            return one(found.filter_map(|(id, _)| rendered(id)).collect());
        }
        let criterion = self.criterion()?;
        listed(cut(&self.query, GROUPS, |after| {
            let rows = tables.groups.range::<str, _>((after, Bound::Unbounded));
            let rows = rows.filter_map(|(id, _)| Some((id.as_str(), rendered(id)?)));
            rows.filter(|(_, group)| criterion.as_ref().is_none_or(|criterion| criterion.meets(group)))
        })?)
    }

    /// Deactivated users are among the members.
    fn members(&self, tables: &Tables, group: &str) -> Answer {
        let row = tables.groups.get(group).ok_or_else(|| errors::not_found(group, "UserGroup"))?;
        let rendered = |id: &String| Some(render::user(id, tables.users.get(id)?, &self.host, self.credentials));
        if group == tables.everyone {
            return listed(cut(&self.query, MEMBERS, |after| {
                let rows = tables.users.range::<str, _>((after, Bound::Unbounded));
                rows.filter_map(|(id, _)| Some((id.as_str(), rendered(id)?)))
            })?);
        }
        listed(cut(&self.query, MEMBERS, |after| {
            let rows = row.members.range::<str, _>((after, Bound::Unbounded));
            rows.filter_map(|id| Some((id.as_str(), rendered(id)?)))
        })?)
    }

    fn app_routes(&self, tables: &Tables) -> Answer {
        let host = &self.host;
        let [_, id, below @ ..] = self.path.as_slice() else { return self.apps(tables) };
        let row = tables.apps.get(*id).ok_or_else(|| errors::not_found(id, "AppInstance"))?;
        match below {
            [] => one(render::app(id, row, host)),
            ["users"] => {
                let expand = self.query.get("expand").is_some_and(|expand| expand == "user");
                let prefix = self.query.get("q").map(|prefix| prefix.to_lowercase());
                let asked = |user: &str| {
                    prefix.as_ref().is_none_or(|prefix| tables.users.get(user).is_some_and(|row| begins(row, prefix)))
                };
                listed(cut(&self.query, APP_USERS, |after| {
                    let rows = row.users.range::<str, _>((after, Bound::Unbounded)).filter(|(user, _)| asked(user));
                    rows.map(|(user, at)| (user.as_str(), render::app_user(tables, id, user, *at, host, expand)))
                })?)
            }
            ["users", user] => {
                let assigned = row.users.get(*user).ok_or_else(|| errors::not_found(user, "AppUser"))?;
                one(render::app_user(tables, id, user, *assigned, host, self.query.contains_key("expand")))
            }
            ["groups"] => listed(cut(&self.query, APP_GROUPS, |_| std::iter::empty())?),
            ["group-push", "mappings"] => listed(cut(&self.query, PUSHES, |_| std::iter::empty())?),
            ["features"] if row.users.is_empty() => Err(errors::no_provisioning()),
            ["features"] => one(serde_json::json!([{"name": "USER_PROVISIONING", "status": "ENABLED"}])),
            _ => Err(errors::no_such_path()),
        }
    }

    /// `q` is a prefix of the name or the label.
    fn apps(&self, tables: &Tables) -> Answer {
        let prefix = self.query.get("q").map(|prefix| prefix.to_lowercase());
        let criterion = self.criterion()?;
        listed(cut(&self.query, APPS, |after| {
            let rows = tables.apps.range::<str, _>((after, Bound::Unbounded));
            let asked = rows.filter(|(_, row)| {
                let begins = |text: &str| prefix.as_ref().is_none_or(|prefix| text.to_lowercase().starts_with(prefix));
                begins(&row.label) || begins(&row.name)
            });
            let apps = asked.map(|(id, row)| (id.as_str(), render::app(id, row, &self.host)));
            apps.filter(|(_, app)| criterion.as_ref().is_none_or(|criterion| criterion.meets(app)))
        })?)
    }

    fn mappings(&self, tables: &Tables) -> Answer {
        let (source, target) = (self.query.get("sourceId"), self.query.get("targetId"));
        let known: BTreeSet<&str> = [render::USER_TYPE].into();
        listed(cut(&self.query, MAPPINGS, |after| {
            let rows = tables.apps.range::<str, _>((after, Bound::Unbounded)).map(|(app, row)| (app.as_str(), row));
            let asked = rows.filter(move |(app, _)| {
                source.is_none_or(|source| known.contains(source.as_str())) && target.is_none_or(|target| target == app)
            });
            asked.map(|(app, row)| (app, render::mapping(app, row, &self.host, false)))
        })?)
    }
}

/// Whether first name, last name or e-mail address begins with a text.
fn begins(row: &UserRow, prefix: &str) -> bool {
    let attributes = ["firstName", "lastName", "email", "login"].into_iter();
    let texts = attributes.filter_map(|name| row.profile.get(name)).filter_map(Value::as_str);
    texts.into_iter().any(|text| text.to_lowercase().starts_with(prefix))
}
