//! Arbitrary input causes no panic and no unbounded growth, and the trace, the check and the evaluation agree.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::*;
use crate::fuzzing::{self, user};

/// Texts that caused errors, or are likely to. Add each new one that the tests find.
const CORPUS: &str = include_str!("../../tests/fixtures/expression-corpus.txt");

/// Parses, prints, checks, evaluates and traces a text.
fn everything(source: &str) {
    fuzzing::expression(source.as_bytes());
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
            1 => inner.clone().prop_map(|a| format!("({a}).![name]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).![toUpperCase() + {b}]")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("${{{a}}}x${{{b}}}")),
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
    // Each match of a large pattern takes 16 steps for each byte.
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
