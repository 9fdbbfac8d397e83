//! Settings of programs that no other class knows, with a credential in clear in them.
//!
//! Spring, Rails, Helm, .NET and nearly everything that somebody wrote for one company read settings of a common form:
//! sections, comments, `name = value`, `name: value`, lists and nesting of YAML, objects of JSON with one member a line. The
//! form proves nothing by itself: translations, schemas and lists of versions look the same. So a text is one only where
//! most of its lines are of that form, and a value in it is a credential in settings of any program
//! (`secrets/unknown_form.rs`); and it counts where its name is that of such a file ([`is_named_so`]), for notes, logs and
//! code hold the same lines as examples.
//!
//! Everything in an input is asked, so what costs more comes later: the first line (code is let go there), whether a word
//! that says secret stands anywhere, the first lines, all lines, and then the values. Each step goes over the text once.
//!
//! Left out: what is not read by lines (`web.config`, JSON on one line), and settings of more than [`BYTES_MAX`].

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::circumstance::KEYS_ONLY;
use super::text::{Shape, Text, counted};
use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::place::is_template_name;
use crate::exposure::rules::Rules;
use crate::exposure::secrets::settings::credentials_of_unknown_form;

/// The class.
pub const CLASS: &str = "application-settings";

/// A larger text is data, and not asked; bytes. People write settings.
const BYTES_MAX: usize = 4 << 20;

/// A first line that is longer is a script's; bytes.
const FIRST_LINE_MAX: usize = 4 << 10;

/// Lines that say something after which a text that is none is let go.
const JUDGED_LINES: u32 = 48;

/// Words of a value from which on it is a sentence.
const SENTENCE_WORDS: usize = 4;

/// Settings of a program.
pub struct AppSettings;

impl Class for AppSettings {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(["pass", "pwd", "secret", "token", "key", "auth"])
                .ok()
        });
        if bytes.len() > BYTES_MAX {
            return None;
        }
        let text = Text::of(bytes).filter(|text| text.first.len() <= FIRST_LINE_MAX)?;
        let is_fitting = match text.shape {
            // JSON with one member a line.
            Shape::Object => text.first == "{",
            Shape::Section | Shape::Mapping | Shape::Assignment => true,
            Shape::Other => is_directive(text.first),
            Shape::Tag | Shape::Colons => false,
        };
        if !is_fitting || !WORDS.as_ref()?.is_match(text.text) {
            return None;
        }
        let count = settings_in(&text)?;
        let (live, outright) = credentials_of_unknown_form(text.text.as_bytes());
        let circumstance = if outright > 0 { "" } else { KEYS_ONLY };
        (live > 0).then(|| {
            let detail = format!(
                "{} of a program, {live} like live credentials",
                counted(count, "setting")
            );
            Artifact::proven(CLASS, circumstance, detail)
        })
    }
}

/// How a line of settings without a sign begins where such a file begins with it: those of Redis and Mosquitto.
fn is_directive(line: &str) -> bool {
    const WORDS: [&str; 7] = [
        "bind ",
        "daemonize ",
        "listener ",
        "port ",
        "protected-mode ",
        "requirepass ",
        "tcp-backlog ",
    ];
    WORDS.iter().any(|word| line.starts_with(word))
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A name and its value, or the name of what is nested below it.
    Setting,
    /// A name and a sentence for people.
    Sentence,
    /// What only holds others together: sections, braces, items of lists, comments.
    Frame,
    /// None of those.
    Odd,
}

/// How many settings there are. `None` where too much else is among them, and where most are sentences.
fn settings_in(text: &Text<'_>) -> Option<u32> {
    let (mut settings, mut sentences, mut odd) = (0_u32, 0_u32, 0_u32);
    for line in text
        .text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        match line_of(line, text.shape) {
            Line::Setting => settings += 1,
            Line::Sentence => sentences += 1,
            Line::Frame => {}
            Line::Odd => odd += 1,
        }
        let lines = settings + sentences + odd;
        if lines.is_multiple_of(JUDGED_LINES) && odd > settings + sentences {
            return None;
        }
    }
    let is_one = odd.saturating_mul(4) <= settings && sentences <= settings;
    is_one.then_some(settings)
}

