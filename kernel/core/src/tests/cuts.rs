//! Long operations, with something happening at each of their breaths: interrupts, the end of the caller's process, the end of the
//! quota that pays, the end of what is mapped. Whatever it is and wherever it comes, nothing is lost and nothing is half done.

use super::breaths;
use super::host::Host;
use super::world::World;
use crate::context::reg;
use crate::handles::ObjectRef;
use crate::kernel::Kernel;
use crate::memory::Frame;
use crate::objects::Quota;
use crate::paging;
use crate::platform::Platform;
use crate::sync::Ordering;
use nexus_abi::{Error, Kind, NEVER, NOW, Rights, Sysno, Tag};

const WRITABLE: u64 = (Rights::READ.bits() | Rights::WRITE.bits()) as u64;
/// Threads of each process.
const THREADS: usize = 4;
/// Thread 0 acts, and thread `OTHER` on another hart does what happens meanwhile.
const OTHER: usize = THREADS;
/// Pages of the quota that pays.
const PAGES: u64 = 200;
/// Pages of a vmo that takes several steps.
const LONG: u64 = 11;
/// A range of so many pages from here on needs tables on both sides of a border.
const AT: u64 = (1 << 30) - 5 * 4096;
const SOURCE: u32 = 7;

/// A world where process 1 has a quota of its own and process 2 may destroy it, and process 1.
struct Scene {
    world: World,
    own: u64,
    small: u64,
    quota: ObjectRef,
    /// Handles of process 2: to process 1, to the quota, and to one of the quota's that pays for a vmo.
    theirs: [u64; 3],
    /// Quota, vmo and whatever else was prepared.
    vmo: u64,
    resource: u64,
    identity: u64,
    extra: u64,
    used: u64,
}

/// The registers of arguments in order.
fn registers(arguments: &[u64]) -> Vec<(usize, u64)> {
    arguments.iter().enumerate().map(|(n, value)| (reg::A0 + n, *value)).collect()
}

/// What the other hart's thread asks for; the answer.
fn ask_there(kernel: &'static Kernel<Host>, number: Sysno, arguments: &[u64]) -> u64 {
    let back = kernel.platform.at.swap(1, Ordering::Relaxed);
    let hart = kernel.this_hart();
    let context = &hart.current().context;
    registers(arguments).into_iter().for_each(|(register, value)| context.set(register, value));
    context.set(reg::T[0], number as u64);
    kernel.slow(hart);
    kernel.platform.at.store(back, Ordering::Relaxed);
    context.get(reg::A0)
}

impl Scene {
    fn new() -> Scene {
        let mut world = World::on_harts(2, false, 2, THREADS);
        let (kernel, [one, two]) = (world.kernel, [world.processes[1], world.processes[2]]);
        let publish = |process, frame, kind: Kind| {
            kernel.publish(process, frame, kind.all_rights()).expect("room").0 as u64
        };
        let root = publish(one, world.quota.frame, Kind::Quota);
        let own = publish(one, one, Kind::Process);
        let resource = world.give(1, Kind::Resource).0 as u64;
        let identity = world.give(1, Kind::Identity).0 as u64;
        let used = kernel.memory.page::<Quota>(world.quota.frame).used.get();
        let object = |world: &World, handle: u64| {
            world.process(1).lookup(&kernel.memory, handle).expect("handle").object
        };
        let get = |world: &mut World, number, arguments: &[u64]| {
            world.call(0, number, &registers(arguments));
            world.answer(0).expect("ready").expect("good")
        };
        let small = get(&mut world, Sysno::quota_create, &[root, PAGES, 0]);
        let quota = object(&world, small);
        let vmos = get(&mut world, Sysno::quota_create, &[small, LONG + 10, 0]);
        let vmo_quota = object(&world, vmos);
        let vmo = get(&mut world, Sysno::vmo_create, &[vmos, LONG * 4096]);
        let theirs = [
            publish(two, one, Kind::Process),
            publish(two, quota.frame, Kind::Quota),
            publish(two, vmo_quota.frame, Kind::Quota),
        ];
        world.go_to(1);
        world.put_on(OTHER);
        world.go_to(0);
        world.put_on(0);
        Scene { world, own, small, quota, theirs, vmo, resource, identity, extra: 0, used }
    }

