//! What a list of findings says of its run: on what a result depends, and which units there were.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::case::UnitName;
use crate::record::{Record, Run, RunInput, RunKnown, RunOrigins, RunSet};

/// Version of the form of the file. Since 2 it says of live secrets, own rules, terms, inventory, origins and originals.
pub(super) const FORM: u32 = 2;
/// The oldest that is read: what it does not tell is not known.
pub(super) const FORM_OLDEST: u32 = 1;
/// Originals that are named.
const ORIGINALS_MAX: usize = 100;

/// The first line of the list: what a result depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) form: u32,
    pub(super) version: String,
    pub(super) program: Option<String>,
    pub(super) rules: String,
    pub(super) sets: Vec<RunSet>,
    pub(super) organisation: Option<String>,
    pub(super) releases: Option<String>,
    pub(super) limits: BTreeMap<String, u64>,
    pub(super) decoders: Option<String>,
    pub(super) triage: bool,
    pub(super) started: Option<String>,
    pub(super) inputs: Vec<RunInput>,
    pub(super) complete: bool,
    /// A digest of locator and SHA-256 of every unit, 8 bytes each, sorted, in base64: so that a later report can tell
    /// what was there already. `None` where they are too many.
    pub(super) units: Option<String>,
    #[serde(default)]
    pub(super) known_secrets: Option<RunKnown>,
    #[serde(default)]
    pub(super) user_rules: Option<String>,
    #[serde(default)]
    pub(super) yara: Option<String>,
    #[serde(default)]
    pub(super) terms: Option<String>,
    #[serde(default)]
    pub(super) inventory: Option<String>,
    #[serde(default)]
    pub(super) origins: Option<Box<RunOrigins>>,
    #[serde(default)]
    pub(super) case_key: Option<String>,
    /// What copies were held against: labels and sizes.
    #[serde(default)]
    pub(super) originals: BTreeSet<String>,
}

impl Head {
    pub(super) fn of(run: Option<&Run>, complete: bool, scanned: Scanned) -> Head {
        let units = scanned.units.finish();
        let originals = scanned.originals;
        let Some(run) = run else {
            return Head {
                form: FORM,
                complete,
                units,
                originals,
                ..Head::default()
            };
        };
        Head {
            form: FORM,
            version: run.version.clone(),
            program: run.program.clone(),
            rules: run.rules.clone(),
            sets: run.sets.clone(),
            organisation: run.organisation.clone(),
            releases: run.releases.clone(),
            limits: run.limits.clone(),
            decoders: run.decoders.clone(),
            triage: run.triage,
            started: run.started.clone(),
            inputs: run.inputs.clone(),
            complete,
            units,
            known_secrets: run.known_secrets.clone(),
            user_rules: run.user_rules.clone(),
            yara: run.yara.as_ref().map(|rules| rules.digest.clone()),
            terms: run.terms.clone(),
            inventory: run.inventory.clone(),
            origins: run.origins.clone(),
            case_key: run.case_key.clone(),
            originals,
        }
    }

    /// It tells of all settings that a later form tells of.
    pub(super) fn tells_all(&self) -> bool {
        self.form >= FORM
    }
}

/// What a case holds beside its run on which findings depend.
#[derive(Debug, Default)]
pub struct Scanned {
    /// The units of the run.
    pub units: Units,
    pub(super) originals: BTreeSet<String>,
}

impl Scanned {
    /// Takes note of a record: what copies were held against.
    pub fn note(&mut self, record: &Record) {
        let Record::Comparison(row) = record else {
            return;
        };
        if self.originals.len() < ORIGINALS_MAX {
            // An original of the same name need not be the same.
            let bytes = row.bytes_original;
            self.originals
                .insert(format!("{} ({bytes} bytes)", row.original));
        }
    }
}

/// The units of a run, as a later report is told of them.
#[derive(Debug, Default)]
pub struct Units {
    digests: Vec<u64>,
    count: usize,
}

impl Units {
    /// More of them are not told: the list would be larger than the report.
    const MOST: usize = 250_000;

    /// Takes a unit.
    pub fn add(&mut self, unit: &UnitName) {
        self.count += 1;
        if self.count <= Self::MOST {
            let digest = unit_digest(&unit.locator, unit.sha256.as_deref());
            self.digests.push(digest);
        }
    }

    pub(super) fn finish(mut self) -> Option<String> {
        use base64::Engine as _;
        if self.count > Self::MOST {
            return None;
        }
        self.digests.sort_unstable();
        let bytes: Vec<u8> = self
            .digests
            .iter()
            .flat_map(|digest| digest.to_be_bytes())
            .collect();
        Some(base64::engine::general_purpose::STANDARD.encode(bytes))
    }
}

/// The digests of units that an earlier report tells of.
pub(super) fn digests_in(text: &str) -> Option<HashSet<u64>> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()?;
    let digests = bytes.as_chunks::<8>().0.iter();
    Some(digests.map(|digest| u64::from_be_bytes(*digest)).collect())
}

pub(super) fn unit_digest(locator: &str, sha256: Option<&str>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(locator.as_bytes());
    hasher.update(&[0]);
    hasher.update(sha256.unwrap_or_default().as_bytes());
    let digest = hasher.finalize();
    digest.as_bytes()[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