fn line_of(line: &str, shape: Shape) -> Line {
    if line.starts_with(['#', ';', '!']) || line.starts_with("//") {
        return Line::Frame;
    }
    if line.bytes().all(|byte| b"{}[],-.".contains(&byte))
        || line.starts_with('[') && line.ends_with(']')
    {
        return Line::Frame;
    }
    let item = line.trim_start_matches("- ").trim_start();
    let is_item = item.len() < line.len();
    let is_json = shape == Shape::Object;
    if let Some(value) = value_in(item, shape) {
        let value = value.trim_end_matches(',').trim_end();
        // A statement or a block of a program.
        let is_code = value.ends_with(';') || value.ends_with('{') && !is_json && value != "{";
        return match () {
            () if is_code => Line::Odd,
            () if is_sentence(value) => Line::Sentence,
            () => Line::Setting,
        };
    }
    // An item of a list: in YAML, or in one of JSON or TOML that goes over lines.
    let is_value = |c: char| matches!(c, '"' | '\'') || c.is_ascii_digit();
    if is_item || item.starts_with(is_value) && (is_json || item.ends_with([',', '"', '\''])) {
        return Line::Frame;
    }
    Line::Odd
}

/// Whether a value is some words, nearly all of them letters alone.
fn is_sentence(value: &str) -> bool {
    /// More words of a long one are not looked at.
    const LOOK: usize = 16;
    let is_word = |word: &&str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        !word.is_empty() && word.chars().all(char::is_alphabetic)
    };
    let words = value.split_ascii_whitespace().take(LOOK);
    let count = words.clone().count();
    count >= SENTENCE_WORDS && words.filter(is_word).count() * 4 >= count * 3
}

/// The value of a line that has a name without blanks before it.
fn value_in(line: &str, shape: Shape) -> Option<&str> {
    let is_name = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(
                c,
                '_' | '-' | '.' | '"' | '\'' | '/' | '@' | '$' | '*' | '<'
            )
    };
    let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    let rest = line.get(end..).filter(|_| end > 0)?;
    let sign = rest.trim_start();
    if let Some(value) = sign.strip_prefix('=') {
        return (!value.starts_with(['=', '>'])).then(|| value.trim());
    }
    if let Some(value) = sign.strip_prefix(':') {
        let is_sign = value.is_empty() || value.starts_with([' ', '\t']) || sign.len() < rest.len();
        return is_sign.then(|| value.trim());
    }
    // `requirepass q8…`: where the first line is of that form.
    (shape == Shape::Other && sign.len() < rest.len()).then_some(sign)
}

