//! Forks as a nested list: by network, and below each copy those that were made of it.
//!
//! Who made a list may have written a circle into it, and ten thousand copies of one parent. So each copy stands once, one
//! of a circle is taken for its beginning, and what does not fit is counted where it would stand.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::super::text::count_of;
use super::model::{CopyRow, Tree, TreeOf, TreeRow};
use super::roots::Roots;
use super::rows::kept;
use crate::copies::lineage::plain;
use crate::record::ParentBasis;

/// Rows of one network.
const ROWS_OF_NETWORK: usize = 200;
/// Rows of all.
const ROWS_OF_ALL: usize = 400;
/// Copies shown below one.
const CHILDREN_MAX: usize = 25;
/// How deep the list goes.
const DEPTH_MAX: usize = 12;
/// Networks that have a list.
const NETWORKS_MAX: usize = 40;

/// A copy before it has its place.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) row: TreeRow,
    pub(super) network: Option<String>,
    /// The locator of its parent.
    pub(super) parent: Option<String>,
}

/// What was made of what, of copies whose rows are joined.
pub(super) fn tree(rows: &[CopyRow], roots: &Roots) -> Tree {
    let mut tree = Tree::default();
    let by_url: HashMap<String, &str> = rows
        .iter()
        .rev()
        .filter_map(|row| Some((plain(row.url.as_deref()?), row.locator.as_str())))
        .collect();
    let mut families: HashMap<&str, u64> = HashMap::new();
    let mut nodes = Vec::with_capacity(rows.len());
    for row in rows {
        let beside = roots.get(&row.locator);
        let lineage = beside.and_then(|beside| beside.lineage.as_deref());
        let listed = beside.and_then(|beside| by_url.get(&plain(beside.parent.as_deref()?)));
        let mut node = Node {
            row: TreeRow {
                locator: row.locator.clone(),
                url: row.url.clone(),
                class: row.class.clone(),
                family_size: 1,
                signs: row.signs.unwrap_or(0),
                ..TreeRow::default()
            },
            network: row.network.clone(),
            parent: None,
        };
        if let Some(lineage) = lineage {
            *families.entry(&lineage.family).or_default() += 1;
            node.row.family_size = lineage.family_size;
            node.row.shared = lineage.changes_shared;
            node.row.own = lineage.changes_own;
            node.row.ties = count_of(lineage.parent_ties.len());
            node.row.contradicted = lineage.contradicted;
            node.parent = lineage.parent.as_deref().map(kept);
            tree.contradicted += u64::from(lineage.contradicted);
            tree.bounded += u64::from(lineage.bounded);
        } else {
            // Without a comparison there is what the list says.
            node.parent = listed.map(|&parent| parent.to_owned());
        }
        let basis = lineage.map_or(Some(ParentBasis::Recorded), |row| row.parent_basis);
        if let Some(basis) = basis.filter(|_| node.parent.is_some()) {
            let (count, word) = match basis {
                ParentBasis::Recorded => (&mut tree.recorded, "recorded"),
                ParentBasis::SharedChanges => (&mut tree.by_changes, "shared-changes"),
            };
            *count += 1;
            node.row.basis = Some(word.to_owned());
        }
        nodes.push(node);
    }
    let large = families.values().filter(|&&size| size > 1);
    tree.families = count_of(large.clone().count());
    tree.in_families = large.sum();
    grow(nodes, &mut tree);
    tree
}

/// Puts the trees into `tree`, whose figures are there already.
pub(super) fn grow(nodes: Vec<Node>, tree: &mut Tree) {
    let mut grown = Grown::new(nodes);
    let mut networks: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for &root in &grown.roots {
        let network = grown
            .nodes
            .get(root)
            .and_then(|node| node.network.as_deref());
        // Nothing is said of it that the table of copies does not say.
        if network.is_none() && grown.size(root) == 1 {
            tree.alone += 1;
            continue;
        }
        networks.entry(network).or_default().push(root);
    }
    let mut order: Vec<_> = networks
        .into_iter()
        .map(|(network, roots)| {
            let copies = roots.iter().map(|&root| grown.size(root)).sum();
            (
                network.is_none(),
                Reverse(copies),
                network.map(str::to_owned),
                roots,
            )
        })
        .collect();
    order.sort();
    for (at, (_, Reverse(copies), network, roots)) in order.into_iter().enumerate() {
        if at >= NETWORKS_MAX || grown.left == 0 {
            tree.left_out += copies;
            continue;
        }
        let mut rows = Vec::new();
        grown.list(&roots, 0, &mut rows);
        tree.networks.push(TreeOf {
            network,
            copies,
            rows,
        });
    }
}