    fn get(&mut self, number: Sysno, arguments: &[u64]) -> u64 {
        self.world.ask(number, &registers(arguments));
        assert_eq!(self.register(reg::A0), 0, "{number:?} {arguments:?}");
        self.register(reg::A0 + 1)
    }

    fn register(&self, register: usize) -> u64 {
        self.world.kernel.thread(self.world.threads[0].frame).context.get(register)
    }

    fn vmo_frame(&self) -> Frame {
        let held = self.world.process(1).lookup(&self.world.kernel.memory, self.vmo).expect("handle");
        held.object.frame
    }

    /// Everything of the quota goes; then each page that is used is a frame that is taken, and no more.
    fn end(self, killed: bool) {
        let (world, kernel) = (&self.world, self.world.kernel);
        let mut at = self.quota;
        for step in 0.. {
            assert!(step < 5000, "the quota is never gone");
            world.settle_all();
            world.go_to(1);
            world.put_on(OTHER);
            match kernel.quota_destroy_step(self.quota, &mut at) {
                Ok(false) | Err(Error::Busy) => {}
                Ok(true) | Err(_) => break,
            }
        }
        world.settle_all();
        let account = kernel.memory.page::<Quota>(world.quota.frame);
        let (used, free) = (account.used.get(), kernel.memory.free_frames() as u64);
        assert_eq!(used + free, account.pages.get(), "pages used are not frames taken");
        assert!(killed || used == self.used, "{used} pages are used, {} were before", self.used);
    }
}

/// An operation: what has to be there, and the system call.
struct Operation {
    name: &'static str,
    prepare: fn(&mut Scene) -> u64,
    call: fn(&Scene) -> (Sysno, Vec<u64>),
}

fn nothing(_: &mut Scene) -> u64 {
    0
}

fn mapped(scene: &mut Scene) -> u64 {
    scene.get(Sysno::vm_map, &[scene.own, scene.vmo, 0, LONG * 4096, AT, WRITABLE])
}

fn another_vmo(scene: &mut Scene) -> u64 {
    scene.get(Sysno::vmo_create, &[scene.small, LONG * 4096])
}

fn pool(scene: &mut Scene) -> u64 {
    scene.get(Sysno::pool_create, &[scene.resource, scene.small, 10 * 4096])
}

const QUEUE: u64 = 5 | 4000 << 16 | 2 << 32;

/// An end with messages in its queue that carry vmos, and a port that threads wait at.
fn full_queue(scene: &mut Scene) -> u64 {
    let near = scene.get(Sysno::channel_create, &[scene.small, QUEUE, QUEUE]);
    let far = scene.register(reg::A0 + 2);
    let page = super::world::PAGE_AT;
    for _ in 0..5 {
        let vmo = scene.get(Sysno::vmo_create, &[scene.small, 2 * 4096]);
        let frame = scene.world.pages[1];
        scene.world.kernel.memory.page::<[crate::sync::Cell32; 1024]>(frame)[0].set(vmo as u32);
        let message = [
            (reg::A0, near),
            (reg::A0 + 1, Tag::new(3000, 1).0),
            (reg::T[1], page),
            (reg::T[2], page),
            (reg::T[3], NOW),
        ];
        scene.world.ask(Sysno::channel_send, &message);
        assert_eq!(scene.register(reg::A0), 0);
    }
    far
}

