//! The order of locks: whoever waits for a lock has none that comes after it (`docs/concurrency.md`). Every wait of every host test is looked at,
//! so that an order that could end in a circle is seen without the circle.
//!
//! A lock that is only tried is not waited for, and stands on the list of what a hart has all the same.

use super::host::Host;
use super::{breaths, harts};
use crate::kernel::Kernel;
use crate::memory::{Frame, Header, usage};
use crate::process::Process;
use core::mem::{offset_of, size_of, size_of_val};
use nexus_abi::Kind;
use nexus_abi::bounds::PAGE_SIZE;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// What a lock guards, in the order in which locks are taken. Two of one place are never waited for together, but for [`Class::Channel`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// The list of dying processes.
    Dying,
    /// A process: its mappings, page tables and threads.
    Process,
    /// A vmo or a window.
    Memory,
    /// A channel. One that arrives in a message is locked under the one that it came through (`Kernel::land`).
    Channel,
    /// A timer, an interrupt, the resource, a thread, an identity.
    Object,
    /// A port.
    Port,
    /// A table of handles.
    Handles,
    /// Ready queue or timer heap of a hart.
    Hart,
    /// A pool.
    Pool,
    /// A quota.
    Quota,
    /// The interrupt controller, ranges of windows, records, address space identifiers.
    Machine,
    /// Free frames.
    Frames,
}

/// What one hart has: address and class of each lock.
type Locks = Vec<(usize, Class)>;

thread_local! {
    static KERNELS: RefCell<Vec<&'static Kernel<Host>>> = const { RefCell::new(Vec::new()) };
    static HELD: RefCell<BTreeMap<Option<usize>, Locks>> = const { RefCell::new(BTreeMap::new()) };
    static WAITS: Cell<u64> = const { Cell::new(0) };
}

/// From now on locks of this kernel are known.
pub fn watch(kernel: &'static Kernel<Host>) {
    KERNELS.with_borrow_mut(|kernels| kernels.push(kernel));
}

/// The kernel is not used any more.
pub fn forget(kernel: &'static Kernel<Host>) {
    KERNELS.with_borrow_mut(|kernels| kernels.retain(|other| !core::ptr::eq(*other, kernel)));
}

/// The harts begin anew, with no lock: those of a history that was given up are gone with it.
pub fn forget_held() {
    breaths::forget_held();
    HELD.with_borrow_mut(|held| held.retain(|hart, _| hart.is_none()));
}

/// Waits that were looked at on this thread of the host.
pub fn waits() -> u64 {
    WAITS.get()
}

/// A hart is about to wait for the lock at `address`.
pub fn wants(address: usize) {
    let Some(class) = class_of(address) else { return };
    WAITS.set(WAITS.get() + 1);
    HELD.with_borrow(|held| {
        for (other, before) in held.get(&harts::current()).into_iter().flatten() {
            let may = *before < class || (*before == class && class == Class::Channel && *other != address);
            assert!(may, "a lock of {class:?} is waited for under one of {before:?}");
        }
    });
}

/// It has the lock.
pub fn took(address: usize) {
    breaths::held(1);
    if let Some(class) = class_of(address) {
        HELD.with_borrow_mut(|held| held.entry(harts::current()).or_default().push((address, class)));
    }
}

/// It lets go of it.
pub fn freed(address: usize) {
    breaths::held(-1);
    HELD.with_borrow_mut(|held| {
        if let Some(held) = held.get_mut(&harts::current())
            && let Some(at) = held.iter().rposition(|(other, _)| *other == address)
        {
            held.remove(at);
        }
    });
}

/// What the lock at an address guards; `None` if it is none of a kernel's.
fn class_of(address: usize) -> Option<Class> {
    KERNELS
        .with_borrow(|kernels| kernels.iter().find_map(|kernel| harts::unseen(|| class_in(kernel, address))))
}

fn class_in(kernel: &Kernel<Host>, address: usize) -> Option<Class> {
    fn within<T>(what: &T, address: usize) -> bool {
        let first = core::ptr::from_ref(what).addr();
        (first..first + size_of_val(what)).contains(&address)
    }
    let memory = &kernel.memory;
    let kind = |frame: Frame| Kind::from_raw((memory.header(frame).kind.get() & usage::KIND) as u8);
    let headers = core::ptr::from_ref(memory.header(Frame::NONE)).addr();
    let pages = memory.bytes(Frame::NONE, 0, 1).start().addr();
    let frame_at = |first: usize, size: usize| {
        let number = address.checked_sub(first)? / size;
        (number < memory.frames() as usize).then_some(Frame(number as u32))
    };
    if let Some(frame) = frame_at(headers, size_of::<Header>()) {
        return Some(match kind(frame)? {
            Kind::Process => Class::Process,
            Kind::Vmo | Kind::Mmio => Class::Memory,
            Kind::Channel => Class::Channel,
            Kind::Port => Class::Port,
            Kind::Pool => Class::Pool,
            Kind::Quota => Class::Quota,
            Kind::Timer | Kind::Irq | Kind::Resource | Kind::Thread | Kind::Identity => Class::Object,
        });
    }
    if let Some(frame) = frame_at(pages, PAGE_SIZE) {
        let is_table =
            kind(frame) == Some(Kind::Process) && address % PAGE_SIZE == offset_of!(Process, handle_lock);
        return is_table.then_some(Class::Handles);
    }
    if kernel.harts.iter().any(|hart| within(&hart.queue_lock, address) || within(&hart.heap, address)) {
        return Some(Class::Hart);
    }
    let machine = within(&kernel.irqs, address)
        || within(&kernel.windows, address)
        || within(&kernel.records, address)
        || within(&kernel.asids, address);
    match () {
        () if within(&kernel.dying_lock, address) => Some(Class::Dying),
        () if within(&memory.free_lock, address) => Some(Class::Frames),
        () if machine => Some(Class::Machine),
        () => None,
    }
}

#[test]
fn a_lock_that_is_waited_for_against_the_order_is_seen() {
    use super::world::World;
    let world = World::new(false, 1, 1);
    let memory = &world.kernel.memory;
    let before = waits();
    {
        let _process = memory.lock(world.processes[1]);
        let _quota = memory.lock(world.quota.frame);
    }
    assert_eq!(waits(), before + 2);
    let against = std::panic::catch_unwind(|| {
        let _quota = memory.lock(world.quota.frame);
        let _process = memory.lock(world.processes[1]);
    });
    assert!(against.is_err(), "a process was waited for under a quota");
    let twice = std::panic::catch_unwind(|| {
        let _parent = memory.lock(world.processes[0]);
        let _process = memory.lock(world.processes[1]);
    });
    assert!(twice.is_err(), "two processes at once");
    // Tried, it may come in any order.
    let _quota = memory.lock(world.quota.frame);
    assert!(memory.header(world.processes[1]).latch.try_hold().is_some());
}
