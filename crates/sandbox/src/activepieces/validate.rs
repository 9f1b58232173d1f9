//! Checks params, query and body of a request, with the messages of the server's schema library.

use serde_json::Value;

use super::errors::Failure;
use super::query::Query;
use super::routes::Endpoint;
use super::settings::Generation;
use super::state::Id;

/// The attribute of users that holds the platform role.
pub(super) const CUSTOM_USER_ATTRIBUTES: &str = "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes";
/// The platform roles, in the order in which the server names them.
pub(super) const PLATFORM_ROLES: [&str; 3] = ["ADMIN", "MEMBER", "OPERATOR"];

/// All problems of a request, or none.
pub(super) fn check(
    endpoint: &Endpoint,
    query: &Query,
    body: Option<&Value>,
    generation: Generation,
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    params(endpoint, &mut problems);
    if problems.0.is_empty() {
        querystring(endpoint, query, &mut problems.0);
    }
    if problems.0.is_empty() {
        self::body(endpoint, body, generation, &mut problems);
    }
    if problems.0.is_empty() { Ok(()) } else { Err(Failure::validation(&problems.0)) }
}

fn params(endpoint: &Endpoint, problems: &mut Problems) {
    use Endpoint::{RestDeleteUser, RestGetUser, RestUpdateUser};
    if let RestGetUser(id) | RestUpdateUser(id) | RestDeleteUser(id) = endpoint
        && Id::parse(id).is_none()
    {
        problems.note("params/id", "Invalid string: must match pattern /^[0-9a-zA-Z]{21}$/");
    }
}

/// The project is needed.
fn expect_project(query: &Query, problems: &mut Vec<String>) {
    if query.text("projectId").is_none() {
        problems.push("querystring/projectId Invalid input: expected string, received undefined".to_owned());
    }
    query.expect_text(problems, "projectId");
}

fn querystring(endpoint: &Endpoint, query: &Query, problems: &mut Vec<String>) {
    match endpoint {
        Endpoint::ListUsers | Endpoint::ListGroups => {
            query.expect_text(problems, "filter");
            query.expect_number(problems, "startIndex");
            query.expect_number(problems, "count");
        }
        Endpoint::RestListUsers => {
            query.expect_text(problems, "cursor");
            query.expect_number(problems, "limit");
            query.expect_text(problems, "externalId");
        }
        Endpoint::RestListProjects => {
            for name in ["cursor", "externalId", "displayName", "externalUserId"] {
                query.expect_text(problems, name);
            }
            query.expect_number(problems, "limit");
            if query.all("types").any(|kind| !["PERSONAL", "TEAM"].contains(&kind)) {
                problems.push("querystring/types Invalid option: expected one of \"PERSONAL\"|\"TEAM\"".to_owned());
            }
        }
        Endpoint::RestListMembers => {
            expect_project(query, problems);
            query.expect_text(problems, "projectRoleId");
            query.expect_text(problems, "cursor");
            query.expect_number(problems, "limit");
        }
        Endpoint::RestListRoleMembers(_) => {
            query.expect_text(problems, "cursor");
            query.expect_number(problems, "limit");
        }
        Endpoint::RestListContents(_) | Endpoint::RestCountFlows => {
            expect_project(query, problems);
            query.expect_text(problems, "cursor");
            query.expect_number(problems, "limit");
        }
        Endpoint::RestListInvitations => {
            if !query.text("type").is_some_and(|kind| ["PLATFORM", "PROJECT"].contains(&kind)) {
                problems.push("querystring/type Invalid option: expected one of \"PLATFORM\"|\"PROJECT\"".to_owned());
            }
            query.expect_text(problems, "cursor");
            query.expect_number(problems, "limit");
        }
        _ => {}
    }
}

