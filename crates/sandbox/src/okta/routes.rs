//! The routes, and the checks before them: rights, rate limits, and the number of requests at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HOST, HeaderName, InvalidHeaderValue, LINK, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::errors::{self, ApiError, Refusal};
use super::limits::{AT_ONCE, Granted};
use super::page::{Page, Query, Rules, cut, cut_all, decoded, limit, pages, parse_query};
use super::render;
use super::schemas;
use super::search::{self, Dialect, Expression};
use super::state::{Listing, Org, Tables, UserRow, creation_key};

/// All routes of the org, without the limits that [`admit`] puts before them. Links and hrefs use the host of the request.
pub fn router(org: Arc<Org>) -> Router {
    Router::new().fallback(answer).with_state(org)
}

/// Lets requests in by the org's limits; the outermost layer, so that it sees how many are in flight.
pub fn admit(router: Router, org: Arc<Org>) -> Router {
    router.layer(from_fn_with_state(org, limited))
}

/// More than any request for a token has, in bytes.
const LONGEST_FORM: usize = 64 * 1024;

/// What a request asks for.
pub(super) struct Ask<'a> {
    /// The path below `/api/v1`.
    pub path: Vec<&'a str>,
    pub query: Query,
    /// `http://` and what the request's `Host` says.
    pub host: String,
    credentials: bool,
}

