-- The case: one SQLite file with everything known about one incident.
-- Tables are the program's; the views at the end are for people, and stay.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- What was scanned. `position` is the order of reports.
CREATE TABLE input (
    id        INTEGER PRIMARY KEY,
    position  INTEGER NOT NULL,
    label     TEXT NOT NULL UNIQUE,
    path      BLOB NOT NULL,
    is_folder INTEGER NOT NULL,
    other     TEXT NOT NULL,          -- folders, links and special files met while walking, by kind (JSON)
    troubles  TEXT NOT NULL           -- what kept folders from being walked, by code (JSON)
);

-- A piece of an input that is done: one file. A row is there only when all of it was committed.
CREATE TABLE unit (
    id      INTEGER PRIMARY KEY,
    input   INTEGER NOT NULL REFERENCES input(id),
    path    BLOB NOT NULL,            -- below the input, raw bytes
    size    INTEGER NOT NULL,         -- bytes
    mtime   INTEGER NOT NULL,         -- nanoseconds since 1970
    ctime   INTEGER NOT NULL,
    config  BLOB NOT NULL,            -- digest of program, rules, sets, profile and limits it was read with
    sha256  BLOB,
    entries INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,         -- of all entries
    tally   TEXT NOT NULL,            -- skipped, damaged, other; whether public code was met (JSON)
    keys    BLOB NOT NULL,            -- dedupe key of each entry that was read, 20 bytes each
    UNIQUE (input, path)
);

-- Facts of loose files that their folder decides; placed anew by each join.
CREATE TABLE open_fact (
    unit       INTEGER PRIMARY KEY REFERENCES unit(id),
    is_archive INTEGER NOT NULL,
    manifest   BLOB,                  -- of a package, where it is one
    image      BLOB,                  -- what it is to a container image
    facts      BLOB NOT NULL
);

-- The records; a case that is a file has an index of their types, once a run is through. `joined` rows are made anew after the last unit. Locator and hops are left out of the JSON: the
-- column has the one, and the other follows from it and `way`.
CREATE TABLE record (
    id      INTEGER PRIMARY KEY,
    unit    INTEGER REFERENCES unit(id),
    joined  INTEGER NOT NULL,
    type    TEXT NOT NULL,
    key     INTEGER,                  -- number of what other records may be found by: a source's name, a debug id
    lines   INTEGER,                  -- of a source with content; -1 where there is none and the map gives a hash
    length  INTEGER,                  -- of a secret: bytes that it takes as it is written, for `case reveal`
    locator TEXT NOT NULL,
    way     TEXT NOT NULL,            -- length of the label, and the kind of each hop
    json    TEXT NOT NULL
);
CREATE INDEX record_of_unit ON record (unit);
CREATE INDEX record_of_join ON record (joined) WHERE joined;

-- What a record leads to in another unit; found anew by each join. Readers find it in the record.
CREATE TABLE link (
    record  INTEGER PRIMARY KEY,
    locator TEXT NOT NULL,
    by      TEXT                      -- what says so, for sources
);

-- Every container at every place.
CREATE TABLE container (
    unit    INTEGER NOT NULL REFERENCES unit(id),
    joined  INTEGER NOT NULL,
    locator TEXT NOT NULL,
    kind    TEXT NOT NULL,
    sha256  BLOB,
    bytes   INTEGER NOT NULL,
    entries INTEGER NOT NULL
);
CREATE INDEX container_of_unit ON container (unit);
CREATE INDEX container_of_join ON container (joined) WHERE joined;

-- What units have of works in other languages; put together for each root by each join.
CREATE TABLE echo (
    unit   INTEGER NOT NULL REFERENCES unit(id),
    joined INTEGER NOT NULL,
    echoes BLOB NOT NULL
);
CREATE INDEX echo_of_unit ON echo (unit);

-- What documents of registries say of when versions of a package were published.
CREATE TABLE published (
    unit    INTEGER NOT NULL REFERENCES unit(id),
    joined  INTEGER NOT NULL,
    name    TEXT NOT NULL,
    locator TEXT NOT NULL,
    times   BLOB NOT NULL
);
CREATE INDEX published_of_unit ON published (unit);
CREATE INDEX published_of_join ON published (joined) WHERE joined;

