//! Private keys, in armour and in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memmem;

use super::{Place, STRUCTURE, Verdict};
use crate::exposure::key;
use crate::exposure::shown;
use crate::exposure::values::entropy;
use crate::record::Severity;

/// A key takes no more; bytes.
const ARMOUR_BYTES: usize = 64 << 10;

pub(super) fn private_key(place: &Place<'_>) -> Option<Verdict> {
    let at = place.whole.start;
    let key = match place.bytes() {
        bytes if bytes.starts_with(b"PuTTY") => key::putty_key_at(place.text, at)?,
        _ => key::pem_key_at(place.text, at)?,
    };
    // From the first line's dashes on, to those of the last.
    let line = at.saturating_sub(40);
    let start =
        memmem::rfind(place.text.get(line..at)?, b"-----BEGIN").map_or(at, |back| line + back);
    let behind = place.text.get(place.whole.end..)?;
    let behind = behind.get(..ARMOUR_BYTES).unwrap_or(behind);
    let end = place.whole.end + memmem::find(behind, b"-----END").unwrap_or(behind.len());
    let locked = if key.encrypted {
        ", with a passphrase"
    } else {
        ""
    };
    let name = format!("{} {}{locked}", key.format.as_str(), key.algorithm.as_str());
    let verdict = Verdict::of(STRUCTURE).shown(name).span(start..end);
    Some(if key.encrypted {
        verdict.severity(Severity::Medium)
    } else {
        verdict
    })
}

/// The object that holds the key's type, and in it the private part.
pub(super) fn jwk(place: &Place<'_>) -> Option<Verdict> {
    /// Bytes of the largest object that is looked at.
    const OBJECT_BYTES: usize = 8192;
    let before = place.text.get(..place.whole.start)?;
    let window = place.whole.start.saturating_sub(OBJECT_BYTES);
    let open = window + memchr::memrchr2(b'{', b'}', &before[window..])?;
    let rest = place
        .text
        .get(open..place.text.len().min(open + OBJECT_BYTES))?;
    let object = &rest[..memchr::memchr(b'}', rest)? + 1];
    let kind = super::clouds::json_string(object, "\"kty")
        .or_else(|| super::clouds::json_string(object, "kty"))?;
    let part: &[u8] = if kind == b"oct" { b"\"k" } else { b"\"d" };
    let part = memmem::find_iter(object, part).find_map(|at| {
        let name = std::str::from_utf8(&object[at..at + 2]).ok()?;
        matches!(object.get(at + 2), Some(b'"' | b'\\'))
            .then(|| super::clouds::json_string(&object[at..], name))?
    })?;
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    let curve = super::clouds::json_string(object, "\"crv")
        .map(|curve| format!(" {}", shown(curve)))
        .unwrap_or_default();
    let name = format!("{}{curve}, {} bits", shown(kind), bytes.len() * 8);
    let start = open + (part.as_ptr() as usize).checked_sub(object.as_ptr() as usize)?;
    let is_key = bytes.len() >= 16 && entropy(&bytes) > 3.0;
    is_key.then(|| {
        Verdict::of(STRUCTURE)
            .detail(name.clone())
            .shown(name)
            .span(start..start + part.len())
    })
}
