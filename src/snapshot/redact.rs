//! Replaces personal data in a snapshot, word by word: the same word by the same other word, at every place and in every case, so
//! that equal values stay equal, an address made of names stays one, and a domain stays a domain. The table of replacements is
//! made at random, and is gone once the file is written.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde_json::{Number, Value};

use super::{Snapshot, kept};
use crate::error::{Error, Kind, Result};
use crate::http::answers::{Answer, Answers, Json};
use crate::model::activepieces::REPLACED;
use crate::model::id::OktaIds;
use crate::model::packed::KeptAttributes;
use crate::plan::Past;
use crate::plan::hold::resumed::Resumed;

/// What isn't replaced.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// Words of the config, lower-case: what expressions, rules and the search compare with.
    pub words: BTreeSet<String>,
    /// Whole values of the config, lower-case: accounts that it names.
    pub values: BTreeSet<String>,
    /// Words that names of groups have, as far as no user is called so.
    pub group_words: BTreeSet<String>,
    /// Attributes of users that the config asks for. All others are left out.
    pub attributes: KeptAttributes,
}

/// Attributes with codes of countries, languages and time zones, which functions of expressions read.
const CODES: [&str; 4] = ["countryCode", "locale", "preferredLanguage", "timezone"];
/// Attributes that say how a user is called.
const NAMES: [&str; 11] = [
    "firstName",
    "lastName",
    "middleName",
    "nickName",
    "displayName",
    "login",
    "email",
    "secondEmail",
    "givenName",
    "familyName",
    "userName",
];
/// No word of a language consists of these.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz";
/// Numbers of fewer digits stay: levels, floors, country codes.
const FEW_DIGITS: usize = 3;
/// How often a replacement of the same length is tried.
const TRIES: usize = 200;

/// The words of a text, lower-case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    parts(text).filter(|(kind, _)| *kind != Part::Other).map(|(_, part)| part.to_lowercase())
}

/// Replaces what is personal in the whole snapshot.
pub fn redact(snapshot: Snapshot, keep: &Keep) -> Result<Snapshot> {
    let answers = || snapshot.okta_answers.values().chain(snapshot.activepieces_answers.values());
    let mut seen = Seen::default();
    answers().for_each(|answer| bodies(answer).iter().for_each(|body| seen.look(None, &body.value())));
    let mut kept = keep.words.clone();
    kept.extend(keep.group_words.difference(&seen.personal).cloned());
    let table = Table { kept, used: seen.words, replacements: BTreeMap::new(), random: SystemRandom::new() };
    let mut redactor = Redactor { keep, ids: seen.ids, table, failed: false };
    let okta_answers = redactor.answers(&snapshot.okta_answers);
    let activepieces_answers = redactor.answers(&snapshot.activepieces_answers);
    let past = redactor.past(&snapshot.past);
    if redactor.failed {
        return Err(Error::new(Kind::Failed, "the system gives no random numbers to redact the snapshot with"));
    }
    Ok(Snapshot {
        okta: String::new(),
        activepieces: String::new(),
        redacted: true,
        attributes: match &keep.attributes {
            KeptAttributes::All => None,
            KeptAttributes::Named(names) => Some(names.clone()),
        },
        past,
        // Its operations hold names, and count only while they are exactly the planned ones.
        resumed: Resumed::default(),
        okta_answers,
        activepieces_answers,
        ..snapshot
    })
}

fn bodies(answer: &Answer) -> &[Json] {
    match answer {
        Answer::Body(body) => std::slice::from_ref(body),
        Answer::List(list) => list,
        Answer::Refused { .. } => &[],
    }
}

/// What is in the answers.
#[derive(Default)]
struct Seen {
    ids: BTreeSet<String>,
    /// Every word, lower-case, so that no replacement is another user's name.
    words: BTreeSet<String>,
    /// Words of users' names and addresses.
    personal: BTreeSet<String>,
}

