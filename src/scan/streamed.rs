//! Content that is too large to be held: read once, from front to end, in windows.
//!
//! Its digests are those of all of it, and so are what the literal pass finds and the credentials in it. What can only be read
//! as a whole (maps within it, archives, the documents of an image, lockfiles, settings, the inventory) is not, and is said
//! not to be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::analyse::written_of;
use super::analyse::{Analyser, fill, is_executable, match_facts, settings_unread};
use super::building::{Building, Visited};
use super::facts::{Child, Facts};
use super::formats;
use super::links::{debug_links, given_links, link_fact};
use crate::blob::Sha256Digest;
use crate::blob::digest::StreamDigests;
use crate::blob::lines::LineCounter;
use crate::container::image::doc::Why;
use crate::container::image::{self, Doc};
use crate::container::{Member, Trouble, Walker};
use crate::exposure::{self, InventoryScope, ItemFact, Role, TextSearch, known, named::Beginning};
use crate::sourcemap;

/// Content that is streamed is looked at in windows of this size, each of which begins with the end of the last.
pub(super) const WINDOW: usize = 1 << 20;
/// Bytes by which windows overlap: longer than any literal that is looked for, and as long as the longest live secret.
const OVERLAP: usize = known::list::LENGTH_MAX;

impl Analyser {
    /// Reads a member that is too large to be held: digests, the literal pass and the search for credentials, window by
    /// window.
    pub fn stream(
        &self,
        member: Member,
        ordinal: u32,
        walker: &mut dyn Walker,
        building: &mut Building,
        input_len: u64,
        above: u64,
    ) -> Visited {
        self.progress.entries.fetch_add(1, Ordering::Relaxed);
        let mut digests = StreamDigests::default();
        let mut facts = Facts::plain("");
        let mut window: Vec<u8> = Vec::with_capacity(WINDOW + OVERLAP);
        let mut limit = None;
        let mut lines = LineCounter::default();
        let mut has_inlined = false;
        let mut unread = Unread::default();
        let mut buffer = vec![0; WINDOW];
        let mut known = known::Search::default();
        let role = self.role_of(&member);
        let mut search = None;
        loop {
            let got = fill(walker, &mut buffer);
            if got == 0 || self.progress.stop.load(Ordering::Relaxed) {
                break;
            }
            let bytes = &buffer[..got];
            digests.update(bytes);
            lines.update(bytes);
            if facts.kind.is_empty() {
                let is_searched = self.stream_head(bytes, above, &mut facts);
                search = is_searched.then(|| TextSearch::new(role));
                unread = Unread::of(bytes, self.organisation.is_some());
            }
            if let Some(search) = &mut search {
                search.feed(&self.inspector, bytes);
            }
            let told = window.len();
            window.extend_from_slice(bytes);
            has_inlined |= self.stream_window(&window, &mut facts);
            self.inspector.look_for_known(&mut known, &window, told);
            self.stream_terms(&window, &lines, &mut facts);
            unread.look(&window);
            let done = window.len().saturating_sub(OVERLAP);
            known.leave(&window[..done]);
            window.drain(..done);
            limit = building.charge_bytes(got as u64, input_len, &self.limits);
            if limit.is_some() {
                facts.cut_by_limit = true;
                break;
            }
        }
        let (key, sha256, len) = digests.finish();
        let hold = self.limits.within(above).hold();
        if unread.is_image_doc {
            facts.image = Some(Box::new(image::Part::Doc(Doc::Unread(Why::Memory))));
        }
        facts.secrets.extend(known.finish());
        if let Some(search) = search {
            facts.secrets.extend(search.finish(&self.inspector));
            (facts.secrets).sort_by_key(|fact| (fact.line, fact.column));
        }
        let mut unseen = unread.phrases(has_inlined);
        if role == Role::Own && self.inspector.inventory != InventoryScope::None {
            unseen.push("no inventory was made of it");
        }
        if self.inspector.yara.is_some() {
            unseen.push("no YARA rule was run over it");
        }
        self.stream_end(&sha256, lines.count(), unseen, hold, &mut facts);
        facts.troubles.extend(limit);
        let mut troubles = walker.streamed_trouble().into_iter().chain(member.trouble);
        let trouble = troubles.next();
        facts.troubles.extend(troubles);
        Visited::Child(Box::new(Child {
            name: member.name,
            ordinal,
            len,
            key: Some(key),
            sha256: Some(sha256),
            written: written_of(member.time, &facts),
            facts: Arc::new(facts),
            trouble,
            source: member.source,
            links: given_links(&member.links),
            git: None,
            text: None,
            kept: None,
        }))
    }

