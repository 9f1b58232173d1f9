//! Cases in tables: an expression and what it gives as JSON, `! part of a message` for an error, `? part of a message`
//! for what can't be evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::model::okta::{Group, GroupType, Status, User};
use crate::model::org::{Extra, Instances, Relation};

type Table = &'static [(&'static str, &'static str)];

const NULLS: Table = &[
    ("user.none", "null"),
    ("user.none == null", "true"),
    ("null == null", "true"),
    ("null != null", "false"),
    ("null == false", "false"),
    ("null == 0", "false"),
    ("null == ''", "false"),
    ("user.empty == ''", "true"),
    ("user.empty != null", "true"),
    ("null < false", "true"),
    ("null < ''", "true"),
    ("null <= null", "true"),
    ("null >= null", "true"),
    ("null > 1", "false"),
    ("-1 > null", "true"),
    ("null ?: null", "null"),
    ("'' ?: null", "null"),
    ("'' ?: ''", "\"\""),
    ("' ' ?: 'x'", "\" \""),
    ("false ?: true", "false"),
    ("0 ?: 1", "0"),
    ("{} ?: 1", "[]"),
    ("user.none?.x?.y", "null"),
    ("user.none?.toUpperCase()", "null"),
    ("user.none?.x ?: 'd'", "\"d\""),
    ("user.none.![name]", "null"),
    ("{null, 1}", "[null,1]"),
    ("Arrays.size({null})", "1"),
    ("Arrays.contains({null}, null)", "true"),
    ("Arrays.contains(null, null)", "false"),
    ("Arrays.clear(null)", "[]"),
    ("Arrays.add({}, null)", "[null]"),
    ("Arrays.remove({null, 1}, null)", "[1]"),
    ("String.stringSwitch('x', null, 'y', 1)", "null"),
    ("String.stringSwitch('x', 'd', 'x', null)", "null"),
    ("true ? null : 1", "null"),
    ("user.none == user.other", "true"),
    ("user.object.missing", "null"),
    ("user.object['missing']", "null"),
    ("user['none']", "null"),
    ("null + null", "! needs numbers"),
    ("null + 1", "! needs numbers"),
    ("'' + null", "! null is null"),
    ("user.none + ''", "! user.none is null"),
    ("-user.none", "! no negative"),
    ("!null", "! a condition"),
    ("null and true", "! a condition"),
    ("true and null", "! a condition"),
    ("false and null", "false"),
    ("true or null", "true"),
    ("user.none.x", "! no x of null"),
    ("user.none.length()", "! argument 1 must be a string, found null"),
    ("user.none[0]", "! null has no element"),
    ("null matches 'a'", "! can't be matched"),
    ("'a' matches null", "! a pattern must be a string"),
    ("String.append('a', null)", "! argument 2 must be a string, found null"),
    ("String.join(',', 'a', null)", "! argument 3 must be a string, found null"),
    ("String.replace('a', null, 'b')", "! argument 2 must be a string, found null"),
    ("String.stringSwitch(null, 'd', 'x', 1)", "! argument 1 must be a string, found null"),
    ("String.stringSwitch('x', 'd', null, 1)", "! argument 3 must be a string, found null"),
    ("Arrays.toCsvString(null)", "\"\""),
    ("Arrays.isEmpty(Arrays.toCsvString(null))", "true"),
    ("String.replace({'a-x', 'b-x'}, '-x', '')", "\"a,b\""),
    ("String.len({})", "0"),
    ("{1, true}.toUpperCase()", "\"1,TRUE\""),
    ("${f:String.toLowerCase('A')}", "\"a\""),
    ("'x:' + {1, 2}", "\"x:1,2\""),
    ("{'a', 'b'} + ';'", "\"a,b;\""),
    ("'x' + {null}", "! null"),
    ("Arrays.toCsvString({null})", "! null"),
    ("Arrays.add(null, 1)", "! null"),
    ("Arrays.get(null, 0)", "! null"),
    ("Arrays.flatten({}, null)", "! argument 2 is null"),
    ("Arrays.flatten('')", "! empty"),
    ("Convert.toNum(null)", "! null is not a number"),
    ("Iso3166Convert.toName(null)", "! null is not a country code"),
    ("Time.fromIso8601ToUnix(null)", "! null"),
    ("Time.fromIso8601ToUnix('')", "! empty"),
    ("isMemberOfGroupName(null)", "! expected a string, found null"),
];

