//! `strandline notice`: drafts of notices, and what is wrong with them.

mod lint;

use clap::{Args, Subcommand};

use super::{CliError, Exit};

/// Drafts of notices
#[derive(Debug, Args)]
pub struct NoticeArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Lint(lint::LintArgs),
}

/// Runs the command.
pub fn run(args: &NoticeArgs) -> Result<Exit, CliError> {
    match &args.what {
        What::Lint(args) => lint::run(args),
    }
}
