//! Every function and method of the language, a row each. The parser, the checker, the needs and the list in
//! docs/expressions.md read nothing else.

use super::dates::times;
use super::function::{Function, Gives, Meaning, Reads, everywhere, in_mappings, method};
use super::people::{DIRECTORY, WORKDAY};
use super::types::Type;
use super::types::Want::{Anything, App, HasText, Integer, Joinable, List, ListOrNull, Map, Numeric, Text, Time};
use super::{arrays, convert, countries, groups, people, strings};

const ANY: Gives = Gives::One(Type::Any);
const BOOL: Gives = Gives::One(Type::Bool);
const INTEGER: Gives = Gives::One(Type::Integer);
const LIST: Gives = Gives::One(Type::List);
const NUMBER: Gives = Gives::One(Type::Number);
const OBJECT: Gives = Gives::One(Type::Object);
const TEXT: Gives = Gives::One(Type::Text);
const TIME: Gives = Gives::One(Type::Time);

/// All functions, sorted by name: the name, the required arguments, the result, the body, and what else is special.
pub static FUNCTIONS: &[Function] = &[
    everywhere("Arrays.add", &[List, Anything], LIST, arrays::add),
    everywhere("Arrays.clear", &[ListOrNull], LIST, arrays::clear),
    everywhere("Arrays.contains", &[ListOrNull, Anything], BOOL, arrays::contains).means(Meaning::Contains),
    everywhere("Arrays.flatten", &[Anything], LIST, arrays::flatten).further(Anything),
    everywhere("Arrays.get", &[List, Integer], Gives::Item, arrays::get).or_null(),
    everywhere("Arrays.isEmpty", &[ListOrNull], BOOL, arrays::is_empty),
    everywhere("Arrays.remove", &[List, Anything], LIST, arrays::remove),
    everywhere("Arrays.size", &[ListOrNull], INTEGER, arrays::size),
    everywhere("Arrays.toCsvString", &[ListOrNull], TEXT, arrays::to_csv_string),
    in_mappings("Convert.toInt", &[Numeric], INTEGER, convert::to_int),
    in_mappings("Convert.toNum", &[Numeric], NUMBER, convert::to_num),
    in_mappings("DateTime.now", &[], TIME, times::now_time).reads(Reads::Clock),
    in_mappings("Groups.contains", &[Text, Text, Integer], Gives::Texts, groups::groups_contains)
        .or_null()
        .reads(Reads::Groups),
    in_mappings("Groups.endsWith", &[Text, Text, Integer], Gives::Texts, groups::groups_ends_with)
        .or_null()
        .reads(Reads::Groups),
    in_mappings("Groups.startsWith", &[Text, Text, Integer], Gives::Texts, groups::groups_starts_with)
        .or_null()
        .reads(Reads::Groups),
    in_mappings("Iso3166Convert.toAlpha2", &[Text], TEXT, countries::alpha2),
    in_mappings("Iso3166Convert.toAlpha3", &[Text], TEXT, countries::alpha3),
    in_mappings("Iso3166Convert.toName", &[Text], TEXT, countries::full_name),
    in_mappings("Iso3166Convert.toNumeric", &[Text], TEXT, countries::numeric),
    everywhere("String.append", &[Joinable, Joinable], TEXT, strings::append),
    everywhere("String.endsWith", &[Joinable, Joinable], BOOL, strings::ends_with),
    everywhere("String.join", &[Joinable], TEXT, strings::join).further(Joinable),
    everywhere("String.len", &[Joinable], INTEGER, strings::len),
    everywhere("String.removeSpaces", &[Joinable], TEXT, strings::remove_spaces),
    everywhere("String.replace", &[Joinable, Joinable, Joinable], TEXT, strings::replace),
    everywhere("String.replaceFirst", &[Joinable, Joinable, Joinable], TEXT, strings::replace_first),
    everywhere("String.startsWith", &[Joinable, Joinable], BOOL, strings::starts_with),
    everywhere("String.stringContains", &[Joinable, Joinable], BOOL, strings::string_contains),
    everywhere("String.stringSwitch", &[Joinable, Anything], ANY, strings::string_switch)
        .further(Anything)
        .or_null()
        .means(Meaning::Switch),
    everywhere("String.substring", &[Joinable, Integer], TEXT, strings::substring).optional(&[Integer]),
    everywhere("String.substringAfter", &[Joinable, Joinable], TEXT, strings::substring_after),
    everywhere("String.substringBefore", &[Joinable, Joinable], TEXT, strings::substring_before),
    everywhere("String.toLowerCase", &[Joinable], TEXT, strings::to_lower_case).means(Meaning::LowerCase),
    everywhere("String.toUpperCase", &[Joinable], TEXT, strings::to_upper_case).means(Meaning::UpperCase),
    in_mappings("Time.fromIso8601ToString", &[HasText, HasText], TEXT, times::from_iso_to_string),
    in_mappings("Time.fromIso8601ToUnix", &[HasText], TEXT, times::to_unix_text),
    in_mappings("Time.fromIso8601ToWindows", &[HasText], TEXT, times::to_windows_text),
    in_mappings("Time.fromStringToIso8601", &[HasText, HasText], TEXT, times::from_string_to_iso),
    in_mappings("Time.fromUnixToIso8601", &[HasText], TEXT, times::from_unix_to_iso),
    in_mappings("Time.fromWindowsToIso8601", &[HasText], TEXT, times::from_windows_to_iso),
    in_mappings("Time.now", &[], TEXT, times::now_text).optional(&[HasText, HasText]).reads(Reads::Clock),
    in_mappings("findDirectoryUser", &[], OBJECT, people::find_directory_user)
        .or_null()
        .reads(Reads::Assignments(DIRECTORY)),
    in_mappings("findWorkdayUser", &[], OBJECT, people::find_workday_user).or_null().reads(Reads::Assignments(WORKDAY)),
    in_mappings("getAssistantAppUser", &[App, App], OBJECT, people::assistant_app).or_null().reads(Reads::AssistantApp),
    in_mappings("getAssistantUser", &[App], OBJECT, people::assistant).or_null().reads(Reads::Assistant),
    in_mappings("getFilteredGroups", &[List, Text, Integer], Gives::Texts, groups::get_filtered_groups)
        .reads(Reads::Groups),
    in_mappings("getManagerAppUser", &[App, App], OBJECT, people::manager_app).or_null().reads(Reads::ManagerApp),
    in_mappings("getManagerUser", &[App], OBJECT, people::manager).or_null().reads(Reads::Manager),
    in_mappings("hasDirectoryUser", &[], BOOL, people::has_directory_user).reads(Reads::Assignments(DIRECTORY)),
    in_mappings("hasWorkdayUser", &[], BOOL, people::has_workday_user).reads(Reads::Assignments(WORKDAY)),
    everywhere("isMemberOfAnyGroup", &[Text], BOOL, groups::is_member_of_any_group)
        .further(Text)
        .reads(Reads::NamedGroups),
    everywhere("isMemberOfGroup", &[Text], BOOL, groups::is_member_of_any_group).reads(Reads::NamedGroups),
    everywhere("isMemberOfGroupName", &[Text], BOOL, groups::is_member_of_group_name).reads(Reads::NamedGroups),
    everywhere("isMemberOfGroupNameContains", &[Text], BOOL, groups::is_member_of_group_name_contains)
        .reads(Reads::Groups),
    everywhere("isMemberOfGroupNameRegex", &[Text], BOOL, groups::is_member_of_group_name_regex)
        .reads(Reads::Groups)
        .pattern(0),
    everywhere("isMemberOfGroupNameStartsWith", &[Text], BOOL, groups::is_member_of_group_name_starts_with)
        .reads(Reads::Groups),
    everywhere("substring", &[Joinable, Integer], TEXT, strings::substring).optional(&[Integer]),
    everywhere("substringAfter", &[Joinable, Joinable], TEXT, strings::substring_after),
    everywhere("substringBefore", &[Joinable, Joinable], TEXT, strings::substring_before),
    everywhere("toLowerCase", &[Joinable], TEXT, strings::to_lower_case).means(Meaning::LowerCase),
    everywhere("toUpperCase", &[Joinable], TEXT, strings::to_upper_case).means(Meaning::UpperCase),
    everywhere("user.getGroups", &[Map], LIST, groups::get_groups).further(Map).reads(Reads::Groups),
    everywhere("user.getInternalProperty", &[Text], TEXT, groups::internal_property).reads(Reads::User),
    everywhere("user.getLinkedObject", &[Text], OBJECT, people::linked_object).or_null().reads(Reads::LinkedObject),
    everywhere("user.isMemberOf", &[Map], BOOL, groups::is_member_of).further(Map).reads(Reads::Groups),
];

