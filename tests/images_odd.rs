//! Container images that lie, are cut, or hold what is no layer: nothing is claimed that is not known, and what was not
//! read is said. Each is looked at as a folder and within a tar.

mod common;

use std::path::Path;

use common::{Records, gzip, scan, scratch, sha256, text, write_all};
use serde_json::{Value, json};

/// The media type of a layer.
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

/// The files of a layout.
#[derive(Default)]
struct Layout(Vec<(String, Vec<u8>)>);

impl Layout {
    /// An image of these layers, the lowest first.
    fn of(layers: &[Vec<u8>]) -> Self {
        Self::made(layers, TAR, |_| ())
    }

    fn made(layers: &[Vec<u8>], media_type: &str, change: impl Fn(&mut Value)) -> Self {
        let mut layout = Self::default();
        let mut named: Vec<Value> = layers.iter().map(|layer| layout.blob(layer)).collect();
        for layer in &mut named {
            layer["mediaType"] = media_type.into();
        }
        let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": named}});
        let config = layout.blob(config.to_string().as_bytes());
        let mut manifest = json!({"config": config, "layers": named});
        change(&mut manifest);
        let manifest = layout.blob(manifest.to_string().as_bytes());
        layout.put("index.json", json!({"manifests": [manifest]}).to_string());
        layout.put("oci-layout", "{}");
        layout
    }

    fn blob(&mut self, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        let path = format!("blobs/sha256/{digest}");
        if !self.0.iter().any(|(known, _)| *known == path) {
            self.put(&path, bytes);
        }
        json!({"digest": format!("sha256:{digest}")})
    }

    fn put(&mut self, path: &str, bytes: impl AsRef<[u8]>) {
        self.0.push((path.to_owned(), bytes.as_ref().to_vec()));
    }

    fn change(&mut self, path: &str, change: impl Fn(&mut Vec<u8>)) {
        let found = self.0.iter_mut().find(|(known, _)| known == path);
        change(&mut found.expect("the file is there").1);
    }

    /// Scans it as a folder and as a tar, and shows both to `look`.
    fn scanned(&self, status: i32, look: impl Fn(&Records)) {
        let folder = scratch();
        write_all(&folder.path().join("folder"), &self.0);
        write_all(
            &folder.path().join("packed"),
            &[("image.tar", common::tar(&self.0))],
        );
        for form in ["folder", "packed"] {
            look(&scanned(status, &folder.path().join(form)));
        }
    }
}

fn scanned(status: i32, input: &Path) -> Records {
    scan(
        status,
        [input.as_os_str(), "--record".as_ref(), "all".as_ref()],
    )
}

/// How the entry whose locator ends so stands.
fn standing(records: &Records, end: &str) -> Value {
    let mut found = records
        .all("blob")
        .filter(|blob| text(blob, "locator").ends_with(end));
    let blob = found.next().unwrap_or_else(|| panic!("no {end}"));
    assert!(found.next().is_none(), "more than one {end}");
    blob["image"]["standing"].clone()
}

