//! The targets of one command, one after the other: which ones, what their reads of Okta share, and the summary at the end.

use serde_json::{Value, json};

use crate::config::Settings;
use crate::config::settings::OktaAccess;
use crate::error::{EXIT_OK, Result, worst};
use crate::model::packed::KeptAttributes;
use crate::okta::Shared;
use crate::output::Printer;
use crate::output::json::FORMAT_VERSION;
use crate::output::targets_text::{self, Ended};
use crate::sync::context::Context;
use crate::sync::journal;
use crate::sync::session::Session;

/// What the first reads of Okta share: one part for each org that several targets read with the same credentials.
#[derive(Debug)]
pub struct SharedReads(Vec<(String, OktaAccess, Shared)>);

impl SharedReads {
    pub fn of(targets: &[Settings]) -> Self {
        let mut parts: Vec<(String, OktaAccess, KeptAttributes, usize)> = Vec::new();
        for settings in targets {
            let (org, access) = (settings.okta.org_url.to_string(), settings.okta.access.clone());
            let needed = settings.mapping.needs().attributes;
            match parts.iter_mut().find(|part| (&part.0, &part.1) == (&org, &access)) {
                Some((.., attributes, readers)) => {
                    attributes.add_all(&needed);
                    *readers += 1;
                }
                None => parts.push((org, access, needed, 1)),
            }
        }
        let several = parts.into_iter().filter(|(.., readers)| *readers > 1);
        Self(several.map(|(org, access, attributes, _)| (org, access, Shared::of(attributes))).collect())
    }

    /// Lets the first read of this session share its listings with those of other targets.
    pub fn join(&self, session: &mut Session) {
        let okta = &session.settings.okta;
        let of_org =
            |part: &&(String, OktaAccess, Shared)| (part.0.as_str(), &part.1) == (okta.org_url.as_str(), &okta.access);
        if let Some((.., shared)) = self.0.iter().find(of_org) {
            session.listings = session.okta.sharing(shared.clone());
        }
    }
}

/// The targets of a command, as they end. Of one target nothing is said that its command doesn't say.
#[derive(Debug)]
pub struct Targets<'a> {
    printer: &'a Printer,
    /// Their names; none where there is one target.
    names: Option<Vec<String>>,
    ended: Vec<(Ended, Option<Value>)>,
    result: Result<u8>,
}

impl<'a> Targets<'a> {
    pub fn new(settings: &[Settings], context: &'a Context) -> Self {
        let printer = &context.printer;
        let names =
            (settings.len() > 1).then(|| settings.iter().map(|settings| settings.target_name().to_owned()).collect());
        if names.is_some() && printer.json {
            printer.hold_json();
        }
        Self { printer, names, ended: Vec::new(), result: Ok(EXIT_OK) }
    }

    /// Says whose turn it is.
    pub fn turn_of(&self, target: &str) {
        if self.names.is_some() && !self.printer.json && !self.printer.is_quiet() {
            self.printer.answer(&targets_text::heading(target));
        }
    }

    /// Notes how a target ended.
    pub fn end(&mut self, ended: Ended, result: Result<u8>) {
        if self.names.is_none() {
            self.result = result;
            return;
        }
        if let Err(error) = result {
            self.printer.error(&error.context(ended.target.clone()));
        }
        let answer = self.printer.take_json();
        self.ended.push((ended, answer));
    }

    /// The exit code, after a line for each target.
    pub fn finish(mut self) -> Result<u8> {
        let Some(names) = self.names else { return self.result };
        self.ended.sort_by_key(|(ended, _)| names.iter().position(|name| *name == ended.target));
        let code = worst(self.ended.iter().map(|(ended, _)| ended.exit_code));
        if self.printer.json {
            self.printer.release_json();
            self.printer.answer_json(&document(&self.ended, code));
        } else if !self.printer.is_quiet() {
            let ended: Vec<&Ended> = self.ended.iter().map(|(ended, _)| ended).collect();
            self.printer.answer(&targets_text::summary(&ended));
        }
        Ok(code)
    }
}

/// How a target ended of which no watch tells; `told` says it in words for an exit code.
pub fn ended(settings: &Settings, result: &Result<u8>, told: fn(u8) -> &'static str) -> Ended {
    Ended {
        target: settings.target_name().to_owned(),
        okta: settings.okta.org_url.authority().to_owned(),
        activepieces: settings.activepieces.url.authority().to_owned(),
        outcome: journal::outcome(result, false),
        told: result.as_ref().map_or("failed", |code| told(*code)).to_owned(),
        exit_code: result.as_ref().map_or_else(|error| error.kind.exit_code(), |code| *code),
        error: result.as_ref().err().map(ToString::to_string),
    }
}

fn document(ended: &[(Ended, Option<Value>)], code: u8) -> Value {
    let target = |(ended, answer): &(Ended, Option<Value>)| {
        json!({
            "target": ended.target,
            "okta": ended.okta,
            "activepieces": ended.activepieces,
            "outcome": ended.outcome,
            "exit_code": ended.exit_code,
            "error": ended.error,
            "answer": answer,
        })
    };
    json!({
        "format_version": FORMAT_VERSION,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "exit_code": code,
        "targets": ended.iter().map(target).collect::<Vec<_>>(),
    })
}
