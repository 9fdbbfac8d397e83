//! The documents of an image: indexes, manifests, configurations, and the list that `docker save` writes.
//!
//! They are JSON (OCI image-spec 1.1: "Image Index", "Image Manifest", "Image Configuration"; Docker's image specification
//! 1.2 for `manifest.json`). They are recognised by their keys, since the same words stand under several media types and
//! under none. Fields of another type than they should have are taken for absent; what has no digests is no document.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A larger document is none that an engine reads (the specification asks registries for 4 MiB); bytes.
const MAX_BYTES: usize = 4 << 20;
/// The keys under which tools note what an image is called.
const NAME_KEYS: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// One document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doc {
    /// A list of manifests, or of further lists.
    Index(Vec<Descriptor>),
    /// One image: its configuration, and its layers from the bottom up.
    Manifest {
        /// The configuration.
        config: Descriptor,
        /// The layers.
        layers: Vec<Descriptor>,
    },
    /// How an image is run.
    Config {
        /// `os/architecture`, with a variant where it has one.
        platform: Option<String>,
        /// How many layers it knows of.
        layers: u64,
    },
    /// The images of a `docker save`.
    Saved(Vec<SavedImage>),
    /// What looks like a document and was not read as one. Whether it is one its place decides.
    Unread(Why),
}

/// Why what looks like a document was not read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It is larger than content may be held.
    Memory,
    /// It is larger than documents are.
    Size,
    /// It is no JSON: cut, or damaged.
    Broken,
}

/// What editors put before UTF-8.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a document names another blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its media type; empty where none is given.
    pub media_type: String,
    /// Its digest, `ALGORITHM:HEX`, as written; empty where what is written is none, so that it names nothing.
    pub digest: String,
    /// What it is called, where it is called something.
    pub name: Option<String>,
    /// What it runs on.
    pub platform: Option<String>,
}

/// One image of a `docker save`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedImage {
    /// Path of its configuration.
    pub config: String,
    /// What it is called.
    pub tags: Vec<String>,
    /// Paths of its layers, from the bottom up.
    pub layers: Vec<String>,
}

impl Doc {
    /// Reads a document; `None` for everything else, at the price of a few searches for words.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if !Self::may_begin_with(bytes) || !Self::has_words(bytes) {
            return None;
        }
        if bytes.len() > MAX_BYTES {
            return Some(Self::Unread(Why::Size));
        }
        let text = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
        let Ok(value) = serde_json::from_slice(text) else {
            return Some(Self::Unread(Why::Broken));
        };
        match value {
            Value::Array(images) => saved(&images),
            Value::Object(fields) => index(fields.get("manifests"))
                .or_else(|| manifest(fields.get("config")?, fields.get("layers")?))
                .or_else(|| config(&Value::Object(fields))),
            _ => None,
        }
    }

    /// Whether content that begins so may be a document.
    pub fn may_begin_with(head: &[u8]) -> bool {
        let text = head.strip_prefix(UTF8_MARK).unwrap_or(head);
        matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    /// Whether a word stands in a text without which nothing is a document.
    pub fn has_words(text: &[u8]) -> bool {
        let words: [&[u8]; 4] = [
            b"\"manifests\"",
            b"\"layers\"",
            b"\"diff_ids\"",
            b"\"Layers\"",
        ];
        let mut words = words.iter();
        words.any(|word| memchr::memmem::find(text, word).is_some())
    }
}

fn index(manifests: Option<&Value>) -> Option<Doc> {
    let manifests = manifests?.as_array()?;
    let found: Vec<_> = manifests.iter().map(descriptor).collect();
    let is_index = found.is_empty() || found.iter().any(Descriptor::is_usable);
    is_index.then_some(Doc::Index(found))
}

fn manifest(config: &Value, layers: &Value) -> Option<Doc> {
    let layers = layers.as_array()?;
    let config = descriptor(config);
    let layers: Vec<_> = layers.iter().map(descriptor).collect();
    let is_manifest = config.is_usable() || layers.iter().any(Descriptor::is_usable);
    is_manifest.then_some(Doc::Manifest { config, layers })
}

fn config(fields: &Value) -> Option<Doc> {
    let layers = fields.pointer("/rootfs/diff_ids")?.as_array()?;
    Some(Doc::Config {
        platform: platform(fields),
        layers: layers.len() as u64,
    })
}

fn saved(images: &[Value]) -> Option<Doc> {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let list = value.and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let found: Vec<_> = images
        .iter()
        .filter_map(|image| {
            image.get("Layers")?.as_array()?;
            Some(SavedImage {
                config: image.get("Config")?.as_str()?.to_owned(),
                tags: texts(image.get("RepoTags")),
                layers: texts(image.get("Layers")),
            })
        })
        .collect();
    (!found.is_empty()).then_some(Doc::Saved(found))
}

