//! Recovered sources by folder: from a stream of sources to a few hundred rows and a treemap.
//!
//! Sources are grouped by *carrier*: the archive that holds their map, or the input where no archive does. Within a
//! carrier their resolved names make a tree. Everything below `node_modules/<package>` counts as one folder, since
//! nobody reads the inside of a dependency here. The tree is then cut into disjoint *parts*: the largest folder is
//! opened again and again until the wanted number of rows is reached, so that each byte stands in exactly one row and
//! rows add up to the whole. The treemap and its table are such a cut; so is the table of each carrier.
//!
//! Memory is bounded: of many carriers only the largest keep their trees, further ones only add to the totals; a tree
//! has a most number of folders, and what is deeper counts in the nearest folder above.

use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use serde::Serialize;

use super::bounded::Table;
use super::text::{clip, count_of};
use crate::record::{Party, Source, SourceStatus};

/// Carriers whose folders are shown.
const CARRIERS: usize = 50;
/// Folders kept apart in one carrier.
const FOLDERS_PER_TREE: usize = 4_000;
/// Components of a path that make folders; deeper ones count in the last.
const DEPTH: usize = 24;
/// Characters of one path component.
const COMPONENT_CHARS: usize = 120;
/// Folder rows in all tables together, and at least and at most in one.
const ROWS: usize = 1_600;
const LEAST_ROWS: usize = 24;
const MOST_ROWS: usize = 300;
/// Cells of the treemap.
const CELLS: usize = 60;
/// A cell below this part of the whole is joined with its like.
const SMALLEST_CELL: u64 = 400;
/// Joined small folders may be this many times larger than one.
const REST_OF_SMALL: u64 = 4;

/// Sources at places, by what became of them. Each place of equal content counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Sources that maps name.
    pub named: u64,
    /// Those whose content is there, in full or in part.
    pub recovered: u64,
    /// Bytes of that content.
    pub bytes: u64,
    /// Recovered, first party.
    pub first: u64,
    /// Recovered, third party.
    pub third: u64,
    /// Recovered, unknown party.
    pub unknown: u64,
    /// Bytes of the first party.
    pub first_bytes: u64,
    /// Bytes of third parties.
    pub third_bytes: u64,
    /// Bytes of unknown party.
    pub unknown_bytes: u64,
    /// Recovered in part: the map ends within the source.
    pub cut: u64,
    /// Named without content.
    pub missing: u64,
    /// Kept out by a limit.
    pub refused: u64,
}

impl Counts {
    /// One source.
    pub fn of(source: &Source) -> Self {
        let mut counts = Self {
            named: 1,
            ..Self::default()
        };
        match source.status {
            SourceStatus::Missing => {
                counts.missing = 1;
                return counts;
            }
            SourceStatus::Refused => {
                counts.refused = 1;
                return counts;
            }
            SourceStatus::Truncated => counts.cut = 1,
            SourceStatus::Exact | SourceStatus::LoneSurrogate | SourceStatus::InvalidUtf8 => {}
        }
        counts.recovered = 1;
        counts.bytes = source.bytes.unwrap_or(0);
        match source.party {
            Party::First => (counts.first, counts.first_bytes) = (1, counts.bytes),
            Party::Third => (counts.third, counts.third_bytes) = (1, counts.bytes),
            Party::Unknown => (counts.unknown, counts.unknown_bytes) = (1, counts.bytes),
        }
        counts
    }

    /// Adds the counts of disjoint sources.
    pub fn add(&mut self, more: &Self) {
        for (sum, part) in [
            (&mut self.named, more.named),
            (&mut self.recovered, more.recovered),
            (&mut self.bytes, more.bytes),
            (&mut self.first, more.first),
            (&mut self.third, more.third),
            (&mut self.unknown, more.unknown),
            (&mut self.first_bytes, more.first_bytes),
            (&mut self.third_bytes, more.third_bytes),
            (&mut self.unknown_bytes, more.unknown_bytes),
            (&mut self.cut, more.cut),
            (&mut self.missing, more.missing),
            (&mut self.refused, more.refused),
        ] {
            // Declared sizes in forged records could overflow; a sum that stops is better than one that wraps.
            *sum = sum.saturating_add(part);
        }
    }

    /// Recovered sources of the first or an unknown party.
    pub fn own(&self) -> u64 {
        self.first.saturating_add(self.unknown)
    }

    /// Their bytes.
    pub fn own_bytes(&self) -> u64 {
        self.first_bytes.saturating_add(self.unknown_bytes)
    }

