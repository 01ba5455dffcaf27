//! SQLite and redb, each as its own documentation has it, for durable commits.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{Database, StorageBackend, TableDefinition};

use super::{Contender, Make};

/// Both.
pub const ALL: [(&str, Make); 2] = [("sqlite", sqlite), ("redb", redb)];

struct Sqlite(rusqlite::Connection);

fn sqlite(folder: &Path) -> Box<dyn Contender> {
    let connection = rusqlite::Connection::open(folder.join("sqlite")).expect("sqlite");
    connection.pragma_update(None, "journal_mode", "WAL").expect("wal");
    connection.pragma_update(None, "synchronous", "FULL").expect("full");
    let table = "CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID";
    connection.execute(table, []).expect("a table");
    Box::new(Sqlite(connection))
}

impl Contender for Sqlite {
    fn put(&mut self, rows: &[(String, Vec<u8>)]) {
        let transaction = self.0.transaction().expect("a transaction");
        {
            let sql = "INSERT OR REPLACE INTO kv VALUES (?1, ?2)";
            let mut put = transaction.prepare_cached(sql).expect("a statement");
            for (key, value) in rows {
                put.execute((key, value)).expect("put");
            }
        }
        transaction.commit().expect("committed");
    }

    fn flushes(&self) -> Option<u64> {
        None
    }
}

/// A file whose flushes are counted.
#[derive(Debug)]
struct Counting(FileBackend, Arc<AtomicU64>);

impl StorageBackend for Counting {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

const TABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("kv");

struct Redb {
    database: Database,
    flushes: Arc<AtomicU64>,
}

fn redb(folder: &Path) -> Box<dyn Contender> {
    let mut options = std::fs::File::options();
    let file = options.read(true).write(true).create(true).truncate(true).open(folder.join("redb"));
    let flushes = Arc::new(AtomicU64::new(0));
    let backend = Counting(FileBackend::new(file.expect("a file")).expect("a backend"), flushes.clone());
    let database = Database::builder().create_with_backend(backend).expect("redb");
    Box::new(Redb { database, flushes })
}

impl Contender for Redb {
    fn put(&mut self, rows: &[(String, Vec<u8>)]) {
        let transaction = self.database.begin_write().expect("a transaction");
        {
            let mut table = transaction.open_table(TABLE).expect("a table");
            for (key, value) in rows {
                table.insert(key.as_str(), value.as_slice()).expect("put");
            }
        }
        transaction.commit().expect("committed");
    }

    fn flushes(&self) -> Option<u64> {
        Some(self.flushes.load(Ordering::Relaxed))
    }
}
