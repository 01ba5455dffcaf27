//! Reads the log, record by record, and waits for what is to come.

use alloc::format;
use alloc::string::String;
use harness::Bench;
use nexus_abi::Ticks;
use nexus_rt::api::log::{Client, Error, Purpose};
use nexus_rt::clock;
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;

use crate::PATIENCE_MS;

/// What is looked at of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its number.
    pub sequence: u64,
    /// When `logd` had it.
    pub time: Ticks,
    /// Who said it.
    pub service: u32,
    /// What for.
    pub purpose: Purpose,
    /// What.
    pub text: String,
}

/// A place in the log.
pub struct Reader {
    log: Client<Service>,
    from: u64,
}

impl Reader {
    /// At the oldest record.
    pub fn new() -> Reader {
        Reader { log: Client::new(Service("log")), from: 0 }
    }

    /// Behind the newest record.
    pub fn at_end() -> Result<Reader, String> {
        let mut reader = Reader::new();
        while reader.next()?.is_some() {}
        Ok(reader)
    }

    /// The next record that there is now.
    pub fn next(&mut self) -> Result<Option<Record>, String> {
        match self.log.read(self.from) {
            Ok(record) => {
                self.from = record.sequence + 1;
                Ok(Some(Record {
                    sequence: record.sequence,
                    time: record.time,
                    service: record.service,
                    purpose: record.purpose,
                    text: String::from(record.text.get()),
                }))
            }
            Err(CallError::Service(Error::NotFound)) => Ok(None),
            Err(why) => Err(format!("read: {why:?}")),
        }
    }

    /// The next record that `is` it, which may be still to come.
    pub fn find(
        &mut self,
        bench: &Bench,
        what: &str,
        is: impl Fn(&Record) -> bool,
    ) -> Result<Record, String> {
        let patience = clock::in_millis(PATIENCE_MS);
        loop {
            match self.next()? {
                Some(record) if is(&record) => return Ok(record),
                Some(_) => {}
                None if clock::now() > patience => return Err(format!("not in the log: {what}")),
                None => bench.pause(1)?,
            }
        }
    }

    /// Waits for the line that says that a process does its job.
    pub fn find_ready(&mut self, bench: &Bench, name: &str) -> Result<Record, String> {
        self.find(bench, &format!("{name}: ready"), |r| r.purpose == Purpose::Ready && r.text == name)
    }
}
