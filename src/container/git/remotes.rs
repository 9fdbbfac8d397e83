//! Where a clone says that it came from: the remotes in its settings (git-config(1), "remote.NAME.url").
//!
//! A clone names the place it was cloned from, and whoever has it may write another. So this is a hint and never proof.
//! Settings of other files that this one includes, and addresses rewritten by `insteadOf`, are left out.

/// Settings larger than this are not read for remotes. Real ones have less than 4 KiB.
pub const CONFIG_MAX: usize = 1 << 20;
/// Remotes that are kept of one clone.
const REMOTES_MAX: usize = 64;

/// A remote: its name, and its first address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name; `origin` where nobody chose another.
    pub name: String,
    /// Its address, as it is written.
    pub url: String,
}

/// The remotes that settings name, in their order; of one with several addresses the first, which is fetched from.
pub fn remotes_of(config: &[u8]) -> Vec<Remote> {
    let mut remotes: Vec<Remote> = Vec::new();
    let mut section: Option<String> = None;
    for line in config.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.starts_with('[') {
            section = remote_section(line);
            continue;
        }
        let Some((name, (key, value))) = section.as_ref().zip(line.split_once('=')) else {
            continue;
        };
        let is_new = remotes.iter().all(|remote| remote.name != *name);
        let value = unquoted(value.trim());
        if key.trim().eq_ignore_ascii_case("url") && !value.is_empty() && is_new {
            remotes.push(Remote {
                name: name.clone(),
                url: value,
            });
        }
        if remotes.len() >= REMOTES_MAX {
            break;
        }
    }
    remotes
}

/// The name in `[remote "NAME"]`.
fn remote_section(line: &str) -> Option<String> {
    let inner = line.strip_prefix('[')?.split(']').next()?;
    let (kind, name) = inner.split_once(char::is_whitespace)?;
    let name = name.trim().strip_prefix('"')?.strip_suffix('"')?;
    kind.eq_ignore_ascii_case("remote").then(|| name.to_owned())
}

/// A value without quotes and without a remark behind it.
fn unquoted(value: &str) -> String {
    let mut out = String::new();
    let (mut is_quoted, mut chars) = (false, value.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => is_quoted = !is_quoted,
            '\\' => out.extend(chars.next()),
            '#' | ';' if !is_quoted => break,
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_are_read_as_git_writes_them() {
        let config = b"[core]\n\tbare = false\n\turl = no\n[remote \"origin\"]\n\turl = https://git.example/a/b.git\n\turl = second\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"main\"]\n\tremote = origin\n\turl = no\n[Remote \"up stream\"]\r\n\tURL = \"git@git.example:c/d.git\" ; said\r\n[remote \"empty\"]\n\turl =\n";
        let remotes: Vec<_> = remotes_of(config)
            .into_iter()
            .map(|remote| (remote.name, remote.url))
            .collect();
        let wanted = [
            ("origin", "https://git.example/a/b.git"),
            ("up stream", "git@git.example:c/d.git"),
        ];
        assert_eq!(
            remotes,
            wanted.map(|(name, url)| (name.to_owned(), url.to_owned()))
        );
    }

    #[test]
    fn no_more_are_kept_than_anybody_has() {
        let config: String = (0..1000)
            .map(|number| format!("[remote \"r{number}\"]\nurl=x\n"))
            .collect();
        assert_eq!(remotes_of(config.as_bytes()).len(), REMOTES_MAX);
    }

    proptest::proptest! {
        #[test]
        fn any_settings_are_read_without_panic(bytes: Vec<u8>) {
            remotes_of(&bytes);
        }
    }
}
