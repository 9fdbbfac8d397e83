//! Opening, writing and reading the case file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::compared::forget_all;
use super::links;
use crate::blob::{ContentKey, Locator, Sha256Digest};
use crate::exposure::Packument;
use crate::record::{Hops, Ledger, Problem, Record, Run, RunInput};
use crate::scan::files::FileTally;
use crate::scan::input::{InputRoot, Stamp, Unit, Walked};
use crate::scan::place::PlacedContainer;
use crate::scan::{OpenFacts, UnitDone};
use crate::signature::ported::Echoes;

/// Marks the file as a case of this program (`application_id`): "STRD".
const APPLICATION_ID: i32 = 0x5354_5244;
/// Version of the schema (`user_version`).
const SCHEMA: i32 = 12;

/// In place of a configuration: the unit could not be read as a whole, and is read again by the next run.
const UNFINISHED: [u8; 32] = [0; 32];

/// Why a case cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file is there and is something else.
    #[error("{path} is not a case of this program; name another file")]
    NotACase {
        /// The file.
        path: PathBuf,
    },
    /// Made by a later version.
    #[error(
        "the case {path} was made by a newer version (schema {found}, this program knows {SCHEMA}); use that version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema in it.
        found: i32,
    },
    /// Made by an earlier version.
    #[error(
        "the case {path} was made by an older version (schema {found}, this program knows {SCHEMA}); use that version, or scan into a new case"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The schema in it.
        found: i32,
    },
    /// It may not be written, and its log holds what is not in it yet.
    #[error(
        "the case {path} may not be written, and the log beside it (-wal) was not taken in; copy both to a folder of yours and use that"
    )]
    Sealed {
        /// The file.
        path: PathBuf,
    },
    /// Another run has it.
    #[error("the case {path} is in use by another run; wait until that has ended")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// No room.
    #[error(
        "the disk is full: the case {path} could not be written on. Everything committed before is kept; make room and run the same command again"
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The label stands for another input in this case.
    #[error(
        "the case holds another input under the label {label:?} ({held}); give this one a label of its own with --label"
    )]
    Label {
        /// The label.
        label: String,
        /// The path it stands for.
        held: String,
    },
    /// What other inputs gave was found with other sets, rules or limits.
    #[error(
        "the case holds {label:?}, which was read with other sets, rules, profile or limits, so that its findings and new ones cannot stand together; give {label:?} again beside the new inputs, or name another file with --case"
    )]
    OtherConfig {
        /// The label of one such input.
        label: String,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the case {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Anything else.
    #[error("the case {path} could not be read or written: {error}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// The custody log was changed.
    #[error(
        "the custody log of the case does not hold together from entry {seq} on, so nothing is added to it; `case custody` shows it"
    )]
    Custody {
        /// The first entry that is not what was written.
        seq: u64,
    },
    /// A row does not say what it should.
    #[error("a row of the case is damaged ({what}); run the scan again into a new case")]
    Damaged {
        /// Which.
        what: String,
    },
}

/// What a run is about to do.
pub struct Plan<'a> {
    /// The inputs.
    pub roots: &'a [InputRoot],
    /// What walking them found beside units.
    pub walked: &'a [Walked],
    /// All units, sorted.
    pub units: &'a [Unit],
    /// Digest of everything that a result depends on beside the file.
    pub config: [u8; 32],
}

/// A short account of a case.
#[derive(Debug, Clone)]
pub struct Info {
    /// The last run, where one finished.
    pub run: Option<Run>,
    /// The ledger, where a run finished.
    pub ledger: Option<Ledger>,
    /// Label and path of each input.
    pub inputs: Vec<(String, String)>,
    /// Units that are done.
    pub units: u64,
    /// Records by type.
    pub records: BTreeMap<String, u64>,
    /// A run has not finished.
    pub unfinished: bool,
}

/// Where a unit lies.
pub struct UnitAt {
    /// Label of its input.
    pub label: String,
    /// Path of its input, raw bytes.
    pub input: Vec<u8>,
    /// Its path below that.
    pub path: Vec<u8>,
    /// SHA-256 of its file, where it is one and was read.
    pub sha256: Option<[u8; 32]>,
}

/// An open case.
pub struct Case {
    pub(super) db: Connection,
    path: PathBuf,
    /// Ids of the inputs of the current run, by their index.
    inputs: Vec<i64>,
    units: Vec<Unit>,
    config: [u8; 32],
    /// Comparisons that this run forgot, since they speak of what is read again.
    forgotten: u64,
}

