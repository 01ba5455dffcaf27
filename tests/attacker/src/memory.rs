//! Mappings that must not be: over others, not whole pages, past user space, writable where nobody may write,
//! executable where somebody could have written, in a process that is not ours to map in.

use crate::lab::{Lab, NO_DEVICE, Verdict, call, close, must, refused};
use alloc::format;
use nexus_abi::bounds::{DEVICE_START, MAX_VMO_BYTES, USER_END};
use nexus_abi::{Error, Kind, Rights, Sysno};

const PAGE: u64 = 4096;
const READ: u64 = Rights::READ.bits() as u64;
const WRITE: u64 = Rights::WRITE.bits() as u64;
const EXECUTE: u64 = Rights::EXECUTE.bits() as u64;
const AT: u64 = 0x7000_0000;

/// Places and sizes.
pub fn ranges(lab: &mut Lab) -> Verdict {
    let vmo = must("vmo", call(Sysno::vmo_create, &[lab.spare, 4 * PAGE]))?[0];
    let victim = lab.make(Kind::Process)?[0];
    let map = |offset, bytes, at| call(Sysno::vm_map, &[victim, vmo, offset, bytes, at, READ]);
    must("map", map(0, 2 * PAGE, AT))?;
    for (offset, bytes, at, error) in [
        // Over what is there: all, its end, its beginning, around it.
        (0, PAGE, AT, Error::Exists),
        (0, 2 * PAGE, AT + PAGE, Error::Exists),
        (0, 2 * PAGE, AT - PAGE, Error::Exists),
        (0, 4 * PAGE, AT - PAGE, Error::Exists),
        // Not pages.
        (1, PAGE, AT + 8 * PAGE, Error::Invalid),
        (0, PAGE + 1, AT + 8 * PAGE, Error::Invalid),
        (0, PAGE, AT + 8 * PAGE + 1, Error::Invalid),
        (0, PAGE, 1, Error::Invalid),
        // Nothing, and more than there is, wrapping round too.
        (0, 0, AT + 8 * PAGE, Error::Invalid),
        (0, 5 * PAGE, AT + 8 * PAGE, Error::Invalid),
        (4 * PAGE, PAGE, AT + 8 * PAGE, Error::Invalid),
        (PAGE, 4 * PAGE, AT + 8 * PAGE, Error::Invalid),
        (PAGE, 0u64.wrapping_sub(PAGE), AT + 8 * PAGE, Error::Invalid),
        (0u64.wrapping_sub(PAGE), 2 * PAGE, AT + 8 * PAGE, Error::Invalid),
        (0, 1 << 63, AT + 8 * PAGE, Error::Invalid),
        // Outside user space, across its end, and round the end of everything.
        (0, PAGE, USER_END, Error::Invalid),
        (0, 2 * PAGE, USER_END - PAGE, Error::Invalid),
        (0, PAGE, DEVICE_START, Error::Invalid),
        (0, 2 * PAGE, DEVICE_START - PAGE, Error::Invalid),
        (0, PAGE, 0xffff_ffc0_0000_0000, Error::Invalid),
        (0, PAGE, 0u64.wrapping_sub(PAGE), Error::Invalid),
        (0, PAGE, 1 << 39 | AT, Error::Invalid),
    ] {
        refused(&format!("map {bytes:#x} from {offset:#x} at {at:#x}"), map(offset, bytes, at), error)?;
    }
    must("the last page of all", map(0, PAGE, DEVICE_START - PAGE))?;
    must("the first page of all", map(0, PAGE, PAGE))?;
    for at in [0, AT + PAGE, AT + 1, AT - PAGE, USER_END, 0xffff_ffc0_0000_0000, u64::MAX] {
        refused(&format!("unmap at {at:#x}"), call(Sysno::vm_unmap, &[victim, at]), Error::NotFound)?;
    }
    must("unmap", call(Sysno::vm_unmap, &[victim, AT]))?;
    refused("unmap again", call(Sysno::vm_unmap, &[victim, AT]), Error::NotFound)?;
    for bytes in [0, MAX_VMO_BYTES + 1, u64::MAX, 1 << 63] {
        refused("a vmo", call(Sysno::vmo_create, &[lab.spare, bytes]), Error::Invalid)?;
    }
    let largest = call(Sysno::vmo_create, &[lab.spare, MAX_VMO_BYTES]);
    refused("the largest vmo", largest, Error::QuotaExceeded)?;
    lab.end_process(victim)?;
    close(vmo)
}

