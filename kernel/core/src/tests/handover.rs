//! Whom the fast path may hand the processor to, and past whom it may not: what random histories come to too seldom.

use super::world::{PAGE_AT, World};
use crate::context::reg;
use nexus_abi::{Handle, Kind, NEVER, NOW, Signals, Sysno, Tag};

/// A client process and a server process; the server's port, and both ends of a channel that is bound there.
struct Pair {
    world: World,
    port: Handle,
    near: Handle,
}

impl Pair {
    /// With `threads` threads each: the client's come first. The second of each has a lower priority than the rest.
    fn new(threads: usize) -> Pair {
        let mut world = World::new(true, 2, threads);
        let (near, far) = world.connect(1, 2, [4, 256, 1]);
        let port = world.give(2, Kind::Port);
        let bind = [port.0 as u64, far.0 as u64, 7, Signals::READABLE.bits() as u64];
        world.call(threads, Sysno::port_bind, &(reg::A0..).zip(bind).collect::<Vec<_>>());
        Pair { world, port, near }
    }

    fn wait(&mut self, thread: usize) {
        let token = self.token(thread);
        self.world.call(thread, Sysno::reply_and_wait, &self.waits(token));
    }

    fn waits(&self, token: u64) -> [(usize, u64); 6] {
        let room = Tag::default().with_room(256, 1);
        let at = [(reg::T[1], PAGE_AT + 512), (reg::T[2], PAGE_AT + 1024)];
        let [port, tag] = [(reg::A0, self.port.0 as u64), (reg::A0 + 1, room.0)];
        [port, tag, at[0], at[1], (reg::T[3], NEVER), (reg::T[4], token)]
    }

    fn message(&self, tag: Tag, deadline: u64) -> [(usize, u64); 5] {
        let at = [(reg::T[1], PAGE_AT), (reg::T[2], PAGE_AT), (reg::T[3], deadline)];
        [(reg::A0, self.near.0 as u64), (reg::A0 + 1, tag.0), at[0], at[1], at[2]]
    }

    fn call(&mut self, thread: usize) -> usize {
        let before = self.world.taken;
        self.world.call(thread, Sysno::channel_call, &self.message(Tag::new(8, 0), NEVER));
        self.world.taken - before
    }

    /// The token of the call that a thread received last.
    fn token(&self, thread: usize) -> u64 {
        let t = self.world.kernel.thread(self.world.threads[thread].frame);
        if self.world.is_runnable(thread) { t.context.get(reg::T[3]) } else { 0 }
    }

    /// A call and its answer, after which both sides know what they need to.
    fn warm(&mut self, client: usize, server: usize) {
        for _ in 0..2 {
            self.wait(server);
            self.call(client);
        }
        self.wait(server);
    }

    /// The thread has touched a floating-point register.
    fn floats(&self, thread: usize) {
        self.world.put_on(thread);
        self.world.hart().use_floating_point();
        self.world.take_off();
    }
}

