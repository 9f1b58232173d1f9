//! Findings of the check, and expressions without findings.

use super::check::{AttributeType, Finding, Schema, Severity, Wants, check};
use super::*;
use crate::model::org::{Instances, Relation};
use crate::model::packed::Attributes;

fn schema() -> Schema {
    use AttributeType::{Array, Boolean, Integer, Number, Other, String};
    let attributes = [
        ("login", String),
        ("firstName", String),
        ("department", String),
        ("okta_role", String),
        ("level", Integer),
        ("salary", Number),
        ("contractor", Boolean),
        ("tags", Array),
        ("blob", Other),
    ];
    attributes.into_iter().map(|(name, kind)| (name.to_owned(), kind.into())).collect()
}

fn findings(source: &str, wants: Wants) -> Vec<Finding> {
    check(&Expression::parse(source).unwrap(), &schema(), wants)
}

/// Expression, the part that a finding is about, its severity, a part of its message, and a part of its hint.
type Expected = (&'static str, &'static str, Severity, &'static str, &'static str);

fn finds(wants: Wants, cases: &[Expected]) {
    for (source, part, severity, message, hint) in cases {
        let found = findings(source, wants);
        let is_it = |finding: &&Finding| {
            finding.severity == *severity
                && &source[finding.span.clone()] == *part
                && finding.message.contains(message)
                && finding.hint.as_deref().unwrap_or_default().contains(hint)
        };
        assert_eq!(found.iter().filter(is_it).count(), 1, "{source}: {found:#?}");
    }
}

use Severity::{Error, Note, Warning};

#[test]
fn attributes_that_the_schema_lacks() {
    finds(
        Wants::Text,
        &[
            (
                "user.firstname",
                "user.firstname",
                Error,
                "no attribute firstname",
                "firstName; names are case-sensitive",
            ),
            ("user.profile.deprtment", "user.profile.deprtment", Error, "no attribute deprtment", "department"),
            ("user['logn']", "user['logn']", Error, "no attribute logn", "login"),
            ("source.zzz", "source.zzz", Error, "no attribute zzz", ""),
            ("'a' + user.xyz1 + 'b'", "user.xyz1", Error, "no attribute xyz1", ""),
        ],
    );
    let nothing_known = check(&Expression::parse("user.anything").unwrap(), &Schema::new(), Wants::Text);
    assert_eq!(nothing_known, []);
    assert_eq!(findings("user.displayName + user.costCenter", Wants::Text), [], "every org has Okta's own");
}

#[test]
fn names_of_which_nothing_is_known() {
    finds(
        Wants::Text,
        &[
            ("firstName", "firstName", Error, "unknown name firstName", "user.firstName"),
            ("usr.login", "usr", Error, "unknown name usr", "user"),
            ("ADMIN", "ADMIN", Error, "unknown name ADMIN", "quotes"),
            ("session.amr", "session", Error, "exists only in a sign-in", ""),
        ],
    );
    // It may be the name of an app.
    assert_eq!(check(&Expression::parse("zendesk.role").unwrap(), &Schema::new(), Wants::Text), []);
}

