//! CSV (RFC 4180): one table for each type of record.
//!
//! The columns are the fields of the record as the schema has them, whatever a case holds, so that two exports fit under
//! one another; what is itself a list or an object stands in its cell as JSON. A cell is text from an input in most
//! columns, and spreadsheets run what begins like a formula: such cells get an apostrophe in front (`= + - @`, tab and
//! carriage return, as OWASP lists them). Control and bidi characters are spelled out. Numbers stay numbers.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Map, Value};

use super::{ExportError, Records};
use crate::record::Record;
use crate::report::text::visible;

/// Makes the file of a table.
pub type Open<'o> = dyn FnMut(&str) -> Result<Box<dyn Write>, ExportError> + 'o;

/// Writes a table for each type that came up, named `TYPE.csv`, and gives their names.
///
/// # Errors
/// When records cannot be read or a file cannot be written.
pub fn write(records: &Records, open: &mut Open) -> Result<Vec<String>, ExportError> {
    let columns = columns();
    let mut tables: BTreeMap<&'static str, Box<dyn Write>> = BTreeMap::new();
    records(&mut |record| {
        let kind = record.kind();
        let of_kind = columns.get(kind).map_or(&[][..], Vec::as_slice);
        if !tables.contains_key(kind) {
            let mut table = open(&format!("{kind}.csv"))?;
            write_row(&mut *table, of_kind.iter().map(|name| cell(name)))?;
            tables.insert(kind, table);
        }
        let Value::Object(fields) = serde_json::to_value(&record)? else {
            return Ok(());
        };
        match tables.get_mut(kind) {
            Some(table) => write_record(&mut **table, of_kind, &fields),
            None => Ok(()),
        }
    })?;
    for table in tables.values_mut() {
        table.flush()?;
    }
    Ok(tables.keys().map(|kind| format!("{kind}.csv")).collect())
}

/// The columns of each type, in the order of the schema: where, then the rest by name.
fn columns() -> BTreeMap<String, Vec<String>> {
    let schema = schemars::schema_for!(Record).to_value();
    let mut all = BTreeMap::new();
    let types = schema["oneOf"].as_array().into_iter().flatten();
    for of_type in types {
        let Some(kind) = of_type["properties"]["type"]["const"].as_str() else {
            continue;
        };
        let named = of_type["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next());
        let fields = match named {
            Some(name) => &schema["$defs"][name]["properties"],
            None => &of_type["properties"],
        };
        let mut names: Vec<String> = fields
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| !matches!(name.as_str(), "type" | "hops"))
            .cloned()
            .collect();
        names.sort_by_key(|name| (name != "locator", name.clone()));
        all.insert(kind.to_owned(), names);
    }
    all
}

fn write_record(
    table: &mut dyn Write,
    columns: &[String],
    fields: &Map<String, Value>,
) -> Result<(), ExportError> {
    write_row(
        table,
        columns.iter().map(|name| match fields.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => cell(text),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(is_so)) => is_so.to_string(),
            Some(other) => cell(&other.to_string()),
        }),
    )
}

fn write_row(
    table: &mut dyn Write,
    cells: impl Iterator<Item = String>,
) -> Result<(), ExportError> {
    let row: Vec<String> = cells.collect();
    write!(table, "{}\r\n", row.join(","))?;
    Ok(())
}

/// A text as a cell: harmless in a spreadsheet, and in quotes where it must be.
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mut text = visible(text);
    if is_formula {
        text.insert(0, '\'');
    }
    if text.contains(['"', ',', '\n', '\r', ';']) || text.starts_with(' ') {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_begin_like_formulas_are_neutralised() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(
                cell(text).trim_start_matches('"').starts_with('\''),
                "{text:?}"
            );
        }
        assert_eq!(cell("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(cell("plain"), "plain");
        assert!(!cell("a\u{202e}b").contains('\u{202e}'));
    }

    #[test]
    fn every_type_of_record_has_columns() {
        let columns = columns();
        for kind in [
            "run", "package", "source", "exposure", "secret", "since", "release", "copy",
            "suspect", "ledger",
        ] {
            assert!(
                columns.get(kind).is_some_and(|names| names.len() > 2),
                "{kind}"
            );
        }
        assert_eq!(columns["exposure"][0], "locator");
    }
}