fn descriptor(value: &Value) -> Descriptor {
    let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let notes = value.get("annotations");
    let name = NAME_KEYS
        .iter()
        .find_map(|key| notes?.get(key)?.as_str())
        .map(str::to_owned);
    Descriptor {
        media_type: text("mediaType").unwrap_or_default(),
        digest: text("digest")
            .filter(|digest| is_digest(digest))
            .unwrap_or_default(),
        name,
        platform: value.get("platform").and_then(platform),
    }
}

/// Whether a text is `ALGORITHM:HEX`. It becomes a path: nothing but a name may stand on either side.
fn is_digest(text: &str) -> bool {
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte);
        !text.is_empty() && !text.starts_with('.') && bytes.all(is_part)
    };
    let parts = text.split_once(':');
    parts.is_some_and(|(algorithm, hex)| is_name(algorithm) && is_name(hex))
}

fn platform(value: &Value) -> Option<String> {
    let text = |key: &str| value.get(key)?.as_str();
    let mut platform = format!("{}/{}", text("os")?, text("architecture")?);
    if let Some(variant) = text("variant") {
        platform.push('/');
        platform.push_str(variant);
    }
    Some(platform)
}

impl Descriptor {
    /// The path of the blob below the folder of the layout.
    pub fn path(&self) -> String {
        format!("blobs/{}", self.digest.replacen(':', "/", 1))
    }

    /// Whether it names a blob.
    pub fn is_usable(&self) -> bool {
        !self.digest.is_empty()
    }

    /// Whether it is said to be encrypted (the media types that ocicrypt writes).
    pub fn is_encrypted(&self) -> bool {
        self.media_type.ends_with("+encrypted")
    }

    /// Whether it is said to hold files, or nothing is said: an index may also name charts, signatures and lists of parts.
    pub fn may_be_files(&self) -> bool {
        let words = ["tar", "image.layer", "squashfs", "erofs"];
        self.media_type.is_empty() || words.iter().any(|word| self.media_type.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn documents_are_told_by_their_keys() {
        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{DIGEST}","size":7,
            "platform":{{"os":"linux","architecture":"arm64","variant":"v8"}},
            "annotations":{{"org.opencontainers.image.ref.name":"v1"}}}}]}}"#
        );
        let Some(Doc::Index(found)) = Doc::of(index.as_bytes()) else {
            panic!("no index");
        };
        assert_eq!(found[0].name.as_deref(), Some("v1"));
        assert_eq!(found[0].platform.as_deref(), Some("linux/arm64/v8"));
        assert_eq!(
            found[0].path(),
            format!("blobs/{}", DIGEST.replace(':', "/"))
        );
        let manifest =
            format!(r#"{{"config":{{"digest":"{DIGEST}"}},"layers":[{{"digest":"{DIGEST}"}}]}}"#);
        assert!(
            matches!(Doc::of(manifest.as_bytes()), Some(Doc::Manifest { layers, .. }) if layers.len() == 1)
        );
        let config = r#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["a","b"]}}"#;
        assert_eq!(
            Doc::of(config.as_bytes()),
            Some(Doc::Config {
                platform: Some("linux/amd64".into()),
                layers: 2
            })
        );
        let saved = r#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["x/layer.tar"]}]"#;
        assert!(matches!(Doc::of(saved.as_bytes()), Some(Doc::Saved(images)) if images.len() == 1));
    }

    #[test]
    fn other_json_is_no_document() {
        for text in [
            "",
            "[]",
            r#"{"layers":[{"ty":4,"nm":"shape"}],"config":{}}"#,
            r#"{"manifests":[{"digest":"../../etc:passwd"}]}"#,
            r#"{"manifests":[{"digest":"sha256:a/b"}]}"#,
            r#"[{"Layers":7,"Config":"c"}]"#,
            r#"{"rootfs":{"diff_ids":"x"}}"#,
        ] {
            assert_eq!(Doc::of(text.as_bytes()), None, "{text}");
        }
        let deep = [b"[".repeat(100_000), b"\"Layers\"".to_vec()].concat();
        assert_eq!(Doc::of(&deep), Some(Doc::Unread(Why::Broken)));
    }

    #[test]
    fn what_is_wrong_with_a_document_does_not_hide_the_rest() {
        let manifest = format!(
            r#"{{"config":{{"digest":"{DIGEST}"}},"layers":[{{"digest":"{DIGEST}"}},{{"digest":"sha256:../x"}}]}}"#
        );
        let read = |text: &str| Doc::of(text.as_bytes());
        let Some(Doc::Manifest { layers, .. }) = read(&manifest) else {
            panic!("no manifest");
        };
        let usable: Vec<_> = layers.iter().map(Descriptor::is_usable).collect();
        assert_eq!(usable, [true, false]);
        assert_eq!(read(&format!("\u{feff}{manifest}")), read(&manifest));
        let cut = &manifest[..manifest.len() - 3];
        assert_eq!(read(cut), Some(Doc::Unread(Why::Broken)));
        let large = format!("{manifest}{}", " ".repeat(MAX_BYTES));
        assert_eq!(read(&large), Some(Doc::Unread(Why::Size)));
        assert_eq!(read(r#"{"manifests":[]}"#), Some(Doc::Index(Vec::new())));
    }
}
