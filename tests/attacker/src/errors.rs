//! Refusals that no other attack comes by.

use crate::lab::{Lab, Verdict, call, close, message, must, plain, refused};
use crate::pointers::{CALLER_ROOM, Opened};
use crate::transfers::send;
use alloc::string::String;
use nexus_abi::{Error, Kind, NEVER, NOW, Rights, Sysno, Tag};
use nexus_rt::sys::raw::MessageIn;

/// Threads that cannot be started: badly, twice.
pub fn threads(lab: &mut Lab) -> Verdict {
    let made = lab.make(Kind::Thread)?;
    let code = endless(lab)?;
    let start = |entry, stack| call(Sysno::thread_start, &[made[0], entry, stack, 0, 0]);
    for (entry, stack) in [
        (0, 0),
        (0x4001, 0),
        (0x4000, 8),
        (0x4000, 1),
        (nexus_abi::bounds::USER_END, 0),
        (0xffff_ffff_8000_0000, 0),
        (u64::MAX - 1, 0),
    ] {
        refused("a thread at no place", start(entry, stack), Error::Invalid)?;
    }
    must("map its code", call(Sysno::vm_map, &[made[1], code, 0, 4096, 0x4000, READ | EXECUTE]))?;
    must("start", start(0x4000, 0))?;
    refused("start again", start(0x4000, 0), Error::BadState)?;
    must("kill", call(Sysno::process_kill, &[made[1]]))?;
    lab.wait_end(made[1])?;
    refused("start what has ended", start(0x4000, 0), Error::BadHandle)?;
    close(code)?;
    close(made[0])?;
    close(made[1])?;
    let process = lab.make(Kind::Process)?[0];
    for priority in [32, u64::MAX] {
        let none = call(Sysno::thread_create, &[process, lab.spare, priority]);
        refused("no such priority", none, Error::Invalid)?;
    }
    let above = call(Sysno::thread_create, &[process, lab.spare, 11]);
    refused("a priority above its process's", above, Error::AccessDenied)?;
    let above = call(Sysno::process_create, &[lab.spare, lab.identity, 8, 11, 0]);
    refused("a process with a priority above one's own", above, Error::AccessDenied)?;
    lab.end_process(process)
}

/// Answers that are not taken: of an endpoint that must not move, too large, to a call that is not open.
pub fn answers(lab: &mut Lab) -> Verdict {
    let mut server = Opened::make(lab)?;
    let [a, b] = lab.make(Kind::Channel)?;
    let gift = lab.make(Kind::Port)?[0];
    must("a handle into its queue", send(a, &[gift]))?;
    let list = [b as u32];
    let m = MessageIn {
        handles: list.as_ptr() as u64,
        token: server.token,
        deadline: NOW,
        ..plain(server.port, Tag::new(0, 1))
    };
    refused("an endpoint with handles inside", message(Sysno::channel_reply, m), Error::Busy)?;
    refused("the same, and a wait", message(Sysno::reply_and_wait, m), Error::Busy)?;
    for tag in [Tag::new(CALLER_ROOM.0 + 1, 0), Tag::new(0, CALLER_ROOM.1 + 1)] {
        let bytes = [0u8; CALLER_ROOM.0 + 1];
        let list = [gift as u32, a as u32];
        let (bytes, handles) = (bytes.as_ptr() as u64, list.as_ptr() as u64);
        let m = MessageIn { bytes, handles, tag, ..m };
        // The gift is in the queue, so its handle is none.
        let expected = if tag.handles() == 0 { Error::BufferTooSmall } else { Error::BadHandle };
        refused("an answer that is too large", message(Sysno::channel_reply, m), expected)?;
    }
    let token = MessageIn { token: server.token ^ 1 << 32, tag: Tag(0), ..m };
    refused("another call's token", message(Sysno::channel_reply, token), Error::CallerGone)?;
    let back = must("the gift", crate::transfers::receive(b))?;
    server.end(lab)?;
    refused(
        "an answer again",
        message(Sysno::channel_reply, MessageIn { tag: Tag(0), ..m }),
        Error::CallerGone,
    )?;
    back.into_iter().chain([a, b]).try_for_each(close)
}

/// A sealed page whose first instruction jumps to itself.
fn endless(lab: &Lab) -> Result<u64, String> {
    const JUMP_HERE: u32 = 0x0000_006f;
    let vmo = must("vmo", call(Sysno::vmo_create, &[lab.spare, 4096]))?[0];
    let at = must("map", call(Sysno::vm_map, &[lab.own, vmo, 0, 4096, 0, READ | WRITE]))?[0];
    // SAFETY: memory that was mapped for this alone.
    unsafe { core::ptr::write_volatile(at as *mut u32, JUMP_HERE) };
    must("unmap", call(Sysno::vm_unmap, &[lab.own, at]))?;
    let rights = READ | EXECUTE | u64::from(Rights::SEAL.bits());
    let code = must("dup", call(Sysno::handle_dup, &[vmo, rights]))?[0];
    close(vmo)?;
    must("seal", call(Sysno::vmo_seal, &[code]))?;
    Ok(code)
}

const READ: u64 = Rights::READ.bits() as u64;
const WRITE: u64 = Rights::WRITE.bits() as u64;
const EXECUTE: u64 = Rights::EXECUTE.bits() as u64;

/// Fills this process's handle table, then calls the driver, whose answer brings a handle: exits with what came of the call.
pub fn full_table(lab: &Lab, driver: u64) -> ! {
    while call(Sysno::handle_dup, &[lab.identity, 0]).is_ok() {}
    let mut list = [0u32; 1];
    let room = Tag::new(0, 0).with_room(0, 1);
    let m = MessageIn { handles: list.as_mut_ptr() as u64, deadline: NEVER, ..plain(driver, room) };
    let error = message(Sysno::channel_call, m).err().map_or(0, |error| error as u64);
    nexus_rt::sys::process_exit(error)
}
