//! `oktapieces show`

use std::path::PathBuf;

use clap::Args;

use super::{Context, saved};
use crate::error::{EXIT_OK, Result};
use crate::output::{Verbosity, json, plan_text};

/// Show a plan that was kept in a file, as plan did
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A file that plan --out made
    #[arg(value_name = "FILE")]
    plan: PathBuf,
}

pub fn run(args: &ShowArgs, context: &Context) -> Result<u8> {
    let saved = saved::read(&args.plan)?;
    let host = |url: &str| url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned();
    let (okta, activepieces) = (host(&saved.okta), host(&saved.activepieces));
    let text = if context.printer.json {
        json::plan(&saved.plan, &okta, &activepieces, &[]).to_string()
    } else {
        let whole = context.printer.verbosity == Verbosity::Verbose;
        let around = plan_text::Around { okta: &okta, activepieces: &activepieces, whole, refusals: &[] };
        plan_text::render(&saved.plan, around)
    };
    context.printer.answer(&text);
    Ok(EXIT_OK)
}
