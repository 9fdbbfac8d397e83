//! Hosts as data: which addresses are theirs, how they address a file at a commit, what their notices have to say.
//!
//! `signatures/hosts.toml` says it, and a file of the user's own adds to it or stands in its place. An address is told from
//! another as text; nothing is asked of anybody. Where a host has no form for a file at a commit, none is guessed.

use std::fmt::Write as _;

use serde::Deserialize;
use thiserror::Error;

use super::inert::inert;

/// The file that the program carries.
const BUILTIN: &str = include_str!("../../../signatures/hosts.toml");
/// Digits of a commit's name: SHA-1 or SHA-256.
const COMMIT_DIGITS: [usize; 2] = [40, 64];

/// Why a file of hosts was refused, or a host was not found.
#[derive(Debug, Error)]
pub enum HostsError {
    /// It is not what it must be.
    #[error("the file of hosts cannot be used: {0}")]
    Damaged(String),
    /// `like` names no host above.
    #[error("the host {id:?} is to be like {like:?}, and there is no such host above it")]
    Like {
        /// The host.
        id: String,
        /// What it names.
        like: String,
    },
    /// A host says too little.
    #[error("the host {id:?} says nothing of {what}; say it, or name with `like` a host that does")]
    Missing {
        /// The host.
        id: String,
        /// What is missing.
        what: &'static str,
    },
}

/// From which shares on an entire place is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entire {
    /// Of its files, 0 to 1.
    pub files: f64,
    /// Of their bytes, 0 to 1.
    pub bytes: f64,
}

