//! Hosts that are told by what lies there and by the form of its address, since no registry's name stands in the program: npm,
//! PyPI and container images. And whether an entire place is named, or its files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use strandline::case::Case;

use super::common::{Ran, gzip, manifest, run, scratch, sha256, tar, tgz, write_all, zip};
use super::{CONTACTS, program};

const NPM: &str = "https://packages.example";
const INDEX: &str = "https://index.example";
const IMAGES: &str = "https://images.example";

/// A work of JavaScript and Python: each kind of package has the half that is its own.
fn work() -> Vec<(String, String)> {
    let js = (0..5).map(|n| (format!("src/part{n}.js"), program(100 + n)));
    js.chain((0..3).map(|n| (format!("ledger/part{n}.py"), python(200 + n))))
        .collect()
}

/// A module that nobody else has.
fn python(seed: u64) -> String {
    let functions = program(seed);
    let names = functions.lines().filter_map(|line| {
        let (_, rest) = line.split_once("function ")?;
        rest.split('(').next().map(str::to_owned)
    });
    names
        .enumerate()
        .map(|(n, name)| format!("def {name}(first, second):\n    if first.{name}_{n} > {n}:\n        return second['{name}'] * {}\n    return None\n\n", seed * 31 + n as u64))
        .collect()
}

fn package(name: &str, folder: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut members = vec![(format!("{folder}/package.json"), manifest(name, "1.4.0"))];
    let js = work()
        .into_iter()
        .filter(|(path, _)| path.starts_with("src/"));
    members.extend(js.map(|(path, text)| (format!("{folder}/{path}"), text)));
    let more = more.iter();
    members.extend(more.map(|(path, text)| (format!("{folder}/{path}"), (*text).to_owned())));
    tgz(&members)
}

fn wheel(name: &str) -> Vec<u8> {
    let info = format!("{name}-1.4.0.dist-info");
    let mut members: Vec<(String, String)> = work();
    members.retain(|(path, _)| path.starts_with("ledger/"));
    members.extend([
        (
            format!("{info}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.4.0\n"),
        ),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: made 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .to_owned(),
        ),
        (format!("{info}/RECORD"), String::new()),
    ]);
    let members: Vec<(&str, &str)> = members
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    zip(&members)
}

/// An image as `skopeo copy … oci:` lays it out (OCI image layout 1.0), with the work in its one layer.
fn image(folder: &Path) {
    let members: Vec<(String, String)> = work()
        .into_iter()
        .map(|(path, text)| (format!("srv/app/{path}"), text))
        .collect();
    let unpacked = tar(&members);
    let layer = gzip(&unpacked);
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{}\"]}}}}",
        sha256(&unpacked)
    );
    let part = |kind: &str, bytes: &[u8]| {
        format!(
            "{{\"mediaType\":\"application/vnd.oci.image.{kind}\",\"digest\":\"sha256:{}\",\"size\":{}}}",
            sha256(bytes),
            bytes.len()
        )
    };
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{},\"layers\":[{}]}}",
        part("config.v1+json", config.as_bytes()),
        part("layer.v1.tar+gzip", &layer)
    );
    let index = format!(
        "{{\"schemaVersion\":2,\"manifests\":[{}]}}",
        part("manifest.v1+json", manifest.as_bytes())
    );
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", sha256(bytes));
    let files: [(String, Vec<u8>); 5] = [
        (
            "oci-layout".to_owned(),
            b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec(),
        ),
        ("index.json".to_owned(), index.into_bytes()),
        (blob(manifest.as_bytes()), manifest.clone().into_bytes()),
        (blob(config.as_bytes()), config.clone().into_bytes()),
        (blob(&layer), layer.clone()),
    ];
    write_all(folder, &files);
}

struct Hosted {
    folder: tempfile::TempDir,
}

