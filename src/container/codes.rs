//! The codes of problems, all of them.
//!
//! `--accept-problem` takes a code, and a word that is none would be a promise that nothing keeps. So they are listed here,
//! and each [`Trouble`](super::Trouble) that is made is held against the list wherever the program is tested.

/// Every code that a problem may have, in order.
pub const ALL: &[&str] = &[
    "7z-damaged",
    "acquisition-digest",
    "acquisition-unmatched",
    "ar-damaged",
    "asar-entry-damaged",
    "asar-header-damaged",
    "asar-index-damaged",
    "asar-overlap",
    "asar-unlisted",
    "base64-damaged",
    "boundary-missing",
    "bun-layout-unknown",
    "bytes-limit",
    "cab-damaged",
    "cab-overlap",
    "carve-limit",
    "changed-since-scan",
    "changed-while-read",
    "checksum-mismatch",
    "chunks-damaged",
    "contains-itself",
    "content-coding-damaged",
    "continued-member",
    "corrupt-data",
    "cpio-damaged",
    "data-url-damaged",
    "deno-index-damaged",
    "deno-layout-unknown",
    "depth-limit",
    "dictionary-needed",
    "encrypted",
    "entries-limit",
    "gap-data",
    "git-base-missing",
    "git-borrowed",
    "git-bundle-damaged",
    "git-history-not-told",
    "git-id-mismatch",
    "git-index-damaged",
    "git-names-not-read",
    "git-object-damaged",
    "git-pack-damaged",
    "git-partial",
    "git-shallow",
    "git-store-in-parts",
    "git-unlisted",
    "gzip-damaged",
    "gzip-header",
    "har-damaged",
    "header-mismatch",
    "headers-disagree",
    "image-blob-missing",
    "image-digest",
    "image-document",
    "image-index-cycle",
    "image-layer",
    "image-layers",
    "image-limit",
    "internal-error",
    "iso-damaged",
    "iso-overlap",
    "leading-data",
    "length-mismatch",
    "lockfile-unread",
    "mail-no-body",
    "map-damaged",
    "memory-limit",
    "name-too-long",
    "nexe-index-damaged",
    "nexe-index-missing",
    "no-content",
    "origin-contradiction",
    "origin-no-root",
    "pax-malformed",
    "pkg-index-damaged",
    "ram-overlap",
    "rar-damaged",
    "ratio-limit",
    "rpm-damaged",
    "sea-layout-unknown",
    "search-limit",
    "settings-unread",
    "sparse-file",
    "sparse-member",
    "spill-failed",
    "split-archive",
    "tar-concatenated",
    "tar-damaged",
    "thin-archive",
    "trailing-data",
    "transfer-coding-damaged",
    "transfer-coding-odd",
    "triage-checksum",
    "triage-headers",
    "triage-id",
    "triage-length",
    "triage-names",
    "triage-packed",
    "truncated",
    "unclaimed-content",
    "unexpected-data",
    "unreadable",
    "unsupported",
    "vanished",
    "warc-damaged",
    "yara-failed",
    "yara-memory",
    "yara-timeout",
    "zip-directory-damaged",
    "zip-directory-odd",
    "zip-entry-damaged",
    "zip-no-directory",
    "zip-overlap",
];

/// Whether a word is a code.
pub fn is_known(code: &str) -> bool {
    ALL.binary_search(&code).is_ok()
}

/// The code that is most like a word.
pub fn nearest(word: &str) -> &'static str {
    let likeness = |code: &&&str| (strsim::jaro_winkler(word, code) * 1e6) as u64;
    ALL.iter().max_by_key(likeness).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_order_and_are_found() {
        assert!(ALL.is_sorted_by(|a, b| a < b));
        assert!(ALL.iter().all(|code| is_known(code)));
        assert!(!is_known("memory") && !is_known(""));
        assert_eq!(nearest("memory-limits"), "memory-limit");
        assert_eq!(nearest("encripted"), "encrypted");
    }
}
