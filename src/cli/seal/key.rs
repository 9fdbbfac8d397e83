//! The user's key: from a file, or in their agent.
//!
//! A passphrase is read from the terminal and from nowhere else: on a command line or in the environment others could read
//! it. While it is typed nothing is shown, and the terminal is given back as it was, also where the user gives up.

use std::path::Path;

use ssh_key::PrivateKey;

use super::agent::AgentKey;
use crate::cli::CliError;
use crate::report::evidence::sshsig::{FileKey, MAX_SIGNATURE_BYTES, Signs};

/// The key that was asked for, if any.
pub fn signer(
    file: Option<&Path>,
    agent: Option<&str>,
) -> Result<Option<Box<dyn Signs>>, CliError> {
    match (file, agent) {
        (Some(path), _) => Ok(Some(Box::new(FileKey::new(read(path)?)))),
        (None, Some(which)) => Ok(Some(Box::new(AgentKey::find(which)?))),
        (None, None) => Ok(None),
    }
}

fn read(path: &Path) -> Result<PrivateKey, CliError> {
    let bytes = crate::cli::output::read_at_most(path, MAX_SIGNATURE_BYTES)?;
    let wrong = |error: &dyn std::fmt::Display| {
        CliError::new(format!(
            "{} is no private key that can be used ({error}); name an OpenSSH private key (Ed25519, ECDSA or RSA), or use --sign-agent",
            path.display()
        ))
    };
    let key = PrivateKey::from_openssh(&bytes).map_err(|error| wrong(&error))?;
    if !key.is_encrypted() {
        return Ok(key);
    }
    let passphrase = terminal::ask(&format!("passphrase of {}: ", path.display()))?;
    key.decrypt(passphrase.as_bytes()).map_err(|_| {
        CliError::new(format!(
            "{} was not opened by this passphrase; nothing was sealed",
            path.display()
        ))
    })
}

#[cfg(target_os = "linux")]
mod terminal {
    use std::io::{Read as _, Write as _};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    use super::CliError;

    /// Bytes of a passphrase.
    const MAX_BYTES: usize = 1_024;
    /// Ctrl-C, Ctrl-D.
    const GIVEN_UP: [u8; 2] = [0x03, 0x04];

    /// Gives the terminal back.
    struct Quiet<'a> {
        terminal: &'a std::fs::File,
        before: Termios,
    }

    impl Drop for Quiet<'_> {
        fn drop(&mut self) {
            let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
        }
    }

    /// Asks on the terminal, showing nothing of the answer.
    pub fn ask(question: &str) -> Result<String, CliError> {
        let none = |_| {
            CliError::new(
                "the key is encrypted, and there is no terminal to ask for its passphrase on; put it into an agent and use --sign-agent",
            )
        };
        let mut options = std::fs::OpenOptions::new();
        let mut terminal = options
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map_err(none)?;
        let before = tcgetattr(&terminal).map_err(|error| none(error.into()))?;
        let mut quiet = before.clone();
        // Keys that would end the process come as bytes instead, so that the terminal is given back.
        quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet).map_err(|error| none(error.into()))?;
        write!(terminal, "{}", crate::blob::locator::shown(question))?;
        let answer = {
            let shared = terminal.try_clone()?;
            let _quiet = Quiet {
                terminal: &shared,
                before,
            };
            line(&mut terminal)
        };
        writeln!(terminal)?;
        answer
    }

    fn line(terminal: &mut std::fs::File) -> Result<String, CliError> {
        let (mut typed, mut byte) = (Vec::new(), [0]);
        loop {
            if terminal.read(&mut byte)? == 0 || GIVEN_UP.contains(&byte[0]) {
                return Err(CliError::new("no passphrase was given; nothing was sealed"));
            }
            match byte[0] {
                b'\n' | b'\r' => break,
                // Backspace takes a whole character back.
                0x08 | 0x7f => while typed.pop().is_some_and(|last: u8| last & 0xc0 == 0x80) {},
                _ if typed.len() >= MAX_BYTES => {
                    return Err(CliError::new(
                        "this is longer than any passphrase; nothing was sealed",
                    ));
                }
                other => typed.push(other),
            }
        }
        String::from_utf8(typed).map_err(|_| CliError::new("the passphrase is no UTF-8"))
    }
}

#[cfg(not(target_os = "linux"))]
mod terminal {
    use super::CliError;

    /// Terminals of other systems are not driven.
    pub fn ask(_question: &str) -> Result<String, CliError> {
        Err(CliError::new(
            "the key is encrypted, and passphrases are asked for on Linux only; put it into an agent and use --sign-agent",
        ))
    }
}
