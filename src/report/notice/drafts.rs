//! Which notices are made of what was chosen: one for each fork network of a host, cut where a host takes no more places.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::contacts::Contacts;
use super::gather::Gather;
use super::hosts::Hosts;
use super::inert::inert_all;
use super::rows::{Item, NetworkCounts, Selection, count};
use super::works::{WorkFacts, works};
use super::{Host, LeftOut};
use crate::copies::lineage::plain;
use crate::record::Grade;

/// A draft that follows another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follows {
    /// The earlier notice.
    pub id: String,
    /// The number that the host gave it, where one was written down.
    pub ticket: Option<String>,
    /// Its rows that are no longer claimed, with the reason.
    pub dropped: Vec<LeftOut>,
}

/// What a notice is made with, beside its rows.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The host.
    pub host: &'a Host,
    /// All hosts.
    pub hosts: &'a Hosts,
    /// Who complains.
    pub contacts: &'a Contacts,
    /// What the user says of access controls; null: none is claimed.
    pub circumvention: Option<&'a str>,
    /// What signature sets say of the works.
    pub works: &'a [WorkFacts],
    /// What it is drafted in spite of; on each page.
    pub stamps: &'a [String],
    /// The notice that it follows.
    pub follows: Option<&'a Follows>,
}

/// One notice.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Root of the fork network.
    pub network: Option<String>,
    /// Which of several of this network it is, from 1.
    pub part: usize,
    /// Of how many.
    pub of: usize,
    /// Its places.
    pub items: Vec<Item>,
    /// Stamped on each page.
    pub stamps: Vec<String>,
    /// What whoever sends it has to check first.
    pub checks: Vec<String>,
    /// What templates see.
    pub(super) context: Value,
    /// Name of the host.
    pub host_name: String,
}

impl Draft {
    /// What takes rows of an earlier notice back; it names no places of its own.
    #[must_use]
    pub fn retraction(gather: &Gather, asked: &Asked) -> Self {
        let words = Words {
            asked,
            gather,
            items: &[],
            network: None,
            counts: None,
            claimed: 0,
        };
        Self {
            network: None,
            part: 1,
            of: 1,
            items: Vec::new(),
            stamps: asked.stamps.to_vec(),
            checks: words.checks(&[]),
            context: words.context(&json!(super::rows::Exclusions::default())),
            host_name: asked.host.name.clone(),
        }
    }

    /// What it is called in a title.
    #[must_use]
    pub fn title(&self) -> String {
        let of = match &self.network {
            Some(network) => format!(", fork network of {network}"),
            None => ", places of no known fork network".to_owned(),
        };
        let part = match self.of {
            0 | 1 => String::new(),
            of => format!(" ({} of {of})", self.part),
        };
        super::inert::inert(&format!("Notice to {}{of}{part}", self.host_name))
    }
}

#[derive(Serialize)]
struct Totals {
    places: u64,
    files: u64,
    bytes: u64,
    reviewed: u64,
}

/// Makes the notices of a selection, in order: networks by their address, then what is in none.
#[must_use]
pub fn drafts(selection: &Selection, gather: &Gather, asked: &Asked) -> Vec<Draft> {
    let mut by_network: BTreeMap<(bool, String), Vec<Item>> = BTreeMap::new();
    for item in &selection.items {
        let key = item.network.as_deref().map(plain);
        by_network
            .entry((key.is_none(), key.unwrap_or_default()))
            .or_default()
            .push(item.clone());
    }
    let mut out = Vec::new();
    for items in by_network.into_values() {
        let network = items.first().and_then(|item| item.network.clone());
        let counts = network
            .as_ref()
            .and_then(|network| selection.networks.get(network));
        let claimed = count(items.len());
        let of = items.len().div_ceil(asked.host.rows);
        for (part, items) in items.chunks(asked.host.rows).enumerate() {
            let items = items.to_vec();
            let words = Words {
                asked,
                gather,
                items: &items,
                network: network.as_deref(),
                counts,
                claimed,
            };
            let context = words.context(&json!(selection.exclusions));
            out.push(Draft {
                checks: words.checks(&selection.left_out),
                network: network.clone(),
                part: part + 1,
                of,
                stamps: asked.stamps.to_vec(),
                host_name: asked.host.name.clone(),
                context,
                items,
            });
        }
    }
    out
}

/// What is said of one draft.
struct Words<'a> {
    asked: &'a Asked<'a>,
    gather: &'a Gather,
    items: &'a [Item],
    network: Option<&'a str>,
    counts: Option<&'a NetworkCounts>,
    /// Places of the network in all its notices.
    claimed: u64,
}

