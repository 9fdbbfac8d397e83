//! `strandline notice`: drafts of notices from a case, and what is wrong with a draft.
//!
//! People read, sign and send them; nothing here does.

mod draft;
mod lint;
mod write;

use clap::{Args, Subcommand};

use super::{CliError, Exit};
pub(super) use draft::{small_text, templates_of};

/// Draft the notices to a host, for a person to check, sign and send; or check a draft
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct NoticeArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    draft: Option<draft::DraftArgs>,
}

#[derive(Debug, Subcommand)]
enum What {
    Lint(lint::LintArgs),
}

/// Runs the command.
pub fn run(args: &NoticeArgs) -> Result<Exit, CliError> {
    match (&args.what, &args.draft) {
        (Some(What::Lint(args)), _) => lint::run(args),
        (None, Some(args)) => draft::run(args),
        (None, None) => Err(CliError::new(
            "name a case, a host and a folder: notice CASE --host HOST --output DIR; or a draft: notice lint FILE --case CASE",
        )),
    }
}
