//! What to rotate: credentials, each once, with where it stands and how to make it worthless.
//!
//! Two places hold the same credential where their fingerprints agree (`--case-key`). Without a key, a live secret is told by
//! its name, and others by rule and redacted form, where that shows enough of the value: a good guess, and called so.
//! Where it does not (a length tells nothing apart), only equal content holds equal credentials, so that two of them
//! may be counted where there is one, and never one where there are two. A live secret that has the form of a credential is
//! told twice at its place, by its name and by its form: that is one credential at one place, and it goes by its name, which
//! its owner knows. Nothing here says that a credential works: that cannot
//! be told without a network. The owner is left blank, for the person who finds out.

use std::cmp::Reverse;
use std::collections::HashSet;

use serde::Serialize;

use super::bounded::{Count, GroupKey, Groups, Table, Tally, Urgent, group_key};
use super::inventory::party_word;
use super::text::{KEPT_CHARS, clip, count_of};
use crate::exposure::Rules;
use crate::exposure::secrets::Tier;
use crate::exposure::secrets::rule::{Redact, RuleSet};
use crate::record::{Party, Secret, Severity};

/// Credentials kept for the list beside the page.
const LISTED: usize = 50_000;

/// Places that are named of one credential.
const SPOTS: usize = 5;

/// Characters of a value that tell it from others of its rule.
const TELLING_CHARS: usize = 4;

/// What stands for the password in an address that names who logs in where.
const ACCOUNT: &str = "***@";

