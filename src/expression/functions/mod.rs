//! Every function of the language, in one table.

mod arrays;
mod convert;
mod countries;
mod dates;
mod groups;
mod people;
mod strings;

use std::ops::Range;

pub use dates::iso::java_time;
use dates::times;
pub use strings::joined;

use super::error::ErrorKind;
use super::pattern::Pattern;
use super::trace::Run;
use super::value::Value;

/// What a function gives: a value, or why there is none.
pub type Outcome<'a> = Result<Value<'a>, Fault>;

/// Why a function gives no value; the evaluator adds the place.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: ErrorKind,
    pub message: String,
}

/// What a function is called with.
#[derive(Debug)]
pub struct Call<'c, 'a> {
    pub run: &'c Run<'c, 'a>,
    /// The app instance before the dot: `workday_abc1234.hasWorkdayUser()`.
    pub owner: Option<&'c str>,
    pub arguments: Vec<Value<'a>>,
    /// The pattern of a function that takes one as a literal, compiled with the expression.
    pub pattern: Option<&'c Pattern>,
    /// The place of the call.
    pub span: &'c Range<usize>,
}

/// A function with a name of its own, such as `String.len`.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    /// The fewest and the most arguments.
    pub arity: (usize, usize),
    /// Whether it asks for the groups that the user is a member of.
    pub needs_groups: bool,
    /// Which argument is a pattern.
    pub pattern: Option<usize>,
    pub run: for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>,
}

impl Function {
    /// Whether an app instance may stand before the dot, as in the published `workday_abc1234.hasWorkdayUser()`.
    pub fn is_of_app(&self) -> bool {
        ["findDirectoryUser", "findWorkdayUser", "hasDirectoryUser", "hasWorkdayUser"].contains(&self.name)
    }
}

/// A function in the Identity Engine's method style; its first argument is the object.
#[derive(Debug)]
pub struct Method {
    pub name: &'static str,
    /// The fewest and the most arguments, the object not counted.
    pub arity: (usize, usize),
    pub run: for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>,
}

const MANY: usize = 1000;
/// The longest text that a function makes, in bytes.
pub const LONGEST_TEXT: usize = 1 << 16;

const fn plain(
    name: &'static str,
    arity: (usize, usize),
    run: for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>,
) -> Function {
    Function { name, arity, needs_groups: false, pattern: None, run }
}

const fn grouped(
    name: &'static str,
    arity: (usize, usize),
    run: for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>,
) -> Function {
    Function { name, arity, needs_groups: true, pattern: None, run }
}

