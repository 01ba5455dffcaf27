//! Everything that a test could leave behind, counted: what must be the same before and after.

use crate::{Bench, Verdict, why};
use alloc::format;
use alloc::string::String;

/// Charges of this process's quota, entries of its tables, and free memory of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    pages: u64,
    objects: u64,
    cpu: u64,
    threads: u32,
    handles: u32,
    mappings: u32,
    /// Free memory of the machine, and what the log holds: that fills up to its bound whatever is tested.
    frames_left: u64,
}

impl Account {
    /// The account now.
    pub fn take(bench: &Bench) -> Result<Account, String> {
        let quota = why("quota", bench.quota.info())?;
        let own = why("process", bench.own.info())?;
        Ok(Account {
            pages: quota.pages_used,
            objects: quota.objects,
            cpu: quota.cpu_used,
            threads: own.threads,
            handles: own.handles,
            mappings: own.mappings,
            frames_left: bench.frames_left()?,
        })
    }

    /// Whether anything is held that was not.
    pub fn is_more_than(&self, before: &Account) -> bool {
        let held =
            |a: &Account| [a.pages, a.objects, a.cpu, a.threads.into(), a.handles.into(), a.mappings.into()];
        held(self).iter().zip(held(before)).any(|(now, then)| *now > then)
            || self.frames_left < before.frames_left
    }

    /// Fails unless everything is as it was.
    pub fn unchanged(self, bench: &Bench) -> Verdict {
        let now = Account::take(bench)?;
        if now == self { Ok(()) } else { Err(format!("before {self:?}, after {now:?}")) }
    }
}
