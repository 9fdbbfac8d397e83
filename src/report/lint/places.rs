//! What a draft lists, held against what the case knows of each address.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::draft::{DraftFile, Form};
use super::facts::{Facts, Place, Reviewed, Root, path_digest};
use super::links::{Link, Names};
use super::rules::{Part, Rules};
use super::{Asked, Findings, ROWS_DEFAULT};

/// Hex digits of a commit (SHA-1), and of a SHA-256, which of a file is no commit.
const COMMIT_DIGITS: usize = 40;
const DIGEST_DIGITS: usize = 64;

/// What a draft claims.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Addresses by their form for comparing: of a repository, or where none is known of the thing itself.
    pub keys: BTreeSet<String>,
    /// Places of the case among them.
    pub places: BTreeSet<String>,
    /// Of these, the ones that are named as a whole: file and byte.
    pub whole: BTreeMap<String, (usize, usize)>,
    /// Files are named.
    pub has_files: bool,
    /// The host that most of them are of, by id or name.
    pub host: Option<String>,
    /// The first whole repository: file and byte.
    pub first_repository: Option<(usize, usize)>,
}

impl Listed {
    /// Locators of the roots of listed places.
    pub fn roots<'f>(&self, facts: &'f Facts) -> HashSet<&'f str> {
        let places = self.places.iter().filter_map(|key| facts.places.get(key));
        places
            .flat_map(|place| place.roots.iter().map(String::as_str))
            .collect()
    }
}

/// Looks at all addresses.
pub(super) fn look(
    files: &[(&DraftFile, Vec<Link>)],
    facts: &Facts,
    asked: &Asked,
    findings: &mut Findings,
) -> Listed {
    let mut listed = Listed::default();
    let mut hosts: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    // Repositories that are named as such, by place; and places of which a commit is named anywhere.
    let mut bare: BTreeMap<String, (usize, &Link)> = BTreeMap::new();
    let mut pinned: HashSet<String> = HashSet::new();
    let mut digests: HashSet<String> = HashSet::new();
    // What stands in a table stands in the text as well, and is told there.
    let texts = files
        .iter()
        .enumerate()
        .filter(|(_, (file, _))| file.form == Form::Text);
    let tables = files
        .iter()
        .enumerate()
        .filter(|(_, (file, _))| file.form == Form::Table);
    for (index, (file, links)) in texts.chain(tables) {
        for (number, link) in links.iter().enumerate() {
            look_at_writing(file, link, findings);
            if !is_claimed(link, file, facts) {
                continue;
            }
            let found = facts.place_of(&link.location);
            let exact = link.location.key.to_ascii_lowercase();
            let key = found.map_or_else(|| exact.clone(), |(key, _)| key.to_owned());
            if let Some(host) = &link.location.host {
                hosts
                    .entry(host.clone())
                    .or_default()
                    .push((index, link.at));
            }
            let is_part = matches!(&link.names, Names::Inside { path, .. } if !path.is_empty());
            // Whether or not the case knows the place that it is in.
            listed.has_files |= is_part;
            if let Some((key, _)) = found {
                listed.places.insert(key.to_owned());
                if !is_part && file.form == Form::Text {
                    listed
                        .whole
                        .entry(key.to_owned())
                        .or_insert((index, link.at));
                }
            }
            let place = found.map(|(_, place)| place);
            if listed.keys.insert(key.clone()) {
                let row = row_of(file, links, number);
                look_at_place(file, link, row, place, facts, findings);
            }
            look_at_file(file, link, place, facts, findings);
            if file.form == Form::Table {
                continue;
            }
            if link.names == Names::Repository {
                listed.first_repository.get_or_insert((index, link.at));
                if place.is_some() {
                    bare.entry(key.clone()).or_insert((index, link));
                }
            } else {
                look_at_pin(file, link, place.is_some(), facts, findings);
            }
            let row = row_of(file, links, number);
            if link.commit().is_some() || has_hex(row, COMMIT_DIGITS) {
                pinned.insert(key);
            } else if has_hex(row, DIGEST_DIGITS) {
                digests.insert(key);
            }
            let question = file.part_start(link.at);
            if !seen.insert(format!(
                "{index} {question} {exact}#{}",
                fragment(&link.text)
            )) {
                findings.tell("duplicate", file, link.at, &link.text, None);
            }
        }
    }
    let says_entire = says_entire(files);
    for (key, (index, link)) in bare.iter().filter(|(key, _)| !pinned.contains(*key)) {
        let Some((file, _)) = files.get(*index) else {
            continue;
        };
        if digests.contains(key) {
            let detail = "its files are named by digests only";
            findings.tell(
                "no-commit",
                file,
                link.at,
                &link.text,
                Some(detail.to_owned()),
            );
        } else if says_entire {
            findings.tell("no-commit", file, link.at, &link.text, None);
        } else {
            let detail = "no commit, no file, and not said to be the entire repository";
            findings.tell(
                "unpinned",
                file,
                link.at,
                &link.text,
                Some(detail.to_owned()),
            );
        }
    }
    // Files may be named by their digests, beside the repository that they are in.
    listed.has_files |= !digests.is_empty();
    listed.host = look_at_hosts(files, &hosts, asked, findings);
    let rows = rows_of_host(listed.host.as_deref(), asked);
    if listed.keys.len() as u64 > rows {
        let found = format!("{} addresses", listed.keys.len());
        findings.tell_of_all("row-limit", &found, Some(format!("the limit is {rows}")));
    }
    listed
}