fn crowded_port(scene: &mut Scene) -> u64 {
    let port = scene.get(Sysno::port_create, &[scene.small]);
    for n in 1..THREADS {
        let wait = [(reg::A0, port), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
        scene.world.call(n, Sysno::reply_and_wait, &wait);
        assert_eq!(scene.world.answer(n), None, "it waits");
    }
    scene.world.put_on(0);
    port
}

fn crowded_process(scene: &mut Scene) -> u64 {
    let process = scene.get(Sysno::process_create, &[scene.small, scene.identity, 4, 5, 0]);
    for _ in 0..5 {
        scene.get(Sysno::thread_create, &[process, scene.small, 3]);
    }
    process
}

/// The last handle to a tree of quotas: to the one furthest down.
fn deep_tree(scene: &mut Scene) -> u64 {
    let mut quota = scene.small;
    for level in 0..6 {
        let next = scene.get(Sysno::quota_create, &[quota, 60 - 8 * level, 0]);
        if level > 0 {
            scene.get(Sysno::handle_close, &[quota]);
        }
        quota = next;
    }
    quota
}

const OPERATIONS: [Operation; 12] = [
    Operation {
        name: "a process with several threads is killed",
        prepare: crowded_process,
        call: |s| (Sysno::process_kill, vec![s.extra]),
    },
    Operation {
        name: "a deep tree of quotas is let go of",
        prepare: deep_tree,
        call: |s| (Sysno::handle_close, vec![s.extra]),
    },
    Operation {
        name: "a vmo is made",
        prepare: nothing,
        call: |s| (Sysno::vmo_create, vec![s.small, 7 * 4096]),
    },
    Operation {
        name: "a vmo is freed",
        prepare: another_vmo,
        call: |s| (Sysno::handle_close, vec![s.extra]),
    },
    Operation {
        name: "a long range is mapped",
        prepare: nothing,
        call: |s| (Sysno::vm_map, vec![s.own, s.vmo, 0, LONG * 4096, AT, WRITABLE]),
    },
    Operation {
        name: "a long range is unmapped",
        prepare: mapped,
        call: |s| (Sysno::vm_unmap, vec![s.own, s.extra]),
    },
    Operation {
        name: "a mapped vmo is closed and then unmapped",
        prepare: |s| {
            let at = mapped(s);
            s.get(Sysno::handle_close, &[s.vmo]);
            at
        },
        call: |s| (Sysno::vm_unmap, vec![s.own, s.extra]),
    },
    Operation {
        name: "memory of a pool is taken",
        prepare: pool,
        call: |s| (Sysno::pool_take, vec![s.extra, 9 * 4096]),
    },
    Operation {
        name: "a process with many handles is made",
        prepare: nothing,
        call: |s| (Sysno::process_create, vec![s.small, s.identity, 600, 5, 0]),
    },
    Operation {
        name: "a channel with long queues is made",
        prepare: nothing,
        call: |s| (Sysno::channel_create, vec![s.small, QUEUE, QUEUE]),
    },
    Operation {
        name: "an end with a full queue is closed",
        prepare: full_queue,
        call: |s| (Sysno::handle_close, vec![s.extra]),
    },
    Operation {
        name: "a port with waiting threads is closed",
        prepare: crowded_port,
        call: |s| (Sysno::handle_close, vec![s.extra]),
    },
];

/// What happens meanwhile, given the other process's handles.
type Meanwhile = fn(&'static Kernel<Host>, [u64; 3]);

/// Runs an operation; `meanwhile` happens at breath `cut`. Answers how many breaths there were, and what the operation answered.
fn run(operation: &Operation, cut: usize, meanwhile: Meanwhile) -> (Scene, usize, u64) {
    let mut scene = Scene::new();
    scene.extra = (operation.prepare)(&mut scene);
    let (number, arguments) = (operation.call)(&scene);
    let (kernel, theirs) = (scene.world.kernel, scene.theirs);
    let hook = move |breath| {
        if breath == cut {
            meanwhile(kernel, theirs);
        }
    };
    let ((), breaths) = breaths::at_each(hook, || scene.world.ask(number, &registers(&arguments)));
    let answer = scene.register(reg::A0);
    (scene, breaths, answer)
}

/// Each operation with each of its breaths.
fn cuts() -> impl Iterator<Item = (&'static Operation, usize)> {
    OPERATIONS.iter().flat_map(|operation| {
        let (scene, breaths, answer) = run(operation, usize::MAX, |_, _| {});
        assert_eq!(answer, 0, "{}", operation.name);
        assert!(breaths > 1, "{}: interrupts are let in {breaths} times", operation.name);
        scene.end(false);
        (0..breaths).map(move |cut| (operation, cut))
    })
}

#[test]
fn interrupts_that_come_meanwhile_are_served_there_and_change_nothing() {
    for (operation, cut) in cuts() {
        let at = format!("{}, breath {cut}", operation.name);
        let (scene, _, answer) = run(operation, cut, |kernel, _| {
            let host = &kernel.platform;
            host.called[0].store(1, Ordering::Relaxed);
            host.clock.fetch_add(10 * kernel.slice, Ordering::Relaxed);
            host.set_timer(NOW + 1);
            host.controller.set_line(SOURCE, true);
            host.controller.route(SOURCE, None, 0);
            host.controller.set_priority(SOURCE, true);
        });
        assert_eq!(answer, 0, "{at}");
        let (kernel, host) = (scene.world.kernel, &scene.world.kernel.platform);
        assert_eq!(host.called[0].load(Ordering::Relaxed), 0, "{at}: the call was not answered");
        assert!(!host.controller.is_on(SOURCE), "{at}: the device was not served");
        assert!(
            host.timers.of(0) > host.clock.load(Ordering::Relaxed),
            "{at}: the timer goes on interrupting"
        );
        assert_ne!(kernel.hart(0).resched.get(), 0, "{at}: nobody else is let run");
        scene.end(false);
    }
}

#[test]
fn the_end_of_the_process_meanwhile_loses_nothing() {
    for (operation, cut) in cuts() {
        let (scene, ..) = run(operation, cut, |kernel, [process, ..]| {
            assert_eq!(ask_there(kernel, Sysno::process_kill, &[process]), 0);
        });
        scene.world.end_dead();
        scene.end(true);
    }
}

#[test]
fn the_end_of_the_quota_meanwhile_loses_nothing() {
    // A hart that revokes what another one is unmapping waits for it: that is left to `storm`.
    for (operation, cut) in cuts().filter(|(operation, _)| !operation.name.contains("unmapped")) {
        // What is half made or half gone is waited for; before that everything that was made later goes.
        let (scene, ..) = run(operation, cut, |kernel, [_, quota, _]| {
            for _ in 0..3 {
                ask_there(kernel, Sysno::quota_destroy, &[quota]);
            }
        });
        scene.end(false);
    }
}

#[test]
fn what_is_being_mapped_can_be_revoked_at_any_moment() {
    for (operation, cut) in cuts().filter(|(operation, _)| operation.name.ends_with(" mapped")) {
        let at = format!("{}, breath {cut}", operation.name);
        let (mut scene, _, answer) = run(operation, cut, |kernel, [.., vmo_quota]| {
            while kernel.table(kernel.hart(1).owner()).lookup(&kernel.memory, vmo_quota).is_ok() {
                ask_there(kernel, Sysno::quota_destroy, &[vmo_quota]);
            }
        });
        assert_eq!(answer, 0, "{at}");
        let (kernel, one) = (scene.world.kernel, scene.world.process(1));
        let root = Frame(one.root.get());
        let pages = (0..LONG).filter(|n| paging::translate(&kernel.memory, root, AT + n * 4096).is_some());
        assert_eq!(pages.count(), 0, "{at}: pages of it can still be reached");
        assert_eq!(one.in_steps.get(), 0, "{at}");
        // The range stays taken until it is let go of, as when a whole mapping is revoked.
        scene.get(Sysno::vm_unmap, &[scene.own, AT]);
        assert_eq!(one.hollow.get(), 0, "{at}");
        let fresh = another_vmo(&mut scene);
        let mapped = scene.get(Sysno::vm_map, &[scene.own, fresh, 0, LONG * 4096, AT, WRITABLE]);
        assert_eq!(mapped, AT, "{at}");
        scene.end(false);
    }
}

#[test]
fn a_range_that_is_being_mapped_is_taken_and_cannot_be_unmapped() {
    for (operation, cut) in cuts().filter(|(operation, _)| operation.name.ends_with(" mapped")) {
        let (mut scene, _, answer) = run(operation, cut, |kernel, [process, ..]| {
            assert_eq!(ask_there(kernel, Sysno::vm_unmap, &[process, AT]), Error::NotFound as u64);
            let other = kernel.table(kernel.hart(1).owner());
            let quota = kernel.reference(Frame(kernel.root_quota.get() as u32));
            let vmo = kernel.make_vmo(quota, 4096).expect("vmo");
            let mine = kernel.publish(kernel.hart(1).owner(), vmo, Kind::Vmo.all_rights()).expect("room");
            for page in [0, 1, LONG - 1] {
                let there = [process, mine.0 as u64, 0, 4096, AT + page * 4096, WRITABLE];
                assert_eq!(ask_there(kernel, Sysno::vm_map, &there), Error::Exists as u64, "page {page}");
            }
            let chosen = ask_there(kernel, Sysno::vm_map, &[process, mine.0 as u64, 0, 4096, 0, WRITABLE]);
            assert_eq!(chosen, 0);
            // Beside it there is room, and what is done there does not disturb it.
            for beside in [AT - 4096, AT + LONG * 4096] {
                let there = [process, mine.0 as u64, 0, 4096, beside, WRITABLE];
                assert_eq!(ask_there(kernel, Sysno::vm_map, &there), 0);
                assert_eq!(ask_there(kernel, Sysno::vm_unmap, &[process, beside]), 0);
            }
            kernel.drop_capability(other.remove(&kernel.memory, mine).expect("open"));
        });
        assert_eq!(answer, 0);
        let (kernel, root) = (scene.world.kernel, Frame(scene.world.process(1).root.get()));
        for n in 0..LONG {
            let (physical, _) = paging::translate(&kernel.memory, root, AT + n * 4096).expect("mapped");
            let frame = kernel.vmo_frame(scene.vmo_frame(), n as u32);
            assert_eq!(physical, kernel.memory.address(frame), "page {n}");
        }
        scene.get(Sysno::vm_unmap, &[scene.own, AT]);
        assert_eq!(scene.register(reg::A0), 0);
    }
}

/// Interrupts wait all the time, so that each system call does as little as it can.
#[test]
fn a_deep_tree_of_quotas_is_destroyed_whatever_interrupts() {
    const LEVELS: u64 = 30;
    let mut scene = Scene::new();
    let mut quota = scene.small;
    for level in 0..LEVELS {
        let next = scene.get(Sysno::quota_create, &[quota, 100 - 3 * level, 0]);
        scene.get(Sysno::timer_create, &[quota]);
        if level > 0 {
            scene.get(Sysno::handle_close, &[quota]);
        }
        quota = next;
    }
    let (kernel, pc) = (scene.world.kernel, scene.register(reg::PC));
    let called = &kernel.platform.called[0];
    called.store(1, Ordering::Relaxed);
    let destroy = registers(&[scene.small]);
    let again = || {
        breaths::at_each(
            move |_| called.store(1, Ordering::Relaxed),
            || scene.world.ask(Sysno::quota_destroy, &destroy),
        )
    };
    let mut calls = 0;
    let mut breaths = 0;
    while scene.register(reg::PC) == pc {
        calls += 1;
        assert!(calls < 10 * LEVELS, "it never ends");
        breaths = breaths.max(again().1);
    }
    assert_eq!(scene.register(reg::A0), 0);
    assert!(calls > LEVELS, "only {calls} calls");
    assert!(breaths >= LEVELS as usize, "the way down is one step: {breaths} breaths");
    scene.end(false);
}
