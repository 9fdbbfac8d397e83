//! `strandline notice`
//!
//! Drafts of notices from a case, for people to read, sign and send.

mod draft;
mod write;

use clap::Args;

use super::{CliError, Exit};

/// Draft the notices to a host, for a person to check, sign and send
#[derive(Debug, Args)]
pub struct NoticeArgs {
    #[command(flatten)]
    draft: draft::DraftArgs,
}

/// Runs the command.
pub fn run(args: &NoticeArgs) -> Result<Exit, CliError> {
    draft::run(&args.draft)
}