impl Hosted {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn made() -> Self {
        let hosted = Self { folder: scratch() };
        let at = |name: &str| hosted.path(name);
        write_all(&at("work"), &work());
        write_all(&at("open"), &[("open.js", program(900))]);
        std::fs::create_dir(at("copies")).unwrap();
        let noise = "A text of somebody else's, in words of their own.\n".repeat(40);
        for (name, bytes) in [
            ("ledgerx-1.4.0.tgz", package("ledgerx", "package", &[])),
            ("own-1.4.0.tgz", package("@acme/ledger", "package", &[])),
            (
                "posed-1.4.0.tgz",
                package("@acme/ledger", "package", &[("notes.md", &noise)]),
            ),
            ("ledgerx-1.4.0-py3-none-any.whl", wheel("ledgerx")),
            ("acme_ledger-1.4.0-py3-none-any.whl", wheel("acme-ledger")),
        ] {
            std::fs::write(at("copies").join(name), bytes).unwrap();
        }
        image(&at("copies/image"));
        // A folder with nothing else in it, and one with as much beside.
        write_all(&at("copies/whole"), &work());
        let mut more = work();
        more.extend((0..8).map(|n| (format!("other/o{n}.md"), format!("{n} {noise}"))));
        write_all(&at("copies/part"), &more);
        let rows: String = [
            (
                "ledgerx-1.4.0.tgz",
                format!("{NPM}/ledgerx/-/ledgerx-1.4.0.tgz"),
            ),
            (
                "own-1.4.0.tgz",
                format!("{NPM}/@acme/ledger/-/ledger-1.4.0.tgz"),
            ),
            ("posed-1.4.0.tgz", format!("{NPM}/posed/-/posed-1.4.0.tgz")),
            (
                "ledgerx-1.4.0-py3-none-any.whl",
                format!("{INDEX}/packages/0a/1b/ledgerx-1.4.0-py3-none-any.whl"),
            ),
            (
                "acme_ledger-1.4.0-py3-none-any.whl",
                format!("{INDEX}/project/acme-ledger/1.4.0/"),
            ),
            ("image", format!("{IMAGES}/r/u7/ledger")),
            ("whole", "https://github.com/u1/whole".to_owned()),
            ("part", "https://github.com/u2/part".to_owned()),
        ]
        .map(|(path, url)| format!("copies/{path},{url},2026-04-03T07:00:00Z\n"))
        .concat();
        std::fs::write(at("origins.csv"), format!("path,url,seen-at\n{rows}")).unwrap();
        std::fs::write(
            at("org.toml"),
            "name = \"Acme\"\nscopes = [\"@acme\"]\npackages = [\"acme-ledger\"]\n",
        )
        .unwrap();
        std::fs::write(at("contacts.toml"), CONTACTS).unwrap();
        let sign = |tree: &str, more: &[&str]| {
            let set = at(&format!("{tree}.sigset"));
            let mut words: Vec<OsString> = vec!["sign".into(), at(tree).into()];
            words
                .extend(["--work", "ledger", "--release", "1.4.0", "--output"].map(OsString::from));
            words.push(set.clone().into());
            words.extend(more.iter().map(OsString::from));
            run(&words).expect(0);
            set
        };
        let mut scan: Vec<OsString> = vec!["scan".into(), at("copies").into(), "--quiet".into()];
        for (flag, value) in [
            ("--signatures", sign("work", &[])),
            ("--signatures", sign("open", &["--public"])),
            ("--case", at("a.case")),
            ("--origins", at("origins.csv")),
            ("--copies-root", at("copies")),
            ("--org", at("org.toml")),
        ] {
            scan.extend([flag.into(), value.into()]);
        }
        run(&scan).expect(0);
        for class in ["verbatim", "partial", "modified", "reformatted"] {
            let case = at("a.case");
            let mut confirm: Vec<OsString> = vec!["case".into(), "review".into(), case.into()];
            confirm
                .extend(["--confirm", "--all-of", class, "--by", "R. Reader"].map(OsString::from));
            run(&confirm);
        }
        hosted
    }

    fn draft(&self, host: &str) -> Ran {
        let mut words: Vec<OsString> = vec!["notice".into(), self.path("a.case").into()];
        words.extend(["--host", host, "--output"].map(OsString::from));
        words.push(self.path(host).into());
        words.extend(["--contacts".into(), self.path("contacts.toml").into()]);
        run(&words)
    }

