//! Windows, interrupts, pools and records, at their bounds and one past them.

use super::host::{CONSOLE, DEVICES_END};
use super::world::World;
use crate::memory::Frame;
use crate::objects::Quota;
use crate::paging;
use crate::pool::Pool;
use crate::sync::Cell64;
use nexus_abi::bounds::{DEVICE_START, MAX_MMIO_BYTES, MAX_POOL_BYTES, MAX_WINDOWS, USER_END};
use nexus_abi::{Error, Handle, Kind, RecordKind, Rights, Signals, Sysno};

const PAGE: u64 = 4096;
const BASE: u64 = 0x1000_0000;

/// A world whose process 1 holds what the first process of a machine does.
struct Machine {
    world: World,
    own: Handle,
    quota: Handle,
    resource: Handle,
}

impl Machine {
    fn new() -> Machine {
        let world = World::new(false, 2, 1);
        let process = world.processes[1];
        let kernel = world.kernel;
        let own = kernel.publish(process, process, Kind::Process.all_rights()).expect("process");
        let quota = kernel.publish(process, world.quota.frame, Kind::Quota.all_rights()).expect("quota");
        let resource = world.give(1, Kind::Resource);
        for hart in 0..2 {
            kernel.hart(hart).thread.set(kernel.thread(world.threads[0].frame));
        }
        Machine { world, own, quota, resource }
    }

    fn process(&self) -> Frame {
        self.world.processes[1]
    }

    fn less(&self, handle: Handle, without: Rights) -> Handle {
        let kernel = self.world.kernel;
        let capability = kernel.table(self.process()).lookup(&kernel.memory, handle).expect("handle");
        kernel.publish(self.process(), capability.object.frame, capability.rights - without).expect("room")
    }

    fn close(&self, handle: Handle) {
        let kernel = self.world.kernel;
        kernel.drop_capability(kernel.table(self.process()).remove(&kernel.memory, handle).expect("open"));
    }

    fn window(&self, base: u64, bytes: u64) -> Result<Handle, Error> {
        let args = [self.resource.0 as u64, self.quota.0 as u64, base, bytes];
        self.world.kernel.mmio_create(self.process(), args)
    }

    fn map(&self, memory: Handle, range: [u64; 3], access: Rights) -> Result<u64, Error> {
        let hart = self.world.kernel.hart(0);
        self.world.kernel.vm_map(hart, self.own.0 as u64, memory.0 as u64, range, access.bits() as u64)
    }

    fn physical(&self, address: u64) -> Option<(u64, u64)> {
        let kernel = self.world.kernel;
        paging::translate(&kernel.memory, Frame(kernel.table(self.process()).root.get()), address)
    }

    fn irq(&self, source: u64) -> Result<Handle, Error> {
        let args = [self.resource.0 as u64, self.quota.0 as u64, source];
        self.world.kernel.irq_create(self.process(), args)
    }

    /// Something happens on a hart.
    fn on<T>(&self, hart: usize, act: impl FnOnce(&crate::Hart) -> T) -> T {
        let kernel = self.world.kernel;
        kernel.platform.at.store(hart, std::sync::atomic::Ordering::Relaxed);
        let answer = act(kernel.hart(hart));
        kernel.platform.at.store(0, std::sync::atomic::Ordering::Relaxed);
        answer
    }

    fn acknowledge(&self, hart: usize, irq: Handle) -> Result<(), Error> {
        self.on(hart, |hart| self.world.kernel.irq_ack(hart, irq))
    }

    /// Takes the interrupt's event, as a waiter at its port would.
    fn fired(&self, irq: Handle) -> bool {
        let kernel = self.world.kernel;
        let frame = kernel.table(self.process()).lookup(&kernel.memory, irq).expect("irq").object.frame;
        let pending = &kernel.memory.page::<crate::irq::Irq>(frame).binding.pending;
        pending.take(0) == Signals::INTERRUPT.bits()
    }

    fn pool(&self, quota: Handle, bytes: u64) -> Result<Handle, Error> {
        let args = [self.resource.0 as u64, quota.0 as u64, bytes];
        self.world.kernel.pool_create(self.process(), args)
    }

    fn take(&self, pool: Handle, bytes: u64) -> Result<Handle, Error> {
        self.world.kernel.pool_take(self.process(), pool, bytes)
    }