    /// The party with the most bytes, as a word; `none` where nothing was recovered.
    pub fn leading_party(&self) -> &'static str {
        let most = self
            .first_bytes
            .max(self.third_bytes)
            .max(self.unknown_bytes);
        match most {
            0 => "none",
            _ if self.first_bytes == most => "first",
            _ if self.unknown_bytes == most => "unknown",
            _ => "third",
        }
    }
}

/// What a row or a cell stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellKind {
    /// Files directly in the folder.
    Direct,
    /// The folder with everything below it.
    Whole,
    /// The remaining folders below it that have no row of their own; how many.
    Rest(u64),
}

/// A piece of the cut: the whole, a folder, or a row. Children are disjoint and add up to their parent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// The carrier, or empty for what spans several.
    pub carrier: String,
    /// The folder in it, without a slash at the end; empty for the carrier itself.
    pub folder: String,
    /// What the piece stands for.
    pub kind: CellKind,
    /// Its sources.
    pub counts: Counts,
    /// Indexes of the pieces within; empty for a row. They come after their parent, largest first.
    pub children: Vec<usize>,
}

/// A row of a folder table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FolderRow {
    /// The folder, without a slash at the end; empty for the top.
    pub folder: String,
    /// What the row stands for.
    pub kind: CellKind,
    /// Its sources.
    pub counts: Counts,
}

/// A carrier of maps and the folders of the sources that they name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CarrierRow {
    /// Locator of the archive, or label of the input.
    pub locator: String,
    /// Name and version of the package that it is, where known.
    pub package: Option<String>,
    /// All of its sources.
    pub counts: Counts,
    /// Disjoint rows that add up to `counts`, in order of path.
    pub folders: Vec<FolderRow>,
}

/// What [`Forest::finish`] gives.
#[derive(Debug, Default)]
pub(super) struct Grown {
    /// Carriers, most own bytes first; the total counts those left out.
    pub(super) carriers: Table<CarrierRow>,
    /// Sources of the carriers left out.
    pub(super) others: Counts,
    /// The treemap; the first part is the whole.
    pub(super) treemap: Vec<Part>,
}

/// Trees of folders by carrier, fed one source at a time.
#[derive(Debug, Default)]
pub(super) struct Forest {
    trees: HashMap<String, Tree>,
    // Hashes of carriers whose trees were given up, so that none begins anew with a part of its counts.
    given_up: HashSet<u64>,
    others: Counts,
}

impl Forest {
    /// Counts a source in its folder.
    pub(super) fn add(&mut self, source: &Source) {
        let counts = Counts::of(source);
        let name = carrier(&source.map);
        if let Some(tree) = self.trees.get_mut(name) {
            tree.add(source, &counts);
            return;
        }
        if self.given_up.contains(&hash(name)) {
            self.others.add(&counts);
            return;
        }
        if self.trees.len() >= 2 * CARRIERS {
            self.give_up_small_trees();
        }
        self.trees
            .entry(name.to_owned())
            .or_insert_with(Tree::new)
            .add(source, &counts);
    }

    fn give_up_small_trees(&mut self) {
        for (name, sum) in self.ranked().split_off(CARRIERS) {
            self.given_up.insert(hash(&name));
            self.others.add(&sum);
            self.trees.remove(&name);
        }
    }

    /// Names and sums of the trees, those with the most own code first.
    fn ranked(&self) -> Vec<(String, Counts)> {
        let mut all: Vec<(String, Counts)> = self
            .trees
            .iter()
            .map(|(name, tree)| (name.clone(), tree.sum))
            .collect();
        let rank = |sum: &Counts| Reverse((sum.own_bytes(), sum.bytes, sum.named));
        all.sort_by(|(a, x), (b, y)| rank(x).cmp(&rank(y)).then_with(|| a.cmp(b)));
        all
    }

    /// Makes the tables. `package` names the package at a locator.
    pub(super) fn finish(mut self, package: impl Fn(&str) -> Option<String>) -> Grown {
        let total = count_of(self.trees.len() + self.given_up.len());
        if total == 0 {
            return Grown::default();
        }
        if self.trees.len() > CARRIERS {
            self.give_up_small_trees();
        }
        let mut folders = Folders::new();
        let ranked = self.ranked();
        let mut tops = Vec::with_capacity(ranked.len());
        for (name, _) in &ranked {
            if let Some(tree) = self.trees.remove(name) {
                tops.push(folders.graft(name, tree));
            }
        }
        folders.add_others(&self.others, count_of(self.given_up.len()));
        let most = (ROWS / tops.len().max(1)).clamp(LEAST_ROWS, MOST_ROWS);
        let rows = tops
            .iter()
            .map(|&top| folders.carrier_row(top, most, &package))
            .collect();
        let smallest = folders.total(0).bytes / SMALLEST_CELL;
        Grown {
            carriers: Table { total, rows },
            others: self.others,
            treemap: folders.cut(0, CELLS, smallest),
        }
    }
}

