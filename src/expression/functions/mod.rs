//! The functions of the language: `table` has a row for each, and the other files have their bodies.

mod arrays;
mod call;
mod convert;
mod countries;
mod dates;
mod function;
mod groups;
mod people;
mod strings;
mod table;
mod types;

pub use call::{Call, LONGEST_TEXT, Outcome};
pub use function::{Function, Gives, Meaning, Reads};
pub use people::{DIRECTORY, WORKDAY};
pub use strings::joined;
pub use types::{Type, Want};

use table::{FUNCTIONS, METHODS};

use crate::model::similar;

/// The function with exactly this name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The function with this name in other letters.
pub fn in_other_case(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().map(|function| function.name).find(|known| *known != name && known.eq_ignore_ascii_case(name))
}

/// The method with exactly this name.
pub fn method(name: &str) -> Option<&'static Function> {
    METHODS.iter().find(|method| method.name == name)
}

/// The name most similar to an unknown one. Of a family that exists, such as `String`, the rest of the name decides: the family
/// alone would make all of its functions similar.
pub fn nearest(name: &str, methods: bool) -> Option<&'static str> {
    let names = if methods { METHODS } else { FUNCTIONS }.iter().map(|function| function.name);
    let own: Vec<(&str, &'static str)> = if methods { Vec::new() } else { family(name) };
    if own.is_empty() {
        return similar::most_similar(name, names);
    }
    let (_, rest) = name.split_once('.')?;
    let found = similar::most_similar(rest, own.iter().map(|(rest, _)| *rest))?;
    own.iter().find(|(rest, _)| *rest == found).map(|(_, name)| *name)
}

/// The functions of the family that a name begins with: the rest of each name, and the whole.
pub fn family(name: &str) -> Vec<(&'static str, &'static str)> {
    let Some((wanted, _)) = name.split_once('.') else { return Vec::new() };
    let parts = FUNCTIONS.iter().filter_map(|function| Some((function.name.split_once('.')?, function.name)));
    parts.filter(|((family, _), _)| family.eq_ignore_ascii_case(wanted)).map(|((_, rest), name)| (rest, name)).collect()
}

/// The names of all functions with their fewest arguments, and of all methods with theirs.
#[cfg(test)]
pub fn names() -> [Vec<(&'static str, usize)>; 2] {
    let functions = FUNCTIONS.iter().map(|function| (function.name, function.arity().0));
    let methods = METHODS.iter().map(|method| (method.name, method.arity().0 - 1));
    [functions.collect(), methods.collect()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_without_doubles() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(METHODS.is_sorted_by(|a, b| a.name < b.name));
        assert!(METHODS.iter().all(|method| method.arity().0 > 0), "a method has an object");
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        assert_eq!(nearest("String.toUppercase", false), Some("String.toUpperCase"));
        assert_eq!(nearest("touppercase", true), Some("toUpperCase"));
        assert_eq!(nearest("xyz", false), None);
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

    /// `String.substring(string, integer[, integer])`.
    fn signature(function: &Function, is_method: bool) -> String {
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
        signed(function, is_method, &parts.concat())
    }

    fn signed(function: &Function, is_method: bool, arguments: &str) -> String {
        let object = function.want(0).filter(|_| is_method).map(|want| argument(want).to_owned() + ".");
        format!("{}{}({arguments})", object.unwrap_or_default(), function.name)
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
            Reads::Groups => "groups".to_owned(),
            Reads::LinkedObject => "linked objects".to_owned(),
            Reads::Manager | Reads::Assistant => "Active Directory".to_owned(),
            Reads::ManagerApp | Reads::AssistantApp => "Active Directory and the app".to_owned(),
            Reads::Assignments(app) => format!("assignments in `{app}`"),
        }
    }

    #[test]
    fn the_list_in_the_docs_is_the_table() {
        let docs = include_str!("../../../docs/expressions.md");
        let rows =
            FUNCTIONS.iter().map(|function| (function, false)).chain(METHODS.iter().map(|method| (method, true)));
        let rows = rows.map(|(function, is_method)| {
            let rules = if function.in_group_rules { "yes" } else { "" };
            format!("| `{}` | {} | {} | {rules} |", signature(function, is_method), result(function), reads(function))
        });
        let expected: Vec<String> = rows.map(|row| row.replace("|  |", "| |").replace("|  |", "| |")).collect();
        let (_, list) = docs.split_once("\n## All functions\n").expect("docs/expressions.md has the list");
        let list = list.split("\n## ").next().unwrap_or_default();
        let listed: Vec<&str> = list.lines().filter(|line| line.starts_with("| `")).collect();
        let missing: Vec<&String> = expected.iter().filter(|row| !listed.contains(&row.as_str())).collect();
        assert!(missing.is_empty(), "add to the list in docs/expressions.md:\n{missing:#?}");
        assert_eq!(listed, expected, "the list in docs/expressions.md has more rows, or another order");
    }
}