/// One question or labelled part of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartRow {
    /// Name of its file, without ending.
    pub file: String,
    /// The question, or what the part is.
    pub title: String,
    /// Name of its template.
    pub template: String,
    /// Templates whose texts stand behind that one.
    #[serde(default)]
    pub also: Vec<String>,
    /// Elements of the statute that it answers.
    #[serde(default)]
    pub elements: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostRow {
    id: String,
    name: Option<String>,
    like: Option<String>,
    names: Option<Vec<String>>,
    ecosystems: Option<Vec<String>>,
    endings: Option<Vec<String>>,
    address: Option<Vec<String>>,
    segments: Option<usize>,
    before: Option<Vec<String>>,
    permalink: Option<String>,
    lines: Option<String>,
    line: Option<String>,
    encode: Option<String>,
    rows: Option<usize>,
    checked: Option<bool>,
    form: Option<String>,
    mail: Option<String>,
    private: Option<String>,
    abuse: Option<String>,
    own: Option<String>,
    notes: Option<Vec<String>>,
    required: Option<Vec<String>>,
    part: Option<Vec<PartRow>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostsFile {
    entire: Option<Entire>,
    #[serde(default)]
    host: Vec<HostRow>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What `--host` takes.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Host names of addresses that are on it.
    pub names: Vec<String>,
    /// Kinds of packages that its copies are, where it is told by those.
    pub ecosystems: Vec<String>,
    /// How names of what it gives out end, where no package was read in it.
    pub endings: Vec<String>,
    /// What their addresses have in them.
    pub address: Vec<String>,
    segments: usize,
    before: Vec<String>,
    permalink: String,
    lines: String,
    line: String,
    encode: String,
    /// Places that one notice may name.
    pub rows: usize,
    /// The ways to it were checked by whoever wrote the file.
    pub checked: bool,
    /// Its form.
    pub form: Option<String>,
    /// Where mail goes.
    pub mail: Option<String>,
    /// The way for secrets.
    pub private: String,
    /// The way for malware.
    pub abuse: String,
    /// What the vendor does with a package of its own.
    pub own: Option<String>,
    /// What whoever sends a notice should know.
    pub notes: Vec<String>,
    /// Elements that the parts have to have.
    pub required: Vec<String>,
    /// The parts.
    pub parts: Vec<PartRow>,
    /// The host that says what this one does not say itself.
    pub like: Option<String>,
    /// There is data for it; else it gets the general text.
    pub is_known: bool,
}

/// All hosts.
#[derive(Debug, Clone, PartialEq)]
pub struct Hosts {
    /// From when on an entire place is proposed.
    pub entire: Entire,
    hosts: Vec<Host>,
}

impl Hosts {
    /// The hosts of this program.
    ///
    /// # Errors
    /// Never in a build that passed its tests: the file is part of the program.
    pub fn builtin() -> Result<Self, HostsError> {
        let mut hosts = Self {
            entire: Entire {
                files: 1.0,
                bytes: 1.0,
            },
            hosts: Vec::new(),
        };
        hosts.add(BUILTIN)?;
        Ok(hosts)
    }

    /// Adds those of a file; one with the id of another stands in its place.
    ///
    /// # Errors
    /// When the file says something that is not known, or too little.
    pub fn add(&mut self, text: &str) -> Result<(), HostsError> {
        let file: HostsFile =
            toml::from_str(text).map_err(|error| HostsError::Damaged(error.to_string()))?;
        if let Some(entire) = file.entire {
            self.entire = entire;
        }
        for row in file.host {
            let host = self.resolve(row)?;
            match self.hosts.iter_mut().find(|known| known.id == host.id) {
                Some(known) => *known = host,
                None => self.hosts.push(host),
            }
        }
        Ok(())
    }

    fn resolve(&self, row: HostRow) -> Result<Host, HostsError> {
        let id = row.id.clone();
        let base = match &row.like {
            None => None,
            Some(like) => Some(self.get(like).ok_or_else(|| HostsError::Like {
                id: id.clone(),
                like: like.clone(),
            })?),
        };
        let missing = |what| HostsError::Missing {
            id: id.clone(),
            what,
        };
        let of = |said: Option<String>, base: Option<&String>| said.or_else(|| base.cloned());
        let all = |said: Option<Vec<String>>, base: Option<&Vec<String>>| {
            said.or_else(|| base.cloned()).unwrap_or_default()
        };
        let parts = row.part.or_else(|| base.map(|base| base.parts.clone()));
        let parts = parts.filter(|parts| !parts.is_empty());
        let parts = parts.ok_or_else(|| missing("its parts (`part`)"))?;
        let names = row.names.unwrap_or_default();
        Ok(Host {
            name: of(row.name, base.map(|base| &base.name)).ok_or_else(|| missing("its `name`"))?,
            names: names.iter().map(|name| name.to_ascii_lowercase()).collect(),
            ecosystems: row.ecosystems.unwrap_or_default(),
            endings: row.endings.unwrap_or_default(),
            address: row.address.unwrap_or_default(),
            segments: row.segments.or(base.map(|base| base.segments)).unwrap_or(0),
            before: all(row.before, base.map(|base| &base.before)),
            permalink: of(row.permalink, base.map(|base| &base.permalink)).unwrap_or_default(),
            lines: of(row.lines, base.map(|base| &base.lines)).unwrap_or_default(),
            line: of(row.line, base.map(|base| &base.line)).unwrap_or_default(),
            encode: of(row.encode, base.map(|base| &base.encode)).unwrap_or_default(),
            rows: row
                .rows
                .or(base.map(|base| base.rows))
                .filter(|rows| *rows > 0)
                .ok_or_else(|| missing("how many places a notice may name (`rows`)"))?,
            checked: row.checked.unwrap_or(false),
            form: of(row.form, base.and_then(|base| base.form.as_ref())),
            mail: of(row.mail, base.and_then(|base| base.mail.as_ref())),
            private: of(row.private, base.map(|base| &base.private)).unwrap_or_default(),
            abuse: of(row.abuse, base.map(|base| &base.abuse)).unwrap_or_default(),
            own: of(row.own, base.and_then(|base| base.own.as_ref())),
            notes: all(row.notes, base.map(|base| &base.notes)),
            required: all(row.required, base.map(|base| &base.required)),
            parts,
            like: row.like,
            is_known: true,
            id,
        })
    }

    /// A host by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.id == id)
    }

    /// The ids, in the order of the file.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|host| host.id.as_str())
    }

    /// The host that an id or a host name means; one that no data speaks of gets the general text under its own name.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<Host> {
        let name = word.trim().to_ascii_lowercase();
        let of_name = |host: &&Host| host.id == name || host.names.contains(&name);
        if let Some(host) = self.hosts.iter().find(of_name) {
            return Some(host.clone());
        }
        // A word without a dot is a slip of the pen in an id, and no host name.
        if !name.contains('.') {
            return None;
        }
        let general = self.get("generic")?;
        Some(Host {
            id: inert(&name),
            name: inert(&name),
            names: vec![name],
            checked: false,
            is_known: false,
            ..general.clone()
        })
    }

    /// Whether an address is one of another host that is told by its name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.hosts
            .iter()
            .any(|host| host.names.iter().any(|known| known == name))
    }
}