struct Grown {
    nodes: Vec<Node>,
    roots: Vec<usize>,
    children: HashMap<usize, Vec<usize>>,
    /// Copies at and below each.
    sizes: Vec<u64>,
    /// Rows that may still be made.
    left: usize,
}

impl Grown {
    fn new(mut nodes: Vec<Node>) -> Self {
        nodes.sort_by(|a, b| a.row.locator.cmp(&b.row.locator));
        nodes.dedup_by(|a, b| a.row.locator == b.row.locator);
        let by_locator: HashMap<&str, usize> = (0..)
            .zip(&nodes)
            .map(|(at, node)| (node.row.locator.as_str(), at))
            .collect();
        let mut parents: Vec<Option<usize>> = nodes
            .iter()
            .map(|node| by_locator.get(node.parent.as_deref()?).copied())
            .collect();
        cut_circles(&mut parents);
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut roots = Vec::new();
        for (at, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children.entry(*parent).or_default().push(at),
                None => roots.push(at),
            }
        }
        let mut grown = Self {
            sizes: vec![1; nodes.len()],
            left: ROWS_OF_ALL,
            nodes,
            roots,
            children,
        };
        grown.weigh();
        grown
    }

    /// Counts what is at and below each, from the ends up, and puts the largest first.
    fn weigh(&mut self) {
        let mut order = self.roots.clone();
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            order.extend(self.children.get(&at).into_iter().flatten());
            next += 1;
        }
        for &at in order.iter().rev() {
            let below: u64 = self.below(at).iter().map(|&child| self.size(child)).sum();
            if let Some(size) = self.sizes.get_mut(at) {
                *size += below;
            }
        }
        let sizes = &self.sizes;
        let weight = |at: &usize| (Reverse(sizes.get(*at).copied()), *at);
        self.roots.sort_by_key(weight);
        self.children
            .values_mut()
            .for_each(|list| list.sort_by_key(weight));
    }

    fn size(&self, at: usize) -> u64 {
        self.sizes.get(at).copied().unwrap_or(0)
    }

    fn below(&self, at: usize) -> &[usize] {
        self.children.get(&at).map_or(&[], Vec::as_slice)
    }

    /// One list and all below it. As deep as [`DEPTH_MAX`].
    fn list(&mut self, at: &[usize], depth: usize, rows: &mut Vec<TreeRow>) {
        for (number, &node) in at.iter().enumerate() {
            let is_full = self.left == 0 || rows.len() >= ROWS_OF_NETWORK;
            let most = if depth == 0 {
                ROWS_OF_NETWORK
            } else {
                CHILDREN_MAX
            };
            if is_full || number >= most || depth >= DEPTH_MAX {
                let rest = at.get(number..).unwrap_or_default();
                rows.push(TreeRow {
                    depth,
                    more: rest.iter().map(|&node| self.size(node)).sum(),
                    ..TreeRow::default()
                });
                return;
            }
            self.left -= 1;
            let below = self.below(node).to_vec();
            if let Some(node) = self.nodes.get_mut(node) {
                let mut row = std::mem::take(&mut node.row);
                row.depth = depth;
                if depth == 0 {
                    row.basis = None;
                }
                rows.push(row);
            }
            self.list(&below, depth + 1, rows);
        }
    }
}

/// Takes the parent away from the first of each circle.
fn cut_circles(parents: &mut [Option<usize>]) {
    // 0: not seen; else the walk that saw it.
    let mut seen = vec![0_usize; parents.len()];
    for start in 0..parents.len() {
        let mut at = start;
        loop {
            match seen.get_mut(at) {
                Some(mark) if *mark == 0 => *mark = start + 1,
                Some(mark) if *mark == start + 1 => {
                    // The walk has come round: the smallest of the circle is its beginning.
                    let (mut first, mut on) = (at, at);
                    while let Some(next) = parents.get(on).copied().flatten().filter(|&n| n != at) {
                        first = first.min(next);
                        on = next;
                    }
                    if let Some(parent) = parents.get_mut(first) {
                        *parent = None;
                    }
                    break;
                }
                _ => break,
            }
            match parents.get(at).copied().flatten() {
                Some(parent) => at = parent,
                None => break,
            }
        }
    }
}
