//! Text for people: hostile strings made visible, numbers made readable.
//!
//! Names in an input are chosen by whoever made it. A right-to-left override turns `gnp.exe` into `exe.png` on
//! screen, a zero-width space makes two names look equal, a megabyte of name fills the page. [`shown`] is the one
//! door through which such strings reach a page: it spells out every character that draws nothing or moves others,
//! and cuts the middle out of what is too long, saying so. HTML escaping comes after it and is not done here.

use std::fmt::Write;

use crate::record::ReleaseBasis;

/// Most characters of one string on a page, before its middle is left out.
pub const SHOWN_CHARS: usize = 400;

/// Most characters of one string kept in a model.
pub const KEPT_CHARS: usize = 2_000;

/// Whether a character draws nothing by itself or changes how others are drawn: controls, bidi controls, and what
/// Unicode calls default-ignorable (DerivedCoreProperties.txt), with the separators and interlinear marks.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x00AD
                | 0x034F
                | 0x061C
                | 0x115F..=0x1160
                | 0x17B4..=0x17B5
                | 0x180B..=0x180F
                | 0x200B..=0x200F
                | 0x2028..=0x202E
                | 0x2060..=0x206F
                | 0x3164
                | 0xFE00..=0xFE0F
                | 0xFEFF
                | 0xFFA0
                | 0xFFF0..=0xFFFB
                | 0x1BCA0..=0x1BCA3
                | 0x1D173..=0x1D17A
                | 0xE0000..=0xE0FFF
        )
}

/// A string from an input, safe to look at: invisible characters as `[U+202E]`, the middle of long ones left out.
pub fn shown(text: &str) -> String {
    visible(&clip(text, SHOWN_CHARS))
}

/// A string of any length with invisible characters as `[U+202E]`.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "[U+{:04X}]", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// An address that no program takes for one: `https://a.example` is `hxxps://a[.]example`. Text without `://` or `@`
/// stays as it is.
pub fn defanged(text: &str) -> String {
    if !text.contains("://") && !text.contains('@') {
        return text.to_owned();
    }
    let text = text
        .replace("http://", "hxxp://")
        .replace("https://", "hxxps://");
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            if word.contains("://") || word.contains('@') {
                word.replace('.', "[.]")
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// The string, or its first two thirds and its end with the count of characters left out between them. The end is
/// kept because a locator says most at its end. `most` counts characters.
pub fn clip(text: &str, most: usize) -> String {
    // A string has at most as many characters as bytes: the common case costs nothing.
    if text.len() <= most {
        return text.to_owned();
    }
    let total = text.chars().count();
    if total <= most {
        return text.to_owned();
    }
    let head = most * 2 / 3;
    let tail = most - head;
    let mut out: String = text.chars().take(head).collect();
    let _ = write!(
        out,
        " [… {} characters …] ",
        grouped(count_of(total - head - tail))
    );
    out.extend(text.chars().skip(total - tail));
    out
}

/// A number with thousands separators: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes in decimal units, three significant digits: `5.61 MB`. Below 1,000: `812 B`.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 5] = [
        ("EB", 1_000_000_000_000_000_000),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("KB", 1_000),
    ];
    for (unit, step) in UNITS {
        if bytes < step {
            continue;
        }
        // Whole tenths or hundredths, cut and not rounded: 999,999 must not become "1000 KB".
        let whole = bytes / step;
        let rest = bytes % step;
        return match whole {
            0..=9 => format!("{whole}.{:02} {unit}", rest / (step / 100)),
            10..=99 => format!("{whole}.{} {unit}", rest / (step / 10)),
            _ => format!("{} {unit}", grouped(whole)),
        };
    }
    format!("{bytes} B")
}

/// A share of 0 to 1 as per cent with one decimal, never rounded up to 100 nor down to 0: 0.9999 is `99.9 %`.
pub fn percent(share: f64) -> String {
    if !share.is_finite() || share < 0.0 {
        return "not known".to_owned();
    }
    if share == 0.0 {
        return "0 %".to_owned();
    }
    if share >= 1.0 {
        return "100 %".to_owned();
    }
    // The small term undoes binary fractions such as 0.29 * 1000 = 289.99….
    let tenths = (share * 1000.0 + 1e-9).floor().min(999.0);
    if tenths < 1.0 {
        return "< 0.1 %".to_owned();
    }
    format!("{:.1} %", tenths / 10.0)
}

/// A number with its noun: `1 entry`, `2,000 entries`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// `usize` as `u64`, without a cast that could cut.
pub(crate) fn count_of(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Why the release called `named` is named of a copy, in words; `None` where it is the only one that matches.
pub fn release_words(basis: &ReleaseBasis, named: &str) -> Option<String> {
    if !basis.ties.is_empty() {
        let ties = basis.ties.join(", ");
        return Some(format!("or {ties}: nothing tells them apart"));
    }
    let row = basis.releases.iter().find(|row| row.release == named)?;
    if basis.releases.len() < 2 {
        return None;
    }
    let Some(file) = row.telling_files.first() else {
        return Some("of the releases signed, most of this one is there".to_owned());
    };
    let files = plural(row.telling, "file tells", "files tell");
    Some(format!("{files}, such as {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_no_links() {
        assert_eq!(
            defanged("https://a.example/b.js"),
            "hxxps://a[.]example/b[.]js"
        );
        assert_eq!(
            defanged("see http://a.example now."),
            "see hxxp://a[.]example now."
        );
        assert_eq!(defanged("a.b@mail.example"), "a[.]b@mail[.]example");
        assert_eq!(defanged("src/a.ts"), "src/a.ts");
    }

    #[test]
    fn invisible_characters_are_spelled_out() {
        assert_eq!(shown("a\u{202E}gnp.exe"), "a[U+202E]gnp.exe");
        assert_eq!(shown("a\0b\u{1b}[31m\n"), "a[U+0000]b[U+001B][31m[U+000A]");
        assert_eq!(
            shown("x\u{200B}y\u{FEFF}\u{2066}\u{E0041}"),
            "x[U+200B]y[U+FEFF][U+2066][U+E0041]"
        );
        assert_eq!(shown("\u{85}\u{7f}"), "[U+0085][U+007F]");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["src/query.ts", "größe/日本語/שלום.ts", "<b>&amp;", "a%20b"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn long_text_keeps_both_ends_and_says_how_much_is_gone() {
        let text = format!("{}{}", "a".repeat(5_000), "end.ts");
        let seen = shown(&text);
        assert!(
            seen.starts_with("aaaa") && seen.ends_with("end.ts"),
            "{seen}"
        );
        assert!(seen.contains("[… 4,606 characters …]"), "{seen}");
        assert!(seen.chars().count() < SHOWN_CHARS + 40);
        // Counted in characters, so that a cut never falls within one.
        assert_eq!(clip(&"é".repeat(10), 10), "é".repeat(10));
        assert!(clip(&"é".repeat(11), 10).contains("[… 1 characters …]"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn sizes_are_decimal_and_cut() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.00 KB");
        assert_eq!(size(59_766_257), "59.7 MB");
        assert_eq!(size(999_999), "999 KB");
        assert_eq!(size(5_000_000_000_000_000), "5,000 TB");
        assert_eq!(size(u64::MAX), "18.4 EB");
    }

    #[test]
    fn shares_never_round_to_all_or_nothing() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.99999), "99.9 %");
        assert_eq!(percent(0.29), "29.0 %");
        assert_eq!(percent(0.0001), "< 0.1 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(f64::NAN), "not known");
    }
}