/// Whether a file goes by a name of settings: its ending, or of JSON the beginning, neither a template nor among
/// translations.
pub fn is_named_so(path: &[u8]) -> bool {
    let Some(rule) = Rules::builtin().get(CLASS) else {
        return false;
    };
    let has = |list: &str, fits: &dyn Fn(&[u8]) -> bool| {
        rule.parameter(list).iter().any(|one| fits(one.as_bytes()))
    };
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.rsplit(|byte| matches!(byte, b'/' | b'\\'));
    let name = parts.next().unwrap_or_default();
    let is_ended = has("endings", &|ending| name.ends_with(ending));
    let is_json = name.ends_with(b".json") && has("json_names", &|begin| name.starts_with(begin));
    (is_ended || is_json)
        && !is_template_name(name)
        && !has("translation_names", &|begin| name.starts_with(begin))
        && !parts.any(|folder| has("translation_folders", &|word| folder == word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::content::Prefilter;

    fn live(text: &str) -> bool {
        let hits = Prefilter::new().scan(text.as_bytes());
        AppSettings.recognise(text.as_bytes(), &hits).is_some()
    }

    #[test]
    fn each_form_is_told() {
        for text in [
            "# db\nspring.datasource.url=jdbc:h\nspring.datasource.password=q8Zt5vKx0W\n",
            "a = 1\r\ndb.password : q8Zt5vKx0W\r\n",
            "spring:\n  datasource:\n    username: app\n    password: q8Zt5vKx0W\n",
            "default: &default\n  adapter: pg\n  pool: <%= ENV.fetch(\"N\") { 5 } %>\n\nproduction:\n  <<: *default\n  password: \"q8Zt5vKx0W\"\n",
            "[db]\nhost = h\npassword = q8Zt5vKx0W ; ours\n",
            "[smtp]\nuser: ann\nsmtp_password: q8Zt5vKx0W\n",
            "title = \"x\"\n[db]\nports = [\n  1,\n]\npassword = \"q8Zt5vKx0W\"\n",
            "image:\n  tag: 1.0\nargs:\n  - --a\n  - b\npostgresql:\n  auth:\n    password: q8Zt5vKx0W\n",
            "env:\n  - name: DB_PASSWORD\n    value: q8Zt5vKx0W\n",
            "{\n  // ours\n  \"Jwt\": {\n    \"Secret\": \"q8Zt5vKx0W\",\n    \"Hosts\": [\n      \"a\"\n    ]\n  }\n}\n",
            "# redis\nport 6379\nsave 900 1\nrequirepass q8Zt5vKx0W\n",
        ] {
            assert!(live(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "password: Passwort\nforgot_password: \"Haben Sie Ihr Passwort vergessen?\"\n",
            "password: ${DB_PASSWORD1}\nhost: h\n",
            "a: Wir haben Ihnen eben geschrieben\nb: Bitte geben Sie es ein\npassword: q8Zt5vKx0W\nc: Das ging leider nicht gut\n",
            "x = 1\ndef f():\n    return x\nif x:\n    f()\npassword = q8Zt5vKx0W\n",
            "a = 1;\npassword = q8Zt5vKx0W;\n",
            "Note: first, do this.\nThen run the program and wait.\npassword: q8Zt5vKx0W\n",
            "{\"password\": \"q8Zt5vKx0W\"}",
            "a:hover {\n  key: q8Zt5vKx0W\n}\n",
            "name: x\nversion: 1.2.3\n",
            "",
        ] {
            assert!(!live(text), "{text}");
        }
    }

    #[test]
    fn the_name_has_to_be_that_of_settings() {
        for path in [
            "application.properties",
            "a/b/application-prod.yml",
            "values.yaml",
            "X.INI",
            "setup.cfg",
            "c\\redis.conf",
            "app.toml",
            "appsettings.Production.json",
            "config/local.settings.json",
        ] {
            assert!(is_named_so(path.as_bytes()), "{path}");
        }
        for path in [
            "README.md",
            "build.log",
            "a.css",
            "a.py",
            "notes.txt",
            "data.json",
            "application.yml.example",
            "config.example.yml",
            "locales/de.yml",
            "src/main/resources/messages_de.properties",
            "a/i18n/x/y.properties",
            ".env",
            "",
        ] {
            assert!(!is_named_so(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for part in [
            "a: ",
            "- ",
            "a: b\n",
            "password: x1\n",
            "[",
            "\n",
            "key = \"\n",
            "- name: a\n",
        ] {
            let text = format!("a: b\ntoken: c\n{}", part.repeat((3 << 20) / part.len()));
            let _ = live(&text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(a: |password|=|:|- |\\{|\\}|\"|\\[|\\]| |\n|#|q8Zt5vKx0W|é|,){0,30}") {
            let _ = live(&text);
            let _ = is_named_so(text.as_bytes());
        }
    }
}
