//! Timers, and the passing of time.

use crate::object::{Body, Id};
use crate::port::Binding;
use crate::process::{Doing, Left};
use crate::{Answer, Deadline, Fault, Model, Refused, Slot};
use alloc::vec;
use nexus_abi::{Error, Kind, Rights, Signals};

/// A timer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timer {
    /// Ticks until it signals; `None`: not set.
    pub left: Left,
    /// Where EXPIRED goes.
    pub binding: Binding,
}

impl Model {
    /// `timer_create`.
    pub(crate) fn timer_create(&mut self, process: Id, quota: Slot) -> Refused<Answer> {
        let quota = self.charged(process, quota)?;
        let id = self.create(quota, 1, Body::Timer(Timer::default()))?;
        self.publish(process, id, Kind::Timer, Kind::Timer.all_rights())
    }

    /// `timer_set`: replaces what was set, and what has not been told of it.
    pub(crate) fn timer_set(&mut self, process: Id, slot: Slot, deadline: Deadline) -> Refused<Answer> {
        let id = self.look_up_as(process, slot, Kind::Timer, Rights::MANAGE)?.object;
        let timer = self.timer_mut(id);
        timer.binding.pending &= !Signals::EXPIRED.bits();
        timer.left = deadline.left();
        Ok(Answer::Done)
    }

    /// One tick passes: waits and timers whose time has come end. Those of one tick have no order among them, so histories
    /// give each its own.
    pub(crate) fn tick(&mut self) {
        let pass = |left: &mut Left| {
            *left = left.map(|left| left.saturating_sub(1));
            *left == Some(0)
        };
        let mut late = vec![];
        let mut due = vec![];
        for (id, object) in &mut self.objects {
            match &mut object.body {
                Body::Thread(thread) => match &mut thread.doing {
                    Doing::Woken { left, .. } => {
                        pass(left);
                    }
                    Doing::Sending { left, .. }
                    | Doing::Calling { left, .. }
                    | Doing::Open { left, .. }
                    | Doing::Waiting { left, .. } => {
                        late.extend(pass(left).then_some(*id));
                    }
                    _ => {}
                },
                Body::Timer(timer) => {
                    due.extend(pass(&mut timer.left).then_some(*id));
                }
                _ => {}
            }
        }
        if self.breaks(Fault::TimeoutIsForgotten) {
            late.clear();
        }
        late.into_iter().for_each(|thread| self.fail(thread, Error::TimedOut));
        for timer in due {
            self.timer_mut(timer).left = None;
            self.raise((timer, 0), Signals::EXPIRED);
        }
    }
}
