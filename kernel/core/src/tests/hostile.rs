//! What a hostile program could do once, each a defect that was found and mended.

use super::world::{PAGE_AT, World};
use crate::context::reg;
use crate::objects::Quota;
use crate::sync::Cell64;
use crate::thread::state;
use nexus_abi::{Error, Handle, Kind, NEVER, NOW, Signals, Sysno, Tag};

/// Sends `handle` alone through `end`, from thread `n` of process `process`.
fn send_handle(world: &mut World, (n, process): (usize, usize), end: Handle, handle: Handle) {
    world.kernel.memory.page::<[Cell64; 512]>(world.pages[process])[0].set(handle.0 as u64);
    let tag = Tag::new(0, 1).0;
    let registers = [(reg::A0, end.0 as u64), (reg::A0 + 1, tag), (reg::T[2], PAGE_AT), (reg::T[3], NOW)];
    world.call(n, Sysno::channel_send, &registers);
}

fn wait(world: &mut World, n: usize, port: Handle) -> Option<Result<u64, Error>> {
    let registers = [(reg::A0, port.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NOW), (reg::T[4], 0)];
    world.call(n, Sysno::reply_and_wait, &registers);
    world.answer(n)
}

fn bind(world: &mut World, n: usize, port: Handle, end: Handle) {
    let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
    let registers = [(10, port.0 as u64), (11, end.0 as u64), (12, 7), (13, signals)];
    world.call(n, Sysno::port_bind, &registers);
    assert_eq!(world.answer(n), Some(Ok(0)));
}

