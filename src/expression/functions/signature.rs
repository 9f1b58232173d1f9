//! How a function is written, and what it gives and reads, as text for the docs and the help.

use super::function::{Function, Gives, Reads};
use super::types::Want;

/// A function or a method in words.
#[derive(Debug)]
pub struct Signature {
    /// `String.substring(string, integer[, integer])`
    pub form: String,
    pub result: String,
    /// What it reads apart from its arguments; empty for nothing.
    pub reads: String,
}

impl Signature {
    pub(super) fn of(function: &Function, is_method: bool) -> Self {
        Self { form: form(function, is_method), result: result(function), reads: reads(function) }
    }
}

fn form(function: &Function, is_method: bool) -> String {
    let (fewest, most) = function.arity();
    let object = usize::from(is_method);
    let mut parts = Vec::new();
    for (at, want) in (0..most).map_while(|at| Some((at, function.want(at)?))).skip(object) {
        let comma = if at > object { ", " } else { "" };
        if at >= fewest && most > fewest + 10 {
            parts.push(format!("{comma}…"));
            break;
        }
        let (open, close) = if at >= fewest { ("[", "]") } else { ("", "") };
        parts.push(format!("{open}{comma}{}{close}", argument(want)));
    }
    let object = function.want(0).filter(|_| is_method).map(|want| argument(want).to_owned() + ".");
    format!("{}{}({})", object.unwrap_or_default(), function.name, parts.concat())
}

fn argument(want: Want) -> &'static str {
    match want {
        Want::Anything => "any",
        Want::HasText | Want::Joinable | Want::Text => "string",
        Want::App => "app",
        Want::Integer => "integer",
        Want::Numeric => "number",
        Want::List | Want::ListOrNull => "array",
        Want::Map => "criterion",
        Want::Time => "time",
    }
}

fn result(function: &Function) -> String {
    let kind = match function.gives {
        Gives::Texts => "an array of strings".to_owned(),
        Gives::Item => "an element".to_owned(),
        Gives::One(kind) => kind.to_string(),
    };
    if function.may_be_null { kind + " or null" } else { kind }
}

fn reads(function: &Function) -> String {
    match function.reads {
        Reads::Nothing => String::new(),
        Reads::User => "the user".to_owned(),
        Reads::Clock => "the clock".to_owned(),
        Reads::Groups | Reads::NamedGroups => "groups".to_owned(),
        Reads::LinkedObject => "linked objects".to_owned(),
        Reads::Manager | Reads::Assistant => "Active Directory".to_owned(),
        Reads::ManagerApp | Reads::AssistantApp => "Active Directory and the app".to_owned(),
        Reads::Assignments(app) => format!("assignments in `{app}`"),
    }
}
