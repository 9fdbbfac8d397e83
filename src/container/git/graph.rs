//! Where objects stand: at which paths, since when, and whether a name still leads to them.
//!
//! A store does not say of a file where it belongs; only commits and trees do, from above. They are read a second time,
//! and only where something is to be said of an object. Then everything is passed down once: the first and the last
//! commit that hold a tree, and what leads to it, go from commits to their trees and from each tree to those in it, in an
//! order in which no tree comes before those that hold it. Names are digests of what they name, computed here, so
//! there are no circles.
//!
//! "First" and "last" are by the date that the author states, which anybody can state as they like.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::object::{Commit, Hash, Kind, Oid, tag_target, tree_entries};
use crate::container::{GitCommit, GitMeta};
use crate::record::Standing;

/// Paths that are told of one object; beyond that it is said that there are more.
const PATHS_MAX: usize = 16;
/// Paths that are followed through one folder.
const FOLLOWED_MAX: usize = 4 * PATHS_MAX;
/// Nobody.
pub(super) const NONE: u32 = u32::MAX;

/// The names of a store: what leads into its history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refs {
    /// What `HEAD` leads to, where it leads anywhere.
    pub head: Option<Oid>,
    /// What all names lead to.
    pub tips: BTreeSet<Oid>,
}

const IN_HEAD: u8 = 1;
const IN_TIP: u8 = 2;
const IN_HISTORY: u8 = 4;

pub(super) struct CommitRow {
    id: Oid,
    pub(super) tree: u32,
    parents: Vec<u32>,
    date: Option<i64>,
    pub(super) is_there: bool,
}

/// What comes down to a tree: the first and the last commit that hold it, and how names lead to it.
#[derive(Clone, Copy)]
struct Known {
    first: u32,
    last: u32,
    flags: u8,
}

const UNKNOWN: Known = Known {
    first: NONE,
    last: NONE,
    flags: 0,
};

/// Commits and trees, as much of them as is needed.
pub struct Graph<'a> {
    wanted: &'a HashMap<[u8; 20], usize>,
    pub(super) commits: Vec<CommitRow>,
    pub(super) commit_by_id: HashMap<[u8; 20], u32>,
    pub(super) tree_by_id: HashMap<[u8; 20], u32>,
    /// Folders in each tree: name and tree.
    pub(super) folders: Vec<Vec<(u32, u32)>>,
    /// Tree, name, and number of what is wanted.
    hits: Vec<(u32, u32, usize)>,
    names: Vec<Vec<u8>>,
    name_by_text: HashMap<Vec<u8>, u32>,
    tags: HashMap<[u8; 20], Oid>,
    weight: u64,
}

impl<'a> Graph<'a> {
    /// A graph that will be asked for the objects with these keys, each with its number.
    pub fn new(wanted: &'a HashMap<[u8; 20], usize>) -> Self {
        Self {
            wanted,
            commits: Vec::new(),
            commit_by_id: HashMap::new(),
            tree_by_id: HashMap::new(),
            folders: Vec::new(),
            hits: Vec::new(),
            names: Vec::new(),
            name_by_text: HashMap::new(),
            tags: HashMap::new(),
            weight: 0,
        }
    }

    /// Bytes that it takes, roughly.
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// Takes an object; blobs tell nothing.
    pub fn add(&mut self, kind: Kind, id: &Oid, bytes: &[u8]) {
        match kind {
            Kind::Commit => self.add_commit(id, bytes),
            Kind::Tree => self.add_tree(id, bytes),
            Kind::Tag => {
                self.weight += 100;
                self.tags
                    .extend(tag_target(bytes).map(|target| (id.key(), target)));
            }
            Kind::Blob => {}
        }
    }

    fn commit(&mut self, id: &Oid) -> u32 {
        let next = self.commits.len() as u32;
        let index = *self.commit_by_id.entry(id.key()).or_insert(next);
        if index == next {
            self.weight += 120;
            self.commits.push(CommitRow {
                id: *id,
                tree: NONE,
                parents: Vec::new(),
                date: None,
                is_there: false,
            });
        }
        index
    }

