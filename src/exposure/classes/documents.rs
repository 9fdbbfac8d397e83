//! Who made a document, and folders' own settings.
//!
//! Office documents keep their author in `docProps/core.xml`, a member of the zip that they are (ECMA-376, part 2, 11).

use super::Artifact;
use super::text::Text;

/// `<cp:coreProperties>` with a creator or a last author.
pub fn read_core_properties(text: &Text<'_>) -> Option<Artifact> {
    let head = text
        .text
        .get(..text.text.len().min(1024))
        .unwrap_or(text.text);
    if !head.contains("coreProperties") {
        return None;
    }
    let told = |tag: &str| {
        let (_, rest) = text.text.split_once(tag)?;
        let value = rest.split_once('>')?.1.split('<').next()?.trim();
        (!value.is_empty()).then_some(())
    };
    let who: Vec<&str> = [
        ("<dc:creator", "its author"),
        ("<cp:lastModifiedBy", "who changed it last"),
    ]
    .into_iter()
    .filter_map(|(tag, said)| told(tag).map(|()| said))
    .collect();
    let detail = format!(
        "properties of an office document that name {}",
        who.join(" and ")
    );
    (!who.is_empty()).then(|| Artifact::proven("document-author", "", detail))
}

/// `desktop.ini`.
pub fn read_folder_settings(text: &Text<'_>) -> Option<Artifact> {
    let is_one = ["[.ShellClassInfo]", "[ViewState]", "[LocalizedFileNames]"].contains(&text.first);
    is_one.then(|| Artifact::proven("folder-index", "", "a folder's settings of Windows"))
}