impl Case {
    /// A case in memory, which ends with the run.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn in_memory() -> Result<Self, CaseError> {
        let path = PathBuf::from("in memory");
        let db = Connection::open_in_memory().map_err(|error| wrap(&path, error))?;
        let case = Self::new(db, path);
        // Nothing of it may ever reach a disk, not even while SQLite sorts.
        case.db
            .execute_batch(
                "PRAGMA temp_store = MEMORY; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF",
            )
            .map_err(|error| case.wrap(error))?;
        case.create()?;
        Ok(case)
    }

    /// Opens a case to write, and makes it where it is not there (0600).
    ///
    /// # Errors
    /// When it is no case, newer, in use, or cannot be made.
    pub fn open_or_create(path: &Path) -> Result<Self, CaseError> {
        let is_new = !path.exists();
        if is_new {
            create_private(path).map_err(|error| CaseError::Unreadable {
                path: path.to_path_buf(),
                error,
            })?;
        }
        let case = Self::connect(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let is_blank = is_new || case.is_blank()?;
        if !is_blank {
            case.check()?;
        }
        case.take()?;
        if is_blank {
            case.create()?;
        }
        Ok(case)
    }

    /// Opens a case that is there, to read.
    ///
    /// # Errors
    /// When it is not there, no case, newer, or in use.
    pub fn open(path: &Path) -> Result<Self, CaseError> {
        std::fs::metadata(path).map_err(|error| CaseError::Unreadable {
            path: path.to_path_buf(),
            error,
        })?;
        if !may_write(path) {
            return Self::open_sealed(path);
        }
        // Read-write, since a case whose run was killed is recovered from its log when it is opened.
        let case = Self::connect(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        case.check()?;
        case.take()?;
        Ok(case)
    }

    /// Opens a case that may not be written, as it stands.
    fn open_sealed(path: &Path) -> Result<Self, CaseError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            return Err(CaseError::Sealed {
                path: path.to_path_buf(),
            });
        }
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let address = match url::Url::from_file_path(&absolute) {
            Ok(url) => format!("{url}?immutable=1"),
            Err(()) => absolute.display().to_string(),
        };
        let flags =
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_URI;
        let case = Self::connect(Path::new(&address), flags)?;
        case.check()?;
        Ok(Self {
            path: path.to_path_buf(),
            ..case
        })
    }

    fn new(db: Connection, path: PathBuf) -> Self {
        Self {
            db,
            path,
            inputs: Vec::new(),
            units: Vec::new(),
            config: [0; 32],
            forgotten: 0,
        }
    }

    fn connect(path: &Path, flags: rusqlite::OpenFlags) -> Result<Self, CaseError> {
        let flags = flags | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|error| wrap(path, error))?;
        let case = Self::new(db, path.to_path_buf());
        case.tune().map_err(|error| wrap(path, error))?;
        Ok(case)
    }

    /// Settings of the connection; the file is not written.
    fn tune(&self) -> rusqlite::Result<()> {
        self.db
            .busy_timeout(std::time::Duration::from_millis(500))?;
        self.db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        self.db.pragma_update(None, "temp_store", "MEMORY")?;
        self.db
            .query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
    }

    /// Takes the file for this run. Called when it is known to be ours: the journal mode stands in the file.
    fn take(&self) -> Result<(), CaseError> {
        let take = || -> rusqlite::Result<()> {
            let _: String = self
                .db
                .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
            self.db.pragma_update(None, "synchronous", "NORMAL")?;
            // The lock is taken now, so that a second run is told before it has worked for an hour.
            self.db.execute_batch("BEGIN IMMEDIATE; COMMIT")
        };
        take().map_err(|error| self.wrap(error))
    }

    fn is_blank(&self) -> Result<bool, CaseError> {
        let tables: i64 = self
            .db
            .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
            .map_err(|error| self.wrap(error))?;
        Ok(tables == 0)
    }

    fn create(&self) -> Result<(), CaseError> {
        let script = format!(
            "BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA}; {} COMMIT;",
            include_str!("schema.sql")
        );
        self.db
            .execute_batch(&script)
            .map_err(|error| self.wrap(error))
    }

    fn check(&self) -> Result<(), CaseError> {
        let pragma = |name: &str| -> Result<i32, CaseError> {
            self.db
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
                .map_err(|error| self.wrap(error))
        };
        if pragma("application_id")? != APPLICATION_ID {
            return Err(CaseError::NotACase {
                path: self.path.clone(),
            });
        }
        let found = pragma("user_version")?;
        if found > SCHEMA {
            return Err(CaseError::Newer {
                path: self.path.clone(),
                found,
            });
        }
        if found < SCHEMA {
            return Err(CaseError::Older {
                path: self.path.clone(),
                found,
            });
        }
        Ok(())
    }

    pub(super) fn wrap(&self, error: rusqlite::Error) -> CaseError {
        wrap(&self.path, error)
    }

    // -----------------------------------------------------------------------------------------------------------
    // Writing

    /// Begins a run: what is no longer true is removed, and the units that are still to be read are returned.
    ///
    /// # Errors
    /// When a label stands for another input, or the file cannot be written.
    pub fn begin(&mut self, plan: &Plan) -> Result<Vec<usize>, CaseError> {
        self.units = plan.units.to_vec();
        self.config = plan.config;
        let path = self.path.clone();
        let tx = self.db.transaction().map_err(|error| wrap(&path, error))?;
        let mut inputs = Vec::new();
        for (root, walked) in plan.roots.iter().zip(plan.walked) {
            inputs.push(put_input(&tx, root, walked, &path)?);
        }
        check_config(&tx, &inputs, plan.config, &path)?;
        order_inputs(&tx, &inputs).map_err(|error| wrap(&path, error))?;
        let mut done = HashMap::new();
        for &input in &inputs {
            read_done(&tx, input, &mut done).map_err(|error| wrap(&path, error))?;
        }
        let mut todo = Vec::new();
        for (index, unit) in plan.units.iter().enumerate() {
            let held = done.remove(&(inputs[unit.input], unit.path.clone()));
            match held {
                Some((_, stamp, config)) if stamp == unit.stamp && config == plan.config => {}
                Some((id, ..)) => {
                    remove_unit(&tx, id).map_err(|error| wrap(&path, error))?;
                    todo.push(index);
                }
                None => todo.push(index),
            }
        }
        let is_other = !todo.is_empty() || !done.is_empty();
        for (id, ..) in done.into_values() {
            remove_unit(&tx, id).map_err(|error| wrap(&path, error))?;
        }
        if is_other {
            self.forgotten = forget_all(&tx).map_err(|error| wrap(&path, error))?;
        }
        tx.execute("DELETE FROM meta WHERE key IN ('run', 'ledger')", [])
            .and_then(|_| tx.execute("INSERT OR REPLACE INTO meta VALUES ('unfinished', '1')", []))
            .and_then(|_| tx.commit().map(|()| 0))
            .map_err(|error| wrap(&path, error))?;
        self.inputs = inputs;
        Ok(todo)
    }

    /// How many comparisons this run forgot: those of before speak of what is read again.
    #[must_use]
    pub fn comparisons_forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Writes units, all of them or none.
    ///
    /// # Errors
    /// When the file cannot be written; nothing of these units is in it then.
    pub fn commit(&mut self, done: Vec<UnitDone>) -> Result<(), CaseError> {
        let path = self.path.clone();
        let tx = self.db.transaction().map_err(|error| wrap(&path, error))?;
        for unit in done {
            let row = &self.units[unit.index];
            put_unit(&tx, self.inputs[row.input], row, &self.config, unit)
                .map_err(|error| wrap(&path, error))?;
        }
        tx.commit().map_err(|error| wrap(&path, error))
    }

    /// Ends a run: its record and its ledger.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(&mut self, run: &Run, ledger: &Ledger, finished: bool) -> Result<(), CaseError> {
        let put = |key: &str, value: rusqlite::Result<String>| {
            self.db
                .execute(
                    "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
                    params![key, value?],
                )
                .map(drop)
        };
        let written = put("run", json(&Record::from(run.clone())))
            .and_then(|()| put("ledger", json(&Record::from(ledger.clone()))))
            .and_then(|()| put("unfinished", Ok(u8::from(!finished).to_string())));
        written.map_err(|error| self.wrap(error))?;
        // For people's questions. In memory nobody asks any, and while rows are written it costs more than it gives.
        if self.db.path().is_some_and(|path| !path.is_empty()) {
            let index = "CREATE INDEX IF NOT EXISTS record_of_type ON record (type)";
            self.db
                .execute_batch(index)
                .map_err(|error| self.wrap(error))?;
        }
        // Leaves one file behind where nothing else has it open.
        let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        Ok(())
    }

    // -----------------------------------------------------------------------------------------------------------
    // Reading

    /// Gives every record in the order of the contract: `run`, units in order with records by locator, joins,
    /// `ledger`.
    ///
    /// # Errors
    /// When the file cannot be read, or `give` fails.
    pub fn records<E: From<CaseError>>(
        &self,
        mut give: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        self.meta_record("run")?.map_or(Ok(()), &mut give)?;
        let units = self.query_ids(
            "SELECT unit.id FROM unit JOIN input ON input.id = unit.input
             WHERE EXISTS (SELECT 1 FROM record WHERE record.unit = unit.id)
             ORDER BY input.position, unit.path",
        )?;
        for unit in units {
            self.records_where("unit = ?1", Some(unit), &mut give)?;
        }
        self.records_where("unit IS NULL AND ?1 IS NULL", None, &mut give)?;
        self.meta_record("ledger")?.map_or(Ok(()), &mut give)
    }

    /// Gives what the joins found, in no useful order: what [`UnitDone`] does not hold.
    ///
    /// # Errors
    /// When the file cannot be read, or `give` fails.
    pub fn joined_records<E: From<CaseError>>(
        &self,
        mut give: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        self.records_where("joined AND ?1 IS NULL", None, &mut give)
    }

    fn query_ids(&self, sql: &str) -> Result<Vec<i64>, CaseError> {
        let run = || -> rusqlite::Result<Vec<i64>> {
            let mut query = self.db.prepare(sql)?;
            let rows = query.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        run().map_err(|error| self.wrap(error))
    }

    fn records_where<E: From<CaseError>>(
        &self,
        condition: &str,
        unit: Option<i64>,
        give: &mut impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {condition} ORDER BY record.locator, type, record.json",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let mut query = self
            .db
            .prepare_cached(&sql)
            .map_err(|error| self.wrap(error))?;
        let mut rows = query
            .query(params![unit])
            .map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let row = RecordRow::read(row).map_err(|error| self.wrap(error))?;
            give(restore(row)?)?;
        }
        Ok(())
    }

    /// All records of one type, in no useful order.
    pub(super) fn records_of_type(
        &self,
        kind: &str,
    ) -> Result<Vec<(Option<i64>, Record)>, CaseError> {
        let rows = || -> rusqlite::Result<Vec<RecordRow>> {
            let sql = format!(
                "SELECT {} FROM {} WHERE type = ?1",
                RecordRow::COLUMNS,
                RecordRow::TABLES
            );
            let mut query = self.db.prepare_cached(&sql)?;
            query.query_map([kind], RecordRow::read)?.collect()
        };
        rows()
            .map_err(|error| self.wrap(error))?
            .into_iter()
            .map(|row| Ok((row.unit, restore(row)?)))
            .collect()
    }

    /// The records of one type that units have whose numbers are in a range, ends included, in no useful order.
    pub(super) fn records_of_units(
        &self,
        kind: &str,
        (first, last): (i64, i64),
        begins: Option<&str>,
    ) -> Result<Vec<(i64, Record)>, CaseError> {
        let rows = || -> rusqlite::Result<Vec<RecordRow>> {
            let sql = format!(
                "SELECT {} FROM {} WHERE record.unit BETWEEN ?1 AND ?2 AND type = ?3
                 AND (?4 IS NULL OR substr(record.locator, 1, length(?4)) = ?4)",
                RecordRow::COLUMNS,
                RecordRow::TABLES
            );
            let mut query = self.db.prepare_cached(&sql)?;
            query
                .query_map(params![first, last, kind, begins], RecordRow::read)?
                .collect()
        };
        let rows = rows().map_err(|error| self.wrap(error))?.into_iter();
        rows.filter_map(|row| {
            let unit = row.unit?;
            Some(restore(row).map(|record| (unit, record)))
        })
        .collect()
    }

    fn meta_record(&self, key: &str) -> Result<Option<Record>, CaseError> {
        let text: Option<String> = self
            .db
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.wrap(error))?;
        text.as_deref().map(parse).transpose()
    }

    /// The unit that holds the match at a locator; `None` where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unit_of_match(&self, locator: &str) -> Result<Option<UnitAt>, CaseError> {
        self.unit_of("match", locator)
    }

    /// The unit that a record of this type at a locator came from; `None` where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unit_of(&self, kind: &str, locator: &str) -> Result<Option<UnitAt>, CaseError> {
        let sql = "SELECT input.label, input.path, unit.path, unit.sha256 FROM record
             JOIN unit ON unit.id = record.unit JOIN input ON input.id = unit.input
             WHERE record.type = ?1 AND record.locator = ?2 LIMIT 1";
        let unit = |row: &rusqlite::Row| {
            let sha256: Option<Vec<u8>> = row.get(3)?;
            Ok(UnitAt {
                label: row.get(0)?,
                input: row.get(1)?,
                path: row.get(2)?,
                sha256: sha256.and_then(|digest| digest.try_into().ok()),
            })
        };
        self.db
            .query_row(sql, [kind, locator], unit)
            .optional()
            .map_err(|error| self.wrap(error))
    }

    /// SHA-256, in hex, of each content that a match stands in and whose bytes were read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn matched_contents(&self) -> Result<BTreeSet<String>, CaseError> {
        let read = || -> rusqlite::Result<BTreeSet<String>> {
            let sql = "SELECT DISTINCT json ->> 'sha256' FROM record
                 WHERE type = 'match' AND json ->> 'sha256' IS NOT NULL";
            let mut query = self.db.prepare(sql)?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// A short account of the case.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn info(&self) -> Result<Info, CaseError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self
                .db
                .prepare("SELECT label, path FROM input ORDER BY position")?;
            let inputs = query
                .query_map([], |row| {
                    let path: Vec<u8> = row.get(1)?;
                    Ok((row.get(0)?, String::from_utf8_lossy(&path).into_owned()))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let units = self
                .db
                .query_row("SELECT count(*) FROM unit", [], |row| row.get::<_, i64>(0))?
                as u64;
            let mut query = self
                .db
                .prepare("SELECT type, count(*) FROM record GROUP BY type")?;
            let records = query
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
                .collect::<rusqlite::Result<BTreeMap<_, _>>>()?;
            let unfinished: Option<String> = self
                .db
                .query_row(
                    "SELECT value FROM meta WHERE key = 'unfinished'",
                    [],
                    |row| row.get(0),
                )
                .optional()?;
            Ok((inputs, units, records, unfinished.as_deref() == Some("1")))
        };
        let (inputs, units, records, unfinished) = read().map_err(|error| self.wrap(error))?;
        let run = match self.meta_record("run")? {
            Some(Record::Run(run)) => Some(*run),
            _ => None,
        };
        let ledger = match self.meta_record("ledger")? {
            Some(Record::Ledger(ledger)) => Some(*ledger),
            _ => None,
        };
        Ok(Info {
            run,
            ledger,
            inputs,
            units,
            records,
            unfinished,
        })
    }

    /// Every input of the case, as the `run` record names them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn run_inputs(&self) -> Result<Vec<RunInput>, CaseError> {
        let read = || -> rusqlite::Result<Vec<RunInput>> {
            let mut query = self.db.prepare(
                "SELECT label, (SELECT sha256 FROM unit
                                WHERE unit.input = input.id AND path = x'' AND NOT is_folder)
                 FROM input ORDER BY position",
            )?;
            query
                .query_map([], |row| {
                    let sha256: Option<[u8; 32]> = row.get(1)?;
                    Ok(RunInput {
                        label: row.get(0)?,
                        sha256: sha256.map(|digest| crate::blob::digest::hex(&digest)),
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// Bytes of all files of inputs that this run was not given.
    pub(super) fn bytes_of_other_inputs(&self) -> Result<u64, CaseError> {
        let read = || -> rusqlite::Result<u64> {
            let mut query = self
                .db
                .prepare("SELECT input, sum(size) FROM unit GROUP BY input")?;
            let sums: Vec<(i64, i64)> = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let others = sums
                .into_iter()
                .filter(|(input, _)| !self.inputs.contains(input));
            Ok(others.map(|(_, bytes)| bytes as u64).sum())
        };
        read().map_err(|error| self.wrap(error))
    }
}

/// Makes an empty file that only its owner may read.
/// Whether the file and the folder round it, where its log goes, can be written.
fn may_write(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let is_open = std::fs::OpenOptions::new().write(true).open(path);
    is_open.is_ok() && tempfile::tempfile_in(folder).is_ok()
}

fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn wrap(path: &Path, error: rusqlite::Error) -> CaseError {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => CaseError::Full { path },
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            CaseError::InUse { path }
        }
        Some(rusqlite::ErrorCode::NotADatabase) => CaseError::NotACase { path },
        _ => CaseError::Sqlite { path, error },
    }
}

pub(super) fn parse(text: &str) -> Result<Record, CaseError> {
    serde_json::from_str(text).map_err(|error| CaseError::Damaged {
        what: error.to_string(),
    })
}

/// A value as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    /// Room for nearly every record, so that it is not moved while it grows; bytes.
    const USUAL: usize = 1 << 10;
    let mut text = Vec::with_capacity(USUAL);
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::ToSqlConversionFailure(error)
    };
    serde_json::to_writer(&mut text, value).map_err(|error| failed(error.into()))?;
    String::from_utf8(text).map_err(|error| failed(error.into()))
}

