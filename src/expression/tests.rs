//! The golden cases, cases of our own, and the laws of printing and parsing.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::cases::Case;
use super::*;
use crate::model::okta::{Group, GroupType, Status, User};
use crate::model::org::Extra;

#[test]
fn the_golden_cases_give_what_springs_engine_gives() {
    let golden = include_str!("../../tests/fixtures/expression-golden.jsonl");
    let mut differences = Vec::new();
    for (line, text) in golden.lines().enumerate() {
        let case = Case::parse(text).unwrap();
        if let Err(difference) = case.check() {
            differences.push(format!("{}: {} {difference:?}", line + 1, case.expression));
        }
    }
    assert_eq!(golden.lines().count(), 400);
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

fn user() -> User {
    let Json::Object(profile) = json!({
        "login": "ada@example.com", "email": "Ada@Example.com", "firstName": "Ada", "lastName": "Lovelace",
        "okta_role": "op", "level": 5, "salary": 99.5, "contractor": true, "cleared": "", "nothing": null,
        "tags": ["a", "b", "IT"], "csv": "x, y,z", "emoji": "a😀b", "cost center": "42",
    }) else {
        panic!()
    };
    User::new("00u1".into(), Status::Suspended, profile)
}

fn groups() -> Vec<Arc<Group>> {
    let group = |id: &str, name: &str, kind| Arc::new(Group { id: id.into(), name: name.to_owned(), kind });
    vec![
        group("00g0", "Everyone", GroupType::BuiltIn),
        group("00g1", "West Coast Users", GroupType::OktaGroup),
        group("00g2", "Admins", GroupType::AppGroup),
    ]
}

fn eval(source: &str) -> Result<Json, String> {
    let expression = Expression::parse(source).map_err(|faults| faults[0].to_string())?;
    let (user, groups) = (user(), groups());
    let value = expression.evaluate(&Context::new(&user, &groups));
    value.map(|value| value.to_json()).map_err(|error| error.message)
}

/// What each expression gives.
fn gives(cases: &[(&str, Json)]) {
    for (source, expected) in cases {
        assert_eq!(eval(source).as_ref(), Ok(expected), "{source}");
    }
}

/// Expressions that give an error, and a part of its text.
fn fails(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        let error = eval(source).expect_err(source);
        assert!(error.contains(expected), "{source}: {error}");
    }
}

#[test]
fn null_and_empty_stay_apart() {
    gives(&[
        ("user.nothing == null", json!(true)),
        ("user.missing == null", json!(true)),
        ("user.cleared == null", json!(false)),
        ("user.cleared == \"\"", json!(true)),
        ("user.nothing == \"\"", json!(false)),
        ("user.nothing ?: 'x'", json!("x")),
        ("user.cleared ?: 'x'", json!("x")),
        ("user.nothing", json!(null)),
        ("user.cleared", json!("")),
        ("user.nothing < 1", json!(true)),
        ("1 > null", json!(true)),
        ("Arrays.size(null)", json!(0)),
        ("Arrays.isEmpty(user.missing)", json!(true)),
        ("Arrays.contains(null, 'a')", json!(false)),
        ("NULL == null", json!(true)),
        ("user?.nothing?.deeper", json!(null)),
    ]);
    fails(&[
        ("user.firstName + user.nothing", "user.nothing is null"),
        ("null + 'a'", "null is null"),
        ("1 + null", "needs numbers"),
        ("user.nothing ? 1 : 2", "a condition must be"),
        ("!user.nothing", "a condition must be"),
        ("String.len(user.nothing)", "null"),
        ("user.nothing.deeper", "of null"),
        ("Arrays.flatten(user.nothing, 'a')", "null"),
        ("user.nothing matches 'a'", "can't be matched"),
    ]);
}

#[test]
fn precedence_is_that_of_spring() {
    gives(
        &[
            ("1 + 2 * 3", json!(7)),
            ("(1 + 2) * 3", json!(9)),
            ("2 * 2 ^ 3", json!(16)),
            ("-2 + 3", json!(1)),
            ("10 - 4 - 3", json!(3)),
            ("7 / 2", json!(3)),
            ("7 % 4", json!(3)),
            ("7.0 / 2", json!(3.5)),
            ("true or false and false", json!(true)),
            ("!false && true", json!(true)),
            ("not false", json!(true)),
            ("1 < 2 == true", json!("")),
            ("false ? 1 : true ? 2 : 3", json!(2)),
            ("true ? false ? 1 : 2 : 3", json!(2)),
            ("null ?: null ?: 3", json!(3)),
            ("1 == 1 and 'a' eq 'a' AND 2 GE 1 && 1 lt 2 || false", json!(true)),
            ("1 + 1 + 'a' + 1 + 1", json!("2a11")),
        ]
        .map(|case| if case.0 == "1 < 2 == true" { ("(1 < 2) == true", json!(true)) } else { case }),
    );
    assert!(Expression::parse("1 < 2 == true").is_err(), "comparisons can't be chained");
}

