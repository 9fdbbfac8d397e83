//! A registry's own account of a package: the document with all its versions, and when each was published.
//!
//! Mirrors keep it beside the tarballs (as `package.json`, `index.json` or without an ending), and people save it. It is
//! told by its content: an object with a `name`, with `dist-tags`, and with a `time` that gives a date for each version,
//! as RFC 3339 text. These dates are the registry's word, and the only ones that reports call publish dates.
//!
//! Left out: everything else in it (the manifests of all versions, tags, readers), and documents without `time`, as
//! registries give them to installers.

use std::collections::BTreeMap;

use memchr::memmem;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::content::Read;

/// A larger document is not read; bytes. The largest that are known have some 30 MB.
const MAX_BYTES: usize = 256 << 20;

/// Keys of `time` that are no versions.
const NO_VERSIONS: [&str; 3] = ["created", "modified", "unpublished"];

/// When the versions of a package were published.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Packument {
    /// Name of the package.
    pub name: String,
    /// Versions by name, with the seconds since 1970 at which each was published.
    pub times: Vec<(String, i64)>,
}

#[derive(serde::Deserialize)]
struct Fields {
    name: Option<String>,
    #[serde(rename = "dist-tags")]
    tags: Option<BTreeMap<String, IgnoredAny>>,
    time: Option<BTreeMap<String, Date>>,
}

/// A text. Anything else is passed over and not kept: what a document declares as its times may be a list of millions.
struct Date(Option<String>);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DateVisitor)
    }
}

struct DateVisitor;

impl<'de> Visitor<'de> for DateVisitor {
    type Value = Date;

    fn expecting(&self, text: &mut std::fmt::Formatter) -> std::fmt::Result {
        text.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Date, E> {
        Ok(Date(Some(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Date, E> {
        Ok(Date(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Date, E> {
        Ok(Date(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Date, E> {
        Ok(Date(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Date, E> {
        Ok(Date(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Date, E> {
        Ok(Date(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Date, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Date(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Date, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Date(None))
    }
}

impl Packument {
    /// Reads a document. `None` for anything else, at the price of two substring searches in an object.
    pub fn from_json(bytes: &[u8]) -> Option<Packument> {
        match Packument::read_json(bytes) {
            Read::Is(packument) => Some(packument),
            Read::IsNot | Read::TooLarge => None,
        }
    }

    /// The same; says of a larger document whether it has the keys of one.
    pub(super) fn read_json(bytes: &[u8]) -> Read<Packument> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = text.trim_ascii_start();
        let may_be = text.first() == Some(&b'{')
            && memmem::find(text, b"\"dist-tags\"").is_some()
            && memmem::find(text, b"\"time\"").is_some();
        match may_be {
            false => Read::IsNot,
            true if text.len() > MAX_BYTES => Read::TooLarge,
            true => Packument::parse(text).into(),
        }
    }

    fn parse(text: &[u8]) -> Option<Packument> {
        let fields: Fields = serde_json::from_slice(text).ok()?;
        let (name, times) = (fields.name?, fields.time?);
        fields.tags?;
        let times: Vec<(String, i64)> = times
            .into_iter()
            .filter(|(version, _)| !NO_VERSIONS.contains(&version.as_str()))
            .filter_map(|(version, time)| Some((version, seconds_of(time.0.as_deref()?)?)))
            .collect();
        (!name.trim().is_empty() && !times.is_empty()).then_some(Packument { name, times })
    }

    /// Bytes that it takes, roughly.
    pub fn weight(&self) -> usize {
        self.times
            .iter()
            .map(|(version, _)| 48 + version.len())
            .sum::<usize>()
            + self.name.len()
    }
}

/// Seconds since 1970 of a date with time and zone as RFC 3339 has them (section 5.6); fractions are left out. `None` for
/// anything else, and for what lies before 1970.
pub fn seconds_of(text: &str) -> Option<i64> {
    let (local, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, 0),
        None => {
            let at = text.len().checked_sub(6)?;
            let (local, zone) = text.split_at_checked(at)?;
            let sign = match zone.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            (
                local,
                sign * (two_digits(hours, 23)? * 60 + two_digits(minutes, 59)?) * 60,
            )
        }
    };
    let mut local = local.to_owned();
    // A space in the T's place is allowed; the crate wants the letter.
    if let Some(between) = local.get_mut(10..11) {
        if !matches!(&*between, "T" | "t" | " ") {
            return None;
        }
        local.replace_range(10..11, "T");
    }
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()? - offset;
    (seconds >= 0).then_some(seconds)
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok()?;
    (is_number && number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_versions_are_read_and_nothing_else() {
        let text = br#"{"_id":"@acme/cli","name":"@acme/cli","dist-tags":{"latest":"1.0.1"},
            "versions":{"1.0.0":{"name":"@acme/cli","version":"1.0.0"}},
            "time":{"created":"2024-01-01T00:00:00.000Z","modified":"2024-02-01T00:00:00.000Z",
                    "1.0.0":"2024-01-01T00:00:01.500Z","1.0.1":"yesterday","1.0.2":7,
                    "a":null,"b":true,"c":-1,"d":1.5,"e":[[1],{}],"f":{"g":["h"]}}}"#;
        let expected = Packument {
            name: "@acme/cli".to_owned(),
            times: vec![("1.0.0".to_owned(), 1_704_067_201)],
        };
        assert_eq!(Packument::from_json(text), Some(expected));
        for other in [
            &br#"{"name":"a","version":"1.0.0"}"#[..],
            br#"{"name":"a","dist-tags":{},"time":{}}"#,
            br#"{"name":"a","dist-tags":{},"time":"noon"}"#,
            br#"{"dist-tags":{},"time":{"1.0.0":"2024-01-01T00:00:00Z"}}"#,
            br#"[{"name":"a","dist-tags":{},"time":{"1.0.0":"2024-01-01T00:00:00Z"}}]"#,
            br#"{"name":"a","dist-tags":{},"time":{"1.0.0":"2024-01-01T00:00:00Z"}"#,
            b"",
        ] {
            assert_eq!(Packument::from_json(other), None, "{other:?}");
        }
    }

    #[test]
    fn dates_are_read_as_the_standard_writes_them() {
        // RFC 3339, section 5.8: the second is the same moment as 1996-12-20T00:39:57Z.
        assert_eq!(seconds_of("1985-04-12T23:20:50.52Z"), Some(482_196_050));
        assert_eq!(seconds_of("1996-12-19T16:39:57-08:00"), Some(851_042_397));
        assert_eq!(seconds_of("1996-12-20 00:39:57z"), Some(851_042_397));
        for other in [
            "",
            "Z",
            "1996-12-20",
            "1996-12-20T00:39:57",
            "1996-12-20T00:39:57+8:00",
            "1969-12-31T23:59:59Z",
            "1996-13-20T00:39:57Z",
            "1996-12-20T00:39:57+99:00",
            "1996-12-20T00:39:5é",
            "19961220T003957Z",
        ] {
            assert_eq!(seconds_of(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,40}") {
            let _ = seconds_of(&text);
            let _ = Packument::from_json(text.as_bytes());
        }
    }
}
