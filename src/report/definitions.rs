//! What the words and figures of the report mean. The page prints them, and so does its JSON twin.

use serde::Serialize;

/// A word and what it means here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// All of them.
pub(super) fn definitions() -> Vec<Definition> {
    let pair = |(word, meaning): &(&'static str, &'static str)| Definition { word, meaning };
    WORDS.iter().map(pair).collect()
}

const WORDS: [(&str, &str); 31] = [
    (
        "Entry",
        "One regular member of a container or folder, at its place.",
    ),
    (
        "Container",
        "Anything that has members: an archive, a compressed stream, a source map, a data URL.",
    ),
    (
        "Locator",
        "The way from an input to an entry. !/ stands where a container was opened; unusual bytes are written as %XX.",
    ),
    (
        "Place, distinct",
        "Equal content at three places counts three times in “places” and once in “distinct”, by its SHA-256.",
    ),
    (
        "Source",
        "An original file that a source map names; recovered when the map holds its content.",
    ),
    ("File", "In figures of size: a recovered source at a place."),
    (
        "Line",
        "A line feed, or a last line without one: physical lines, with blank ones and comments. Counted of contents that came whole.",
    ),
    (
        "Byte",
        "Of the content as it was recovered, before any normalisation.",
    ),
    ("Language", "Told by the ending of a source’s name."),
    (
        "Share of the bundle explained",
        "Of a script that leads to a map: the characters from each place that the mappings give a source to, up to the next place or the end of the line. Comments and indentation that no place stands before are not explained. Counted in UTF-16 code units, without line ends and without the line that leads to the map. Sums are over maps whose script is here and fits their mappings; a script with two maps counts twice.",
    ),
    (
        "Component",
        "The archive or input, and the folder or package in it, that a source’s resolved name lies in.",
    ),
    ("Own", "Of the first or an unknown party."),
    (
        "Party",
        "First: the organisation’s, or without a profile the package’s own. Third: somebody else’s. Unknown: cannot be told.",
    ),
    (
        "Share",
        "Bytes of the part, divided by bytes of the whole, both at places.",
    ),
    (
        "Exposure",
        "An artifact that should not be public, of a named class.",
    ),
    (
        "Severity",
        "Critical: act now. High: reveals what was meant to stay private. Medium: reveals how things are built. Low: untidy. Info: said for completeness.",
    ),
    (
        "Axis",
        "One of five things that can be bad, from 0 (nothing seen) to 4 (act now), by lines that are printed with it. No sum is made of them, and no CVSS.",
    ),
    (
        "Certainty",
        "Proven: the bytes were parsed and say so. Hint: a name or a pattern says so.",
    ),
    (
        "Secret",
        "A text of the form of a credential. Distinct ones are told apart by their keyed fingerprint, or without a key by rule and redacted form. Whether one works cannot be told offline.",
    ),
    (
        "Check",
        "Checksum-ok: it carries a checksum, and that is right. Structure-ok: its parts are as they should be. Unchecked: neither.",
    ),
    (
        "Item, confidence",
        "A thing that recovered code reveals. High: the code says so. Medium: it stands where such things stand. Low: it looks like it.",
    ),
    (
        "Grade",
        "Exact: the same bytes. Normalized: equal after normal forms, such as line ends or layout. Excerpt: stretches hold the same letters and digits. Derived: renamed, minified, bundled or otherwise made of it by a tool. Ported: in another language.",
    ),
    (
        "Copy, suspect",
        "A copy has at least one exact, normalized or excerpt match; a suspect has others only: derived files, a suspected port, or paths and no content. Own-public: what matches there is in a public set too, or it was got from an address that the profile names as own.",
    ),
    (
        "Location",
        "Recorded: a list or a record of acquisition says where a place was got from. Hint: the place says so of itself, as a git remote or a package does, and anybody could have written that.",
    ),
    (
        "Stands",
        "Checked-out: files as they lie there. Default-branch-head: what a host shows first. Other-ref: in another branch or a tag. History-only: in earlier commits. Unreachable: no name leads to it any more.",
    ),
    (
        "Sign",
        "Something that a copy has and its original has not, in a shape that tampering takes. Below medium severity it is a note.",
    ),
    ("Reference", "Something that an entry points to."),
    (
        "Ledger",
        "The account of coverage: every entry seen, with one outcome. Duplicate: content examined before. Skipped: not read. Damaged: read in part.",
    ),
    (
        "Problem",
        "Something that kept bytes from being read, or is odd.",
    ),
    (
        "Size",
        "Decimal: 1 KB is 1,000 bytes. Sizes are cut, not rounded.",
    ),
    (
        "[U+202E]",
        "A character that is invisible or changes the direction of text, written out by its code point.",
    ),
];