impl Seen {
    fn look(&mut self, name: Option<&str>, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| self.look(Some(name), value)),
            Value::Array(items) => items.iter().for_each(|item| self.look(name, item)),
            Value::String(text) => {
                if name == Some("id") {
                    self.ids.insert(text.clone());
                }
                self.words.extend(words(text));
                if name.is_some_and(|name| NAMES.contains(&name)) {
                    // The domain of an address is the company's.
                    self.personal.extend(words(text.split('@').next().unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
}

/// The replacements so far.
struct Table {
    kept: BTreeSet<String>,
    /// What no replacement may be: words of the snapshot, and other replacements.
    used: BTreeSet<String>,
    replacements: BTreeMap<String, String>,
    random: SystemRandom,
}

struct Redactor<'a> {
    keep: &'a Keep,
    ids: BTreeSet<String>,
    table: Table,
    failed: bool,
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Entity,
    /// Within attributes of any name.
    Profile,
}

impl Redactor<'_> {
    fn answers(&mut self, answers: &Answers) -> Answers {
        answers.iter().map(|(key, answer)| (key.clone(), self.answer(key, answer))).collect()
    }

    fn answer(&mut self, key: &str, answer: &Answer) -> Answer {
        match answer {
            Answer::Body(body) => Answer::Body(self.json(key, body)),
            Answer::List(list) => Answer::List(list.iter().map(|item| self.json(key, item)).collect()),
            Answer::Refused { status, code, .. } => {
                Answer::Refused { status: *status, code: code.clone(), message: String::new() }
            }
        }
    }

    fn json(&mut self, key: &str, json: &Json) -> Json {
        Json::from(&self.value(key, Place::Entity, "", &json.value()))
    }

    fn value(&mut self, key: &str, place: Place, name: &str, value: &Value) -> Value {
        match value {
            // Definitions are the org's own, and no user's.
            _ if place == Place::Entity && ["definitions", "properties"].contains(&name) => value.clone(),
            Value::Object(members) => {
                let of_user = place == Place::Entity && is_user(key, name);
                let members = members.iter().map(|(name, value)| {
                    let value = match (name.as_str(), value) {
                        ("profile", Value::Object(attributes)) if of_user => {
                            let keep = self.keep;
                            let asked = attributes.iter().filter(|(name, _)| keep.attributes.holds(name));
                            let redacted =
                                asked.map(|(name, value)| (name.clone(), self.value(key, Place::Profile, name, value)));
                            Value::Object(redacted.collect())
                        }
                        ("profile", value) => self.value(key, Place::Profile, "profile", value),
                        (name, value) => self.value(key, place, name, value),
                    };
                    (name.clone(), value)
                });
                Value::Object(members.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.value(key, place, name, item)).collect(),
            Value::String(text) => {
                let stays = match place {
                    Place::Entity => kept::stays(name),
                    Place::Profile => CODES.contains(&name) || is_date(text),
                };
                Value::String(if stays { text.clone() } else { self.text(text) })
            }
            Value::Number(number) if place == Place::Profile => self.number(number),
            plain => plain.clone(),
        }
    }

    /// A number with the digits of another one, if it may identify a person.
    fn number(&mut self, number: &Number) -> Value {
        let text = number.to_string();
        let replaced = self.text(&text);
        serde_json::from_str(&replaced).unwrap_or(Value::String(replaced))
    }

    fn text(&mut self, text: &str) -> String {
        let is_id = |text: &str| {
            self.ids.contains(text) || OktaIds::default().is_user(text) || OktaIds::default().is_group(text)
        };
        let is_id =
            is_id(text) || text.split_once(REPLACED).is_some_and(|(user, account)| is_id(user) && is_id(account));
        if is_id || self.keep.values.contains(&text.trim().to_lowercase()) {
            return text.to_owned();
        }
        let parts: Vec<(Part, &str)> = parts(text).collect();
        parts.into_iter().map(|(kind, part)| self.part(kind, part)).collect()
    }

    fn part(&mut self, kind: Part, part: &str) -> String {
        let lower = part.to_lowercase();
        let is_short = kind == Part::Digits && part.chars().count() < FEW_DIGITS;
        if kind == Part::Other || is_short || self.table.kept.contains(&lower) {
            return part.to_owned();
        }
        let Some(replacement) = self.table.replacement(kind, lower) else {
            self.failed = true;
            return String::new();
        };
        in_case_of(part, &replacement)
    }

    /// State of earlier runs, by ids, with the names of groups and apps replaced as in the answers.
    fn past(&mut self, past: &Past) -> Past {
        let mut past = past.clone();
        // These are hashes of values that are replaced now.
        past.unsettled_since.clear();
        if let Some(sizes) = &mut past.trusted {
            for group in sizes.groups.values_mut() {
                group.name = self.text(&group.name);
            }
            let parts = std::mem::take(&mut sizes.parts);
            sizes.parts = parts.into_iter().map(|(part, count)| (self.named_part(&part), count)).collect();
        }
        let roles = past.left_roles.values_mut().flat_map(|roles| roles.values_mut());
        roles.for_each(|role| *role = self.text(role));
        past
    }

    /// `members of the group AP Sales`
    fn named_part(&mut self, part: &str) -> String {
        let prefix = ["members of the group ", "users assigned to the app "];
        let found = prefix.into_iter().find_map(|prefix| Some((prefix, part.strip_prefix(prefix)?)));
        found.map_or_else(|| part.to_owned(), |(prefix, name)| format!("{prefix}{}", self.text(name)))
    }
}

/// Whether an entity of an answer is an Okta user, and neither a group, an app nor an assignment.
fn is_user(key: &str, name: &str) -> bool {
    let path = key.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
    name == "user" || matches!(parts.as_slice(), ["users"] | ["users", _] | ["groups", _, "users"])
}

impl Table {
    /// The replacement of a word; none where the system has no random numbers.
    fn replacement(&mut self, kind: Part, word: String) -> Option<String> {
        if let Some(known) = self.replacements.get(&word) {
            return Some(known.clone());
        }
        let mut length = word.chars().count();
        let found = loop {
            let mut tried = 0;
            let free = loop {
                let candidate = self.made_up(kind, length)?;
                if !self.used.contains(&candidate) && !self.kept.contains(&candidate) {
                    break Some(candidate);
                }
                tried += 1;
                if tried == TRIES {
                    break None;
                }
            };
            match free {
                Some(free) => break free,
                // All words of this length are taken.
                None => length += 1,
            }
        };
        self.used.insert(found.clone());
        self.replacements.insert(word, found.clone());
        Some(found)
    }

    fn made_up(&self, kind: Part, length: usize) -> Option<String> {
        let mut bytes = vec![0; length];
        self.random.fill(&mut bytes).ok()?;
        let letter = |(at, byte): (usize, &u8)| match kind {
            // No leading zero, so that a number stays one.
            Part::Digits if at == 0 => char::from(b'1' + byte % 9),
            Part::Digits => char::from(b'0' + byte % 10),
            _ => char::from(LETTERS[usize::from(*byte) % LETTERS.len()]),
        };
        Some(bytes.iter().enumerate().map(letter).collect())
    }
}

/// A part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Letters,
    Digits,
    Other,
}

fn parts(text: &str) -> impl Iterator<Item = (Part, &str)> {
    let kind = |c: char| match c {
        c if c.is_alphabetic() => Part::Letters,
        c if c.is_numeric() => Part::Digits,
        _ => Part::Other,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = kind(rest.chars().next()?);
        let end = rest.find(|c| kind(c) != first).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some((first, part))
    })
}

/// The replacement with capitals where the original has them.
fn in_case_of(original: &str, replacement: &str) -> String {
    let mut is_upper = original.chars().map(char::is_uppercase);
    let last = original.chars().last().is_some_and(char::is_uppercase);
    let cased = |c: char| if is_upper.next().unwrap_or(last) { c.to_ascii_uppercase() } else { c };
    replacement.chars().map(cased).collect()
}

/// `2026-01-31`, or a time of that day.
fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() || text.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::tests::snapshot_of;

