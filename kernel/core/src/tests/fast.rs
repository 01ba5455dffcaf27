//! The fast path against the slow path: two worlds are driven by the same random system calls, one of them always by the
//! slow path, and everything that can be observed is compared after each.

use super::world::{PAGE_AT, World};
use crate::context::reg;
use crate::memory::Frame;
use nexus_abi::{Handle, Kind, NEVER, NOW, Rights, Signals, Sysno, Tag};

/// xorshift64*: the same numbers for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 33) % bound
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// What a world is made of, beside the kernel: handles that its threads use, by process.
#[derive(Clone, Default)]
struct Known {
    ports: Vec<Handle>,
    ends: Vec<Handle>,
    others: Vec<Handle>,
}

/// Two clients and two servers; process 3 serves two clients on one port, process 4 one with two ports.
fn build(fast: bool) -> (World, Vec<Known>) {
    let mut world = World::new(fast, 4, 2);
    let mut known = vec![Known::default(); 5];
    for (n, known) in known.iter_mut().enumerate().skip(1) {
        known.ports.push(world.give(n, Kind::Port));
        known.others.push(world.give(n, Kind::Timer));
    }
    known[4].ports.push(world.give(4, Kind::Port));
    for server in [3, 4] {
        // A second handle to its port.
        let process = world.process(server);
        let port = process.lookup(&world.kernel.memory, known[server].ports[0]).expect("the port");
        world.kernel.keep(port).expect("alive");
        known[server].ports.push(process.insert(&world.kernel.memory, port).expect("room"));
    }
    let links = [(1, 3, [2, 256, 2]), (2, 3, [1, 40, 1]), (1, 4, [0, 48, 0]), (2, 4, [1, 4096, 8])];
    for (client, server, spec) in links {
        let (near, far) = world.connect(client, server, spec);
        known[client].ends.push(near);
        known[server].ends.push(far);
    }
    for server in [3, 4] {
        for (n, end) in known[server].ends.clone().into_iter().enumerate() {
            let port = known[server].ports[n % (server - 2)];
            let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
            let thread = (server - 1) * 2;
            let arguments = [port.0 as u64, end.0 as u64, 0x100 + n as u64, signals];
            world.call(
                thread,
                Sysno::port_bind,
                &arguments.map(|a| a).iter().enumerate().map(|(n, a)| (reg::A0 + n, *a)).collect::<Vec<_>>(),
            );
            assert_eq!(world.answer(thread), Some(Ok(0)));
        }
    }
    (world, known)
}

/// A tag: mostly one that the fast path takes.
fn tag(random: &mut Random) -> u64 {
    let bytes = random.pick(&[0, 0, 8, 13, 24, 32, 33, 40, 40, 41, 48, 48, 49, 256, 257]);
    let handles = if random.one_in(4) { random.pick(&[1, 1, 1, 1, 2]) } else { 0 };
    let plain = Tag::new(bytes, handles);
    match random.below(8) {
        0 | 4 => plain.with_room(256, 2).0,
        1 => plain.with_room(4096, 0).0,
        2 | 5 => plain.with_room(40, 1).0,
        3 if random.one_in(10) => plain.0 | 1 << (13 + random.below(50)),
        _ => plain.0,
    }
}

