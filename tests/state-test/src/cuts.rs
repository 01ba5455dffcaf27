//! The row of `state-work`, done on the device: each change is safe before the next one begins, and nothing is said about it. What
//! the disk saw of it is judged on the host.

use alloc::format;
use alloc::vec::Vec;

use nexus_rt::api::state::{Error, Receipt};
use nexus_rt::wire::CallError;
use state_work::{Action, Work};
use statefsd::changes;

use crate::{Test, Verdict, text, why};

impl Test {
    /// So many changes, from a seed: `COUNT SEED`.
    pub fn row(&mut self, arguments: &str) -> Verdict {
        let (count, seed) = arguments.split_once(' ').ok_or("no count and seed")?;
        let count: usize = why("count", count.parse())?;
        let mut work = Work::new(why("seed", seed.parse())?);
        for number in 0..count {
            let action = work.advance();
            if let Some(receipt) = why(&format!("change {number}"), self.act(&action))? {
                why("sync", self.state.sync(receipt))?;
            }
        }
        self.say(&format!("SELFTEST: statefs row ok n={count}"));
        Ok(())
    }

    fn act(&mut self, action: &Action) -> Result<Option<Receipt>, CallError<Error>> {
        Ok(Some(match action {
            Action::Put(path, value) => self.put(path, &value.bytes())?,
            Action::Upload(path, value) => self.upload(path, value.length, |at| value.byte(at))?,
            Action::Delete(path) => self.state.delete(text(path))?.receipt,
            Action::Rename(from, to) => self.state.rename(text(from), text(to))?.receipt,
            Action::Batch(all) => {
                let mut bytes = Vec::new();
                for (path, value) in all {
                    let value = value.map(|value| value.bytes());
                    changes::write(path, value.as_deref(), &mut bytes);
                }
                self.keep.batch(&bytes, false)?
            }
            Action::Over(path, length) => {
                return match self.upload(path, *length, |_| 0) {
                    Err(CallError::Service(Error::QuotaExceeded)) => Ok(None),
                    Err(other) => Err(other),
                    Ok(_) => Err(CallError::Service(Error::Exists)),
                };
            }
            Action::Snapshot => return self.state.snapshot(text("row")).map(|()| None),
            Action::Restore => return self.state.restore(text("row")).map(|()| None),
            Action::Forget => return self.state.forget(text("row")).map(|()| None),
        }))
    }
}
