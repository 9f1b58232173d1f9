//! `Iso3166Convert.*` and the Identity Engine's country codes.

use rust_iso3166::CountryCode;

use super::call::{Call, Fault, Outcome, failed};
use crate::expression::value::Value;

/// The names in Java's locale data that are shorter than those of ISO 3166-1. Okta's examples print "United States"
/// (Okta Expression Language in Identity Engine: country code functions).
const SHORT_NAMES: [(&str, &str); 26] = [
    ("BN", "Brunei"),
    ("BO", "Bolivia"),
    ("BQ", "Caribbean Netherlands"),
    ("CD", "Congo - Kinshasa"),
    ("CG", "Congo - Brazzaville"),
    ("FK", "Falkland Islands"),
    ("FM", "Micronesia"),
    ("GB", "United Kingdom"),
    ("IR", "Iran"),
    ("KP", "North Korea"),
    ("KR", "South Korea"),
    ("LA", "Laos"),
    ("MD", "Moldova"),
    ("MF", "Saint Martin"),
    ("NL", "Netherlands"),
    ("PS", "Palestine"),
    ("RU", "Russia"),
    ("SX", "Sint Maarten"),
    ("SY", "Syria"),
    ("TW", "Taiwan"),
    ("TZ", "Tanzania"),
    ("US", "United States"),
    ("VA", "Vatican City"),
    ("VE", "Venezuela"),
    ("VG", "British Virgin Islands"),
    ("VN", "Vietnam"),
];

fn name(country: &CountryCode) -> &'static str {
    let short = SHORT_NAMES.iter().find(|(code, _)| *code == country.alpha2);
    short.map_or(country.name, |(_, name)| name)
}

/// Any of the three codes, in any case.
fn by_code(text: &str) -> Option<CountryCode> {
    let text = text.trim().to_uppercase();
    match text.len() {
        2 => rust_iso3166::from_alpha2(&text),
        3 if text.bytes().all(|byte| byte.is_ascii_digit()) => rust_iso3166::from_numeric_str(&text),
        3 => rust_iso3166::from_alpha3(&text),
        _ => None,
    }
}

fn by_name(text: &str) -> Option<CountryCode> {
    let text = text.trim();
    let named =
        |country: &&CountryCode| country.name.eq_ignore_ascii_case(text) || name(country).eq_ignore_ascii_case(text);
    rust_iso3166::ALL.iter().find(named).copied()
}

fn country(call: &mut Call<'_, '_>) -> Result<CountryCode, Fault> {
    let value = call.take(0);
    let Value::String(text) = &value else { return failed(format!("{} is not a country code", value.to_json())) };
    by_code(text).map_or_else(|| failed(format!("{text:?} is not a country code of ISO 3166-1")), Ok)
}

/// `.parseCountryCode()`: from a code or a name, to the code of two letters.
pub fn parse<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let value = call.take(0);
    let Value::String(text) = &value else { return failed(format!("{} is not a country", value.to_json())) };
    match by_code(text).or_else(|| by_name(text)) {
        Some(country) => Ok(Value::text(country.alpha2)),
        None => failed(format!("{text:?} is not a country of ISO 3166-1")),
    }
}

pub fn alpha2<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(country(call)?.alpha2))
}

pub fn alpha3<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(country(call)?.alpha3))
}

pub fn numeric<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(format!("{:03}", country(call)?.numeric)))
}

pub fn full_name<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(name(&country(call)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_name_is_of_a_country() {
        assert!(SHORT_NAMES.iter().all(|(code, _)| by_code(code).is_some()));
        assert!(SHORT_NAMES.is_sorted());
    }

    #[test]
    fn every_country_is_found_by_its_name() {
        for country in rust_iso3166::ALL {
            assert_eq!(by_name(name(country)).map(|found| found.alpha2), Some(country.alpha2));
        }
    }
}
