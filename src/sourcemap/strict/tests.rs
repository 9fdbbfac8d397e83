//! The conformance table: one row for each error condition of the standard, and for what comes close and is none.
//!
//! The maps are written for this table. Names of rows follow the conditions that the official tests
//! (tc39/source-map-tests) check, so that the two can be held side by side; what those say of validity is what
//! [`Verdict::is_valid`] has to say.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sourcemap::vlq;

/// What a row expects: the codes that have to be found, all of them and no other.
type Row = (&'static str, &'static str, &'static [Code]);

const VALID: &[Code] = &[];

/// JSON, and what stands around it (ParseJSON; RFC 8259).
const DOCUMENTS: &[Row] = &[
    (
        "smallest",
        r#"{"version":3,"sources":[],"mappings":""}"#,
        VALID,
    ),
    (
        "white-space",
        " \t\r\n{ \"version\" : 3 , \"sources\" : [ ] , \"mappings\" : \"\" }\n\n",
        VALID,
    ),
    (
        "keys-in-any-order",
        r#"{"mappings":"AAAA","sources":["a"],"version":3}"#,
        VALID,
    ),
    (
        "key-with-escapes",
        r#"{"\u0076ersion":3,"sources":[],"m\u0061ppings":""}"#,
        VALID,
    ),
    (
        "lone-surrogate",
        r#"{"version":3,"sources":["\ud800"],"mappings":""}"#,
        VALID,
    ),
    ("empty", "", &[Code::JsonEnds]),
    (
        "cut",
        r#"{"version":3,"sources":[],"mappings":"AA"#,
        &[Code::JsonEnds],
    ),
    (
        "trailing-comma",
        r#"{"version":3,"sources":[],"mappings":"",}"#,
        &[Code::JsonUnexpected],
    ),
    ("single-quotes", "{'version':3}", &[Code::JsonUnexpected]),
    (
        "comment",
        r#"{"version":3,/**/"sources":[],"mappings":""}"#,
        &[Code::JsonUnexpected],
    ),
    (
        "raw-line-break",
        "{\"version\":3,\"sources\":[\"a\nb\"],\"mappings\":\"\"}",
        &[Code::JsonControl],
    ),
    (
        "bad-escape",
        r#"{"version":3,"sources":["\x41"],"mappings":""}"#,
        &[Code::JsonEscape],
    ),
    (
        "bad-number",
        r#"{"version":3.,"sources":[],"mappings":""}"#,
        &[Code::JsonNumber],
    ),
    (
        "two-maps",
        r#"{"version":3,"sources":[],"mappings":""}{}"#,
        &[Code::JsonTrailing],
    ),
    ("array", "[]", &[Code::NotAnObject]),
    ("string", r#""{}""#, &[Code::NotAnObject]),
    ("null", "null", &[Code::NotAnObject]),
    (
        "bom",
        "\u{feff}{\"version\":3,\"sources\":[],\"mappings\":\"\"}",
        &[Code::ByteOrderMark],
    ),
    (
        "xssi",
        ")]}'\n{\"version\":3,\"sources\":[],\"mappings\":\"\"}",
        &[Code::XssiPrefix],
    ),
    (
        "xssi-with-text",
        ")]}' while(1);\r{\"version\":3,\"sources\":[],\"mappings\":\"\"}",
        &[Code::XssiPrefix],
    ),
    (
        "xssi-without-line",
        ")]}'{\"version\":3}",
        &[Code::XssiPrefix, Code::JsonEnds],
    ),
    ("xssi-after-space", " )]}'\n{}", &[Code::JsonUnexpected]),
    ("bom-inside", " \u{feff}{}", &[Code::JsonUnexpected]),
];

/// The fields of a map (DecodeSourceMap and the operations that it calls).
const FIELDS: &[Row] = &[
    (
        "version-missing",
        r#"{"sources":[],"mappings":""}"#,
        &[Code::VersionMissing],
    ),
    (
        "version-not-a-number",
        r#"{"version":"foo","sources":[],"mappings":""}"#,
        &[Code::VersionWrong],
    ),
    (
        "version-numeric-string",
        r#"{"version":"3","sources":[],"mappings":""}"#,
        &[Code::VersionWrong],
    ),
    (
        "version-null",
        r#"{"version":null,"sources":[],"mappings":""}"#,
        &[Code::VersionWrong],
    ),
    (
        "version-too-low",
        r#"{"version":2,"sources":[],"mappings":""}"#,
        &[Code::VersionWrong],
    ),
    (
        "version-too-high",
        r#"{"version":4,"sources":[],"mappings":""}"#,
        &[Code::VersionWrong],
    ),
    (
        "version-fraction",
        r#"{"version":3.5,"sources":[],"mappings":""}"#,
        &[Code::VersionWrong],
    ),
    (
        "version-3.0",
        r#"{"version":3.0,"sources":[],"mappings":""}"#,
        VALID,
    ),
    (
        "version-30e-1",
        r#"{"version":30e-1,"sources":[],"mappings":""}"#,
        VALID,
    ),
    (
        "version-twice-last-right",
        r#"{"version":2,"sources":[],"mappings":"","version":3}"#,
        VALID,
    ),
    (
        "version-twice-last-wrong",
        r#"{"version":3,"sources":[],"mappings":"","version":2}"#,
        &[Code::VersionWrong],
    ),
    (
        "file-empty",
        r#"{"version":3,"file":"","sources":[],"mappings":""}"#,
        VALID,
    ),
    (
        "file-not-a-string",
        r#"{"version":3,"file":[],"sources":[],"mappings":""}"#,
        &[Code::FileType],
    ),
    (
        "file-null",
        r#"{"version":3,"file":null,"sources":[],"mappings":""}"#,
        &[Code::FileType],
    ),
    (
        "source-root-not-a-string",
        r#"{"version":3,"sourceRoot":1,"sources":[],"mappings":""}"#,
        &[Code::SourceRootType],
    ),
    (
        "source-root-null",
        r#"{"version":3,"sourceRoot":null,"sources":[],"mappings":""}"#,
        &[Code::SourceRootType],
    ),
    (
        "sources-missing",
        r#"{"version":3,"mappings":""}"#,
        &[Code::SourcesMissing],
    ),
    (
        "sources-not-a-list-1",
        r#"{"version":3,"sources":"a","mappings":""}"#,
        &[Code::SourcesType],
    ),
    (
        "sources-not-a-list-2",
        r#"{"version":3,"sources":{"0":"a"},"mappings":""}"#,
        &[Code::SourcesType],
    ),
    (
        "sources-null",
        r#"{"version":3,"sources":null,"mappings":""}"#,
        &[Code::SourcesType],
    ),
    (
        "sources-not-string-or-null",
        r#"{"version":3,"sources":["a",1,{}],"mappings":""}"#,
        &[Code::SourcesEntryType],
    ),
    (
        "sources-entry-null",
        r#"{"version":3,"sources":[null],"mappings":"AAAA"}"#,
        VALID,
    ),
    (
        "sources-twice-last-right",
        r#"{"version":3,"sources":[1],"mappings":"","sources":["a"]}"#,
        VALID,
    ),
    (
        "source-with-no-url",
        r#"{"version":3,"sources":["webpack://my app/a.js"],"mappings":""}"#,
        &[Code::SourceUrl],
    ),
    (
        "source-root-with-no-url",
        r#"{"version":3,"sourceRoot":"http://a b","sources":["a.js"],"mappings":""}"#,
        &[Code::SourceUrl],
    ),
    (
        "source-root-mends-the-url",
        r#"{"version":3,"sourceRoot":"","sources":["http://a b/a.js"],"mappings":""}"#,
        VALID,
    ),
    (
        "contents-both-null",
        r#"{"version":3,"sources":[null],"sourcesContent":[null],"mappings":""}"#,
        VALID,
    ),
    (
        "contents-shorter",
        r#"{"version":3,"sources":["a","b"],"sourcesContent":["x"],"mappings":""}"#,
        VALID,
    ),
    (
        "contents-longer",
        r#"{"version":3,"sources":["a"],"sourcesContent":["x","y"],"mappings":""}"#,
        VALID,
    ),
    (
        "contents-not-a-list",
        r#"{"version":3,"sources":["a"],"sourcesContent":"x","mappings":""}"#,
        &[Code::ContentsType],
    ),
    (
        "contents-null",
        r#"{"version":3,"sources":["a"],"sourcesContent":null,"mappings":""}"#,
        &[Code::ContentsType],
    ),
    (
        "contents-entry-number",
        r#"{"version":3,"sources":["a"],"sourcesContent":[5],"mappings":""}"#,
        &[Code::ContentsEntryType],
    ),
    (
        "names-missing",
        r#"{"version":3,"sources":["a"],"mappings":"AAAA"}"#,
        VALID,
    ),
    (
        "names-not-a-list-1",
        r#"{"version":3,"sources":[],"names":"x","mappings":""}"#,
        &[Code::NamesType],
    ),
    (
        "names-not-a-list-2",
        r#"{"version":3,"sources":[],"names":{},"mappings":""}"#,
        &[Code::NamesType],
    ),
    (
        "names-not-string",
        r#"{"version":3,"sources":[],"names":["x",4],"mappings":""}"#,
        &[Code::NamesEntryType],
    ),
    (
        "names-entry-null",
        r#"{"version":3,"sources":[],"names":[null],"mappings":""}"#,
        &[Code::NamesEntryType],
    ),
    (
        "names-entry-wrong-still-counts",
        r#"{"version":3,"sources":["a"],"names":[4],"mappings":"AAAAA"}"#,
        &[Code::NamesEntryType],
    ),
    (
        "ignore-list-empty",
        r#"{"version":3,"sources":[],"mappings":"","ignoreList":[]}"#,
        VALID,
    ),
    (
        "ignore-list-valid",
        r#"{"version":3,"sources":["a","b"],"mappings":"","ignoreList":[1,0]}"#,
        VALID,
    ),
    (
        "ignore-list-before-sources",
        r#"{"ignoreList":[0],"version":3,"sources":["a"],"mappings":""}"#,
        VALID,
    ),
    (
        "ignore-list-wrong-type-1",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":["a"]}"#,
        &[Code::IgnoreListEntryType],
    ),
    (
        "ignore-list-wrong-type-2",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":["0"]}"#,
        &[Code::IgnoreListEntryType],
    ),
    (
        "ignore-list-wrong-type-3",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":0}"#,
        &[Code::IgnoreListType],
    ),
    (
        "ignore-list-wrong-type-4",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":[-1]}"#,
        &[Code::IgnoreListEntryType],
    ),
    (
        "ignore-list-fraction",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":[0.5]}"#,
        &[Code::IgnoreListEntryType],
    ),
    (
        "ignore-list-entry-null",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":[null]}"#,
        &[Code::IgnoreListEntryType],
    ),
    (
        "ignore-list-out-of-bounds",
        r#"{"version":3,"sources":["a"],"mappings":"","ignoreList":[1]}"#,
        &[Code::IgnoreListRange],
    ),
    (
        "ignore-list-written-as-1e0",
        r#"{"version":3,"sources":["a","b"],"mappings":"","ignoreList":[1e0]}"#,
        VALID,
    ),
    (
        "legacy-ignore-list",
        r#"{"version":3,"sources":["a"],"mappings":"","x_google_ignoreList":[0]}"#,
        VALID,
    ),
    (
        "legacy-ignore-list-wrong",
        r#"{"version":3,"sources":["a"],"mappings":"","x_google_ignoreList":[7]}"#,
        &[Code::LegacyIgnoreList],
    ),
    (
        "legacy-ignore-list-unused",
        r#"{"version":3,"sources":["a"],"mappings":"","x_google_ignoreList":[7],"ignoreList":[0]}"#,
        VALID,
    ),
    (
        "unrecognized-property",
        r#"{"version":3,"sources":[],"mappings":"","foobar":[{"x":[[]]}]}"#,
        VALID,
    ),
    (
        "mappings-missing",
        r#"{"version":3,"sources":[]}"#,
        &[Code::MappingsMissing],
    ),
    (
        "mappings-not-a-string-1",
        r#"{"version":3,"sources":[],"mappings":5}"#,
        &[Code::MappingsType],
    ),
    (
        "mappings-not-a-string-2",
        r#"{"version":3,"sources":[],"mappings":["AAAA"]}"#,
        &[Code::MappingsType],
    ),
    (
        "mappings-with-escapes",
        r#"{"version":3,"sources":["a"],"mappings":"\u0041AAA,+\/\/\/\/\/D"}"#,
        VALID,
    ),
    (
        "debug-id",
        r#"{"version":3,"sources":[],"mappings":"","debugId":"85314830-023f-4cf1-a267-535f4e37bb17"}"#,
        VALID,
    ),
    (
        "debug-id-malformed",
        r#"{"version":3,"sources":[],"mappings":"","debug_id":"85314830"}"#,
        &[Code::DebugId],
    ),
    (
        "debug-id-not-a-string",
        r#"{"version":3,"sources":[],"mappings":"","debugId":7}"#,
        &[Code::DebugId],
    ),
    (
        "proposals",
        r#"{"version":3,"sources":[],"mappings":"","scopes":7,"rangeMappings":[],"sourcesHash":0}"#,
        &[Code::Scopes, Code::RangeMappings, Code::SourcesHash],
    ),
    (
        "function-names",
        r#"{"version":3,"sources":["a"],"mappings":"","x_facebook_sources":[[{"names":["<global>"],"mappings":"AAA"}]]}"#,
        &[Code::FunctionNames],
    ),
];

/// `mappings` of a map with two sources and one name (base64 VLQ; Mappings structure).
const MAPPINGS: &[Row] = &[
    ("empty", "", VALID),
    ("empty-groups", ";;;;;;AAAA;;;", VALID),
    ("one-field", "A,C;E", VALID),
    ("four-fields", "AAAA,CACA", VALID),
    ("five-fields", "AAAAA", VALID),
    ("not-in-order", "KAAA,DAAA", VALID),
    ("relative-to-the-line-before", "AACA;AADA", VALID),
    ("negative-digit", ";;eACE,bAAD", VALID),
    ("32-bit-max-values", "+/////DA+/////D+/////DA", VALID),
    ("large-vlq", "ggggggggggggggggA", VALID),
    ("beyond-32-bits-by-adding", "+/////D,+/////D", VALID),
    ("least-value-after-the-greatest", "+/////D,C,B", VALID),
    ("non-base64-char", "A?", &[Code::MappingsCharacter]),
    ("url-alphabet", "A,-AAA", &[Code::MappingsCharacter]),
    ("padding", "AA==", &[Code::MappingsCharacter]),
    ("bad-separator", "AAAA.AAAA", &[Code::MappingsCharacter]),
    ("white-space", "AAAA, AAAA", &[Code::MappingsCharacter]),
    ("not-ascii", "é", &[Code::MappingsCharacter]),
    ("missing-continuation", "AAAg", &[Code::VlqUnterminated]),
    (
        "missing-continuation-before-comma",
        "g,A",
        &[Code::VlqUnterminated],
    ),
    ("zero-fields", ",,,,", &[Code::SegmentEmpty]),
    ("trailing-comma", "AAAA,", &[Code::SegmentEmpty]),
    ("two-fields", "AA", &[Code::SegmentFields]),
    ("three-fields", "AAA", &[Code::SegmentFields]),
    ("six-fields", "AAAAAA", &[Code::SegmentFields]),
    ("negative-column", "F", &[Code::SegmentColumn]),
    ("minus-nought", "B", &[Code::SegmentColumn]),
    ("negative-relative-column", "C,F", &[Code::SegmentColumn]),
    ("source-index-out-of-bounds", "AEAA", &[Code::SegmentSource]),
    ("negative-source-index", "AFAA", &[Code::SegmentSource]),
    (
        "negative-relative-source-index",
        "AAAA,AFAA",
        &[Code::SegmentSource],
    ),
    (
        "negative-original-line",
        "AAFA",
        &[Code::SegmentOriginalLine],
    ),
    (
        "negative-relative-original-line",
        "AACA,AAFA",
        &[Code::SegmentOriginalLine],
    ),
    (
        "negative-original-column",
        "AAAF",
        &[Code::SegmentOriginalColumn],
    ),
    (
        "negative-relative-original-column",
        "AAAC,AAAF",
        &[Code::SegmentOriginalColumn],
    ),
    ("name-index-out-of-bounds", "AAAAC", &[Code::SegmentName]),
    ("negative-name-index", "AAAAF", &[Code::SegmentName]),
    (
        "negative-relative-name-index",
        "AAAAA,AAAAF",
        &[Code::SegmentName],
    ),
    ("column-too-large", "ggggggE", &[Code::VlqTooLarge]),
    ("source-index-too-large", "AggggggEAA", &[Code::VlqTooLarge]),
    (
        "original-line-too-large",
        "AAggggggEA",
        &[Code::VlqTooLarge],
    ),
    (
        "original-column-too-large",
        "AAAggggggE",
        &[Code::VlqTooLarge],
    ),
    ("name-index-too-large", "AAAAggggggE", &[Code::VlqTooLarge]),
    ("too-large-and-negative", "hgggggE", &[Code::VlqTooLarge]),
    (
        "broken-grammar-decodes-nothing",
        "F,ggggggE,AEAA,AA",
        &[Code::SegmentFields],
    ),
    ("left-at-a-negative-column", "FEAA", &[Code::SegmentColumn]),
];

/// Index maps (DecodeIndexSourceMap). `$` stands for a small plain map.
const SECTIONS: &[Row] = &[
    ("empty", r#"{"version":3,"sections":[]}"#, VALID),
    (
        "one",
        r#"{"version":3,"file":"x","sections":[{"offset":{"line":0,"column":0},"map":$}]}"#,
        VALID,
    ),
    (
        "two",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":$},{"offset":{"line":0,"column":1},"map":$}]}"#,
        VALID,
    ),
    (
        "map-before-offset",
        r#"{"sections":[{"map":$,"offset":{"column":0,"line":0}}],"version":3}"#,
        VALID,
    ),
    (
        "begins-at-the-last-mapping",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":[],"mappings":"E"}},{"offset":{"line":0,"column":2},"map":$}]}"#,
        VALID,
    ),
    (
        "same-offset-nothing-mapped",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":[],"mappings":""}},{"offset":{"line":0,"column":0},"map":$}]}"#,
        VALID,
    ),
    (
        "other-keys-are-ignored",
        r#"{"version":3,"sources":5,"names":5,"sections":[]}"#,
        VALID,
    ),
    (
        "sections-twice",
        r#"{"version":3,"sections":[5],"sections":[]}"#,
        VALID,
    ),
    (
        "map-twice",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":5,"map":$}]}"#,
        VALID,
    ),
    ("no-version", r#"{"sections":[]}"#, &[Code::VersionMissing]),
    (
        "file-wrong",
        r#"{"version":3,"file":1,"sections":[]}"#,
        &[Code::FileType],
    ),
    (
        "wrong-type-sections",
        r#"{"version":3,"sections":"not a list"}"#,
        &[Code::SectionsType],
    ),
    (
        "sections-null",
        r#"{"version":3,"sections":null,"sources":[],"mappings":""}"#,
        &[Code::SectionsType, Code::SectionsAndMappings],
    ),
    (
        "base-mappings",
        r#"{"version":3,"mappings":"AAAA","sections":[{"offset":{"line":0,"column":0},"map":$}]}"#,
        &[Code::SectionsAndMappings],
    ),
    (
        "section-not-an-object",
        r#"{"version":3,"sections":[null]}"#,
        &[Code::SectionType],
    ),
    (
        "wrong-type-offset",
        r#"{"version":3,"sections":[{"offset":5,"map":$}]}"#,
        &[Code::OffsetType],
    ),
    (
        "missing-offset",
        r#"{"version":3,"sections":[{"map":$}]}"#,
        &[Code::OffsetType],
    ),
    (
        "missing-offset-line",
        r#"{"version":3,"sections":[{"offset":{"column":0},"map":$}]}"#,
        &[Code::OffsetLine],
    ),
    (
        "missing-offset-column",
        r#"{"version":3,"sections":[{"offset":{"line":0},"map":$}]}"#,
        &[Code::OffsetColumn],
    ),
    (
        "offset-line-wrong-type",
        r#"{"version":3,"sections":[{"offset":{"line":"0","column":0},"map":$}]}"#,
        &[Code::OffsetLine],
    ),
    (
        "offset-column-wrong-type",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0.5},"map":$}]}"#,
        &[Code::OffsetColumn],
    ),
    (
        "offset-negative",
        r#"{"version":3,"sections":[{"offset":{"line":-1,"column":0},"map":$}]}"#,
        &[Code::OffsetNegative],
    ),
    (
        "missing-map",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0}}]}"#,
        &[Code::SectionMapType],
    ),
    (
        "url-for-a-map",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"url":"a.map"}]}"#,
        &[Code::SectionMapType],
    ),
    (
        "wrong-type-map",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":"x"}]}"#,
        &[Code::SectionMapType],
    ),
    (
        "invalid-order",
        r#"{"version":3,"sections":[{"offset":{"line":1,"column":4},"map":{"version":3,"sources":[],"mappings":""}},{"offset":{"line":0,"column":0},"map":$}]}"#,
        &[Code::SectionsOrder],
    ),
    (
        "invalid-order-and-overlap",
        r#"{"version":3,"sections":[{"offset":{"line":1,"column":4},"map":$},{"offset":{"line":0,"column":0},"map":$}]}"#,
        &[Code::SectionsOrder, Code::SectionsOverlap],
    ),
    (
        "invalid-overlap",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":$},{"offset":{"line":0,"column":0},"map":$}]}"#,
        &[Code::SectionsOverlap],
    ),
    (
        "overlap-by-mappings",
        r#"{"version":3,"sections":[{"offset":{"line":5,"column":3},"map":{"version":3,"sources":[],"mappings":"K;C"}},{"offset":{"line":6,"column":0},"map":$}]}"#,
        &[Code::SectionsOverlap],
    ),
    (
        "offset-moves-the-first-line-only",
        r#"{"version":3,"sections":[{"offset":{"line":5,"column":30},"map":{"version":3,"sources":[],"mappings":"K;C"}},{"offset":{"line":6,"column":1},"map":$}]}"#,
        VALID,
    ),
    (
        "error-in-a-sections-map",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":[],"mappings":"AAAA"}}]}"#,
        &[Code::SegmentSource],
    ),
    (
        "sections-map-inherits-nothing",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"sources":[],"mappings":""}}]}"#,
        &[Code::VersionMissing],
    ),
    (
        "nested",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sections":[]}}]}"#,
        &[Code::NestedIndex],
    ),
    (
        "nested-beside-mappings",
        r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":[],"mappings":"","sections":[5]}}]}"#,
        &[Code::SectionsIgnored],
    ),
];