/// Access: what a handle, a seal and a kind of memory allow.
pub fn access(lab: &mut Lab) -> Verdict {
    let victim = lab.make(Kind::Process)?[0];
    let vmo = lab.make(Kind::Vmo)?[0];
    let map = |vmo, access| call(Sysno::vm_map, &[victim, vmo, 0, PAGE, 0, access]);
    for access in
        [0, WRITE, EXECUTE, READ | WRITE | EXECUTE, WRITE | EXECUTE, READ | 1, 1 << 31, READ | 1 << 32]
    {
        refused(&format!("access {access:#x}"), map(vmo, access), Error::Invalid)?;
    }
    refused("executable, not sealed", map(vmo, READ | EXECUTE), Error::AccessDenied)?;
    let dup =
        |rights: Rights| must("dup", call(Sysno::handle_dup, &[vmo, rights.bits().into()])).map(|d| d[0]);
    let reader = dup(Rights::READ | Rights::EXECUTE | Rights::SEAL | Rights::DUPLICATE)?;
    refused("writable without WRITE", map(reader, READ | WRITE), Error::AccessDenied)?;
    refused("seal with a writer", call(Sysno::vmo_seal, &[reader]), Error::Sealed)?;
    let writable = must("map writable", map(vmo, READ | WRITE))?[0];
    close(vmo)?;
    refused("seal with a writable mapping", call(Sysno::vmo_seal, &[reader]), Error::Sealed)?;
    must("unmap", call(Sysno::vm_unmap, &[victim, writable]))?;
    must("seal", call(Sysno::vmo_seal, &[reader]))?;
    refused("seal again", call(Sysno::vmo_seal, &[reader]), Error::Sealed)?;
    refused("writable, sealed", map(reader, READ | WRITE), Error::AccessDenied)?;
    must("executable, sealed", map(reader, READ | EXECUTE))?;
    let blind = must("dup", call(Sysno::handle_dup, &[reader, READ]))?[0];
    refused("executable without EXECUTE", map(blind, READ | EXECUTE), Error::AccessDenied)?;
    close(blind)?;
    close(reader)?;
    // A process whose handle has no MAP, and one that has ended.
    let weak = must("dup", call(Sysno::handle_dup, &[victim, Rights::all().bits() as u64 & 0x1f]));
    let weak = weak?[0];
    let vmo = lab.make(Kind::Vmo)?[0];
    let foreign = call(Sysno::vm_map, &[weak, vmo, 0, PAGE, 0, READ]);
    refused("map in a process without MAP", foreign, Error::AccessDenied)?;
    refused("unmap in it", call(Sysno::vm_unmap, &[weak, writable]), Error::AccessDenied)?;
    close(weak)?;
    must("kill", call(Sysno::process_kill, &[victim]))?;
    lab.wait_end(victim)?;
    refused("map in one that ended", map(vmo, READ), Error::BadState)?;
    refused("unmap in it", call(Sysno::vm_unmap, &[victim, writable]), Error::BadState)?;
    let thread = call(Sysno::thread_create, &[victim, lab.spare, 1]);
    refused("a thread in it", thread, Error::BadState)?;
    must("kill it again", call(Sysno::process_kill, &[victim]))?;
    close(victim)?;
    close(vmo)
}

/// Memory of devices: what the holder of the right to mint windows cannot have, and windows that are not mapped as asked.
pub fn windows(lab: &mut Lab) -> Verdict {
    let mint = |base, bytes| call(Sysno::mmio_create, &[lab.machine, lab.spare, base, bytes]);
    for (base, bytes) in
        [(NO_DEVICE + 1, PAGE), (NO_DEVICE, 0), (NO_DEVICE, PAGE + 1), (0u64.wrapping_sub(PAGE), 2 * PAGE)]
    {
        refused(&format!("{bytes:#x} at {base:#x}"), mint(base, bytes), Error::Invalid)?;
    }
    refused("RAM", mint(0x8000_0000, PAGE), Error::AccessDenied)?;
    let window = must("mint", mint(NO_DEVICE, 2 * PAGE))?[0];
    refused("its second page", mint(NO_DEVICE + PAGE, PAGE), Error::Exists)?;
    let source = [lab.machine, lab.spare, crate::lab::NO_SOURCE];
    let irq = must("irq", call(Sysno::irq_create, &source))?[0];
    refused("the same source", call(Sysno::irq_create, &source), Error::Exists)?;
    for source in [0, 1 << 20, u64::MAX] {
        let none = call(Sysno::irq_create, &[lab.machine, lab.spare, source]);
        refused("no source", none, Error::Invalid)?;
    }
    for bytes in [0, u64::MAX] {
        let none = call(Sysno::pool_create, &[lab.machine, lab.spare, bytes]);
        refused("a pool", none, Error::Invalid)?;
    }
    let pool = lab.make(Kind::Pool)?[0];
    refused("no page of a pool", call(Sysno::pool_take, &[pool, 0]), Error::Invalid)?;
    let victim = lab.make(Kind::Process)?[0];
    let map = |at, access| call(Sysno::vm_map, &[victim, window, 0, PAGE, at, access]);
    refused("an executable window", map(0, READ | EXECUTE), Error::AccessDenied)?;
    refused("a window among memory", map(AT, READ), Error::Invalid)?;
    must("a window where windows lie", map(0, READ | WRITE))?;
    // Over a window that is mapped, itself or another: all of it, its end, its beginning, around it.
    let other = must("mint", mint(NO_DEVICE + 2 * PAGE, 4 * PAGE))?[0];
    const FREE: u64 = DEVICE_START + 64 * PAGE;
    must("two pages", call(Sysno::vm_map, &[victim, window, 0, 2 * PAGE, FREE, READ | WRITE]))?;
    for (bytes, at) in [
        (2 * PAGE, FREE),
        (PAGE, FREE),
        (PAGE, FREE + PAGE),
        (2 * PAGE, FREE + PAGE),
        (2 * PAGE, FREE - PAGE),
        (4 * PAGE, FREE - PAGE),
    ] {
        for memory in [window, other].into_iter().filter(|memory| *memory == other || bytes <= 2 * PAGE) {
            let over = call(Sysno::vm_map, &[victim, memory, 0, bytes, at, READ]);
            refused(&format!("{bytes:#x} of a window at {at:#x}"), over, Error::Exists)?;
        }
    }
    must("right before it", call(Sysno::vm_map, &[victim, other, 0, PAGE, FREE - PAGE, READ]))?;
    must("right after it", call(Sysno::vm_map, &[victim, other, 0, PAGE, FREE + 2 * PAGE, READ]))?;
    lab.end_process(victim)?;
    close(other)?;
    [window, irq, pool].into_iter().try_for_each(close)
}