/// The archive that holds a map, or the label of its input: hops of the map itself and of a data URL are taken off.
fn carrier(map: &str) -> &str {
    let mut rest = map;
    while let Some((before, last)) = rest.rsplit_once("!/") {
        rest = before;
        if !last.starts_with('@') {
            return rest;
        }
    }
    rest.split('/').next().unwrap_or(rest)
}

fn hash(name: &str) -> u64 {
    // Fixed keys: the outcome must not differ from run to run.
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The folders of a source's resolved name, outermost first.
fn folders_of(source: &Source) -> Vec<String> {
    let Some(name) = source.url.as_deref().or(source.name.as_deref()) else {
        return Vec::new();
    };
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = name;
    if let Some(scheme) = name.find("://") {
        // `webpack://acme` is one component: a scheme without its authority says nothing.
        let after = scheme + "://".len();
        let end = name[after..]
            .find('/')
            .map_or(name.len(), |slash| after + slash);
        parts.push(&name[..end]);
        rest = name.get(end + 1..).unwrap_or("");
    }
    let path: Vec<&str> = rest
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let folders = path.len().saturating_sub(1);
    parts.extend(&path[..folders]);
    fold_dependencies(&mut parts);
    parts.truncate(DEPTH);
    parts
        .into_iter()
        .map(|part| clip(part, COMPONENT_CHARS))
        .collect()
}

/// Cuts the path after the innermost `node_modules/<package>`, scope included.
fn fold_dependencies(parts: &mut Vec<&str>) {
    if let Some(at) = parts.iter().rposition(|part| *part == "node_modules") {
        let scoped = parts.get(at + 1).is_some_and(|part| part.starts_with('@'));
        parts.truncate(at + if scoped { 3 } else { 2 });
    }
}

/// The folders of one carrier while they grow. Node 0 is the top; a child stands after its parent.
#[derive(Debug)]
struct Tree {
    nodes: Vec<Node>,
    sum: Counts,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<String, usize>,
    direct: Counts,
}

impl Tree {
    fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            sum: Counts::default(),
        }
    }

    fn add(&mut self, source: &Source, counts: &Counts) {
        self.sum.add(counts);
        let mut at = 0;
        for name in folders_of(source) {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                break;
            };
            if let Some(&child) = node.children.get(&name) {
                at = child;
            } else if next < FOLDERS_PER_TREE {
                node.children.insert(name, next);
                self.nodes.push(Node::default());
                at = next;
            } else {
                break;
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.direct.add(counts);
        }
    }
}

/// All trees as one, below a root that stands for everything.
struct Folders {
    all: Vec<Folder>,
    // Carriers counted in the root's direct part.
    others: u64,
}

struct Folder {
    carrier: String,
    path: String,
    direct: Counts,
    total: Counts,
    children: Vec<usize>,
}

impl Folders {
    fn new() -> Self {
        let root = Folder {
            carrier: String::new(),
            path: String::new(),
            direct: Counts::default(),
            total: Counts::default(),
            children: Vec::new(),
        };
        Self {
            all: vec![root],
            others: 0,
        }
    }

    /// Puts a tree below the root, and returns the index of its top.
    fn graft(&mut self, name: &str, tree: Tree) -> usize {
        let top = self.all.len();
        let mut paths = vec![String::new(); tree.nodes.len()];
        for (i, node) in tree.nodes.into_iter().enumerate() {
            let path = std::mem::take(&mut paths[i]);
            let mut children = Vec::with_capacity(node.children.len());
            for (child, index) in node.children {
                children.push(top + index);
                paths[index] = if path.is_empty() {
                    child
                } else {
                    format!("{path}/{child}")
                };
            }
            let carrier = clip(name, super::text::KEPT_CHARS);
            self.all.push(Folder {
                carrier,
                path,
                direct: node.direct,
                total: node.direct,
                children,
            });
        }
        // Children stand after their parents, so one pass backwards adds everything up.
        for i in (top..self.all.len()).rev() {
            let mut total = self.all[i].direct;
            for &child in &self.all[i].children {
                total.add(&self.all[child].total);
            }
            self.all[i].total = total;
        }
        let sum = self.all[top].total;
        self.all[0].children.push(top);
        self.all[0].total.add(&sum);
        top
    }