/// A value as it is stored where nobody but this program reads it.
fn packed(value: &impl serde::Serialize) -> rusqlite::Result<Vec<u8>> {
    postcard::to_stdvec(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Stores what a unit echoes, if it does.
pub(super) fn put_echoes(
    db: &Connection,
    unit: i64,
    joined: bool,
    echoes: &Echoes,
) -> rusqlite::Result<()> {
    if echoes.is_empty() {
        return Ok(());
    }
    db.prepare_cached("INSERT INTO echo VALUES (?1, ?2, ?3)")?
        .execute(params![unit, joined, packed(echoes)?])
        .map(drop)
}

/// Stores what documents of registries say of releases.
pub(super) fn put_published(
    db: &Connection,
    unit: i64,
    joined: bool,
    documents: &[(String, Packument)],
) -> rusqlite::Result<()> {
    for (locator, document) in documents {
        db.prepare_cached("INSERT INTO published VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                unit,
                joined,
                document.name,
                locator,
                packed(&document.times)?
            ])?;
    }
    Ok(())
}

/// Stores which contents of own sources a unit has.
pub(super) fn put_own_contents(
    db: &Connection,
    unit: i64,
    joined: bool,
    contents: &[(ContentKey, Sha256Digest)],
) -> rusqlite::Result<()> {
    for (key, sha256) in contents {
        db.prepare_cached("INSERT INTO own_content VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![unit, joined, key.0, sha256.0])?;
    }
    Ok(())
}

/// Stores what a unit has of files.
pub(super) fn put_files(
    db: &Connection,
    unit: i64,
    joined: bool,
    files: &FileTally,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO file_tally VALUES (?1, ?2, ?3)")?
        .execute(params![unit, joined, packed(files)?])
        .map(drop)
}

/// Reads a value that was stored so.
pub(super) fn unpacked<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    what: &str,
) -> Result<T, CaseError> {
    postcard::from_bytes(bytes).map_err(|error| CaseError::Damaged {
        what: format!("{what}: {error}"),
    })
}

/// Writes one record. What its columns say already is left out of its JSON; [`restore`] puts it back.
pub(super) fn put_record(
    db: &Connection,
    unit: Option<i64>,
    joined: bool,
    mut record: Record,
) -> rusqlite::Result<()> {
    let (locator, way) = match record.place_mut() {
        Some((locator, hops)) => {
            let way = std::mem::take(hops).beside(locator);
            (std::mem::take(locator), way)
        }
        None => Default::default(),
    };
    let (key, lines) = links::found_by(&record);
    let length = match &record {
        Record::Secret(secret) => Some(secret.length as i64),
        _ => None,
    };
    db.prepare_cached(
        "INSERT INTO record (unit, joined, type, locator, way, json, key, lines, length)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        unit,
        joined,
        record.kind(),
        locator,
        way,
        json(&record)?,
        key,
        lines,
        length
    ])
    .map(drop)
}

