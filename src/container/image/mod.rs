//! Container images: what their documents say of their layers.
//!
//! An image is a stack of layers, and a layer is a tar of what it adds. It can take nothing away from the layers below:
//! what it deletes or replaces is hidden from who runs the image, and is still there for who opens it. So every layer is
//! read like any other tar, and this module knows the rest: which image a layer belongs to, where in the stack, and
//! whether what stands in it can still be seen from the top.
//!
//! Two forms are known, as folders and within archives: the layout of the OCI (image-spec: `index.json`, and
//! `blobs/ALGORITHM/DIGEST`), and what `docker save` writes (`manifest.json`, and the layers that it names). [`doc`] reads
//! their documents, [`listing`] notes what stands in a layer, and [`view`] puts both together when all of it was read.
//! Nothing in here decides what is read: a layer that no document names is opened all the same.
//!
//! Left out: images saved before Docker 1.10, which have no `manifest.json` (their layers are read, and stand nowhere);
//! the folders of a registry or of an engine's own storage. Where a path leads through a symbolic link is not worked out: how
//! what stands there is seen from the top is left open.

pub mod doc;
pub mod listing;
pub mod view;

use serde::{Deserialize, Serialize};

pub use doc::Doc;
pub use listing::Listing;

/// What a content is to an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// One of its documents.
    Doc(Doc),
    /// What stands in a layer.
    Layer(Listing),
}

/// Length of a SHA-256 in hexadecimal, by which layers are called; other digests are longer.
const DIGEST_LEN_MIN: usize = 64;

/// Whether a file of this name may be a layer, so that what stands in it should be noted: it is called by a digest, with
/// or without an ending (`blobs/sha256/DIGEST`, `DIGEST.tar`), or `layer.tar` as Docker called it.
pub fn may_be_layer(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    if name == b"layer.tar" {
        return true;
    }
    let stem = name.split(|&byte| byte == b'.').next().unwrap_or(name);
    stem.len() >= DIGEST_LEN_MIN && stem.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a member of this name is to be told of an image even where nothing is known of it: what may be a layer and is
/// none, and what takes the place of a document before it.
pub fn is_of_interest(path: &[u8], ordinal: u32) -> bool {
    let heads = [&b"index.json"[..], b"manifest.json"];
    may_be_layer(path) || (ordinal > 1 && heads.iter().any(|head| path.ends_with(head)))
}

/// Whether content is a layer without anything in it: the zeros that end a tar, or nothing at all.
pub fn is_void(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// The path that a symbolic link in an archive leads to.
pub fn link_target(name: &[u8], target: &[u8]) -> Vec<u8> {
    if target.starts_with(b"/") {
        return plain_path(target);
    }
    let folder = &name[..memchr::memrchr(b'/', name).map_or(0, |at| at + 1)];
    plain_path(&[folder, target].concat())
}

/// A path in a layer without what does not change its meaning: slashes at its ends or doubled, `.`, and a folder that
/// `..` leaves again, as engines take them.
fn plain_path(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|&byte| byte == b'/');
    let mut plain = Vec::with_capacity(path.len());
    for part in parts.filter(|part| !part.is_empty() && *part != b".") {
        if part == b".." {
            plain.truncate(memchr::memrchr(b'/', &plain).unwrap_or(0));
            continue;
        }
        if !plain.is_empty() {
            plain.push(b'/');
        }
        plain.extend_from_slice(part);
    }
    plain
}

/// The folders that a plain path lies in, from the innermost out.
fn folders_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut end = path.len();
    std::iter::from_fn(move || {
        end = memchr::memrchr(b'/', &path[..end])?;
        Some(&path[..end])
    })
}

/// The number of a plain path: the beginning of its BLAKE3.
fn number(path: &[u8]) -> u64 {
    let digest = blake3::hash(path);
    let (first, _) = digest.as_bytes().as_chunks::<8>();
    first.first().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_by_what_they_are_called() {
        let digest = "0123456789abcdef".repeat(4);
        for name in [
            format!("blobs/sha256/{digest}"),
            format!("{digest}.tar"),
            format!("{digest}.tar.gz"),
            "x/layer.tar".to_owned(),
        ] {
            assert!(may_be_layer(name.as_bytes()), "{name}");
        }
        for name in ["", "a.tar", "layer.tar/x", "0123abcd", "package/index.js"] {
            assert!(!may_be_layer(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn paths_are_held_against_each_other_in_one_form() {
        for path in ["./etc/x", "/etc/x", "etc//x/", "etc/./x"] {
            assert_eq!(plain_path(path.as_bytes()), b"etc/x");
        }
        assert_eq!(plain_path(b"d/../etc/y/../x/"), b"etc/x");
        assert_eq!(plain_path(b"../../x"), b"x");
        assert_eq!(plain_path(b"./"), b"");
        assert_eq!(
            link_target(b"./a/layer.tar", b"../b/layer.tar"),
            b"b/layer.tar"
        );
        let folders: Vec<_> = folders_of(b"a/b/c").collect();
        assert_eq!(folders, [&b"a/b"[..], b"a"]);
    }
}
