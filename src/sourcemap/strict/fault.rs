//! The errors that a verdict can hold: one code for each way in which the standard lets a map be wrong.
//!
//! A hostile map can be wrong a million times over. Of each code the first few are kept with their places, and the
//! rest is counted.

use std::fmt;

/// What the standard says about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Decoding throws: no consumer gets anything from the map.
    Thrown,
    /// An "optional error": a consumer may throw, or go on (ECMA-426, "Optional Errors"). A map that is to conform
    /// has none of them either ("Conformance").
    Optional,
    /// Outside of what the edition decides. Worth telling, and no part of the verdict.
    Note,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $rank:ident, $clause:literal;)*) => {
        /// The codes of errors, as records show them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The word for it in records.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// What the standard says of it, in a map that is not a section's.
            pub fn rank(self) -> Rank {
                match self { $(Code::$name => Rank::$rank,)* }
            }

            /// The part of the standard (by its heading) that it comes from.
            pub fn clause(self) -> &'static str {
                match self { $(Code::$name => $clause,)* }
            }
        }
    };
}

codes! {
    /// The document is not UTF-8.
    JsonInvalidUtf8 = "json-invalid-utf8", Thrown, "ParseJSON; RFC 8259, 8.1";
    /// The document ends inside a value.
    JsonEnds = "json-ends-early", Thrown, "ParseJSON";
    /// A byte that JSON does not allow where it stands.
    JsonUnexpected = "json-unexpected-byte", Thrown, "ParseJSON";
    /// A control character in a string.
    JsonControl = "json-control-character", Thrown, "ParseJSON";
    /// An escape that JSON does not have.
    JsonEscape = "json-bad-escape", Thrown, "ParseJSON";
    /// A number that JSON would write otherwise.
    JsonNumber = "json-bad-number", Thrown, "ParseJSON";
    /// Something behind the map.
    JsonTrailing = "json-trailing-bytes", Thrown, "ParseJSON";
    /// The document is JSON, and no object.
    NotAnObject = "not-an-object", Thrown, "ParseSourceMap";
    /// No `version`.
    VersionMissing = "version-missing", Optional, "DecodeSourceMap";
    /// A `version` other than the number 3.
    VersionWrong = "version-wrong", Optional, "DecodeSourceMap";
    /// `file` is no string.
    FileType = "file-wrong-type", Optional, "GetOptionalString";
    /// `sourceRoot` is no string.
    SourceRootType = "source-root-wrong-type", Optional, "GetOptionalString";
    /// No `sources`.
    SourcesMissing = "sources-missing", Thrown, "DecodeSourceMap";
    /// `sources` is no array.
    SourcesType = "sources-wrong-type", Thrown, "DecodeSourceMap";
    /// An entry of `sources` is neither a string nor null.
    SourcesEntryType = "sources-entry-wrong-type", Optional, "GetOptionalListOfOptionalStrings";
    /// A source with its root in front is no URL.
    SourceUrl = "source-url-invalid", Optional, "DecodeSourceMapSources";
    /// `sourcesContent` is no array.
    ContentsType = "sources-content-wrong-type", Optional, "GetOptionalListOfOptionalStrings";
    /// An entry of `sourcesContent` is neither a string nor null.
    ContentsEntryType = "sources-content-entry-wrong-type", Optional, "GetOptionalListOfOptionalStrings";
    /// `names` is no array.
    NamesType = "names-wrong-type", Optional, "GetOptionalListOfStrings";
    /// An entry of `names` is no string.
    NamesEntryType = "names-entry-wrong-type", Optional, "GetOptionalListOfStrings";
    /// `ignoreList` is no array.
    IgnoreListType = "ignore-list-wrong-type", Optional, "GetOptionalListOfArrayIndexes";
    /// An entry of `ignoreList` is no index.
    IgnoreListEntryType = "ignore-list-entry-wrong-type", Optional, "GetOptionalListOfArrayIndexes";
    /// An entry of `ignoreList` names no source.
    IgnoreListRange = "ignore-list-out-of-range", Optional, "Source map format, ignoreList";
    /// No `mappings`.
    MappingsMissing = "mappings-missing", Thrown, "DecodeSourceMap";
    /// `mappings` is no string.
    MappingsType = "mappings-wrong-type", Thrown, "DecodeSourceMap";
    /// A byte in `mappings` that is neither a digit nor a separator.
    MappingsCharacter = "mappings-bad-character", Optional, "Mappings grammar";
    /// A VLQ whose last digit promises another.
    VlqUnterminated = "vlq-unterminated", Optional, "base64 VLQ";
    /// A VLQ of more than 32 bits.
    VlqTooLarge = "vlq-too-large", Thrown, "VLQSignedValue";
    /// A segment without fields.
    SegmentEmpty = "segment-empty", Optional, "Mappings grammar";
    /// A segment of other than 1, 4 or 5 fields.
    SegmentFields = "segment-field-count", Optional, "Mappings grammar";
    /// A generated column below 0.
    SegmentColumn = "segment-column-negative", Optional, "DecodeMappingsField";
    /// An index into `sources` that names none.
    SegmentSource = "segment-source-out-of-range", Optional, "DecodeMappingsField";
    /// An original line below 0.
    SegmentOriginalLine = "segment-original-line-negative", Optional, "DecodeMappingsField";
    /// An original column below 0.
    SegmentOriginalColumn = "segment-original-column-negative", Optional, "DecodeMappingsField";
    /// An index into `names` that names none.
    SegmentName = "segment-name-out-of-range", Optional, "DecodeMappingsField";
    /// `sections` is no array.
    SectionsType = "sections-wrong-type", Thrown, "DecodeIndexSourceMap";
    /// `mappings` beside `sections`.
    SectionsAndMappings = "sections-with-mappings", Optional, "Index source map";
    /// A section is no object.
    SectionType = "section-wrong-type", Optional, "DecodeIndexSourceMap";
    /// A section has no `offset` object.
    OffsetType = "section-offset-wrong-type", Thrown, "DecodeIndexSourceMap";
    /// `offset.line` is no integer.
    OffsetLine = "section-offset-line-wrong-type", Optional, "DecodeIndexSourceMap";
    /// `offset.column` is no integer.
    OffsetColumn = "section-offset-column-wrong-type", Optional, "DecodeIndexSourceMap";
    /// `offset.line` or `offset.column` is below 0.
    OffsetNegative = "section-offset-negative", Optional, "Position Record";
    /// A section has no `map` object.
    SectionMapType = "section-map-wrong-type", Thrown, "DecodeIndexSourceMap";
    /// A section begins before the one in front of it.
    SectionsOrder = "sections-out-of-order", Optional, "DecodeIndexSourceMap";
    /// A section begins before the one in front of it ends.
    SectionsOverlap = "sections-overlap", Optional, "DecodeIndexSourceMap";
    /// The map of a section is an index map itself.
    NestedIndex = "section-map-nested", Thrown, "DecodeIndexSourceMap";
    /// A byte-order mark; decoding UTF-8 takes it away.
    ByteOrderMark = "byte-order-mark", Note, "Fetching source maps";
    /// The line that keeps JSON from being run as a script; fetching over HTTP takes it away.
    XssiPrefix = "xssi-prefix", Note, "Fetching source maps";
    /// `x_google_ignoreList` is no list of indices of sources.
    LegacyIgnoreList = "legacy-ignore-list-wrong", Note, "Source map format, ignoreList";
    /// `sections` in the map of a section that has mappings of its own: an unknown key there.
    SectionsIgnored = "nested-sections-ignored", Note, "Extensions";
    /// A debug id that is no UUID in a string.
    DebugId = "debug-id-malformed", Note, "proposal: debug id";
    /// `scopes`, which the edition does not have.
    Scopes = "scopes-not-judged", Note, "proposal: scopes";
    /// `rangeMappings`, which the edition does not have.
    RangeMappings = "range-mappings-not-judged", Note, "proposal: range mappings";
    /// `sourcesHash`, which the edition does not have.
    SourcesHash = "sources-hash-not-judged", Note, "proposal: sources hash";
    /// `x_facebook_sources`, where React Native's bundler keeps the names of functions.
    FunctionNames = "function-names-present", Note, "Extensions";
}