-- Contents of recovered sources that are the vendor's own or may be, by dedupe key: looked for in other units.
CREATE TABLE own_content (
    unit   INTEGER NOT NULL REFERENCES unit(id),
    joined INTEGER NOT NULL,
    key    BLOB NOT NULL,
    sha256 BLOB NOT NULL
);
CREATE INDEX own_content_of_unit ON own_content (unit);
CREATE INDEX own_content_of_join ON own_content (joined) WHERE joined;

-- What units have of files beside the works, where works are looked for; a unit without a row is one file that matches nothing.
CREATE TABLE file_tally (
    unit   INTEGER PRIMARY KEY REFERENCES unit(id),
    joined INTEGER NOT NULL,
    files  BLOB NOT NULL
);

-- Fields that a join lays over those of a record (JSON); found anew by each join. Readers find them in the record.
CREATE TABLE amended (
    record INTEGER PRIMARY KEY,
    json   TEXT NOT NULL
);

-- Which records stand in which release of a package, while a join compares releases; empty else.
CREATE TABLE of_release (
    release INTEGER NOT NULL,
    record  INTEGER NOT NULL,
    PRIMARY KEY (release, record)
) WITHOUT ROWID;

-- Who did what with what the case holds. Rows are only ever added, each with the digest of the one before.
CREATE TABLE custody (
    seq    INTEGER PRIMARY KEY,       -- from 1
    sha256 TEXT NOT NULL,             -- of `entry`, hex
    entry  TEXT NOT NULL              -- JSON: seq, time, clock, actor, program, command, inputs, outputs, previous
);

-- What people decided of rows. Rows are only ever added; the last of a subject holds.
CREATE TABLE review (
    seq     INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    json    TEXT NOT NULL
);

-- Notices that were drafted, and what people say became of them. Rows are only ever added.
CREATE TABLE notice (
    seq  INTEGER PRIMARY KEY,
    id   TEXT NOT NULL UNIQUE,
    json TEXT NOT NULL
);
CREATE TABLE notice_event (
    seq    INTEGER PRIMARY KEY,
    notice TEXT NOT NULL,
    json   TEXT NOT NULL
);

CREATE VIEW v_package AS SELECT
    locator,
    json ->> 'ecosystem' AS ecosystem, json ->> 'name' AS name, json ->> 'version' AS version,
    json ->> 'sha256' AS sha256, json ->> 'licence' AS licence, json ->> 'repository' AS repository,
    json ->> 'declared_open' AS declared_open, json ->> 'files' AS files, json ->> 'maps' AS maps,
    json ->> '$.sources.first' AS sources_first, json ->> '$.sources.third' AS sources_third,
    json ->> '$.sources.unknown' AS sources_unknown, json ->> '$.sources.with_content' AS sources_with_content,
    json ->> 'own_bytes' AS own_bytes, json ->> 'complete' AS complete
FROM record WHERE type = 'package';

CREATE VIEW v_source AS SELECT
    locator,
    json ->> 'map' AS map, json ->> 'name' AS name, json ->> 'url' AS url, json ->> 'bytes' AS bytes,
    json ->> 'sha256' AS sha256, json ->> 'party' AS party, json ->> 'party_reason' AS party_reason,
    json ->> 'status' AS status
FROM record WHERE type = 'source';

CREATE VIEW v_exposure AS SELECT
    locator,
    json ->> 'class' AS class, coalesce(later ->> 'severity', json ->> 'severity') AS severity,
    json ->> 'certainty' AS certainty, json ->> 'sha256' AS sha256,
    coalesce(later ->> 'detail', json ->> 'detail') AS detail
FROM (SELECT record.locator, record.json, amended.json AS later
      FROM record LEFT JOIN amended ON amended.record = record.id WHERE type = 'exposure');