#[test]
fn arguments_and_operands_of_wrong_types() {
    finds(
        Wants::Text,
        &[
            ("String.len({'a': 1}) > 1 ? 'a' : 'b'", "{'a': 1}", Error, "String.len expects a string, found a map", ""),
            ("String.substring(user.login, '1', 2)", "'1'", Error, "expects an integer", ""),
            ("String.toUpperCase(null)", "null", Error, "found null", ""),
            ("Arrays.contains(user.level, 1) ? 'a' : 'b'", "user.level", Error, "Arrays.contains expects an array", ""),
            ("user.contractor.plusDays(1).toString()", "user.contractor", Error, ".plusDays expects a time", ""),
            ("'' + (user.login - 1)", "user.login", Error, "- expects a number, found a string", "Convert.toInt"),
            ("'' + (user.level + user.contractor)", "user.contractor", Error, "+ expects a number", ""),
            ("user.login + null", "null", Error, "null can't be joined", ""),
            ("user.login + {'a': 1}", "{'a': 1}", Error, "a map can't be joined", ""),
            ("user.login > 3 ? 'a' : 'b'", "user.login > 3", Error, "a string can't be compared with an integer", ""),
            (
                "user.level == '3' ? 'a' : 'b'",
                "user.level == '3'",
                Error,
                "always false: an integer never equals a string",
                "",
            ),
            ("user.level != '3' ? 'a' : 'b'", "user.level != '3'", Error, "always true", ""),
            ("user.tags matches 'a' ? 'a' : 'b'", "user.tags", Error, "an array can't be matched", ""),
            ("user.login matches user.level ? 'a' : 'b'", "user.level", Error, "a pattern must be a string", ""),
            ("user.isMemberOf('Admins') ? 'a' : 'b'", "'Admins'", Error, "expects a criterion", ""),
            ("isMemberOfGroupName(1) ? 'a' : 'b'", "1", Error, "expects a string", ""),
            ("'' + (-user.login)", "user.login", Error, "- expects a number", ""),
        ],
    );
}

#[test]
fn branches_that_are_no_role() {
    finds(
        Wants::Role,
        &[
            ("user.contractor ? 'Admin' : 'MEMBER'", "'Admin'", Error, "\"Admin\" is not a role", "write ADMIN"),
            (
                "user.contractor ? 'OWNER' : 'MEMBER'",
                "'OWNER'",
                Error,
                "\"OWNER\" is not a role",
                "ADMIN, OPERATOR and MEMBER",
            ),
            ("user.contractor ? 'ADMIN' : null", "null", Note, "an existing one keeps its role", ""),
            ("user.contractor ? 'ADMIN' : 1", "1", Error, "an integer is not a role", ""),
            ("user.tags", "user.tags", Error, "an array is not a role", ""),
            (
                "String.stringSwitch(user.okta_role, 'MEMBER', 'a', 'Operator')",
                "'Operator'",
                Error,
                "not a role",
                "OPERATOR",
            ),
            ("user.okta_role ?: 'member'", "'member'", Error, "not a role", "MEMBER"),
            (
                "user.contractor ? String.toUpperCase('adm') : 'MEMBER'",
                "String.toUpperCase('adm')",
                Error,
                "\"ADM\"",
                "",
            ),
            (
                "user.contractor ? 'ADMIN' : 'MEMBER'",
                "user.contractor ? 'ADMIN' : 'MEMBER'",
                Note,
                "no branch returns OPERATOR",
                "",
            ),
            ("'MEMBER'", "'MEMBER'", Note, "no branch returns ADMIN", ""),
        ],
    );
    let open = findings("user.contractor ? 'ADMIN' : user.okta_role", Wants::Role);
    assert_eq!(open, [], "an attribute may hold any role");
}

#[test]
fn values_that_are_no_text() {
    finds(
        Wants::Text,
        &[
            ("user.contractor", "user.contractor", Error, "expected a string, found a boolean", "'' + x"),
            ("user.contractor ? user.tags : user.login", "user.tags", Error, "an array", "Arrays.toCsvString"),
            ("user.level == 1", "user.level == 1", Error, "a boolean", ""),
            ("DateTime.now()", "DateTime.now()", Error, "a time", ""),
        ],
    );
    assert_eq!(findings("user.login == '' ? null : user.login", Wants::Text), []);
}

