//! The possible values of an expression: roles or texts.

use std::collections::BTreeSet;

use super::finding::{Finding, Wants};
use super::parts::constant;
use super::schema::Schema;
use super::types::type_of;
use crate::expression::ast::{Kind, Node};
use crate::expression::functions::{Meaning, Type};
use crate::expression::value::Value;
use crate::model::PlatformRole;

pub fn check(root: &Node, schema: &Schema, wants: Wants, findings: &mut Vec<Finding>) {
    let mut leaves = Vec::new();
    collect(root, &mut leaves);
    match wants {
        Wants::Role => roles(root, &leaves, schema, findings),
        Wants::Text => findings.extend(leaves.iter().filter_map(|leaf| no_text(leaf, schema))),
        // The items of a list aren't known.
        Wants::Texts => {
            let is_list = |leaf: &&Node| type_of(leaf, schema) == Type::List;
            let others = leaves.iter().filter(|leaf| !is_list(leaf));
            findings.extend(others.filter_map(|leaf| no_text(leaf, schema)));
        }
        Wants::GroupRule => {
            let kind = type_of(root, schema);
            if !matches!(kind, Type::Any | Type::Bool) {
                findings.push(Finding::error(format!("a group rule must be true or false, found {kind}"), root));
            }
        }
    }
}

/// The texts that may become the value of the whole and don't depend on a user.
pub fn constants(root: &Node) -> Vec<String> {
    let mut leaves = Vec::new();
    collect(root, &mut leaves);
    let text = |leaf: &&Node| match constant(leaf) {
        Some(Value::String(text)) => Some(text.into_owned()),
        _ => None,
    };
    leaves.iter().filter_map(text).collect()
}

/// The parts whose value may become the value of the whole.
fn collect<'n>(node: &'n Node, leaves: &mut Vec<&'n Node>) {
    match &node.kind {
        Kind::Ternary { then, otherwise, .. } => {
            collect(then, leaves);
            collect(otherwise, leaves);
        }
        Kind::Elvis { value, otherwise } => {
            // Null or an empty text on the left is never the value.
            let falls_through = match constant(value) {
                Some(Value::Null) => true,
                Some(Value::String(text)) => text.is_empty(),
                _ => false,
            };
            if !falls_through {
                collect(value, leaves);
            }
            collect(otherwise, leaves);
        }
        Kind::Call { function, arguments, .. } if function.meaning == Meaning::Switch => {
            for (at, argument) in arguments.iter().enumerate().skip(1) {
                if at % 2 == 1 {
                    collect(argument, leaves);
                }
            }
        }
        _ => leaves.push(node),
    }
}

fn roles(root: &Node, leaves: &[&Node], schema: &Schema, findings: &mut Vec<Finding>) {
    let mut returned = BTreeSet::new();
    let mut all_known = true;
    for leaf in leaves {
        match constant(leaf) {
            Some(Value::String(text)) => match PlatformRole::parse(&text) {
                Some(role) => drop(returned.insert(role)),
                None => findings.push(no_role(&text, leaf)),
            },
            Some(Value::Null) => findings.push(Finding::note(
                "null gives no role: a new account is a MEMBER here, and an existing one keeps its role",
                leaf,
            )),
            Some(value) => {
                let kind = value.kind();
                let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
                findings.push(Finding::error(format!("{article} {kind} is not a role"), leaf).hint(ROLES));
            }
            None => match type_of(leaf, schema) {
                Type::Any | Type::Text => all_known = false,
                other => findings.push(Finding::error(format!("{other} is not a role"), leaf).hint(ROLES)),
            },
        }
    }
    if all_known {
        for role in PlatformRole::ALL.into_iter().filter(|role| !returned.contains(role)) {
            findings.push(Finding::note(format!("no branch returns {role}, so no user gets that role"), root));
        }
    }
}

const ROLES: &str = "the roles are ADMIN, OPERATOR and MEMBER";

fn no_role(text: &str, leaf: &Node) -> Finding {
    let finding = Finding::error(format!("{text:?} is not a role"), leaf);
    match PlatformRole::parse(text.trim().to_uppercase().as_str()) {
        Some(role) => finding.hint(format!("write {role}")),
        None => finding.hint(ROLES),
    }
}

fn no_text(leaf: &Node, schema: &Schema) -> Option<Finding> {
    match type_of(leaf, schema) {
        Type::Any | Type::Text | Type::Null => None,
        other => {
            let finding = Finding::error(format!("expected a string, found {other}"), leaf);
            Some(match other {
                Type::Integer | Type::Number | Type::Bool => finding.hint("use '' + x to convert it to a string"),
                Type::List => finding.hint("use Arrays.toCsvString(x) to convert it to a string"),
                _ => finding,
            })
        }
    }
}
