//! The log read back through its service: what this process said is there, with the kernel's word on who said it, and
//! made harmless.

use nexus_rt::api::log::{Client, Error, Level, Purpose};
use nexus_rt::samgr::Service;
use nexus_rt::wire::CallError;
use nexus_rt::{audit, warn};

use crate::{Bench, Verdict, expect, why};

/// Says two things and finds them, in order.
pub fn read(bench: &Bench) -> Verdict {
    let own = why("process", bench.own.info())?.identity;
    warn!("log.read says\nthis");
    audit!("log.read was asked for");
    let mut log = Client::new(Service("log"));
    let mut from = 0;
    let mut found = 0;
    loop {
        match log.read(from) {
            Ok(record) => {
                from = record.sequence + 1;
                let expected = match found {
                    0 => (Level::Warn, Purpose::Text, "log.read says·this"),
                    _ => (Level::Info, Purpose::Audit, "log.read was asked for"),
                };
                let is_own = (record.service, record.generation) == (own.service, own.generation);
                found += usize::from(is_own && (record.level, record.purpose, record.text.get()) == expected);
            }
            Err(CallError::Service(Error::NotFound)) => break,
            Err(other) => return Err(alloc::format!("read: {other:?}")),
        }
    }
    expect(found == 2, "what was said is not in the log, or not as it was said")
}
