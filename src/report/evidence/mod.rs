//! The evidence folder: a case sealed, so that somebody else can check it in a year with programs that are not ours.
//!
//! A report is believed as far as whoever wrote it; a folder of evidence should be believed as far as it can be checked. So
//! nothing in it is of a form of our own where there is one that others read: the folder is a bag ([`bag`], RFC 8493), its
//! custody log has a tree head ([`tree_head`], RFC 9162), what is claimed of its files is an in-toto statement in DSSE
//! ([`statement`], [`dsse`]), the signature is what `ssh-keygen` makes and checks ([`sshsig`]), and the time is that of an
//! authority ([`timestamp`], RFC 3161). [`verify`] checks all of it, and says of each check what it proves and what not;
//! `HOW-TO-VERIFY.txt` does without us.
//!
//! One list binds everything: the tag manifest has the digest of the manifest, that has those of the payload, and what is
//! made of the tag manifest (signature, query, reply) stands beside it. Each clock is in the custody log; the same case sealed with
//! `SOURCE_DATE_EPOCH` gives the same bytes, signatures of the usual keys included.
//!
//! By default the folder holds no content of an input: exhibits are a list of places and digests ([`exhibits`]). Secrets
//! are redacted in the records already. What people think of the case (reviews, notices, briefs, overrides) stays in the case unless
//! they say otherwise.
//!
//! What is not here: writing files, keys and agents (the caller's).

mod asymmetric;
pub mod bag;
pub mod certificate;
pub mod custody;
pub mod dsse;
pub mod exhibits;
pub mod sshsig;
pub mod statement;
pub mod timestamp;
pub mod tree_head;
pub mod verify;

/// The records of the case.
pub const RECORDS_FILE: &str = "data/records.jsonl";
/// The report, a folder.
pub const REPORT_FOLDER: &str = "data/report";
/// The figures of the report.
pub const REPORT_FILE: &str = "data/report/report.json";
/// The custody log ([`custody`]).
pub const CUSTODY_FILE: &str = "data/custody.jsonl";
/// The tree head over them.
pub const CHECKPOINT_FILE: &str = "data/checkpoint";
/// Proof that the log goes on from that of an earlier folder.
pub const CONSISTENCY_FILE: &str = "data/consistency.json";
/// The statement.
pub const STATEMENT_FILE: &str = "data/attestation.dsse.json";
/// The list of exhibits.
pub const EXHIBITS_FILE: &str = "data/exhibits/exhibits.csv";
/// Contents of exhibits, each named by its SHA-256.
pub const EXHIBITS_FOLDER: &str = "data/exhibits/files";
/// The draft of a certificate.
pub const CERTIFICATE_FILE: &str = "data/certificate-902-14.txt";
/// The same, to be printed.
pub const CERTIFICATE_PAGE: &str = "data/certificate-902-14.html";
/// The records in the forms of other programs, where they were asked for.
pub const EXPORTS_FOLDER: &str = "data/exports";
/// What people decided and drafted; there only when they ask.
pub const WORK_PRODUCT_FOLDER: &str = "data/work-product";
/// How to check the folder without this program.
pub const HOW_TO_FILE: &str = "HOW-TO-VERIFY.txt";
/// What stands in it.
pub const HOW_TO: &str = include_str!("how-to-verify.txt");
/// Tag files that the list of the lists binds.
pub const TAG_FILES: [&str; 4] = [
    HOW_TO_FILE,
    bag::INFO_FILE,
    bag::DECLARATION_FILE,
    bag::MANIFEST_FILE,
];
/// Payload that each folder has.
pub const NEEDED: [&str; 7] = [
    RECORDS_FILE,
    REPORT_FILE,
    CUSTODY_FILE,
    CHECKPOINT_FILE,
    STATEMENT_FILE,
    EXHIBITS_FILE,
    CERTIFICATE_FILE,
];