impl Words<'_> {
    /// The fields that templates may name; an error about one that there is not lists them.
    fn context(&self, exclusions: &Value) -> Value {
        let items = self.items;
        let is_entire = !items.is_empty() && items.iter().all(|item| item.is_entire);
        let sum = |of: fn(&Item) -> u64| items.iter().map(of).sum::<u64>();
        let totals = Totals {
            places: count(items.len()),
            files: sum(|item| item.files_here),
            bytes: sum(|item| item.bytes_here),
            reviewed: sum(|item| u64::from(item.is_reviewed)),
        };
        let has_expert = items
            .iter()
            .flat_map(|item| &item.files)
            .any(|file| matches!(file.grade, Grade::Derived | Grade::Ported));
        let mut contact = json!(self.asked.contacts.filled());
        contact["solution_given"] =
            json!(!contact["solution"].as_str().unwrap_or_default().is_empty());
        let entire = self.asked.hosts.entire;
        let follows = self.asked.follows;
        let ticket = follows.and_then(|follows| follows.ticket.as_deref());
        let ticket = ticket
            .or_else(|| contact["ticket"].as_str())
            .map(str::to_owned);
        let mut context = json!({
            "host": {
                "id": self.asked.host.id,
                "name": self.asked.host.name,
                "form": self.asked.host.form,
                "mail": self.asked.host.mail,
            },
            "works": works(items, self.asked.works, self.gather),
            "items": items,
            "totals": totals,
            "material": {
                "entire": is_entire,
                "entire_files": entire.files,
                "entire_bytes": entire.bytes,
                "list_files": !is_entire,
                "has_expert": has_expert,
            },
            "exclusions": {
                "unmatched_files": sum(|item| item.unmatched_files.unwrap_or(0)),
                "uncounted": sum(|item| u64::from(item.unmatched_files.is_none())),
                "public_files": sum(|item| item.public_files.unwrap_or(0)),
                "rejected_files": sum(|item| item.rejected_files),
                "without_licence": sum(|item| u64::from(item.licences.is_empty())),
                "headers_removed": sum(|item| item.headers_removed),
                "own_public": exclusions["own_public"],
                "unrelated": exclusions["unrelated"],
                "rejected_places": exclusions["rejected_places"],
            },
            "network": self.network_words(),
            "contact": contact,
            "circumvention": self.asked.circumvention,
            "follows": {
                "id": follows.map(|follows| &follows.id),
                "ticket": ticket,
                "dropped": follows.map_or(&[][..], |follows| &follows.dropped),
            },
            "stamps": self.asked.stamps,
        });
        inert_all(&mut context);
        context
    }

    fn network_words(&self) -> Value {
        let none = NetworkCounts::default();
        let counts = self.counts.unwrap_or(&none);
        let other = counts
            .looked_at
            .saturating_sub(counts.own_public + self.claimed);
        let advice = if self.network.is_none() {
            "No network is recorded, so nothing bears it out."
        } else if counts.root_is_public {
            "The root of this network holds only what the owner has published: the figures do not bear the sentence out."
        } else if counts.absent + counts.own_public + other > 0 {
            "Not every place of the network was looked at and found to match."
        } else {
            "Every recorded place of the network was looked at and is listed."
        };
        json!({
            "url": self.network,
            "listed": counts.looked_at + counts.absent,
            "looked_at": counts.looked_at,
            "claimed": self.claimed,
            "own_public": counts.own_public,
            "other": other,
            "absent": counts.absent,
            "advice": advice,
        })
    }

    /// What a person has to look at before this is sent.
    fn checks(&self, left_out: &[LeftOut]) -> Vec<String> {
        let host = self.asked.host;
        let mut out = Vec::new();
        if !host.is_known {
            out.push("There is no data for this host: it gets the general text of 17 U.S.C. 512(c)(3), and addresses of files at a commit could not be formed. `--hosts FILE` gives some.".to_owned());
        } else if !host.checked {
            out.push("Form, mail address and questions of the host are as the data file has them, and were not checked: look at its own pages.".to_owned());
        }
        out.extend(host.notes.iter().cloned());
        if let Some(counts) = self.counts.filter(|counts| counts.root_is_public) {
            out.push(format!(
                "The root of this network holds only what the owner has published, and so do {} places of it: do not ask for the whole network.",
                counts.own_public
            ));
        }
        for row in self
            .asked
            .follows
            .iter()
            .flat_map(|follows| &follows.dropped)
        {
            out.push(format!(
                "No longer claimed, and named in the notice that this one follows: {} ({}).",
                row.url.as_deref().unwrap_or(&row.locator),
                row.reason
            ));
        }
        let unpinned = |item: &&Item| item.files.iter().any(|file| file.permalink.is_none());
        for (number, what) in [
            (
                self.items.iter().filter(|item| !item.is_reviewed).count(),
                "places that nobody reviewed are in this notice",
            ),
            (
                self.items
                    .iter()
                    .filter(|item| item.is_reviewed && item.fair_use_considered != Some(true))
                    .count(),
                "places were confirmed without a word on whether fair use was considered",
            ),
            (
                self.items.iter().filter(unpinned).count(),
                "places have files without an address at a commit; they are named by path and SHA-256",
            ),
            (
                self.items
                    .iter()
                    .filter(|item| !item.contradicted_by.is_empty())
                    .count(),
                "places have an address that another record contradicts (`contradicted` in exhibit.csv)",
            ),
            (
                self.items
                    .iter()
                    .filter(|item| {
                        item.licences
                            .iter()
                            .any(|file| !file.ends_with(": not recognised"))
                    })
                    .count(),
                "places have a licence file that names a licence",
            ),
            (
                left_out.len(),
                "places are left out, each with the reason (left-out.csv)",
            ),
        ] {
            if number > 0 {
                out.push(format!("{number} {what}."));
            }
        }
        let blanks: Vec<&str> = self.asked.contacts.blanks().collect();
        if !blanks.is_empty() {
            out.push(format!(
                "Blanks in brackets are to be filled: {}. `--contacts FILE` fills them.",
                blanks.join(", ")
            ));
        }
        out.push("Signature, date and every box are for the person who signs; the program ticks nothing and sends nothing.".to_owned());
        out
    }
}
