//! What stands for the rules in a build without them: a type of which there is no value.

use super::{LeftOut, RuleText, YaraError, YaraFault};
use crate::record::YaraMatch;

/// Rules that are ready to be run. This build has none: the feature `yara` brings them.
#[derive(Debug)]
pub enum YaraRules {}

impl YaraRules {
    /// Says that this build has none.
    ///
    /// # Errors
    /// Always [`YaraError::NotBuilt`].
    pub fn compile(_files: &[RuleText], _seconds: u64) -> Result<Self, YaraError> {
        Err(YaraError::NotBuilt)
    }

    /// What runs them.
    pub fn engine(&self) -> &str {
        match *self {}
    }

    /// Files that they were read from.
    pub fn files(&self) -> u64 {
        match *self {}
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match *self {}
    }

    /// Those that are not run.
    pub fn left_out(&self) -> &LeftOut {
        match *self {}
    }

    /// How long they may take over one content, at least.
    pub fn timeout_seconds(&self) -> u64 {
        match *self {}
    }

    /// BLAKE3 of the files and of what bounds them.
    pub fn digest(&self) -> [u8; 32] {
        match *self {}
    }

    /// The rules that match a content.
    ///
    /// # Errors
    /// When they could not be run to their end.
    pub fn matches(&self, _bytes: &[u8]) -> Result<Vec<YaraMatch>, YaraFault> {
        match *self {}
    }
}