fn body(endpoint: &Endpoint, body: Option<&Value>, generation: Generation, problems: &mut Problems) {
    match endpoint {
        Endpoint::CreateUser | Endpoint::PutUser(_) => {
            problems.object("body", body, |problems, user| scim_user(problems, user, generation));
        }
        Endpoint::CreateGroup | Endpoint::PutGroup(_) => problems.object("body", body, scim_group),
        Endpoint::PatchUser(_) | Endpoint::PatchGroup(_) => problems.object("body", body, scim_patch),
        Endpoint::RestUpdateUser(_) => problems.object("body", body, |problems, user| {
            problems.optional("body/platformRole", user.get("platformRole"), |problems, path, value| {
                problems.one_of(path, value, &PLATFORM_ROLES);
            });
            problems.optional("body/status", user.get("status"), |problems, path, value| {
                problems.one_of(path, value, &["ACTIVE", "INACTIVE"]);
            });
            problems.optional("body/externalId", user.get("externalId"), Problems::string);
        }),
        Endpoint::RestCreateProject => problems.object("body", body, |problems, project| {
            problems.project_name("body/displayName", project.get("displayName"));
            rest_project(problems, project);
        }),
        Endpoint::RestUpdateProject(_) => problems.object("body", body, |problems, project| {
            problems.optional("body/displayName", project.get("displayName"), Problems::project_name);
            rest_project(problems, project);
        }),
        Endpoint::RestUpdateMember(_) => problems.object("body", body, |problems, member| {
            problems.string("body/role", member.get("role"));
        }),
        Endpoint::RestCreateRole => problems.object("body", body, |problems, role| {
            problems.string("body/name", role.get("name"));
            problems.strings("body/permissions", role.get("permissions"));
            problems.one_of("body/type", role.get("type"), &["DEFAULT", "CUSTOM"]);
        }),
        Endpoint::RestUpdateRole(_) => problems.object("body", body, |problems, role| {
            problems.optional("body/name", role.get("name"), Problems::string);
            problems.optional("body/permissions", role.get("permissions"), Problems::strings);
        }),
        Endpoint::RestInvite => problems.object("body", body, invitation),
        _ => {}
    }
}

fn scim_user(problems: &mut Problems, user: &Value, generation: Generation) {
    problems.strings("body/schemas", user.get("schemas"));
    problems.optional("body/externalId", user.get("externalId"), Problems::string);
    problems.string("body/userName", user.get("userName"));
    problems.optional("body/name", user.get("name"), |problems, path, name| {
        problems.object(path, name, |problems, name| {
            for part in ["givenName", "familyName", "formatted"] {
                problems.optional(&format!("{path}/{part}"), name.get(part), Problems::string);
            }
        });
    });
    problems.optional("body/emails", user.get("emails"), |problems, path, emails| {
        problems.array(path, emails, |problems, path, email| {
            problems.object(path, Some(email), |problems, email| {
                problems.string(&format!("{path}/value"), email.get("value"));
                problems.optional(&format!("{path}/type"), email.get("type"), Problems::string);
                problems.optional(&format!("{path}/primary"), email.get("primary"), |problems, path, primary| {
                    problems.primary(path, primary, generation);
                });
            });
        });
    });
    problems.optional("body/active", user.get("active"), Problems::boolean);
    let path = format!("body/{CUSTOM_USER_ATTRIBUTES}");
    problems.optional(&path, user.get(CUSTOM_USER_ATTRIBUTES), |problems, path, custom| {
        problems.object(path, custom, |problems, custom| {
            problems.one_of(&format!("{path}/platformRole"), custom.get("platformRole"), &PLATFORM_ROLES);
        });
    });
}

fn scim_group(problems: &mut Problems, group: &Value) {
    problems.strings("body/schemas", group.get("schemas"));
    problems.optional("body/externalId", group.get("externalId"), Problems::string);
    problems.string("body/displayName", group.get("displayName"));
    problems.optional("body/members", group.get("members"), |problems, path, members| {
        problems.array(path, members, |problems, path, member| {
            problems.object(path, Some(member), |problems, member| {
                problems.string(&format!("{path}/value"), member.get("value"));
                problems.optional(&format!("{path}/display"), member.get("display"), Problems::string);
                problems.optional(&format!("{path}/$ref"), member.get("$ref"), Problems::string);
            });
        });
    });
}

fn scim_patch(problems: &mut Problems, patch: &Value) {
    problems.strings("body/schemas", patch.get("schemas"));
    problems.array("body/Operations", patch.get("Operations"), |problems, path, operation| {
        problems.object(path, Some(operation), |problems, operation| {
            let op = operation.get("op").and_then(Value::as_str).unwrap_or_default();
            if !["add", "remove", "replace", "Add", "Remove", "Replace"].contains(&op) {
                problems.note(&format!("{path}/op"), "Invalid input");
            }
            problems.optional(&format!("{path}/path"), operation.get("path"), Problems::string);
        });
    });
}