    fn tree(&mut self, id: &Oid) -> u32 {
        let next = self.folders.len() as u32;
        let index = *self.tree_by_id.entry(id.key()).or_insert(next);
        if index == next {
            self.weight += 64;
            self.folders.push(Vec::new());
        }
        index
    }

    fn name(&mut self, text: &[u8]) -> u32 {
        if let Some(index) = self.name_by_text.get(text) {
            return *index;
        }
        let index = self.names.len() as u32;
        self.weight += 100 + 2 * text.len() as u64;
        self.names.push(text.to_vec());
        self.name_by_text.insert(text.to_vec(), index);
        index
    }

    fn add_commit(&mut self, id: &Oid, bytes: &[u8]) {
        let commit = Commit::parse(bytes);
        let index = self.commit(id) as usize;
        if self.commits[index].is_there {
            return;
        }
        let tree = commit.tree.map_or(NONE, |tree| self.tree(&tree));
        let parents: Vec<u32> = commit.parents.iter().map(|id| self.commit(id)).collect();
        self.weight += 4 * parents.len() as u64;
        let row = &mut self.commits[index];
        row.tree = tree;
        row.parents = parents;
        row.date = commit.author_date;
        row.is_there = true;
    }

    fn add_tree(&mut self, id: &Oid, bytes: &[u8]) {
        let index = self.tree(id);
        if !self.folders[index as usize].is_empty() {
            return;
        }
        let hash: Hash = id.hash();
        let mut folders = Vec::new();
        for entry in tree_entries(bytes, hash) {
            if entry.is_tree() {
                let name = self.name(entry.name);
                folders.push((name, self.tree(&entry.id)));
            } else if !entry.is_submodule()
                && let Some(&number) = self.wanted.get(&entry.id.key())
            {
                let name = self.name(entry.name);
                self.hits.push((index, name, number));
                self.weight += 24;
            }
        }
        folders.shrink_to_fit();
        self.weight += 8 * folders.len() as u64;
        self.folders[index as usize] = folders;
    }

    /// What a name leads to in the end: tags are passed.
    pub(super) fn peeled(&self, mut id: Oid) -> Oid {
        /// Tags of tags of tags.
        const DEPTH_MAX: usize = 100;
        for _ in 0..DEPTH_MAX {
            match self.tags.get(&id.key()) {
                Some(target) => id = *target,
                None => break,
            }
        }
        id
    }

    /// Which of two commits is the earlier; those without a date are not.
    fn earlier(&self, a: u32, b: u32) -> u32 {
        let rank = |index: u32| {
            let row = self.commits.get(index as usize);
            row.map_or((2, 0, None), |row| {
                (
                    u8::from(row.date.is_none()),
                    row.date.unwrap_or(0),
                    Some(row.id),
                )
            })
        };
        if rank(b) < rank(a) { b } else { a }
    }

    /// Which of two commits is the later; those without a date are not.
    fn later(&self, a: u32, b: u32) -> u32 {
        let rank = |index: u32| {
            let row = self.commits.get(index as usize);
            row.map_or((0, 0, None), |row| {
                (
                    1 + u8::from(row.date.is_some()),
                    row.date.unwrap_or(0),
                    Some(row.id),
                )
            })
        };
        if rank(b) > rank(a) { b } else { a }
    }

    fn join(&self, into: Known, from: Known) -> Known {
        Known {
            first: self.earlier(into.first, from.first),
            last: self.later(into.last, from.last),
            flags: into.flags | from.flags,
        }
    }

