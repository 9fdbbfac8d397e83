//! What the summary says of where copies lie.

use crate::record::{Certainty, Copy, Origin};
use crate::report::text::{grouped, plural};

/// Where a copy was got from, and how sure that is.
pub fn location_words(copy: &Copy) -> String {
    match (&copy.url, copy.location) {
        (Some(url), Some(Certainty::Proven)) => format!("; from {url}"),
        (Some(url), _) => format!("; location: hint, {url}"),
        (None, _) => String::new(),
    }
}

/// Rows of the user's list, by what became of them.
#[derive(Default)]
pub struct Listed {
    present: u64,
    absent: u64,
    contradicted: u64,
}

impl Listed {
    /// Takes one.
    pub fn add(&mut self, origin: &Origin) {
        *if origin.present {
            &mut self.present
        } else {
            &mut self.absent
        } += 1;
        self.contradicted += u64::from(!origin.contradicted_by.is_empty());
    }

    /// How many there are; `None` where there are none.
    pub fn line(&self) -> Option<String> {
        let all = self.present + self.absent;
        let against = match self.contradicted {
            0 => String::new(),
            some => format!("; what is said of {} is contradicted", grouped(some)),
        };
        (all > 0).then(|| {
            format!(
                "{} listed: {} in the input, {} not examined{against}",
                plural(all, "place", "places"),
                grouped(self.present),
                grouped(self.absent)
            )
        })
    }
}
