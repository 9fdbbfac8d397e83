//! YARA rules of the user's own, over each content that is read.
//!
//! They run over what a content is as a whole, be it a leaf or a container: a program with an archive in it is a program.
//! What is too large to be held is not searched, and that is said of it; what a container holds is searched
//! all the same.

use super::analyse::Analyser;
use super::facts::Facts;
use crate::blob::room;
use crate::container::{Input, InputFile, Trouble};
use crate::exposure::Trait;
use crate::exposure::yara::matches_in_content;

impl Analyser {
    /// Runs the rules over a content. What they find, and that they could not be run, goes to its facts.
    pub(super) fn run_yara(&self, bytes: &[u8], facts: &mut Facts) {
        let Some(rules) = &self.inspector.yara else {
            return;
        };
        match matches_in_content(rules, bytes) {
            Ok(found) => {
                let found = found.into_iter().map(|one| Trait::Yara(Box::new(one)));
                facts.traits.extend(found);
            }
            Err(fault) => {
                let trouble = Trouble::damaged(fault.code(), fault.to_string(), None);
                facts.troubles.push(trouble);
            }
        }
    }

    /// The same for a container, wherever it is; `hold` is how much may be held.
    pub(super) fn run_yara_over(&self, input: &Input, hold: u64, facts: &mut Facts) {
        match input {
            Input::Memory(bytes) => self.run_yara(bytes, facts),
            Input::File(file) => self.run_yara_over_file(file, hold, facts),
        }
    }

    /// The same for one that stands in a file.
    pub(super) fn run_yara_over_file(&self, file: &InputFile, hold: u64, facts: &mut Facts) {
        if self.inspector.yara.is_none() {
            return;
        }
        if file.len > hold {
            facts.troubles.push(Trouble::damaged(
                "yara-memory",
                format!(
                    "larger than content may be held here ({hold} bytes), so no YARA rule was run over it as a whole; over what it holds they were; raise --memory"
                ),
                None,
            ));
            return;
        }
        room::want(file.len);
        match file.read_at(0, usize::try_from(file.len).unwrap_or(usize::MAX)) {
            Ok(bytes) => self.run_yara(&bytes, facts),
            Err(error) => facts.troubles.push(super::unit::failed(&error, file.len)),
        }
    }
}
