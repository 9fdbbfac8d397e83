//! What every stage speaks of: the bytes of an entry, their digests, and the way to them.
//!
//! Bytes are evidence, so they are hashed before anything else is done with them. BLAKE3 tells content that was
//! seen before (it is the fastest strong digest here), SHA-256 is the identity that stands in every output
//! (everybody else's tools can check it). Names are bytes too: they are kept raw and shown escaped.

pub mod digest;
pub mod hops;
pub mod limits;
pub mod lines;
pub mod locator;
pub mod room;
pub mod url;

pub use digest::{ContentKey, Sha256Digest};
pub use hops::{Hop, Hops};
pub use limits::{Decoders, Limits};
pub use lines::count_lines;
pub use locator::{Locator, MemberName};