const UNICODE: Table = &[
    ("String.len('😀')", "2"),
    ("String.len('é')", "1"),
    ("String.len('e\u{301}')", "2"),
    ("String.len('日本語')", "3"),
    ("String.len('👨‍👩‍👧')", "8"),
    ("'a😀b'.length()", "4"),
    ("String.substring('a😀b', 0, 1)", "\"a\""),
    ("String.substring('a😀b', 1, 3)", "\"😀\""),
    ("String.substring('日本語', 1, 2)", "\"本\""),
    ("'日本語'.substring(2)", "\"語\""),
    ("String.substring('a😀', 0, 2)", "\"a\u{fffd}\""),
    ("String.toUpperCase('ß')", "\"SS\""),
    ("String.toUpperCase('éàü')", "\"ÉÀÜ\""),
    ("String.toLowerCase('ΑΣ')", "\"ας\""),
    ("String.toLowerCase('İ')", "\"i\u{307}\""),
    ("'é' == 'e\u{301}'", "false"),
    ("'ä' == 'ä'", "true"),
    ("String.substringBefore('a→b', '→')", "\"a\""),
    ("String.substringAfter('a→b', '→')", "\"b\""),
    ("String.replace('ééé', 'é', 'e')", "\"eee\""),
    ("String.stringContains('naïve', 'ï')", "true"),
    ("String.removeSpaces('a\u{a0}b c')", "\"a\u{a0}bc\""),
    ("'😀' matches '.'", "true"),
    ("'ü' matches '\\w'", "false"),
    ("'٣' matches '\\d'", "false"),
    ("'😀' < '\u{ffff}'", "true"),
    ("user['größe']", "\"XL\""),
    ("user.größe", "\"XL\""),
];

const PRECEDENCE: Table = &[
    ("2 + 3 * 4", "14"),
    ("2 * 3 + 4", "10"),
    ("2 + 3 - 4", "1"),
    ("8 / 4 / 2", "1"),
    ("2 ^ 3 * 2", "16"),
    ("-2 ^ 2", "4"),
    ("7 % 3 + 1", "2"),
    ("7 mod 3", "1"),
    ("7 div 2", "3"),
    ("-7 / 2", "-3"),
    ("-7 % 3", "-1"),
    ("7.5 % 2", "1.5"),
    ("1 + 2 == 3", "true"),
    ("1 < 2 and 2 < 3", "true"),
    ("true or true and false", "true"),
    ("(true or true) and false", "false"),
    ("not true or true", "true"),
    ("!(true or true)", "false"),
    ("!true == false", "true"),
    ("1 == 1 ? 'a' : 'b'", "\"a\""),
    ("false or true ? 1 : 2", "1"),
    ("true ? 1 : true ? 2 : 3", "1"),
    ("false ? 1 : false ? 2 : 3", "3"),
    ("'' ?: '' ?: 'z'", "\"z\""),
    ("'a' + 1 + 2", "\"a12\""),
    ("1 + 2 + 'a'", "\"3a\""),
    ("'a' + (1 + 2)", "\"a3\""),
    ("'a' + 1 == 'a1'", "true"),
    ("-'5'.toInteger()", "-5"),
    ("- - 3", "3"),
    ("+3", "3"),
    ("!!true", "true"),
    ("{1, 2}[0] + 1", "2"),
    ("'a' eq 'a' and 1 ne 2 and 1 LE 1", "true"),
    ("1 == 2 == false", "! end of the expression"),
];

