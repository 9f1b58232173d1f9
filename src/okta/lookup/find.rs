//! Finds the user that an admin names: by id, login or e-mail address.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::http::Failure;
use crate::model::okta::User;
use crate::model::similar::nearest;
use crate::okta::api::client::Okta;
use crate::okta::api::wire::WholeUser;

/// So many letters of a name are looked for when the whole name isn't found.
const BEGINNING: usize = 3;
/// So many words of a name are looked for, each by one request.
const WORDS: usize = 2;

/// The user of this id or login.
pub async fn by_name(okta: &Okta, text: &str) -> Result<Option<WholeUser>, Error> {
    let failed = |failure| Error::from(failure).context("looking for the user in Okta");
    Ok(okta.whole_user(text).await.map_err(failed)?.filter(|found| is_named(&found.user, text)))
}

/// The users with one of these texts as their e-mail address or login.
pub async fn of_address(okta: &Okta, addresses: &BTreeSet<&str>) -> Result<Vec<User>, Error> {
    let failed = |failure: Failure| Error::from(failure).context("looking for users of an e-mail address in Okta");
    if addresses.is_empty() { Ok(Vec::new()) } else { okta.users_of_address(addresses).await.map_err(failed) }
}

/// Whether the answer is about that user: Okta also takes a login without its domain, and `me` for the user of the token.
fn is_named(user: &User, text: &str) -> bool {
    let (login, text) = (user.login().to_lowercase(), text.to_lowercase());
    user.id.as_str().to_lowercase() == text
        || login.strip_prefix(&text).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

/// Logins and e-mail addresses that are similar to a text, the most similar first.
pub async fn near(okta: &Okta, text: &str) -> Result<Vec<String>, Error> {
    let mut names = BTreeSet::new();
    for beginning in beginnings(text) {
        let found = okta.users_beginning(&beginning).await;
        let found = found.map_err(|failure| Error::from(failure).context("looking for similar users in Okta"))?;
        names.extend(found.iter().map(|user| user.login().to_owned()));
    }
    Ok(nearest(text, names.iter().map(String::as_str)))
}

/// The first letters of the first words of a name.
fn beginnings(text: &str) -> BTreeSet<String> {
    let local = text.split('@').next().unwrap_or_default();
    let words = local.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(WORDS).map(|word| word.chars().take(BEGINNING).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::okta::{Profile, Status};

    #[test]
    fn the_words_of_a_name_are_looked_for() {
        let of = |text| beginnings(text).into_iter().collect::<Vec<_>>();
        assert_eq!(of("dan.dorn@example.com"), ["dan", "dor"]);
        assert_eq!(of("Özil"), ["Özi"]);
        assert_eq!(of("@example.com"), [""; 0]);
    }

    #[test]
    fn the_user_of_the_token_is_not_taken_for_one_who_is_named_so() {
        let profile = Profile::from_iter([("login".to_owned(), "Ada@example.com".into())]);
        let user = User::new("00u1".into(), Status::Active, profile);
        assert!(["00u1", "ada@example.com", "ADA"].iter().all(|text| is_named(&user, text)));
        assert!(!["me", "ad", "ada@example.org"].iter().any(|text| is_named(&user, text)));
    }
}
