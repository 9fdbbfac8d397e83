//! The user's agent (draft-miller-ssh-agent, sections 4.4 and 4.5): two questions, which keys it has and a signature.
//!
//! Keys in an agent, or in a token behind one, never leave it. The socket is connected to before the wall is up, which
//! forbids sockets, and is then read and written as any open file. An agent is another program: what it answers is
//! bounded, and the signature that it gives is checked before it is used.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::Mutex;

use ssh_key::{Algorithm, PublicKey, Signature};

use crate::blob::locator::shown;
use crate::cli::CliError;
use crate::report::evidence::sshsig::{SignError, Signs, fingerprint};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA with SHA-512; without it an agent signs with SHA-1.
const RSA_SHA2_512: u32 = 4;
/// Bytes of an answer; agents themselves stop at this.
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// A key in the agent.
pub struct AgentKey {
    agent: Mutex<File>,
    public: PublicKey,
}

impl AgentKey {
    /// Finds the key with this fingerprint or comment.
    pub fn find(which: &str) -> Result<Self, CliError> {
        let mut agent = connect()?;
        let keys = identities(&mut agent).map_err(CliError::new)?;
        let fits =
            |key: &&PublicKey| key.comment() == which || fingerprint(key.key_data()) == which;
        let mut fitting = keys.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(Self {
                agent: Mutex::new(agent),
                public: key.clone(),
            }),
            (Some(_), Some(_)) => Err(CliError::new(
                "several keys in the agent have this comment; name one by its fingerprint (`ssh-add -l`)",
            )),
            (None, _) => {
                let known: Vec<String> = keys
                    .iter()
                    .map(|key| format!("{} {}", fingerprint(key.key_data()), shown(key.comment())))
                    .collect();
                Err(CliError::new(format!(
                    "the agent has no key {which:?}; it has {}",
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )))
            }
        }
    }
}

impl Signs for AgentKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        let key = self.public.to_bytes().map_err(SignError::Key)?;
        let flags = match self.public.algorithm() {
            Algorithm::Rsa { .. } => RSA_SHA2_512,
            _ => 0,
        };
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, &key);
        put(&mut request, bytes);
        request.extend_from_slice(&flags.to_be_bytes());
        let mut agent = self
            .agent
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let answer = ask(&mut agent, &request).map_err(SignError::Refused)?;
        let blob = answer
            .strip_prefix(&[SIGN_RESPONSE])
            .and_then(|rest| take(&mut &*rest).map(<[u8]>::to_vec));
        let blob = blob.ok_or_else(|| {
            SignError::Refused("the agent did not sign; was it to be confirmed?".to_owned())
        })?;
        Signature::try_from(blob.as_slice()).map_err(SignError::Key)
    }
}

#[cfg(unix)]
fn connect() -> Result<File, CliError> {
    let path = std::env::var_os("SSH_AUTH_SOCK").ok_or_else(|| {
        CliError::new("there is no agent: SSH_AUTH_SOCK is not set; start one, or use --sign-key")
    })?;
    let socket = std::os::unix::net::UnixStream::connect(&path).map_err(|error| {
        CliError::new(format!(
            "the agent at {} cannot be reached: {error}",
            std::path::Path::new(&path).display()
        ))
    })?;
    // Calls that are for sockets only are forbidden behind the wall.
    Ok(File::from(std::os::fd::OwnedFd::from(socket)))
}

#[cfg(not(unix))]
fn connect() -> Result<File, CliError> {
    Err(CliError::new(
        "agents are asked on Unix only; use --sign-key, or sign the folder with `ssh-keygen -Y sign`",
    ))
}

/// The keys that the agent has, as far as they can be read.
fn identities(agent: &mut File) -> Result<Vec<PublicKey>, String> {
    let answer = ask(agent, &[REQUEST_IDENTITIES])?;
    let unreadable = || "what the agent answers cannot be read".to_owned();
    let mut rest = answer
        .strip_prefix(&[IDENTITIES_ANSWER])
        .ok_or_else(unreadable)?;
    let count = take_number(&mut rest).ok_or_else(unreadable)?;
    let mut keys = Vec::new();
    for _ in 0..count {
        let blob = take(&mut rest).ok_or_else(unreadable)?;
        let comment = take(&mut rest).ok_or_else(unreadable)?;
        if let Ok(mut key) = PublicKey::from_bytes(blob) {
            key.set_comment(String::from_utf8_lossy(comment));
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Sends a message and gets the answer, each with its length before it.
fn ask(agent: &mut File, message: &[u8]) -> Result<Vec<u8>, String> {
    let mut sent = Vec::new();
    put(&mut sent, message);
    let failed = |error: std::io::Error| format!("the agent does not answer: {error}");
    agent.write_all(&sent).map_err(failed)?;
    let mut length = [0; 4];
    agent.read_exact(&mut length).map_err(failed)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_ANSWER_BYTES {
        return Err("the agent answers more than any agent does".to_owned());
    }
    let mut answer = vec![0; length];
    agent.read_exact(&mut answer).map_err(failed)?;
    Ok(answer)
}

fn put(message: &mut Vec<u8>, bytes: &[u8]) {
    message.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    message.extend_from_slice(bytes);
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}
