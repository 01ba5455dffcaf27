//! The transport of running programs: a channel end of this process.
//!
//! Kernel errors become the four things that a caller can do something about, and nothing else passes.

use crate::failure::{Failure, Fault};
use crate::handle::{AnyHandle, HandleKind, Handles, Held};
use crate::link::Transport;
use crate::packet::{Packet, Room};
use core::mem;
use nexus_abi::bounds::MAX_MESSAGE_HANDLES;
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Tag, Ticks};
use nexus_sys::Area;

/// A handle of this process, closed on drop.
#[derive(PartialEq, Eq, Debug)]
pub struct OwnHandle(Handle);

impl OwnHandle {
    /// Takes over a handle: nobody else may close it.
    pub const fn from_raw(handle: Handle) -> Self {
        OwnHandle(handle)
    }

    /// Gives it up: who receives the value has to close it.
    pub const fn into_raw(self) -> Handle {
        let handle = self.0;
        mem::forget(self);
        handle
    }

    /// Its value, still owned here.
    pub const fn raw(&self) -> Handle {
        self.0
    }
}

impl Drop for OwnHandle {
    fn drop(&mut self) {
        // A handle that went with a message, or whose object was destroyed, is already gone.
        let _ = nexus_sys::handle_close(self.0);
    }
}

impl AnyHandle for OwnHandle {
    fn describe(&self) -> Option<(Kind, Rights)> {
        let info = nexus_sys::handle_info(self.0).ok()?;
        let kind = Kind::from_raw(u8::try_from(info.kind).ok()?)?;
        Some((kind, Rights::from_bits_truncate(info.rights)))
    }
}

impl<K: HandleKind> Held<OwnHandle, K> {
    /// Takes over a handle that is of the kind `K`.
    pub fn from_raw(handle: Handle) -> Self {
        Held::assume(OwnHandle::from_raw(handle))
    }

    /// Gives the handle up.
    pub fn into_raw(self) -> Handle {
        self.into_inner().into_raw()
    }

    /// Its value, still owned here.
    pub fn raw(&self) -> Handle {
        self.inner().raw()
    }
}

/// A channel end to a server.
#[derive(Debug)]
pub struct Endpoint {
    handle: OwnHandle,
    timebase_hz: u64,
}

/// The point in time `ms` milliseconds from `now`; never [`NOW`] unless `ms` is 0, never `NEVER`.
pub fn deadline(now: Ticks, timebase_hz: u64, ms: u32) -> Ticks {
    if ms == 0 {
        return NOW;
    }
    let wait = u128::from(ms) * u128::from(timebase_hz) / 1000;
    let wait = u64::try_from(wait).unwrap_or(u64::MAX);
    now.saturating_add(wait).clamp(NOW + 1, u64::MAX - 1)
}

impl Endpoint {
    /// A channel end; `timebase_hz` is that of the machine's time counter.
    pub const fn new(handle: OwnHandle, timebase_hz: u64) -> Self {
        Endpoint { handle, timebase_hz }
    }

    fn deadline(&self, ms: u32) -> Ticks {
        deadline(nexus_sys::ticks(), self.timebase_hz, ms)
    }

    fn failure(&self, error: Error) -> Failure {
        match error {
            Error::PeerClosed => Failure::ServerDied,
            Error::TimedOut | Error::WouldBlock => Failure::TimedOut,
            // Either the channel itself was destroyed with its quota, or a handle of the message was bad.
            Error::BadHandle if self.handle.describe().is_none() => Failure::ServerDied,
            other => Failure::Protocol(Fault::Kernel(other)),
        }
    }
}

/// The handles of a message as values, for as long as the kernel decides whose they are.
struct Lent {
    values: [Handle; MAX_MESSAGE_HANDLES],
    len: usize,
}

impl Lent {
    fn from(handles: &mut Handles<OwnHandle>) -> Lent {
        let mut lent = Lent { values: [Handle::NONE; MAX_MESSAGE_HANDLES], len: handles.len() };
        for (i, value) in lent.values.iter_mut().enumerate().take(lent.len) {
            *value = handles.take(i).map_or(Handle::NONE, OwnHandle::into_raw);
        }
        handles.clear();
        lent
    }

    /// They are this process's: closes them when `handles` is dropped. Those that the server has are not in
    /// this process's table any more, and closing them does nothing.
    fn back(&self, handles: &mut Handles<OwnHandle>, len: usize) {
        for &value in self.values.iter().take(len) {
            if handles.push(OwnHandle::from_raw(value)).is_err() {
                break;
            }
        }
    }
}

impl Transport for Endpoint {
    type Handle = OwnHandle;

    fn call(
        &mut self,
        packet: &mut Packet<'_, OwnHandle>,
        room: Room,
        deadline_ms: u32,
    ) -> Result<(), Failure> {
        let until = self.deadline(deadline_ms);
        let (len, words) = (packet.len(), packet.words());
        let mut lent = Lent::from(&mut packet.handles);
        let tag = Tag::new(len, lent.len).with_room(room.bytes, room.handles);
        let mut area = Area { bytes: packet.buffer(), handles: &mut lent.values };
        match nexus_sys::call(self.handle.raw(), tag, words, &mut area, until) {
            Ok(answer) => {
                lent.back(&mut packet.handles, answer.tag.handles());
                if packet.arrived(answer.tag.bytes(), answer.words) {
                    Ok(())
                } else {
                    Err(Failure::Protocol(Fault::NoRoom))
                }
            }
            Err(refusal) => {
                lent.back(&mut packet.handles, lent.len);
                packet.reset();
                Err(self.failure(refusal.error))
            }
        }
    }

    fn send(&mut self, packet: &mut Packet<'_, OwnHandle>, deadline_ms: u32) -> Result<(), Failure> {
        let until = self.deadline(deadline_ms);
        let (len, words) = (packet.len(), packet.words());
        let mut lent = Lent::from(&mut packet.handles);
        let tag = Tag::new(len, lent.len);
        let mut area = Area { bytes: packet.buffer(), handles: &mut lent.values };
        let sent = nexus_sys::send(self.handle.raw(), tag, words, &mut area, until);
        sent.map_err(|error| {
            lent.back(&mut packet.handles, lent.len);
            packet.reset();
            self.failure(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::NEVER;

    #[test]
    fn deadlines_neither_wrap_nor_become_never() {
        assert_eq!(deadline(5, 10_000_000, 0), NOW);
        assert_eq!(deadline(5, 10_000_000, 1), 10_005);
        assert_eq!(deadline(0, 1, 1), 1, "shorter than a tick");
        assert_eq!(deadline(u64::MAX - 3, 10_000_000, u32::MAX), NEVER - 1);
        assert_eq!(deadline(7, u64::MAX, u32::MAX), NEVER - 1);
    }
}