#[test]
fn conditions_that_are_traps() {
    let trap = "user.login != null or user.login != \"\"";
    let both = "user.login == 'a' and user.login == 'b'";
    finds(
        Wants::GroupRule,
        &[
            (trap, trap, Error, "always true, whatever user.login is", "`and`"),
            (both, both, Error, "always false, whatever user.login is", "`or`"),
            (
                "'a' != user.login || user.login != 'b'",
                "'a' != user.login || user.login != 'b'",
                Error,
                "always true",
                "",
            ),
            ("user.level == 1 or user.level != 1", "user.level == 1 or user.level != 1", Error, "always true", ""),
            ("user.level == 1 and user.level != 1", "user.level == 1 and user.level != 1", Error, "always false", ""),
            ("user.level == 1 or user.level == 1", "user.level == 1", Warning, "repeated", ""),
            ("user.contractor or true", "true", Warning, "always true", ""),
            ("user.contractor and 1 == 2", "1 == 2", Warning, "always false", ""),
            ("!(1 < 2)", "(1 < 2)", Warning, "always true", ""),
            ("user.login or user.contractor", "user.login", Warning, "found a string", ""),
            ("user.level and user.contractor", "user.level", Error, "found an integer", ""),
            (
                "String.toLowerCase(user.login) == 'Ada'",
                "String.toLowerCase(user.login) == 'Ada'",
                Error,
                "never gives \"Ada\"",
                "\"ada\"",
            ),
            ("user.login.toUpperCase() != 'ada'", "user.login.toUpperCase() != 'ada'", Error, "always true", "\"ADA\""),
        ],
    );
    finds(
        Wants::Text,
        &[
            ("user.contractor ? 'a' : 'a'", "user.contractor ? 'a' : 'a'", Warning, "both branches are the same", ""),
            (
                "user.contractor ? 'a' : user.level == 1 ? 'b' : user.contractor ? 'c' : 'd'",
                "user.contractor",
                Warning,
                "an earlier branch has the same condition",
                "",
            ),
            (
                "String.stringSwitch(user.login, 'd', 'op', 'x', 'operator', 'y')",
                "'operator'",
                Warning,
                "never wins",
                "longer key first",
            ),
        ],
    );
}

#[test]
fn what_is_not_a_trap() {
    for source in [
        "user.login != null and user.login != \"\"",
        "user.login == null or user.login == \"\"",
        "user.login == 'a' or user.login == 'b'",
        "user.level > 1 and user.level < 5",
        "user.login != 'a' or user.department != 'b'",
        "user.level == 1.0",
        "user.login == null",
        "user.blob == 1 and user.blob > 'a'",
        "String.toLowerCase(user.login) == 'ada'",
        "Arrays.contains(user.tags, 'a')",
        "Arrays.contains('a,b', user.login)",
        "user.isMemberOf({'group.profile.name': 'a'})",
    ] {
        assert_eq!(findings(source, Wants::GroupRule), [], "{source}");
    }
}

#[test]
fn what_a_group_rule_may_not_use() {
    finds(
        Wants::GroupRule,
        &[
            ("Convert.toInt('1') == user.level", "Convert.toInt('1')", Error, "Convert.toInt isn't allowed", ""),
            ("user.status == 'ACTIVE'", "user.status", Error, "user.status isn't allowed", "getInternalProperty"),
            ("user.login", "user.login", Error, "a group rule must be true or false", ""),
        ],
    );
}

#[test]
fn the_documented_role_example_is_clean() {
    let role = "user.okta_role == 'Master' ? 'ADMIN' : user.okta_role == 'op' ? 'OPERATOR' : 'MEMBER'";
    assert_eq!(findings(role, Wants::Role), []);
}

#[test]
fn all_findings_come_in_the_order_of_the_source() {
    let found = findings("user.nope == 'a' ? 'Admin' : user.level ? 'x' : 'MEMBER'", Wants::Role);
    let starts: Vec<usize> = found.iter().map(|finding| finding.span.start).collect();
    assert!(starts.is_sorted() && starts.len() >= 4, "{found:#?}");
}

#[test]
fn a_trace_shows_what_was_evaluated_in_the_order_of_the_source() {
    use crate::model::okta::{Status, User};
    let source = "user.okta_role == 'op' ? String.toUpperCase(user.department) : user.level + 1";
    let expression = Expression::parse(source).unwrap();
    let profile = serde_json::json!({"okta_role": "op", "department": "ops"});
    let user = User::new("00u1".into(), Status::Active, profile.as_object().cloned().unwrap());
    let steps = expression.trace(&Context::new(&user, &[]));
    let shown: Vec<(&str, String)> =
        steps.iter().map(|step| (step.text, step.outcome.as_ref().unwrap().to_json().to_string())).collect();
    let expected = [
        (source, "\"OPS\""),
        ("user.okta_role == 'op'", "true"),
        ("user.okta_role", "\"op\""),
        ("String.toUpperCase(user.department)", "\"OPS\""),
        ("user.department", "\"ops\""),
    ];
    assert_eq!(shown, expected.map(|(text, value)| (text, value.to_owned())));
}

