//! Queues at their bounds, and who waits for room.

use super::world::World;
use crate::context::reg;
use nexus_abi::{Error, Handle, NEVER, NOW, Sysno, Tag};

/// Where each process has its threads.
const SENDERS: [usize; 3] = [0, 1, 2];
const RECEIVER: usize = 3;

fn send(world: &mut World, thread: usize, end: Handle, word: u64, deadline: u64) {
    let tag = Tag::new(8, 0).0;
    let registers = [(reg::A0, end.0 as u64), (reg::A0 + 1, tag), (reg::A0 + 2, word), (reg::T[3], deadline)];
    world.call(thread, Sysno::channel_send, &registers);
}

/// The next word at `end`.
fn receive(world: &mut World, end: Handle) -> Result<u64, Error> {
    world.call(RECEIVER, Sysno::channel_recv, &[(reg::A0, end.0 as u64), (reg::A0 + 1, 0)]);
    let context = &world.kernel.thread(world.threads[RECEIVER].frame).context;
    world.answer(RECEIVER).expect("a receive never waits").map(|_| context.get(reg::A0 + 2))
}

#[test]
fn senders_that_wait_for_room_are_released_in_order() {
    let mut world = World::new(false, 2, 3);
    let (near, far) = world.connect(1, 2, [2, 8, 0]);
    for word in [1, 2] {
        send(&mut world, 0, near, word, NOW);
        assert_eq!(world.answer(0), Some(Ok(0)));
    }
    // One past the bound: refused without a deadline, kept waiting with one.
    send(&mut world, 0, near, 9, NOW);
    assert_eq!(world.answer(0), Some(Err(Error::WouldBlock)));
    for (thread, word) in SENDERS.into_iter().zip([3, 4, 5]) {
        send(&mut world, thread, near, word, NEVER);
        assert_eq!(world.answer(thread), None, "a sender did not wait");
    }
    // Each message that leaves lets one sender in, the one that waits longest; nobody overtakes.
    for (thread, word) in SENDERS.into_iter().zip([1, 2, 3]) {
        assert_eq!(receive(&mut world, far), Ok(word));
        assert_eq!(world.answer(thread), Some(Ok(0)), "not the longest waiting was let in");
        assert_eq!(SENDERS.into_iter().filter(|n| world.answer(*n).is_none()).count(), 2 - thread);
    }
    assert_eq!(receive(&mut world, far), Ok(4));
    assert_eq!(receive(&mut world, far), Ok(5));
    assert_eq!(receive(&mut world, far), Err(Error::WouldBlock));
}

#[test]
fn senders_and_callers_learn_that_the_other_end_is_closed() {
    let mut world = World::new(false, 2, 3);
    let (near, far) = world.connect(1, 2, [1, 8, 0]);
    send(&mut world, 0, near, 1, NOW);
    send(&mut world, 0, near, 2, NEVER);
    world.call(1, Sysno::channel_call, &[(reg::A0, near.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER)]);
    assert_eq!((world.answer(0), world.answer(1)), (None, None));
    world.call(RECEIVER, Sysno::handle_close, &[(reg::A0, far.0 as u64)]);
    for thread in [0, 1] {
        assert_eq!(world.answer(thread), Some(Err(Error::PeerClosed)), "thread {thread}");
    }
    send(&mut world, 0, near, 3, NOW);
    assert_eq!(world.answer(0), Some(Err(Error::PeerClosed)));
}

#[test]
fn a_message_of_the_ends_bound_goes_and_one_past_it_is_the_senders_error() {
    let mut world = World::new(false, 2, 3);
    let (near, far) = world.connect(1, 2, [1, 16, 0]);
    for (bytes, answer) in [(16, Ok(0)), (17, Err(Error::TooLarge)), (4097, Err(Error::Invalid))] {
        let tag = Tag::new(bytes, 0).0;
        world.call(0, Sysno::channel_send, &[(reg::A0, near.0 as u64), (reg::A0 + 1, tag), (reg::T[3], NOW)]);
        assert_eq!(world.answer(0), Some(answer), "{bytes} bytes");
    }
    assert!(receive(&mut world, far).is_ok());
    assert_eq!(receive(&mut world, far), Err(Error::WouldBlock));
}

/// What is left of a call that was answered answers nothing: a caller's next call has another token.
#[test]
fn a_token_answers_its_own_call_and_no_later_one() {
    for fast in [false, true] {
        let mut world = World::new(fast, 2, 3);
        let (near, far) = world.connect(1, 2, [1, 8, 0]);
        let call = |world: &mut World| {
            let registers = [(reg::A0, near.0 as u64), (reg::A0 + 1, Tag::new(8, 0).0), (reg::T[3], NEVER)];
            world.call(0, Sysno::channel_call, &registers);
            receive(world, far).expect("a call came");
            world.kernel.thread(world.threads[RECEIVER].frame).context.get(reg::T[3])
        };
        let reply = |world: &mut World, token| {
            world.call(RECEIVER, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
            world.answer(RECEIVER)
        };
        let first = call(&mut world);
        assert_eq!(reply(&mut world, first), Some(Ok(0)));
        assert_eq!(reply(&mut world, first), Some(Err(Error::CallerGone)), "an answer went twice");
        let second = call(&mut world);
        assert_eq!(reply(&mut world, first), Some(Err(Error::CallerGone)));
        assert_eq!(world.answer(0), None, "an answer reached a call that it was not for");
        assert_eq!(reply(&mut world, second), Some(Ok(0)));
        assert_eq!(world.answer(0), Some(Ok(0)));
    }
}