/// An answer: one entity, or a page with its links.
pub(super) type Answer = Result<(String, Vec<(&'static str, String)>), ApiError>;

async fn limited(State(org): State<Arc<Org>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let Some(below) = path.strip_prefix("/api/v1/") else { return next.run(request).await };
    let segments: Vec<&str> = below.split('/').collect();
    let in_flight = org.enter();
    let now = org.now().as_second();
    if in_flight.number > AT_ONCE {
        org.refuse();
        // The concurrency kind has no limit to tell of, and its reset is a mere guess.
        let granted = Granted { limit: 0, remaining: 0, reset: now + 60, allowed: false };
        return with_limits(failed(&errors::too_many_requests()), granted);
    }
    let granted = org.take(&segments, now);
    if !granted.allowed {
        org.refuse();
        return with_limits(failed(&errors::too_many_requests()), granted);
    }
    let response = next.run(request).await;
    drop(in_flight);
    // A token's answer has the time already.
    let response = if response.headers().contains_key(DATE) { response } else { dated(response, None, now) };
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
    let (parts, body) = request.into_parts();
    let host = format!("http://{}", header(&parts.headers, HOST.as_str()).unwrap_or("localhost"));
    let path = parts.uri.path();
    if path == "/.well-known/okta-organization" {
        return json(StatusCode::OK, &render::well_known(&host));
    }
    if path == "/oauth2/v1/token" && parts.method == Method::POST {
        let form = to_bytes(body, LONGEST_FORM).await.unwrap_or_default();
        return token(&org, &format!("{host}{path}"), &parts.headers, &String::from_utf8_lossy(&form));
    }
    let Some(below) = path.strip_prefix("/api/v1/") else { return failed(&errors::no_such_path()) };
    if let Some(refused) = refused(&org, &parts, &host, below) {
        return refused;
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return failed(&errors::wrong_method());
    }
    let mut query = parse_query(parts.uri.query().unwrap_or_default());
    org.shorten(&mut query);
    let ask = Ask {
        path: below.split('/').collect(),
        query,
        credentials: !omits_credentials(header(&parts.headers, CONTENT_TYPE.as_str()).unwrap_or_default()),
        host,
    };
    match ask.answer(&org) {
        Err(error) => failed(&error),
        Ok((body, links)) => {
            let tag = etag(&body);
            let mut response = text(StatusCode::OK, body);
            if let (["users", _], Ok(tag)) = (ask.path.as_slice(), tag) {
                response.headers_mut().insert(ETAG, tag);
            }
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

/// A request for a token.
fn token(org: &Org, url: &str, headers: &HeaderMap, form: &str) -> Response {
    let (granted, nonce, now) = org.access(|access| (access.grant(url, headers, form), access.nonce(), access.now()));
    let refusal =
        |refusal: &Refusal| json(refusal.status(), &json!({"error": refusal.code, "error_description": refusal.why}));
    let nonce = Some(nonce).filter(|_| !granted.as_ref().is_err_and(|refusal| refusal.code != "use_dpop_nonce"));
    let response = granted.map_or_else(
        |error| refusal(&error),
        |granted| {
            json(
                StatusCode::OK,
                &json!({
                    "token_type": granted.kind, "expires_in": granted.seconds,
                    "access_token": granted.token, "scope": granted.scope,
                }),
            )
        },
    );
    dated(response, nonce, now)
}

/// The answer to a request that isn't let in.
fn refused(org: &Org, parts: &Parts, host: &str, below: &str) -> Option<Response> {
    let authorization = header(&parts.headers, AUTHORIZATION.as_str()).unwrap_or_default();
    if authorization == format!("SSWS {}", org.token()) {
        return None;
    }
    let is_access_token = |value: &str| value.matches('.').count() == 2;
    if !["Bearer ", "DPoP "].iter().any(|scheme| authorization.strip_prefix(scheme).is_some_and(is_access_token)) {
        return Some(failed(&errors::invalid_token()));
    }
    let path: Vec<&str> = below.split('/').collect();
    let (refusal, nonce, now) =
        org.access(|access| (access.admit(parts, host, &path).err(), access.nonce(), access.now()));
    let refusal = refusal?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = refusal.status();
    if let Some(Ok(challenge)) = refusal.challenge.as_deref().map(HeaderValue::from_str) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    Some(dated(response, Some(nonce).filter(|_| refusal.code == "use_dpop_nonce"), now))
}

/// With the org's own time, and the nonce for the next proofs.
fn dated(mut response: Response, nonce: Option<String>, now: i64) -> Response {
    let date = Timestamp::from_second(now).unwrap_or_default().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let nonce = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok());
    let headers = response.headers_mut();
    headers.extend(HeaderValue::from_str(&date).ok().map(|date| (DATE, date)));
    headers.extend(nonce.map(|nonce| (HeaderName::from_static("dpop-nonce"), nonce)));
    response
}

/// Whether a content type like `application/json; okta-response="omitCredentials,omitCredentialsLinks"` asks for users
/// without their credentials. Values that aren't known are ignored.
fn omits_credentials(content_type: &str) -> bool {
    let value = content_type.split(';').find_map(|part| part.trim().strip_prefix("okta-response="));
    value.is_some_and(|value| value.trim_matches('"').split(',').any(|wish| wish.trim() == "omitCredentials"))
}

/// The same for the same body.
fn etag(body: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    HeaderValue::from_str(&format!("W/\"{:016x}\"", hasher.finish()))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn json(status: StatusCode, body: &Value) -> Response {
    text(status, body.to_string())
}

fn text(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert("x-okta-request-id", HeaderValue::from_static("sandbox-request"));
    response
}

fn failed(error: &ApiError) -> Response {
    json(error.status, &error.body)
}

const USERS: Rules = Rules { is_search: true, keeps: &["search", "filter", "fields"], ..pages(200, 200) };
/// Of users with `q`, which are one page.
const USERS_BY_PREFIX: Rules = pages(10, 200);
const USER_FILTER: Dialect = Dialect::Filter(&[
    "id",
    "status",
    "lastUpdated",
    "profile.login",
    "profile.email",
    "profile.firstName",
    "profile.lastName",
]);
const GROUPS: Rules = Rules { is_search: true, keeps: &["search", "filter", "expand"], ..pages(10_000, 10_000) };
/// Of groups with `q`, which are one page.
const GROUPS_BY_PREFIX: Rules = pages(300, 300);
const GROUP_FILTER: Dialect = Dialect::Filter(&["id", "type", "lastUpdated", "lastMembershipUpdated"]);
const MEMBERS: Rules = pages(1000, 1000);
const GROUPS_OF_USER: Rules = pages(200, 200);
const RULES: Rules = pages(50, 200);

#[expect(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "it ends a route: routes can fail, and make the value on the way"
)]
pub(super) fn one(value: Value) -> Answer {
    Ok((value.to_string(), Vec::new()))
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a route, and routes can fail")]
pub(super) fn listed(page: Page<impl Display>) -> Answer {
    let mut body = String::from("[");
    for (at, item) in page.items.iter().enumerate() {
        // Writing to a string can't fail.
        let _ = write!(body, "{}{item}", if at == 0 { "" } else { "," });
    }
    body.push(']');
    Ok((body, page.links))
}

/// A listing that is sorted by creation.
struct Sorted {
    /// The least key that is listed.
    least: String,
    downwards: bool,
}

impl Sorted {
    /// The keys behind a cursor, with their users.
    fn keys<'t>(
        &self,
        tables: &'t Tables,
        after: Bound<&str>,
    ) -> Box<dyn Iterator<Item = (&'t String, &'t String)> + 't> {
        let all = &tables.by_creation;
        if self.downwards {
            let least = self.least.clone();
            let behind = all.range::<str, _>((Bound::Unbounded, after)).rev();
            return Box::new(behind.take_while(move |(key, _)| **key >= least));
        }
        let first = if after == Bound::Unbounded { Bound::Included(self.least.as_str()) } else { after };
        Box::new(all.range::<str, _>((first, Bound::Unbounded)))
    }
}

impl Ask<'_> {
    fn answer(&self, org: &Org) -> Answer {
        let tables = &*org.read();
        let host = &self.host;
        match self.path.as_slice() {
            ["users"] => self.users(tables, &org.missed(&Listing::Users)),
            ["users", id] => self.user(tables, id),
            ["users", id, "linkedObjects", name] => self.linked_objects(tables, id, name),
            ["users", id, "groups"] => self.groups_of_user(tables, id),
            ["groups"] => self.groups(tables),
            ["groups", "rules"] => listed(cut_all(&self.query, RULES, &BTreeMap::<String, Value>::new())?),
            ["groups", id] => {
                let row = tables.groups.get(*id).ok_or_else(|| errors::not_found(id, "UserGroup"))?;
                one(render::group(id, row, host))
            }
            ["groups", id, "users"] => self.members(tables, id, &org.missed(&Listing::Members((*id).to_owned()))),
            ["groups", id, "apps"] => self.apps_of_group(tables, id),
            ["apps", ..] => self.app_routes(tables, org),
            ["mappings"] => self.mappings(tables),
            ["mappings", id] => self.mapping(tables, id),
            ["meta", "schemas", "user", "default" | render::USER_SCHEMA] => one(schemas::user_schema(tables, host)),
            ["meta", "schemas", "user", "linkedObjects"] => one(schemas::linked_objects(tables)),
            ["meta", "schemas", "apps", app, "default"] => {
                let row = tables.apps.get(*app).ok_or_else(|| errors::not_found(app, "AppInstance"))?;
                one(schemas::app_schema(app, row, host))
            }
            ["meta", "schemas", "group", "default"] => one(schemas::group_schema(tables, host)),
            ["meta", "types", "user"] => one(schemas::user_types(tables, host)),
            ["org"] => one(render::org(host)),
            _ => Err(errors::no_such_path()),
        }
    }

    /// The parsed expression that a parameter holds.
    pub(super) fn expression(&self, parameter: &str, dialect: Dialect) -> Result<Option<Expression>, ApiError> {
        let text = self.query.get(parameter);
        text.map(|text| search::parse(text, dialect).map_err(|cause| errors::invalid_search(&cause))).transpose()
    }

    /// `q`, in lower case.
    pub(super) fn prefix(&self) -> Option<String> {
        self.query.get("q").map(|prefix| prefix.to_lowercase())
    }

    /// Whether `expand` names this.
    pub(super) fn expands(&self, name: &str) -> bool {
        self.query.get("expand").is_some_and(|expand| expand.split(',').any(|part| part == name))
    }

    /// Deactivated users are left out unless a search or a filter asks for them.
    fn users(&self, tables: &Tables, missed: &BTreeSet<String>) -> Answer {
        if let Some(prefix) = self.prefix() {
            let shown = |(_, row): &(&String, &UserRow)| row.status != "DEPROVISIONED" && begins(row, &prefix);
            let found = tables.users.iter().filter(shown).take(limit(&self.query, USERS_BY_PREFIX)?);
            return one(found.map(|(id, row)| render::user(id, row, &self.host, self.credentials)).collect());
        }
        let search = self.expression("search", Dialect::UserSearch)?;
        let criterion = search.map_or_else(|| self.expression("filter", USER_FILTER), |search| Ok(Some(search)))?;
        let everybody = criterion.as_ref().is_some_and(|criterion| criterion.is_present("status"));
        let meets = |id: &String, row: &UserRow| match &criterion {
            None => row.status != "DEPROVISIONED",
            Some(criterion) => everybody || criterion.is_met_by(&|attribute| render::user_values(id, row, attribute)),
        };
        let shown = |(id, row): &(&String, &UserRow)| !missed.contains(*id) && meets(id, row);
        let fields = self.query.get("fields").map(|fields| render::Fields::parse(fields));
        let rendered = |id: &str, row: &UserRow| match &fields {
            Some(fields) => render::user_fields(id, row, &self.host, fields),
            None => render::user_text(id, row, &self.host, self.credentials),
        };
        if let Some(sorted) = self.sorts_by_creation(criterion.as_ref())? {
            return listed(cut(&self.query, USERS, |after| {
                let rows = sorted.keys(tables, after).filter_map(|(key, id)| Some((key, id, tables.users.get(id)?)));
                rows.filter(|(_, id, row)| shown(&(*id, *row))).map(|(key, id, row)| (key.as_str(), rendered(id, row)))
            })?);
        }
        if let Some(ids) = criterion.as_ref().and_then(Expression::ids) {
            let found =
                ids.into_iter().filter(|id| !missed.contains(*id)).filter_map(|id| Some((id, tables.users.get(id)?)));
            let found: BTreeMap<&str, &UserRow> = found.collect();
            return listed(cut(&self.query, USERS, |after| {
                found.range::<str, _>((after, Bound::Unbounded)).map(|(id, row)| (*id, rendered(id, row)))
            })?);
        }
        listed(cut(&self.query, USERS, |after| {
            let rows = tables.users.range::<str, _>((after, Bound::Unbounded)).filter(shown);
            rows.map(|(id, row)| (id.as_str(), rendered(id, row)))
        })?)
    }

    /// How a listing is to be sorted by creation, if it is.
    fn sorts_by_creation(&self, criterion: Option<&Expression>) -> Result<Option<Sorted>, ApiError> {
        match self.query.get("sortBy").map(String::as_str) {
            None => Ok(None),
            Some("created") => {
                let least = criterion.and_then(|criterion| criterion.least("created"));
                let least = least.and_then(|least| least.parse::<Timestamp>().ok());
                let least = least.map(|least| creation_key(least, "")).unwrap_or_default();
                let downwards = self.query.get("sortOrder").is_some_and(|order| order == "desc");
                Ok(Some(Sorted { least, downwards }))
            }
            Some(_) => Err(errors::validation("sortBy", "the sandbox sorts by 'created' only")),
        }
    }

    fn user(&self, tables: &Tables, id: &str) -> Answer {
        let asked = decoded(id);
        let id = tables.logins.get(&asked.to_lowercase()).unwrap_or(&asked);
        let row = tables.users.get(id).ok_or_else(|| errors::not_found(&asked, "User"))?;
        one(render::user_alone(id, row, &self.host))
    }

    /// The primary user of this one, at most one, or all users that this one is primary to.
    fn linked_objects(&self, tables: &Tables, user: &str, name: &str) -> Answer {
        if !tables.users.contains_key(user) {
            return Err(errors::not_found(user, "User"));
        }
        let of_primary = tables.linked.get(name).map(|links| links.get(user).into_iter().collect());
        let of_associated = || {
            let links = tables.linked.get(name.strip_suffix(schemas::ASSOCIATED)?)?;
            Some(links.iter().filter(|(_, primary)| *primary == user).map(|(user, _)| user).collect())
        };
        let others: Vec<&String> =
            of_primary.or_else(of_associated).ok_or_else(|| errors::not_found(name, "LinkedObject"))?;
        let link = |id| json!({"_links": {"self": {"href": format!("{}/api/v1/users/{id}", self.host)}}});
        one(others.into_iter().map(link).collect())
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
        let stats = self.expands("stats");
        let rendered = |id: &str| {
            let row = tables.groups.get(id)?;
            let group = render::group(id, row, &self.host);
            Some(if stats { render::with_stats(group, id, tables, &self.host) } else { group })
        };
        if let Some(prefix) = self.prefix() {
            let found = tables.groups.iter().filter(|(_, row)| row.name.to_lowercase().starts_with(&prefix));
            let found = found.take(limit(&self.query, GROUPS_BY_PREFIX)?);
            return one(found.filter_map(|(id, _)| rendered(id)).collect());
        }
        let search = self.expression("search", Dialect::Search)?;
        let criterion = search.map_or_else(|| self.expression("filter", GROUP_FILTER), |search| Ok(Some(search)))?;
        listed(cut(&self.query, GROUPS, |after| {
            let rows = tables.groups.range::<str, _>((after, Bound::Unbounded));
            let rows = rows.filter_map(|(id, _)| Some((id.as_str(), rendered(id)?)));
            rows.filter(|(_, group)| criterion.as_ref().is_none_or(|criterion| criterion.meets(group)))
        })?)
    }

    /// Deactivated users are among the members.
    fn members(&self, tables: &Tables, group: &str, missed: &BTreeSet<String>) -> Answer {
        if !tables.groups.contains_key(group) {
            return Err(errors::not_found(group, "UserGroup"));
        }
        listed(cut(&self.query, MEMBERS, |after| {
            let seen = tables.members_behind(group, after).filter(|id| !missed.contains(*id));
            let rows = seen.filter_map(|id| Some((id, tables.users.get(id)?)));
            rows.map(|(id, row)| (id, render::user_text(id, row, &self.host, self.credentials)))
        })?)
    }
}

/// Whether first name, last name or e-mail address begins with a text.
pub(super) fn begins(row: &UserRow, prefix: &str) -> bool {
    let attributes = ["firstName", "lastName", "email", "login"].into_iter();
    let texts = attributes.filter_map(|name| row.profile.get(name)).filter_map(Value::as_str);
    texts.into_iter().any(|text| text.to_lowercase().starts_with(prefix))
}