    /// How names lead to each commit.
    fn commit_flags(&self, refs: &Refs) -> Vec<u8> {
        let mut flags = vec![0_u8; self.commits.len()];
        let mut open = Vec::new();
        let head = refs.head.map(|id| (id, IN_HEAD));
        let tips = refs.tips.iter().map(|id| (*id, IN_TIP));
        for (id, flag) in head.into_iter().chain(tips) {
            if let Some(&index) = self.commit_by_id.get(&self.peeled(id).key()) {
                flags[index as usize] |= flag;
                open.push(index);
            }
        }
        while let Some(index) = open.pop() {
            if flags[index as usize] & IN_HISTORY != 0 {
                continue;
            }
            flags[index as usize] |= IN_HISTORY;
            open.extend(&self.commits[index as usize].parents);
        }
        flags
    }

    /// Trees in an order in which each comes behind those that hold it.
    fn order(&self) -> (Vec<u32>, Vec<bool>) {
        let mut above = vec![0_u32; self.folders.len()];
        for (_, child) in self.folders.iter().flatten() {
            above[*child as usize] += 1;
        }
        let is_top: Vec<bool> = above.iter().map(|count| *count == 0).collect();
        let mut order: Vec<u32> = (0..above.len() as u32)
            .filter(|tree| is_top[*tree as usize])
            .collect();
        let mut at = 0;
        while at < order.len() {
            let tree = order[at] as usize;
            at += 1;
            for (_, child) in &self.folders[tree] {
                above[*child as usize] -= 1;
                if above[*child as usize] == 0 {
                    order.push(*child);
                }
            }
        }
        (order, is_top)
    }

    /// What is known of each wanted object, by its number. `kinds` says what they are, `refs` where names lead; without
    /// it nobody knows what stands where.
    pub fn tell(&self, wanted: &[(Oid, Kind)], refs: Option<&Refs>) -> Vec<GitMeta> {
        let empty = Refs::default();
        let flags = self.commit_flags(refs.unwrap_or(&empty));
        let tips: HashSet<[u8; 20]> = (refs.into_iter())
            .flat_map(|refs| &refs.tips)
            .flat_map(|id| [id.key(), self.peeled(*id).key()])
            .collect();
        let mut known = vec![UNKNOWN; self.folders.len()];
        let mut is_root = vec![false; self.folders.len()];
        for (index, row) in self.commits.iter().enumerate() {
            if row.is_there && row.tree != NONE {
                let from = Known {
                    first: index as u32,
                    last: index as u32,
                    flags: flags[index],
                };
                let tree = row.tree as usize;
                known[tree] = self.join(known[tree], from);
                is_root[tree] = true;
            }
        }
        for tip in &tips {
            // A name may lead to a tree without any commit.
            if let Some(&tree) = self.tree_by_id.get(tip) {
                known[tree as usize].flags |= IN_TIP | IN_HISTORY;
                is_root[tree as usize] = true;
            }
        }
        let (order, is_top) = self.order();
        for &tree in &order {
            for (_, child) in &self.folders[tree as usize] {
                known[*child as usize] = self.join(known[*child as usize], known[tree as usize]);
            }
        }
        for (tree, is_root) in is_root.iter_mut().enumerate() {
            *is_root |= is_top[tree];
        }
        let (paths, of_tree) = self.follow_paths(&order, &is_root);
        let mut found: Vec<(Known, BTreeSet<Vec<u8>>, bool)> =
            vec![(UNKNOWN, BTreeSet::new(), false); wanted.len()];
        for (tree, name, number) in &self.hits {
            let (sum, all, more) = &mut found[*number];
            *sum = self.join(*sum, known[*tree as usize]);
            let (of_tree, is_cut) = &of_tree[*tree as usize];
            *more |= is_cut;
            for path in of_tree {
                all.insert(paths.join(*path, &self.names, *name));
                if all.len() > PATHS_MAX {
                    all.pop_last();
                    *more = true;
                }
            }
        }
        wanted
            .iter()
            .zip(found)
            .map(|((id, kind), (mut sum, all, more))| {
                if let Some(&index) = self
                    .commit_by_id
                    .get(&id.key())
                    .filter(|_| *kind == Kind::Commit)
                {
                    sum = Known {
                        first: index,
                        last: index,
                        flags: flags[index as usize],
                    };
                }
                if tips.contains(&id.key()) {
                    sum.flags |= IN_TIP;
                }
                GitMeta {
                    kind: kind.word().to_owned(),
                    paths: all.into_iter().collect(),
                    more_paths: more,
                    first: self.told(sum.first),
                    last: self.told(sum.last),
                    standing: refs.map(|_| standing(sum.flags)),
                    at_head: 0,
                }
            })
            .collect()
    }