#[test]
fn equality_and_order() {
    gives(&[
        ("1 == 1.0", json!(true)),
        ("1 == '1'", json!(false)),
        ("'a' == 'A'", json!(false)),
        ("'a' < 'b'", json!(true)),
        ("'Z' < 'a'", json!(true)),
        ("{1, 2} == {1, 2}", json!(true)),
        ("{1} != {2}", json!(true)),
        ("user.level >= 5", json!(true)),
        ("user.salary > 99", json!(true)),
        ("true == user.contractor", json!(true)),
    ]);
    fails(&[("1 < 'a'", "can't be compared"), ("true > 1", "can't be compared"), ("{1} < {2}", "can't be compared")]);
}

#[test]
fn strings_count_as_java_does() {
    gives(&[
        ("String.len(user.emoji)", json!(4)),
        ("String.substring(user.emoji, 3, 4)", json!("b")),
        ("String.substring('abc', 1, 1)", json!("")),
        ("String.substring('abc', 3, 3)", json!("")),
        ("String.len('')", json!(0)),
        ("String.len('Ünïcode')", json!(7)),
        ("String.toUpperCase('straße')", json!("STRASSE")),
        ("'it''s'", json!("it's")),
        ("\"say \"\"hi\"\"\"", json!("say \"hi\"")),
        ("'back\\slash'", json!("back\\slash")),
        ("String.replace('a.b.c', '.', '-')", json!("a-b-c")),
        ("String.replaceFirst('a.b.c', '.', '-')", json!("a-b.c")),
        ("String.substringBefore('abc', '@')", json!("abc")),
        ("String.substringAfter('abc', '@')", json!("")),
        ("String.substringAfter('john.doe@okta.com', '.')", json!("doe@okta.com")),
        ("String.stringSwitch('First match wins', 'd', 'absent', 1, 'wins', 2, 'match', 3)", json!(2)),
        ("String.stringSwitch('x', 'd', 'absent', 1)", json!("d")),
        ("String.removeSpaces(' a b ')", json!("ab")),
        ("String.join('-', 'a', 1, true)", json!("a-1-true")),
        ("String.append(user.firstName, 1)", json!("Ada1")),
        ("toLowerCase(user.email)", json!("ada@example.com")),
        ("'' + 3.0", json!("3.0")),
        ("'a'.toUpperCase().length()", json!(1)),
        ("'abc'.substring(1)", json!("bc")),
    ]);
    fails(&[
        ("String.substring('abc', 2, 1)", "isn't within"),
        ("String.substring('abc', 0, 4)", "isn't within"),
        ("String.substring('abc', -1, 2)", "integers from 0"),
        ("String.stringSwitch('a', 'd', 'a')", "pairs"),
        ("String.len({'k': 1})", "map"),
    ]);
}

#[test]
fn arrays_and_csv() {
    gives(&[
        ("Arrays.size(user.csv)", json!(3)),
        ("Arrays.contains(user.csv, 'y')", json!(true)),
        ("Arrays.contains(user.tags, 'it')", json!(false)),
        ("Arrays.contains({1, 2}, '1')", json!(false)),
        ("Arrays.get(user.tags, 2)", json!("IT")),
        ("user.tags[0]", json!("a")),
        ("{1, 2, 3}[1]", json!(2)),
        ("Arrays.add(user.tags, 'x')", json!(["a", "b", "IT", "x"])),
        ("Arrays.remove({1, 2, 1}, 1)", json!([2])),
        ("Arrays.clear(user.tags)", json!([])),
        ("Arrays.flatten(1, {2, 3}, 4)", json!([1, 2, 3, 4])),
        ("Arrays.toCsvString({'a', ' b '})", json!("a, b ")),
        ("Arrays.isEmpty({})", json!(true)),
        ("user.tags.contains('b')", json!(true)),
        ("'abc'.contains('b')", json!(true)),
        ("user['cost center']", json!("42")),
    ]);
    fails(&[
        ("Arrays.get(user.tags, 3)", "no element 3"),
        ("user.tags[-1]", "no element"),
        ("Arrays.size(1)", "integer"),
    ]);
}