/// The record of a row of the case: undoes what [`put_record`] does.
pub(super) fn restore(row: RecordRow) -> Result<Record, CaseError> {
    let mut record = match &row.later {
        None => parse(&row.json)?,
        Some(later) => amended(&row.json, later)?,
    };
    if let Some((locator, hops)) = record.place_mut() {
        *hops = Hops::of(&row.locator, &row.way).ok_or_else(|| CaseError::Damaged {
            what: format!("the way to {}", row.locator),
        })?;
        *locator = row.locator;
    }
    if let (Record::Secret(secret), Some(length)) = (&mut record, row.length) {
        secret.length = length;
    }
    if let Some(found) = row.found {
        links::put_found(&mut record, found, row.by.as_deref());
    }
    Ok(record)
}

/// A record with the fields that a join found.
fn amended(json: &str, later: &str) -> Result<Record, CaseError> {
    let damaged = |error: serde_json::Error| CaseError::Damaged {
        what: error.to_string(),
    };
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(damaged)?;
    let later: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(later).map_err(damaged)?;
    fields.extend(later);
    serde_json::from_value(fields.into()).map_err(damaged)
}

/// A row of the record table.
pub(super) struct RecordRow {
    unit: Option<i64>,
    locator: String,
    way: String,
    json: String,
    /// Of a secret.
    length: Option<u64>,
    /// What it leads to in another unit, and what says so.
    found: Option<String>,
    by: Option<String>,
    /// Fields that a join found.
    later: Option<String>,
}