/// All methods, sorted by name. The first argument is the object.
pub static METHODS: &[Function] = &[
    method("add", &[List, Anything], LIST, arrays::add),
    method("contains", &[Anything, Anything], BOOL, arrays::contains_either).means(Meaning::Contains),
    method("endsWith", &[Joinable, Joinable], BOOL, strings::ends_with),
    method("flatten", &[Anything], LIST, arrays::flatten).further(Anything),
    method("get", &[List, Integer], Gives::Item, arrays::get).or_null(),
    method("isEmpty", &[ListOrNull], BOOL, arrays::is_empty),
    method("length", &[Joinable], INTEGER, strings::len),
    method("minusDays", &[Time, Integer], TIME, times::minus_days),
    method("minusHours", &[Time, Integer], TIME, times::minus_hours),
    method("minusMinutes", &[Time, Integer], TIME, times::minus_minutes),
    method("minusSeconds", &[Time, Integer], TIME, times::minus_seconds),
    method("parseCountryCode", &[Text], TEXT, countries::parse),
    method("parseStringTime", &[HasText], TIME, times::parse_string_time).optional(&[Text]),
    method("parseUnixTime", &[HasText], TIME, times::parse_unix_time),
    method("parseWindowsTime", &[HasText], TIME, times::parse_windows_time),
    method("plusDays", &[Time, Integer], TIME, times::plus_days),
    method("plusHours", &[Time, Integer], TIME, times::plus_hours),
    method("plusMinutes", &[Time, Integer], TIME, times::plus_minutes),
    method("plusSeconds", &[Time, Integer], TIME, times::plus_seconds),
    method("remove", &[List, Anything], LIST, arrays::remove),
    method("removeSpaces", &[Joinable], TEXT, strings::remove_spaces),
    method("replace", &[Joinable, Joinable, Joinable], TEXT, strings::replace),
    method("replaceFirst", &[Joinable, Joinable, Joinable], TEXT, strings::replace_first),
    method("size", &[ListOrNull], INTEGER, arrays::size),
    method("startsWith", &[Joinable, Joinable], BOOL, strings::starts_with),
    method("substring", &[Joinable, Integer], TEXT, strings::substring).optional(&[Integer]),
    method("substringAfter", &[Joinable, Joinable], TEXT, strings::substring_after),
    method("substringBefore", &[Joinable, Joinable], TEXT, strings::substring_before),
    method("toAlpha2", &[Text], TEXT, countries::alpha2),
    method("toAlpha3", &[Text], TEXT, countries::alpha3),
    method("toInteger", &[Numeric], INTEGER, convert::to_integer),
    method("toLowerCase", &[Joinable], TEXT, strings::to_lower_case).means(Meaning::LowerCase),
    method("toName", &[Text], TEXT, countries::full_name),
    method("toNumber", &[Numeric], NUMBER, convert::to_num),
    method("toNumeric", &[Text], TEXT, countries::numeric),
    method("toString", &[HasText], TEXT, times::to_string).optional(&[Text]),
    method("toUnix", &[Time], TEXT, times::to_unix_text),
    method("toUpperCase", &[Joinable], TEXT, strings::to_upper_case).means(Meaning::UpperCase),
    method("toWindows", &[Time], TEXT, times::to_windows_text),
    method("toZone", &[Time, Text], TIME, times::to_zone),
    method("versionGreaterThan", &[HasText, HasText], BOOL, convert::version_greater),
    method("versionLessThan", &[HasText, HasText], BOOL, convert::version_less),
    method("withinDays", &[Time, Integer], BOOL, times::within_days).reads(Reads::Clock),
    method("withinHours", &[Time, Integer], BOOL, times::within_hours).reads(Reads::Clock),
    method("withinMinutes", &[Time, Integer], BOOL, times::within_minutes).reads(Reads::Clock),
    method("withinSeconds", &[Time, Integer], BOOL, times::within_seconds).reads(Reads::Clock),
];
