//! The program: parse, run, exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(strandline::cli::main() as u8)
}