/// What to rotate.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rotation {
    /// Places, equal credentials counted at each.
    pub places: u64,
    /// Credentials by the rules that found them: what ran on what is said under the method.
    pub tiers: Vec<Count>,
    /// Distinct credentials, worst first.
    pub table: Table<SecretRow>,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretRow {
    /// Id of the rule.
    pub rule: String,
    /// The worst severity at a place.
    pub severity: Severity,
    /// The best of what was checked at a place.
    pub check: String,
    /// Which rules found it.
    pub tier: String,
    /// What identifies it safely.
    pub redacted: String,
    /// Digest keyed by the user's key; null without one.
    pub fingerprint: Option<String>,
    /// Places.
    pub places: u64,
    /// The first of them.
    pub spots: Vec<Spot>,
    /// What it says of itself.
    pub detail: Option<String>,
    /// How to make it worthless.
    pub how: String,
    /// For a person to fill in.
    pub owner: String,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Spot {
    /// Where.
    pub locator: String,
    /// Line, 1-based; null where it is withheld.
    pub line: Option<u64>,
    /// Whose the text is.
    pub party: String,
}

impl Urgent for SecretRow {
    type Rank = (
        Reverse<Severity>,
        u8,
        String,
        String,
        Option<String>,
        Option<Spot>,
    );

    fn rank(&self) -> Self::Rank {
        (
            Reverse(self.severity),
            check_rank(&self.check),
            self.rule.clone(),
            self.redacted.clone(),
            self.fingerprint.clone(),
            self.spots.first().cloned(),
        )
    }
}

/// Rank of a check; the surest is 0.
fn check_rank(check: &str) -> u8 {
    match check {
        "checksum-ok" => 0,
        "structure-ok" => 1,
        _ => 2,
    }
}

/// A credential at a place, and what tells it from others.
struct Held {
    secret: Secret,
    key: GroupKey,
}

/// Records of one text that are held until the next begins; of more, those that come together are told together.
const HELD_MAX: usize = 10_000;

/// Gathers credentials while they stream by.
pub(super) struct Rotate {
    /// The records of the text at hand.
    held: Vec<Held>,
    places: u64,
    tiers: Tally,
    groups: Groups<SecretRow>,
    /// Lines are shown.
    with_lines: bool,
    /// Distinct ones of high or worse severity whose form was checked.
    pub(super) checked_high: HashSet<GroupKey>,
    /// Distinct ones by severity, for the axes.
    by_severity: [HashSet<GroupKey>; 5],
}

impl Rotate {
    pub(super) fn new(with_lines: bool) -> Self {
        Self {
            held: Vec::new(),
            places: 0,
            tiers: Tally::default(),
            groups: Groups::new(LISTED),
            with_lines,
            checked_high: HashSet::new(),
            by_severity: Default::default(),
        }
    }

    /// `key` is [`identity`] of the record before a view left anything out of it, so that all views count alike.
    pub(super) fn add(&mut self, secret: &Secret, key: GroupKey) {
        let is_next =
            (self.held.first()).is_some_and(|first| first.secret.locator != secret.locator);
        if is_next || self.held.len() >= HELD_MAX {
            self.flush();
        }
        let secret = secret.clone();
        self.held.push(Held { secret, key });
    }

    /// Counts what is held: a form in which a live secret stands is told with that one.
    pub(super) fn flush(&mut self) {
        let (live, forms): (Vec<Held>, Vec<Held>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| is_live(&held.secret));
        let mut is_told = vec![false; forms.len()];
        for Held { mut secret, key } in live {
            for (form, is_told) in forms.iter().zip(&mut is_told) {
                if !holds(&form.secret, &secret) {
                    continue;
                }
                *is_told = true;
                take_form(&mut secret, &form.secret);
            }
            self.count(&secret, key);
        }
        for (form, is_told) in forms.iter().zip(is_told) {
            if !is_told {
                self.count(&form.secret, form.key);
            }
        }
    }

    fn count(&mut self, secret: &Secret, key: GroupKey) {
        self.places += 1;
        let tier = tier_of(secret);
        self.tiers.add(tier, 1);
        self.by_severity[secret.severity as usize].insert(key);
        if secret.severity >= Severity::High && check_rank(&secret.check) < 2 {
            self.checked_high.insert(key);
        }
        let spot = Spot {
            locator: clip(&secret.locator, KEPT_CHARS),
            line: self.with_lines.then_some(secret.line),
            party: party_word(secret.party.unwrap_or(Party::Unknown)).to_owned(),
        };
        let merged = spot.clone();
        self.groups.add(
            key,
            || SecretRow {
                rule: clip(&secret.rule, KEPT_CHARS),
                severity: secret.severity,
                check: clip(&secret.check, KEPT_CHARS),
                tier: clip(tier, KEPT_CHARS),
                redacted: clip(&secret.redacted, KEPT_CHARS),
                fingerprint: secret.fingerprint.clone(),
                places: 1,
                spots: vec![spot],
                detail: secret.detail.as_deref().map(|text| clip(text, KEPT_CHARS)),
                how: how_to_rotate(secret),
                owner: String::new(),
            },
            |row| {
                row.places += 1;
                row.severity = row.severity.max(secret.severity);
                if is_live(secret) && row.tier != Tier::Known.as_str() {
                    row.rule = clip(&secret.rule, KEPT_CHARS);
                    row.redacted = clip(&secret.redacted, KEPT_CHARS);
                    row.tier = clip(&secret.tier, KEPT_CHARS);
                    row.how = how_to_rotate(secret);
                }
                if check_rank(&secret.check) < check_rank(&row.check) {
                    row.check.clone_from(&secret.check);
                }
                if row.spots.len() < SPOTS {
                    row.spots.push(merged);
                }
            },
        );
    }

    /// Distinct credentials of this severity or a worse one.
    pub(super) fn distinct_from(&self, least: Severity) -> u64 {
        let worse = self.by_severity.iter().skip(least as usize).flatten();
        count_of(worse.collect::<HashSet<_>>().len())
    }

    pub(super) fn finish(mut self) -> Rotation {
        self.flush();
        Rotation {
            places: self.places,
            tiers: self.tiers.finish(),
            table: self.groups.finish(),
        }
    }
}

impl Rotation {
    /// Credentials were told apart without fingerprints.
    pub fn is_guessed(&self) -> bool {
        self.table.rows.iter().any(|row| row.fingerprint.is_none())
    }
}

fn tier_of(secret: &Secret) -> &str {
    if secret.tier.is_empty() {
        "not said"
    } else {
        &secret.tier
    }
}

fn is_live(secret: &Secret) -> bool {
    secret.tier == Tier::Known.as_str()
}

/// What its form adds to a live secret.
fn take_form(live: &mut Secret, form: &Secret) {
    live.severity = live.severity.max(form.severity);
    if check_rank(&form.check) < check_rank(&live.check) {
        live.check.clone_from(&form.check);
    }
    let said = format!("has the form of: {}", form.rule);
    live.detail.get_or_insert(said);
}

/// Whether what has the form of a credential holds a live secret: it begins before that and ends behind it.
fn holds(form: &Secret, live: &Secret) -> bool {
    let end = |secret: &Secret| secret.column.saturating_add(secret.length);
    form.line == live.line && form.column <= live.column && end(live) <= end(form)
}

/// What makes two records speak of one credential.
pub(super) fn identity(secret: &Secret) -> GroupKey {
    if let Some(fingerprint) = &secret.fingerprint {
        return group_key(&["fingerprint", fingerprint]);
    }
    if is_live(secret) {
        return group_key(&["known", &secret.rule]);
    }
    if is_telling(secret) {
        return group_key(&["shown", &secret.rule, &secret.redacted]);
    }
    let content = secret.sha256.as_ref().unwrap_or(&secret.locator);
    let (line, column) = (secret.line.to_string(), secret.column.to_string());
    group_key(&["place", &secret.rule, content, &line, &column])
}

/// Whether the redacted form tells values apart: it ends in some of the value, names an account at a machine, or is the
/// whole of what is no secret by itself. A length, the kind of a key or a user alone tell nothing.
fn is_telling(secret: &Secret) -> bool {
    if let Some((_, end)) = secret.redacted.rsplit_once('…') {
        return end.chars().count() >= TELLING_CHARS;
    }
    let rule = RuleSet::builtin().get(&secret.rule);
    secret.redacted.contains(ACCOUNT)
        || rule.is_some_and(|known| known.rule.redact == Redact::Whole)
}

/// What the rule says that found it. Live secrets and rules of the user's own have their names from the user, which may be
/// those of ours and mean something else: for them stands what holds of any.
fn how_to_rotate(secret: &Secret) -> String {
    const ANY: &str = "Revoke it where it was issued, issue another, and read the issuer's log of its use since it was exposed.";
    const LIVE: &str = "It is live by your own list: replace it wherever it is used, revoke it where it was issued, and read the issuer's log of its use since it was exposed.";
    const OF_USER: &str = "A rule of your own found it (what the rule calls it stands beside it). Revoke it where it was issued, issue another, and read the issuer's log of its use since it was exposed.";
    match secret.tier.as_str() {
        "known" => LIVE.to_owned(),
        "user" => OF_USER.to_owned(),
        _ => action_of(&secret.rule).unwrap_or(ANY).to_owned(),
    }
}

/// What a rule of the program asks for: one for credentials, else a class of exposure.
fn action_of(rule: &str) -> Option<&'static str> {
    let secrets = RuleSet::builtin().get(rule);
    secrets.map(|known| known.rule.action.as_str()).or_else(|| {
        Rules::builtin()
            .get(rule)
            .map(|known| known.action.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn seen(rule: &str, redacted: &str, at: &str) -> Secret {
        sample::secret(rule, Severity::High, "unchecked", at, redacted)
    }

    fn gathered(secrets: &[Secret]) -> Rotation {
        let mut rotate = Rotate::new(true);
        for secret in secrets {
            rotate.add(secret, identity(secret));
        }
        rotate.finish()
    }

    /// What to do stands beside the form of each credential, for every rule that the program carries.
    #[test]
    fn how_to_rotate_is_what_the_rule_says() {
        for known in RuleSet::builtin().iter() {
            let secret = seen(&known.rule.id, "x…abcd", "a/b");
            assert_eq!(how_to_rotate(&secret), known.rule.action);
        }
        // A rule of the user's may have the id of one of ours, and a live secret any name.
        let known = &RuleSet::builtin().at(0).unwrap().rule;
        for tier in ["user", "known"] {
            let mut secret = seen(&known.id, "x…abcd", "a/b");
            tier.clone_into(&mut secret.tier);
            let how = how_to_rotate(&secret);
            assert_ne!(how, known.action);
            assert!(how.contains("evoke it where it was issued"), "{how}");
        }
    }

    /// A live secret that has the form of a credential is one, at one place, by its own name.
    #[test]
    fn a_live_secret_is_told_once_and_by_its_name() {
        let mut live = seen("DEPLOY_TOKEN", "DEPLOY_TOKEN", "a");
        "known".clone_into(&mut live.tier);
        live.severity = Severity::Critical;
        let mut form = seen("github-token", "ghp_…abcd", "a");
        "checksum-ok".clone_into(&mut form.check);
        // The form may hold more than the secret, as an address with a password does.
        form.column = live.column - 4;
        form.length = live.length + 9;
        let mut behind = seen("github-token", "ghp_…wxyz", "a");
        behind.column = live.column + live.length + 20;
        for rows in [
            vec![form.clone(), live.clone(), behind.clone()],
            vec![live.clone(), behind.clone(), form.clone()],
        ] {
            let out = gathered(&rows);
            assert_eq!((out.places, out.table.total), (2, 2));
            let first = &out.table.rows[0];
            assert_eq!(first.rule, "DEPLOY_TOKEN");
            assert_eq!((first.places, first.check.as_str()), (1, "checksum-ok"));
            assert_eq!(
                first.detail.as_deref(),
                Some("has the form of: github-token")
            );
        }
        // With a key both have one fingerprint, and the name stays too; also where only the form stands first.
        for secret in [&mut form, &mut live] {
            secret.fingerprint = Some("f".repeat(16));
        }
        let mut elsewhere = form.clone();
        "0".clone_into(&mut elsewhere.locator);
        let out = gathered(&[elsewhere, form, live]);
        assert_eq!((out.places, out.table.total), (2, 1));
        assert_eq!(out.table.rows[0].rule, "DEPLOY_TOKEN");
        assert_eq!(out.table.rows[0].tier, "known");
    }

    /// Two keys of one kind are two, however alike they are shown.
    #[test]
    fn what_shows_too_little_is_told_apart_by_its_place() {
        let mut one = seen("private-key-in-text", "PKCS#8 RSA", "a/one.pem");
        let mut two = seen("private-key-in-text", "PKCS#8 RSA", "a/two.pem");
        two.sha256 = Some("9".repeat(64));
        assert_eq!(gathered(&[one.clone(), two.clone()]).table.total, 2);
        // Equal content holds equal keys.
        two.sha256.clone_from(&one.sha256);
        assert_eq!(gathered(&[one.clone(), two.clone()]).table.total, 1);
        two.line += 1;
        assert_eq!(gathered(&[one.clone(), two.clone()]).table.total, 2);
        // And so does an equal fingerprint.
        one.fingerprint = Some("aa".to_owned());
        two.fingerprint.clone_from(&one.fingerprint);
        assert_eq!(gathered(&[one, two]).table.total, 1);
    }

    #[test]
    fn what_shows_enough_is_one_wherever_it_lies() {
        let telling = [
            ("github-token", "ghp_…aB3x"),
            ("url-password", "postgres://app:***@db.example"),
            ("aws-access-key-id", "AKIA0000000000000000"),
        ];
        for (rule, redacted) in telling {
            let mut two = seen(rule, redacted, "b");
            two.sha256 = None;
            assert_eq!(
                gathered(&[seen(rule, redacted, "a"), two]).table.total,
                1,
                "{redacted}"
            );
        }
        for redacted in [
            "(12 bytes)",
            "…2!",
            "123456:…",
            "root:***",
            "db, password ***",
        ] {
            let mut two = seen("r", redacted, "b");
            two.sha256 = None;
            assert_eq!(
                gathered(&[seen("r", redacted, "a"), two]).table.total,
                2,
                "{redacted}"
            );
        }
        // A live secret is told by its name, which stands in the place of its value too.
        let mut live = [
            seen("A", "A", "a"),
            seen("A", "A", "b"),
            seen("B", "B", "b"),
        ];
        live.iter_mut()
            .for_each(|one| "known".clone_into(&mut one.tier));
        assert_eq!(gathered(&live).table.total, 2);
    }

    #[test]
    fn the_worst_come_first_and_the_surest_of_these() {
        let mut rows = vec![
            seen("c", "x…aaaa", "a"),
            seen("b", "x…bbbb", "a"),
            seen("a", "x…cccc", "a"),
        ];
        rows[0].severity = Severity::Critical;
        "checksum-ok".clone_into(&mut rows[1].check);
        rows.reverse();
        let order: Vec<String> = gathered(&rows)
            .table
            .rows
            .into_iter()
            .map(|row| row.rule)
            .collect();
        assert_eq!(order, ["c", "b", "a"]);
    }
}
