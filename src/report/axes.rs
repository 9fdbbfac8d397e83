//! How bad it is: five axes of 0 to 4, each with what set it.
//!
//! The lines between levels are data (`signatures/impact.toml`, with why), and what they are held against are figures
//! that the report shows as well. No number is made of the five: the headline is the highest axis by its name. While
//! something was not read, a level is the least that it can be, and is printed as "at least". Whoever knows more may set an axis
//! by hand, with a reason; both stay beside what the rules say.
//!
//! Left out: what a leak costs, and any score of a weakness (CVSS), which this is not.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::exposure::yara::CLASS_PREFIX;
use crate::record::Severity;

/// The file that the program carries.
const BUILTIN: &str = include_str!("../../signatures/impact.toml");

/// The highest level.
pub const LEVEL_MAX: u8 = 4;

/// Places that are named of one figure.
const PLACES: usize = 3;

/// Lines between levels, and names of kinds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Impact {
    axis: Vec<AxisRule>,
    classes: Vec<ClassesRule>,
    kind: Vec<Kind>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AxisRule {
    id: String,
    title: String,
    why: String,
    level: Vec<LevelRule>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelRule {
    level: u8,
    when: Vec<BTreeMap<String, u64>>,
    why: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassesRule {
    axis: String,
    ids: Vec<String>,
}

/// What is known of a kind of item.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    id: String,
    pub(super) title: String,
    pub(super) why: String,
    axis: Option<String>,
}

impl Impact {
    /// What the program carries.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the file is part of the program, and a test reads it.
    pub(super) fn builtin() -> &'static Impact {
        static IMPACT: LazyLock<Impact> = LazyLock::new(|| match toml::from_str(BUILTIN) {
            Ok(impact) => impact,
            Err(error) => panic!("signatures/impact.toml is broken: {error}"),
        });
        &IMPACT
    }

    /// Where a kind stands in the page, and what is known of it; unknown ones come last.
    pub(super) fn kind(&self, id: &str) -> (usize, Option<&Kind>) {
        match self.kind.iter().position(|kind| kind.id == id) {
            Some(at) => (at, self.kind.get(at)),
            None => (self.kind.len(), None),
        }
    }

    /// The axis that items of a kind count on.
    pub(super) fn axis_of_kind(&self, id: &str) -> Option<&str> {
        self.kind(id).1.and_then(|kind| kind.axis.as_deref())
    }

    /// The axes that exposures of a class count on. A match of a YARA rule says what a copy carries and not what leaked, and
    /// counts on none. What no version of the program knows counts as the organisation's own work.
    pub(super) fn axes_of_class(&self, class: &str) -> Vec<&str> {
        if class.starts_with(CLASS_PREFIX) {
            return Vec::new();
        }
        let named = self.classes.iter();
        let axes: Vec<&str> = named
            .filter(|rule| rule.ids.iter().any(|id| id == class))
            .map(|rule| rule.axis.as_str())
            .collect();
        if axes.is_empty() { vec!["ip"] } else { axes }
    }

    /// Ids of the axes, in their order.
    pub(super) fn axes(&self) -> impl Iterator<Item = &str> {
        self.axis.iter().map(|axis| axis.id.as_str())
    }
}

/// What the lines are held against, with the first places of each figure.
#[derive(Debug, Default)]
pub(super) struct Figures {
    values: BTreeMap<String, u64>,
    places: BTreeMap<String, Vec<String>>,
}

impl Figures {
    pub(super) fn set(&mut self, name: impl Into<String>, value: u64) {
        self.values.insert(name.into(), value);
    }

