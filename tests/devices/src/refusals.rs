//! What the kernel refuses to whoever holds a window, and to whoever holds none.

use crate::probe;
use alloc::format;
use harness::{Account, Bench, Verdict, expect, why};
use nexus_abi::bounds::{DEVICE_START, MAX_MMIO_BYTES, USER_END};
use nexus_abi::{Error, Handle, Rights};
use nexus_rt::owned::{Irq, Mmio, Pool};
use nexus_rt::{Owned, Vmo, sys};

const PAGE: u64 = 4096;
const BOTH: Rights = Rights::READ.union(Rights::WRITE);

/// What has to be refused, and how.
pub fn refused<T>(what: &str, result: Result<T, Error>, expected: Error) -> Verdict {
    match result {
        Err(error) if error == expected => Ok(()),
        Err(error) => Err(format!("{what}: {error:?} instead of {expected:?}")),
        Ok(_) => Err(format!("{what}: was not refused")),
    }
}

/// Nobody mints what is not a device's, what is another's, or without the right.
pub fn minting(bench: &Bench) -> Verdict {
    let before = Account::take(bench)?;
    let mint = |base, bytes| Owned::<Mmio>::mint(&bench.machine, bench.quota, base, bytes);
    // The addresses are those of QEMU's `virt`, which tests may know: RAM, the interrupt controller, the timer, the test
    // device, the console; then the slots for virtio devices, of which the last two hold the system's and the spare source.
    for (what, base) in [
        ("RAM", 0x8000_0000),
        ("a page deep in the RAM of the smallest machine", 0x8400_0000 - PAGE),
        ("the interrupt controller", 0x0c00_0000),
        ("the timer", 0x0200_0000),
        ("the test device", 0x0010_0000),
        ("the console", 0x1000_0000),
    ] {
        refused(what, mint(base, PAGE), Error::AccessDenied)?;
    }
    refused("a range that ends in RAM", mint(0x8000_0000 - PAGE, 2 * PAGE), Error::AccessDenied)?;
    let live = (1..=8).filter(|slot| mint(0x1000_0000 + slot * PAGE, PAGE).err() == Some(Error::Exists));
    expect(live.count() >= 2, "windows that live were minted again")?;
    refused("all slots at once", mint(0x1000_1000, 8 * PAGE), Error::Exists)?;
    refused("half a page", mint(0x1000_1000, PAGE / 2), Error::Invalid)?;
    refused("no byte", mint(0x1000_1000, 0), Error::Invalid)?;
    refused("too much", mint(0x3000_0000, MAX_MMIO_BYTES + PAGE), Error::Invalid)?;
    refused("a wrapping range", mint(u64::MAX - PAGE + 1, 2 * PAGE), Error::Invalid)?;
    // The counters' handle is the resource without the right to mint.
    let without = Owned::<Mmio>::mint(&bench.stats, bench.quota, 0x1000_1000, PAGE);
    refused("without the right", without, Error::AccessDenied)?;

    for source in [0, 1024, u32::MAX] {
        let irq = Owned::<Irq>::mint(&bench.machine, bench.quota, source);
        refused("no such source", irq, Error::Invalid)?;
    }
    let taken = (1..=8).filter(|source| {
        Owned::<Irq>::mint(&bench.machine, bench.quota, *source).err() == Some(Error::Exists)
    });
    expect(taken.count() >= 2, "interrupts that live were minted again")?;
    let without = Owned::<Irq>::mint(&bench.stats, bench.quota, 20);
    refused("an interrupt without the right", without, Error::AccessDenied)?;
    let pool = Owned::<Pool>::create(&bench.stats, bench.quota, PAGE);
    refused("a pool without the right", pool, Error::AccessDenied)?;
    before.unchanged(bench)
}

/// A window is mapped exactly, where windows lie, as its handle allows, and once at one address.
pub fn mapping(bench: &Bench) -> Verdict {
    let window = probe::window()?;
    let own = bench.own.handle();
    let before = Account::take(bench)?;
    let map = |handle: Handle, range: [u64; 3], access| {
        sys::vm_map(own, handle, range[0], range[1], range[2], access)
    };
    let it = window.handle();
    refused("no capability", map(Handle(0x1_0fff), [0, PAGE, 0], BOTH), Error::BadHandle)?;
    refused("a wrong kind", map(bench.quota.handle(), [0, PAGE, 0], BOTH), Error::WrongType)?;
    let no_write = why("duplicate", window.duplicate(Rights::READ))?;
    refused("without WRITE", map(no_write.handle(), [0, PAGE, 0], BOTH), Error::AccessDenied)?;
    let no_read = why("duplicate", window.duplicate(Rights::INSPECT))?;
    refused("without READ", map(no_read.handle(), [0, PAGE, 0], Rights::READ), Error::AccessDenied)?;
    refused("one byte outside", map(it, [1, PAGE, 0], BOTH), Error::Invalid)?;
    refused("one page outside", map(it, [PAGE, PAGE, 0], BOTH), Error::Invalid)?;
    refused("too long", map(it, [0, 2 * PAGE, 0], BOTH), Error::Invalid)?;
    refused("a wrapping offset", map(it, [u64::MAX - PAGE + 1, 2 * PAGE, 0], BOTH), Error::Invalid)?;
    refused("executable", map(it, [0, PAGE, 0], Rights::READ | Rights::EXECUTE), Error::AccessDenied)?;
    refused("among memory", map(it, [0, PAGE, DEVICE_START - PAGE], BOTH), Error::Invalid)?;
    refused("past user space", map(it, [0, PAGE, USER_END], BOTH), Error::Invalid)?;
    let first = why("map", window.map(bench.own))?;
    let at = first.address();
    refused("twice at one address", map(it, [0, PAGE, at], Rights::READ), Error::Exists)?;
    let memory = why("vmo", Owned::<Vmo>::create(bench.quota, PAGE))?;
    refused("memory among windows", map(memory.handle(), [0, PAGE, at + PAGE], BOTH), Error::Invalid)?;
    drop((first, no_write, no_read, memory));
    before.unchanged(bench)?;
    refused("a window as interrupt", sys::irq_ack(it), Error::WrongType)
}
