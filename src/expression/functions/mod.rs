//! The functions of the language: `table` has a row for each, and the other files have their bodies.

mod arrays;
mod call;
mod convert;
mod countries;
mod dates;
mod function;
mod groups;
mod people;
mod signature;
mod strings;
mod table;
mod types;

pub use call::{Call, LONGEST_TEXT, Outcome};
pub use function::{Function, Gives, Meaning, Reads};
pub use people::{DIRECTORY, WORKDAY};
pub use signature::Signature;
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

/// All functions, then all methods.
pub fn signatures() -> impl Iterator<Item = Signature> {
    let functions = FUNCTIONS.iter().map(|function| Signature::of(function, false));
    functions.chain(METHODS.iter().map(|method| Signature::of(method, true)))
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

    #[test]
    fn the_list_in_the_docs_is_the_table() {
        let docs = include_str!("../../../docs/expressions.md");
        let rows =
            FUNCTIONS.iter().map(|function| (function, false)).chain(METHODS.iter().map(|method| (method, true)));
        let rows = rows.map(|(function, is_method)| {
            let rules = if function.in_group_rules { "yes" } else { "" };
            let Signature { form, result, reads } = Signature::of(function, is_method);
            format!("| `{form}` | {result} | {reads} | {rules} |")
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
