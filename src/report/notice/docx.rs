//! A notice as `.docx` (ECMA-376, Office Open XML), for those who edit in a word processor.
//!
//! A heading, a paragraph, a header with the stamps: that is four small XML parts in an archive, and takes no library. The
//! archive's members are stored and carry no time, so that the same notice is the same bytes. Styles, tables and pictures are
//! left out: what is pasted into a form is text.

use super::render::Text;

/// Time and date of members: the first that the format knows, 1 January 1980.
const DOS_DATE: u16 = (1 << 5) | 1;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/header1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>"#;
const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
const OF_DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/header" Target="header1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="240"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/><w:sz w:val="26"/></w:rPr></w:style></w:styles>"#;
const NAMESPACES: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships""#;

/// The document.
#[must_use]
pub fn docx(text: &Text) -> Vec<u8> {
    let mut archive = Stored::default();
    for (name, content) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("word/document.xml", &document(text)),
        ("word/_rels/document.xml.rels", OF_DOCUMENT),
        ("word/header1.xml", &header(text)),
        ("word/styles.xml", STYLES),
    ] {
        archive.add(name, content.as_bytes());
    }
    archive.finish()
}

fn document(text: &Text) -> String {
    let mut body = paragraph(Some("Title"), &text.title);
    for (number, part) in (1..).zip(&text.parts) {
        body += &paragraph(Some("Heading1"), &format!("{number}. {}", part.title));
        for line in part.text.trim_end().lines() {
            body += &paragraph(None, line);
        }
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document {NAMESPACES}><w:body>{body}<w:sectPr><w:headerReference w:type="default" r:id="rId1"/></w:sectPr></w:body></w:document>"#
    )
}

/// What stands on each page.
fn header(text: &Text) -> String {
    let stamps: String = text
        .stamps
        .iter()
        .map(|stamp| paragraph(None, stamp))
        .collect();
    let stamps = match stamps.is_empty() {
        true => paragraph(None, ""),
        false => stamps,
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:hdr {NAMESPACES}>{stamps}</w:hdr>"#
    )
}

fn paragraph(style: Option<&str>, line: &str) -> String {
    let style = style.map_or(String::new(), |style| {
        format!(r#"<w:pPr><w:pStyle w:val="{style}"/></w:pPr>"#)
    });
    format!(
        r#"<w:p>{style}<w:r><w:t xml:space="preserve">{}</w:t></w:r></w:p>"#,
        escaped(line)
    )
}

/// Text of XML. What XML 1.0 cannot hold is spelled out before; a template may have written it itself.
fn escaped(text: &str) -> String {
    crate::report::text::visible(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace(['\u{fffe}', '\u{ffff}'], "?")
}

/// A zip archive (APPNOTE 6.3) of stored members.
#[derive(Default)]
struct Stored {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    members: u16,
}

impl Stored {
    fn add(&mut self, name: &str, content: &[u8]) {
        // Notices are far below 4 GiB: the rows of one are bounded by its host.
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let name_len = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let mut common = Vec::new();
        for number in [20_u16, 0x0800, 0, 0, DOS_DATE] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc32fast::hash(content), size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(name_len.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(content);
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(20_u16.to_le_bytes());
        self.directory.extend(&common);
        // Comment, disk, attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(start.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.members += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let size = u32::try_from(self.directory.len()).unwrap_or(u32::MAX);
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06");
        self.bytes.extend([0; 4]);
        for number in [self.members, self.members] {
            self.bytes.extend(number.to_le_bytes());
        }
        for number in [size, start] {
            self.bytes.extend(number.to_le_bytes());
        }
        self.bytes.extend([0; 2]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::Part;
    use super::*;

    #[test]
    fn another_reader_opens_it_and_nothing_breaks_out() {
        let text = Text {
            title: "Notice <&>".to_owned(),
            stamps: vec!["NOT REVIEWED".to_owned()],
            parts: vec![Part {
                file: "01".to_owned(),
                title: "What".to_owned(),
                text: "one\n</w:t>\u{1}two\n".to_owned(),
            }],
        };
        let bytes = docx(&text);
        assert_eq!(bytes, docx(&text));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut read = |name: &str| {
            let mut out = String::new();
            let mut member = archive.by_name(name).unwrap();
            member.read_to_string(&mut out).unwrap();
            out
        };
        let document = read("word/document.xml");
        assert!(document.contains("Notice &lt;&amp;&gt;"), "{document}");
        assert!(document.contains("&lt;/w:t&gt;[U+0001]two"), "{document}");
        assert_eq!(document.matches("<w:p>").count(), 4);
        assert!(read("word/header1.xml").contains("NOT REVIEWED"));
    }
}