/// One system call of thread `n`, the same in both worlds.
fn choose(
    random: &mut Random,
    known: &[Known],
    tokens: &mut Vec<u64>,
    n: usize,
) -> (Sysno, Vec<(usize, u64)>) {
    let mine = &known[n / 2 + 1];
    // Every register is set, so that what a call leaves in one that it should not shows.
    let mut registers: Vec<(usize, u64)> = (1..32).map(|r| (r, random.next())).collect();
    let mut set = |register: usize, value: u64| registers[register - 1].1 = value;
    // The trap code saves these as 0.
    [1, reg::T[5], reg::T[6]].into_iter().for_each(|register| set(register, 0));
    let deadline = if random.one_in(12) { NOW } else { NEVER };
    set(reg::T[1], PAGE_AT + random.pick(&[0, 8, 3800, 0x2000]));
    set(reg::T[2], PAGE_AT + 1024);
    set(reg::T[3], deadline);
    set(reg::A0 + 1, tag(random));
    let any: Vec<Handle> = [&mine.ends, &mine.ports, &mine.others].into_iter().flatten().copied().collect();
    let stale = Handle(mine.ends.first().map_or(5, |h| h.0) ^ 1 << 16);
    let handle = |random: &mut Random, usual: &[Handle]| {
        let odd = random.pick(&any);
        let odd = random.pick(&[Handle::NONE, stale, odd]);
        if random.one_in(25) || usual.is_empty() { odd.0 as u64 } else { random.pick(usual).0 as u64 }
    };
    let serves = n >= 4;
    let bound = random.pick(&[Signals::READABLE | Signals::PEER_CLOSED, Signals::READABLE, Signals::empty()]);
    let number = match random.below(40) {
        0 => Sysno::channel_send,
        1 => Sysno::channel_recv,
        2 if random.one_in(20) => Sysno::handle_close,
        3 => Sysno::port_signal,
        6 if random.one_in(3) => Sysno::port_bind,
        4 | 5 if serves => Sysno::channel_reply,
        _ if serves => Sysno::reply_and_wait,
        _ => Sysno::channel_call,
    };
    let token = match random.below(40) {
        0 => 0,
        1 => random.next(),
        2 => tokens.last().map_or(0, |token| token ^ 1 << 32),
        3 => tokens.last().copied().unwrap_or(0),
        4 if !tokens.is_empty() => tokens.remove(0),
        _ if matches!(number, Sysno::channel_reply | Sysno::reply_and_wait) => tokens.pop().unwrap_or(0),
        _ => 0,
    };
    match number {
        Sysno::port_signal => {
            set(reg::A0, handle(random, &mine.ports));
            set(reg::A0 + 1, 1 << 16);
        }
        Sysno::reply_and_wait => set(reg::A0, handle(random, &mine.ports)),
        Sysno::port_bind => {
            set(reg::A0, handle(random, &mine.ports));
            set(reg::A0 + 1, handle(random, &mine.ends));
            set(reg::A0 + 2, random.below(100));
            set(reg::A0 + 3, bound.bits() as u64);
        }
        Sysno::handle_close => set(reg::A0, handle(random, &any)),
        _ => set(reg::A0, handle(random, &mine.ends)),
    }
    set(reg::T[4], token);
    (number, registers)
}

/// Handles that thread `n` finds in its handle buffer are its process's from now on.
fn learn(world: &World, n: usize, mine: &mut Known) {
    let context = &world.kernel.thread(world.threads[n].frame).context;
    if context.get(reg::A0) != 0 {
        return;
    }
    let cells = world.kernel.memory.page::<[crate::sync::Cell64; 512]>(world.pages[n / 2 + 1]);
    let list = cells[128].get();
    for place in 0..Tag(context.get(reg::A0 + 1)).handles().min(2) {
        let handle = Handle((list >> (32 * place)) as u32);
        let Ok(capability) = world.process(n / 2 + 1).lookup(&world.kernel.memory, handle) else { continue };
        let kept = match capability.kind {
            Kind::Channel => &mut mine.ends,
            Kind::Port => &mut mine.ports,
            _ => &mut mine.others,
        };
        if !kept.contains(&handle) {
            kept.push(handle);
        }
    }
}

