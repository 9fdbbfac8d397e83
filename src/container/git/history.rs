//! Who wrote what when: the commits that changed some paths, without git.
//!
//! For a lawyer the history of the vendor's own repository says who wrote a file and when. A commit changed a path where the path
//! is otherwise in it than in every one of its parents; of a first commit, where it is there at all. So a merge counts where it
//! wrote something itself, and not for what it brought together. That is what `git log -c --no-renames --name-only` lists, of
//! all branches; `git log PATH` leaves out those that came to the same end, and with them the people who wrote them.
//!
//! Commits and trees are gone through once, in whatever order they lie, and of trees only names on the way to a wanted path are
//! kept. Then each commit is held against its parents from the root down; folders that are equal have one id, so the cost
//! goes with what changed. Memory is bounded by a weight that the caller looks at.
//!
//! Left out: renames are not followed, and names are taken as commits state them, which anybody can state as they like, without
//! `.mailmap`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::graph::Refs;
use super::object::{Commit, Kind, Oid, tag_target, tree_entries};

/// Folders on the way to a wanted path, its own name included; a longer one is looked for in vain.
const DEPTH_MAX: usize = 128;
/// Co-authors that are kept of one commit.
const CO_AUTHORS_MAX: usize = 64;
/// Bytes of a name with its address that are kept.
const PERSON_MAX: usize = 1_024;

type Key = [u8; 20];

/// An entry of a tree on the way to a wanted path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    name: u32,
    mode: u32,
    id: Oid,
}

impl Slot {
    fn is_tree(self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }
}

/// A step on the way to wanted paths.
#[derive(Debug, Default)]
struct Node {
    /// What lies below it, by number of name.
    below: BTreeMap<u32, usize>,
    /// The wanted path that ends here.
    path: Option<usize>,
}

#[derive(Debug)]
struct Row {
    id: Oid,
    tree: Option<Key>,
    parents: Vec<Key>,
    author: u32,
    date: Option<i64>,
    co_authors: Vec<u32>,
}

/// Collects commits and trees.
#[derive(Debug)]
pub struct History {
    names: HashMap<Vec<u8>, u32>,
    nodes: Vec<Node>,
    paths: usize,
    trees: HashMap<Key, Vec<Slot>>,
    commits: HashMap<Key, Row>,
    tags: HashMap<Key, Oid>,
    people: Vec<Vec<u8>>,
    person_by_text: HashMap<Vec<u8>, u32>,
    weight: u64,
}

/// A commit that changed a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub commit: Oid,
    /// When its author wrote it, as stated: seconds since 1970.
    pub date: Option<i64>,
    /// Who, in [`Told::people`].
    pub author: u32,
    /// Who else, as its message says.
    pub co_authors: Vec<u32>,
}

/// What is told of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathHistory {
    /// Commits that changed it, by date, then by name.
    pub changes: Vec<Change>,
    /// Its content where `HEAD` leads to, if it is there.
    pub at_head: Option<Oid>,
}

/// What is told of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The wanted paths, in their order.
    pub paths: Vec<PathHistory>,
    /// Names with addresses, as commits state them, raw.
    pub people: Vec<Vec<u8>>,
    /// Commits that names lead to.
    pub commits: u64,
    /// Commits that others name as parents and that are not there: before them the history is cut.
    pub missing_commits: u64,
    /// Trees that are not there, or damaged, so that what changed in them is not told.
    pub missing_trees: u64,
}

