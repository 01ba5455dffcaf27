//! What the supervisor knows of a process, and a death that it is asked for. On a busy host it may take longer than a call may last: then it is
//! asked again.

use crate::Bench;
use alloc::format;
use alloc::string::String;
use nexus_rt::api::supervise::State;
use nexus_rt::clock;
use nexus_rt::wire::{CallError, Text};

/// How long it is asked again.
const PATIENCE_MS: u64 = 10_000;

/// What is known of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Which of the processes of that name that have been.
    pub generation: u32,
    /// What it is doing.
    pub state: State,
    /// Pages that are charged to it.
    pub pages: u64,
    /// Handles in its table.
    pub handles: u32,
}

impl Bench {
    /// Looks at a process.
    pub fn look(&self, name: &str) -> Result<Known, String> {
        let mut supervisor = self.supervisor();
        let patience = clock::in_millis(PATIENCE_MS);
        let mut index = 0;
        loop {
            match supervisor.stat(index) {
                Ok(stat) if stat.name.get() == name => {
                    let (generation, state) = (stat.generation, stat.state);
                    return Ok(Known { generation, state, pages: stat.pages, handles: stat.handles });
                }
                Ok(_) => index += 1,
                Err(CallError::TimedOut) if clock::now() < patience => {}
                Err(error) => return Err(format!("{name}: {error:?}")),
            }
        }
    }

    /// Has a process killed; answers what it was. The supervisor does it also when its answer came too late.
    pub fn kill(&self, name: &str) -> Result<Known, String> {
        let was = self.look(name)?;
        match self.supervisor().kill(Text::cut(name)) {
            Ok(_) | Err(CallError::TimedOut) => Ok(was),
            Err(error) => Err(format!("{name}: {error:?}")),
        }
    }
}