CREATE VIEW v_release AS SELECT
    locator,
    json ->> 'ecosystem' AS ecosystem, json ->> 'name' AS name, json ->> 'version' AS version,
    json ->> 'position' AS position, json ->> 'published' AS published, json ->> 'downloads' AS downloads,
    json ->> '$.archive_bytes.now' AS archive_bytes, json ->> '$.own_bytes.now' AS own_bytes,
    json ->> 'introduced' AS introduced, json ->> 'removed' AS removed
FROM record WHERE type = 'release';

CREATE VIEW v_since AS SELECT
    locator,
    json ->> 'ecosystem' AS ecosystem, json ->> 'name' AS name, json ->> 'subject' AS subject,
    json ->> 'what' AS what, json ->> 'identity' AS identity, json ->> 'severity' AS severity,
    json ->> 'introduced' AS introduced, json ->> 'last' AS last, json ->> 'removed' AS removed,
    json ->> 'still_there' AS still_there, json ->> '$.window.from' AS window_from,
    json ->> '$.window.until' AS window_until
FROM record WHERE type = 'since';

CREATE VIEW v_secret AS SELECT
    locator,
    json ->> 'id' AS id, json ->> 'rule' AS rule, json ->> 'tier' AS tier, json ->> 'line' AS line,
    json ->> 'column' AS column, json ->> 'redacted' AS redacted, json ->> 'check' AS "check",
    json ->> 'severity' AS severity, json ->> 'party' AS party, json ->> 'fingerprint' AS fingerprint
FROM record WHERE type = 'secret';

CREATE VIEW v_custody AS SELECT
    seq, entry ->> 'time' AS time, entry ->> 'actor' AS actor, entry ->> 'command' AS command,
    entry ->> 'program' AS program, sha256
FROM custody ORDER BY seq;

CREATE VIEW v_review AS SELECT
    seq, subject, json ->> 'locator' AS locator, json ->> 'decision' AS decision,
    json ->> 'reviewer' AS reviewer, json ->> 'time' AS time, json ->> 'bulk' AS bulk,
    json ->> 'fair_use_considered' AS fair_use_considered, json ->> 'note' AS note
FROM review ORDER BY seq;

CREATE VIEW v_match AS SELECT
    locator,
    json ->> 'work' AS work, json ->> 'release' AS release, json ->> 'file' AS file, json ->> 'grade' AS grade,
    json ->> 'sha256' AS sha256
FROM record WHERE type = 'match';

CREATE VIEW v_copy AS SELECT
    locator,
    json ->> 'work' AS work, json ->> 'release' AS release, json ->> 'class' AS class,
    json ->> 'files_matched' AS files_matched, json ->> 'files_total' AS files_total,
    json ->> 'of_original' AS of_original, json ->> 'grades' AS grades,
    json ->> 'basis' AS basis, json ->> 'unmatched_files' AS unmatched_files,
    json ->> 'unmatched_bytes' AS unmatched_bytes, json ->> 'public_files' AS public_files,
    json ->> 'unread_files' AS unread_files, json ->> 'counted' AS counted, json ->> 'licences' AS licences,
    json ->> '$.dates.first' AS date_first, json ->> '$.dates.last' AS date_last,
    json ->> '$.dates.basis' AS date_basis, json ->> 'standing' AS standing,
    json ->> 'url' AS url, json ->> 'location' AS location, json ->> 'claims_own' AS claims_own
FROM record WHERE type = 'copy';

CREATE VIEW v_origin AS SELECT
    locator,
    json ->> 'url' AS url, json ->> 'host' AS host, json ->> 'path' AS path, json ->> 'parent' AS parent,
    json ->> 'network' AS network, json ->> 'seen_at' AS seen_at, json ->> 'present' AS present,
    json ->> 'listed' AS listed, json ->> 'by' AS "by", json ->> 'certainty' AS certainty
FROM record WHERE type = 'origin';

CREATE VIEW v_problem AS SELECT
    locator, json ->> 'code' AS code, json ->> 'detail' AS detail, json ->> 'bytes_unread' AS bytes_unread
FROM record WHERE type = 'problem';

CREATE VIEW v_ledger AS SELECT
    key AS name, value AS amount
FROM json_each((SELECT value FROM meta WHERE key = 'ledger'))
WHERE key <> 'type';