    fn told(&self, index: u32) -> Option<GitCommit> {
        let row = self.commits.get(index as usize)?;
        Some(GitCommit {
            id: row.id.hex(),
            date: row.date,
        })
    }

    /// The paths of those trees that lead to something wanted.
    fn follow_paths(&self, order: &[u32], is_root: &[bool]) -> (Paths, Vec<(Vec<u32>, bool)>) {
        let mut leads = vec![false; self.folders.len()];
        for (tree, ..) in &self.hits {
            leads[*tree as usize] = true;
        }
        for &tree in order.iter().rev() {
            let mut folders = self.folders[tree as usize].iter();
            leads[tree as usize] |= folders.any(|(_, child)| leads[*child as usize]);
        }
        let mut paths = Paths::default();
        let mut of_tree: Vec<(Vec<u32>, bool)> = vec![(Vec::new(), false); self.folders.len()];
        for &tree in order {
            let tree = tree as usize;
            if !leads[tree] {
                continue;
            }
            if is_root[tree] {
                of_tree[tree].0.insert(0, Paths::TOP);
            }
            let (here, is_cut) = of_tree[tree].clone();
            for (name, child) in &self.folders[tree] {
                let child = *child as usize;
                if !leads[child] {
                    continue;
                }
                let (into, is_child_cut) = &mut of_tree[child];
                *is_child_cut |= is_cut;
                for path in &here {
                    let path = paths.below(*path, *name);
                    if into.contains(&path) {
                        continue;
                    }
                    if into.len() == FOLLOWED_MAX {
                        *is_child_cut = true;
                        break;
                    }
                    into.push(path);
                }
            }
        }
        (paths, of_tree)
    }
}

fn standing(flags: u8) -> Standing {
    if flags & IN_HEAD != 0 {
        Standing::DefaultBranchHead
    } else if flags & IN_TIP != 0 {
        Standing::OtherRef
    } else if flags & IN_HISTORY != 0 {
        Standing::HistoryOnly
    } else {
        Standing::Unreachable
    }
}

/// Paths, each once: what stands above it, and its last name.
#[derive(Default)]
struct Paths {
    rows: Vec<(u32, u32)>,
    by_row: HashMap<(u32, u32), u32>,
}

impl Paths {
    /// The path of the whole.
    const TOP: u32 = NONE;

    fn below(&mut self, above: u32, name: u32) -> u32 {
        let next = self.rows.len() as u32;
        let index = *self.by_row.entry((above, name)).or_insert(next);
        if index == next {
            self.rows.push((above, name));
        }
        index
    }

