//! Ways to be when death comes: waiting for each thing that can be waited for, running, and in the middle of a call that
//! takes long. The driver asks for one, and ends the process from outside.

use crate::lab::{Lab, call, close, message, plain};
use crate::transfers::send;
use alloc::vec::Vec;
use nexus_abi::{Kind, NEVER, NOW, Sysno, Tag};
use nexus_rt::sys::raw::MessageIn;
use nexus_rt::{sys, thread};

/// What to do for ever.
pub type Wait = fn(&Lab) -> Option<()>;

/// Priority of this program's threads here.
const PRIORITY: u8 = 10;

/// The way of this name.
pub fn plan(name: &str) -> Option<Wait> {
    Some(match name {
        "wait.port" => port,
        "wait.calling" => calling,
        "wait.open" => open,
        "wait.sending" => sending,
        "wait.timed" => timed,
        "wait.spinning" => spinning,
        "wait.yielding" => yielding,
        "wait.calling_the_kernel" => calling_the_kernel,
        "wait.destroying" => destroying,
        "wait.mapping" => mapping,
        "wait.new_threads" => new_threads,
        "wait.all_at_once" => all_at_once,
        "exit.itself" => exit_itself,
        "exit.last_thread" => exit_last_thread,
        "exit.destroys_itself" => destroys_itself,
        _ => return None,
    })
}

fn port(lab: &Lab) -> Option<()> {
    let port = lab.make(Kind::Port).ok()?[0];
    message(Sysno::reply_and_wait, MessageIn { deadline: NEVER, ..plain(port, Tag(0)) }).ok().map(|_| ())
}

/// In a call that nobody receives, with a handle.
fn calling(lab: &Lab) -> Option<()> {
    let near = lab.make(Kind::Channel).ok()?[0];
    let list = [lab.make(Kind::Timer).ok()?[0] as u32];
    let m = MessageIn { handles: list.as_ptr() as u64, deadline: NEVER, ..plain(near, Tag::new(0, 1)) };
    message(Sysno::channel_call, m).ok().map(|_| ())
}

/// In a call that was received and is not answered.
fn open(lab: &Lab) -> Option<()> {
    let _opened = crate::pointers::Opened::make(lab).ok()?;
    port(lab)
}

/// In a send that finds no room, with a handle and bytes in the kernel's keeping.
fn sending(lab: &Lab) -> Option<()> {
    let near = lab.make(Kind::Channel).ok()?[0];
    let bytes = [7u8; 64];
    while send(near, &[]).is_ok() {}
    let list = [lab.make(Kind::Timer).ok()?[0] as u32];
    let (bytes, handles) = (bytes.as_ptr() as u64, list.as_ptr() as u64);
    let m = MessageIn { bytes, handles, deadline: NEVER, ..plain(near, Tag::new(64, 1)) };
    message(Sysno::channel_send, m).ok().map(|_| ())
}

/// For a time that does not come, with a timer beside it.
fn timed(lab: &Lab) -> Option<()> {
    let port = lab.make(Kind::Port).ok()?[0];
    let timer = lab.make(Kind::Timer).ok()?[0];
    let far = nexus_rt::clock::in_millis(1 << 30);
    call(Sysno::timer_set, &[timer, far]).ok()?;
    call(Sysno::port_bind, &[port, timer, 1, 8]).ok()?;
    message(Sysno::reply_and_wait, MessageIn { deadline: far, ..plain(port, Tag(0)) }).ok().map(|_| ())
}

fn spinning(_lab: &Lab) -> Option<()> {
    loop {
        core::hint::spin_loop();
    }
}

fn yielding(_lab: &Lab) -> Option<()> {
    loop {
        sys::thread_yield();
    }
}

fn calling_the_kernel(lab: &Lab) -> Option<()> {
    loop {
        let channel = lab.make(Kind::Channel).ok()?;
        send(channel[0], &[]).ok()?;
        lab.end(Kind::Channel, channel).ok()?;
    }
}

/// A quota with many objects, again and again.
fn destroying(lab: &Lab) -> Option<()> {
    loop {
        let pond = call(Sysno::quota_create, &[lab.spare, 300, 0]).ok()?[0];
        let mut made = Vec::with_capacity(40);
        for _ in 0..40 {
            made.push(call(Sysno::vmo_create, &[pond, 4 * 4096]).ok()?[0]);
        }
        call(Sysno::quota_destroy, &[pond]).ok()?;
        made.into_iter().chain([pond]).try_for_each(close).ok()?;
    }
}

fn mapping(lab: &Lab) -> Option<()> {
    let vmo = call(Sysno::vmo_create, &[lab.spare, 64 * 4096]).ok()?[0];
    loop {
        let at = call(Sysno::vm_map, &[lab.own, vmo, 0, 64 * 4096, 0, 0xc00]).ok()?[0];
        call(Sysno::vm_unmap, &[lab.own, at]).ok()?;
    }
}

/// Among threads that were never started.
fn new_threads(lab: &Lab) -> Option<()> {
    for _ in 0..10 {
        call(Sysno::thread_create, &[lab.own, lab.spare, 1]).ok()?;
    }
    port(lab)
}

/// Many threads of one process, each in another of these.
fn all_at_once(lab: &Lab) -> Option<()> {
    let ways: [Wait; 8] = [port, calling, sending, timed, spinning, yielding, calling_the_kernel, mapping];
    let lab = *lab;
    for way in ways {
        drop(thread::spawn(PRIORITY, move || way(&lab)).ok()?);
    }
    open(&lab)
}

fn exit_itself(lab: &Lab) -> Option<()> {
    let lab = *lab;
    for way in [port as Wait, calling, sending, spinning] {
        drop(thread::spawn(PRIORITY, move || way(&lab)).ok()?);
    }
    sys::thread_yield();
    sys::process_exit(7)
}

fn exit_last_thread(_lab: &Lab) -> Option<()> {
    sys::thread_exit(7)
}

/// Destroys a quota that its own next thread is charged to, which ends this process before the quota is empty.
fn destroys_itself(lab: &Lab) -> Option<()> {
    let pond = call(Sysno::quota_create, &[lab.spare, 30, 0]).ok()?[0];
    call(Sysno::vmo_create, &[pond, 4096]).ok()?;
    call(Sysno::port_create, &[pond]).ok()?;
    call(Sysno::thread_create, &[lab.own, pond, 1]).ok()?;
    call(Sysno::quota_destroy, &[pond]).ok()?;
    message(Sysno::channel_recv, MessageIn { deadline: NOW, ..plain(pond, Tag(0)) }).ok().map(|_| ())
}