/// Runs one history; answers how many calls went the fast path.
fn history(seed: u64, steps: usize) -> usize {
    let (mut fast, mut known) = build(true);
    let (mut slow, _) = build(false);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    assert_eq!(fast.digest(), slow.digest());
    let mut asked = String::new();
    // The tokens that each process was given and has not tried yet.
    let mut tokens: [Vec<u64>; 4] = Default::default();
    let mut given = tokens.clone();
    for step in 0..steps {
        let runnable: Vec<usize> = (0..fast.threads.len()).filter(|n| fast.is_runnable(*n)).collect();
        if runnable.is_empty() || random.one_in(20) {
            let waiting: Vec<usize> =
                (0..fast.threads.len()).filter(|n| fast.is_alive(*n) && !fast.is_runnable(*n)).collect();
            if waiting.is_empty() && runnable.is_empty() {
                break;
            }
            if !waiting.is_empty() {
                let n = random.pick(&waiting);
                [&mut fast, &mut slow].into_iter().for_each(|world| world.expire(n));
            }
            continue;
        }
        let n = random.pick(&runnable);
        if random.one_in(400) {
            let victim = 1 + random.below(4) as usize;
            for world in [&mut fast, &mut slow] {
                let object = world.kernel.reference(world.processes[victim]);
                world.kernel.kill(world.hart(), object, nexus_abi::ExitCause::Killed, [0; 3], None);
                world.settle();
            }
        } else {
            let (number, registers) = choose(&mut random, &known, &mut tokens[n / 2], n);
            // Handle lists in memory: the process's own handles, or what stands there.
            if random.one_in(4) {
                let mine = &known[n / 2 + 1];
                // Now and then an end or a port: whoever knew it must not go on using it.
                let list = [0, 1].map(|_| match random.below(8) {
                    0 => random.pick(&mine.ends).0 as u64,
                    1 => random.pick(&mine.ports).0 as u64,
                    _ => random.pick(&mine.others).0 as u64,
                });
                for world in [&fast, &slow] {
                    let page: Frame = world.pages[n / 2 + 1];
                    let cells = world.kernel.memory.page::<[crate::sync::Cell64; 512]>(page);
                    cells[128].set(list[0] | list[1] << 32);
                }
            }
            fast.call(n, number, &registers);
            slow.call(n, number, &registers);
            asked = format!("{number:?} of thread {n} {registers:x?}");
        }
        if fast.digest() != slow.digest() {
            let (fast, slow) = (fast.describe(), slow.describe());
            let differ = fast.iter().zip(&slow).filter(|(f, s)| f != s);
            let differ: Vec<String> = differ.map(|(f, s)| format!("fast {f}, slow {s}")).collect();
            panic!("seed {seed} step {step}: {asked}\n{}", differ.join("\n"));
        }
        for n in (0..fast.threads.len()).filter(|n| fast.is_runnable(*n)) {
            // A register that only a delivered call sets.
            let token = fast.kernel.thread(fast.threads[n].frame).context.get(reg::T[3]);
            learn(&fast, n, &mut known[n / 2 + 1]);
            if token != 0 && !given[n / 2].contains(&token) {
                given[n / 2].push(token);
                tokens[n / 2].push(token);
            }
        }
    }
    fast.taken
}

#[test]
fn the_fast_path_does_what_the_slow_path_does() {
    let taken: usize = (0..400).map(|seed| history(seed, 400)).sum();
    assert!(taken > 5_000, "only {taken} calls took the fast path");
}

#[test]
fn an_end_without_the_right_to_send_is_refused_on_both_paths() {
    for fast in [false, true] {
        let (mut world, known) = build(fast);
        let end = known[1].ends[0];
        let process = world.process(1);
        let capability = process.withdraw(&world.kernel.memory, end).expect("the end");
        let less = crate::handles::Capability { rights: capability.rights - Rights::SEND, ..capability };
        process.fill(&world.kernel.memory, end, less);
        let waits =
            [(reg::A0, known[3].ports[0].0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], 0)];
        world.call(4, Sysno::reply_and_wait, &waits);
        world.call(0, Sysno::channel_call, &[(reg::A0, end.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER)]);
        assert_eq!(world.answer(0), Some(Err(nexus_abi::Error::AccessDenied)));
        assert_eq!(world.answer(4), None);
    }
}

