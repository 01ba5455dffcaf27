//! Pairs of client and server on harts of their own share nothing: what one pair writes, locks above all, the other neither
//! reads nor writes. Counted on the kernel's own code, every access of which is noted (`harts.rs`).

use super::harts::{Touched, touching};
use super::world::{PAGE_AT, World};
use crate::context::reg;
use crate::sched::Next;
use nexus_abi::{Handle, Kind, NEVER, Signals, Sysno, Tag};

/// Round trips that are noted, after as many that are not.
const ROUNDS: usize = 50;

/// Locks of a round trip: the channel's and the port's, once for the call and once for the answer.
const LOCKS: usize = 4;

/// A client and its server.
struct Pair {
    hart: usize,
    client: usize,
    end: Handle,
    port: Handle,
    tag: u64,
}

impl Pair {
    /// A client whose channel leads to `port` of a server, to be run on `hart`.
    fn new(world: &mut World, hart: usize, [client, server]: [usize; 2], port: Handle, tag: Tag) -> Pair {
        let (end, far) = world.connect(client, server, [1, 4096, 0]);
        let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
        let bind = [port.0 as u64, far.0 as u64, 1, signals];
        let registers: Vec<_> = bind.into_iter().enumerate().map(|(n, word)| (reg::A0 + n, word)).collect();
        world.call(server - 1, Sysno::port_bind, &registers);
        assert_eq!(world.answer(server - 1), Some(Ok(0)));
        Pair { hart, client: client - 1, end, port, tag: tag.with_room(4096, 0).0 }
    }

    /// The server waits.
    fn serve(&self, world: &World, server: usize) {
        world.go_to(self.hart);
        world.put_on(server - 1);
        self.ask(world, Sysno::reply_and_wait, self.port, 0);
    }

    /// The client is current on its hart: a ready one would be taken by whichever hart lets go of its own.
    fn begin(&self, world: &World) {
        world.go_to(self.hart);
        world.put_on(self.client);
    }

    fn ask(&self, world: &World, number: Sysno, handle: Handle, token: u64) {
        let registers = [
            (reg::A0, handle.0 as u64),
            (reg::A0 + 1, self.tag),
            (reg::T[1], PAGE_AT),
            (reg::T[2], 0),
            (reg::T[3], NEVER),
            (reg::T[4], token),
        ];
        world.ask(number, &registers);
    }

    /// Round trips of the pair, on its hart. After a slow call the way out of the kernel is the long one.
    fn go(&self, world: &World, rounds: usize) {
        let (kernel, hart) = (world.kernel, world.hart());
        let leave = || {
            if !world.fast || !hart.running().exists() {
                assert_eq!(kernel.dispatch(hart), Next::Run);
            }
        };
        for _ in 0..rounds {
            self.ask(world, Sysno::channel_call, self.end, 0);
            leave();
            let token = hart.current().context.get(reg::T[3]);
            assert_ne!(token, 0, "the server did not get the call");
            self.ask(world, Sysno::reply_and_wait, self.port, token);
            leave();
            assert_eq!(hart.running(), world.threads[self.client].frame, "the client goes on");
            assert_eq!(hart.current().context.get(reg::A0), 0, "the call succeeded");
        }
    }
}

/// What each pair touches on its own hart, once it is warm.
fn touched(world: &World, pairs: [Pair; 2]) -> [Touched; 2] {
    pairs.iter().for_each(|pair| pair.begin(world));
    pairs.map(|pair| {
        world.go_to(pair.hart);
        pair.go(world, ROUNDS);
        let mut touched = Touched::default();
        touching(&mut touched, || pair.go(world, ROUNDS));
        touched
    })
}

/// The same of two pairs that have nothing to do with each other.
fn two_pairs(fast: bool, tag: Tag) -> (World, [Touched; 2]) {
    let mut world = World::on_harts(2, fast, 4, 1);
    let pairs = [(0, [1, 2]), (1, [3, 4])].map(|(hart, who)| {
        let port = world.give(who[1], Kind::Port);
        world.go_to(hart);
        let pair = Pair::new(&mut world, hart, who, port, tag);
        pair.serve(&world, who[1]);
        pair
    });
    let touched = touched(&world, pairs);
    (world, touched)
}

/// What one pair writes and the other reads or writes.
fn shared([a, b]: &[Touched; 2]) -> Vec<usize> {
    let both = |a: &Touched, b: &Touched| {
        let theirs = |at: &&usize| b.read.contains(at) || b.written.contains(at);
        a.written.iter().filter(theirs).copied().collect::<Vec<_>>()
    };
    [both(a, b), both(b, a)].concat()
}

#[test]
fn pairs_on_harts_of_their_own_share_no_lock_and_nothing_that_is_written() {
    for bytes in [0, 48, 128, 960, 4096] {
        let (_, touched) = two_pairs(true, Tag::new(bytes, 0));
        assert_eq!(shared(&touched), [0; 0], "{bytes} bytes");
        for pair in &touched {
            let locks: usize = pair.changed.values().sum();
            assert!(locks >= LOCKS * ROUNDS, "{locks} locks in {ROUNDS} round trips are not all");
            if bytes <= 48 {
                assert_eq!((pair.changed.len(), locks), (2, LOCKS * ROUNDS), "{bytes} bytes");
            }
        }
    }
}

#[test]
fn clients_of_one_server_are_seen_to_share_it() {
    // What the test above looks for is there to be found.
    let mut world = World::on_harts(2, true, 3, 1);
    let port = world.give(2, Kind::Port);
    let pairs =
        [(0, 1), (1, 3)].map(|(hart, client)| Pair::new(&mut world, hart, [client, 2], port, Tag::new(0, 0)));
    pairs[0].serve(&world, 2);
    let both = touched(&world, pairs);
    let locks = both[0].changed.keys().filter(|lock| both[1].changed.contains_key(lock)).count();
    assert_eq!(locks, 1, "the port's");
    assert!(shared(&both).len() > locks, "and what it guards");
}

#[test]
fn off_the_fast_path_they_share_no_lock_either() {
    for bytes in [0, 960] {
        let (world, touched) = two_pairs(false, Tag::new(bytes, 0));
        // A hart that lets go of a thread looks whether another one has more ready threads than it has time for.
        let glances = [0, 1].map(|hart| core::ptr::from_ref(&world.kernel.hart(hart).best).addr());
        for at in shared(&touched) {
            assert!(glances.contains(&at), "{bytes} bytes: {at:#x} is shared");
            assert!(touched.iter().all(|pair| !pair.changed.contains_key(&at)), "{at:#x} is a lock");
            assert!(
                touched.iter().filter(|pair| pair.written.contains(&at)).count() == 1,
                "two write {at:#x}"
            );
        }
    }
}