    fn read(&self, path: &str) -> String {
        let path = self.path(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }
}

#[test]
fn packages_and_images_are_told_by_structure_and_own_ones_are_unpublished() {
    let hosted = Hosted::made();
    hosted.draft("npm").expect(0);
    let text = hosted.read("npm/notice-1/notice.txt");
    assert!(
        text.contains(&format!("{NPM}/ledgerx/-/ledgerx-1.4.0.tgz\n")),
        "{text}"
    );
    // Who poses as the vendor under another name is no vendor.
    assert!(
        text.contains(&format!("{NPM}/posed/-/posed-1.4.0.tgz\n")),
        "{text}"
    );
    for other in [INDEX, IMAGES, "github.com/u", "@acme/ledger/-/"] {
        assert!(!text.contains(other), "{other}\n{text}");
    }
    assert!(text.contains("npm.js?\n\nnpm"), "{text}");
    // Each file is held fast, since a registry has no address of a file.
    let archive = sha256(&std::fs::read(hosted.path("copies/ledgerx-1.4.0.tgz")).unwrap());
    assert!(text.contains(&archive), "{text}");
    assert!(text.contains("package/src/part0.js, SHA-256 "), "{text}");
    let own = hosted.read("npm/own-unpublish.txt");
    assert!(
        own.contains("Own: unpublish.") && own.contains("@acme/ledger 1.4.0"),
        "{own}"
    );
    assert!(
        own.contains("a version number can never be used again"),
        "{own}"
    );
    assert!(!own.contains("posed"), "{own}");

    hosted.draft("pypi").expect(0);
    let text = hosted.read("pypi/notice-1/notice.txt");
    assert!(
        text.contains(&format!(
            "{INDEX}/packages/0a/1b/ledgerx-1.4.0-py3-none-any.whl\n"
        )),
        "{text}"
    );
    assert!(!text.contains(NPM) && !text.contains(IMAGES), "{text}");
    assert!(text.contains("512(c)(3)(A)(vi)"), "{text}");
    // Whose a wheel is nobody read: it is named, and whoever sends the notice is told to look.
    assert!(text.contains("/project/acme-ledger/1.4.0"), "{text}");
    let checks = hosted.read("pypi/notice-1/before-sending.txt");
    assert!(
        checks.contains("look whether one is the vendor's own"),
        "{checks}"
    );

    hosted.draft("dockerhub").expect(0);
    let text = hosted.read("dockerhub/notice-1/notice.txt");
    assert!(text.contains(&format!("{IMAGES}/r/u7/ledger\n")), "{text}");
    assert!(text.contains("srv/app/src/part0.js"), "{text}");
    assert!(!text.contains(NPM) && !text.contains(INDEX), "{text}");
    assert!(!hosted.path("dockerhub/own-unpublish.txt").exists());

    let case = Case::open(&hosted.path("a.case")).unwrap();
    let notices = case.notices().unwrap();
    let rows: Vec<usize> = notices.iter().map(|notice| notice.rows.len()).collect();
    assert_eq!(rows, [2, 2, 1]);
    // Where nothing is left but the vendor's own, that is said, and nothing is drafted.
    drop(case);
    let mut reject: Vec<OsString> = vec!["case".into(), "review".into()];
    reject.push(hosted.path("a.case").into());
    reject.extend(["--by", "R. Reader", "--reject"].map(OsString::from));
    reject.extend(notices[0].rows.iter().map(OsString::from));
    run(&reject).expect(0);
    std::fs::rename(hosted.path("npm"), hosted.path("first")).unwrap();
    hosted
        .draft("npm")
        .expect(2)
        .says("@acme/ledger 1.4.0 is the vendor's own")
        .says("Own: unpublish");
    // The folder takes the next draft.
    assert_eq!(std::fs::read_dir(hosted.path("npm")).unwrap().count(), 0);
}

#[test]
fn an_entire_place_is_named_only_where_all_of_it_matches() {
    let hosted = Hosted::made();
    hosted.draft("github").expect(0);
    let text = hosted.read("github/notice-1/notice.txt");
    // Both are in one notice, since no network is recorded; then it is about files.
    assert!(text.contains("Only the files listed here."), "{text}");
    assert!(text.contains("8 match nothing"), "{text}");
    let case = hosted.path("a.case");
    let mut reject: Vec<OsString> = vec!["case".into(), "review".into(), case.clone().into()];
    let id = {
        let case = Case::open(&case).unwrap();
        let mut id = None;
        case.records(|record| {
            if let strandline::record::Record::Copy(copy) = record
                && copy.locator == "copies/part"
            {
                id = Some(strandline::case::copy_id(&copy));
            }
            Ok::<_, strandline::case::CaseError>(())
        })
        .unwrap();
        id.expect("the copy")
    };
    reject.extend(["--reject", &id, "--by", "R. Reader"].map(OsString::from));
    run(&reject).expect(0);
    std::fs::rename(hosted.path("github"), hosted.path("first")).unwrap();
    hosted.draft("github").expect(0);
    let text = hosted.read("github/notice-1/notice.txt");
    assert!(text.contains("Entire repository. Of each place listed here at least 98.0 % of its files and 98.0 % of its bytes match"), "{text}");
    assert!(
        text.contains("At this place 8 files match, 0 match nothing: 100 % of the files"),
        "{text}"
    );
    assert!(
        text.contains("https://github.com/u1/whole\n") && !text.contains("u2/part"),
        "{text}"
    );
}
