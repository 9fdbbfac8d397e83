//! What is made from the program itself: the JSON Schema, completions, the man page.

use std::io::Write;

use clap::{Args, CommandFactory};

use super::{Cli, CliError, Exit};
use crate::record::Record;

/// Print completions for a shell.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints the JSON Schema of one record.
pub fn schema() -> Result<Exit, CliError> {
    let schema = schemars::schema_for!(Record);
    let text =
        serde_json::to_string_pretty(&schema).map_err(|error| CliError::new(error.to_string()))?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Exit::Clean)
}

/// Prints completions.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "strandline", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Clean)
}

/// Prints the man page, the commands' pages behind it.
pub fn man() -> Result<Exit, CliError> {
    let command = Cli::command().flatten_help(true);
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands() {
        let name = format!("strandline-{}", sub.get_name());
        clap_mangen::Man::new(sub.clone().name(name)).render(&mut page)?;
    }
    std::io::stdout().write_all(&page)?;
    Ok(Exit::Clean)
}