#[test]
fn conversions() {
    gives(&[
        ("Convert.toInt('12')", json!(12)),
        ("Convert.toInt(123.4)", json!(123)),
        ("Convert.toInt(123.6)", json!(124)),
        ("Convert.toInt('-1.5')", json!(-1)),
        ("Convert.toNum('2.125')", json!(2.125)),
        ("Iso3166Convert.toAlpha2('IND')", json!("IN")),
        ("Iso3166Convert.toAlpha3('840')", json!("USA")),
        ("Iso3166Convert.toNumeric('USA')", json!("840")),
        ("Iso3166Convert.toName('IN')", json!("India")),
        ("Iso3166Convert.toNumeric('AF')", json!("004")),
    ]);
    fails(&[
        ("Convert.toInt('a')", "not a 32-bit integer"),
        ("Convert.toInt(3000000000.0)", "not a 32-bit integer"),
        ("Convert.toNum('a')", "not a number"),
        ("Convert.toInt(null)", "null"),
        ("Iso3166Convert.toName('XX')", "not a country code"),
    ]);
}

#[test]
fn groups_by_name_id_type_and_pattern() {
    gives(&[
        ("isMemberOfGroupName('Admins')", json!(true)),
        ("isMemberOfGroupName('admins')", json!(false)),
        ("isMemberOfGroup('00g1')", json!(true)),
        ("isMemberOfAnyGroup('x', '00g2')", json!(true)),
        ("isMemberOfGroupNameStartsWith('West')", json!(true)),
        ("isMemberOfGroupNameContains('Coast')", json!(true)),
        ("isMemberOfGroupNameRegex('.*Coast.*')", json!(true)),
        ("isMemberOfGroupNameRegex('Coast')", json!(false)),
        ("user.getGroups({'group.type': {'OKTA_GROUP'}}).![name]", json!(["West Coast Users"])),
        ("user.getGroups({'group.profile.name': 'West Coast.*'}).![profile.name]", json!(["West Coast Users"])),
        ("user.isMemberOf({'group.profile.name': 'West', 'operator': 'EXACT'})", json!(false)),
        ("user.isMemberOf({'group.profile.name': 'West', 'operator': 'STARTS_WITH'})", json!(true)),
        ("Groups.startsWith('OKTA', 'West', 10)", json!(["West Coast Users"])),
        ("Groups.startsWith('OKTA', 'None', 10) ?: {}", json!([])),
        ("getFilteredGroups({'00g1', '00g9'}, 'group.name', 40)", json!(["West Coast Users"])),
        ("user.getInternalProperty('id')", json!("00u1")),
        ("user.getInternalProperty('status') == 'SUSPENDED'", json!(true)),
        ("user.displayName", json!("Ada Lovelace")),
        ("user.profile.firstName", json!("Ada")),
        ("source.firstName", json!("Ada")),
        ("${source.login}", json!("ada@example.com")),
    ]);
}

#[test]
fn a_projection_takes_any_expression_over_the_element() {
    gives(&[
        ("{\"a\"}.![toUpperCase()]", json!(["A"])),
        ("user.tags.![toUpperCase()]", json!(["A", "B", "IT"])),
        ("user.tags.![substring(0, 1).toUpperCase()]", json!(["A", "B", "I"])),
        ("user.getGroups({'group.type': 'OKTA_GROUP'}).![name.toLowerCase()]", json!(["west coast users"])),
        ("user.getGroups({'group.type': 'OKTA_GROUP'}).![profile.name + '!']", json!(["West Coast Users!"])),
        ("user.getGroups({'group.type': 'OKTA_GROUP'}).![String.len(name)]", json!([16])),
        ("user.getGroups({'group.id': '00g1'}).![name == 'x' ? user.login : type]", json!(["OKTA_GROUP"])),
        ("{{'a', 'b'}, {'c'}}.![size()]", json!([2, 1])),
        ("{'a,b'}.![replace(',', user.lastName)]", json!(["aLovelaceb"])),
        ("Arrays.toCsvString(user.tags.![toLowerCase()])", json!("a,b,it")),
        ("user.nothing.![toUpperCase()]", json!(null)),
        ("{}.![toUpperCase()]", json!([])),
    ]);
    fails(&[
        ("{null}.![toUpperCase()]", "must be a string, found null"),
        ("{'a'}.![shout()]", "no function shout()"),
        ("{'a'}.![toUpperCase('b')]", "toUpperCase takes 0 arguments"),
        ("{'a'}.![]", "expected a value"),
        ("user.firstName.![toUpperCase()]", "has no elements"),
    ]);
    for source in ["{'a'}.![toUpperCase()]", "user.x.![(name == 'a') ? b.c : toUpperCase()]", "user.x.![String.len(y)]"]
    {
        let printed = Expression::parse(source).unwrap().to_string();
        assert_eq!(Expression::parse(&printed).unwrap().to_string(), printed, "{source}");
    }
}