fn fragment(text: &str) -> &str {
    text.split_once('#').map_or("", |(_, fragment)| fragment)
}

/// Whether the draft says anywhere that entire repositories are meant.
pub(super) fn says_entire(files: &[(&DraftFile, Vec<Link>)]) -> bool {
    let words = &Rules::builtin().words;
    files.iter().any(|(file, _)| {
        let mut said = words.entire.find_iter(&file.text);
        said.any(|found| super::claims::is_stated(file, found.start(), found.end()))
    })
}

/// Whether it is said what an address is to a row: the root of its network, what it was forked from.
fn is_context(link: &Link, file: &DraftFile) -> bool {
    /// Bytes before an address in which that is said.
    const REACH: usize = 60;
    let before = file.line_before(link.at, REACH);
    !before.contains("://") && Rules::builtin().words.context.is_match(before)
}

/// Whether an address is claimed to be a copy. Where nothing tells, one of the vendor's own that a sentence calls the original or
/// the sender's is none.
fn is_claimed(link: &Link, file: &DraftFile, facts: &Facts) -> bool {
    if is_context(link, file) {
        return false;
    }
    if link.part != Part::Unknown {
        return link.part.is_claimed();
    }
    let is_own = facts.is_own(&link.location);
    let sentence = || file.sentence(link.at).to_ascii_lowercase();
    let calls_it_ours = |text: String| {
        ["our ", "original", "official", "homepage", "published at"]
            .iter()
            .any(|word| text.contains(word))
    };
    // A host that nothing is known of may be anything, such as a page that a sentence refers to.
    !(is_own && calls_it_ours(sentence()))
}

/// How an address is written, wherever it stands.
fn look_at_writing(file: &DraftFile, link: &Link, findings: &mut Findings) {
    if link.is_defanged && link.part.is_claimed() {
        findings.tell("defanged", file, link.at, &link.text, None);
    }
    if let Some(fault) = &link.fault {
        findings.tell(
            "bad-address",
            file,
            link.at,
            &link.text,
            Some(fault.clone()),
        );
    }
    if let Some(shown) = &link.shown_as {
        findings.tell(
            "link-differs",
            file,
            link.at,
            &link.text,
            Some(format!("the text says {shown}")),
        );
    }
}