/// One error at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub code: Code,
    /// What the standard says of it, here: what throws in a section is only optional for the whole.
    pub rank: Rank,
    /// Offset into the document. In `mappings` that are written with escapes, the offset of the string.
    pub at: usize,
    /// The section it stands in, counted from 0.
    pub section: Option<u32>,
    /// What exactly, in a few words.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}, at byte {}",
            self.code.as_str(),
            self.detail,
            self.at
        )?;
        if let Some(section) = self.section {
            write!(f, " in section {section}")?;
        }
        match self.rank {
            Rank::Thrown => Ok(()),
            Rank::Optional => f.write_str(" [optional]"),
            Rank::Note => f.write_str(" [note]"),
        }
    }
}

/// Errors of each code that are kept with their places.
pub const KEPT_OF_A_CODE: u64 = 3;

/// Errors, of each code the first few and the number of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Those that are kept.
    pub kept: Vec<Fault>,
    /// How many of each code there are.
    pub counts: Vec<(Code, u64)>,
}

impl Faults {
    fn count(&mut self, code: Code, more: u64) -> u64 {
        match self.counts.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => {
                *count += more;
                *count - more
            }
            None => {
                self.counts.push((code, more));
                0
            }
        }
    }

    /// Takes one more. The detail is asked for only where it is kept.
    pub fn push(
        &mut self,
        code: Code,
        at: usize,
        section: Option<u32>,
        detail: impl FnOnce() -> String,
    ) {
        if self.count(code, 1) < KEPT_OF_A_CODE {
            self.kept.push(Fault {
                code,
                rank: code.rank(),
                at,
                section,
                detail: detail(),
            });
        }
    }

    /// Takes those of a part.
    pub fn merge(&mut self, part: Faults) {
        for (code, more) in part.counts {
            let before = self.count(code, more);
            let room = KEPT_OF_A_CODE.saturating_sub(before);
            let of_code = part.kept.iter().filter(|fault| fault.code == code);
            self.kept.extend(of_code.take(room as usize).cloned());
        }
    }

    /// Whether one of them has this rank.
    pub fn any(&self, rank: Rank) -> bool {
        self.kept.iter().any(|fault| fault.rank == rank)
    }

    /// What throws in a section's map is caught outside of it, where it is an optional error.
    pub fn demote(&mut self) {
        for fault in &mut self.kept {
            fault.rank = fault.rank.max(Rank::Optional);
        }
    }
}
