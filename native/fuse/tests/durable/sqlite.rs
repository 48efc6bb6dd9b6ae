//! SQLite on a mounted volume: whatever a power cut leaves, it opens whole and holds exactly the
//! transactions up to one that is not before the last acknowledged.

use crate::program::{order, run, tell};
use crate::recorded::{Recorded, Recording};
use crate::states;
use crate::transactions::{Change, Rows, history, transaction};
use hn4_core::device::testing::{Event, MemDevice};
use hn4_core::testing::{Tree, read_only_tree};
use rusqlite::{Connection, params};
use std::path::Path;

/// Transactions of a program's life.
const TRANSACTIONS: u64 = 30;
/// What SQLite may leave, beside the -shm file, which it rebuilds.
const FILES: [&str; 3] = ["db", "db-journal", "db-wal"];

struct Kind {
    name: &'static str,
    journal: &'static str,
    synchronous: &'static str,
    page_bytes: u32,
    /// Commits that a power cut may take back. With FULL, SQLite does not sync the directory after it
    /// has deleted the journal (its documentation of `PRAGMA synchronous`, EXTRA), so the last may go.
    may_lose: i64,
}

const KINDS: [Kind; 6] = [
    Kind { name: "delete", journal: "delete", synchronous: "FULL", page_bytes: 4096, may_lose: 1 },
    Kind { name: "delete-extra", journal: "delete", synchronous: "EXTRA", page_bytes: 1024, may_lose: 0 },
    Kind { name: "truncate", journal: "truncate", synchronous: "FULL", page_bytes: 1024, may_lose: 0 },
    Kind { name: "persist", journal: "persist", synchronous: "FULL", page_bytes: 4096, may_lose: 0 },
    Kind { name: "wal", journal: "wal", synchronous: "FULL", page_bytes: 4096, may_lose: 0 },
    Kind { name: "wal-small", journal: "wal", synchronous: "FULL", page_bytes: 512, may_lose: 0 },
];

/// The program: `KIND SEED`.
#[test]
#[ignore = "a program that the other tests start"]
fn program() {
    let Some((dir, what)) = order() else { return };
    let (name, seed) = what.split_once(' ').expect("KIND SEED");
    let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
    work(&dir, kind, seed.parse().expect("a seed")).expect("SQLite works");
}

fn work(dir: &Path, kind: &Kind, seed: u64) -> rusqlite::Result<()> {
    tell("begin 0");
    let mut db = Connection::open(dir.join("db"))?;
    db.pragma_update(None, "page_size", kind.page_bytes)?;
    db.pragma_update(None, "auto_vacuum", if seed % 2 == 0 { "FULL" } else { "NONE" })?;
    let mode: String =
        db.query_row(&format!("PRAGMA journal_mode = {}", kind.journal), [], |row| row.get(0))?;
    assert_eq!(mode, kind.journal);
    db.pragma_update(None, "synchronous", kind.synchronous)?;
    // Few pages in memory: large transactions spill before they commit.
    db.pragma_update(None, "cache_size", 12)?;
    if kind.journal == "wal" {
        db.query_row("PRAGMA wal_autocheckpoint = 60", [], |_| Ok(()))?;
    }
    db.execute_batch(
        "BEGIN; CREATE TABLE rows(key INTEGER PRIMARY KEY, body BLOB NOT NULL, length INTEGER NOT NULL);
         CREATE INDEX lengths ON rows(length); CREATE TABLE last(n INTEGER NOT NULL);
         INSERT INTO last VALUES(0); COMMIT",
    )?;
    tell("done 0");
    let states = history(seed, TRANSACTIONS);
    for n in 1..=TRANSACTIONS {
        let changes = transaction(seed, n, &states[n as usize - 1]);
        tell(&format!("begin {n}"));
        // Now and then first one that is taken back.
        for keep in if n % 5 == 3 { &[false, true][..] } else { &[true] } {
            let open = db.transaction()?;
            make(&open, &changes)?;
            open.execute("UPDATE last SET n = ?", params![n as i64])?;
            if *keep { open.commit()? } else { open.rollback()? }
        }
        tell(&format!("done {n}"));
    }
    db.close().map_err(|(_, error)| error)
}