    /// Counts a place.
    pub(super) fn add(&mut self, name: String, count: u64, place: Option<&str>) {
        if let Some(place) = place {
            self.show(&name, place);
        }
        let sum = self.values.entry(name).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Names a place of a figure; the first few are kept.
    pub(super) fn show(&mut self, name: &str, place: &str) {
        let places = self.places.entry(name.to_owned()).or_default();
        if places.len() < PLACES && !places.iter().any(|known| known == place) {
            places.push(place.to_owned());
        }
    }

    pub(super) fn value(&self, name: &str) -> u64 {
        self.values.get(name).copied().unwrap_or(0)
    }
}

/// The words of severities that figures count from, with the severities that count in them.
pub(super) const STEPS: [(&str, Severity); 4] = [
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
];

/// How bad it is on one axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Axis {
    /// Its id, as `--severity` takes it.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it stands for.
    pub about: String,
    /// What holds: the level set by hand, or that of the rules.
    pub level: u8,
    /// What the rules say.
    pub by_rules: u8,
    /// Something was not read, so the rules say "at least".
    pub at_least: bool,
    /// Why a level like that.
    pub why: String,
    /// What set it.
    pub rows: Vec<AxisRow>,
    /// The reason, where it was set by hand.
    pub override_reason: Option<String>,
    /// Who did, as the system says; null where it is withheld.
    pub override_by: Option<String>,
    /// When, UTC.
    pub override_at: Option<String>,
}

/// A figure that set a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AxisRow {
    /// Name of the figure, as in `signatures/impact.toml`.
    pub figure: String,
    /// What it is.
    pub value: u64,
    /// From where on it counts.
    pub from: u64,
    /// The first places.
    pub places: Vec<String>,
}

/// An axis set by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    axis: String,
    level: u8,
    reason: String,
    by: Option<String>,
    at: Option<String>,
}

/// Why an axis cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// Not `AXIS=N`.
    #[error("`{0}` is not of the form AXIS=N, with N from 0 to 4")]
    Form(String),
    /// No such axis.
    #[error("there is no axis `{given}`; the axes are {known}")]
    Unknown {
        /// As written.
        given: String,
        /// All of them.
        known: String,
    },
    /// Set without a reason.
    #[error(
        "`--severity` needs a reason for each axis: give `--reason TEXT` as often, in the same order"
    )]
    NoReason,
}

impl Override {
    /// Pairs `AXIS=N` with reasons, in the order given.
    ///
    /// # Errors
    /// Another form, an unknown axis, a missing or an empty reason.
    pub fn pair(settings: &[String], reasons: &[String]) -> Result<Vec<Override>, OverrideError> {
        if settings.len() != reasons.len() || reasons.iter().any(|text| text.trim().is_empty()) {
            return Err(OverrideError::NoReason);
        }
        let pairs = settings.iter().zip(reasons);
        pairs
            .map(|(setting, reason)| Self::one(setting, reason))
            .collect()
    }

    fn one(setting: &str, reason: &str) -> Result<Override, OverrideError> {
        let form = || OverrideError::Form(setting.to_owned());
        let (axis, level) = setting.split_once('=').ok_or_else(form)?;
        let level = level.parse().ok().filter(|level| *level <= LEVEL_MAX);
        let level = level.ok_or_else(form)?;
        let known: Vec<&str> = Impact::builtin().axes().collect();
        if !known.contains(&axis) {
            return Err(OverrideError::Unknown {
                given: axis.to_owned(),
                known: known.join(", "),
            });
        }
        Ok(Override {
            axis: axis.to_owned(),
            level,
            reason: reason.to_owned(),
            by: None,
            at: None,
        })
    }

    /// With who set it, as the system says, and when, UTC.
    #[must_use]
    pub fn set_by(self, actor: &str, time: &str) -> Self {
        Self {
            by: Some(actor.to_owned()),
            at: Some(time.to_owned()),
            ..self
        }
    }

    /// What was set, in words.
    pub fn words(&self) -> String {
        format!(
            "{} set to {} by hand: {}",
            self.axis, self.level, self.reason
        )
    }
}