fn rest_project(problems: &mut Problems, project: &Value) {
    problems.optional("body/externalId", project.get("externalId"), Problems::string);
    problems.optional("body/metadata", project.get("metadata"), |problems, path, metadata| {
        problems.object(path, metadata, |_, _| {});
    });
}

fn invitation(problems: &mut Problems, invitation: &Value) {
    match invitation.get("type").and_then(Value::as_str) {
        Some("PROJECT") => {
            problems.string("body/projectId", invitation.get("projectId"));
            problems.string("body/projectRole", invitation.get("projectRole"));
        }
        Some("PLATFORM") => {
            problems.one_of("body/platformRole", invitation.get("platformRole"), &PLATFORM_ROLES);
        }
        _ => problems.note("body/type", "Invalid input"),
    }
    problems.string("body/email", invitation.get("email"));
}

/// What is wrong with a request, in the order of the schema's keys.
#[derive(Debug, Default)]
struct Problems(Vec<String>);

impl Problems {
    fn note(&mut self, path: &str, message: &str) {
        self.0.push(format!("{path} {message}"));
    }

    fn wrong_type(&mut self, path: &str, expected: &str, value: Option<&Value>) {
        self.note(path, &format!("Invalid input: expected {expected}, received {}", type_name(value)));
    }

    fn optional(&mut self, path: &str, value: Option<&Value>, check: impl FnOnce(&mut Self, &str, Option<&Value>)) {
        if value.is_some() {
            check(self, path, value);
        }
    }

    fn string(&mut self, path: &str, value: Option<&Value>) {
        if !value.is_some_and(Value::is_string) {
            self.wrong_type(path, "string", value);
        }
    }

    fn boolean(&mut self, path: &str, value: Option<&Value>) {
        if !value.is_some_and(Value::is_boolean) {
            self.wrong_type(path, "boolean", value);
        }
    }

    fn object(&mut self, path: &str, value: Option<&Value>, check: impl FnOnce(&mut Self, &Value)) {
        match value {
            Some(object @ Value::Object(_)) => check(self, object),
            other => self.wrong_type(path, "object", other),
        }
    }

    fn array(&mut self, path: &str, value: Option<&Value>, check: impl Fn(&mut Self, &str, &Value)) {
        match value {
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    check(self, &format!("{path}/{index}"), item);
                }
            }
            other => self.wrong_type(path, "array", other),
        }
    }

    fn strings(&mut self, path: &str, value: Option<&Value>) {
        self.array(path, value, |problems, path, item| problems.string(path, Some(item)));
    }

    fn one_of(&mut self, path: &str, value: Option<&Value>, options: &[&str]) {
        if !value.and_then(Value::as_str).is_some_and(|text| options.contains(&text)) {
            let options: Vec<_> = options.iter().map(|option| format!("\"{option}\"")).collect();
            self.note(path, &format!("Invalid option: expected one of {}", options.join("|")));
        }
    }

    /// The current generation also takes the texts (docs/activepieces.md#creating-a-user and docs/activepieces.md#generations).
    fn primary(&mut self, path: &str, value: Option<&Value>, generation: Generation) {
        match generation {
            Generation::A => self.boolean(path, value),
            Generation::Current | Generation::HidesEmbedded => {
                let text = value.and_then(Value::as_str);
                if !value.is_some_and(Value::is_boolean) && !matches!(text, Some("true" | "false")) {
                    self.note(path, "Invalid input");
                }
            }
        }
    }

    /// The name of a project in REST: SCIM's are free (docs/activepieces.md#creating-a-group).
    fn project_name(&mut self, path: &str, value: Option<&Value>) {
        self.string(path, value);
        if value.and_then(Value::as_str).is_some_and(|name| name.is_empty() || name.contains(['.', '/'])) {
            self.note(path, "Invalid string: must match pattern /^[^./]+$/");
        }
    }
}

/// The name that the schema library gives to a value's type.
fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