    /// Frame number of a vmo's first page.
    fn first(&self, vmo: Handle) -> u32 {
        let kernel = self.world.kernel;
        let object = kernel.table(self.process()).lookup(&kernel.memory, vmo).expect("vmo").object;
        kernel.vmo_frame(object.frame, 0).0
    }

    fn used(&self) -> [u64; 3] {
        let account = self.world.kernel.memory.page::<Quota>(self.world.quota.frame);
        [account.used.get(), account.count.get() as u64, self.world.kernel.memory.free_frames() as u64]
    }

    fn destroy(&self, quota: Handle) {
        let kernel = self.world.kernel;
        let object = kernel.table(self.process()).lookup(&kernel.memory, quota).expect("quota").object;
        let mut at = object;
        while kernel.quota_destroy_step(object, &mut at) != Ok(true) {}
    }

    fn split(&self, pages: u64) -> Handle {
        self.world.kernel.quota_create(self.process(), self.quota, pages, 0).expect("quota")
    }
}

#[test]
fn a_window_is_minted_over_device_addresses_and_over_nothing_else() {
    let m = Machine::new();
    for (base, bytes, refusal) in [
        (BASE, 0, Error::Invalid),
        (BASE + 1, PAGE, Error::Invalid),
        (BASE, PAGE - 1, Error::Invalid),
        (BASE, MAX_MMIO_BYTES + PAGE, Error::Invalid),
        (u64::MAX - PAGE + 1, PAGE, Error::Invalid),
        (u64::MAX - PAGE + 1, 2 * PAGE, Error::Invalid),
        ((1 << 56) - PAGE, 2 * PAGE, Error::Invalid),
        // The last page before RAM and the first of it; RAM that the kernel manages.
        (DEVICES_END - PAGE, 2 * PAGE, Error::AccessDenied),
        (DEVICES_END, PAGE, Error::AccessDenied),
        (0x8000_0000, PAGE, Error::AccessDenied),
    ] {
        assert_eq!(m.window(base, bytes), Err(refusal), "{base:#x} {bytes:#x}");
    }
    assert!(m.window(DEVICES_END - MAX_MMIO_BYTES, MAX_MMIO_BYTES).is_ok());
    let no_mint = m.less(m.resource, Rights::MINT);
    let no_charge = m.less(m.quota, Rights::CHARGE);
    let mint = |resource: Handle, quota: Handle| {
        m.world.kernel.mmio_create(m.process(), [resource.0 as u64, quota.0 as u64, BASE, PAGE])
    };
    assert_eq!(mint(no_mint, m.quota), Err(Error::AccessDenied));
    assert_eq!(mint(m.resource, no_charge), Err(Error::AccessDenied));
    assert_eq!(mint(m.quota, m.quota), Err(Error::WrongType));
    assert_eq!(mint(Handle(0xffff), m.quota), Err(Error::BadHandle));
}

#[test]
fn a_register_with_more_in_it_than_a_handle_names_nothing() {
    let m = Machine::new();
    let before = m.used();
    let (kernel, hart) = (m.world.kernel, m.world.kernel.hart(0));
    let [own, quota, resource] = [m.own, m.quota, m.resource].map(|handle| handle.0 as u64);
    let irq = m.irq(7).expect("irq").0 as u64;
    let kept = m.used();
    for bit in 32..64 {
        let wide = |handle: u64| handle | 1 << bit;
        for (number, args) in [
            (Sysno::irq_ack, [wide(irq), 0, 0, 0, 0, 0]),
            (Sysno::handle_close, [wide(irq), 0, 0, 0, 0, 0]),
            (Sysno::handle_dup, [wide(irq), 0, 0, 0, 0, 0]),
            (Sysno::object_info, [wide(irq), 0, 0, 0, 0, 0]),
            (Sysno::port_create, [wide(quota), 0, 0, 0, 0, 0]),
            (Sysno::vmo_create, [wide(quota), PAGE, 0, 0, 0, 0]),
            (Sysno::vm_unmap, [wide(own), PAGE, 0, 0, 0, 0]),
            (Sysno::mmio_create, [wide(resource), quota, BASE, PAGE, 0, 0]),
            (Sysno::mmio_create, [resource, wide(quota), BASE, PAGE, 0, 0]),
            (Sysno::pool_create, [wide(resource), quota, PAGE, 0, 0, 0]),
            (Sysno::pool_create, [resource, wide(quota), PAGE, 0, 0, 0]),
        ] {
            let outcome = kernel.light(hart, number as u64, args);
            assert_eq!(outcome.error, Error::BadHandle as u64, "{number:?}, bit {bit}");
        }
    }
    assert_eq!(m.used(), kept);
    let close = kernel.light(hart, Sysno::handle_close as u64, [irq, 0, 0, 0, 0, 0]);
    assert_eq!((close.error, m.used()), (0, before), "as it is, the handle is one");
}