/// Judges all axes.
pub(super) fn judge(figures: &Figures, complete: bool, overrides: &[Override]) -> Vec<Axis> {
    let rules = &Impact::builtin().axis;
    rules
        .iter()
        .map(|rule| judge_one(rule, figures, complete, overrides))
        .collect()
}

fn judge_one(rule: &AxisRule, figures: &Figures, complete: bool, overrides: &[Override]) -> Axis {
    let mut levels: Vec<&LevelRule> = rule.level.iter().collect();
    levels.sort_by_key(|level| std::cmp::Reverse(level.level));
    let holds = |when: &&BTreeMap<String, u64>| {
        when.iter()
            .all(|(name, least)| figures.value(name) >= *least)
    };
    let held = levels.into_iter().find_map(|level| {
        let when: Vec<_> = level.when.iter().filter(holds).collect();
        (!when.is_empty()).then_some((level, when))
    });
    let mut rows: Vec<AxisRow> = Vec::new();
    for (name, from) in held
        .iter()
        .flat_map(|(_, when)| when.iter().copied().flatten())
    {
        if rows.iter().any(|row| row.figure == *name) {
            continue;
        }
        rows.push(AxisRow {
            figure: name.clone(),
            value: figures.value(name),
            from: *from,
            places: figures.places.get(name).cloned().unwrap_or_default(),
        });
    }
    let by_rules = held.as_ref().map_or(0, |(level, _)| level.level);
    let by_hand = overrides
        .iter()
        .rev()
        .find(|by_hand| by_hand.axis == rule.id);
    Axis {
        id: rule.id.clone(),
        title: rule.title.clone(),
        about: rule.why.clone(),
        level: by_hand.map_or(by_rules, |by_hand| by_hand.level),
        by_rules,
        at_least: !complete && by_rules < LEVEL_MAX,
        why: held.map_or_else(
            || "Nothing of the kind was seen.".to_owned(),
            |(level, _)| level.why.clone(),
        ),
        rows,
        override_reason: by_hand.map(|by_hand| by_hand.reason.clone()),
        override_by: by_hand.and_then(|by_hand| by_hand.by.clone()),
        override_at: by_hand.and_then(|by_hand| by_hand.at.clone()),
    }
}

impl Axis {
    /// The level as it is printed.
    pub fn words(&self) -> String {
        match (self.override_reason.is_some(), self.at_least) {
            (true, _) => format!(
                "{} (set by hand; by the rules {})",
                self.level, self.by_rules
            ),
            (false, true) => format!("at least {}", self.level),
            (false, false) => self.level.to_string(),
        }
    }

    /// Who set it by hand, when and why.
    pub fn by_hand(&self) -> Option<String> {
        let reason = self.override_reason.as_ref()?;
        let by = self.override_by.as_ref();
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        let at = self.override_at.as_ref();
        let at = at.map_or(String::new(), |at| format!(" at {at}"));
        Some(format!("Set by hand{by}{at}, because: {reason}"))
    }