impl History {
    /// A history that will be asked for these paths, folders divided by `/`.
    pub fn new<'p>(wanted: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut history = Self {
            names: HashMap::new(),
            nodes: vec![Node::default()],
            paths: 0,
            trees: HashMap::new(),
            commits: HashMap::new(),
            tags: HashMap::new(),
            people: Vec::new(),
            person_by_text: HashMap::new(),
            weight: 0,
        };
        for path in wanted {
            history.want(path);
        }
        history
    }

    fn want(&mut self, path: &[u8]) {
        let number = self.paths;
        self.paths += 1;
        if path.split(|&byte| byte == b'/').count() > DEPTH_MAX {
            return;
        }
        let mut at = 0;
        for part in path.split(|&byte| byte == b'/') {
            let next = self.names.len() as u32;
            let name = *self.names.entry(part.to_vec()).or_insert(next);
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = *node.below.entry(name).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.path = Some(number);
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

    fn add_tree(&mut self, id: &Oid, bytes: &[u8]) {
        let mut slots: Vec<Slot> = tree_entries(bytes, id.hash())
            .filter_map(|entry| {
                let name = *self.names.get(entry.name)?;
                Some(Slot {
                    name,
                    mode: entry.mode,
                    id: entry.id,
                })
            })
            .collect();
        slots.sort_by_key(|slot| slot.name);
        slots.dedup_by_key(|slot| slot.name);
        slots.shrink_to_fit();
        self.weight += 80 + (size_of::<Slot>() * slots.len()) as u64;
        self.trees.insert(id.key(), slots);
    }

    fn add_commit(&mut self, id: &Oid, bytes: &[u8]) {
        let commit = Commit::parse(bytes);
        let end = memchr::memmem::find(bytes, b"\n\n").unwrap_or(bytes.len());
        let (head, message) = bytes.split_at(end);
        let author = head
            .split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(b"author "));
        let author = self.person(person_of(author.unwrap_or_default()));
        let co_authors = co_authors(message)
            .take(CO_AUTHORS_MAX)
            .map(|person| self.person(person))
            .collect();
        self.weight += 200 + 20 * commit.parents.len() as u64;
        let row = Row {
            id: *id,
            tree: commit.tree.map(|tree| tree.key()),
            parents: commit.parents.iter().map(Oid::key).collect(),
            author,
            date: commit.author_date,
            co_authors,
        };
        self.commits.insert(id.key(), row);
    }

    fn person(&mut self, text: &[u8]) -> u32 {
        let text = text.get(..PERSON_MAX).unwrap_or(text);
        if let Some(number) = self.person_by_text.get(text) {
            return *number;
        }
        let number = self.people.len() as u32;
        self.weight += 120 + 2 * text.len() as u64;
        self.people.push(text.to_vec());
        self.person_by_text.insert(text.to_vec(), number);
        number
    }

    /// What is known, from all that names lead to.
    pub fn tell(self, refs: &Refs) -> Told {
        let mut told = Told {
            paths: vec![PathHistory::default(); self.paths],
            ..Told::default()
        };
        let mut missing = HashSet::new();
        for key in self.reachable(refs) {
            let Some(row) = self.commits.get(&key) else {
                told.missing_commits += 1;
                continue;
            };
            told.commits += 1;
            for path in self.changed(row, &mut missing) {
                if let Some(history) = told.paths.get_mut(path) {
                    history.changes.push(Change {
                        commit: row.id,
                        date: row.date,
                        author: row.author,
                        co_authors: row.co_authors.clone(),
                    });
                }
            }
        }
        let head = refs.head.map(|head| self.peeled(head).key());
        let head = head.and_then(|head| self.commits.get(&head)?.tree);
        let mut there = Vec::new();
        self.differences(0, head, None, &mut there, &mut missing);
        for (path, id) in there {
            if let Some(history) = told.paths.get_mut(path) {
                history.at_head = id;
            }
        }
        for path in &mut told.paths {
            path.changes
                .sort_by_key(|change| (change.date, change.commit));
        }
        told.missing_trees = missing.len() as u64;
        told.people = self.people;
        told
    }

    /// What a name leads to in the end: tags are passed.
    fn peeled(&self, mut id: Oid) -> Oid {
        /// Tags of tags of tags.
        const TAGS_MAX: usize = 100;
        for _ in 0..TAGS_MAX {
            match self.tags.get(&id.key()) {
                Some(target) => id = *target,
                None => break,
            }
        }
        id
    }

    /// Every commit that names lead to, and those that are named as parents and are not there.
    fn reachable(&self, refs: &Refs) -> Vec<Key> {
        let tips = refs.head.iter().chain(&refs.tips);
        let mut open: Vec<Key> = tips
            .map(|id| self.peeled(*id).key())
            // A name may lead to a tree or a file.
            .filter(|key| self.commits.contains_key(key))
            .collect();
        let mut seen: HashSet<Key> = HashSet::new();
        let mut order = Vec::new();
        while let Some(key) = open.pop() {
            if seen.insert(key) {
                order.push(key);
                open.extend(
                    self.commits
                        .get(&key)
                        .into_iter()
                        .flat_map(|row| &row.parents),
                );
            }
        }
        order
    }

    /// The paths that a commit has otherwise than every one of its parents.
    fn changed(&self, row: &Row, missing: &mut HashSet<Key>) -> Vec<usize> {
        // A parent that is not there is none: so git sees a history that was cut.
        let mut parents = row.parents.iter().filter_map(|key| self.commits.get(key));
        let mut against = |parent: Option<&Row>| {
            let mut found = Vec::new();
            let tree = parent.and_then(|parent| parent.tree);
            self.differences(0, row.tree, tree, &mut found, missing);
            found.into_iter().map(|(path, _)| path).collect::<Vec<_>>()
        };
        let mut changed = against(parents.next());
        for parent in parents {
            if changed.is_empty() {
                break;
            }
            let other: HashSet<usize> = against(Some(parent)).into_iter().collect();
            changed.retain(|path| other.contains(path));
        }
        changed
    }

    /// The wanted paths below a node that differ between two trees, with what stands there in the first. As deep as [`DEPTH_MAX`].
    fn differences(
        &self,
        node: usize,
        one: Option<Key>,
        other: Option<Key>,
        found: &mut Vec<(usize, Option<Oid>)>,
        missing: &mut HashSet<Key>,
    ) {
        if one == other {
            return;
        }
        let Some(node) = self.nodes.get(node) else {
            return;
        };
        // Of a tree that is not there nothing is said, least of all that its files are gone.
        let mut slots = |key: Option<Key>| match key {
            None => Some(&[][..]),
            Some(key) => {
                let slots = self.trees.get(&key).map(Vec::as_slice);
                if slots.is_none() {
                    missing.insert(key);
                }
                slots
            }
        };
        let (Some(ones), Some(others)) = (slots(one), slots(other)) else {
            return;
        };
        for (a, b) in side_by_side(ones, others) {
            if a == b {
                continue;
            }
            let name = a.or(b).map_or(0, |slot| slot.name);
            let Some(&below) = node.below.get(&name) else {
                continue;
            };
            let file = |slot: Option<Slot>| {
                slot.filter(|slot| !slot.is_tree())
                    .map(|slot| (slot.mode, slot.id))
            };
            let folder =
                |slot: Option<Slot>| slot.filter(|slot| slot.is_tree()).map(|slot| slot.id.key());
            let path = self.nodes.get(below).and_then(|below| below.path);
            if let Some(path) = path.filter(|_| file(a) != file(b)) {
                found.push((path, file(a).map(|(_, id)| id)));
            }
            self.differences(below, folder(a), folder(b), found, missing);
        }
    }
}

