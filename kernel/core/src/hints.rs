//! What a thread remembers of its handles, so that the fast paths need not look them up: made here, by a look-up like any other.
//!
//! What must never happen: a hint made after its handle has left the table. So the look-up is done again under the object's
//! lock: whoever takes the handle away raises the tenure under that lock after, and the hint is stale.

use crate::channel::Channel;
use crate::hart::Hart;
use crate::kernel::Kernel;
use crate::platform::Platform;
use crate::thread::{Thread, state};
use nexus_abi::{Kind, Rights};

impl<P: Platform> Kernel<P> {
    /// Notes what a handle to call through leads to; false if that is known, or nothing.
    pub(crate) fn aim(&self, hart: &Hart, t: &Thread, raw: u64) -> bool {
        if t.aimed.get() == raw && t.aim.seems_same() {
            return false;
        }
        let find = || self.table(hart.owner()).lookup_as(&self.memory, raw, Kind::Channel, Rights::SEND).ok();
        let Some(capability) = find() else { return false };
        let Ok(_held) = self.hold(capability.object) else { return false };
        let header = self.memory.header(capability.object.frame);
        // Under the lock: a handle that leaves the table from now on raises the tenure after this.
        if find() != Some(capability) || (t.aimed.get() == raw && t.aim.is(header)) {
            return false;
        }
        let ends = &self.memory.page::<Channel>(capability.object.frame).ends;
        t.aim.note(header, &ends[1 - capability.end as usize]);
        t.aimed.set(raw);
        true
    }

    /// Notes what a handle to wait at leads to, likewise.
    pub(crate) fn stand(&self, hart: &Hart, t: &Thread, raw: u64) -> bool {
        if t.stood.get() == raw && t.stand.seems_same() {
            return false;
        }
        let find = || self.table(hart.owner()).lookup_as(&self.memory, raw, Kind::Port, Rights::WAIT).ok();
        let Some(capability) = find() else { return false };
        let Ok(_held) = self.hold(capability.object) else { return false };
        let frame = capability.object.frame;
        let header = self.memory.header(frame);
        if find() != Some(capability) || (t.stood.get() == raw && t.stand.is(header)) {
            return false;
        }
        t.stand.note(header, self.memory.page(frame));
        t.stand_state.set((state::PORT as u64) << 32 | frame.0 as u64);
        t.stood.set(raw);
        true
    }

    /// Notes what a handle to signal through leads to, likewise.
    pub(crate) fn poke(&self, hart: &Hart, raw: u64) {
        let t = hart.current();
        let find = || self.table(hart.owner()).lookup_as(&self.memory, raw, Kind::Port, Rights::SIGNAL).ok();
        let Some(capability) = find() else { return };
        let Ok(_held) = self.hold(capability.object) else { return };
        if find() == Some(capability) {
            let frame = capability.object.frame;
            t.poke.note(self.memory.header(frame), self.memory.page(frame));
            t.poked.set(raw);
        }
    }
}