    /// What a level means on every axis.
    pub fn meaning(&self) -> &'static str {
        match self.level {
            0 => "nothing seen",
            1 => "worth knowing",
            2 => "work this week",
            3 => "serious, act today",
            _ => "act now",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::exposure::Rules;
    use crate::exposure::inventory::KINDS;

    /// Every figure that a line names is one that the report counts; without this a typing error would never hold.
    #[test]
    fn lines_name_known_figures_and_axes() {
        let impact = Impact::builtin();
        let axes: Vec<&str> = impact.axes().collect();
        assert_eq!(axes, ["secrets", "controls", "ip", "personal", "spread"]);
        let plain = [
            "secrets-known",
            "secrets-critical",
            "secrets-high",
            "secrets-medium",
            "secrets-any",
            "secrets-checked-high",
            "closed-own-files",
            "closed-own-kilobytes",
            "content-percent",
            "work-percent",
            "copies",
            "copies-verbatim",
            "copies-tampered",
            "copy-hosts",
            "suspects",
            "references-open",
            "packages-closed",
        ];
        for axis in &impact.axis {
            let mut levels: Vec<u8> = axis.level.iter().map(|level| level.level).collect();
            levels.sort_unstable();
            assert_eq!(levels, [1, 2, 3, 4], "{}", axis.id);
            for name in axis
                .level
                .iter()
                .flat_map(|level| &level.when)
                .flat_map(BTreeMap::keys)
            {
                let of_axis = axes.iter().any(|axis| {
                    *name == format!("items-{axis}")
                        || STEPS
                            .iter()
                            .any(|(step, _)| *name == format!("exposures-{axis}-{step}"))
                });
                assert!(of_axis || plain.contains(&name.as_str()), "{name}");
            }
        }
        for rule in &impact.classes {
            assert!(axes.contains(&rule.axis.as_str()), "{}", rule.axis);
        }
        for kind in impact.kind.iter().filter_map(|kind| kind.axis.as_deref()) {
            assert!(axes.contains(&kind), "{kind}");
        }
    }

    /// Each class and each kind that the program can tell of is placed, and nothing is that it cannot.
    #[test]
    fn every_class_and_kind_is_placed() {
        let impact = Impact::builtin();
        let placed: BTreeSet<&str> = impact
            .classes
            .iter()
            .flat_map(|rule| &rule.ids)
            .map(String::as_str)
            .collect();
        let known: BTreeSet<&str> = Rules::builtin()
            .iter()
            .map(|rule| rule.id.as_str())
            .collect();
        assert_eq!(placed, known);
        for rule in &impact.classes {
            let ids: BTreeSet<&String> = rule.ids.iter().collect();
            assert_eq!(ids.len(), rule.ids.len(), "one twice on {}", rule.axis);
        }
        let titled: BTreeSet<&str> = impact.kind.iter().map(|kind| kind.id.as_str()).collect();
        let kinds: BTreeSet<&str> = KINDS.iter().map(|(id, _)| *id).collect();
        let missing: Vec<_> = kinds.difference(&titled).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let unknown: Vec<_> = titled.difference(&kinds).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn the_highest_level_whose_lines_all_hold() {
        let mut figures = Figures::default();
        figures.set("exposures-ip-critical", 1);
        let level = |figures: &Figures| judge(figures, true, &[])[2].level;
        assert_eq!(level(&figures), 3);
        figures.set("closed-own-files", 100);
        assert_eq!(level(&figures), 3, "one of three is missing");
        figures.set("content-percent", 90);
        assert_eq!(level(&figures), 4);
        let axis = &judge(&figures, true, &[])[2];
        assert_eq!(axis.rows.len(), 3);
        assert_eq!(judge(&Figures::default(), true, &[])[0].level, 0);
    }

    #[test]
    fn while_something_is_unread_a_level_is_the_least() {
        let axes = judge(&Figures::default(), false, &[]);
        assert_eq!(axes[0].words(), "at least 0");
    }

    #[test]
    fn by_hand_needs_an_axis_a_level_and_a_reason() {
        let pair = |setting: &str, reason: &str| {
            Override::pair(&[setting.to_owned()], &[reason.to_owned()])
        };
        let set = pair("personal=4", "The dump holds customers.").unwrap();
        let axes = judge(&Figures::default(), true, &set);
        assert_eq!((axes[3].level, axes[3].by_rules), (4, 0));
        assert_eq!(axes[3].words(), "4 (set by hand; by the rules 0)");
        assert!(matches!(
            pair("personal=5", "x"),
            Err(OverrideError::Form(_))
        ));
        assert!(matches!(
            pair("cvss=4", "x"),
            Err(OverrideError::Unknown { .. })
        ));
        assert!(matches!(pair("ip=4", " "), Err(OverrideError::NoReason)));
        assert!(matches!(
            Override::pair(&["ip=4".to_owned()], &[]),
            Err(OverrideError::NoReason)
        ));
    }
}
