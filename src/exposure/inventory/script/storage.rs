//! Tables by the statements that name them.
//!
//! A string is a statement where it begins with a verb and goes on as one does; the table is the name behind `FROM`,
//! `INTO`, `UPDATE`, `TABLE` or `JOIN`.

use super::super::Confidence;
use super::reader::Reader;

/// Words of a statement that are looked at.
const WORDS_MAX: usize = 2_000;

/// Looks at a string that may be a statement.
pub(super) fn statement(reader: &mut Reader, at: u32, text: &str) {
    let start = text.trim_start();
    let is_begun = [
        "select", "insert", "update", "delete", "create", "alter", "drop", "with", "replace",
        "pragma", "truncate",
    ]
    .iter()
    .any(|verb| {
        start
            .get(..verb.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(verb))
            && start
                .as_bytes()
                .get(verb.len())
                .is_some_and(u8::is_ascii_whitespace)
    });
    if !is_begun || !is_sql(start) {
        return;
    }
    let mut words = words(start).take(WORDS_MAX).peekable();
    let mut told: Vec<String> = Vec::new();
    let mut last = String::new();
    while let Some(word) = words.next() {
        let upper = word.to_ascii_uppercase();
        let is_before = match upper.as_str() {
            "FROM" | "INTO" | "JOIN" => true,
            "UPDATE" => last.is_empty() || last == "WITH",
            "TABLE" => matches!(
                last.as_str(),
                "CREATE"
                    | "ALTER"
                    | "DROP"
                    | "TRUNCATE"
                    | "TEMP"
                    | "TEMPORARY"
                    | "VIRTUAL"
                    | "UNLOGGED"
            ),
            _ => false,
        };
        if is_before {
            while words.peek().is_some_and(|next| {
                matches!(
                    next.to_ascii_uppercase().as_str(),
                    "IF" | "NOT" | "EXISTS" | "ONLY"
                )
            }) {
                words.next();
            }
            if let Some(name) = words.peek().copied().filter(|name| is_table(name))
                && !told.iter().any(|known| known == name)
                && told.len() < 50
            {
                told.push(name.to_owned());
            }
        }
        last = upper;
    }
    for name in told {
        reader.add(
            at,
            "storage",
            name,
            Confidence::Medium,
            Some("table in an SQL statement".to_owned()),
        );
    }
}

/// Whether the verb is followed as in a statement: English begins with `update` and `select` too.
fn is_sql(text: &str) -> bool {
    let upper: String = text
        .chars()
        .take(2_000)
        .collect::<String>()
        .to_ascii_uppercase();
    let has = |word: &str| {
        upper
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|part| part == word)
    };
    let verb = upper
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    match verb.as_str() {
        "SELECT" => {
            has("FROM")
                && (text.contains('*')
                    || text.contains(',')
                    || text.contains('=')
                    || text.starts_with("SELECT")
                    || has("WHERE")
                    || has("LIMIT"))
        }
        "INSERT" | "REPLACE" => {
            has("INTO") && (has("VALUES") || has("SELECT") || text.contains('('))
        }
        "UPDATE" => has("SET") && text.contains('='),
        "DELETE" => has("FROM") && (has("WHERE") || text.starts_with("DELETE FROM")),
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" => {
            has("TABLE")
                && text.starts_with(|c: char| {
                    c.is_ascii_uppercase() || text.contains('(') || c == 'd' || c == 'a'
                })
        }
        "WITH" => has("SELECT") && has("FROM") && has("AS"),
        _ => false,
    }
}

/// The words of a statement; a table's name keeps its schema.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '{' | '}' | '-')))
        .filter(|word| !word.is_empty())
}

fn is_table(name: &str) -> bool {
    name.len() >= 2
        && name.len() <= 80
        && name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && !name.contains(['{', '}', '$'])
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        && !matches!(
            name.to_ascii_uppercase().as_str(),
            "SELECT"
                | "WHERE"
                | "SET"
                | "VALUES"
                | "THE"
                | "LATERAL"
                | "UNNEST"
                | "INFORMATION_SCHEMA"
                | "AS"
                | "ON"
                | "JSON_EACH"
                | "GENERATE_SERIES"
        )
}