    fn snapshot(users: &Value, groups: &Value, accounts: &Value) -> Snapshot {
        let list = |value: &Value| Answer::List(value.as_array().unwrap().iter().map(Json::from).collect());
        snapshot_of(
            [("/api/v1/users?search=status pr".to_owned(), list(users)), ("/api/v1/groups".to_owned(), list(groups))],
            [("/api/v1/scim/v2/Users?count=9".to_owned(), Answer::Body(Json::from(accounts)))],
        )
    }

    fn redacted(keep: &Keep) -> (Value, Value, Value, String) {
        let profile = json!({"login": "Ada.Lovelace@acme.com", "firstName": "Ada", "lastName": "LOVELACE",
            "department": "Field Sales", "hired": "2026-01-31", "level": 7, "number": 123_456, "countryCode": "GB",
            "mobile": "+44 7700 900123", "secret": "unasked"});
        let user = json!({"id": "00u1", "status": "ACTIVE", "profile": profile});
        let group =
            json!({"id": "00g1", "type": "OKTA_GROUP", "profile": {"name": "AP Sales", "description": "Ada's"}});
        let account = json!({"id": "a1", "userName": "ada.lovelace@acme.com", "externalId": "00u1", "active": true,
            "name": {"givenName": "ada", "familyName": "Lovelace"}});
        let whole = snapshot(&json!([user]), &json!([group]), &json!({"totalResults": 1, "Resources": [account]}));
        let redacted = redact(whole, keep).unwrap();
        let text = redacted.text();
        let item = |key: &str| match &redacted.okta_answers[key] {
            Answer::List(list) => list[0].value(),
            other => panic!("{other:?}"),
        };
        let Answer::Body(accounts) = &redacted.activepieces_answers["/api/v1/scim/v2/Users?count=9"] else { panic!() };
        (item("/api/v1/users?search=status pr"), item("/api/v1/groups"), accounts.value()["Resources"][0].clone(), text)
    }

