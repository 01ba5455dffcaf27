//! Handles that answer nothing: guessed, stale, of another kind, without the right. One table says what each argument that
//! is a handle must be; every attack here goes through all of it.

use crate::lab::{Lab, Verdict, call, close, message, must, plain, refused};
use alloc::format;
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Sysno, Tag};
use nexus_rt::sys;

/// An argument that is a handle: which one of which call, what kind it must be and which right it must have.
type Place = (Sysno, usize, Kind, Rights);

const PLACES: &[Place] = {
    use Kind as K;
    use Rights as R;
    use Sysno as S;
    &[
        (S::object_info, 0, K::Vmo, R::INSPECT),
        (S::channel_create, 0, K::Quota, R::CHARGE),
        (S::channel_send, 0, K::Channel, R::SEND),
        (S::channel_recv, 0, K::Channel, R::RECEIVE),
        (S::channel_call, 0, K::Channel, R::SEND),
        (S::reply_and_wait, 0, K::Port, R::WAIT),
        (S::port_create, 0, K::Quota, R::CHARGE),
        (S::port_bind, 0, K::Port, R::BIND),
        (S::port_bind, 1, K::Timer, R::WAIT),
        (S::port_signal, 0, K::Port, R::SIGNAL),
        (S::vmo_create, 0, K::Quota, R::CHARGE),
        (S::vmo_seal, 0, K::Vmo, R::SEAL),
        (S::vm_map, 0, K::Process, R::MAP),
        (S::vm_map, 1, K::Vmo, R::READ),
        (S::vm_unmap, 0, K::Process, R::MAP),
        (S::process_create, 0, K::Quota, R::CHARGE),
        (S::process_create, 1, K::Identity, R::USE),
        (S::thread_create, 0, K::Process, R::MANAGE),
        (S::thread_create, 1, K::Quota, R::CHARGE),
        (S::thread_start, 0, K::Thread, R::MANAGE),
        (S::process_kill, 0, K::Process, R::MANAGE),
        (S::timer_create, 0, K::Quota, R::CHARGE),
        (S::timer_set, 0, K::Timer, R::MANAGE),
        (S::quota_create, 0, K::Quota, R::SPLIT),
        (S::quota_destroy, 0, K::Quota, R::MANAGE),
        (S::identity_create, 0, K::Identity, R::MINT),
        (S::identity_create, 1, K::Quota, R::CHARGE),
        (S::console_write, 0, K::Resource, R::CONSOLE),
        (S::machine_reset, 0, K::Resource, R::RESET),
        (S::mmio_create, 0, K::Resource, R::MINT),
        (S::mmio_create, 1, K::Quota, R::CHARGE),
        (S::irq_create, 0, K::Resource, R::MINT),
        (S::irq_create, 1, K::Quota, R::CHARGE),
        (S::irq_ack, 0, K::Irq, R::MANAGE),
        (S::pool_create, 0, K::Resource, R::MINT),
        (S::pool_create, 1, K::Quota, R::CHARGE),
        (S::pool_take, 0, K::Pool, R::DMA),
    ]
};

const MESSAGE_CALLS: [Sysno; 4] =
    [Sysno::channel_send, Sysno::channel_recv, Sysno::channel_call, Sysno::reply_and_wait];

/// Objects for arguments before the one that is attacked.
struct Good {
    identity: [u64; 2],
    process: [u64; 2],
    port: [u64; 2],
}

impl Good {
    fn make(lab: &Lab) -> Result<Good, alloc::string::String> {
        Ok(Good {
            identity: lab.make(Kind::Identity)?,
            process: lab.make(Kind::Process)?,
            port: lab.make(Kind::Port)?,
        })
    }

    fn end(self, lab: &Lab) -> Verdict {
        lab.end(Kind::Identity, self.identity)?;
        lab.end(Kind::Process, self.process)?;
        lab.end(Kind::Port, self.port)
    }

    /// Makes a call with `handle` as argument `at`, everything before it good and everything after it harmless.
    fn call(&self, lab: &Lab, number: Sysno, at: usize, handle: u64) -> Result<(), Error> {
        if MESSAGE_CALLS.contains(&number) {
            let m = nexus_rt::sys::raw::MessageIn { deadline: NOW, ..plain(handle, Tag(0)) };
            return message(number, m).map(|_| ());
        }
        let mut arguments = [0; 5];
        if at == 1 {
            arguments[0] = match number {
                Sysno::port_bind => self.port[0],
                Sysno::vm_map | Sysno::thread_create => self.process[0],
                Sysno::process_create => lab.spare,
                Sysno::identity_create => lab.minter,
                _ => lab.machine,
            };
        }
        arguments[at] = handle;
        match number {
            // The topic that asks what the object is.
            Sysno::object_info => arguments[1] = 3,
            // Signals that a timer has; a map that could be read.
            Sysno::port_bind => arguments[3] = 8,
            Sysno::process_create if at == 0 => arguments[1] = self.identity[0],
            _ => {}
        }
        call(number, &arguments).map(|_| ())
    }
}