#[test]
fn a_trace_ends_at_the_error() {
    use crate::model::okta::{Status, User};
    let expression = Expression::parse("'a' + user.none + user.login").unwrap();
    let user = User::new("00u1".into(), Status::Active, serde_json::Map::new());
    let steps = expression.trace(&Context::new(&user, &[]));
    let failed: Vec<&str> = steps.iter().filter(|step| step.outcome.is_err()).map(|step| step.text).collect();
    assert_eq!(failed, ["'a' + user.none + user.login", "'a' + user.none"]);
}

#[test]
fn what_an_expression_needs_is_known_and_nothing_more() {
    let needs = |source: &str| Expression::parse(source).unwrap().needs().clone();
    assert_eq!(needs("'a'"), Needs::default());
    let all = needs(
        "{appuser.x, app.x, org.name, user.getLinkedObject('boss'), getManagerUser('active_directory'), \
         getAssistantUser('active_directory'), hasDirectoryUser(), findWorkdayUser(), user.created, Time.now(), \
         session.id, isMemberOfGroup('x'), user.getGroups({'group.source.id': 'x'})}",
    );
    let expected = Needs {
        attributes: Attributes::All,
        groups: true,
        named_groups: ["x".to_owned()].into(),
        group_objects: true,
        app_user: true,
        app: true,
        org: true,
        relations: [Relation::LinkedObject("boss".to_owned()), Relation::Manager, Relation::Assistant].into(),
        any_linked_object: false,
        assignments: [Instances::All(DIRECTORY), Instances::All(WORKDAY)].into(),
        now: true,
        staged: false,
        names: ["session".to_owned()].into(),
    };
    assert_eq!(all, expected);
    let named = needs("workday_abc1234.hasWorkdayUser() ? workday_abc1234.findWorkdayUser().x : null").assignments;
    assert_eq!(named, [Instances::Named("workday_abc1234".to_owned())].into());
    assert!(needs("user.getLinkedObject(user.x)").any_linked_object);
    assert!(needs("user.created.withinDays(1)").now);
}

#[test]
fn the_attributes_that_an_expression_reads_are_known() {
    let named = |names: &[&str]| Attributes::Named(names.iter().map(|name| (*name).to_owned()).collect());
    let cases = [
        ("user.login + source.title", named(&["login", "title"])),
        ("user.profile.title == user['city'] ? user.profile['x'] : null", named(&["city", "profile", "title", "x"])),
        ("user.displayName", named(&["displayName", "firstName", "lastName"])),
        ("user.created", named(&["created"])),
        ("appuser.x + 'user.y'", named(&[])),
        ("user.isMemberOf({'group.id': 'x'}) or isMemberOfAnyGroup(user.x)", named(&["x"])),
        ("user", Attributes::All),
        ("user.x == user.profile", Attributes::All),
        ("user[user.x]", Attributes::All),
        ("user.profile[user.x]", Attributes::All),
        ("user.getLinkedObject('manager').email", Attributes::All),
    ];
    for (source, attributes) in cases {
        assert_eq!(Expression::parse(source).unwrap().needs().attributes, attributes, "{source}");
    }
}

fn listed() -> Schema {
    let of = |json: serde_json::Value| check::Attribute::parse(&json);
    let attributes = [
        ("isAdmin", serde_json::json!({"type": "boolean"})),
        ("role", serde_json::json!({"type": "string", "oneOf": [{"const": "master"}, {"const": "op"}]})),
        ("teams", serde_json::json!({"type": "array", "items": {"type": "string", "enum": ["red", "blue"]}})),
        ("levels", serde_json::json!({"type": "array", "items": {"type": "integer"}})),
        ("level", serde_json::json!({"type": "integer", "enum": [1, 2]})),
    ];
    attributes.map(|(name, property)| (name.to_owned(), of(property))).into()
}