    fn named(names: &[&str]) -> KeptAttributes {
        KeptAttributes::Named(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn equal_words_stay_equal_in_any_case_and_addresses_stay_made_of_names() {
        let (user, _, account, text) = redacted(&Keep { attributes: KeptAttributes::All, ..Keep::default() });
        let profile = &user["profile"];
        let of = |value: &Value| value.as_str().unwrap().to_owned();
        let (login, first, last) = (of(&profile["login"]), of(&profile["firstName"]), of(&profile["lastName"]));
        assert_eq!(login.to_lowercase(), of(&account["userName"]));
        assert!(login.to_lowercase().starts_with(&format!("{first}.{last}@").to_lowercase()), "{login} {first} {last}");
        assert_eq!(last, last.to_uppercase());
        assert_eq!(of(&account["name"]["familyName"]).to_uppercase(), last);
        assert_eq!((account["externalId"].as_str(), user["id"].as_str()), (Some("00u1"), Some("00u1")));
        for word in ["ada", "lovelace", "acme", "sales", "7700", "900123", "123456"] {
            assert!(!text.to_lowercase().contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn what_the_config_compares_with_stays_and_what_it_does_not_ask_for_is_left_out() {
        let keep = Keep {
            words: set(&["sales"]),
            group_words: set(&["ap", "sales", "ada"]),
            values: set(&["ada.lovelace@acme.com"]),
            attributes: named(&["department", "hired", "level", "countryCode"]),
        };
        let (user, group, account, text) = redacted(&keep);
        let profile = &user["profile"];
        assert!(profile["department"].as_str().unwrap().ends_with(" Sales"), "{profile}");
        assert_eq!(
            (&profile["hired"], &profile["level"], &profile["countryCode"]),
            (&json!("2026-01-31"), &json!(7), &json!("GB"))
        );
        assert_eq!(group["profile"]["name"], "AP Sales");
        assert_ne!(group["profile"]["description"], "Ada's");
        assert_eq!(account["userName"], "ada.lovelace@acme.com");
        assert_ne!(account["name"]["givenName"], "ada");
        assert!(!text.contains("unasked") && !text.contains("firstName"), "{text}");
    }

    #[test]
    fn two_words_never_become_one() {
        let names: Vec<String> =
            (0..60u8).map(|at| char::from_u32(0x4e00 + u32::from(at)).unwrap().to_string()).collect();
        let users: Vec<Value> =
            names.iter().map(|name| json!({"id": name, "profile": {"login": format!("{name}-")}})).collect();
        let whole = snapshot(&json!(users), &json!([]), &json!({}));
        let redacted = redact(whole, &Keep::default()).unwrap();
        let Answer::List(users) = &redacted.okta_answers["/api/v1/users?search=status pr"] else { panic!() };
        let logins: BTreeSet<String> =
            users.iter().map(|user| user.value()["profile"]["login"].as_str().unwrap().to_owned()).collect();
        assert_eq!(logins.len(), names.len());
    }
}
