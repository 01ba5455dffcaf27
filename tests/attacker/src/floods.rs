//! Objects of every kind until a quota or a table has no room: refused with the right error, at exactly the bound, and
//! whoever stands beside it still gets what it asks for.

use crate::lab::{
    END, Lab, NO_DEVICE, NO_SOURCE, Verdict, call, close, expect, message, must, plain, refused,
};
use crate::transfers::send;
use alloc::format;
use alloc::vec::Vec;
use nexus_abi::bounds::MAX_MAPPINGS;
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Sysno, Tag};
use nexus_rt::sys;
use nexus_rt::sys::raw::MessageIn;

/// Pages of the quota that is flooded.
const POND: u64 = 12;

/// Every call that makes an object, with the object's charge in pages.
fn makers(lab: &Lab, quota: u64, process: u64) -> Vec<(Sysno, [u64; 5], u64)> {
    Vec::from([
        // Two queues of two messages: a page each, and one for the channel. Two pages of a vmo need one to list them.
        (Sysno::channel_create, [quota, END, END, 0, 0], 3),
        (Sysno::port_create, [quota, 0, 0, 0, 0], 1),
        (Sysno::vmo_create, [quota, 8192, 0, 0, 0], 4),
        (Sysno::process_create, [quota, lab.identity, 8, 1, 0], 3),
        (Sysno::thread_create, [process, quota, 1, 0, 0], 2),
        (Sysno::timer_create, [quota, 0, 0, 0, 0], 1),
        (Sysno::quota_create, [quota, 3, 0, 0, 0], 4),
        (Sysno::identity_create, [lab.minter, quota, 9, 0, 0], 1),
        (Sysno::pool_create, [lab.machine, quota, 4096, 0, 0], 2),
    ])
}

/// A small quota until it refuses.
pub fn quota(lab: &mut Lab) -> Verdict {
    let process = lab.make(Kind::Process)?[0];
    for (number, arguments, charge) in makers(lab, 0, process) {
        let pond = must("quota", call(Sysno::quota_create, &[lab.spare, POND, 0]))?[0];
        let place = arguments.iter().position(|argument| *argument == 0).unwrap_or(0);
        let mut arguments = arguments;
        arguments[place] = pond;
        let mut made = Vec::new();
        loop {
            match call(number, &arguments) {
                Ok(results) => made.push(results),
                Err(Error::QuotaExceeded) => break,
                Err(other) => return Err(format!("{number:?}: {other:?}")),
            }
        }
        let count = made.len() as u64;
        expect(count == POND / charge, &format!("{number:?}: {count} of {charge} pages in {POND}"))?;
        let info = must("info", sys::quota_info(Handle(pond as u32)))?;
        expect(info.pages_used == count * charge, &format!("{number:?}: {} pages used", info.pages_used))?;
        // Beside it there is room.
        let beside = lab.make(Kind::Timer)?[0];
        close(beside)?;
        must("destroy", call(Sysno::quota_destroy, &[pond]))?;
        for handle in made.iter().flatten().filter(|handle| **handle != 0) {
            refused("an object of it", call(Sysno::object_info, &[*handle, 0, 0, 0]), Error::BadHandle)?;
            close(*handle)?;
        }
        close(pond)?;
    }
    lab.end_process(process)?;
    others(lab)
}

