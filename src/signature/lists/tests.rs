use super::super::{Set, SetGroup};
use super::*;
use crate::signature::{Options, PartyFlag};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn listed_paths(text: &str) -> Vec<String> {
    let list = read(text.as_bytes()).unwrap();
    let paths = list.files.iter();
    paths
        .map(|file| String::from_utf8_lossy(&file.path).into_owned())
        .collect()
}

#[test]
fn every_form_of_sha256sum_is_read() {
    let text = format!(
        "{ABC}  a b\n{ABC} *./c\n\\{ABC}  d\\ne\\\\\n# said\n\nSHA256 (f) = g) = {ABC}\n{ABC}\n"
    );
    assert_eq!(
        listed_paths(&text),
        ["a b", "c", "d\ne\\", "f) = g", &format!("sha256:{ABC}")]
    );
    assert_eq!(
        listed_paths(&format!("{ABC}  a\\n\nb\0{ABC}  c\0")),
        ["a\\n\nb", "c"]
    );
    assert_eq!(
        listed_paths(&format!("\u{feff}{ABC}  a\r\n{ABC}  b\r\n")),
        ["a", "b"]
    );
}

#[test]
fn a_list_of_hashdeep_is_read_by_its_columns() {
    let head = "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## said\n";
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let list = read(format!("{head}3,{md5},{ABC},/x/a,b\n").as_bytes()).unwrap();
    assert_eq!(list.files[0].path, b"/x/a,b");
    assert_eq!(list.files[0].bytes, Some(3));
    assert!(matches!(list.files[0].digest, Digest::Sha256(_)));
    let head = "%%%% HASHDEEP-1.0\n%%%% size,md5,sha1,filename\n";
    let list = read(format!("{head}3,{md5},0,a\n").as_bytes()).unwrap();
    assert!(matches!(list.files[0].digest, Digest::Md5(_)));
    let head = "%%%% HASHDEEP-1.0\n%%%% size,sha1,filename\n";
    assert!(read(format!("{head}3,00,a\n").as_bytes()).is_err());
}

#[test]
fn swhids_are_read_with_qualifiers_and_paths() {
    let id = "swh:1:cnt:f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f";
    let dir = id.replace("cnt", "dir");
    let text = format!("{id}\n{id}\tx y\n{id};origin=a;path=/p%3B/q;lines=1-2\n{dir}\t.\n{id}x\n");
    let list = read(text.as_bytes()).unwrap();
    assert_eq!(listed_paths(&text), [id, "x y", "p;/q"]);
    assert_eq!(list.not_contents, 1);
    assert_eq!(list.not_understood, (1, vec![5]));
}

#[test]
fn what_is_not_understood_is_counted_and_what_is_no_list_refused() {
    let wfp = "file=900150983cd24fb0d6963f7d28e17f72,3,a,b\n1=00ff00ff,11223344\nstart_line=7\nfh2=00\nnonsense\n";
    let list = read(wfp.as_bytes()).unwrap();
    assert_eq!((list.kind, list.files.len()), (Kind::Wfp, 1));
    assert_eq!(list.not_understood, (1, vec![5]));
    for text in [
        "",
        "hello\n",
        "900150983cd24fb0d6963f7d28e17f72  a\n",
        "a=b\n",
        "%%%% x\n",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    let long = format!("{ABC}  {}\n{ABC}  b\n", "a".repeat(LINE_MAX));
    let list = read(long.as_bytes()).unwrap();
    assert_eq!((list.files.len(), list.not_understood.0), (1, 1));
}

/// The set of a list.
fn set_of(text: &str) -> Set {
    let files = read(text.as_bytes()).unwrap().files;
    let files = files.into_iter().map(|file| (file, PartyFlag::Unknown));
    let built = build("w", "1", Options::default(), files.collect()).unwrap();
    Set::from_bytes(built.set_bytes, None).unwrap()
}

#[test]
fn a_set_of_each_list_knows_equal_bytes_and_no_others() {
    let sha256: [u8; 32] = super::super::digests_of(b"abc").sha256;
    let other: [u8; 32] = super::super::digests_of(b"abd").sha256;
    let md5 = "file=900150983cd24fb0d6963f7d28e17f72,3,a\n";
    let git = "swh:1:cnt:f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f\ta\n";
    for text in [&format!("{ABC}  a\n"), md5, git] {
        let group = SetGroup::new(vec![set_of(text)]);
        let set = &group.sets()[0];
        assert!(set.is_of_lists(), "{text}");
        assert_eq!(set.tiers().len(), 1, "{text}");
        assert_eq!(group.lookup(&sha256, b"abc").len(), 1, "{text}");
        assert_eq!(group.lookup(&other, b"abd"), [], "{text}");
        let digests = super::super::ListDigests::read(&b"abc"[..], 3).unwrap();
        assert_eq!(group.lookup_listed(&sha256, &digests).len(), 1, "{text}");
        let file = set.file(0).unwrap();
        assert_eq!((file.lines, file.party), (0, PartyFlag::Unknown));
        assert_eq!(file.is_length_known, text == md5);
        assert_eq!(set.counted().files, 1);
        assert_eq!(set.counted().bytes, file.is_length_known.then_some(3));
    }
    // The same MD5 at another length is another file.
    let longer = SetGroup::new(vec![set_of(&md5.replace(",3,", ",4,"))]);
    assert_eq!(longer.lookup(&sha256, b"abc"), []);
}

#[test]
fn lists_that_name_in_different_ways_make_no_set_together() {
    let texts = [
        format!("{ABC}  a\n"),
        "file=900150983cd24fb0d6963f7d28e17f72,3,a\n".to_owned(),
    ];
    let files = texts
        .iter()
        .flat_map(|text| read(text.as_bytes()).unwrap().files);
    let files = files.map(|file| (file, PartyFlag::Unknown)).collect();
    let error = build("w", "1", Options::default(), files).unwrap_err();
    assert!(error.to_string().contains("MD5 and length"), "{error}");
}

#[test]
fn a_digest_of_nothing_is_told() {
    for text in [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n",
        "file=d41d8cd98f00b204e9800998ecf8427e,0,a\n",
        "swh:1:cnt:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\ta\n",
    ] {
        assert!(
            read(text.as_bytes()).unwrap().files[0]
                .digest
                .is_of_nothing()
        );
    }
}

/// The layout and the values of these sets, for good.
#[test]
fn golden_sets_of_lists() {
    let md5 = "file=900150983cd24fb0d6963f7d28e17f72,3,a\n";
    let git = "swh:1:cnt:f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f\ta\n";
    let golden = [
        (
            format!("{ABC}  a\n"),
            "a0d9ee47de760b18bbdb9e5bbe13b12322fa3163f6c5e45474c8f467897c3020",
        ),
        (
            git.to_owned(),
            "7162dc08147d40e7aa67ab214b4bd1b8ccaf662b32a2d362b75776656d336f3a",
        ),
        (
            md5.to_owned(),
            "5a85e7c73de8e225588df43029cc6a0b3a5e7b4379177567d5753a6b0f7e965f",
        ),
    ];
    for (text, digest) in golden {
        let found = super::super::digest::hex(&set_of(&text).digest());
        assert_eq!(found, digest, "{text}");
    }
}