    /// The path of `name` in the folder `path`.
    fn join(&self, path: u32, names: &[Vec<u8>], name: u32) -> Vec<u8> {
        let mut parts = VecDeque::from([name]);
        let mut at = path;
        while let Some((above, name)) = self.rows.get(at as usize) {
            parts.push_front(*name);
            at = *above;
        }
        let mut joined = Vec::new();
        for part in parts {
            if !joined.is_empty() {
                joined.push(b'/');
            }
            joined.extend_from_slice(&names[part as usize]);
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::id_of;
    use super::*;

    fn tree(entries: &[(&str, &str, Oid)]) -> (Oid, Vec<u8>) {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend(name.as_bytes());
            bytes.push(0);
            bytes.extend(id.as_bytes());
        }
        (id_of(Hash::Sha1, Kind::Tree, &bytes), bytes)
    }

    fn commit(tree: Oid, parents: &[Oid], date: i64) -> (Oid, Vec<u8>) {
        let parents: String = parents
            .iter()
            .map(|id| format!("parent {}\n", id.hex()))
            .collect();
        let text = format!(
            "tree {}\n{parents}author A <a@x> {date} +0000\n\nm\n",
            tree.hex()
        );
        (
            id_of(Hash::Sha1, Kind::Commit, text.as_bytes()),
            text.into_bytes(),
        )
    }

    #[test]
    fn paths_dates_and_standing() {
        let blob = |text: &[u8]| id_of(Hash::Sha1, Kind::Blob, text);
        let (kept, old, lost, aside) = (blob(b"kept"), blob(b"old"), blob(b"lost"), blob(b"aside"));
        let inner = tree(&[("100644", "k", kept)]);
        let first = tree(&[
            ("40000", "a", inner.0),
            ("40000", "b", inner.0),
            ("100644", "o", old),
        ]);
        let second = tree(&[("40000", "a", inner.0)]);
        let third = tree(&[("100644", "s", aside)]);
        let fourth = tree(&[("100644", "l", lost)]);
        let one = commit(first.0, &[], 30);
        let two = commit(second.0, &[one.0], 20);
        let side = commit(third.0, &[one.0], 40);
        let gone = commit(fourth.0, &[two.0], 50);
        let wanted = [kept, old, lost, aside].map(|id| (id, Kind::Blob));
        let keys = wanted
            .iter()
            .enumerate()
            .map(|(number, (id, _))| (id.key(), number))
            .collect();
        let mut graph = Graph::new(&keys);
        for (id, bytes) in [&inner, &fourth, &first, &third, &second] {
            graph.add(Kind::Tree, id, bytes);
        }
        for (id, bytes) in [&gone, &two, &side, &one] {
            graph.add(Kind::Commit, id, bytes);
        }
        let tag = format!("object {}\ntype commit\n\n", side.0.hex());
        let tag_id = id_of(Hash::Sha1, Kind::Tag, tag.as_bytes());
        graph.add(Kind::Tag, &tag_id, tag.as_bytes());
        let refs = Refs {
            head: Some(two.0),
            tips: BTreeSet::from([two.0, tag_id]),
        };
        let told = graph.tell(&wanted, Some(&refs));
        let paths = |number: usize| -> Vec<&[u8]> {
            told[number].paths.iter().map(Vec::as_slice).collect()
        };
        assert_eq!(paths(0), [&b"a/k"[..], b"b/k"]);
        assert_eq!(paths(1), [b"o"]);
        let dates = |number: usize| {
            let date = |commit: &Option<GitCommit>| commit.as_ref().unwrap().date.unwrap();
            (date(&told[number].first), date(&told[number].last))
        };
        assert_eq!(
            [dates(0), dates(1), dates(2), dates(3)],
            [(20, 30), (30, 30), (50, 50), (40, 40)]
        );
        let standing: Vec<_> = told.iter().map(|told| told.standing.unwrap()).collect();
        assert_eq!(
            standing,
            [
                Standing::DefaultBranchHead,
                Standing::HistoryOnly,
                Standing::Unreachable,
                Standing::OtherRef
            ]
        );
        assert!(
            graph
                .tell(&wanted, None)
                .iter()
                .all(|told| told.standing.is_none())
        );
    }

    #[test]
    fn a_folder_at_a_thousand_places_is_told_in_part() {
        let blob = id_of(Hash::Sha1, Kind::Blob, b"x");
        let keys = HashMap::from([(blob.key(), 0)]);
        let mut graph = Graph::new(&keys);
        let mut below = tree(&[("100644", "x", blob)]);
        graph.add(Kind::Tree, &below.0, &below.1);
        for _ in 0..40 {
            let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
            let rows: Vec<_> = names
                .iter()
                .map(|name| ("40000", name.as_str(), below.0))
                .collect();
            below = tree(&rows);
            graph.add(Kind::Tree, &below.0, &below.1);
        }
        let told = graph.tell(&[(blob, Kind::Blob)], None);
        assert_eq!(told[0].paths.len(), PATHS_MAX);
        assert!(told[0].more_paths);
    }
}