/// What the case knows of a place.
fn look_at_place(
    file: &DraftFile,
    link: &Link,
    row: &str,
    place: Option<&Place>,
    facts: &Facts,
    findings: &mut Findings,
) {
    let mut tell = |id: &str, detail: Option<String>| {
        findings.tell(id, file, link.at, &link.text, detail);
    };
    if facts.is_own(&link.location) {
        let name = facts.organisation.as_ref().map(|one| one.name.as_str());
        tell(
            "own-repository",
            name.map(|name| format!("the profile of {name} names it")),
        );
        return;
    }
    let Some(place) = place else {
        tell("unknown-place", None);
        return;
    };
    if let Some(gone) = &place.gone {
        tell("dead-link", Some(gone.clone()));
    }
    if !place.contradicted.is_empty() {
        tell("location-contradicted", Some(place.contradicted.join("; ")));
    } else if !place.is_proven && !place.roots.is_empty() {
        tell("location-hint", None);
    }
    let roots: Vec<&Root> = facts.roots_of(place).collect();
    let decided = |root: &&&Root| !matches!(root.class.as_str(), "" | "unreadable" | "undecided");
    if !roots.iter().any(|root| decided(&root)) {
        let why = match roots.first().map(|root| root.class.as_str()) {
            None | Some("") => "it is not in the input",
            Some("unreadable") => "it could not be read",
            Some(_) => "it was looked at by a triage only",
        };
        tell("not-examined", Some(why.to_owned()));
        return;
    }
    if let Some(own) = roots.iter().find_map(|root| root.claims_own.as_ref()) {
        tell("claims-own", Some(own.clone()));
    }
    // Of several roots of one address, the one that holds most speaks for it.
    let copies: Vec<&&Root> = roots.iter().filter(|root| root.copy.is_some()).collect();
    if copies.is_empty() {
        if roots.iter().any(|root| root.class == "own-public") {
            tell("own-public", None);
        } else if roots.iter().any(|root| root.is_suspect) {
            let class = roots
                .iter()
                .find(|root| root.is_suspect)
                .map(|root| root.class.clone());
            tell("suspect", class);
            review(&roots, &mut tell);
        } else {
            tell("unrelated", None);
        }
        return;
    }
    review(&roots, &mut tell);
    if copies.iter().all(|root| root.is_history_only)
        && !Rules::builtin().words.history.is_match(row)
    {
        tell("history-only", None);
    }
    let licences: BTreeSet<&str> = roots
        .iter()
        .flat_map(|root| root.licences.iter().map(String::as_str))
        .collect();
    if !licences.is_empty() {
        tell(
            "licence-in-copy",
            Some(licences.into_iter().collect::<Vec<_>>().join(", ")),
        );
    }
}

/// What people decided of the roots of a place: one that is confirmed is enough, one that is rejected is too much.
fn review(roots: &[&Root], tell: &mut impl FnMut(&str, Option<String>)) {
    let of_claims = roots
        .iter()
        .filter(|root| root.copy.is_some() || root.is_suspect);
    let states: Vec<Reviewed> = of_claims.map(|root| root.reviewed).collect();
    let id = if states.contains(&Reviewed::Rejected) {
        "rejected"
    } else if states.contains(&Reviewed::Confirmed) {
        return;
    } else if states.contains(&Reviewed::Stale) {
        "review-stale"
    } else {
        "not-reviewed"
    };
    tell(id, None);
}

/// The file that an address names.
fn look_at_file(
    file: &DraftFile,
    link: &Link,
    place: Option<&Place>,
    facts: &Facts,
    findings: &mut Findings,
) {
    let Names::Inside { path, is_file, .. } = &link.names else {
        return;
    };
    let folders = &Rules::builtin().words.third_party_folders;
    let is_theirs = |part: &str| folders.iter().any(|one| one.eq_ignore_ascii_case(part));
    let mut above = path.split('/').rev();
    if *is_file {
        above.next();
    }
    if above.any(is_theirs) {
        findings.tell(
            "third-party-file",
            file,
            link.at,
            &link.text,
            Some(path.clone()),
        );
        return;
    }
    let Some(place) = place.filter(|_| *is_file) else {
        return;
    };
    let known: Vec<&String> = (place.roots.iter())
        .filter(|root| facts.roots.get(*root).is_some_and(|root| root.has_paths))
        .collect();
    let escaped = crate::blob::locator::escape(path.as_bytes());
    let is_matched = |root: &&String| facts.matched_paths.contains(&path_digest(root, &escaped));
    if !known.is_empty() && !known.iter().any(is_matched) {
        findings.tell(
            "file-not-matched",
            file,
            link.at,
            &link.text,
            Some(path.clone()),
        );
    }
}

