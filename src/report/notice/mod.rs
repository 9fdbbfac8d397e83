//! Drafts of notices to hosts: from the records of a case and what people decided of them to texts that a person checks,
//! signs and sends.
//!
//! A notice that a host can act on at once says three things of each place: what is there, exactly where, and how that is
//! known. All three are in the case. So nothing is written by hand but who complains, and nothing is said that no record
//! bears out: each place is one that a person confirmed (`rows`), each file has its address at a commit where the host has
//! such addresses (`hosts`), and what is *not* claimed is told with its count. One notice is made for each fork network of a
//! host, since a host judges networks, and is cut only where a host takes no more places at once (`drafts`).
//!
//! The way is one-directional: records → [`Gather`] (twice over them: places first, then the files of those that are
//! claimed) → [`Selection`] → [`Draft`] → texts (`render`). Texts are templates that users change; they get data and no
//! power: undefined fields are errors, loops are bounded, and each value is one line of visible characters, so that no
//! name in an input makes a heading or a paragraph.
//!
//! What is *not* here: signing, ticking and sending, which people do; reading and writing files, which the caller does; and
//! any word on what follows from a match. What the sender swears to stands in the words of the statute or of the host's form,
//! with an empty box before it.

mod contacts;
mod docx;
mod drafts;
mod exhibit;
mod gather;
mod hosts;
mod inert;
mod render;
mod rows;
mod works;

pub use contacts::{Contacts, ContactsError};
pub use docx::docx;
pub use drafts::{Asked, Draft, Follows, drafts};
pub use exhibit::{exhibit_csv, exhibit_html, notice_html};
pub use gather::Gather;
pub use hosts::{Host, Hosts, HostsError};
pub(in crate::report) use inert::inert_all;
pub(in crate::report) use render::rendered;
pub use render::{Part, Templates, TemplatesError, Text};
pub(super) use rows::FOR_EXPERTS;
pub use rows::{Chosen, Item, LeftOut, Routed, Selection, Unowned, What};
pub use works::WorkFacts;
