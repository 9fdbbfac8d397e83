//! The digests that a set is built from and asked with, all of them without a key.
//!
//! SHA-256 is the identity of a content in every output; the git blob id joins it with git trees and pack indexes; length and CRC-32 are what the headers of a zip state; the
//! digest of the normal form joins texts that differ in nothing a reader would see. A caller that has the SHA-256
//! already hands it over, so that no content is hashed twice.

use std::io::{self, Read};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{layout, norm_text};

/// What [`SetBuilder`](super::SetBuilder) needs to know of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigests {
    /// Length in bytes.
    pub bytes: u64,
    /// Lines as [`norm_text::lines`] counts them; 0 when it is not text.
    pub lines: u32,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// Git blob id in the SHA-1 object format.
    pub git_sha1: [u8; 20],
    /// CRC-32 of the bytes, as the headers of a zip state it.
    pub crc32: u32,
    /// Digest of the normal form (`norm-text/1`), `None` when there is none.
    pub norm: Option<[u8; 32]>,
    /// Digest of the text without its layout (`layout/2`), `None` when there is none.
    pub layout: Option<[u8; 32]>,
}

/// All digests of `content`.
#[must_use]
pub fn digests_of(content: &[u8]) -> FileDigests {
    digests_with_sha256(content, Sha256::digest(content).into())
}

/// All digests of `content`, whose SHA-256 the caller knows.
#[must_use]
pub fn digests_with_sha256(content: &[u8], sha256: [u8; 32]) -> FileDigests {
    FileDigests {
        bytes: content.len() as u64,
        lines: norm_text::lines(content).unwrap_or(0),
        sha256,
        git_sha1: git_blob_sha1(content),
        crc32: crc32fast::hash(content),
        norm: norm_text::digest(content),
        layout: layout::digest(content),
    }
}

/// The id git gives to `content`: SHA-1 of `blob `, the length in decimal, a NUL, and the bytes
/// (gitformat-loose(5)). Plain SHA-1: git's own differs only on contents made to collide, which it refuses.
#[must_use]
pub fn git_blob_sha1(content: &[u8]) -> [u8; 20] {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", content.len()));
    hasher.update(content);
    hasher.finalize().into()
}

/// The digests beside SHA-256 by which lists of other programs name contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListDigests {
    /// Length in bytes.
    pub bytes: u64,
    /// Git blob id in the SHA-1 object format.
    pub git_sha1: [u8; 20],
    /// MD5 (RFC 1321). Two contents can be made to have the same one; one that has the MD5 of a given content cannot, as
    /// far as is known.
    pub md5: [u8; 16],
}

impl ListDigests {
    /// Those of `bytes` bytes from `reader`.
    ///
    /// # Errors
    /// It cannot be read, or holds fewer bytes.
    pub fn read(reader: impl Read, bytes: u64) -> io::Result<ListDigests> {
        let mut md5 = Md5::new();
        let git_sha1 = git_blob_sha1_read(reader, bytes, |piece| md5.update(piece))?;
        Ok(ListDigests {
            bytes,
            git_sha1,
            md5: md5.finalize().into(),
        })
    }
}

/// The git blob id of `bytes` bytes from `reader`; each piece is shown to `look`.
///
/// # Errors
/// It cannot be read, or holds fewer bytes.
pub fn git_blob_sha1_read(
    reader: impl Read,
    bytes: u64,
    mut look: impl FnMut(&[u8]),
) -> io::Result<[u8; 20]> {
    let mut git = Sha1::new();
    git.update(format!("blob {bytes}\0"));
    let mut reader = reader.take(bytes);
    let mut buffer = vec![0; 1 << 16];
    let mut left = bytes;
    loop {
        let got = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..got).unwrap_or_default();
        git.update(piece);
        look(piece);
        left = left.saturating_sub(got as u64);
    }
    if left > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(git.finalize().into())
}

/// MD5 of `content`.
#[must_use]
pub fn md5_of(content: &[u8]) -> [u8; 16] {
    Md5::digest(content).into()
}

/// Lower-case hexadecimal of `bytes`.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 0xf])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}