#[test]
fn a_projection_needs_groups_whole_only_for_what_a_group_read_lacks() {
    let whole = |body: &str| {
        let source = format!("user.getGroups({{'group.type': 'OKTA_GROUP'}}).![{body}]");
        Expression::parse(&source).unwrap().needs().group_objects
    };
    assert!(["name", "profile.name", "id + type", "name.toUpperCase()"].iter().all(|body| !whole(body)));
    assert!(["created", "profile.color", "description.toUpperCase()"].iter().all(|body| whole(body)));
}

#[test]
fn the_texts_of_a_projection_are_bounded() {
    let names = |count: usize| vec!["'x'"; count].join(", ");
    let source = format!("{{{}}}.![replace('x', String.replace(user.csv, 'x', '{}'))]", names(1000), "y".repeat(8000));
    fails(&[(source.as_str(), "more than 1000000 steps")]);
}

#[test]
fn a_template_joins_texts_and_expressions() {
    gives(&[
        ("${user.firstName}.${user.lastName}", json!("Ada.Lovelace")),
        ("${source.firstName} ${source.lastName}", json!("Ada Lovelace")),
        (" ${user.firstName}${user.lastName}+ap@x.org ", json!("AdaLovelace+ap@x.org")),
        ("${user.level}${user.level}", json!("55")),
        ("x-${user.level}", json!("x-5")),
        ("${f:toLowerCase(user.email)}", json!("ada@example.com")),
        ("${fn:substringBefore(user.login, \"@\")}.${user.level}", json!("ada.5")),
        ("${user.isMemberOf({'group.id': '00g1'}) ? '}' : '{'}${user.level}", json!("}5")),
        ("${user.level}", json!(5)),
        ("'${user.level}'", json!("${user.level}")),
        ("'' + \"${\"", json!("${")),
    ]);
    fails(&[
        ("${user.firstName}.${user.nothing}", "user.nothing is null"),
        ("${user.firstName}.${user.lastName", "`${` has no closing `}`"),
        ("${user.firstName}.${}", "the expression is empty"),
        ("${user.okta_role} == \"op\" ? \"ADMIN\" : \"MEMBER\"", "outside of ${…}"),
        ("${user.firstName} + ${user.lastName}", "outside of ${…}"),
    ]);
    let faults = Expression::parse("${user.x}.${user.y = 1}.${String.lenght('a')}").unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.span.clone()).collect::<Vec<_>>(), [19..20, 26..39]);
}

#[test]
fn a_user_name_format_is_text_outside_of_its_braces() {
    let cases = [
        ("${source.email}", json!("Ada@Example.com")),
        ("${f:toLowerCase(source.email)}", json!("ada@example.com")),
        ("${source.firstName}.${source.lastName}@x.org", json!("Ada.Lovelace@x.org")),
        ("it's ${source.login}", json!("it's ada@example.com")),
        ("${source.firstName} + ${source.lastName}", json!("Ada + Lovelace")),
        ("source.email", json!("Ada@Example.com")),
    ];
    let (user, groups) = (user(), groups());
    for (format, expected) in cases {
        let expression = Expression::parse_format(format).unwrap();
        let value = expression.evaluate(&Context::new(&user, &groups)).unwrap();
        assert_eq!(value.to_json(), expected, "{format}");
        assert_eq!(Expression::parse(&expression.to_string()).unwrap().to_string(), expression.to_string());
    }
}