    fn add_others(&mut self, counts: &Counts, carriers: u64) {
        self.others = carriers;
        self.all[0].direct.add(counts);
        self.all[0].total.add(counts);
    }

    fn total(&self, folder: usize) -> Counts {
        self.all[folder].total
    }

    fn carrier_row(
        &self,
        top: usize,
        most: usize,
        package: impl Fn(&str) -> Option<String>,
    ) -> CarrierRow {
        let mut folders: Vec<FolderRow> = self
            .cut(top, most, 0)
            .into_iter()
            .filter(|part| part.children.is_empty())
            .map(|part| FolderRow {
                folder: part.folder,
                kind: part.kind,
                counts: part.counts,
            })
            .collect();
        // What remains of a folder stands after its other rows.
        folders.sort_by_cached_key(|row| {
            (
                row.folder.split('/').map(str::to_owned).collect::<Vec<_>>(),
                matches!(row.kind, CellKind::Rest(_)),
            )
        });
        let locator = self.all[top].carrier.clone();
        CarrierRow {
            package: package(&locator),
            locator,
            counts: self.all[top].total,
            folders,
        }
    }

    /// Cuts a folder into at most `most` rows, opening the largest first. Folders of fewer bytes than `smallest` are
    /// joined into one row with their siblings of that kind.
    fn cut(&self, start: usize, most: usize, smallest: u64) -> Vec<Part> {
        let start = self.sole(start);
        let mut parts = vec![self.part(start)];
        // Rows that could be opened: size, index of the part, folder that it stands for.
        let mut largest = BinaryHeap::from([((u64::MAX, u64::MAX), Reverse(0_usize), start)]);
        let mut rows = 1;
        while let Some((_, Reverse(at), folder)) = largest.pop() {
            let pieces = self.open(folder, most.saturating_sub(rows), smallest);
            if pieces.len() < 2 {
                continue;
            }
            rows += pieces.len() - 1;
            for (part, opens) in pieces {
                let index = parts.len();
                if let Some(inner) = opens {
                    largest.push((
                        (part.counts.bytes, part.counts.named),
                        Reverse(index),
                        inner,
                    ));
                }
                parts[at].children.push(index);
                parts.push(part);
            }
        }
        parts
    }

    /// Follows a chain of folders that hold nothing but one folder.
    fn sole(&self, mut folder: usize) -> usize {
        while self.all[folder].direct.named == 0
            && let [only] = self.all[folder].children[..]
        {
            folder = only;
        }
        folder
    }

    fn part(&self, at: usize) -> Part {
        let folder = &self.all[at];
        let kind = if folder.children.is_empty() {
            CellKind::Direct
        } else {
            CellKind::Whole
        };
        Part {
            carrier: folder.carrier.clone(),
            folder: folder.path.clone(),
            kind,
            counts: folder.total,
            children: Vec::new(),
        }
    }

    /// The pieces of a folder, largest first, at most `spare` more than one. Fewer than two: it stays as it is.
    fn open(&self, at: usize, spare: usize, smallest: u64) -> Vec<(Part, Option<usize>)> {
        let folder = &self.all[at];
        let mut children: Vec<usize> = folder.children.clone();
        let size = |&child: &usize| {
            let total = &self.all[child].total;
            (Reverse((total.bytes, total.named)), child)
        };
        children.sort_by_key(size);
        let has_direct = folder.direct.named > 0;
        let room = (spare + 1).saturating_sub(usize::from(has_direct));
        let mut apart = self.worth_a_row(&children, smallest);
        if apart.max(1) > room || (apart < children.len() && apart >= room) {
            // Not all fit: keep room for siblings elsewhere, and one row for those that remain.
            apart = (room / 2).min(apart);
            if apart == 0 {
                return Vec::new();
            }
        }
        if children.len() - apart == 1 && apart < room {
            apart += 1;
        }
        let mut pieces = Vec::with_capacity(apart + 2);
        for &child in &children[..apart] {
            let sole = self.sole(child);
            pieces.push((self.part(sole), Some(sole)));
        }
        if has_direct {
            pieces.push((self.direct_part(at), None));
        }
        if apart < children.len() {
            pieces.push((self.rest_part(at, &children[apart..]), None));
        }
        pieces.sort_by_key(|(part, _)| Reverse((part.counts.bytes, part.counts.named)));
        pieces
    }

