//! Whatever is written: no panic, no growth without bound, and the trace, the check and the evaluation agree.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value as Json, json};

use super::check::{AttributeType, Schema, Wants, check};
use super::*;
use crate::model::okta::{Extra, Group, GroupType, Status, User};

/// Texts that once were trouble, or are made to be. A new one that the tests find is added here.
const CORPUS: &str = include_str!("../../tests/fixtures/expression-corpus.txt");
/// The longest value, in bytes of JSON: a list of as many texts as fit is the worst.
const LONGEST_VALUE: usize = 1 << 24;

fn user() -> User {
    let Json::Object(profile) = json!({
        "login": "ada@example.com", "text": "a,b😀", "empty": "", "none": null, "number": 1.5, "whole": -3, "flag": true,
        "list": ["a", "b", 1, null], "object": {"x": 1}, "time": "2026-03-29T00:30:00Z", "long": "a".repeat(5000),
    }) else {
        panic!("an object was written")
    };
    User::new("00u1".into(), Status::Active, profile)
}

/// Parses, prints, checks, evaluates and traces a text.
fn everything(source: &str) {
    let Ok(expression) = Expression::parse(source) else { return };
    let schema: Schema = [("text".to_owned(), AttributeType::String), ("list".to_owned(), AttributeType::Array)].into();
    for wants in [Wants::Role, Wants::Text, Wants::GroupRule] {
        for finding in check(&expression, &schema, wants) {
            assert!(source.get(finding.span.clone()).is_some(), "{finding:?}");
        }
    }
    let user = user();
    let groups = [Arc::new(Group { id: "00g1".into(), name: "Admins".to_owned(), kind: GroupType::OktaGroup })];
    let extra = Extra::default();
    let context = Context::new(&user, &groups).with_extra(&extra).at("2026-03-29T00:30:00Z".parse().unwrap());
    let value = expression.evaluate(&context);
    if let Ok(value) = &value {
        assert!(value.to_json().to_string().len() < LONGEST_VALUE);
    }
    let steps = expression.trace(&context);
    assert!(steps.is_sorted_by_key(|step| step.span.start));
    if let Some(whole) = steps.iter().find(|step| step.span == expression.ast().span) {
        // NaN, which equals nothing, isn't a value.
        assert_eq!(format!("{:?}", whole.outcome), format!("{value:?}"));
    }
}

#[test]
fn the_corpus() {
    assert!(CORPUS.lines().count() > 20);
    CORPUS.lines().for_each(everything);
}

/// Any expression that parses: every function and method, with arguments of any type.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(
            &[
                "null",
                "true",
                "1",
                "-1",
                "2.5",
                "''",
                "'a'",
                "'a,b'",
                "'.*'",
                "'2026-03-29'",
                "'yyyy-MM'",
                "'UTC'",
                "{}",
                "99999999999L",
                "{'group.type': 'OKTA_GROUP'}"
            ][..]
        )
        .prop_map(str::to_owned),
        prop::sample::select(
            &["text", "empty", "none", "number", "whole", "flag", "list", "object", "time", "long", "login", "created"]
                [..]
        )
        .prop_map(|name| format!("user.{name}")),
        "\\PC{0,6}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        const OPERATORS: [&str; 13] = ["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">=", "&&", "or", "matches"];
        let [functions, methods] = functions::names();
        let call = (prop::sample::select(functions), prop::collection::vec(inner.clone(), 4));
        let method = (inner.clone(), prop::sample::select(methods), prop::collection::vec(inner.clone(), 2));
        prop_oneof![
            4 => call.prop_map(|((name, arity), arguments)| format!("{name}({})", arguments[..arity].join(", "))),
            4 => method.prop_map(|(object, (name, arity), arguments)| {
                format!("({object}).{name}({})", arguments[..arity].join(", "))
            }),
            3 => (inner.clone(), prop::sample::select(&OPERATORS[..]), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} ?: {b})")),
            1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|items| format!("{{{}}}", items.join(", "))),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => inner.prop_map(|a| format!("({a}).![name]")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/fixtures/expression-fuzz.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_expression_makes_anything_panic(source in any_expression()) {
        everything(&source);
    }

    #[test]
    fn no_text_makes_anything_panic(source in "\\PC{0,80}") {
        everything(&source);
    }
}

fn error_of(source: &str) -> String {
    let expression = Expression::parse(source).unwrap();
    expression.evaluate(&Context::new(&user(), &[])).unwrap_err().message
}

#[test]
fn an_evaluation_ends_after_so_many_steps() {
    // Each match of a large pattern takes 16 steps a byte.
    let slow = "user.long matches '(?:[a-z]{0,50}[0-9]{0,50}){0,20}x' or ".repeat(100) + "false";
    assert!(error_of(&slow).contains("more than 1000000 steps"));
    // A pattern that is compiled for each user takes 20,000.
    let compiled = "'a' matches String.append('b', '') or ".repeat(100) + "false";
    assert!(error_of(&compiled).contains("more than 1000000 steps"));
}

#[test]
fn no_text_or_array_grows_without_bound() {
    let doubled = (0..20).fold("user.long".to_owned(), |inner, _| format!("String.replace({inner}, 'a', 'aa')"));
    assert!(error_of(&doubled).contains("longer than 65536 bytes"));
    let csv = format!("Arrays.toCsvString({{{}}})", ["user.long"; 20].join(", "));
    assert!(error_of(&csv).contains("longer than 65536 bytes"));
    let flat = format!("Arrays.flatten({})", ["String.replace(user.long, 'a', 'a,')"; 3].join(", "));
    assert!(error_of(&flat).contains("more than 10000 elements"));
}