fn mappings_map(mappings: &str) -> String {
    json!({"version": 3, "sources": ["a", "b"], "names": ["n"], "mappings": mappings}).to_string()
}

fn rows() -> Vec<(String, String, &'static [Code])> {
    const PLAIN: &str = r#"{"version":3,"sources":["a"],"mappings":"AAAA"}"#;
    let mut rows = Vec::new();
    for (table, list) in [
        ("document", DOCUMENTS),
        ("field", FIELDS),
        ("sections", SECTIONS),
    ] {
        for (name, text, codes) in list {
            rows.push((format!("{table}/{name}"), text.replace('$', PLAIN), *codes));
        }
    }
    for (name, text, codes) in MAPPINGS {
        rows.push((format!("mappings/{name}"), mappings_map(text), codes));
    }
    rows
}

fn codes(verdict: &Verdict) -> Vec<Code> {
    verdict.counts.iter().map(|(code, _)| *code).collect()
}

#[test]
fn every_row_gets_its_verdict() {
    for (name, text, expected) in rows() {
        let verdict = judge(text.as_bytes());
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(codes(&verdict), expected, "{name}: {:?}", verdict.lines());
        let valid = expected.iter().all(|code| code.rank() == Rank::Note);
        assert_eq!(verdict.is_valid(), valid, "{name}");
    }
}

