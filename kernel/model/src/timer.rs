//! Timers and deadlines: what time does.
//!
//! What must never happen: time that goes back, or something due that does not happen. What is due earlier happens
//! earlier; what is due at the same time happens in the order in which it was set.

use crate::answer::{Raw, RawAnswer};
use crate::fault::Fault;
use crate::model::Model;
use crate::object::{ObjectId, TimerId};
use crate::op::{HandleName, ProcessName, QuotaName, ThreadName};
use crate::quota::{Costs, OBJECT_PAGES};
use crate::thread::{State, Wait};
use nexus_abi::{Error, Kind, Rights, Ticks, NEVER};

/// When something is due, and its place among what is due then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Deadline {
    pub at: Ticks,
    pub order: u64,
}

/// A timer.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    pub quota: QuotaName,
    /// `None` when it is not set, or has fired.
    pub due: Option<Deadline>,
    /// EXPIRED was raised and not told.
    pub expired: bool,
}

enum Due {
    Thread(ThreadName),
    Timer(TimerId),
}

impl Model {
    pub(crate) fn timer_mut(&mut self, id: TimerId) -> &mut Timer {
        self.timers.get_mut(&id).expect("a timer behind an open handle is")
    }

    pub(crate) fn timer_create(&mut self, actor: ProcessName, quota: HandleName) -> RawAnswer {
        let quota = self.chargeable(actor, quota)?;
        let costs = Costs { quota, pages: OBJECT_PAGES, cpu: 0 };
        self.charge(costs)?;
        if !self.has_room(actor, 1) {
            self.give_back(costs);
            return Err(Error::NoSpace.into());
        }
        let id = TimerId(self.next.object());
        self.timers.insert(id, Timer { quota, due: None, expired: false });
        Ok(self.created(actor, &[ObjectId::Timer(id)]))
    }

    /// A new setting replaces the old one, also an expiry that was not told yet. A deadline that has passed
    /// expires at once.
    pub(crate) fn timer_set(&mut self, actor: ProcessName, timer: HandleName, deadline: Ticks) -> RawAnswer {
        let ObjectId::Timer(id) = self.lookup(actor, timer, Kind::Timer, Rights::MANAGE)?.object else {
            return Err(Error::WrongType.into());
        };
        let due = (deadline != NEVER).then(|| self.deadline(deadline));
        let timer = self.timer_mut(id);
        timer.due = due;
        timer.expired = false;
        self.refresh(ObjectId::Timer(id));
        if deadline <= self.now {
            self.expire(id);
        }
        Ok(Raw::Done)
    }

    pub(crate) fn deadline(&mut self, at: Ticks) -> Deadline {
        Deadline { at, order: self.next.order() }
    }

    fn expire(&mut self, id: TimerId) {
        let timer = self.timer_mut(id);
        timer.due = None;
        timer.expired = true;
        self.refresh(ObjectId::Timer(id));
    }

    /// Time goes on to `to`.
    pub(crate) fn advance(&mut self, to: Ticks) {
        while let Some((deadline, due)) = self.first_due(to) {
            self.now = self.now.max(deadline.at);
            match due {
                Due::Timer(id) => self.expire(id),
                Due::Thread(id) => self.time_out(id),
            }
            self.settle();
        }
        self.now = self.now.max(to);
    }

    fn first_due(&self, to: Ticks) -> Option<(Deadline, Due)> {
        let timers = self.timers.iter().filter_map(|(id, timer)| Some((timer.due?, Due::Timer(*id))));
        let threads = self.threads.iter().filter_map(|(id, thread)| match thread.state {
            State::Blocked(_, deadline) if deadline.at != NEVER => Some((deadline, Due::Thread(*id))),
            _ => None,
        });
        timers.chain(threads).filter(|(deadline, _)| deadline.at <= to).min_by_key(|(deadline, _)| *deadline)
    }

    fn time_out(&mut self, id: ThreadName) {
        if self.broken(Fault::TimeoutLeavesCall) {
            if let State::Blocked(Wait::Call { .. }, _) = self.thread(id).state {
                return self.wake(id, Err(Error::TimedOut.into()));
            }
        }
        self.interrupt(id, Error::TimedOut.into());
    }
}
