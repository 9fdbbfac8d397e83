//! The case file: opening it, and writing what a run finds. [`read`] reads it, [`rows`] says how things are stored.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

mod error;
mod read;
mod rows;

use super::compared::forget_all;
use crate::record::{Hops, Ledger, Problem, Record, Run};
use crate::scan::input::{InputRoot, Stamp, Unit, Walked};
use crate::scan::{OpenFacts, UnitDone};

pub use error::CaseError;
use error::wrap;
use rows::packed;
pub(super) use rows::{
    RecordRow, json, keys_of, locator_of, parse, put_container, put_echoes, put_files,
    put_own_contents, put_published, put_record, restore, unpacked,
};

/// Marks the file as a case of this program (`application_id`): "STRD".
const APPLICATION_ID: i32 = 0x5354_5244;
/// Version of the schema (`user_version`).
const SCHEMA: i32 = 12;

/// In place of a configuration: the unit could not be read as a whole, and is read again by the next run.
const UNFINISHED: [u8; 32] = [0; 32];

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
}

/// Whether the file and the folder round it, where its log goes, can be written.
fn may_write(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let is_open = std::fs::OpenOptions::new().write(true).open(path);
    is_open.is_ok() && tempfile::tempfile_in(folder).is_ok()
}

/// Makes an empty file that only its owner may read.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
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