#[test]
fn every_code_has_a_row() {
    let seen: Vec<Code> = rows().iter().flat_map(|row| row.2).copied().collect();
    for code in Code::ALL {
        let is_bytes = *code == Code::JsonInvalidUtf8;
        assert!(is_bytes || seen.contains(code), "{}", code.as_str());
        assert!(!code.clause().is_empty());
    }
    let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(
        words.len(),
        Code::ALL.len(),
        "each code has a word of its own"
    );
}

#[test]
fn what_is_not_utf8_is_no_json() {
    let verdict = judge(b"{\"version\":3,\"sources\":[\"a\xFF\"],\"mappings\":\"\"}");
    assert_eq!(codes(&verdict), [Code::JsonInvalidUtf8]);
    assert_eq!(verdict.faults[0].at, 26);
    assert!(!verdict.is_json);
}

#[test]
fn what_throws_is_told_from_what_is_optional() {
    let rank = |text: &str| judge(text.as_bytes()).faults[0].rank;
    let inner = |map: &str| {
        format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{map}}}]}}"#)
    };
    assert_eq!(rank(r#"{"version":3,"sources":[]}"#), Rank::Thrown);
    assert_eq!(
        rank(&inner(r#"{"version":3,"sources":[]}"#)),
        Rank::Optional
    );
    assert_eq!(rank(&inner("7")), Rank::Thrown);
    assert_eq!(rank(&mappings_map("ggggggE")), Rank::Thrown);
    let verdict = judge(mappings_map("A?").as_bytes());
    assert!(!verdict.is_valid() && verdict.decodes());
}

#[test]
fn an_error_says_where_it_stands() {
    let text = mappings_map("A;A,A,AEAA");
    let lines = judge(text.as_bytes()).lines();
    let at = text.find("AEAA").unwrap();
    assert_eq!(
        lines,
        [format!(
            "segment-source-out-of-range: source 2, where there are 2, in segment 3 of generated line 1, at byte {at} [optional]"
        )]
    );
}

#[test]
fn the_first_errors_of_a_code_are_kept_and_the_rest_is_counted() {
    let verdict = judge(mappings_map(&vec!["F"; 1000].join(";")).as_bytes());
    assert_eq!(verdict.counts, [(Code::SegmentColumn, 1000)]);
    assert_eq!(verdict.faults.len() as u64, KEPT_OF_A_CODE);
    assert_eq!(
        verdict.lines().last().unwrap(),
        "segment-column-negative: 997 more"
    );
}

#[test]
fn a_million_brackets_are_no_trouble() {
    let deep = 1_000_000;
    let text = format!(
        r#"{{"version":3,"sources":[],"mappings":"","x":{}{}}}"#,
        "[".repeat(deep),
        "]".repeat(deep)
    );
    assert!(judge(text.as_bytes()).is_valid());
    let text = r#"{"sections":[{"map":"#.repeat(deep / 10);
    assert_eq!(codes(&judge(text.as_bytes())), [Code::JsonEnds]);
}

// ---------------------------------------------------------------------------------------------------- properties

/// A generated column, and what stands there originally: source, line, column, name.
type Segment = (u16, Option<(u32, u32, u32, Option<u32>)>);

/// Valid mappings for so many sources and names, made of absolute values.
fn write_mappings(lines: &[Vec<Segment>], sources: u32, names: u32) -> String {
    let mut text = Vec::new();
    let mut before = [0_i32; 4];
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            text.push(b';');
        }
        let mut column = 0;
        for (position, (step, original)) in line.iter().enumerate() {
            if position > 0 {
                text.push(b',');
            }
            vlq::encode(i32::from(*step) - column, &mut text);
            column = i32::from(*step);
            let Some((source, line, at, name)) = original.filter(|_| sources > 0) else {
                continue;
            };
            let values = [source % sources, line, at].map(|value| value as i32);
            for (value, before) in values.into_iter().zip(&mut before) {
                vlq::encode(value - *before, &mut text);
                *before = value;
            }
            if let Some(name) = name.filter(|_| names > 0) {
                let name = (name % names) as i32;
                vlq::encode(name - before[3], &mut text);
                before[3] = name;
            }
        }
    }
    String::from_utf8(text).unwrap()
}

fn any_plain() -> impl Strategy<Value = Value> {
    let segment = (
        any::<u16>(),
        prop::option::of((
            any::<u32>(),
            0..1_u32 << 31,
            0..1_u32 << 31,
            prop::option::of(any::<u32>()),
        )),
    );
    let lines = prop::collection::vec(prop::collection::vec(segment, 0..5), 0..6);
    let texts =
        || prop::collection::vec(prop::option::weighted(0.8, "[a-zé\n\"\\\\/{}]{0,12}"), 0..5);
    let names = prop::collection::vec(any::<String>(), 0..4);
    (lines, texts(), texts(), names, any::<u8>()).prop_map(
        |(lines, sources, contents, names, extra)| {
            let text = write_mappings(&lines, sources.len() as u32, names.len() as u32);
            // Names of the alphabet above cannot fail as URLs.
            let mut map =
                json!({"version": 3, "sources": sources, "names": names, "mappings": text});
            if extra & 1 == 1 {
                map["sourcesContent"] = json!(contents);
            }
            if extra & 2 == 2 {
                map["file"] = json!("x.js");
                map["sourceRoot"] = json!("r");
            }
            if extra & 4 == 4 {
                map["ignoreList"] =
                    json!((0..map["sources"].as_array().unwrap().len()).collect::<Vec<_>>());
            }
            if extra & 8 == 8 {
                map["x_else"] = json!({"deep": [[{"a": null}], -1.5e-3]});
            }
            map
        },
    )
}

fn any_valid() -> impl Strategy<Value = String> {
    let index = prop::collection::vec(any_plain(), 0..4).prop_map(|maps| {
        // No generated map has more lines than that.
        let place = |index| json!({"line": index * 10, "column": 7});
        let sections: Vec<_> = maps
            .into_iter()
            .enumerate()
            .map(|(index, map)| json!({"offset": place(index), "map": map}))
            .collect();
        json!({"version": 3, "sections": sections})
    });
    (prop_oneof![3 => any_plain(), 1 => index], any::<bool>()).prop_map(|(map, pretty)| {
        if pretty {
            serde_json::to_string_pretty(&map).unwrap()
        } else {
            map.to_string()
        }
    })
}

proptest! {
    #[test]
    fn what_is_made_valid_is_valid(map in any_valid()) {
        let verdict = judge(map.as_bytes());
        prop_assert!(verdict.is_valid() && verdict.faults.is_empty(), "{:?}", verdict.lines());
    }

    #[test]
    fn flips_splices_and_cuts_get_a_verdict_and_json_is_serde_jsons(
        map in any_valid(),
        other in any_valid(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        splice in any::<(prop::sample::Index, prop::sample::Index)>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = map.into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cut.is_none() {
            bytes.truncate(splice.0.index(bytes.len()));
            bytes.extend_from_slice(&other.as_bytes()[splice.1.index(other.len())..]);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        let verdict = judge(&bytes);
        let oracle = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok() && std::str::from_utf8(&bytes).is_ok();
        prop_assert_eq!(verdict.is_json, oracle, "{:?}", verdict.lines());
        prop_assert!(verdict.is_valid() || !verdict.lines().is_empty());
        for fault in &verdict.faults {
            prop_assert!(fault.at <= bytes.len());
        }
    }

    #[test]
    fn a_cut_is_never_valid(map in any_valid(), cut in any::<prop::sample::Index>()) {
        let text = map.trim_end();
        let verdict = judge(&text.as_bytes()[..cut.index(text.len())]);
        prop_assert!(!verdict.is_valid() && !verdict.is_json);
    }
}
