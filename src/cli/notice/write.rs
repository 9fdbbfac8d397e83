//! What lies in the folder of a draft.
//!
//! ```text
//! left-out.csv, for-expert.csv      places that are in no notice, with the reason
//! secrets.txt, abuse.txt, own-unpublish.txt      what goes another way
//! notice-1/   notice.txt (all of it), notice.html (to be read and printed), form/ (one file for each question),
//!             exhibit.csv, exhibit.html (each file that is claimed), before-sending.txt (what to check)
//! ```

use std::path::Path;

use super::draft::Made;
use crate::case::Notice;
use crate::cli::output::OutputFolder;
use crate::cli::{CliError, pipeline};
use crate::report::export::csv::cell;
use crate::report::notice::{Host, LeftOut, Routed, docx, exhibit_csv, exhibit_html, notice_html};
use crate::report::text::{plural, shown};

/// Names of what is written.
pub(super) struct Written;

impl Written {
    /// The folder of one notice.
    pub(super) fn folder(number: usize) -> String {
        format!("notice-{number}")
    }
}

/// Writes everything.
pub(super) fn write(
    folder: &OutputFolder,
    made: &Made,
    host: &Host,
    with_docx: bool,
) -> Result<(), CliError> {
    let version = pipeline::version();
    for (number, (draft, text)) in (1..).zip(&made.drafts) {
        let name = Written::folder(number);
        folder.make_folder(&format!("{name}/form"))?;
        let put =
            |file: &str, bytes: &str| folder.write(&format!("{name}/{file}"), bytes.as_bytes());
        put("notice.txt", &text.whole())?;
        put("notice.html", &notice_html(text, version)?)?;
        if with_docx {
            folder.write(&format!("{name}/notice.docx"), &docx(text))?;
        }
        for part in &text.parts {
            put(&format!("form/{}.txt", part.file), &text.part(part))?;
        }
        put("before-sending.txt", &checklist(&draft.checks, host))?;
        if !draft.items.is_empty() {
            put("exhibit.csv", &exhibit_csv(draft))?;
            put("exhibit.html", &exhibit_html(draft, version)?)?;
        }
    }
    let selection = &made.selection;
    folder.write("left-out.csv", table(&selection.left_out).as_bytes())?;
    folder.write("for-expert.csv", table(&selection.expert).as_bytes())?;
    for (file, head, rows) in [
        (
            "secrets.txt",
            format!(
                "Secrets at claimed places. Not for a notice, which may be published: they go to {}. Values are left out; `case reveal` shows one.",
                host.private
            ),
            &selection.secrets,
        ),
        (
            "abuse.txt",
            format!(
                "What was put into claimed places and looks like tampering. Not for a notice: it goes to {}.",
                host.abuse
            ),
            &selection.abuse,
        ),
        (
            "own-unpublish.txt",
            format!(
                "Packages under the vendor's own name. Own: unpublish. No notice is needed: {}.",
                host.own.as_deref().unwrap_or("their owner takes them down")
            ),
            &selection.own,
        ),
    ] {
        if !rows.is_empty() {
            folder.write(file, list(&head, rows).as_bytes())?;
        }
    }
    Ok(())
}

fn checklist(checks: &[String], host: &Host) -> String {
    let mut out = String::from("Before this is sent:\n\n");
    for check in checks {
        out += &format!("[ ] {}\n", shown(check));
    }
    for (word, way) in [("Form", &host.form), ("Mail", &host.mail)] {
        if let Some(way) = way {
            out += &format!("\n{word}: {}\n", shown(way));
        }
    }
    out
}

fn table(rows: &[LeftOut]) -> String {
    let mut out = String::from("id,place,url,class,reason\r\n");
    for row in rows {
        let url = row.url.as_deref().unwrap_or_default();
        let cells = [&row.id, &row.locator, url, &row.class, &row.reason].map(cell);
        out += &cells.join(",");
        out += "\r\n";
    }
    out
}

fn list(head: &str, rows: &[Routed]) -> String {
    let mut out = format!("{head}\n");
    let mut place = "";
    for row in rows {
        if row.url != place {
            place = &row.url;
            out += &format!("\n{}\n", shown(place));
        }
        let at = match row.path.as_str() {
            "" => String::new(),
            path => format!("{}: ", shown(path)),
        };
        out += &format!("  - {at}{}\n", shown(&row.what));
    }
    out
}

impl Made {
    /// Says what was drafted.
    pub(super) fn tell(&self, notices: &[Notice], output: &Path) {
        for (number, (notice, (draft, _))) in (1..).zip(notices.iter().zip(&self.drafts)) {
            println!(
                "{}  {}  {}  {}",
                notice.id,
                plural(draft.items.len() as u64, "place", "places"),
                crate::blob::locator::shown(&draft.title()),
                output
                    .join(Written::folder(number))
                    .join("notice.txt")
                    .display()
            );
        }
        let selection = &self.selection;
        for (rows, what) in [
            (selection.left_out.len(), "left out (left-out.csv)"),
            (selection.expert.len(), "for an expert (for-expert.csv)"),
            (
                selection.secrets.len(),
                "secrets for the private channel (secrets.txt)",
            ),
            (
                selection.abuse.len(),
                "signs of tampering for the abuse channel (abuse.txt)",
            ),
            (
                selection.own.len(),
                "own packages to unpublish (own-unpublish.txt)",
            ),
        ] {
            if rows > 0 {
                println!("{rows} {what}");
            }
        }
    }
}
