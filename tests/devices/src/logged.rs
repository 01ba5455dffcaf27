//! What the log says. Records come over channels of their own, so what was caused before may still be on its way: it is waited
//! for, with a bound.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_rt::api::log::{Client, Error, Purpose};
use nexus_rt::clock;
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;

/// How long it is read before what is not in it is missing. Who says it may have to wait for the disk, which is as slow as a busy host.
const PATIENCE_MS: u64 = 20_000;

/// A place in the log.
pub struct Mark(u64);

/// A record.
#[derive(Debug)]
pub struct Said {
    /// Service id of who said it; 0 is the kernel.
    pub service: u32,
    /// Whether it is about a decision.
    pub audit: bool,
    /// What it says.
    pub text: String,
}

impl Mark {
    /// The end of the log now.
    pub fn now() -> Result<Mark, String> {
        let mut mark = Mark(0);
        mark.read()?;
        Ok(mark)
    }

    /// What was added since.
    fn read(&mut self) -> Result<Vec<Said>, String> {
        let mut log = Client::new(Service("log"));
        let mut said = Vec::new();
        loop {
            match log.read(self.0) {
                Ok(record) => {
                    self.0 = record.sequence + 1;
                    said.push(Said {
                        service: record.service,
                        audit: record.purpose == Purpose::Audit,
                        text: record.text.get().into(),
                    });
                }
                Err(CallError::Service(Error::NotFound)) => return Ok(said),
                Err(other) => return Err(format!("the log cannot be read: {other:?}")),
            }
        }
    }

    /// Waits until a record that fits is added.
    pub fn wait_for(mut self, what: &str, fits: impl Fn(&Said) -> bool) -> Result<(), String> {
        let deadline = clock::in_millis(PATIENCE_MS);
        while clock::now() < deadline {
            if self.read()?.iter().any(&fits) {
                return Ok(());
            }
            nexus_rt::sys::thread_yield();
        }
        Err(format!("the log does not say: {what}"))
    }
}