const QUOTES: Table = &[
    ("''", "\"\""),
    ("\"\"", "\"\""),
    ("''''", "\"'\""),
    ("\"\"\"\"", "\"\\\"\""),
    ("'a\"b'", "\"a\\\"b\""),
    ("\"a'b\"", "\"a'b\""),
    ("'\\'", "\"\\\\\""),
    ("'a\\nb'", "\"a\\\\nb\""),
    ("'O''Neil'", "\"O'Neil\""),
    ("'a''' + '''b'", "\"a''b\""),
    ("'  a  '", "\"  a  \""),
    ("  'a'  ", "\"a\""),
    ("${'a'}", "\"a\""),
    ("{'a'', b', \"c\"}", "[\"a', b\",\"c\"]"),
    ("'a", "! no closing"),
    ("'it's'", "! no closing '"),
    ("‘a’", "! unexpected character"),
    ("'a' 'b'", "! the end of the expression"),
];

const VALUES: Table = &[
    ("0x1F", "31"),
    ("5000000000L", "5000000000"),
    ("1.5e3", "1500.0"),
    ("'' + 1.0E10", "\"1.0E10\""),
    ("'' + 0.1", "\"0.1\""),
    ("'' + true", "\"true\""),
    ("1 == 1.0", "true"),
    ("1 == '1'", "false"),
    ("true == 'true'", "false"),
    ("{1, 2} == {1.0, 2}", "true"),
    ("'b' > 'a'", "true"),
    ("'10' < '9'", "true"),
    ("false < true", "true"),
    ("'yes' ? 1 : 2", "1"),
    ("Convert.toInt('2147483647')", "2147483647"),
    ("Convert.toInt(2.5)", "3"),
    ("Convert.toInt(-2.5)", "-2"),
    ("'2.5'.toInteger()", "3"),
    ("3000000000L.toInteger()", "-1294967296"),
    ("Convert.toNum(' 1.5 ')", "1.5"),
    ("'Germany'.parseCountryCode().toAlpha3()", "\"DEU\""),
    ("Iso3166Convert.toName('us')", "\"United States\""),
    ("'10.2.1'.versionGreaterThan('10.2')", "true"),
    ("'10.2'.versionLessThan('10.10')", "true"),
    ("'10.2'.versionGreaterThan('10.2.0')", "false"),
    ("Arrays.flatten({1, {2, {3}}})", "[1,2,3]"),
    ("Arrays.size('a,b,,c')", "4"),
    ("'a,b'.size()", "2"),
    ("Arrays.contains('a, b', 'b')", "true"),
    ("isMemberOfGroupName('Admins') ? 'ADMIN' : 'MEMBER'", "\"ADMIN\""),
    ("user.getGroups({'group.type': 'APP_GROUP'}).![name][0]", "\"Admins\""),
    ("appuser.role", "\"builder\""),
    ("appUser.role", "\"builder\""),
    ("user.getLinkedObject('manager').firstName", "\"Grace\""),
    ("user.getLinkedObject('buddy')", "null"),
    ("user.getLinkedObject('buddy')?.firstName", "null"),
    ("getManagerUser('active_directory').firstName", "\"Grace\""),
    ("hasDirectoryUser()", "false"),
    ("findDirectoryUser()", "null"),
];