/// The hint by which a fast answer finds its channel may be stale: the frame may be another channel by now, whose open call
/// is nobody's business here.
#[test]
fn a_stale_hint_and_a_guessed_token_answer_nobody() {
    for fast in [false, true] {
        let mut world = World::new(fast, 4, 1);
        let ports = [1, 2, 3, 4].map(|n| world.give(n, Kind::Port));
        let wait = |world: &mut World, n: usize, tag: u64, token: u64| {
            let registers =
                [(reg::A0, ports[n].0 as u64), (reg::A0 + 1, tag), (reg::T[3], NEVER), (reg::T[4], token)];
            world.call(n, Sysno::reply_and_wait, &registers);
        };
        let bind = |world: &mut World, n: usize, end: Handle| {
            let signals = Signals::READABLE.bits() as u64;
            world.call(
                n,
                Sysno::port_bind,
                &[(10, ports[n].0 as u64), (11, end.0 as u64), (12, 1), (13, signals)],
            );
            assert_eq!(world.answer(n), Some(Ok(0)));
        };
        let call = |world: &mut World, n: usize, end: Handle| {
            world.call(
                n,
                Sysno::channel_call,
                &[(reg::A0, end.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER)],
            );
        };
        // Process 2 serves process 1 and answers; the channel is closed on both sides.
        let (near, far) = world.connect(1, 2, [0, 48, 0]);
        bind(&mut world, 1, far);
        wait(&mut world, 1, 0, 0);
        call(&mut world, 0, near);
        let token = world.kernel.thread(world.threads[1].frame).context.get(reg::T[3]);
        world.call(1, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
        assert_eq!(world.answer(0), Some(Ok(0)));
        world.call(0, Sysno::handle_close, &[(reg::A0, near.0 as u64)]);
        world.call(1, Sysno::handle_close, &[(reg::A0, far.0 as u64)]);
        // Its frame becomes a channel between 3 and 4, with an open call; 2 knows the token.
        let (near, far) = world.connect(3, 4, [0, 48, 0]);
        bind(&mut world, 3, far);
        wait(&mut world, 3, 0, 0);
        call(&mut world, 2, near);
        assert_eq!(world.answer(2), None);
        let token = world.kernel.thread(world.threads[3].frame).context.get(reg::T[3]);
        assert_ne!(token, 0);
        wait(&mut world, 1, 0, token);
        assert_eq!(world.answer(1), Some(Err(nexus_abi::Error::CallerGone)), "fast: {fast}");
        assert_eq!(world.answer(2), None, "fast: {fast}");
    }
}

/// What the tests below do, by thread (one a process, from process 1 on).
struct Cast {
    world: World,
    ports: Vec<Handle>,
}

impl Cast {
    fn new(fast: bool, processes: usize, threads: usize) -> Cast {
        let world = World::new(fast, processes, threads);
        let ports = (1..=processes).map(|n| world.give(n, Kind::Port)).collect();
        Cast { world, ports }
    }

    fn bind(&mut self, thread: usize, port: Handle, end: Handle) {
        let arguments = [port.0 as u64, end.0 as u64, 7, Signals::READABLE.bits() as u64];
        let registers: Vec<(usize, u64)> = (reg::A0..).zip(arguments).collect();
        self.world.call(thread, Sysno::port_bind, &registers);
        assert_eq!(self.world.answer(thread), Some(Ok(0)));
    }

    fn wait(&mut self, thread: usize, port: Handle, token: u64) {
        let registers = [(reg::A0, port.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER), (reg::T[4], token)];
        self.world.call(thread, Sysno::reply_and_wait, &registers);
    }

    fn call(&mut self, thread: usize, end: Handle) {
        let registers = [(reg::A0, end.0 as u64), (reg::A0 + 1, 0), (reg::T[3], NEVER)];
        self.world.call(thread, Sysno::channel_call, &registers);
    }

    /// Sends handles with `sizes` of a message.
    fn send(&mut self, thread: usize, process: usize, end: Handle, handle: Handle) {
        let cells = self.world.kernel.memory.page::<[crate::sync::Cell64; 512]>(self.world.pages[process]);
        cells[0].set(handle.0 as u64);
        let registers = [
            (reg::A0, end.0 as u64),
            (reg::A0 + 1, Tag::new(0, 1).0),
            (reg::T[2], PAGE_AT),
            (reg::T[3], NOW),
        ];
        self.world.call(thread, Sysno::channel_send, &registers);
        assert_eq!(self.world.answer(thread), Some(Ok(0)));
    }

    /// Takes a handle out of the message at the head of an end's queue.
    fn receive(&mut self, thread: usize, process: usize, end: Handle) -> Handle {
        let room = Tag::new(0, 0).with_room(0, 1).0;
        let registers = [(reg::A0, end.0 as u64), (reg::A0 + 1, room), (reg::T[2], PAGE_AT)];
        self.world.call(thread, Sysno::channel_recv, &registers);
        assert!(matches!(self.world.answer(thread), Some(Ok(_))));
        let cells = self.world.kernel.memory.page::<[crate::sync::Cell64; 512]>(self.world.pages[process]);
        Handle(cells[0].get() as u32)
    }

    fn token(&self, thread: usize) -> u64 {
        self.world.kernel.thread(self.world.threads[thread].frame).context.get(reg::T[3])
    }
}

/// Thread 0 is a client's, 1 the server's, 2 another process's: it waits at the server's port, of which it was sent a handle. It
/// gets calls, but the answers to them are the server's alone.
#[test]
fn who_shares_a_port_does_not_share_the_answers() {
    for fast in [false, true] {
        let mut cast = Cast::new(fast, 3, 1);
        let (near, far) = cast.world.connect(1, 2, [0, 48, 0]);
        let (out, other) = cast.world.connect(2, 3, [1, 48, 1]);
        let port = cast.ports[1];
        cast.bind(1, port, far);
        let rights = (Kind::Port.all_rights()).bits() as u64;
        cast.world.call(1, Sysno::handle_dup, &[(reg::A0, port.0 as u64), (reg::A0 + 1, rights)]);
        let Some(Ok(copy)) = cast.world.answer(1) else { panic!("no copy") };
        cast.send(1, 2, out, Handle(copy as u32));
        let shared = cast.receive(2, 3, other);
        for round in 0..3 {
            cast.wait(2, shared, 0);
            cast.call(0, near);
            let token = cast.token(2);
            assert_ne!(token, 0, "fast {fast}, round {round}");
            cast.wait(2, shared, token);
            assert_eq!(
                cast.world.answer(2),
                Some(Err(nexus_abi::Error::CallerGone)),
                "fast {fast}, round {round}"
            );
            cast.world.call(1, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
            assert_eq!(cast.world.answer(0), Some(Ok(0)), "fast {fast}, round {round}");
        }
    }
}

/// Threads 0 and 1 are a client's, 2 and 3 the server's, 4 and 5 another's. The served end is sent on while its server waits.
#[test]
fn an_end_on_its_way_is_served_by_nobody_and_then_by_its_new_holder() {
    for fast in [false, true] {
        let mut cast = Cast::new(fast, 3, 2);
        let (near, far) = cast.world.connect(1, 2, [0, 48, 0]);
        let (out, other) = cast.world.connect(2, 3, [1, 48, 1]);
        let (old, new) = (cast.ports[1], cast.ports[2]);
        cast.bind(2, old, far);
        cast.wait(2, old, 0);
        for _ in 0..3 {
            cast.call(0, near);
            let token = cast.token(2);
            cast.wait(2, old, token);
            assert_eq!(cast.world.answer(0), Some(Ok(0)));
        }
        cast.send(3, 2, out, far);
        cast.call(0, near);
        assert_eq!(cast.world.answer(2), None, "fast {fast}: the old server got a call");
        let far = cast.receive(4, 3, other);
        cast.call(1, near);
        cast.bind(4, new, far);
        for thread in [0, 1] {
            cast.wait(4, new, 0);
            let token = cast.token(4);
            cast.world.call(4, Sysno::channel_reply, &[(reg::A0 + 1, 0), (reg::T[4], token)]);
            assert_eq!(cast.world.answer(thread), Some(Ok(0)), "fast {fast}");
        }
        assert_eq!(cast.world.answer(2), None);
    }
}