impl RecordRow {
    /// The columns that [`RecordRow::read`] wants.
    pub(super) const COLUMNS: &str =
        "unit, record.locator, way, record.json, link.locator, link.by, amended.json, length";
    /// How many they are.
    pub(super) const WIDTH: usize = 8;
    /// The tables that they stand in.
    pub(super) const TABLES: &str = "record LEFT JOIN link ON link.record = record.id
         LEFT JOIN amended ON amended.record = record.id";

    pub(super) fn read(row: &rusqlite::Row) -> rusqlite::Result<Self> {
        Ok(Self {
            unit: row.get(0)?,
            locator: row.get(1)?,
            way: row.get(2)?,
            json: row.get(3)?,
            found: row.get(4)?,
            by: row.get(5)?,
            later: row.get(6)?,
            length: row.get::<_, Option<i64>>(7)?.map(|length| length as u64),
        })
    }
}

/// Writes one row of the container table.
pub(super) fn put_container(
    db: &Connection,
    unit: i64,
    joined: bool,
    row: &PlacedContainer,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO container VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            unit,
            joined,
            row.locator,
            row.kind,
            row.sha256,
            row.bytes as i64,
            row.entries as i64
        ])
        .map(drop)
}

fn put_input(
    db: &Connection,
    root: &InputRoot,
    walked: &Walked,
    path: &Path,
) -> Result<i64, CaseError> {
    let absolute = std::path::absolute(&root.path).unwrap_or_else(|_| root.path.clone());
    let absolute = absolute.as_os_str().as_encoded_bytes();
    let held: Option<(i64, Vec<u8>)> = db
        .query_row(
            "SELECT id, path FROM input WHERE label = ?1",
            [&root.label],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(|error| wrap(path, error))?;
    if let Some((_, held)) = held.as_ref().filter(|(_, held)| held != absolute) {
        return Err(CaseError::Label {
            label: root.label.clone(),
            held: String::from_utf8_lossy(held).into_owned(),
        });
    }
    let troubles = walked_troubles(walked);
    let write = || -> rusqlite::Result<i64> {
        let id = match held {
            Some((id, _)) => {
                db.execute(
                    "UPDATE input SET is_folder = ?2, other = ?3, troubles = ?4 WHERE id = ?1",
                    params![id, root.is_folder, json(&walked.other)?, json(&troubles)?],
                )?;
                id
            }
            None => {
                db.execute(
                    "INSERT INTO input (position, label, path, is_folder, other, troubles)
                     VALUES ((SELECT count(*) FROM input), ?1, ?2, ?3, ?4, ?5)",
                    params![
                        root.label,
                        absolute,
                        root.is_folder,
                        json(&walked.other)?,
                        json(&troubles)?
                    ],
                )?;
                db.last_insert_rowid()
            }
        };
        Ok(id)
    };
    write().map_err(|error| wrap(path, error))
}

/// What kept folders from being walked, as problem records.
fn walked_troubles(walked: &Walked) -> Vec<Problem> {
    walked
        .troubles
        .iter()
        .map(|(path, trouble)| Problem {
            code: trouble.code.clone().into_owned(),
            locator: crate::blob::locator::escape(path),
            hops: Hops::default(),
            detail: trouble.detail.clone(),
            bytes_unread: trouble.unread,
        })
        .collect()
}

/// Refuses a case whose other inputs were read with another configuration.
fn check_config(
    db: &Connection,
    inputs: &[i64],
    config: [u8; 32],
    path: &Path,
) -> Result<(), CaseError> {
    let read = || -> rusqlite::Result<Vec<(i64, String)>> {
        let mut query = db.prepare(
            "SELECT DISTINCT input.id, input.label FROM unit JOIN input ON input.id = unit.input
             WHERE unit.config NOT IN (?1, ?2) ORDER BY input.position",
        )?;
        query
            .query_map(params![config, UNFINISHED], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect()
    };
    let others = read().map_err(|error| wrap(path, error))?;
    let other = others.into_iter().find(|(id, _)| !inputs.contains(id));
    other.map_or(Ok(()), |(_, label)| Err(CaseError::OtherConfig { label }))
}

/// Puts the inputs in the order given, where all of the case are given; new ones stand behind others.
fn order_inputs(db: &Connection, inputs: &[i64]) -> rusqlite::Result<()> {
    let held: i64 = db.query_row("SELECT count(*) FROM input", [], |row| row.get(0))?;
    if usize::try_from(held).is_ok_and(|held| held > inputs.len()) {
        return Ok(());
    }
    for (position, input) in inputs.iter().enumerate() {
        db.execute(
            "UPDATE input SET position = ?2 WHERE id = ?1",
            params![input, position as i64],
        )?;
    }
    Ok(())
}

type Done = HashMap<(i64, Vec<u8>), (i64, Stamp, [u8; 32])>;

fn read_done(db: &Connection, input: i64, into: &mut Done) -> rusqlite::Result<()> {
    let mut query =
        db.prepare("SELECT id, path, size, mtime, ctime, config FROM unit WHERE input = ?1")?;
    let mut rows = query.query([input])?;
    while let Some(row) = rows.next()? {
        let stamp = Stamp {
            size: row.get::<_, i64>(2)? as u64,
            mtime: row.get(3)?,
            ctime: row.get(4)?,
        };
        into.insert((input, row.get(1)?), (row.get(0)?, stamp, row.get(5)?));
    }
    Ok(())
}

fn remove_unit(db: &Connection, id: i64) -> rusqlite::Result<()> {
    // What joins said of its records goes with them: their numbers are given anew.
    for table in ["amended", "link"] {
        let of_unit =
            format!("DELETE FROM {table} WHERE record IN (SELECT id FROM record WHERE unit = ?1)");
        db.prepare_cached(&of_unit)?.execute([id])?;
    }
    for table in [
        "record",
        "container",
        "open_fact",
        "echo",
        "published",
        "own_content",
        "file_tally",
    ] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE unit = ?1"))?
            .execute([id])?;
    }
    db.prepare_cached("DELETE FROM unit WHERE id = ?1")?
        .execute([id])
        .map(drop)
}

fn put_unit(
    db: &Connection,
    input: i64,
    unit: &Unit,
    config: &[u8; 32],
    done: UnitDone,
) -> rusqlite::Result<()> {
    let mut tally = serde_json::json!({
        "skipped": done.tally.skipped,
        "damaged": done.tally.damaged,
        "other": done.tally.other,
        "damaged_containers": done.tally.damaged_containers,
        "own_public": done.placed.own_public,
    });
    if !done.placed.remotes.is_empty() {
        tally["remotes"] = serde_json::json!(done.placed.remotes);
    }
    if !done.placed.parts.is_empty() {
        tally["parts"] = serde_json::json!(done.placed.parts);
    }
    if let Some(record) = &done.placed.git_folder {
        tally["git_folder"] = serde_json::json!(record);
    }
    let keys: Vec<u8> = done.tally.keys.iter().flat_map(|key| key.0).collect();
    db.prepare_cached(
        "INSERT INTO unit (input, path, size, mtime, ctime, config, sha256, entries, bytes, tally, keys)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        input,
        unit.path,
        unit.stamp.size as i64,
        unit.stamp.mtime,
        unit.stamp.ctime,
        if done.is_final { config } else { &UNFINISHED },
        done.sha256.map(|digest| digest.0),
        done.tally.entries as i64,
        done.tally.bytes as i64,
        tally.to_string(),
        keys,
    ])?;
    let id = db.last_insert_rowid();
    for record in done.placed.records {
        put_record(db, Some(id), false, record)?;
    }
    for container in &done.placed.containers {
        put_container(db, id, false, container)?;
    }
    put_echoes(db, id, false, &done.placed.echoes)?;
    put_published(db, id, false, &done.placed.published)?;
    put_own_contents(db, id, false, &done.placed.own_contents)?;
    if matches!(done.open, Some(OpenFacts::Archive { .. })) {
        put_files(db, id, false, &done.placed.files)?;
    }
    if let Some(open) = &done.open {
        let (is_archive, manifest, image) = match open {
            OpenFacts::Loose(child) => (
                false,
                crate::scan::packages::manifest_of(&child.facts),
                child.facts.image.as_deref(),
            ),
            OpenFacts::Layer(child) => (true, None, child.facts.image.as_deref()),
            OpenFacts::Archive { .. } => (true, None, None),
        };
        let manifest = manifest.map(packed).transpose()?;
        let image = image.map(packed).transpose()?;
        db.prepare_cached("INSERT INTO open_fact VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![id, is_archive, manifest, image, packed(open)?])?;
    }
    Ok(())
}

/// The keys of a unit's row.
pub(super) fn keys_of(bytes: &[u8]) -> impl Iterator<Item = ContentKey> + '_ {
    bytes
        .chunks_exact(ContentKey::LEN)
        .filter_map(|chunk| chunk.try_into().ok().map(ContentKey))
}

/// The locator of a unit.
pub(super) fn locator_of(label: &str, path: &[u8]) -> Locator {
    Locator::file(label, path)
}