/// The codes of all problems, each once.
fn codes(records: &Records) -> Vec<String> {
    let problems = records.problems();
    let mut codes: Vec<_> = problems
        .iter()
        .map(|(code, _)| (*code).to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

/// A tar of files, and of what is none: kind, name, and where it leads to. Names are written as they are.
fn tar_with(files: &[(&str, &[u8])], others: &[(tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |kind, name: &str, target: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(kind);
        let fields = header.as_old_mut();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes).expect("written");
    };
    for (name, bytes) in files {
        add(tar::EntryType::Regular, name, "", bytes);
    }
    for (kind, name, target) in others {
        add(*kind, name, target, b"");
    }
    builder.into_inner().expect("finished")
}

fn files(files: &[(&str, &[u8])]) -> Vec<u8> {
    tar_with(files, &[])
}

#[test]
fn a_layer_with_nothing_in_it_hides_nothing() {
    let zeros = |len| vec![0_u8; len];
    let empty = [
        zeros(0),
        zeros(1024),
        zeros(10240),
        gzip(&zeros(1024)),
        gzip(&zeros(0)),
    ];
    for layer in empty {
        let layout = Layout::of(&[
            files(&[("a", b"1"), ("b", b"2")]),
            layer,
            files(&[(".wh.b", b"")]),
        ]);
        layout.scanned(0, |records| {
            assert_eq!(standing(records, "!/a"), "top");
            assert_eq!(standing(records, "!/b"), "deleted");
        });
    }
}

#[test]
fn a_layer_that_cannot_be_opened_was_not_read() {
    let noise: Vec<u8> = (0..9000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let encrypted = format!("{TAR}+gzip+encrypted");
    for (media_type, code) in [
        (encrypted.as_str(), "encrypted"),
        (TAR, "image-layer"),
        ("application/vnd.oci.image.layer.v1.squashfs", "image-layer"),
    ] {
        let layout = Layout::made(std::slice::from_ref(&noise), media_type, |_| ());
        layout.scanned(3, |records| {
            assert_eq!(codes(records), [code]);
            assert_eq!(records.ledger()["skipped"], json!({code: 1}));
        });
    }
    // What is no layer of files may be anything.
    Layout::made(&[noise], "application/vnd.example.weights", |_| ()).scanned(0, |_| ());
}

#[test]
fn whiteouts_of_any_type_count() {
    use tar::EntryType::{Char, Directory, Symlink};
    let low = files(&[
        ("d/a", b"1"),
        ("d/b", b"2"),
        ("d/c", b"3"),
        ("e/f", b"4"),
        ("d/../g/h", b"5"),
    ]);
    let high = tar_with(
        &[("g/.wh.h", b"")],
        &[
            (Symlink, "d/.wh.a", "x"),
            (Directory, "d/.wh.b", ""),
            (Char, "d/.wh.c", ""),
            (Symlink, "e/.wh..wh..opq", "x"),
        ],
    );
    Layout::of(&[low, high]).scanned(0, |records| {
        for end in ["!/d/a", "!/d/b", "!/d/c", "!/e/f", "g/h"] {
            assert_eq!(standing(records, end), "deleted", "{end}");
        }
    });
}

#[test]
fn what_stands_behind_links_is_left_open() {
    let low = tar_with(
        &[("usr/lib/a", b"1"), ("usr/lib/b", b"2"), ("opt/c", b"3")],
        &[(tar::EntryType::Symlink, "lib", "usr/lib")],
    );
    let through = files(&[("lib/.wh.a", b""), ("lib/d", b"4"), ("usr/lib/.wh.b", b"")]);
    Layout::of(&[low.clone(), through]).scanned(0, |records| {
        assert_eq!(standing(records, "!/usr/lib/a"), Value::Null);
        assert_eq!(standing(records, "!/lib/d"), Value::Null);
        assert_eq!(standing(records, "!/usr/lib/b"), "deleted");
        assert_eq!(standing(records, "!/opt/c"), "top");
    });
    // A link that nothing is put through changes nothing.
    Layout::of(&[low, files(&[("usr/lib/.wh.a", b"")])]).scanned(0, |records| {
        assert_eq!(standing(records, "!/usr/lib/a"), "deleted");
        assert_eq!(standing(records, "!/usr/lib/b"), "top");
    });
}

#[test]
fn a_layer_that_is_a_link_to_another_one() {
    let (low, high) = (files(&[("a", b"1"), ("b", b"2")]), files(&[(".wh.a", b"")]));
    let id = |letter: &str| letter.repeat(64);
    let path = |letter| format!("{}/layer.tar", id(letter));
    let config = json!({"rootfs": {"diff_ids": [1, 2, 3]}}).to_string();
    let saved = json!([{"Config": "config.json", "RepoTags": ["a:1"],
        "Layers": [format!("./{}", path("a")), path("b"), path("c")]}]);
    let saved = saved.to_string();
    let (lower, upper) = (path("a"), path("b"));
    let members = [
        (lower.as_str(), low.as_slice()),
        (upper.as_str(), &high),
        ("config.json", config.as_bytes()),
        ("manifest.json", saved.as_bytes()),
    ];
    let beside = format!("../{lower}");
    let nowhere = format!("../{}", path("d"));
    for (kind, target, expected) in [
        (tar::EntryType::Symlink, beside.as_str(), json!("top")),
        (tar::EntryType::Link, &lower, json!("top")),
        (tar::EntryType::Symlink, &nowhere, Value::Null),
    ] {
        let folder = scratch();
        let packed = tar_with(&members, &[(kind, &path("c"), target)]);
        write_all(folder.path(), &[("save.tar", packed)]);
        let records = scanned(0, folder.path());
        assert_eq!(standing(&records, "!/a"), expected, "{target}");
        let missing: &[&str] = if expected.is_null() {
            &["image-blob-missing"]
        } else {
            &[]
        };
        assert_eq!(codes(&records), missing);
    }
}

#[cfg(unix)]
#[test]
fn a_blob_that_is_a_link_on_disk_is_found_by_its_digest() {
    let folder = scratch();
    let high = files(&[(".wh.a", b"")]);
    let layout = Layout::of(&[files(&[("a", b"1"), ("b", b"2")]), high.clone()]);
    write_all(&folder.path().join("in/layout"), &layout.0);
    let blob = folder
        .path()
        .join(format!("in/layout/blobs/sha256/{}", sha256(&high)));
    let shared = folder.path().join("in/shared");
    std::fs::create_dir(&shared).expect("a folder");
    let kept = shared.join(sha256(&high));
    std::fs::rename(&blob, &kept).expect("moved");
    std::os::unix::fs::symlink(&kept, &blob).expect("a link");
    let records = scanned(0, &folder.path().join("in"));
    assert_eq!(standing(&records, "!/a"), "deleted");
    assert_eq!(standing(&records, "!/b"), "top");
    assert_eq!(codes(&records), [] as [&str; 0]);
    // Where it leads out of the input it is missing, and nothing below it is known.
    let records = scanned(0, &folder.path().join("in/layout"));
    assert_eq!(standing(&records, "!/a"), Value::Null);
    assert_eq!(codes(&records), ["image-blob-missing"]);
}

#[test]
fn documents_that_are_cut_or_lie() {
    let layers = [files(&[("a", b"1"), ("b", b"2")]), files(&[(".wh.a", b"")])];
    let unread = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut layout = Layout::of(&layers);
        layout.change("index.json", change);
        layout.scanned(3, |records| {
            assert_eq!(standing(records, "!/b"), Value::Null);
            assert_eq!(codes(records), ["image-document"]);
            assert_eq!(records.ledger()["damaged"], json!({"image-document": 1}));
        });
    };
    unread(&|index| index.truncate(index.len() - 3));
    unread(&|index| index.extend(vec![b' '; 5 << 20]));
    let mut marked = Layout::of(&layers);
    marked.change("index.json", |index| {
        drop(index.splice(..0, *b"\xef\xbb\xbf"))
    });
    marked.scanned(0, |records| assert_eq!(standing(records, "!/b"), "top"));
    // Digits of digests may be written large.
    let upper = Layout::made(&layers, TAR, |manifest| {
        for layer in manifest["layers"].as_array_mut().expect("layers") {
            let digest = layer["digest"]
                .as_str()
                .expect("a digest")
                .replacen("sha256:", "", 1);
            layer["digest"] = format!("sha256:{}", digest.to_uppercase()).into();
        }
    });
    upper.scanned(0, |records| {
        assert_eq!(standing(records, "!/a"), "deleted");
        assert_eq!(codes(records), [] as [&str; 0]);
    });
    // One that names nothing does not take the others with it.
    let lying = Layout::made(&layers, TAR, |manifest| {
        let layers = manifest["layers"].as_array_mut().expect("layers");
        layers.insert(0, json!({"digest": "sha256:../x"}));
    });
    lying.scanned(0, |records| {
        assert_eq!(standing(records, "!/b"), "top");
        assert_eq!(codes(records), ["image-document", "image-layers"]);
    });
}

#[test]
fn a_document_that_cannot_be_held_is_said_to_be_unread() {
    let mut layout = Layout::of(&[files(&[("a", b"1")])]);
    layout.change("index.json", |index| index.extend(vec![b' '; 12 << 20]));
    let folder = scratch();
    write_all(folder.path(), &layout.0);
    let arguments = ["--memory", "8M", "--record", "all"].map(std::ffi::OsStr::new);
    let records = scan(3, [folder.path().as_os_str()].iter().chain(&arguments));
    assert_eq!(codes(&records), ["memory-limit"]);
    assert_eq!(standing(&records, "!/a"), Value::Null);
}

#[test]
fn of_two_documents_of_one_name_the_last_counts() {
    let mut layout = Layout::of(&[files(&[("a", b"1")])]);
    layout
        .0
        .insert(0, ("index.json".into(), b"{\"manifests\":[]}".to_vec()));
    let packed = |layout: &Layout| {
        let folder = scratch();
        write_all(folder.path(), &[("image.tar", common::tar(&layout.0))]);
        scanned(0, folder.path())
    };
    assert_eq!(standing(&packed(&layout), "!/a"), "top");
    layout.0.rotate_left(1);
    assert_eq!(standing(&packed(&layout), "!/a"), "unreferenced");
}
