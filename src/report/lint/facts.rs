//! What the case knows that a draft is held against: plain rows, so that the rules are functions of two things.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::exposure::{CaseKey, Location, Organisation};

/// What holds of a row by review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Reviewed {
    /// A person confirmed it, as it is.
    Confirmed,
    /// It was decided, and has changed since.
    Stale,
    /// Nobody decided.
    #[default]
    Open,
    /// A person rejected it.
    Rejected,
}

/// What a root is.
#[derive(Debug, Clone, Default)]
pub struct Root {
    /// Class of its `examined` record; empty where there is none.
    pub class: String,
    /// Its best copy, where it is one.
    pub copy: Option<CopyFact>,
    /// It has traces only.
    pub is_suspect: bool,
    /// What people decided of it.
    pub reviewed: Reviewed,
    /// What it says of itself that would make it the vendor's own.
    pub claims_own: Option<String>,
    /// Licence files, and what they say.
    pub licences: Vec<String>,
    /// The work stands in its history only.
    pub is_history_only: bool,
    /// Files of it with a match are known by path.
    pub has_paths: bool,
}

/// How much of a work a copy holds, and what else it has.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyFact {
    /// Share of the work's first-party bytes.
    pub share: f64,
    /// Files of the work that it matches.
    pub matched: u64,
    /// Files of the work.
    pub total: u64,
    /// Files that match nothing; null where they were not counted.
    pub unmatched: Option<u64>,
    /// Bytes of these.
    pub unmatched_bytes: Option<u64>,
}

/// An address that the case has.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// It, as it is shown.
    pub shown: String,
    /// Locators of its roots in the input.
    pub roots: BTreeSet<String>,
    /// A person recorded that a root was got from there.
    pub is_proven: bool,
    /// What contradicts that.
    pub contradicted: Vec<String>,
    /// What was recorded of it that says it was gone, such as `status 404`.
    pub gone: Option<String>,
}

/// What is said about all places.
#[derive(Debug, Clone, Default)]
pub struct ScopeSaid {
    /// A statement about each place is borne out.
    pub supports_all: bool,
    /// A statement by a sample is borne out.
    pub supports_sample: bool,
    /// The account in one sentence.
    pub sentence: String,
    /// Whether it is enough, and why not.
    pub verdict: String,
}

/// Sorts of things that are not to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Private {
    /// A name that was to stay inside.
    CodeName,
    /// A word that may be one.
    MaybeCodeName,
    /// A package name or scope of the inside.
    Scope,
    /// A flag or gate.
    Flag,
    /// An inner host or a private address.
    Host,
    /// A storage bucket.
    Bucket,
    /// Somebody's name or mail address.
    Person,
    /// A ticket.
    Ticket,
    /// A path of somebody's machine.
    LocalPath,
    /// A path of the work.
    WorkPath,
}

/// Everything that a draft is held against.
#[derive(Debug, Default)]
pub struct Facts {
    /// The vendor's profile, where one was given.
    pub organisation: Option<Organisation>,
    /// Addresses by their form for comparing, lower case.
    pub places: BTreeMap<String, Place>,
    /// Roots by locator.
    pub roots: BTreeMap<String, Root>,
    /// Of files with a match, a digest of root and path.
    pub matched_paths: HashSet<u64>,
    /// Commits and objects that something was seen in, lower-case hex.
    pub commits: HashSet<String>,
    /// What must not be published, by value.
    pub private: BTreeMap<String, Private>,
    /// Paths of works, and the roots in which a file of that path is matched.
    pub work_paths: BTreeMap<String, BTreeSet<String>>,
    /// Fingerprints of the case's credentials, hex, with rule and place.
    pub fingerprints: BTreeMap<String, String>,
    /// The key that they were made with.
    pub key: Option<CaseKey>,
    /// Packages of the vendor's that are declared open.
    pub open_packages: BTreeSet<String>,
    /// What may be said of all places.
    pub scope: ScopeSaid,
    /// Why what the case says may be less than there is: it was not finished, or not everything was read.
    pub incomplete: Option<String>,
    /// What was left out at a bound, in words.
    pub bounded: Vec<String>,
}

impl Facts {
    /// The place that an address means or lies in, with its form for comparing.
    #[must_use]
    pub fn place_of(&self, location: &Location) -> Option<(&str, &Place)> {
        /// Folders above that are tried.
        const UP_MAX: usize = 64;
        let key = location.key.to_ascii_lowercase();
        let mut above = key.as_str();
        for _ in 0..UP_MAX {
            // Of a version control address the ending may stand in the middle.
            let bare = above.strip_suffix(".git").unwrap_or(above);
            if let Some((key, place)) = self.places.get_key_value(bare) {
                return Some((key, place));
            }
            let end = above.rfind(['/', '?'])?;
            above = above.get(..end)?;
        }
        None
    }

    /// What is known of the roots of a place.
    pub fn roots_of<'f>(&'f self, place: &'f Place) -> impl Iterator<Item = &'f Root> {
        place.roots.iter().filter_map(|root| self.roots.get(root))
    }

    /// Whether the profile names an address as the vendor's own.
    #[must_use]
    pub fn is_own(&self, location: &Location) -> bool {
        let Some(organisation) = &self.organisation else {
            return false;
        };
        let is_host = location
            .host
            .as_deref()
            .is_some_and(|host| organisation.owns_host(host));
        is_host || organisation.owns_repository(&location.shown)
    }
}

/// A digest of a root and a path in it.
#[must_use]
pub fn path_digest(root: &str, path: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(root.len() as u64).to_le_bytes());
    hasher.update(root.as_bytes());
    hasher.update(path.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}
