//! `strandline case reveal`
//!
//! Everything that this program writes is redacted, and now and then a person has to see the one value: to find out whose it
//! is, or to rotate it. So it is shown where it is read and nowhere else: on a terminal, one at a time, from the input once
//! more, since no case holds it. That it was shown, to whom and when, stands in the case's custody log before it is.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::again::Again;
use super::custody::deed;
use super::{CliError, Common, Exit};
use crate::blob::locator::shown;
use crate::case::{Case, CaseError, Handled};
use crate::exposure::secrets::Written;
use crate::exposure::{Role, SecretFact};
use crate::record::{Record, Secret};

/// Show one secret of a case on the terminal, and write into its custody log that it was shown
#[derive(Debug, Args)]
pub struct RevealArgs {
    /// The case
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// The secret: the `id` of its record
    #[arg(value_name = "ID")]
    id: String,
    /// Where the input lies now, if not where it lay when it was scanned
    #[arg(long, value_name = "PATH")]
    input: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Shows a secret.
pub fn run(args: &RevealArgs) -> Result<Exit, CliError> {
    if !std::io::stdout().is_terminal() {
        return Err(CliError::new(
            "a secret is shown on a terminal only, and standard output is none; run the command without a pipe or a file behind it",
        ));
    }
    let case = Case::open(&args.case)?;
    let secret = chosen(&case, &args.id)?;
    let at = case
        .unit_of("secret", &secret.locator)?
        .ok_or_else(|| CliError::new("the case does not say which input this secret stands in"))?;
    // Who and with what is asked of the system before the wall is up.
    let mut deed = deed(&format!("case reveal {}", secret.id));
    let bytes = Again {
        locator: &secret.locator,
        sha256: secret.sha256.as_deref(),
        at: &at,
        input: args.input.as_deref(),
        advice: "name with --input where the input as it was scanned lies now, or scan it again",
    }
    .read(&args.common)?;
    let value = value_of(&secret, &bytes).ok_or_else(|| {
        CliError::new("the content is the one that was scanned, and the secret does not stand where the case says; please report it")
    })?;
    deed.inputs = vec![Handled {
        what: secret.locator.clone(),
        sha256: secret.sha256.clone(),
    }];
    deed.outputs = vec![Handled {
        what: format!(
            "the secret {} ({}, line {}, column {}), on a terminal",
            secret.id, secret.rule, secret.line, secret.column
        ),
        sha256: None,
    }];
    let entry = case.add_custody(deed).map_err(unwritten)?;
    drop(case);
    println!("secret      {} {}", secret.id, shown(&secret.rule));
    println!(
        "stands at   {}, line {}, column {}",
        shown(&secret.locator),
        secret.line,
        secret.column
    );
    if let Some(written) = &secret.written {
        let raw = match secret.tier.as_str() {
            "known" if written != Written::Utf16.as_str() => "; what follows is as it stands there",
            _ => "",
        };
        println!("written     {written}{raw}");
    }
    println!(
        "custody     entry {}, {} by {}",
        entry.seq,
        entry.deed.time,
        shown(&entry.deed.actor)
    );
    println!();
    for line in value.split(|&byte| byte == b'\n') {
        println!("{}", visible(line));
    }
    Ok(Exit::Clean)
}

/// The secret that is meant.
fn chosen(case: &Case, id: &str) -> Result<Secret, CliError> {
    let (mut count, mut found) = (0_u64, Vec::new());
    case.records(|record| -> Result<(), CliError> {
        if let Record::Secret(secret) = record {
            count += 1;
            if secret.id == id {
                found.push(secret);
            }
        }
        Ok(())
    })?;
    if found.len() > 1 {
        for one in &found {
            eprintln!(
                "{}  {}  line {}",
                shown(&one.rule),
                shown(&one.locator),
                one.line
            );
        }
        return Err(CliError::new(
            "several secrets have this id, so none is shown; look for them where they stand",
        ));
    }
    found.pop().ok_or_else(|| {
        CliError::new(format!(
            "there is no secret {id} in this case, which has {count}; `case export` lists them with their ids"
        ))
    })
}

/// A secret in its content: decoded, where rules of ours found it; of others as it is written.
fn value_of(secret: &Secret, bytes: &[u8]) -> Option<Vec<u8>> {
    if secret.written.is_some() {
        let mut found = crate::exposure::secrets::find(bytes, Role::Own).into_iter();
        let is_it = |fact: &SecretFact| {
            fact.rule == secret.rule && fact.line == secret.line && fact.column == secret.column
        };
        if let Some(one) = found.find(|one| is_it(&one.fact)) {
            return Some(one.value.bytes().to_vec());
        }
    }
    let is_wide = secret.written.as_deref() == Some(Written::Utf16.as_str());
    let wide = is_wide.then(|| crate::exposure::secrets::utf16_text(bytes));
    let text = wide.flatten();
    plain_value(secret, text.as_deref().unwrap_or(bytes)).map(<[u8]>::to_vec)
}

/// The bytes of a secret in a text.
fn plain_value<'a>(secret: &Secret, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let feeds = usize::try_from(secret.line.checked_sub(1)?).ok()?;
    let line = match feeds.checked_sub(1) {
        None => 0,
        Some(last) => memchr::memchr_iter(b'\n', bytes).nth(last)? + 1,
    };
    let begin = line.checked_add(usize::try_from(secret.column.checked_sub(1)?).ok()?)?;
    let end = begin.checked_add(usize::try_from(secret.length).ok()?)?;
    bytes.get(begin..end).filter(|value| !value.is_empty())
}

/// Bytes as text in which nothing moves the terminal.
fn visible(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) => shown(text),
        Err(_) => line.escape_ascii().to_string(),
    }
}

/// A case that cannot be written shows nothing.
fn unwritten(error: CaseError) -> CliError {
    CliError::new(format!(
        "nothing is shown, since that could not be written into the custody log: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u64, column: u64, length: u64) -> Option<&'static [u8]> {
        let secret = Secret {
            id: String::new(),
            rule: String::new(),
            locator: String::new(),
            hops: crate::record::Hops::default(),
            line,
            column,
            redacted: String::new(),
            check: String::new(),
            severity: crate::record::Severity::Info,
            tier: String::new(),
            party: None,
            sha256: None,
            written: None,
            detail: None,
            fingerprint: None,
            length,
            git: None,
            image: None,
        };
        plain_value(&secret, b"ab\ncdef\n\ng")
    }

    #[test]
    fn a_value_is_taken_from_its_line_and_column() {
        assert_eq!(at(1, 1, 2), Some(&b"ab"[..]));
        assert_eq!(at(2, 2, 3), Some(&b"def"[..]));
        assert_eq!(at(4, 1, 1), Some(&b"g"[..]));
        // One that runs over lines, as a key does.
        assert_eq!(at(1, 2, 3), Some(&b"b\nc"[..]));
    }

    #[test]
    fn a_place_that_is_not_there_is_none() {
        for (line, column, length) in [(0, 1, 1), (1, 0, 1), (5, 1, 1), (4, 1, 2), (1, 1, 0)] {
            assert_eq!(at(line, column, length), None);
        }
        assert_eq!(at(u64::MAX, u64::MAX, u64::MAX), None);
    }

    #[test]
    fn nothing_moves_the_terminal() {
        assert_eq!(visible(b"a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(visible(b"a\xff\x1b"), "a\\xff\\x1b");
    }
}