    /// What is known of streamed content at its end: whose it is by its digest, and what could not be looked at.
    fn stream_end(
        &self,
        sha256: &Sha256Digest,
        lines: u64,
        mut unseen: Vec<&'static str>,
        hold: u64,
        facts: &mut Facts,
    ) {
        // Of a container that was not opened it is said already.
        if (facts.troubles.iter()).any(|trouble| trouble.code == "memory-limit") {
            unseen.clear();
        }
        if is_executable(&facts.kind) {
            unseen.push("no application was looked for in it");
        }
        if !self.sets.is_empty() {
            facts.matches = match_facts(self.sets.lookup_digests(&sha256.0, None));
            if facts.matches.is_empty() && self.sets.asks_more_than_sha256() {
                unseen.push(
                    "it was not held against sets made of lists that name files by git id or by MD5",
                );
            }
            if !facts.matches.is_empty() {
                facts.lines = lines;
            } else if is_text(&facts.kind) && self.sets.has_prints() {
                unseen.push(
                    "it was held against the sets as it stands, not in its normal form, and no fingerprints were made of it",
                );
            } else if is_text(&facts.kind) {
                unseen
                    .push("it was held against the sets as it stands, and not in its normal form");
            }
        }
        if !unseen.is_empty() {
            facts.troubles.push(Trouble::damaged(
                "memory-limit",
                format!(
                    "larger than content may be held here ({hold} bytes), so {}; raise --memory",
                    unseen.join(", and ")
                ),
                None,
            ));
        }
        self.progress
            .findings
            .fetch_add(facts.matches.len() as u64, Ordering::Relaxed);
    }

    /// Says what content is that begins so. Whether it is searched for credentials: what is packed shows none.
    fn stream_head(&self, head: &[u8], above: u64, facts: &mut Facts) -> bool {
        let container = formats::format_of(head)
            .map(|format| format.name())
            .or_else(|| formats::not_opened(head));
        match container {
            Some(kind) => {
                kind.clone_into(&mut facts.kind);
                facts.troubles.push(Trouble::skipped(
                    "memory-limit",
                    format!("a {kind} within a container, larger than content may be held here ({} bytes); raise --memory{}", self.limits.within(above).hold(), self.or_spill(kind)),
                    None,
                ));
            }
            None => {
                formats::leaf_kind(head).clone_into(&mut facts.kind);
                let mut unread = Vec::new();
                let found = exposure::artifacts_beginning(head, &mut unread).into_iter();
                facts.traits.extend(found.map(exposure::Trait::Artifact));
                facts.troubles.extend(settings_unread(&unread));
            }
        }
        container.is_none() || is_text(formats::leaf_kind(head))
    }

    /// What may be done beside raising the memory, for a container of this kind.
    fn or_spill(&self, kind: &str) -> &'static str {
        if self.spill.is_some() || kind == "source-map" {
            return "";
        }
        ", or give a folder for it with --spill"
    }

    /// Looks for the user's words in a window; each is told where it stands first.
    fn stream_terms(&self, window: &[u8], lines: &LineCounter, facts: &mut Facts) {
        if self.inspector.terms.is_none() {
            return;
        }
        let within = memchr::memchr_iter(b'\n', window).count() as u64;
        for mut item in self
            .inspector
            .terms_in(window, lines.feeds().saturating_sub(within))
        {
            let is_same = |told: &ItemFact| told.kind == item.kind && told.value == item.value;
            if !facts.items.iter().any(is_same) {
                item.detail = None;
                facts.items.push(item);
            }
        }
    }

    /// Looks through a window; whether something stands in it that would have to be opened.
    fn stream_window(&self, window: &[u8], facts: &mut Facts) -> bool {
        let hits = self.prefilter.scan(window);
        for fact in exposure::traits_of(window, &hits) {
            // A window is no whole: what begins in the middle of something else is none of it.
            let is_whole = matches!(fact, exposure::Trait::Artifact(_));
            if !is_whole && !facts.traits.contains(&fact) {
                facts.traits.push(fact);
            }
        }
        let mut has_inlined =
            hits.has_module() || hits.has_map_contents() || !hits.archives().is_empty();
        if hits.has_debug_id() {
            for link in debug_links(window) {
                if !facts.links.contains(&link) {
                    facts.links.push(link);
                }
            }
        }
        if hits.has_link() {
            for link in &sourcemap::links(window) {
                match link_fact(link) {
                    Some(link) if facts.links.contains(&link) => {}
                    Some(link) => facts.links.push(link),
                    None => has_inlined = true,
                }
            }
        }
        has_inlined
    }
}

/// Whether content of this kind is text, a page in HTML included.
fn is_text(kind: &str) -> bool {
    matches!(kind, "text" | "html")
}

/// What streamed content may be that is read as a whole or not at all.
#[derive(Debug, Default)]
struct Unread {
    lockfile: Option<Beginning>,
    is_lockfile: bool,
    may_be_image_doc: bool,
    is_image_doc: bool,
}

impl Unread {
    /// Of content that begins with `head`; packages are told only where there is a profile.
    fn of(head: &[u8], has_profile: bool) -> Self {
        Self {
            lockfile: Beginning::of(head).filter(|_| has_profile),
            may_be_image_doc: Doc::may_begin_with(head),
            ..Self::default()
        }
    }

    fn look(&mut self, window: &[u8]) {
        self.is_lockfile |= self.lockfile.is_some_and(|begun| begun.is_told_by(window));
        self.is_image_doc |= self.may_be_image_doc && Doc::has_words(window);
    }

    /// What is to be said of it at its end. Of an image's document the image says it.
    fn phrases(&self, has_inlined: bool) -> Vec<&'static str> {
        let inlined = "maps, modules and archives that may be within it were not opened";
        let lockfile = "the packages that it names, as a lockfile or an index does, were not read";
        let said = [(has_inlined, inlined), (self.is_lockfile, lockfile)];
        let said = said.into_iter().filter(|(is_so, _)| *is_so);
        said.map(|(_, phrase)| phrase).collect()
    }
}
