//! The head of a Merkle tree over the custody log (RFC 9162, section 2.1).
//!
//! The entries of the log hold the digest of the one before, which finds a change in the middle; who rewrites all of it is
//! found out only by somebody who kept something of it. The tree head is that something: 32 bytes that can be read out,
//! printed, or sent. And of two heads, one later than the other, a short proof shows that the later log begins with the
//! earlier one, entry by entry, for people who have neither.
//!
//! The head is written in the form of a checkpoint (the C2SP specification `tlog-checkpoint`): origin, size and root, a line
//! each. The origin is made of the first entry, so that two logs have two. The checkpoint bears no signature of its own: it
//! is payload, and the signature of the folder covers it.
//!
//! A leaf is the text of an entry without its line feed. Sums are as deep as the logarithm of the number of entries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// A node of the tree.
pub type Node = [u8; 32];

/// The digest of an entry as a leaf.
#[must_use]
pub fn leaf(entry: &[u8]) -> Node {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    hasher.finalize().into()
}

fn parent(left: &Node, right: &Node) -> Node {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The head of a tree (section 2.1.1).
#[must_use]
pub fn root(leaves: &[Node]) -> Node {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            parent(&root(left), &root(right))
        }
    }
}

/// The largest power of two below a number that is at least two.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// The proof that the tree over all leaves begins with that over the first `known` of them (section 2.1.4.1); `None` where
/// there are no such leaves.
#[must_use]
pub fn consistency(known: usize, leaves: &[Node]) -> Option<Vec<Node>> {
    if known == 0 || known > leaves.len() {
        return None;
    }
    let (mut proof, mut rest, mut known, mut whole) = (Vec::new(), leaves, known, true);
    // From the top down; the RFC writes it as a recursion that appends on its way back.
    while known < rest.len() {
        let (left, right) = rest.split_at(split(rest.len()));
        if known <= left.len() {
            proof.push(root(right));
            rest = left;
        } else {
            proof.push(root(left));
            rest = right;
            known -= left.len();
            whole = false;
        }
    }
    if !whole {
        proof.push(root(rest));
    }
    proof.reverse();
    Some(proof)
}

/// Whether a proof shows that a tree of `new_size` leaves begins with one of `old_size` (section 2.1.4.2).
#[must_use]
pub fn is_consistent(old: &Checkpoint, new: &Checkpoint, proof: &[Node]) -> bool {
    if old.size == 0 || old.size > new.size {
        return false;
    }
    if old.size == new.size {
        return proof.is_empty() && old.root == new.root;
    }
    let (mut at, mut last) = (old.size - 1, new.size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let mut path = proof.iter();
    let first = if old.size.is_power_of_two() {
        Some(&old.root)
    } else {
        path.next()
    };
    let Some(first) = first else { return false };
    let (mut left, mut right) = (*first, *first);
    for node in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            left = parent(node, &left);
            right = parent(node, &right);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            right = parent(&right, node);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && left == old.root && right == new.root
}

/// A tree head with what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the log: [`origin`].
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// The head.
    pub root: Node,
}

/// The name of a log, made of the SHA-256 of its first entry, hex.
#[must_use]
pub fn origin(first: &str) -> String {
    format!("strandline-custody/{first}")
}

impl Checkpoint {
    /// Of a log, entry by entry; `None` of an empty one.
    #[must_use]
    pub fn of(entries: &[&[u8]]) -> Option<Self> {
        let leaves: Vec<Node> = entries.iter().map(|entry| leaf(entry)).collect();
        let first = crate::blob::Sha256Digest::of(entries.first()?);
        Some(Self::of_leaves(&first.hex(), &leaves))
    }

    /// Of a log by its leaves and the digest of its first entry.
    #[must_use]
    pub fn of_leaves(first: &str, leaves: &[Node]) -> Self {
        Self {
            origin: origin(first),
            size: leaves.len() as u64,
            root: root(leaves),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64(&self.root))
    }

    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let found = Self {
            origin: lines.next()?.to_owned(),
            size: lines.next()?.parse().ok()?,
            root: from_base64(lines.next()?)?,
        };
        (found.text() == text && !found.origin.is_empty()).then_some(found)
    }
}

/// A node as text.
#[must_use]
pub fn base64(node: &Node) -> String {
    STANDARD.encode(node)
}

/// A node from text.
#[must_use]
pub fn from_base64(text: &str) -> Option<Node> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Node> {
        (0..count).map(|n| leaf(n.to_string().as_bytes())).collect()
    }

    fn checkpoint(leaves: &[Node]) -> Checkpoint {
        Checkpoint {
            origin: "o".to_owned(),
            size: leaves.len() as u64,
            root: root(leaves),
        }
    }

    #[test]
    fn the_head_of_nothing_is_the_digest_of_nothing() {
        // RFC 9162, section 2.1.1: MTH({}) = HASH().
        let hex = crate::blob::Sha256Digest(root(&[])).hex();
        assert!(hex.starts_with("e3b0c44298fc1c14"));
    }

    #[test]
    fn heads_are_those_of_other_implementations() {
        // The test vectors of Certificate Transparency's reference implementation: leaves, then heads of one to eight.
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let heads = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let leaves: Vec<Node> = entries.iter().map(|entry| leaf(entry)).collect();
        for (count, head) in (1..).zip(heads) {
            assert_eq!(
                crate::blob::Sha256Digest(root(&leaves[..count])).hex(),
                head
            );
        }
    }

    #[test]
    fn a_log_that_goes_on_is_proven_and_no_other() {
        for count in 1..40 {
            let all = leaves(count);
            let new = checkpoint(&all);
            for known in 1..=count {
                let proof = consistency(known, &all).unwrap();
                let old = checkpoint(&all[..known]);
                assert!(is_consistent(&old, &new, &proof), "{known} of {count}");
                let mut other = leaves(known);
                other[known / 2] = leaf(b"another");
                assert!(!is_consistent(&checkpoint(&other), &new, &proof));
                for index in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[index][0] ^= 1;
                    assert!(!is_consistent(&old, &new, &wrong));
                    wrong.remove(index);
                    assert!(!is_consistent(&old, &new, &wrong));
                }
                let longer = [proof, vec![[0; 32]]].concat();
                assert!(!is_consistent(&old, &new, &longer));
            }
            assert_eq!(consistency(0, &all), None);
            assert_eq!(consistency(count + 1, &all), None);
        }
    }

    #[test]
    fn a_checkpoint_has_one_form() {
        let text = Checkpoint::of(&[b"a", b"b"]).unwrap().text();
        assert_eq!(Checkpoint::parse(&text).unwrap().text(), text);
        for wrong in [
            text.replace("\n2\n", "\n02\n"),
            text.replace("\n2\n", "\n+2\n"),
            text.clone() + "\n",
            text.replace('=', ""),
            text.replace('\n', "\r\n"),
        ] {
            assert_eq!(Checkpoint::parse(&wrong), None, "{wrong:?}");
        }
    }
}
