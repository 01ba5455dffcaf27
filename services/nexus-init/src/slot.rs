//! What is known of one process of the registry, from start to start.

use nexus_abi::Ticks;
use nexus_init::restart::{Row, Rule};
use nexus_registry::Process;
use nexus_rt::{Owned, ProcessKind, QuotaKind, TimerKind};
use nexus_spawn::Grants;

/// Where a process stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not started yet.
    Idle,
    /// Started; it has not said that it does its job.
    Starting,
    /// It does its job.
    Ready,
    /// It ended and will be started again.
    Pausing,
    /// It ended and rests.
    Ended,
    /// The machine lacks its device.
    Absent,
}

/// What belongs to a process while it runs. Dropping it forgets the process; destroying the quota takes everything
/// back from it.
#[derive(Debug)]
pub struct Running {
    /// Its process.
    pub process: Owned<ProcessKind>,
    /// What it is charged to.
    pub quota: Owned<QuotaKind>,
    /// Key of this end of its bootstrap channel.
    pub starter: u64,
    /// What it has not asked for yet.
    pub grants: Grants,
}

/// One process of the registry.
#[derive(Debug)]
pub struct Slot {
    /// What the registry says.
    pub process: Process<'static>,
    /// Where it stands.
    pub state: State,
    /// When it came to stand there.
    pub since: Ticks,
    /// While it runs.
    pub running: Option<Running>,
    /// Its ends in a row.
    pub row: Row,
    /// Somebody who may do so ended it: that is no failure.
    pub killed: bool,
    /// Its device is not reset yet. That may last for ever, and is told once.
    pub waits_for_device: bool,
    /// How often it was started.
    pub starts: u32,
    /// What wakes it after a pause.
    pub timer: Option<Owned<TimerKind>>,
}

impl Slot {
    /// Not started yet.
    pub fn new(process: Process<'static>) -> Slot {
        Slot {
            process,
            state: State::Idle,
            since: 0,
            running: None,
            row: Row::default(),
            killed: false,
            waits_for_device: false,
            starts: 0,
            timer: None,
        }
    }

    /// When it is started again.
    pub fn rule(&self) -> Rule {
        let Process { restart, backoff_ms, max_restarts, .. } = self.process;
        Rule { when: restart, backoff_ms, max_restarts }
    }

    /// Moves on.
    pub fn become_(&mut self, state: State, now: Ticks) {
        self.state = state;
        self.since = now;
    }

    /// Whether nothing is to be waited for before the next process is started.
    pub fn is_settled(&self) -> bool {
        match self.state {
            State::Ready | State::Ended | State::Absent => true,
            State::Starting => !self.process.announces_ready,
            State::Pausing => self.waits_for_device,
            State::Idle => false,
        }
    }
}
