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
}

/// How a document names another blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its media type; empty where none is given.
    pub media_type: String,
    /// Its digest, `ALGORITHM:HEX`, as written.
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
        let first = bytes.trim_ascii_start().first()?;
        if bytes.len() > MAX_BYTES || !matches!(first, b'{' | b'[') {
            return None;
        }
        let words: [&[u8]; 4] = [
            b"\"manifests\"",
            b"\"layers\"",
            b"\"diff_ids\"",
            b"\"Layers\"",
        ];
        if !words
            .iter()
            .any(|word| memchr::memmem::find(bytes, word).is_some())
        {
            return None;
        }
        match serde_json::from_slice(bytes).ok()? {
            Value::Array(images) => saved(&images),
            Value::Object(fields) => index(fields.get("manifests"))
                .or_else(|| manifest(fields.get("config")?, fields.get("layers")?))
                .or_else(|| config(&Value::Object(fields))),
            _ => None,
        }
    }
}

fn index(manifests: Option<&Value>) -> Option<Doc> {
    let manifests = manifests?.as_array()?;
    let found: Vec<_> = manifests.iter().filter_map(descriptor).collect();
    (!found.is_empty()).then_some(Doc::Index(found))
}

fn manifest(config: &Value, layers: &Value) -> Option<Doc> {
    let layers = layers.as_array()?;
    Some(Doc::Manifest {
        config: descriptor(config)?,
        layers: layers.iter().map(descriptor).collect::<Option<_>>()?,
    })
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

fn descriptor(value: &Value) -> Option<Descriptor> {
    let digest = value.get("digest")?.as_str()?;
    let (algorithm, hex) = digest.split_once(':')?;
    // It becomes a path: nothing but a name may stand there.
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty()
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte))
    };
    if !is_name(algorithm) || !is_name(hex) {
        return None;
    }
    let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let notes = value.get("annotations");
    let name = NAME_KEYS
        .iter()
        .find_map(|key| notes?.get(key)?.as_str())
        .map(str::to_owned);
    Some(Descriptor {
        media_type: text("mediaType").unwrap_or_default(),
        digest: digest.to_owned(),
        name,
        platform: value.get("platform").and_then(platform),
    })
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

    /// Whether it is said to be a tar, or nothing is said: an index may also name charts, signatures and lists of parts.
    pub fn may_be_files(&self) -> bool {
        self.media_type.is_empty() || self.media_type.contains("tar")
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
            "{",
            "[]",
            r#"{"layers":[{"ty":4,"nm":"shape"}],"config":{}}"#,
            r#"{"manifests":[]}"#,
            r#"{"manifests":[{"digest":"../../etc:passwd"}]}"#,
            r#"{"manifests":[{"digest":"sha256:a/b"}]}"#,
            r#"[{"Layers":7,"Config":"c"}]"#,
            r#"{"rootfs":{"diff_ids":"x"}}"#,
        ] {
            assert_eq!(Doc::of(text.as_bytes()), None, "{text}");
        }
        let deep = [b"[".repeat(100_000), b"\"Layers\"".to_vec()].concat();
        assert_eq!(Doc::of(&deep), None);
    }
}