/// An endpoint that was bound to a port is on its way to another process. What comes for it meanwhile is for its next holder.
#[test]
fn a_message_for_an_endpoint_in_flight_does_not_reach_the_port_it_was_bound_to() {
    for is_call in [false, true] {
        for fast in [false, true] {
            let mut world = World::new(fast, 3, 2);
            let (client, moved) = world.connect(1, 2, [2, 64, 2]);
            let (near, far) = world.connect(2, 3, [2, 64, 2]);
            let port = world.give(2, Kind::Port);
            bind(&mut world, 2, port, moved);
            // A second thread of the sender waits at the port, as a server does.
            let waits = [(reg::A0, port.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
            world.call(3, Sysno::reply_and_wait, &waits);
            assert_eq!(world.answer(3), None);
            send_handle(&mut world, (2, 2), near, moved);
            assert_eq!(world.answer(2), Some(Ok(0)));

            let number = if is_call { Sysno::channel_call } else { Sysno::channel_send };
            let tag = Tag::new(8, 0).with_room(8, 0).0;
            let words =
                [(reg::A0, client.0 as u64), (reg::A0 + 1, tag), (reg::A0 + 2, 5), (reg::T[3], NEVER)];
            world.call(0, number, &words);
            assert_eq!(world.answer(3), None, "the old holder was told");
            assert_eq!(wait(&mut world, 2, port), Some(Err(Error::WouldBlock)), "the old holder got it");

            let room = Tag::new(0, 0).with_room(64, 2).0;
            let take = [(reg::A0, far.0 as u64), (reg::A0 + 1, room), (reg::T[2], PAGE_AT)];
            world.call(4, Sysno::channel_recv, &take);
            let arrived = Handle(world.kernel.memory.page::<[Cell64; 512]>(world.pages[3])[0].get() as u32);
            world.call(4, Sysno::channel_recv, &[(reg::A0, arrived.0 as u64), (reg::A0 + 1, 0)]);
            let context = &world.kernel.thread(world.threads[4].frame).context;
            assert_eq!(
                (context.get(reg::A0), context.get(reg::A0 + 2)),
                (0, 5),
                "the new holder did not get it"
            );
            assert_eq!(wait(&mut world, 2, port), Some(Err(Error::WouldBlock)));
        }
    }
}

/// A send that fails gives its endpoint back as it was: bound, and with what came meanwhile.
#[test]
fn an_endpoint_that_comes_back_is_bound_as_before() {
    let mut world = World::new(false, 3, 2);
    let (client, moved) = world.connect(1, 2, [2, 64, 2]);
    let (near, far) = world.connect(2, 3, [1, 64, 2]);
    let port = world.give(2, Kind::Port);
    bind(&mut world, 2, port, moved);
    // The queue is full, so the send waits with its handle.
    world.call(2, Sysno::channel_send, &[(reg::A0, near.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NOW)]);
    world.kernel.memory.page::<[Cell64; 512]>(world.pages[2])[0].set(moved.0 as u64);
    let tag = Tag::new(0, 1).0;
    let registers = [(reg::A0, near.0 as u64), (reg::A0 + 1, tag), (reg::T[2], PAGE_AT), (reg::T[3], NEVER)];
    world.call(2, Sysno::channel_send, &registers);
    assert_eq!(world.answer(2), None);
    let words = [(reg::A0, client.0 as u64), (reg::A0 + 1, 8), (reg::A0 + 2, 5), (reg::T[3], NOW)];
    world.call(0, Sysno::channel_send, &words);
    assert_eq!(wait(&mut world, 3, port), Some(Err(Error::WouldBlock)));
    world.call(4, Sysno::handle_close, &[(reg::A0, far.0 as u64)]);
    assert_eq!(world.answer(2), Some(Err(Error::PeerClosed)));
    assert_eq!(wait(&mut world, 3, port).map(|answer| answer.is_ok()), Some(true), "the binding was lost");
    assert_eq!(world.kernel.thread(world.threads[3].frame).context.get(reg::T[1]), 7);
}

/// Charges of a quota: pages, objects, processor share.
fn charges(world: &World, quota: crate::handles::ObjectRef) -> [u64; 3] {
    let account = world.kernel.memory.page::<Quota>(quota.frame);
    [account.used.get(), account.count.get() as u64, account.cpu_used.get() as u64]
}

/// A process whose first handle finds no room in its maker's table is not left behind.
#[test]
fn a_process_that_cannot_be_handed_over_is_not_made() {
    let mut world = World::new(false, 1, 1);
    let process = world.processes[1];
    let quota = world.kernel.publish(process, world.quota.frame, Kind::Quota.all_rights()).expect("handle");
    let identity = world.give(1, Kind::Identity);
    while world.process(1).reserve(&world.kernel.memory).is_ok() {}
    let before = (charges(&world, world.quota), world.kernel.memory.free_frames());
    let registers = [(10, quota.0 as u64), (11, identity.0 as u64), (12, 8), (13, 1), (14, 1)];
    world.call(0, Sysno::process_create, &registers);
    assert_eq!(world.answer(0), Some(Err(Error::NoSpace)));
    assert_eq!((charges(&world, world.quota), world.kernel.memory.free_frames()), before);
}

/// Who destroys a quota that holds its own process dies before the quota is empty. What is left of it goes with the last
/// handle to anything in it.
#[test]
fn a_quota_whose_destroyer_died_gives_everything_back() {
    let mut world = World::new(false, 2, 1);
    let process = world.processes[1];
    let quota = world.kernel.publish(process, world.quota.frame, Kind::Quota.all_rights()).expect("handle");
    let own = world.kernel.publish(process, process, Kind::Process.all_rights()).expect("handle");
    let before = charges(&world, world.quota);
    world.call(0, Sysno::quota_create, &[(10, quota.0 as u64), (11, 40), (12, 0)]);
    let small = world.answer(0).and_then(Result::ok).expect("quota");
    // First in the list is what was charged last: the thread, which takes its process along.
    world.call(0, Sysno::vmo_create, &[(10, small), (11, 8192)]);
    world.call(0, Sysno::port_create, &[(10, small)]);
    world.call(0, Sysno::thread_create, &[(10, own.0 as u64), (11, small), (12, 1)]);
    assert!(world.answer(0).is_some_and(|answer| answer.is_ok()));
    world.call(0, Sysno::quota_destroy, &[(10, small)]);
    assert!(!world.is_alive(0), "the destroyer was to die of it");
    world.settle();
    let after = charges(&world, world.quota);
    // Only the dead process's first page is left of it, for the handle of its parent; its thread is gone whole.
    assert!(after[1] < before[1] && after[0] < before[0], "{before:?} {after:?}");
}

/// A client without a budget calls a server, which calls another. The first server goes on at its own priority.
#[test]
fn a_server_does_not_wait_for_budget_that_its_caller_has_not() {
    let mut world = World::new(false, 3, 1);
    let (client, first) = world.connect(1, 2, [1, 64, 0]);
    let (near, second) = world.connect(2, 3, [1, 64, 0]);
    let call = |world: &mut World, n, end: Handle| {
        world.call(n, Sysno::channel_call, &[(reg::A0, end.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER)]);
    };
    let receive = |world: &mut World, n, end: Handle| {
        world.call(n, Sysno::channel_recv, &[(reg::A0, end.0 as u64), (reg::A0 + 1, 0)]);
        world.kernel.thread(world.threads[n].frame).context.get(reg::T[3])
    };
    call(&mut world, 0, client);
    receive(&mut world, 1, first);
    call(&mut world, 1, near);
    let token = receive(&mut world, 2, second);
    world.process(1).exhausted_until.set(NEVER);
    world.call(2, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
    let server = world.kernel.thread(world.threads[1].frame);
    let (what, place) = server.doing();
    assert_eq!((what, place >> 8), (state::READY, server.priority.get()), "queued behind everybody");
    assert_eq!(server.payer.get(), server.home.get());
}

/// A call that began on the fast path is ended by the slow one, and comes back with the return address that it was made with.
#[test]
fn the_return_address_survives_a_call_whichever_path_ends_it() {
    let mut world = World::new(true, 2, 1);
    let (client, server) = world.connect(1, 2, [1, 64, 0]);
    let port = world.give(2, Kind::Port);
    bind(&mut world, 1, port, server);
    let waits = [(reg::A0, port.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
    world.call(1, Sysno::reply_and_wait, &waits);
    let registers = [(reg::RA, 0xbeef), (reg::A0, client.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER)];
    // The first call shows the kernel the way, the second one takes it.
    world.call(0, Sysno::channel_call, &registers);
    let token = world.kernel.thread(world.threads[1].frame).context.get(reg::T[3]);
    world.call(1, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
    world.call(1, Sysno::reply_and_wait, &waits);
    world.call(0, Sysno::channel_call, &registers);
    assert_eq!(world.taken, 1, "the call did not take the fast path");
    let token = world.kernel.thread(world.threads[1].frame).context.get(reg::T[3]);
    world.call(1, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
    assert_eq!(world.answer(0), Some(Ok(0)));
    assert_eq!(world.kernel.thread(world.threads[0].frame).context.get(reg::RA), 0xbeef);
}

/// Who used up its budget gives way at once to an equal that has some, and not when its slice is over.
#[test]
fn a_woken_thread_does_not_wait_for_the_slice_of_one_without_budget() {
    let mut world = World::new(false, 2, 1);
    let port = world.give(2, Kind::Port);
    for (spent, preempted) in [(0, 0), (NEVER, 1)] {
        let waits = [(reg::A0, port.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
        world.call(1, Sysno::reply_and_wait, &waits);
        world.process(1).exhausted_until.set(spent);
        world.put_on(0);
        world.hart().resched.set(0);
        let woken = world.threads[1].frame;
        assert!(world.kernel.detach(woken));
        world.kernel.fail(world.hart(), woken, Error::TimedOut);
        assert_eq!(world.hart().resched.get(), preempted, "budget until {spent}");
        world.settle();
    }
}

/// A program that ran long after its budget was used up, because nobody else wanted to, does not pay for that later.
#[test]
fn idle_time_is_not_owed() {
    let world = World::new(false, 1, 1);
    world.put_on(0);
    let (kernel, hart, process) = (world.kernel, world.hart(), world.process(1));
    let mut now = process.budget_start.get();
    hart.charged_at.set(now);
    // Half a period at a time: its share of 50 thousandths is used up in the first, then it goes on for 20 periods.
    for _ in 0..40 {
        now += kernel.period / 2;
        kernel.settle_time(hart, now);
    }
    assert_eq!(process.cpu_total.get(), 20 * kernel.period);
    let until = process.exhausted_until.get();
    assert!(
        until <= now + 10 * kernel.period,
        "{} periods of debt",
        until.saturating_sub(now) / kernel.period
    );
}
