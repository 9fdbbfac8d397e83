//! Two trees, file by file and line by line.

use crate::record::ChangeKind;

use super::tree::TreeFile;

/// One file of either tree beside what it is in the other.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'t> {
    /// What became of it.
    pub kind: ChangeKind,
    /// Path and file in the original; `None` where it was added.
    pub original: Option<(&'t [u8], &'t TreeFile)>,
    /// Path and file in the copy; `None` where it was removed.
    pub copy: Option<(&'t [u8], &'t TreeFile)>,
}