fn make(db: &Connection, changes: &[Change]) -> rusqlite::Result<()> {
    for change in changes {
        match change {
            Change::Insert(key, body) => {
                db.execute("INSERT INTO rows VALUES(?, ?, ?)", params![key, body, body.len() as i64])?
            }
            Change::Update(key, body) => db.execute(
                "UPDATE rows SET body = ?2, length = ?3 WHERE key = ?1",
                params![key, body, body.len() as i64],
            )?,
            Change::Delete(key) => db.execute("DELETE FROM rows WHERE key = ?", [key])?,
        };
    }
    Ok(())
}

/// Last transaction begun and last acknowledged; -1 before the first.
fn said(recording: &Recording, cut: usize) -> (i64, i64) {
    let (mut begun, mut done) = (-1, -1);
    for marker in recording.trace.markers(cut) {
        let (what, number) = marker.split_once(' ').expect("two words");
        let number = number.parse().expect("a number");
        *(if what == "begin" { &mut begun } else { &mut done }) = number;
    }
    (begun, done)
}

/// The transaction whose rows the database holds; -1 if it has no tables yet.
fn recover(tree: &Tree, states: &[Rows]) -> Result<i64, String> {
    let dir = tempfile::tempdir().expect("a directory");
    for name in FILES {
        if let Some(found) = tree.get(&format!("/{name}")) {
            std::fs::write(dir.path().join(name), &**found.content).expect("copied");
        }
    }
    read_database(&dir.path().join("db"), states).map_err(|error| format!("SQLite: {error}"))?
}

fn read_database(path: &Path, states: &[Rows]) -> rusqlite::Result<Result<i64, String>> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "synchronous", "OFF")?;
    let whole: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if whole != "ok" {
        return Ok(Err(format!("integrity_check: {whole}")));
    }
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Ok(-1));
    }
    let n: i64 = db.query_row("SELECT n FROM last", [], |row| row.get(0))?;
    let mut query = db.prepare("SELECT key, body FROM rows")?;
    let rows: Rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(match states.get(n as usize) {
        Some(expected) if *expected == rows => Ok(n),
        _ => Err(format!("the rows are not those after transaction {n}")),
    })
}

/// Runs the program and looks at about `wanted` states of its life.
fn prove(kind: &Kind, seed: u64, wanted: u64) -> Option<u64> {
    let mount = Recorded::new()?;
    run("sqlite::program", &mount.root, &format!("{} {seed}", kind.name), |line| mount.device.marker(line));
    let recording = mount.finish();
    let expected = history(seed, TRANSACTIONS);
    let last = recording.trace.events.iter().rposition(|event| matches!(event, Event::Marker(_)));
    assert_eq!(said(&recording, last.expect("markers") + 1), (TRANSACTIONS as i64, TRANSACTIONS as i64));
    let look = |cut: usize, image: MemDevice| {
        let (begun, done) = said(&recording, cut);
        let found = recover(&read_only_tree(image)?, &expected)?;
        let least = (done - kind.may_lose).max(-1);
        match (least..=begun).contains(&found) {
            true => Ok(()),
            false => Err(format!("transaction {found} is the last, not {least} to {begun}")),
        }
    };
    Some(states::each(kind.name, &recording, seed, wanted, look))
}

/// A few states of a kind; with HN4_LONG=1 thousands of several lives.
fn sample(name: &str) {
    let kind = KINDS.iter().find(|kind| kind.name == name).expect("a kind");
    let (lives, wanted) = if std::env::var_os("HN4_LONG").is_some() { (5, 600) } else { (1, 45) };
    let first = std::env::var("HN4_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut looked_at = 0;
    for seed in first..first + lives {
        let Some(states) = prove(kind, seed, wanted) else { return };
        looked_at += states;
    }
    println!("{name}: {looked_at} states of {lives} lives");
    assert!(looked_at > lives * wanted / 2, "only {looked_at} states");
}

macro_rules! samples {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { sample($name); })*
    };
}

samples! {
    sqlite_with_a_deleted_journal: "delete",
    sqlite_with_a_deleted_journal_and_a_synced_directory: "delete-extra",
    sqlite_with_a_truncated_journal: "truncate",
    sqlite_with_a_persistent_journal: "persist",
    sqlite_with_a_write_ahead_log: "wal",
    sqlite_with_a_write_ahead_log_of_small_pages: "wal-small",
}
