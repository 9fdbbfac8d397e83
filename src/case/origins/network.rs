//! Fork networks: which places belong together, as the list's parents lead from one to the next.
//!
//! A host disables a network as a whole, so what may be said of one has to be known by network. Lists contradict
//! themselves: a fork that is its own parent's parent, or has two parents. Then the network is still one, and who stands in a
//! circle is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::exposure::Location;

/// The networks of a list.
#[derive(Debug, Default)]
pub(super) struct Networks {
    /// Number of each place by its key in lower case, and its address.
    numbers: HashMap<String, usize>,
    places: Vec<Location>,
    parents: Vec<BTreeSet<usize>>,
    /// Of each place the number of the place that its network is called by; a place that no parent leads to or from has none.
    names: Vec<Option<usize>>,
    circles: BTreeSet<usize>,
}

impl Networks {
    /// Puts together what pairs of a place and its parent say.
    pub(super) fn of<'l>(edges: impl Iterator<Item = (&'l Location, &'l Location)>) -> Self {
        let mut networks = Self::default();
        for (child, parent) in edges {
            let (child, parent) = (networks.number(child), networks.number(parent));
            if let Some(parents) = networks.parents.get_mut(child) {
                parents.insert(parent);
            }
        }
        networks.find_circles();
        networks.name();
        networks
    }

    fn number(&mut self, place: &Location) -> usize {
        let key = place.folded();
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let number = self.places.len();
        self.numbers.insert(key, number);
        self.places.push(place.clone());
        self.parents.push(BTreeSet::new());
        number
    }

    /// Takes away, again and again, what has no parent left; what stays stands in a circle or below one. The same from the
    /// other end leaves the circles.
    fn find_circles(&mut self) {
        let count = self.places.len();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (child, parents) in self.parents.iter().enumerate() {
            for &parent in parents {
                children[parent].push(child);
            }
        }
        let parents: Vec<Vec<usize>> = self
            .parents
            .iter()
            .map(|parents| parents.iter().copied().collect())
            .collect();
        let from_above = peeled(&parents, &children);
        let from_below = peeled(&children, &parents);
        let stays = |number: &usize| !from_above[*number] && !from_below[*number];
        self.circles = (0..count).filter(stays).collect();
    }

    /// Calls each network by its place without a parent; of several, and in a circle, by the first by address.
    fn name(&mut self) {
        let count = self.places.len();
        let mut group: Vec<usize> = (0..count).collect();
        for (child, parents) in self.parents.iter().enumerate() {
            for &parent in parents {
                let (a, b) = (find(&mut group, child), find(&mut group, parent));
                group[a.max(b)] = a.min(b);
            }
        }
        let mut best: BTreeMap<usize, (bool, &str, usize)> = BTreeMap::new();
        for number in 0..count {
            let of_group = find(&mut group, number);
            let has_parent = !self.parents[number].is_empty();
            let candidate = (has_parent, self.places[number].key.as_str(), number);
            best.entry(of_group)
                .and_modify(|held| *held = candidate.min(*held))
                .or_insert(candidate);
        }
        self.names = (0..count)
            .map(|number| Some(best.get(&find(&mut group, number))?.2))
            .collect();
    }

    fn number_of(&self, place: &Location) -> Option<&usize> {
        self.numbers.get(&place.folded())
    }

    /// The address by which the network of a place is called.
    pub(super) fn name_of(&self, place: &Location) -> Option<&str> {
        let number = *self.number_of(place)?;
        let name = (*self.names.get(number)?)?;
        Some(&self.places.get(name)?.shown)
    }

    /// Whether a place is among its own ancestors.
    pub(super) fn is_in_circle(&self, place: &Location) -> bool {
        let number = self.number_of(place);
        number.is_some_and(|number| self.circles.contains(number))
    }

    /// The parents of a place, as far as they are told apart.
    pub(super) fn parents_of(&self, place: &Location) -> Vec<&Location> {
        let number = self.number_of(place);
        let parents = number.and_then(|number| self.parents.get(*number));
        let parents = parents.into_iter().flatten();
        parents
            .filter_map(|parent| self.places.get(*parent))
            .collect()
    }
}

/// Which numbers go when those without a step `up` are taken away, again and again.
fn peeled(up: &[Vec<usize>], down: &[Vec<usize>]) -> Vec<bool> {
    let mut left: Vec<usize> = up.iter().map(Vec::len).collect();
    let mut gone: Vec<bool> = left.iter().map(|count| *count == 0).collect();
    let mut queue: Vec<usize> = (0..left.len()).filter(|number| gone[*number]).collect();
    while let Some(number) = queue.pop() {
        for &below in &down[number] {
            left[below] -= 1;
            if left[below] == 0 && !gone[below] {
                gone[below] = true;
                queue.push(below);
            }
        }
    }
    gone
}

/// The number that stands for the group of one, with the way halved.
fn find(group: &mut [usize], mut number: usize) -> usize {
    while group[number] != number {
        group[number] = group[group[number]];
        number = group[number];
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Location {
        Location::read(&format!("https://git.example/{name}/x")).unwrap()
    }

    fn networks(edges: &[(&str, &str)]) -> Networks {
        let edges: Vec<_> = edges
            .iter()
            .map(|(child, parent)| (place(child), place(parent)))
            .collect();
        Networks::of(edges.iter().map(|(child, parent)| (child, parent)))
    }

    fn name(networks: &Networks, of: &str) -> Option<String> {
        networks.name_of(&place(of)).map(str::to_owned)
    }

    #[test]
    fn parents_lead_to_the_root_of_the_network() {
        let networks = networks(&[("c", "b"), ("b", "a"), ("d", "a"), ("y", "x")]);
        for of in ["a", "b", "c", "d"] {
            assert_eq!(name(&networks, of), Some(place("a").shown));
            assert!(!networks.is_in_circle(&place(of)));
        }
        assert_eq!(name(&networks, "y"), Some(place("x").shown));
        assert_eq!(name(&networks, "alone"), None);
    }

    #[test]
    fn circles_are_one_network_and_told() {
        let networks = networks(&[("b", "a"), ("a", "b"), ("c", "b"), ("s", "s"), ("t", "s")]);
        assert_eq!(name(&networks, "c"), Some(place("a").shown));
        assert!(networks.is_in_circle(&place("a")) && networks.is_in_circle(&place("b")));
        assert!(networks.is_in_circle(&place("s")));
        assert!(!networks.is_in_circle(&place("c")) && !networks.is_in_circle(&place("t")));
    }

    #[test]
    fn two_parents_make_one_network() {
        let networks = networks(&[("c", "b"), ("c", "a")]);
        assert_eq!(name(&networks, "b"), Some(place("a").shown));
        assert_eq!(networks.parents_of(&place("c")).len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(mut edges in proptest::collection::vec((0_u8..9, 0_u8..9), 0..20)) {
            let named = |edges: &[(u8, u8)]| {
                let edges: Vec<_> = edges
                    .iter()
                    .map(|(child, parent)| (place(&child.to_string()), place(&parent.to_string())))
                    .collect();
                let networks = Networks::of(edges.iter().map(|(child, parent)| (child, parent)));
                (0..9).map(|number: u8| {
                    let place = place(&number.to_string());
                    (networks.name_of(&place).map(str::to_owned), networks.is_in_circle(&place))
                }).collect::<Vec<_>>()
            };
            let before = named(&edges);
            edges.reverse();
            proptest::prop_assert_eq!(before, named(&edges));
        }
    }
}
