//! `oktapieces show`

use std::path::PathBuf;

use clap::Args;

use super::{Context, plan, saved};
use crate::error::{EXIT_OK, Result};

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
    plan::show(&saved.plan, &saved.hash, (&okta, &activepieces), &[], context);
    Ok(EXIT_OK)
}