/// Entries of two trees, those of one name together.
fn side_by_side<'s>(
    mut ones: &'s [Slot],
    mut others: &'s [Slot],
) -> impl Iterator<Item = (Option<Slot>, Option<Slot>)> + 's {
    std::iter::from_fn(move || {
        let order = match (ones.first(), others.first()) {
            (None, None) => return None,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.name.cmp(&other.name),
        };
        let (mut a, mut b) = (None, None);
        if order.is_le()
            && let Some((first, rest)) = ones.split_first()
        {
            (a, ones) = (Some(*first), rest);
        }
        if order.is_ge()
            && let Some((first, rest)) = others.split_first()
        {
            (b, others) = (Some(*first), rest);
        }
        Some((a, b))
    })
}

/// `NAME <ADDRESS>` out of `NAME <ADDRESS> SECONDS ZONE`.
fn person_of(line: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b'>', line).map_or(line.len(), |at| at + 1);
    line.get(..end).unwrap_or(line).trim_ascii()
}

/// Who else wrote a commit, as lines of its message say, wherever they stand: who joins messages joins these too.
fn co_authors(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    const KEY: &[u8] = b"co-authored-by:";
    message.split(|&byte| byte == b'\n').filter_map(|line| {
        let (key, person) = line.split_at_checked(KEY.len())?;
        let person = person.trim_ascii();
        (key.eq_ignore_ascii_case(KEY) && !person.is_empty()).then_some(person)
    })
}

#[cfg(test)]
mod tests {
    use super::super::object::{Hash, id_of};
    use super::*;

    struct Store {
        history: History,
    }

    impl Store {
        fn put(&mut self, kind: Kind, bytes: &[u8]) -> Oid {
            let id = id_of(Hash::Sha1, kind, bytes);
            self.history.add(kind, &id, bytes);
            id
        }