#[test]
fn patterns_match_the_whole_text() {
    gives(&[
        ("'op' matches 'Master|op'", json!(true)),
        ("'opera' matches 'Master|op'", json!(false)),
        ("'MASTER' matches '(?i)master'", json!(true)),
        ("'555' matches '\\d{3}'", json!(true)),
        ("user.level matches '[0-9]+'", json!(true)),
    ]);
    assert!(Expression::parse("'a' matches '(?=a)'").unwrap_err()[0].message.contains("look-around"));
    fails(&[("'a' matches user.level", "must be a string"), ("'a' matches String.append('(', 'a')", "isn't valid")]);
}

#[test]
fn a_text_can_be_a_condition_as_in_spring() {
    gives(&[("'true' ? 1 : 2", json!(1)), ("'no' ? 1 : 2", json!(2)), ("!'off'", json!(true))]);
    fails(&[("'maybe' ? 1 : 2", "neither true nor false"), ("1 ? 1 : 2", "a condition must be")]);
}

#[test]
fn what_needs_a_directory_is_told_from_an_error() {
    let (user, groups) = (user(), groups());
    for source in [
        "hasDirectoryUser()",
        "workday_x.findWorkdayUser()",
        "user.getLinkedObject('manager')",
        "session.amr",
        "org.name",
    ] {
        let expression = Expression::parse(source).unwrap();
        let error = expression.evaluate(&Context::new(&user, &groups)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unevaluable, "{source}");
    }
    let short = Expression::parse("true or hasDirectoryUser()").unwrap();
    assert_eq!(short.evaluate(&Context::new(&user, &groups)), Ok(Value::Bool(true)));
}

#[test]
fn more_names_come_from_the_context() {
    let user = user();
    let Json::Object(names) = json!({"appuser": {"role": "x"}, "val": 12}) else { panic!() };
    let extra = Extra { names, ..Extra::default() };
    for (source, expected) in [("appuser.role", json!("x")), ("val + 1", json!(13)), ("appuser.none", json!(null))] {
        let expression = Expression::parse(source).unwrap();
        let value = expression.evaluate(&Context::new(&user, &[]).with_extra(&extra)).unwrap();
        assert_eq!(value.to_json(), expected);
    }
}

#[test]
fn faults_in_the_text_point_at_their_place() {
    let cases = [
        ("user.okta_role = 'a'", 15..16, "expected the end of the expression, found `=`"),
        ("String.toUppercase(user.x)", 0..18, "there is no function String.toUppercase()"),
        ("'abc", 0..4, "the string that begins here has no closing '"),
        ("String.len()", 0..10, "String.len takes 1 argument, and 0 were given"),
        ("user.getGroups()", 0..14, "user.getGroups takes at least 1 argument, and 0 were given"),
        ("a ? 1", 5..5, "expected `:` (the other branch of the ternary), found the end"),
        ("", 0..0, "the expression is empty"),
        ("1 +", 3..3, "expected a value, found the end"),
        ("user.x # 1", 7..8, "unexpected character '#'"),
        ("3000000000", 0..10, "3000000000 is too large for an integer"),
        ("(1", 2..2, "expected `)` (the closing parenthesis), found the end"),
        ("'a'.shout()", 4..9, "there is no function .shout()"),
    ];
    for (source, span, message) in cases {
        let faults = Expression::parse(source).unwrap_err();
        assert_eq!((faults[0].span.clone(), faults[0].message.as_str()), (span, message), "{source}");
    }
}

#[test]
fn a_hint_names_the_mistake_and_the_caret_is_where_it_began() {
    let cases = [
        ("string.toUpperCase(user.x)", 0..18, "String.toUpperCase"),
        ("if (user.x == 'a') 'ADMIN' else 'MEMBER'", 0..2, "condition ? value : other"),
        ("Arrays.contains([\"x\"], user.x)", 16..17, "{\"a\", \"b\"}"),
        ("user.x <> 'a'", 8..9, "!="),
        ("user.x == 'a' & user.y == 'b'", 14..15, "&&"),
        ("user.x == \"Master ? \"ADMIN\" : \"MEMBER\"", 10..11, "closing \""),
        ("user.x == 'a' then 'ADMIN'", 14..18, "condition ? value : other"),
        ("user.x == 'it's' ? 'a' : 'b'", 10..11, "doubled"),
    ];
    for (source, span, hint) in cases {
        let faults = Expression::parse(source).unwrap_err();
        let told = format!("{} {}", faults[0].message, faults[0].hint.as_deref().unwrap_or_default());
        assert_eq!(faults[0].span, span, "{source}: {faults:?}");
        assert!(told.contains(hint), "{source}: {told}");
    }
}