impl Host {
    /// The address of the repository that an address lies in: of `…/owner/name/archive/main.zip` what stands before
    /// `/archive`. As it stands, without slash or `.git` at its end, where the host does not say how long that is.
    #[must_use]
    pub fn repository(&self, url: &str) -> String {
        let url = url.trim().trim_end_matches('/');
        let plain = url.strip_suffix(".git").unwrap_or(url);
        let Some((scheme, rest)) = plain.split_once("://") else {
            return plain.to_owned();
        };
        let mut parts = rest.split(['/', '?', '#']);
        let host = parts.next().unwrap_or_default();
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let ahead = parts.first();
        let ahead = ahead.is_some_and(|part| self.before.iter().any(|before| before == part));
        let wanted = self.segments + usize::from(ahead);
        if self.segments == 0 || parts.len() < wanted {
            return plain.to_owned();
        }
        let kept = match parts.iter().position(|part| *part == "-") {
            // Where groups lie within groups, a dash ends the name of the repository.
            Some(dash) if dash >= wanted => parts.get(..dash),
            _ if parts.len() > wanted && self.is_nested() => Some(&parts[..]),
            _ => parts.get(..wanted),
        };
        let path = kept.unwrap_or_default().join("/");
        let path = path.strip_suffix(".git").unwrap_or(&path);
        format!("{scheme}://{host}/{path}")
    }

    /// Its repositories may lie in groups within groups: files are addressed behind a dash.
    fn is_nested(&self) -> bool {
        self.permalink.contains("/-/")
    }

    /// The address of a file at a commit, with its lines; none where the host has no such form or something is missing.
    /// `path` is bytes, as git has it.
    #[must_use]
    pub fn permalink(
        &self,
        url: &str,
        commit: &str,
        path: &[u8],
        lines: Option<[u64; 2]>,
    ) -> Option<String> {
        let is_commit = COMMIT_DIGITS.contains(&commit.len())
            && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        if self.permalink.is_empty() || !is_commit || !is_web || path.is_empty() {
            return None;
        }
        let repository = self.repository(url);
        if repository
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
        {
            return None;
        }
        let path = self.encoded(path);
        let filled = filled(
            &self.permalink,
            &[
                ("repository", &repository),
                ("commit", commit),
                ("path", &path),
            ],
        );
        let Some([first, last]) = lines else {
            return Some(filled);
        };
        let form = if first == last {
            &self.line
        } else {
            &self.lines
        };
        let (first, last) = (first.to_string(), last.to_string());
        Some(filled + &self::filled(form, &[("first", &first), ("last", &last)]))
    }