/// The row of an address: its line, and what follows up to the next repository or a bound.
fn row_of<'d>(file: &'d DraftFile, links: &[Link], number: usize) -> &'d str {
    const REACH: usize = 2_000;
    let Some(link) = links.get(number) else {
        return "";
    };
    let before = file.line_before(link.at, REACH);
    let behind = links.get(number + 1..).unwrap_or_default();
    let mut near = behind.iter().take_while(|next| next.at < link.at + REACH);
    let next = near.find(|next| next.names == Names::Repository && !is_context(next, file));
    let end = next.map_or(link.at + REACH, |next| next.at);
    file.between(link.at - before.len(), end)
}

/// Whether a number of so many hex digits stands in a text.
fn has_hex(text: &str, digits: usize) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word.len() == digits && word.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What an address of something in a repository is pinned to.
fn look_at_pin(
    file: &DraftFile,
    link: &Link,
    is_known: bool,
    facts: &Facts,
    findings: &mut Findings,
) {
    let Names::Inside { reference, .. } = &link.names else {
        return;
    };
    let Some(commit) = link.commit() else {
        let detail = format!("`{reference}` is no commit");
        findings.tell("unpinned", file, link.at, &link.text, Some(detail));
        return;
    };
    let is_seen = facts.commits.contains(&commit.to_ascii_lowercase());
    if !is_seen && is_known && !facts.commits.is_empty() {
        findings.tell("unknown-commit", file, link.at, commit, None);
    }
}

/// How many places the host takes at once: as it was asked, else as the data of hosts says, else as most do.
fn rows_of_host(found: Option<&str>, asked: &Asked) -> u64 {
    let of_host = || {
        let hosts = asked.hosts();
        let named = asked.host.as_deref().or(found);
        let host = named.and_then(|name| hosts.get(name));
        let rows = host.and_then(|host| host.rows);
        rows.or_else(|| hosts.get("generic")?.rows)
    };
    asked.rows.or_else(of_host).unwrap_or(ROWS_DEFAULT)
}

/// Of which host the addresses are, and those that are of another.
fn look_at_hosts(
    files: &[(&DraftFile, Vec<Link>)],
    hosts: &BTreeMap<String, Vec<(usize, usize)>>,
    asked: &Asked,
    findings: &mut Findings,
) -> Option<String> {
    let known = asked.hosts();
    let id_of = |name: &str| {
        known
            .get(name)
            .map_or_else(|| name.to_owned(), |host| host.id.clone())
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, places) in hosts {
        *counts.entry(id_of(name)).or_default() += places.len();
    }
    let most = counts
        .iter()
        .max_by_key(|(id, count)| (**count, std::cmp::Reverse((*id).clone())));
    let most = most.map(|(id, _)| id.clone());
    let named = asked
        .host
        .as_deref()
        .and_then(|id| known.get(id))
        .filter(|host| !host.names.is_empty());
    let main = named.map(|host| host.id.clone()).or(most)?;
    for (name, places) in hosts.iter().filter(|(name, _)| id_of(name) != main) {
        for (index, at) in places {
            if let Some((file, _)) = files
                .get(*index)
                .filter(|(file, _)| file.form == Form::Text)
            {
                findings.tell(
                    "other-host",
                    file,
                    *at,
                    name,
                    Some(format!("the others are of {main}")),
                );
            }
        }
    }
    Some(main)
}