#[test]
fn nobody_is_handed_the_processor_past_a_better_one() {
    let mut pair = Pair::new(2);
    // Thread 3 serves at priority 9. While thread 2 is ready at 10 it is not its turn.
    pair.warm(0, 3);
    assert_eq!(pair.call(0), 0);
    pair.world.settle();
    assert_ne!(pair.token(3), 0);
    // An answer likewise: thread 1 called at priority 9, and thread 2 is ready.
    pair.wait(3);
    pair.call(1);
    let before = pair.world.taken;
    pair.wait(3);
    assert_eq!((pair.world.answer(1), pair.world.taken), (Some(Ok(0)), before));
    // Once no better one is ready both go fast: thread 0 waits for an answer of its own, thread 2 at another port.
    let other = pair.world.give(2, Kind::Port);
    let waits = [(reg::A0, other.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
    pair.world.call(2, Sysno::reply_and_wait, &waits);
    let alone = pair.world.give(1, Kind::Port);
    let waits = [(reg::A0, alone.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
    pair.world.call(0, Sysno::reply_and_wait, &waits);
    pair.call(1);
    pair.wait(3);
    assert_eq!(pair.call(1), 1);
    let before = pair.world.taken;
    pair.wait(3);
    assert_eq!((pair.world.answer(1).is_some(), pair.world.taken), (true, before + 1));
}

/// The fast path moves no floating-point registers, neither of who lets go nor of who goes on.
#[test]
fn who_has_floating_point_is_handed_nothing() {
    for (client, server) in [(false, false), (true, false), (false, true)] {
        let mut pair = Pair::new(1);
        pair.warm(0, 1);
        pair.call(0);
        pair.wait(1);
        assert_eq!(pair.call(0), 1);
        if server {
            pair.floats(1);
        }
        pair.wait(1);
        if client {
            pair.floats(0);
        }
        let fast = !client && !server;
        assert_eq!(pair.call(0), fast as usize, "client {client}, server {server}");
        let before = pair.world.taken;
        pair.wait(1);
        assert_eq!(pair.world.answer(0), Some(Ok(0)));
        assert_eq!(pair.world.taken - before, fast as usize, "client {client}, server {server}");
    }
}

/// Messages wait, two servers were woken for them and have not gone on but for the first; a third waits. A call is behind the
/// messages, whatever it carries.
#[test]
fn a_call_that_others_are_before_is_handed_to_nobody() {
    for call in [Tag::new(8, 0), Tag::new(64, 0), Tag::new(8, 1)] {
        let mut pair = Pair::new(3);
        let vmo = pair.world.give(1, Kind::Vmo);
        let cells = pair.world.kernel.memory.page::<[crate::sync::Cell64; 512]>(pair.world.pages[1]);
        cells[0].set(vmo.0 as u64);
        [3, 4, 5].into_iter().for_each(|server| pair.warm(0, server));
        // Long ones, so that they are queued and not handed over.
        let long = pair.message(Tag::new(64, 0), NOW);
        for _ in 0..2 {
            pair.world.put_on(0);
            pair.world.ask(Sysno::channel_send, &long);
        }
        let woken = |n: usize| pair.world.is_runnable(n);
        assert_eq!([3, 4, 5].map(woken), [false, false, true]);
        pair.world.put_on(5);
        pair.world.kernel.resume(pair.world.hart(), pair.world.threads[5].frame);
        assert_eq!([3, 4, 5].map(woken), [false, true, true]);
        // The second message still waits when the call comes.
        pair.world.put_on(0);
        pair.world.ask(Sysno::channel_call, &pair.message(call, NEVER));
        assert!(!pair.world.is_runnable(3) || pair.token(3) == 0, "{call:?} overtook a message");
        pair.world.settle();
        let got = [3, 4, 5].map(|n| (pair.world.answer(n).is_some(), pair.token(n) != 0));
        let calls = got.iter().filter(|(answered, is_call)| *answered && *is_call).count();
        assert_eq!(calls, 1, "{got:?}");
    }
}

/// The same for what is more than registers: bytes in memory, or a handle, in a call and in an answer.
#[test]
fn who_has_floating_point_is_handed_no_load_either() {
    for load in [Tag::new(64, 0), Tag::new(8, 1)] {
        for (client, server) in [(false, false), (true, false), (false, true)] {
            let mut pair = Pair::new(1);
            pair.warm(0, 1);
            let give = |pair: &Pair, process: usize, cell: usize| {
                let vmo = pair.world.give(process, Kind::Vmo);
                let page = pair.world.pages[process];
                pair.world.kernel.memory.page::<[crate::sync::Cell64; 512]>(page)[cell].set(vmo.0 as u64);
            };
            if server {
                pair.call(0);
                pair.floats(1);
                pair.wait(1);
            }
            if client {
                pair.floats(0);
            }
            give(&pair, 1, 0);
            let before = pair.world.taken;
            pair.world.call(0, Sysno::channel_call, &pair.message(load.with_room(256, 1), NEVER));
            let fast = !client && !server;
            let what = format!("{load:?}, client {client}, server {server}");
            assert_eq!(pair.world.taken - before, fast as usize, "call of {what}");
            assert_ne!(pair.token(1), 0, "{what}");
            give(&pair, 2, 128);
            let mut waits = pair.waits(pair.token(1));
            waits[1].1 |= load.0;
            let before = pair.world.taken;
            pair.world.call(1, Sysno::reply_and_wait, &waits);
            assert_eq!(pair.world.answer(0), Some(Ok(load.0)), "{what}");
            assert_eq!(pair.world.taken - before, fast as usize, "answer of {what}");
        }
    }
}