#[test]
fn all_faults_come_at_once() {
    let faults = Expression::parse("String.toUppercase(user.x) + String.lenght('a') + String.join()").unwrap_err();
    assert_eq!(faults.len(), 3);
    assert_eq!(faults[0].hint.as_deref(), Some("a similar one is String.toUpperCase"));
}

#[test]
fn long_chains_of_conditions_are_taken() {
    let flat = "user.x == 'a' ? 'b' : ".repeat(64) + "'c'";
    let nested = "user.x == 'a' ? 'b' : (".repeat(32) + "'c'" + &")".repeat(32);
    let then = "true ? (".repeat(32) + "'c'" + &") : 'd'".repeat(32);
    let longest = "false ? 1 : ".repeat(199) + "user.x ?: 'c'";
    for source in [flat, nested, then, longest] {
        let expression = Expression::parse(&source).unwrap_or_else(|faults| panic!("{source}: {faults:?}"));
        let printed = expression.to_string();
        assert_eq!(Expression::parse(&printed).unwrap().to_string(), printed);
        assert_eq!(eval(&source).unwrap(), json!("c"), "{source}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    for deep in [
        "(".repeat(5000) + "1" + &")".repeat(5000),
        "!".repeat(5000) + "true",
        "-".repeat(5000) + "1",
        "{".repeat(5000),
        "a?".repeat(3000),
        "String.len(".repeat(1000),
        format!("user{}", ".x".repeat(5000)),
    ] {
        let faults = Expression::parse(&deep).unwrap_err();
        assert!(faults[0].message.contains("deep") || faults[0].message.contains("chain"), "{}", faults[0]);
    }
    assert!(Expression::parse(&"1 + ".repeat(10_000)).is_err());
    let wide = (0..13).fold("'0123456789abcdef'".to_owned(), |text, _| format!("String.append({text}, {text})"));
    assert!(Expression::parse(&wide).is_err() || eval(&wide).is_err());
    fails(&[(
        "String.replace(String.replace(String.replace('aaaaaaaaaaaaaaaa', 'a', 'bbbbbbbbbbbbbbbb'), 'b', 'cccccccccccccccccccc'), 'c', 'ddddddddddddddddddddd')",
        "longer than",
    )]);
}

#[test]
fn the_attributes_and_needs_of_an_expression_are_known() {
    let expression = Expression::parse("user.a == 'x' ? user.profile.b : isMemberOfGroupName('y')").unwrap();
    assert_eq!(expression.attributes().iter().collect::<Vec<_>>(), ["a", "b"]);
    assert!(expression.needs().groups);
    assert!(!Expression::parse("user.a").unwrap().needs().groups);
}

fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        (0..i32::MAX).prop_map(|value| value.to_string()),
        (0.0..1e6).prop_map(|value: f64| format!("{value:?}")),
        "[ -~äß😀]{0,8}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        "[a-z_]{3,8}".prop_map(|name| format!("user.x{name}")),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        const OPERATORS: [&str; 14] = ["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">=", "&&", "or", "AND", "||"];
        prop_oneof![
            (inner.clone(), prop::sample::select(&OPERATORS[..]), inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} ?: {b})")),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("{{{}}}", items.join(", "))),
            inner.clone().prop_map(|a| format!("(!{a})")),
            inner.clone().prop_map(|a| format!("String.len({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).contains({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("({a}).![profile.name]")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}).![toUpperCase() + name.length() + {b}]")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(source in any_expression()) {
        let printed = Expression::parse(&source).unwrap().to_string();
        let again = Expression::parse(&printed).unwrap();
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn printing_changes_no_value(source in any_expression()) {
        let printed = Expression::parse(&source).unwrap().to_string();
        prop_assert_eq!(eval(&source).ok(), eval(&printed).ok());
    }

    #[test]
    fn no_text_makes_the_parser_panic(source in "\\PC{0,60}") {
        drop(eval(&source));
    }

    #[test]
    fn no_tokens_make_the_parser_panic(words in prop::collection::vec(prop::sample::select(&["user", ".", "x", "(", ")", "{", "}", "[", "]", "?", ":", "?:", "?.", ".![", "'a'", "1", ",", "String.len", "==", "!", "-", "and", "matches", "null"][..]), 0..30)) {
        drop(eval(&words.join(" ")));
        drop(eval(&words.concat()));
    }
}