/// All functions, sorted by name.
static FUNCTIONS: [Function; 65] = [
    plain("Arrays.add", (2, 2), arrays::add),
    plain("Arrays.clear", (1, 1), arrays::clear),
    plain("Arrays.contains", (2, 2), arrays::contains),
    plain("Arrays.flatten", (1, MANY), arrays::flatten),
    plain("Arrays.get", (2, 2), arrays::get),
    plain("Arrays.isEmpty", (1, 1), arrays::is_empty),
    plain("Arrays.remove", (2, 2), arrays::remove),
    plain("Arrays.size", (1, 1), arrays::size),
    plain("Arrays.toCsvString", (1, 1), arrays::to_csv_string),
    plain("Convert.toInt", (1, 1), convert::to_int),
    plain("Convert.toNum", (1, 1), convert::to_num),
    plain("DateTime.now", (0, 0), times::now_time),
    grouped("Groups.contains", (3, 3), groups::groups_contains),
    grouped("Groups.endsWith", (3, 3), groups::groups_ends_with),
    grouped("Groups.startsWith", (3, 3), groups::groups_starts_with),
    plain("Iso3166Convert.toAlpha2", (1, 1), countries::alpha2),
    plain("Iso3166Convert.toAlpha3", (1, 1), countries::alpha3),
    plain("Iso3166Convert.toName", (1, 1), countries::full_name),
    plain("Iso3166Convert.toNumeric", (1, 1), countries::numeric),
    plain("String.append", (2, 2), strings::append),
    plain("String.endsWith", (2, 2), strings::ends_with),
    plain("String.join", (1, MANY), strings::join),
    plain("String.len", (1, 1), strings::len),
    plain("String.removeSpaces", (1, 1), strings::remove_spaces),
    plain("String.replace", (3, 3), strings::replace),
    plain("String.replaceFirst", (3, 3), strings::replace_first),
    plain("String.startsWith", (2, 2), strings::starts_with),
    plain("String.stringContains", (2, 2), strings::string_contains),
    plain("String.stringSwitch", (2, MANY), strings::string_switch),
    plain("String.substring", (2, 3), strings::substring),
    plain("String.substringAfter", (2, 2), strings::substring_after),
    plain("String.substringBefore", (2, 2), strings::substring_before),
    plain("String.toLowerCase", (1, 1), strings::to_lower_case),
    plain("String.toUpperCase", (1, 1), strings::to_upper_case),
    plain("Time.fromIso8601ToString", (2, 2), times::from_iso_to_string),
    plain("Time.fromIso8601ToUnix", (1, 1), times::to_unix_text),
    plain("Time.fromIso8601ToWindows", (1, 1), times::to_windows_text),
    plain("Time.fromStringToIso8601", (2, 2), times::from_string_to_iso),
    plain("Time.fromUnixToIso8601", (1, 1), times::from_unix_to_iso),
    plain("Time.fromWindowsToIso8601", (1, 1), times::from_windows_to_iso),
    plain("Time.now", (0, 2), times::now_text),
    plain("findDirectoryUser", (0, 0), people::find_directory_user),
    plain("findWorkdayUser", (0, 0), people::find_workday_user),
    plain("getAssistantAppUser", (2, 2), people::assistant_app),
    plain("getAssistantUser", (1, 1), people::assistant),
    grouped("getFilteredGroups", (3, 3), groups::get_filtered_groups),
    plain("getManagerAppUser", (2, 2), people::manager_app),
    plain("getManagerUser", (1, 1), people::manager),
    plain("hasDirectoryUser", (0, 0), people::has_directory_user),
    plain("hasWorkdayUser", (0, 0), people::has_workday_user),
    grouped("isMemberOfAnyGroup", (1, MANY), groups::is_member_of_any_group),
    grouped("isMemberOfGroup", (1, 1), groups::is_member_of_any_group),
    grouped("isMemberOfGroupName", (1, 1), groups::is_member_of_group_name),
    grouped("isMemberOfGroupNameContains", (1, 1), groups::is_member_of_group_name_contains),
    Function {
        name: "isMemberOfGroupNameRegex",
        arity: (1, 1),
        needs_groups: true,
        pattern: Some(0),
        run: groups::is_member_of_group_name_regex,
    },
    grouped("isMemberOfGroupNameStartsWith", (1, 1), groups::is_member_of_group_name_starts_with),
    plain("substring", (2, 3), strings::substring),
    plain("substringAfter", (2, 2), strings::substring_after),
    plain("substringBefore", (2, 2), strings::substring_before),
    plain("toLowerCase", (1, 1), strings::to_lower_case),
    plain("toUpperCase", (1, 1), strings::to_upper_case),
    grouped("user.getGroups", (1, MANY), groups::get_groups),
    plain("user.getInternalProperty", (1, 1), groups::internal_property),
    plain("user.getLinkedObject", (1, 1), people::linked_object),
    grouped("user.isMemberOf", (1, MANY), groups::is_member_of),
];