const TIMES: Table = &[
    ("Time.now()", "\"2026-03-29T00:30:00.000Z\""),
    ("Time.now('UTC', 'yyyy-MM-dd')", "\"2026-03-29\""),
    ("Time.now('Europe/Berlin')", "\"2026-03-29T01:30:00.000+01:00\""),
    ("Time.now('+05:30', 'HH:mm')", "\"06:00\""),
    ("Time.now('JST', 'EEEE')", "\"Sunday\""),
    ("DateTime.now()", "\"2026-03-29T00:30:00Z\""),
    ("DateTime.now().toZone('Europe/Berlin').plusHours(1)", "\"2026-03-29T03:30:00+02:00[Europe/Berlin]\""),
    ("DateTime.now().toZone('Europe/Berlin').plusDays(1)", "\"2026-03-30T01:30:00+02:00[Europe/Berlin]\""),
    ("DateTime.now() > user.created", "true"),
    ("user.created.withinDays(88)", "true"),
    ("user.created.withinDays(87)", "false"),
    ("DateTime.now().plusDays(3).withinDays(3)", "true"),
    ("DateTime.now().withinSeconds(-1)", "false"),
    ("'' + user.created", "\"2026-01-01T00:00:00Z\""),
    ("user.created.toString('dd.MM.yy')", "\"01.01.26\""),
    ("user.lastLogin", "null"),
    ("Time.fromUnixToIso8601('0')", "\"1970-01-01T00:00:00.000Z\""),
    ("Time.fromUnixToIso8601('-1')", "\"1969-12-31T23:59:59.999Z\""),
    ("Time.fromWindowsToIso8601('0')", "\"1601-01-01T00:00:00.000Z\""),
    ("Time.fromIso8601ToWindows('1970-01-01')", "\"116444736000000000\""),
    ("Time.fromIso8601ToUnix('2026-03-29T02:30:00+02:00')", "\"1774744200000\""),
    ("Time.fromStringToIso8601('29/03/26', 'dd/MM/yy')", "\"2026-03-29T00:00:00.000Z\""),
    ("Time.fromIso8601ToString('2026-03-29T02:30:00+02:00', 'HH:mm')", "\"00:30\""),
    ("Time.now('Mars/Base')", "! not a time zone"),
    ("Time.now('UTC', 'bb')", "! not a date pattern letter"),
    ("Time.fromUnixToIso8601('soon')", "! not a whole number"),
    ("Time.fromUnixToIso8601('99999999999999999999')", "! not a whole number"),
    ("Time.fromUnixToIso8601('99999999999999999')", "\"3170843-11-07T09:46:39.999Z\""),
    ("Time.fromUnixToIso8601('-99999999999999999')", "! outside the supported years"),
    ("Time.fromStringToIso8601('12/31/9999', 'MM/dd/yyyy')", "\"9999-12-31T00:00:00.000Z\""),
    ("Time.fromIso8601ToString('9999-12-31T23:59:59Z', 'EEE yyyy-MM-dd')", "\"Fri 9999-12-31\""),
    ("Time.fromIso8601ToUnix('9999-12-31T23:59:59.999Z')", "\"253402300799999\""),
    ("Time.fromIso8601ToWindows('9999-12-31T00:00:00Z')", "\"2650466880000000000\""),
    ("Time.fromWindowsToIso8601('9223372036854775807')", "\"30828-09-14T02:48:05.477Z\""),
    ("'9223372036854775807'.parseWindowsTime()", "! outside the supported years"),
    ("DateTime.now().plusDays(99999999999L)", "! too far away"),
    ("user.created.toString('YYYY')", "! use y for the calendar year"),
    ("'yesterday'.parseStringTime()", "! not an ISO 8601 date and time"),
    ("DateTime.now() > '2026'", "! can't be compared"),
];