/// What does not go by pages, or belongs to objects that are there already.
fn others(lab: &Lab) -> Verdict {
    let pond = must("quota", call(Sysno::quota_create, &[lab.spare, 0, 0]))?[0];
    let window = [lab.machine, pond, NO_DEVICE, 4096];
    refused("a window", call(Sysno::mmio_create, &window), Error::QuotaExceeded)?;
    let source = [lab.machine, pond, NO_SOURCE];
    refused("an interrupt", call(Sysno::irq_create, &source), Error::QuotaExceeded)?;
    let share = [lab.spare, 0, 1];
    refused("processor share", call(Sysno::quota_create, &share), Error::QuotaExceeded)?;
    let share = [lab.spare, lab.identity, 8, 1, 1];
    refused("processor share", call(Sysno::process_create, &share), Error::QuotaExceeded)?;
    close(pond)?;
    let pool = lab.make(Kind::Pool)?[0];
    let first = must("take", call(Sysno::pool_take, &[pool, 4096]))?[0];
    refused("a second page of one", call(Sysno::pool_take, &[pool, 4096]), Error::QuotaExceeded)?;
    close(first)?;
    close(pool)?;
    // A process pays for the tables of its own mappings.
    let pond = must("quota", call(Sysno::quota_create, &[lab.spare, 3, 0]))?[0];
    let poor = must("process", call(Sysno::process_create, &[pond, lab.identity, 8, 1, 0]))?[0];
    let vmo = lab.make(Kind::Vmo)?[0];
    let read = Rights::READ.bits().into();
    let map = call(Sysno::vm_map, &[poor, vmo, 0, 4096, 0x10000, read]);
    refused("tables of a mapping", map, Error::QuotaExceeded)?;
    lab.end_process(poor)?;
    close(vmo)?;
    close(pond)
}

/// The handle table of this process until it is full: every call that would add to it refuses, and charges nothing.
pub fn table(lab: &mut Lab) -> Verdict {
    let process = lab.make(Kind::Process)?[0];
    let pool = lab.make(Kind::Pool)?[0];
    let [a, b] = lab.make(Kind::Channel)?;
    let port = lab.make(Kind::Port)?[0];
    let timer = lab.make(Kind::Timer)?[0];
    must("bind", call(Sysno::port_bind, &[port, b, 1, 1]))?;
    must("send", send(a, &[timer]))?;
    let mut copies = Vec::with_capacity(64);
    while let Ok([copy, _]) = call(Sysno::handle_dup, &[lab.identity, 0]) {
        copies.push(copy);
    }
    refused("one handle more", call(Sysno::handle_dup, &[lab.identity, 0]), Error::NoSpace)?;
    let used = |lab: &Lab| {
        must("info", sys::quota_info(Handle(lab.spare as u32))).map(|i| (i.pages_used, i.objects))
    };
    let before = used(lab)?;
    for (number, arguments, _) in makers(lab, lab.spare, process) {
        refused(&format!("{number:?}"), call(number, &arguments), Error::NoSpace)?;
        expect(used(lab)? == before, &format!("{number:?} that found no room was charged"))?;
    }
    for (number, arguments) in [
        (Sysno::mmio_create, [lab.machine, lab.spare, NO_DEVICE, 4096]),
        (Sysno::irq_create, [lab.machine, lab.spare, NO_SOURCE, 0]),
        (Sysno::pool_take, [pool, 4096, 0, 0]),
    ] {
        refused(&format!("{number:?}"), call(number, &arguments), Error::NoSpace)?;
        expect(used(lab)? == before, &format!("{number:?} that found no room was charged"))?;
    }
    let mut list = [0u32; 8];
    let room = Tag::new(0, 0).with_room(0, 8);
    for (number, handle) in [(Sysno::channel_recv, b), (Sysno::reply_and_wait, port)] {
        let m = MessageIn { handles: list.as_mut_ptr() as u64, deadline: NOW, ..plain(handle, room) };
        refused(&format!("{number:?} of a handle"), message(number, m), Error::NoSpace)?;
    }
    // Two ends need two entries.
    close(copies.pop().unwrap_or(0))?;
    refused("a channel", call(Sysno::channel_create, &[lab.spare, END, END]), Error::NoSpace)?;
    expect(used(lab)? == before, "a channel that found no room was charged")?;
    let back = must("the message is still there", crate::transfers::receive(b))?;
    copies.into_iter().chain(back).chain([a, b, port, pool]).try_for_each(close)?;
    lab.end_process(process)
}

