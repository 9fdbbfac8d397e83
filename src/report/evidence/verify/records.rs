//! Whether the records can be read, add up, and are what the report counts.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use serde_json::Value;

use super::{Check, Folder, told};
use crate::record::Record;
use crate::report::evidence::{RECORDS_FILE, REPORT_FILE};

/// Bytes of one record.
const MAX_RECORD_BYTES: u64 = 256 << 20;
/// Bytes of the figures of a report.
const MAX_REPORT_BYTES: u64 = 256 << 20;

/// What the records say in sum.
pub struct Counted {
    /// Records by type.
    pub counts: BTreeMap<String, u64>,
    /// The first, as JSON.
    pub run: Value,
    /// The last, as JSON.
    pub ledger: Value,
}

/// Reads them, one at a time.
pub fn read(folder: &Folder) -> Result<Counted, String> {
    let mut stream = folder.stream(RECORDS_FILE)?;
    let mut counted = Counted {
        counts: BTreeMap::new(),
        run: Value::Null,
        ledger: Value::Null,
    };
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let mut limited = (&mut stream).take(MAX_RECORD_BYTES);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(|error| format!("{RECORDS_FILE} cannot be read: {error}"))? == 0 {
            break;
        }
        number += 1;
        let wrong = |what: &dyn std::fmt::Display| format!("record {number}: {what}");
        if !line.ends_with(b"\n") {
            return Err(wrong(&"it is cut off, or too long"));
        }
        if counted.ledger != Value::Null {
            return Err(wrong(&"it stands behind the ledger, which is the last"));
        }
        let record: Record = serde_json::from_slice(&line).map_err(|error| wrong(&error))?;
        *counted.counts.entry(record.kind().to_owned()).or_default() += 1;
        match &record {
            Record::Run(_) if number == 1 => counted.run = value(&line)?,
            Record::Run(_) => return Err(wrong(&"a second run")),
            _ if number == 1 => return Err(wrong(&"the first is no run")),
            Record::Ledger(ledger) if !ledger.adds_up() => {
                return Err(wrong(&"the ledger does not add up"));
            }
            Record::Ledger(_) => counted.ledger = value(&line)?,
            _ => {}
        }
    }
    if counted.ledger == Value::Null {
        return Err(format!("{RECORDS_FILE} does not end with a ledger"));
    }
    Ok(counted)
}

fn value(line: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

/// Checks them, and the report against them.
pub fn check(folder: &Folder, counted: &Result<Counted, String>) -> Check {
    let result = counted.as_ref().map_err(Clone::clone);
    let result = result.and_then(|counted| as_reported(folder, counted));
    told(
        "records",
        result,
        "every record can be read, the account of what was read adds up, and the report counts these records",
        "that the program found everything, or was right; the report states its limits and error rates",
    )
}

fn as_reported(folder: &Folder, counted: &Counted) -> Result<String, String> {
    let report = folder.read(REPORT_FILE, MAX_REPORT_BYTES)?;
    let report: Value = serde_json::from_slice(&report)
        .map_err(|error| format!("{REPORT_FILE} cannot be read: {error}"))?;
    let mut ledger = counted.ledger.clone();
    if let Some(fields) = ledger.as_object_mut() {
        fields.remove("type");
    }
    if report["coverage"]["ledger"] != ledger {
        return Err(format!("{REPORT_FILE} has another ledger than the records"));
    }
    let rows = report["method"]["records"].as_array();
    let rows = rows.into_iter().flatten().map(|row| {
        let name = row["name"].as_str().unwrap_or_default().to_owned();
        (name, row["count"].as_u64().unwrap_or_default())
    });
    if rows.collect::<BTreeMap<_, _>>() != counted.counts {
        return Err(format!("{REPORT_FILE} counts other records than there are"));
    }
    let sum: u64 = counted.counts.values().sum();
    let entries = ledger["entries"].as_u64().unwrap_or_default();
    let read = if ledger["complete"] == true {
        "everything was read in full"
    } else {
        "not everything was read, as the report says"
    };
    Ok(format!(
        "{sum} records of {entries} entries, which add up and are those of the report; {read}"
    ))
}