const ERRORS: Table = &[
    ("1 / 0", "! no integer result"),
    ("1.0 / 0", "! no result"),
    ("9223372036854775807L + 1", "! no integer result"),
    ("2 ^ 64", "! no integer result"),
    ("'a' - 1", "! needs numbers"),
    ("{1} + 1", "! needs numbers"),
    ("'a' + {'k': 1}", "! can't be joined"),
    ("1 ? 2 : 3", "! a condition"),
    ("'maybe' and true", "! neither true nor false"),
    ("1 > 'a'", "! can't be compared"),
    ("{1} > {0}", "! can't be compared"),
    ("{1}[1]", "! no element 1"),
    ("{1}[-1]", "! no element -1"),
    ("'abc'[0]", "! has no element"),
    ("'abc'.x", "! has no x"),
    ("1.toUpperCase().x", "! has no x"),
    ("String.substring('abc', 2, 9)", "! isn't within"),
    ("String.substring('abc', 'a', 2)", "! integers"),
    ("Arrays.get('a,b', 2)", "! no element 2"),
    ("Convert.toInt('12a')", "! not a 32-bit integer"),
    ("Convert.toInt('2147483648')", "! not a 32-bit integer"),
    ("'x'.toInteger()", "! not a number"),
    ("'1.x'.versionLessThan('2')", "! not a version"),
    ("'Nowhere'.parseCountryCode()", "! not a country"),
    ("Groups.startsWith('OKTA', 'a', 0)", "! the limit"),
    ("user.isMemberOf({'group.colour': 'red'})", "! not a criterion key"),
    ("user.isMemberOf({:})", "! no key"),
    ("getManagerUser('workday')", "! not a source"),
    ("'a' matches String.append('(', '')", "! isn't valid"),
    ("'a' matches '(?<=a)b'", "! look-around"),
    ("NoSuch.function()", "! no function"),
    ("'a'.nope()", "! no function"),
    ("String.len('a', 'b')", "! takes 1 argument"),
    ("user.", "! a property's name"),
    ("a ? b", "! the other branch"),
    ("1 = 1", "! found `=`"),
    ("session.amr", "? unknown name session"),
    ("hasWorkdayUser()", "? weren't read"),
    ("user.getLinkedObject('boss')", "? wasn't read"),
    ("user.passwordChanged", "null"),
    ("Groups.contains('salesforce', 'a', 1)", "? aren't read"),
    ("user.isMemberOf({'group.source.id': 'x'})", "? weren't read"),
    ("user.getGroups({'group.type': 'APP_GROUP'}).![created]", "? isn't read"),
];

fn object(json: Json) -> serde_json::Map<String, Json> {
    let Json::Object(map) = json else { panic!("an object was written") };
    map
}

fn extra() -> Extra {
    let grace = || BTreeMap::from([("00u1".into(), Arc::new(object(json!({"firstName": "Grace"}))))]);
    Extra {
        profiles: [("appuser".to_owned(), [("00u1".into(), object(json!({"role": "builder"})))].into())].into(),
        related: [
            (Relation::LinkedObject("manager".to_owned()), grace()),
            (Relation::LinkedObject("buddy".to_owned()), BTreeMap::new()),
            (Relation::Manager, grace()),
        ]
        .into(),
        assignments: [(Instances::All(DIRECTORY), BTreeMap::new())].into(),
        ..Extra::default()
    }
}

/// What an expression gives, in the words of the tables.
fn outcome(source: &str) -> String {
    let profile = object(json!({"login": "ada@example.com", "empty": "", "object": {"x": 1}, "größe": "XL"}));
    let mut user = User::new("00u1".into(), Status::Active, profile);
    user.times.created = Some("2026-01-01T00:00:00Z".parse().unwrap());
    let groups = [Arc::new(Group { id: "00g1".into(), name: "Admins".to_owned(), kind: GroupType::AppGroup })];
    let extra = extra();
    let context = Context::new(&user, &groups).with_extra(&extra).at("2026-03-29T00:30:00Z".parse().unwrap());
    match Expression::parse(source) {
        Err(faults) => format!("! {}", faults[0]),
        Ok(expression) => match expression.evaluate(&context) {
            Ok(value) => value.to_json().to_string(),
            Err(error) if error.kind == ErrorKind::Failed => format!("! {error}"),
            Err(error) => format!("? {error}"),
        },
    }
}

#[test]
fn every_case_of_the_tables() {
    let tables = [NULLS, UNICODE, PRECEDENCE, QUOTES, VALUES, TIMES, ERRORS];
    let cases: Vec<_> = tables.into_iter().flatten().collect();
    assert!(cases.len() >= 200, "only {} cases", cases.len());
    let differs = |(source, expected): &&&(&str, &str)| {
        let actual = outcome(source);
        match expected.split_at_checked(2) {
            Some((mark @ ("! " | "? "), part)) => !(actual.starts_with(mark) && actual.contains(part)),
            _ => actual != *expected,
        }
    };
    let differences: Vec<String> = cases
        .iter()
        .filter(differs)
        .map(|(source, expected)| format!("{source}\n  expected {expected}\n  gives    {}", outcome(source)))
        .collect();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
