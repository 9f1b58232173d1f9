//! Finds the user that the admin names, in Okta or by an account in Activepieces.

use std::collections::BTreeSet;

use crate::activepieces::lookup::{self, Account};
use crate::error::{Error, Kind, Result};
use crate::model::activepieces::{EmbeddedUser, User};
use crate::model::id::{OktaIds, OktaUserId};
use crate::okta::api::wire::WholeUser;
use crate::okta::lookup::find;
use crate::sync::explain::whole;
use crate::sync::session::Session;

/// The user that is explained.
#[derive(Debug)]
pub(super) enum Subject {
    /// A user of Okta, who may be deleted; with what was read, if the user was found by id or login.
    User(OktaUserId, Option<Box<WholeUser>>),
    /// An account that Okta doesn't know.
    Account(User),
    Embedded(EmbeddedUser),
}

/// Finds the user by id, login or e-mail address, and without one the account of this address or externalId.
pub(super) async fn find(session: &Session, text: &str) -> Result<Subject> {
    if let Some(found) = find::by_name(&session.okta, text).await? {
        return Ok(Subject::User(found.user.id.clone(), Some(Box::new(found))));
    }
    match find::of_address(&session.okta, &BTreeSet::from([text])).await?.as_slice() {
        [user] => return Ok(Subject::User(user.id.clone(), None)),
        [] => {}
        several => {
            let logins: Vec<String> = several.iter().map(|user| format!("{:?} ({})", user.login(), user.id)).collect();
            let error =
                format!("{} users in Okta have the e-mail address {text:?}: {}", several.len(), logins.join(", "));
            return Err(Error::new(Kind::Failed, error).hint("name one by login or id"));
        }
    }
    let ids = OktaIds::default();
    let account = if ids.is_user(text) {
        lookup::linked(&session.activepieces, text).await?
    } else {
        lookup::named(&session.activepieces, &text.trim().to_lowercase()).await?.map(Account::Of)
    };
    match account {
        // The address may have changed in Okta since.
        Some(Account::Of(account)) => {
            let id = account.okta_id(&ids);
            Ok(id.map_or_else(|| Subject::Account(account), |id| Subject::User(id, None)))
        }
        Some(Account::Embedded(account)) => Ok(Subject::Embedded(account)),
        None => Err(unknown(session, text).await?),
    }
}

async fn unknown(session: &Session, text: &str) -> Result<Error> {
    let error = format!("no user in Okta and no account in Activepieces has the login, e-mail address or id {text:?}");
    Ok(whole::unknown(error, &find::near(&session.okta, text).await?))
}