    /// A path with each byte that may mean something else in an address as `%XX`. A `.` or `..` that is a whole part would be
    /// taken out by a browser; it is encoded too, which is as near as an address comes.
    fn encoded(&self, path: &[u8]) -> String {
        let mut out = String::with_capacity(path.len());
        for (at, part) in path.split(|&byte| byte == b'/').enumerate() {
            if at > 0 {
                out.push('/');
            }
            let is_dots = part == b"." || part == b"..";
            for &byte in part {
                let is_plain = byte.is_ascii_alphanumeric()
                    || b"-._~".contains(&byte)
                    || self.encode.as_bytes().contains(&byte);
                if is_plain && !is_dots {
                    out.push(char::from(byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
        out
    }
}

/// A form with its fields filled, in one pass: what a value holds is no field.
fn filled(form: &str, fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = form;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let behind = &rest[start + 1..];
        let Some(end) = behind.find('}') else {
            out.push('{');
            rest = behind;
            continue;
        };
        let name = &behind[..end];
        match fields.iter().find(|(field, _)| *field == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                let _ = write!(out, "{{{name}}}");
            }
        }
        rest = &behind[end + 1..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn link(host: &str, url: &str, path: &[u8], lines: Option<[u64; 2]>) -> Option<String> {
        let hosts = Hosts::builtin().unwrap();
        hosts.get(host).unwrap().permalink(url, COMMIT, path, lines)
    }

    #[test]
    fn a_file_at_a_commit_is_addressed_as_its_host_does() {
        for (host, url, expected) in [
            (
                "github",
                "https://github.com/o/r.git",
                "https://github.com/o/r/blob/COMMIT/a.js#L3-L9",
            ),
            (
                "github",
                "https://github.com/o/r/archive/refs/heads/main.zip",
                "https://github.com/o/r/blob/COMMIT/a.js#L3-L9",
            ),
            (
                "gitlab",
                "https://gitlab.com/g/h/r/",
                "https://gitlab.com/g/h/r/-/blob/COMMIT/a.js#L3-9",
            ),
            (
                "gitlab",
                "https://gitlab.com/g/h/r/-/archive/main/r-main.zip",
                "https://gitlab.com/g/h/r/-/blob/COMMIT/a.js#L3-9",
            ),
            (
                "huggingface",
                "https://huggingface.co/datasets/o/r/tree/main",
                "https://huggingface.co/datasets/o/r/blob/COMMIT/a.js#L3-L9",
            ),
        ] {
            let expected = expected.replace("COMMIT", COMMIT);
            assert_eq!(link(host, url, b"a.js", Some([3, 9])).unwrap(), expected);
        }
        assert_eq!(
            link("npm", "https://packages.example/-/a.tgz", b"a", None),
            None
        );
        assert_eq!(link("github", "git@github.com:o/r", b"a", None), None);
        let hosts = Hosts::builtin().unwrap();
        let github = hosts.get("github").unwrap();
        assert_eq!(
            github.permalink("https://github.com/o/r", "main", b"a", None),
            None
        );
    }

    #[test]
    fn nothing_in_a_path_ends_the_path() {
        let url = "https://github.com/o/r";
        let at = |path: &[u8]| {
            let link = link("github", url, path, Some([1, 1])).unwrap();
            let (_, path) = link.split_once(COMMIT).unwrap();
            path.to_owned()
        };
        assert_eq!(at(b"a b/#?%.js"), "/a%20b/%23%3F%25.js#L1");
        assert_eq!(at(b"\xff\n{commit}"), "/%FF%0A%7Bcommit%7D#L1");
        assert_eq!(at(b"../../x/y"), "/%2E%2E/%2E%2E/x/y#L1");
    }

    #[test]
    fn every_host_asks_for_all_elements_and_has_its_templates() {
        let hosts = Hosts::builtin().unwrap();
        for id in hosts.ids() {
            let host = hosts.get(id).unwrap();
            assert!(!host.required.is_empty(), "{id}");
            for element in &host.required {
                let has = |part: &PartRow| part.elements.contains(element);
                assert!(
                    host.parts.iter().any(has),
                    "{id} has nothing for ({element})"
                );
            }
            let mut files: Vec<_> = host.parts.iter().map(|part| &part.file).collect();
            files.sort();
            files.dedup();
            assert_eq!(files.len(), host.parts.len(), "{id}");
        }
        assert_eq!(hosts.get("github").unwrap().parts.len(), 14);
    }

    #[test]
    fn a_host_of_the_users_own_is_like_another() {
        let mut hosts = Hosts::builtin().unwrap();
        hosts
            .add("[[host]]\nid = \"forge\"\nname = \"Forge\"\nlike = \"github\"\nnames = [\"Forge.example\"]\nrows = 3\n")
            .unwrap();
        let forge = hosts.find("forge.example").unwrap();
        assert_eq!(
            (forge.rows, forge.parts.len(), forge.id.as_str()),
            (3, 14, "forge")
        );
        assert!(
            forge
                .permalink("https://forge.example/o/r", COMMIT, b"a", None)
                .is_some()
        );
        let unknown = hosts.find("other.example").unwrap();
        assert!(!unknown.is_known && unknown.parts.len() == 8);
        assert!(hosts.find("githubb").is_none());
        for bad in [
            "[[host]]\nid = \"a\"\nlike = \"nobody\"\n",
            "[[host]]\nid = \"a\"\nname = \"A\"\n",
            "[[host]]\nid = \"a\"\nnmae = \"A\"\n",
        ] {
            assert!(hosts.clone().add(bad).is_err(), "{bad}");
        }
    }
}