#[test]
fn no_two_windows_overlap_while_either_can_be_reached() {
    let m = Machine::new();
    let window = m.window(BASE, 2 * PAGE).expect("window");
    for (base, pages) in [(BASE, 1), (BASE + PAGE, 1), (BASE - PAGE, 2), (BASE - PAGE, 4), (BASE + PAGE, 2)] {
        assert_eq!(m.window(base, pages * PAGE), Err(Error::Exists), "{base:#x} {pages}");
    }
    assert!(m.window(BASE - PAGE, PAGE).is_ok(), "its neighbours are free");
    assert!(m.window(BASE + 2 * PAGE, PAGE).is_ok());
    // A mapping keeps the window when its handle is closed.
    let at = m.map(window, [0, PAGE, 0], Rights::READ).expect("map");
    m.close(window);
    assert_eq!(m.window(BASE, PAGE), Err(Error::Exists));
    let hart = m.world.kernel.hart(0);
    assert_eq!(m.world.kernel.vm_unmap(hart, m.own, at), Ok(()));
    assert!(m.window(BASE, PAGE).is_ok());
}

#[test]
fn as_many_windows_as_the_bound_and_no_more() {
    let m = Machine::new();
    let before = m.used();
    let mut all = vec![];
    for n in 0..MAX_WINDOWS as u64 {
        let window = m.window(BASE + n * PAGE, PAGE);
        // The world's handle tables are small: handles are not what is counted here.
        match window {
            Ok(window) => all.push(window),
            Err(Error::NoSpace) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    let room = all.len();
    for slot in room..MAX_WINDOWS {
        assert!(m.world.kernel.windows.take(BASE + slot as u64 * PAGE, PAGE).is_ok());
    }
    assert_eq!(m.world.kernel.windows.take(BASE + MAX_WINDOWS as u64 * PAGE, PAGE), Err(Error::NoSpace));
    (room..MAX_WINDOWS).for_each(|slot| m.world.kernel.windows.give(slot));
    all.into_iter().for_each(|window| m.close(window));
    assert_eq!(m.used(), before);
}

#[test]
fn a_window_is_mapped_exactly_and_only_where_windows_lie() {
    let m = Machine::new();
    let window = m.window(BASE, 2 * PAGE).expect("window");
    let both = Rights::READ | Rights::WRITE;
    let refused = |range, access| m.map(window, range, access).expect_err("refused");
    assert_eq!(refused([PAGE + 1, PAGE, 0], both), Error::Invalid, "one byte outside");
    assert_eq!(refused([0, 3 * PAGE, 0], both), Error::Invalid);
    assert_eq!(refused([PAGE, 2 * PAGE, 0], both), Error::Invalid);
    assert_eq!(refused([u64::MAX - PAGE + 1, 2 * PAGE, 0], both), Error::Invalid, "a wrapping offset");
    assert_eq!(refused([PAGE, u64::MAX - PAGE + 1, 0], both), Error::Invalid, "a wrapping length");
    assert_eq!(refused([0, PAGE, 0], Rights::READ | Rights::EXECUTE), Error::AccessDenied);
    assert_eq!(refused([0, PAGE, 0], Rights::WRITE), Error::Invalid);
    assert_eq!(refused([0, PAGE, 0x1_0000_0000], both), Error::Invalid, "among memory");
    assert_eq!(refused([0, 2 * PAGE, DEVICE_START - PAGE], both), Error::Invalid, "half among memory");
    assert_eq!(refused([0, 2 * PAGE, USER_END - PAGE], both), Error::Invalid, "past user space");
    let read_only = m.less(window, Rights::WRITE);
    assert_eq!(m.map(read_only, [0, PAGE, 0], both), Err(Error::AccessDenied));
    let no_right = m.less(window, Rights::READ);
    assert_eq!(m.map(no_right, [0, PAGE, 0], both), Err(Error::AccessDenied));
    assert_eq!(m.map(m.resource, [0, PAGE, 0], both), Err(Error::WrongType));
    assert_eq!(m.map(Handle(0xffff), [0, PAGE, 0], both), Err(Error::BadHandle));

    let at = m.map(window, [PAGE, PAGE, USER_END - PAGE], both).expect("the last page of all");
    assert_eq!(m.map(window, [0, PAGE, at], both), Err(Error::Exists), "twice at one address");
    let (physical, bits) = m.physical(at).expect("mapped");
    assert_eq!(
        (physical, bits & 0b1_1111),
        (BASE + PAGE, 0b1_0111),
        "user, readable, writable, never executable"
    );
    let at = m.map(window, [0, PAGE, 0], Rights::READ).expect("where the kernel likes");
    assert!(at >= DEVICE_START);
    assert_eq!(m.physical(at).map(|(p, bits)| (p, bits & 0b1_1111)), Some((BASE, 0b1_0011)));
    assert_eq!(m.physical(at + PAGE), None);

    let vmo = m.world.kernel.vmo_create(m.process(), m.quota, PAGE).expect("vmo");
    assert_eq!(m.map(vmo, [0, PAGE, DEVICE_START], both), Err(Error::Invalid), "memory among windows");
    assert!(!crate::transfer::in_user_space(at, 1), "the kernel takes no pointer into a window");
    assert!(crate::transfer::in_user_space(DEVICE_START - 1, 1));
    assert!(!crate::transfer::in_user_space(DEVICE_START - 1, 2));
}

#[test]
fn a_revoked_window_is_gone_wherever_it_was_mapped() {
    let m = Machine::new();
    let before = m.used();
    let small = m.split(8);
    let window = m
        .world
        .kernel
        .mmio_create(m.process(), [m.resource.0 as u64, small.0 as u64, BASE, PAGE])
        .expect("window");
    let at = m.map(window, [0, PAGE, 0], Rights::READ).expect("map");
    m.destroy(small);
    assert_eq!(m.physical(at), None, "a revoked window is still mapped");
    assert_eq!(m.map(window, [0, PAGE, 0], Rights::READ), Err(Error::BadHandle));
    assert!(m.window(BASE, PAGE).is_ok_and(|window| {
        m.close(window);
        true
    }));
    assert_eq!(m.world.kernel.vm_unmap(m.world.kernel.hart(0), m.own, at), Ok(()));
    assert_eq!(m.used(), before);
}

#[test]
fn a_source_is_off_until_it_is_acknowledged_and_after_each_interrupt() {
    let m = Machine::new();
    let (kernel, controller) = (m.world.kernel, &m.world.kernel.platform.controller);
    for source in [0, super::controller::IRQ_SOURCES as u64 + 1, u64::MAX] {
        assert_eq!(m.irq(source), Err(Error::Invalid), "{source}");
    }
    let irq = m.irq(super::controller::IRQ_SOURCES as u64).expect("the last source");
    assert_eq!(m.irq(95), Err(Error::Exists));
    controller.set_line(95, true);
    assert!(!controller.is_on(95));
    let lesser = m.less(irq, Rights::MANAGE);
    assert_eq!(m.acknowledge(0, lesser), Err(Error::AccessDenied));
    m.close(lesser);
    assert_eq!(m.acknowledge(0, m.resource), Err(Error::WrongType));
    assert_eq!(m.acknowledge(0, Handle(0xffff)), Err(Error::BadHandle), "another's interrupt");

    assert_eq!(m.acknowledge(0, irq), Ok(()));
    assert!(controller.is_on(95));
    m.on(0, |hart| kernel.external(hart));
    assert!(m.fired(irq) && !controller.is_on(95) && !controller.is_stuck(95));
    // A driver that never acknowledges: nothing more comes, however long the device asks.
    (0..100).for_each(|_| m.on(0, |hart| kernel.external(hart)));
    assert!(!m.fired(irq));
    // A storm: one interrupt for each acknowledgement.
    for _ in 0..100 {
        assert_eq!(m.acknowledge(0, irq), Ok(()));
        assert_eq!(m.acknowledge(0, irq), Ok(()), "a second one does nothing");
        m.on(0, |hart| kernel.external(hart));
        assert!(m.fired(irq));
    }
    m.acknowledge(0, irq).expect("on");
    m.close(irq);
    assert!(!controller.is_on(95), "its source stays off");
    assert!(m.irq(95).is_ok(), "and can be minted again");
    assert!(!controller.is_on(95));
}

#[test]
fn an_interrupt_follows_whoever_acknowledges_it_and_is_never_lost() {
    let m = Machine::new();
    let (kernel, controller) = (m.world.kernel, &m.world.kernel.platform.controller);
    let irq = m.irq(7).expect("irq");
    controller.set_line(7, true);
    let mut seed = 0x1234_5678_u64;
    let mut harts = [0; 2];
    for round in 0..1000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let hart = (seed >> 40) as usize & 1;
        m.acknowledge(hart, irq).expect("acknowledged");
        // While it is on, an acknowledgement elsewhere must not move it: its claim could not be completed.
        m.acknowledge(1 - hart, irq).expect("acknowledged");
        assert_eq!(controller.hart_of(7), Some(hart as u32));
        m.on(1 - hart, |hart| kernel.external(hart));
        assert!(!m.fired(irq), "round {round}: taken on a hart that it is not sent to");
        m.on(hart, |hart| kernel.external(hart));
        assert!(m.fired(irq) && !controller.is_stuck(7), "round {round}: lost");
        harts[hart] += 1;
    }
    assert!(harts[0] > 0 && harts[1] > 0, "{harts:?}");
}

#[test]
fn a_claim_that_crosses_the_end_of_its_interrupt_is_completed_all_the_same() {
    let m = Machine::new();
    let (kernel, controller) = (m.world.kernel, &m.world.kernel.platform.controller);
    let irq = m.irq(7).expect("irq");
    m.acknowledge(1, irq).expect("on");
    controller.set_line(7, true);
    m.close(irq);
    // The line is up and the source off: no claim finds it. A new owner on another hart gets it.
    m.on(1, |hart| kernel.external(hart));
    let irq = m.irq(7).expect("irq");
    m.acknowledge(0, irq).expect("on");
    m.on(0, |hart| kernel.external(hart));
    assert!(m.fired(irq) && !controller.is_stuck(7));
}

#[test]
fn an_interrupt_that_was_destroyed_after_its_claim_tells_nobody() {
    let m = Machine::new();
    let kernel = m.world.kernel;
    let frame = |irq| kernel.table(m.process()).lookup(&kernel.memory, irq).expect("irq").object.frame;
    let [gone, other] = [7, 8].map(|source| m.irq(source).expect("irq"));
    let was = frame(gone);
    m.close(gone);
    let bytes = || {
        let page = kernel.memory.page::<[crate::Cell64; 512]>(was);
        core::array::from_fn::<u64, 512, _>(|n| page[n].get())
    };
    let before = bytes();
    m.on(0, |hart| kernel.raise(hart, was, 7));
    assert_eq!(bytes(), before, "what has its page now was written to");
    m.on(0, |hart| kernel.raise(hart, frame(other), 7));
    assert!(!m.fired(other), "another's interrupt was told of it");
}

#[test]
fn memory_of_a_pool_is_contiguous_zeroed_and_goes_back_to_it() {
    let m = Machine::new();
    let before = m.used();
    assert_eq!(m.pool(m.quota, 0), Err(Error::Invalid));
    assert_eq!(m.pool(m.quota, MAX_POOL_BYTES + 1), Err(Error::Invalid));
    assert_eq!(
        m.pool(m.quota, MAX_POOL_BYTES),
        Err(Error::QuotaExceeded),
        "the bound itself is only too much here"
    );
    let pool = m.pool(m.quota, 8 * PAGE).expect("pool");
    let lesser = m.less(pool, Rights::DMA);
    assert_eq!(m.take(lesser, PAGE), Err(Error::AccessDenied));
    m.close(lesser);
    assert_eq!(m.take(m.quota, PAGE), Err(Error::WrongType));
    for (bytes, refusal) in
        [(0, Error::Invalid), (MAX_POOL_BYTES + 1, Error::Invalid), (9 * PAGE, Error::QuotaExceeded)]
    {
        assert_eq!(m.take(pool, bytes), Err(refusal), "{bytes}");
    }
    let charged = m.used();
    let kernel = m.world.kernel;
    let [a, b, c] = [3, 1, 4].map(|pages| m.take(pool, pages * PAGE).expect("vmo"));
    assert_eq!([m.first(b) - m.first(a), m.first(c) - m.first(b)], [3, 1]);
    assert_eq!(m.take(pool, PAGE), Err(Error::QuotaExceeded), "all of it is taken");
    let capability = kernel.table(m.process()).lookup(&kernel.memory, a).expect("vmo");
    assert_eq!(capability.rights, Kind::Vmo.all_rights() - Rights::EXECUTE - Rights::SEAL);
    assert_eq!(kernel.vmo_seal(m.process(), a), Err(Error::AccessDenied), "a device may write it");
    // Bytes of one vmo are not seen in the next.
    let page = Frame(m.first(b));
    kernel.memory.page::<[crate::Cell64; 512]>(page)[5].set(77);
    m.close(b);
    assert_eq!(m.take(pool, 2 * PAGE), Err(Error::QuotaExceeded), "free, but not in one piece");
    let again = m.take(pool, PAGE).expect("vmo");
    assert_eq!((m.first(again), kernel.memory.page::<[crate::Cell64; 512]>(page)[5].get()), (page.0, 0));
    [a, c, again].into_iter().for_each(|vmo| m.close(vmo));
    assert_eq!(m.used(), charged);
    // A vmo keeps its pool.
    let last = m.take(pool, PAGE).expect("vmo");
    m.close(pool);
    assert_ne!(m.used(), before);
    m.close(last);
    assert_eq!(m.used()[..2], before[..2]);
}

#[test]
fn a_pool_that_is_destroyed_takes_its_memory_from_everyone() {
    let m = Machine::new();
    let before = m.used();
    for round in 0..1000 {
        let small = m.split(32);
        let pool = m.pool(small, 16 * PAGE).expect("pool");
        let [a, b] = [5, 6].map(|pages| m.take(pool, pages * PAGE).expect("vmo"));
        m.close(a);
        let at = m.map(b, [0, 6 * PAGE, 0], Rights::READ | Rights::WRITE).expect("map");
        m.destroy(small);
        assert_eq!(m.physical(at), None, "round {round}");
        assert_eq!(m.world.kernel.vm_unmap(m.world.kernel.hart(0), m.own, at), Ok(()));
        [small, pool, b].into_iter().for_each(|handle| m.close(handle));
        assert_eq!(m.used(), before, "round {round}: something grew");
    }
}

#[test]
fn the_pool_s_own_quota_pays_for_its_vmos() {
    let m = Machine::new();
    // Two pages for the pool, one for itself, one for a vmo.
    let small = m.split(4);
    let pool = m.pool(small, 2 * PAGE).expect("pool");
    let vmo = m.take(pool, PAGE).expect("vmo");
    assert_eq!(m.take(pool, PAGE), Err(Error::QuotaExceeded));
    let kernel = m.world.kernel;
    let frame = kernel.table(m.process()).lookup(&kernel.memory, pool).expect("pool").object.frame;
    let p = kernel.memory.page::<Pool>(frame);
    assert_eq!([p.pages.get(), p.free.get(), p.vmos.get()], [2, 1, 1], "the refusal changed nothing");
    m.close(vmo);
    assert_eq!([p.free.get(), p.vmos.get()], [2, 0]);
}

#[test]
fn runs_are_found_again_and_broken_when_nothing_else_is_left() {
    let m = Machine::new();
    let memory = &m.world.kernel.memory;
    let a = memory.allocate_run(10).expect("run");
    let b = memory.allocate_run(10).expect("run");
    assert_eq!(b.0, a.0 + 10);
    memory.free_run(a, 10);
    let c = memory.allocate_run(4).expect("run");
    assert_eq!(c.0, a.0 + 6, "from the end of the free run");
    assert_eq!(memory.allocate_run(u32::MAX / 2), None);
    memory.free_run(c, 4);
    let mut seen = std::collections::HashSet::new();
    let free = memory.free_frames();
    while let Some(frame) = memory.allocate() {
        assert!(seen.insert(frame.0), "a frame twice");
    }
    assert_eq!(seen.len() as u32, free, "every free frame is found");
    assert!((a.0..a.0 + 10).all(|n| seen.contains(&n)));
}

#[test]
fn a_fault_in_the_device_range_is_recorded_and_told() {
    let m = Machine::new();
    let kernel = m.world.kernel;
    let resource = kernel.table(m.process()).lookup(&kernel.memory, m.resource).expect("resource").object;
    kernel.records.resource.set(resource.to_raw());
    let port = m.world.give(1, Kind::Port);
    let hart = kernel.hart(0);
    let bind = |object| kernel.port_bind(hart, port, object, 9, Signals::RECORD.bits() as u64);
    let less = m.less(m.resource, Rights::WAIT);
    assert_eq!(bind(less), Err(Error::AccessDenied));
    m.close(less);
    assert_eq!(bind(m.resource), Ok(()));
    let total = || {
        let mut words = vec![];
        kernel.records.read(|word| words.push(word));
        words
    };
    for (scause, address) in [(13, DEVICE_START - 1), (13, USER_END), (8, DEVICE_START), (2, DEVICE_START)] {
        kernel.record_fault(hart, scause, address);
        assert_eq!(total()[0], 0, "{scause} {address:#x} is no matter of the device range");
    }
    let identity = kernel.table(m.process()).identity.get();
    for (scause, address, kind) in [
        (13, DEVICE_START, RecordKind::MmioOutside),
        (15, USER_END - 1, RecordKind::MmioOutside),
        (5, DEVICE_START, RecordKind::MmioOutside),
        (12, DEVICE_START + 8, RecordKind::MmioExecute),
    ] {
        let n = total()[0] as usize;
        kernel.record_fault(hart, scause, address);
        let words = total();
        assert_eq!(words[0] as usize, n + 1);
        assert_eq!(words[1 + n * 4], kind as u64 | identity << 32);
        assert_eq!(words[2 + n * 4..][..2], [identity >> 32, address]);
    }
    // Old ones give way.
    (0..nexus_abi::bounds::KERNEL_RECORDS).for_each(|_| kernel.record_fault(hart, 13, DEVICE_START));
    assert_eq!((total()[0], total()[1] as u32), (12, RecordKind::MmioOutside as u32));
    let port = kernel.table(m.process()).lookup(&kernel.memory, port).expect("port").object.frame;
    let port = kernel.memory.page::<crate::objects::Port>(port);
    assert!(port.is_ready(), "nobody was told");

    // Without the resource nobody is told, and whatever comes into its frame is left alone.
    m.close(m.resource);
    assert!(!port.is_ready(), "the port still has the node of what is gone");
    let next = kernel.memory.allocate().expect("memory");
    assert_eq!(next, resource.frame);
    kernel.record_fault(hart, 13, DEVICE_START);
    assert_eq!((total()[0], port.is_ready()), (13, false));
    let cells = kernel.memory.page::<[Cell64; 512]>(next);
    assert!(cells.iter().all(|cell| cell.get() == 0), "a record came into a frame that is another's");
}

/// Who may write to the console may hand it over, all of it or nothing; the kernel is silent as long as a driver maps it, and no longer.
#[test]
fn the_console_is_handed_over_and_comes_back() {
    let m = Machine::new();
    let kernel = m.world.kernel;
    let write = || m.on(0, |hart| kernel.console_write(hart, [m.resource.0 as u64, 0, 0]));
    let console = |resource: Handle, base: u64, bytes: u64| {
        kernel.mmio_create(m.process(), [resource.0 as u64, m.quota.0 as u64, base, bytes])
    };
    assert_eq!(write(), Ok(()));
    let mute = m.less(m.resource, Rights::CONSOLE);
    assert_eq!(console(mute, CONSOLE.start, PAGE), Err(Error::AccessDenied));
    assert_eq!(console(m.resource, CONSOLE.start, 2 * PAGE), Err(Error::AccessDenied));
    for _ in 0..3 {
        let window = console(m.resource, CONSOLE.start, PAGE).unwrap();
        assert_eq!(console(m.resource, CONSOLE.start, PAGE), Err(Error::Exists));
        assert_eq!(write(), Ok(()), "a window that nobody maps");
        let at = m.map(window, [0, PAGE, 0], Rights::READ | Rights::WRITE).unwrap();
        assert_eq!(write(), Err(Error::BadState));
        m.on(0, |hart| kernel.vm_unmap(hart, m.own, at)).unwrap();
        assert_eq!(write(), Ok(()), "its driver is gone");
        let at = m.map(window, [0, PAGE, 0], Rights::READ | Rights::WRITE).unwrap();
        m.close(window);
        assert_eq!(write(), Err(Error::BadState), "mapped still, though nobody has a handle");
        m.on(0, |hart| kernel.vm_unmap(hart, m.own, at)).unwrap();
        assert_eq!(write(), Ok(()));
    }
}
