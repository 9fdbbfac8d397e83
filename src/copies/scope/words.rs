//! The account in words: what the data says in one sentence, and which statement about all places that supports.

use super::{Scope, Support};

pub(super) fn worded(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// A name as far as it fits into a sentence.
fn cut(name: &str) -> String {
    const CHARS: usize = 80;
    match name.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()),
        None => name.to_owned(),
    }
}

/// A share in per cent, with two digits behind the point, or as many as keep it from looking like none or all.
pub fn per_cent(share: f64) -> String {
    let room = share.min(1.0 - share) * 0.05;
    let written = |digits: usize| format!("{:.digits$}", share * 100.0);
    let is_near = |text: &String| {
        let back = text.parse::<f64>().unwrap_or(f64::NAN) / 100.0;
        (back - share).abs() <= room
    };
    let found = (2..12).map(written).find(is_near);
    let text = found.unwrap_or_else(|| written(12));
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

impl Scope {
    pub(super) fn looked_at(&self) -> u64 {
        self.total.examined + self.total.undecided
    }

    pub(super) fn supported(&self) -> Support {
        if self.looked_at() == 0 {
            Support::Nothing
        } else if self.total.hold < self.looked_at() {
            Support::NotSupported
        } else if self.total.not_examined == 0 {
            Support::All
        } else if self.bound.is_some() {
            Support::Bounded
        } else {
            Support::ExaminedOnly
        }
    }

    fn held(&self) -> String {
        let mut works = self.works.iter();
        let work = match (works.next(), works.next()) {
            (Some(one), None) => cut(one),
            _ => "a signed work".to_owned(),
        };
        format!(
            "at least {} of {work}, counted in bytes of its first-party files",
            per_cent(self.threshold)
        )
    }

    pub(super) fn said(&self) -> String {
        let (total, looked_at) = (&self.total, self.looked_at());
        let places = if self.is_listed {
            "listed places"
        } else {
            "places in the input"
        };
        if looked_at == 0 {
            return format!(
                "None of the {} {places} was examined for copies.",
                total.places
            );
        }
        let all = if total.not_examined == 0 { "All " } else { "" };
        let mut said = format!(
            "{all}{looked_at} of the {} {places} {} examined; {} {} {}.",
            total.places,
            worded(looked_at, "was", "were"),
            total.hold,
            worded(total.hold, "holds", "hold"),
            self.held()
        );
        let misses = total.misses();
        if !misses.is_empty() {
            said.push_str(&format!(" Of the others, {}.", misses.join(", ")));
        }
        if let Some(bound) = &self.bound {
            said.push_str(&format!(
                " {} of them {} drawn at random from {}, and {} of these {} not hold that much: with {} confidence, at most {} of the {} places not examined do not.",
                bound.drawn,
                worded(bound.drawn, "was", "were"),
                bound.from,
                match bound.misses {
                    0 => "none".to_owned(),
                    some => some.to_string(),
                },
                worded(bound.misses.max(1), "does", "do"),
                per_cent(bound.confidence),
                bound.rest_misses_at_most,
                bound.rest
            ));
        } else if total.not_examined > 0 {
            said.push_str(&format!(
                " Of the {} not examined nothing is said.",
                total.not_examined
            ));
        }
        said
    }

    /// The same without any name, for those who may know the figures only.
    #[must_use]
    pub fn unnamed(mut self) -> Self {
        self.works.clear();
        self.networks_left_out += self.networks.len() as u64;
        self.networks.clear();
        self.network = self.network.map(|_| "asked for".to_owned());
        self.sentence = self.said();
        self.verdict = self.judged();
        self
    }

    pub(super) fn judged(&self) -> String {
        let which = match &self.network {
            Some(network) => format!("all places of the network {network}"),
            None if self.is_listed => "all listed places".to_owned(),
            None => "all places in the input".to_owned(),
        };
        match self.support {
            Support::All => format!("A statement about {which} is supported: each was examined."),
            Support::Bounded => format!(
                "A statement about {which} is supported by a sample, with the bound above; it is no statement about each of them."
            ),
            Support::ExaminedOnly => format!(
                "A statement about {which}, or that those examined are representative of them, is not supported: {}.",
                self.no_bound
                    .as_deref()
                    .unwrap_or("nothing is known of the rest")
            ),
            Support::NotSupported => {
                let missed = self.looked_at() - self.total.hold;
                let rest = self.no_bound.as_deref().map_or(String::new(), |why| {
                    format!(", and of the rest nothing is known: {why}")
                });
                format!(
                    "A statement about {which} is not supported: {missed} of {} examined {} not hold that much ({}){rest}. Name one by one the places that do.",
                    self.looked_at(),
                    worded(missed, "does", "do"),
                    self.total.misses().join(", ")
                )
            }
            Support::Nothing => format!(
                "A statement about {which} is not supported: nothing was examined. Scan them with --signatures."
            ),
        }
    }
}