/// What the check says of a condition for a role: how bad each finding is, and whether it is silent.
fn of_condition(source: &str) -> Vec<(Severity, bool)> {
    let role = format!("{source} ? 'ADMIN' : 'MEMBER'");
    let mut found = check(&Expression::parse(&role).unwrap(), &listed(), Wants::Role);
    found.retain(|finding| finding.severity != Note);
    found.into_iter().map(|finding| (finding.severity, finding.silent)).collect()
}

#[test]
fn what_is_never_true_by_the_schema_is_silent() {
    let silent = [
        "user.isAdmin == \"true\"",
        "\"true\" != user.isAdmin",
        "(user.isAdmin ?: '') == 'true'",
        "user.level == '1'",
        "user.levels[0] == '1'",
        "Arrays.get(user.levels, 0) == '1'",
        "user.levels.get(0) == '1'",
        "user.teams == 'red'",
        "user.created == '2026-01-01'",
        "Convert.toInt('5') == user.role",
        "String.toUpperCase(user.role) == 'Master'",
        "user.getGroups({'group.type': 'OKTA_GROUP'}) == null",
        "null != isMemberOfGroup('x')",
        "user.role != 'a' or user.role != 'b'",
        "user.role == 'op' && user.isAdmin == 'true'",
        "!(user.isAdmin == 'true')",
    ];
    for source in silent {
        assert!(of_condition(source).contains(&(Error, true)), "{source}: {:?}", of_condition(source));
    }
}

#[test]
fn what_the_schema_does_not_list_is_a_warning() {
    let suspicious = [
        "user.role == \"Master\"",
        "user.role != 'Master'",
        "user.role matches 'Ma.*'",
        "String.startsWith(user.role, 'x')",
        "user.role.contains('x')",
        "String.toUpperCase(user.role) == 'ADMIN'",
        "user.level > 2",
        "Arrays.contains(user.teams, 'Red')",
        "user.teams.contains('Red')",
        "Arrays.contains(user.levels, '1')",
        "Arrays.contains({'1', '2'}, user.level)",
        "String.stringSwitch(user.role, 'no', 'Master', 'yes') == 'yes'",
    ];
    for source in suspicious {
        let found = of_condition(source);
        assert!(!found.is_empty() && found.iter().all(|(severity, _)| *severity == Warning), "{source}: {found:?}");
    }
}

#[test]
fn what_the_schema_allows_is_no_finding() {
    let fine = [
        "user.isAdmin",
        "user.isAdmin == true",
        "user.isAdmin == null",
        "'' + user.isAdmin == 'true'",
        "String.stringContains(user.isAdmin, 'rue')",
        "user.role == 'master' or user.role == 'op'",
        "user.role == null",
        "(user.role ?: 'none') == 'none'",
        "String.toUpperCase(user.role) == 'MASTER'",
        "user.level >= 2",
        "user.teams[1] == 'blue'",
        "Arrays.contains(user.teams, 'red')",
        "Arrays.contains(user.levels, 1)",
        "Arrays.contains(user.teams, user.role)",
        "Arrays.contains({'op', 'Master'}, user.role)",
        "Arrays.size(user.teams) > 5",
        "Groups.startsWith('OKTA', 'x', 10) == null",
        "user.role == 'Master' + user.isAdmin or user.role == 'op'",
    ];
    for source in fine {
        assert_eq!(of_condition(source), [], "{source}");
    }
}

#[test]
fn a_profile_may_have_what_the_schema_allows_and_nothing_else() {
    let schema = listed();
    let allows = |name: &str, value: serde_json::Value| schema[name].allows(&value);
    assert!(allows("isAdmin", serde_json::json!(true)) && allows("isAdmin", serde_json::Value::Null));
    assert!(!allows("isAdmin", "true".into()) && !allows("role", "Master".into()) && allows("role", "op".into()));
    assert!(allows("teams", serde_json::json!(["red"])) && !allows("teams", serde_json::json!(["Red"])));
    assert!(allows("levels", serde_json::json!([7])) && !allows("levels", serde_json::json!(["7"])));
}