/// The mapping table of a process, and the handle table of another, until they are full.
pub fn tables_of_others(lab: &mut Lab) -> Verdict {
    let process = lab.make(Kind::Process)?[0];
    let vmo = lab.make(Kind::Vmo)?[0];
    let read = Rights::READ.bits().into();
    let map = |n: u64| call(Sysno::vm_map, &[process, vmo, 0, 4096, 0x10000 + n * 4096, read]);
    for n in 0..MAX_MAPPINGS as u64 {
        must("map", map(n))?;
    }
    refused("one mapping more", map(MAX_MAPPINGS as u64), Error::NoSpace)?;
    must("unmap", call(Sysno::vm_unmap, &[process, 0x10000]))?;
    must("the room of one that is gone", map(MAX_MAPPINGS as u64))?;
    lab.end_process(process)?;
    close(vmo)?;
    // Index 0 is no handle: a table of one has room for none.
    let full = must("process", call(Sysno::process_create, &[lab.spare, lab.identity, 1, 1, 0]))?[0];
    let thread = must("thread", call(Sysno::thread_create, &[full, lab.spare, 1]))?[0];
    let gift = lab.make(Kind::Port)?[0];
    let start = call(Sysno::thread_start, &[thread, 0x4000, 0, 0, gift]);
    refused("a gift without room", start, Error::NoSpace)?;
    close(gift)?;
    lab.end_process(full)?;
    close(thread)
}

/// A tree of quotas as deep as memory allows, let go of from below and destroyed from above.
pub fn deep(lab: &mut Lab) -> Verdict {
    const DEPTH: u64 = 250;
    for destroy in [false, true] {
        let top = must("quota", call(Sysno::quota_create, &[lab.spare, DEPTH, 0]))?[0];
        let mut quota = top;
        for left in (0..DEPTH).rev() {
            let next = must("deeper", call(Sysno::quota_create, &[quota, left, 0]))?[0];
            if quota != top {
                close(quota)?;
            }
            quota = next;
        }
        let more = call(Sysno::quota_create, &[quota, 0, 0]);
        refused("deeper than there are pages", more, Error::QuotaExceeded)?;
        if destroy {
            must("destroy", call(Sysno::quota_destroy, &[top]))?;
            let gone = call(Sysno::quota_create, &[quota, 0, 0]);
            refused("the deepest", gone, Error::BadHandle)?;
        }
        // The last handle, to the deepest or to the top, lets all of it go.
        close(top)?;
        close(quota)?;
    }
    Ok(())
}

/// Many timers at one moment, and threads that end at once.
pub fn storms(lab: &mut Lab) -> Verdict {
    let timers: Vec<u64> =
        (0..30).map(|_| lab.make(Kind::Timer).map(|made| made[0])).collect::<Result<_, _>>()?;
    let at = nexus_rt::clock::in_millis(1);
    for timer in &timers {
        must("set", call(Sysno::timer_set, &[*timer, at]))?;
    }
    let port = lab.make(Kind::Port)?[0];
    must("bind", call(Sysno::port_bind, &[port, timers[0], 3, 8]))?;
    let wait = MessageIn { deadline: nexus_rt::clock::in_millis(1000), ..plain(port, Tag(0)) };
    let told = must("the first of them", message(Sysno::reply_and_wait, wait))?;
    expect(told.key == 3, "another key")?;
    for timer in timers {
        must("set again", call(Sysno::timer_set, &[timer, u64::MAX - 1]))?;
        close(timer)?;
    }
    close(port)?;
    // Threads of an empty process: each faults at its first instruction, and the first takes the others along.
    let process = lab.make(Kind::Process)?[0];
    let threads: Vec<u64> = (0..8)
        .map(|_| must("thread", call(Sysno::thread_create, &[process, lab.spare, 5])).map(|made| made[0]))
        .collect::<Result<_, _>>()?;
    for thread in &threads {
        // Once it has died of the first, the others cannot be started any more.
        let _ = call(Sysno::thread_start, &[*thread, 0x4000, 0, 0, 0]);
    }
    lab.wait_end(process)?;
    for thread in threads {
        refused(
            "a thread that ended",
            call(Sysno::thread_start, &[thread, 0x4000, 0, 0, 0]),
            Error::BadHandle,
        )?;
        close(thread)?;
    }
    close(process)
}