    /// How many of these folders, largest first, stand apart: all that are not small, and further ones until what
    /// remains is small as well.
    fn worth_a_row(&self, children: &[usize], smallest: u64) -> usize {
        let bytes = |child: usize| self.all[child].total.bytes;
        let mut rest = children
            .iter()
            .fold(0_u64, |sum, &child| sum.saturating_add(bytes(child)));
        for (apart, &child) in children.iter().enumerate() {
            if bytes(child) < smallest && rest < smallest.saturating_mul(REST_OF_SMALL) {
                return apart;
            }
            rest = rest.saturating_sub(bytes(child));
        }
        children.len()
    }

    fn direct_part(&self, at: usize) -> Part {
        let folder = &self.all[at];
        Part {
            carrier: folder.carrier.clone(),
            folder: folder.path.clone(),
            // At the root these are the carriers whose trees were given up.
            kind: if at == 0 {
                CellKind::Rest(self.others)
            } else {
                CellKind::Direct
            },
            counts: folder.direct,
            children: Vec::new(),
        }
    }

    fn rest_part(&self, at: usize, rest: &[usize]) -> Part {
        let folder = &self.all[at];
        let mut counts = Counts::default();
        for &child in rest {
            counts.add(&self.all[child].total);
        }
        Part {
            carrier: folder.carrier.clone(),
            folder: folder.path.clone(),
            kind: CellKind::Rest(count_of(rest.len())),
            counts,
            children: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(map: &str, url: &str, bytes: u64, party: Party) -> Source {
        Source {
            locator: format!("{map}!/{url}"),
            hops: crate::blob::Hops::default(),
            map: map.to_owned(),
            name: Some(url.to_owned()),
            name_b64: None,
            url: Some(url.to_owned()),
            bytes: Some(bytes),
            sha256: None,
            party,
            party_reason: String::new(),
            status: SourceStatus::Exact,
            skeleton: false,
            lines: None,
            hash: None,
            elsewhere: None,
            public: None,
            mapped: None,
            git: None,
            image: None,
        }
    }

    fn rows_add_up(row: &CarrierRow) {
        let mut sum = Counts::default();
        for folder in &row.folders {
            sum.add(&folder.counts);
        }
        assert_eq!(sum, row.counts);
    }

    fn parts_add_up(parts: &[Part]) {
        for (i, part) in parts.iter().enumerate() {
            let mut sum = Counts::default();
            for &child in &part.children {
                assert!(child > i);
                sum.add(&parts[child].counts);
            }
            assert!(part.children.is_empty() || sum == part.counts, "{part:?}");
        }
    }

    #[test]
    fn the_carrier_is_the_archive_or_the_input() {
        assert_eq!(carrier("a.tgz!/package/cli.js.map"), "a.tgz");
        assert_eq!(carrier("m/a.tgz!/package/cli.js!/@512"), "m/a.tgz");
        assert_eq!(carrier("m/dist/cli.js.map"), "m");
        assert_eq!(carrier("m/dist/cli.js!/@512"), "m");
        assert_eq!(carrier("o.zip!/in.tgz!/x.map"), "o.zip!/in.tgz");
        assert_eq!(carrier(""), "");
    }

    #[test]
    fn folders_of_a_name() {
        let folders = |url: &str| folders_of(&source("m", url, 1, Party::First)).join("|");
        assert_eq!(folders("package/src/./a//query.ts"), "package|src|a");
        assert_eq!(folders("webpack://acme/./src/x.ts"), "webpack://acme|src");
        assert_eq!(folders("webpack:///src/x.ts"), "webpack://|src");
        assert_eq!(
            folders("p/node_modules/@s/lib/dist/deep/x.js"),
            "p|node_modules|@s|lib"
        );
        assert_eq!(
            folders("node_modules/.pnpm/a@1/node_modules/a/x.js"),
            "node_modules|.pnpm|a@1|node_modules|a"
        );
        assert_eq!(folders("node_modules/x.js"), "node_modules");
        assert_eq!(folders("x.ts"), "");
        assert_eq!(folders("é://"), "é://");
        assert_eq!(folders(&"d/".repeat(1_000)).split('|').count(), DEPTH);
    }

    #[test]
    fn small_trees_are_shown_whole() {
        let mut forest = Forest::default();
        let map = "a.tgz!/package/cli.js.map";
        for (url, bytes, party) in [
            ("package/src/a.ts", 10, Party::First),
            ("package/src/b.ts", 20, Party::First),
            ("package/src/x/y/c.ts", 30, Party::Unknown),
            ("package/node_modules/lib/i.js", 40, Party::Third),
        ] {
            forest.add(&source(map, url, bytes, party));
        }
        let grown = forest.finish(|locator| Some(format!("name of {locator}")));
        let row = &grown.carriers.rows[0];
        assert_eq!(row.package.as_deref(), Some("name of a.tgz"));
        // A chain of folders that hold one folder only is followed to its end.
        let mut chain = Forest::default();
        chain.add(&source("b.tgz!/x.map", "package/src/a.ts", 1, Party::First));
        let chain = chain.finish(|_| None).carriers.rows.remove(0);
        assert_eq!(
            (chain.folders[0].folder.as_str(), chain.folders[0].kind),
            ("package/src", CellKind::Direct)
        );
        let seen: Vec<(&str, u64)> = row
            .folders
            .iter()
            .map(|f| (f.folder.as_str(), f.counts.bytes))
            .collect();
        assert_eq!(
            seen,
            [
                ("package/node_modules/lib", 40),
                ("package/src", 30),
                ("package/src/x/y", 30)
            ]
        );
        assert!(row.folders.iter().all(|f| f.kind == CellKind::Direct));
        rows_add_up(row);
        parts_add_up(&grown.treemap);
    }

    #[test]
    fn wide_and_deep_trees_stay_within_their_rows() {
        let mut forest = Forest::default();
        for i in 0..20_000_u64 {
            let url = format!("package/src/f{}/g{}/h{i}/x.ts", i % 700, i % 13);
            forest.add(&source("a.tgz!/package/cli.js.map", &url, i, Party::First));
        }
        let grown = forest.finish(|_| None);
        let row = &grown.carriers.rows[0];
        assert!(
            row.folders.len() <= MOST_ROWS && row.folders.len() > MOST_ROWS / 4,
            "{}",
            row.folders.len()
        );
        assert_eq!(row.counts.recovered, 20_000);
        rows_add_up(row);
        let cells = grown
            .treemap
            .iter()
            .filter(|part| part.children.is_empty())
            .count();
        assert!(cells <= CELLS && cells > 10, "{cells}");
        parts_add_up(&grown.treemap);
    }

    #[test]
    fn of_many_carriers_the_largest_are_kept_and_all_are_counted() {
        let mut forest = Forest::default();
        for i in 0..1_000_u64 {
            let map = format!("{i:04}.tgz!/package/cli.js.map");
            forest.add(&source(&map, "package/src/a.ts", i + 1, Party::First));
        }
        // One that was given up comes back: it may not begin anew.
        forest.add(&source(
            "0000.tgz!/package/z.js.map",
            "package/src/z.ts",
            1_000_000,
            Party::First,
        ));
        let grown = forest.finish(|_| None);
        assert_eq!(grown.carriers.total, 1_000);
        assert_eq!(grown.carriers.rows.len(), CARRIERS);
        assert_eq!(grown.carriers.rows[0].locator, "0999.tgz");
        let mut sum = grown.others;
        for row in &grown.carriers.rows {
            rows_add_up(row);
            sum.add(&row.counts);
        }
        assert_eq!((sum.recovered, sum.bytes), (1_001, 500_500 + 1_000_000));
        parts_add_up(&grown.treemap);
        assert_eq!(grown.treemap[0].counts, sum);
    }

    #[test]
    fn statuses_are_counted_apart() {
        let mut missing = source("m/x.map", "src/a.ts", 5, Party::First);
        missing.status = SourceStatus::Missing;
        let mut cut = source("m/x.map", "src/b.ts", 5, Party::Unknown);
        cut.status = SourceStatus::Truncated;
        let mut refused = source("m/x.map", "src/c.ts", 5, Party::Third);
        refused.status = SourceStatus::Refused;
        let mut sum = Counts::default();
        for one in [&missing, &cut, &refused] {
            sum.add(&Counts::of(one));
        }
        assert_eq!(
            (sum.named, sum.recovered, sum.cut, sum.missing, sum.refused),
            (3, 1, 1, 1, 1)
        );
        assert_eq!((sum.bytes, sum.own(), sum.own_bytes()), (5, 1, 5));
        assert_eq!(sum.leading_party(), "unknown");
    }
}