        fn tree(&mut self, rows: &[(&str, &str, Oid)]) -> Oid {
            let mut bytes = Vec::new();
            for (mode, name, id) in rows {
                bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
                bytes.extend_from_slice(id.as_bytes());
            }
            self.put(Kind::Tree, &bytes)
        }

        fn commit(&mut self, tree: Oid, parents: &[Oid], date: u32, message: &str) -> Oid {
            let parents: String = parents
                .iter()
                .map(|id| format!("parent {}\n", id.hex()))
                .collect();
            let text = format!(
                "tree {}\n{parents}author A <a@acme.example> {date} +0000\ncommitter C <c@acme.example> {date} +0000\n\n{message}\n",
                tree.hex()
            );
            self.put(Kind::Commit, text.as_bytes())
        }
    }

    fn blob(text: &str) -> Oid {
        id_of(Hash::Sha1, Kind::Blob, text.as_bytes())
    }

    fn refs(head: Oid) -> Refs {
        Refs {
            head: Some(head),
            ..Refs::default()
        }
    }

    fn dates(told: &Told, path: usize) -> Vec<i64> {
        told.paths[path]
            .changes
            .iter()
            .filter_map(|change| change.date)
            .collect()
    }

    #[test]
    fn a_commit_is_told_where_it_changed_the_path() {
        let wanted: [&[u8]; 4] = [b"src/a.js", b"b.js", b"src", b"gone.js"];
        let mut store = Store {
            history: History::new(wanted),
        };
        let src = store.tree(&[("100644", "a.js", blob("1"))]);
        let one = store.tree(&[("100644", "b.js", blob("1")), ("40000", "src", src)]);
        let first = store.commit(one, &[], 10, "first");
        let src2 = store.tree(&[("100755", "a.js", blob("1"))]);
        let two = store.tree(&[("100644", "b.js", blob("1")), ("40000", "src", src2)]);
        let second = store.commit(
            two,
            &[first],
            20,
            "x\n\nCo-Authored-By: Bot <bot@acme.example>",
        );
        let side_tree = store.tree(&[("100644", "b.js", blob("2")), ("40000", "src", src)]);
        let side = store.commit(side_tree, &[first], 15, "side");
        let merged = store.tree(&[("100644", "b.js", blob("2")), ("40000", "src", src2)]);
        let merge = store.commit(merged, &[second, side], 30, "merge");
        let told = store.history.tell(&refs(merge));
        assert_eq!(dates(&told, 0), [10, 20], "a mode counts");
        assert_eq!(
            dates(&told, 1),
            [10, 15],
            "a merge that changed nothing itself does not"
        );
        assert_eq!(dates(&told, 2), [] as [i64; 0], "a folder is no file");
        assert_eq!(told.paths[0].at_head, Some(blob("1")));
        assert_eq!(told.paths[3], PathHistory::default());
        assert_eq!(
            (told.commits, told.missing_commits, told.missing_trees),
            (4, 0, 0)
        );
        let bot = &told.paths[0].changes[1].co_authors;
        assert_eq!(told.people[bot[0] as usize], b"Bot <bot@acme.example>");
        let author = told.paths[0].changes[0].author;
        assert_eq!(told.people[author as usize], b"A <a@acme.example>");
    }

    #[test]
    fn what_is_missing_is_counted() {
        let mut store = Store {
            history: History::new([&b"a"[..]]),
        };
        let tree = store.tree(&[("100644", "a", blob("1"))]);
        let cut = store.commit(tree, &[blob("no commit")], 10, "cut");
        let empty = store.commit(blob("no tree"), &[cut], 20, "no tree");
        let told = store.history.tell(&refs(empty));
        assert_eq!(
            (told.commits, told.missing_commits, told.missing_trees),
            (2, 1, 1)
        );
        assert_eq!(dates(&told, 0), [10], "that the file is gone is not known");
    }

    #[test]
    fn odd_paths_and_heads_are_borne() {
        let deep = vec![b'/'; 100_000];
        let mut history = History::new([&deep[..], b"", b"a//b", b"a", b"a"]);
        history.add(Kind::Commit, &blob("x"), b"\xff\n\nauthor > > >");
        history.add(Kind::Tree, &blob("y"), b"not a tree");
        let told = history.tell(&refs(blob("x")));
        assert_eq!(told.paths.len(), 5);
        assert_eq!(person_of(b"> <x> 1 +0"), b"> <x>");
    }
}