/// Values that no handle has: everything near a real one, bounds of every field, and a handle that was closed and whose
/// entry has been used again.
pub fn guessed(lab: &mut Lab) -> Verdict {
    let good = Good::make(lab)?;
    let stale = lab.make(Kind::Vmo)?[0];
    close(stale)?;
    let reused = lab.make(Kind::Vmo)?[0];
    let near = reused as u32;
    let values = [
        0,
        1,
        stale as u32,
        near ^ 1 << 16,
        near ^ 1 << 31,
        near & 0xffff,
        0xffff,
        u32::MAX,
        near | 0xff00,
        1 << 16,
        63 | 1 << 16,
        64 | 1 << 16,
        256 | 1 << 16,
    ];
    let values = values.into_iter().filter(|value| sys::handle_info(Handle(*value)).is_err());
    for value in values {
        for (number, at, ..) in PLACES {
            let what = format!("{number:?} argument {at} = {value:#x}");
            refused(&what, good.call(lab, *number, *at, value.into()), Error::BadHandle)?;
        }
        refused("close", call(Sysno::handle_close, &[value.into()]), Error::BadHandle)?;
        refused("dup", call(Sysno::handle_dup, &[value.into(), 0]), Error::BadHandle)?;
    }
    close(reused)?;
    good.end(lab)
}

/// A handle that is as it must be in its lower half, and has more than a handle can have in the upper one.
pub fn wide(lab: &mut Lab) -> Verdict {
    let good = Good::make(lab)?;
    for bit in [32, 47, 63] {
        for (number, at, kind, _) in PLACES {
            let made = lab.make(*kind)?;
            let what = format!("{number:?} argument {at} with bit {bit}");
            refused(&what, good.call(lab, *number, *at, made[0] | 1 << bit), Error::BadHandle)?;
            lab.end(*kind, made)?;
        }
        let vmo = lab.make(Kind::Vmo)?[0];
        let (wide, rights) = (vmo | 1 << bit, Rights::READ.bits().into());
        refused("close", call(Sysno::handle_close, &[wide]), Error::BadHandle)?;
        refused("dup", call(Sysno::handle_dup, &[wide, rights]), Error::BadHandle)?;
        // No handle at all is the gift that is none; a register with more in it is not.
        let [thread, process] = lab.make(Kind::Thread)?;
        for gift in [wide, 1 << bit] {
            let start = call(Sysno::thread_start, &[thread, 0x4000, 0, 0, gift]);
            refused("a gift", start, Error::BadHandle)?;
        }
        lab.end(Kind::Thread, [thread, process])?;
        close(vmo)?;
    }
    good.end(lab)
}

/// A live handle of every kind where another is asked for.
pub fn wrong_kind(lab: &mut Lab) -> Verdict {
    let good = Good::make(lab)?;
    for kind in Kind::ALL {
        let made = lab.make(*kind)?;
        for (number, at, wanted, _) in PLACES {
            // What is bound may be of several kinds, and what is mapped of two; the argument after it is judged with it.
            let bindable =
                [Kind::Channel, Kind::Timer, Kind::Process, Kind::Irq, Kind::Resource].contains(kind);
            let is_mapped = *number == Sysno::vm_map && *at == 1 && *kind == Kind::Mmio;
            if kind == wanted || is_mapped || (*number == Sysno::port_bind && *at == 1 && bindable) {
                continue;
            }
            let what = format!("{number:?} argument {at} a {}", kind.name());
            refused(&what, good.call(lab, *number, *at, made[0]), Error::WrongType)?;
        }
        lab.end(*kind, made)?;
    }
    good.end(lab)
}

/// A handle with every right but the one that the call needs; and no right comes back by asking.
pub fn missing_right(lab: &mut Lab) -> Verdict {
    let good = Good::make(lab)?;
    for (number, at, kind, right) in PLACES {
        // An endpoint cannot be duplicated, so it has every right for ever.
        if *kind == Kind::Channel {
            continue;
        }
        let what = format!("{number:?} argument {at} without {right:?}");
        let made = lab.make(*kind)?;
        let strong = match *right {
            Rights::MINT => lab.minter,
            _ => made[0],
        };
        let all = Rights::from_bits_retain(must("info", sys::handle_info(Handle(strong as u32)))?.rights);
        let less = all - *right;
        let weak = match kind {
            // What this process was given has few rights to begin with.
            Kind::Resource => must("dup", call(Sysno::handle_dup, &[lab.counters, 0]))?[0],
            _ => must("dup", call(Sysno::handle_dup, &[strong, less.bits().into()]))?[0],
        };
        refused(&what, good.call(lab, *number, *at, weak), Error::AccessDenied)?;
        let back = call(Sysno::handle_dup, &[weak, all.bits().into()]);
        if *kind != Kind::Resource {
            refused("ask the right back", back, Error::AccessDenied)?;
        }
        close(weak)?;
        lab.end(*kind, made)?;
    }
    good.end(lab)
}