/// The methods, sorted by name.
static METHODS: [Method; 46] = [
    Method { name: "add", arity: (1, 1), run: arrays::add },
    Method { name: "contains", arity: (1, 1), run: arrays::contains_either },
    Method { name: "endsWith", arity: (1, 1), run: strings::ends_with },
    Method { name: "flatten", arity: (0, MANY), run: arrays::flatten },
    Method { name: "get", arity: (1, 1), run: arrays::get },
    Method { name: "isEmpty", arity: (0, 0), run: arrays::is_empty },
    Method { name: "length", arity: (0, 0), run: strings::len },
    Method { name: "minusDays", arity: (1, 1), run: times::minus_days },
    Method { name: "minusHours", arity: (1, 1), run: times::minus_hours },
    Method { name: "minusMinutes", arity: (1, 1), run: times::minus_minutes },
    Method { name: "minusSeconds", arity: (1, 1), run: times::minus_seconds },
    Method { name: "parseCountryCode", arity: (0, 0), run: countries::parse },
    Method { name: "parseStringTime", arity: (0, 1), run: times::parse_string_time },
    Method { name: "parseUnixTime", arity: (0, 0), run: times::parse_unix_time },
    Method { name: "parseWindowsTime", arity: (0, 0), run: times::parse_windows_time },
    Method { name: "plusDays", arity: (1, 1), run: times::plus_days },
    Method { name: "plusHours", arity: (1, 1), run: times::plus_hours },
    Method { name: "plusMinutes", arity: (1, 1), run: times::plus_minutes },
    Method { name: "plusSeconds", arity: (1, 1), run: times::plus_seconds },
    Method { name: "remove", arity: (1, 1), run: arrays::remove },
    Method { name: "removeSpaces", arity: (0, 0), run: strings::remove_spaces },
    Method { name: "replace", arity: (2, 2), run: strings::replace },
    Method { name: "replaceFirst", arity: (2, 2), run: strings::replace_first },
    Method { name: "size", arity: (0, 0), run: arrays::size },
    Method { name: "startsWith", arity: (1, 1), run: strings::starts_with },
    Method { name: "substring", arity: (1, 2), run: strings::substring },
    Method { name: "substringAfter", arity: (1, 1), run: strings::substring_after },
    Method { name: "substringBefore", arity: (1, 1), run: strings::substring_before },
    Method { name: "toAlpha2", arity: (0, 0), run: countries::alpha2 },
    Method { name: "toAlpha3", arity: (0, 0), run: countries::alpha3 },
    Method { name: "toInteger", arity: (0, 0), run: convert::to_integer },
    Method { name: "toLowerCase", arity: (0, 0), run: strings::to_lower_case },
    Method { name: "toName", arity: (0, 0), run: countries::full_name },
    Method { name: "toNumber", arity: (0, 0), run: convert::to_num },
    Method { name: "toNumeric", arity: (0, 0), run: countries::numeric },
    Method { name: "toString", arity: (0, 1), run: times::to_string },
    Method { name: "toUnix", arity: (0, 0), run: times::to_unix_text },
    Method { name: "toUpperCase", arity: (0, 0), run: strings::to_upper_case },
    Method { name: "toWindows", arity: (0, 0), run: times::to_windows_text },
    Method { name: "toZone", arity: (1, 1), run: times::to_zone },
    Method { name: "versionGreaterThan", arity: (1, 1), run: convert::version_greater },
    Method { name: "versionLessThan", arity: (1, 1), run: convert::version_less },
    Method { name: "withinDays", arity: (1, 1), run: times::within_days },
    Method { name: "withinHours", arity: (1, 1), run: times::within_hours },
    Method { name: "withinMinutes", arity: (1, 1), run: times::within_minutes },
    Method { name: "withinSeconds", arity: (1, 1), run: times::within_seconds },
];

/// The names of all functions with their fewest arguments, and of all methods with theirs.
#[cfg(test)]
pub fn names() -> [Vec<(&'static str, usize)>; 2] {
    let functions = FUNCTIONS.iter().map(|function| (function.name, function.arity.0));
    let methods = METHODS.iter().map(|method| (method.name, method.arity.0));
    [functions.collect(), methods.collect()]
}

/// The function with exactly this name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The function with this name in other letters.
pub fn in_other_case(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().map(|function| function.name).find(|known| *known != name && known.eq_ignore_ascii_case(name))
}

/// The method with exactly this name.
pub fn method(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// The name nearest to one that isn't known, if any is near.
pub fn nearest(name: &str, methods: bool) -> Option<&'static str> {
    let names: Vec<&'static str> = if methods {
        METHODS.iter().map(|method| method.name).collect()
    } else {
        FUNCTIONS.iter().map(|function| function.name).collect()
    };
    let scored =
        names.into_iter().map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase()), known));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// A fault of the kind that Okta has too.
pub fn failed<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { kind: ErrorKind::Failed, message: message.into() })
}

/// What can't be had here.
pub fn unevaluable<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { kind: ErrorKind::Unevaluable, message: message.into() })
}

impl<'a> Call<'_, 'a> {
    /// Takes steps off what the evaluation may still do.
    pub fn spend(&self, steps: usize) -> Result<(), Fault> {
        self.run.spend(steps, self.span).map_err(|error| Fault { kind: error.kind, message: error.message })
    }

    /// Takes an argument out of the call; null where there is none.
    pub fn take(&mut self, at: usize) -> Value<'a> {
        self.arguments.get_mut(at).map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_without_doubles() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(METHODS.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        assert_eq!(nearest("String.toUppercase", false), Some("String.toUpperCase"));
        assert_eq!(nearest("touppercase", true), Some("toUpperCase"));
        assert_eq!(nearest("xyz", false), None);
    }
}
