//! A handle that goes with a message, by the fast path and by the slow one: each history is written down, and everything that can be
//! observed is the same in both worlds after each call.

use super::world::{PAGE_AT, World};
use crate::context::reg;
use crate::handles::Capability;
use crate::sync::Cell64;
use nexus_abi::{Error, Handle, Kind, NEVER, Rights, Signals, Sysno, Tag};

/// The client's thread and the server's; their processes are 1 and 2.
const CLIENT: usize = 0;
const SERVER: usize = 1;
/// Where in its page each has its handle buffer.
const BUFFER: u64 = 64;
/// Where nothing is mapped.
const NOWHERE: u64 = PAGE_AT + 0x10_0000;

/// Two worlds that do the same, one of them always by the slow path.
struct Pair {
    worlds: [World; 2],
    near: Handle,
    port: Handle,
    buffers: [u64; 2],
    room: Tag,
}

impl Pair {
    /// A client whose end leads to a server that receives `handles` handles with a message.
    fn new(handles: u64) -> Pair {
        let mut worlds = [World::new(true, 2, 1), World::new(false, 2, 1)];
        let made = worlds.each_mut().map(|world| {
            let (near, far) = world.connect(1, 2, [0, 48, handles]);
            let port = world.give(2, Kind::Port);
            let bind = [port.0 as u64, far.0 as u64, 7, Signals::READABLE.bits() as u64];
            world.call(SERVER, Sysno::port_bind, &(reg::A0..).zip(bind).collect::<Vec<_>>());
            (near, port)
        });
        let (near, port) = made[0];
        let room = Tag::new(0, 0).with_room(0, 1);
        let mut pair = Pair { worlds, near, port, buffers: [PAGE_AT + BUFFER; 2], room };
        // Once by the slow path, which finds out what the fast one needs to know.
        pair.wait(0, Tag::default(), Handle::NONE);
        pair.call(Tag::default(), Handle::NONE);
        let token = pair.token();
        pair.wait(token, Tag::default(), Handle::NONE);
        pair
    }

    /// The same in both worlds; how many of the fast one's calls took the fast path.
    fn both(&mut self, mut act: impl FnMut(&mut World)) -> usize {
        let before = self.worlds[0].taken;
        self.worlds.iter_mut().for_each(&mut act);
        let [fast, slow] = &self.worlds;
        assert_eq!(fast.describe(), slow.describe());
        fast.taken - before
    }

    fn give(&mut self, process: usize, kind: Kind) -> Handle {
        let given = self.worlds.each_mut().map(|world| world.give(process, kind));
        assert_eq!(given[0], given[1]);
        given[0]
    }

    /// Changes what stands in the entry of a handle.
    fn alter(&mut self, process: usize, handle: Handle, alter: impl Fn(Capability) -> Capability) {
        self.both(|world| {
            let (table, memory) = (world.process(process), &world.kernel.memory);
            let capability = table.withdraw(memory, handle).expect("open");
            table.fill(memory, handle, alter(capability));
        });
    }

    fn message(
        &mut self,
        thread: usize,
        first: (Sysno, Handle),
        tag: Tag,
        token: u64,
        handle: Handle,
    ) -> usize {
        let (buffer, room) = (self.buffers[thread], self.room);
        let tag = tag.0 | room.0;
        self.both(|world| {
            let cells = world.kernel.memory.page::<[Cell64; 512]>(world.pages[thread + 1]);
            cells[BUFFER as usize / 8].set(handle.0 as u64 | 0xabcd << 32);
            let mut registers = vec![(reg::A0, first.1.0 as u64), (reg::A0 + 1, tag), (reg::T[4], token)];
            registers.extend([(reg::T[1], 0), (reg::T[2], buffer), (reg::T[3], NEVER)]);
            registers.extend((0..6).map(|n| (reg::A0 + 2 + n, 0x11 * (n as u64 + 1))));
            world.call(thread, first.0, &registers);
        })
    }

    fn call(&mut self, tag: Tag, handle: Handle) -> usize {
        self.message(CLIENT, (Sysno::channel_call, self.near), tag, 0, handle)
    }

    fn wait(&mut self, token: u64, tag: Tag, handle: Handle) -> usize {
        self.message(SERVER, (Sysno::reply_and_wait, self.port), tag, token, handle)
    }

    fn answer(&self, thread: usize) -> Option<Result<u64, Error>> {
        self.worlds[0].answer(thread)
    }

    fn token(&self) -> u64 {
        let world = &self.worlds[0];
        world.kernel.thread(world.threads[SERVER].frame).context.get(reg::T[3])
    }

    /// The handle that a process was told of.
    fn told(&self, process: usize) -> Handle {
        let world = &self.worlds[0];
        let cells = world.kernel.memory.page::<[Cell64; 512]>(world.pages[process]);
        Handle(cells[BUFFER as usize / 8].get() as u32)
    }

    /// The server answers what it was asked, without a handle.
    fn answer_plainly(&mut self) {
        let token = self.token();
        self.wait(token, Tag::default(), Handle::NONE);
    }
}

const ONE: Tag = Tag::new(8, 1);

#[test]
fn a_handle_goes_with_a_call_and_comes_back_with_an_answer() {
    for kind in [Kind::Vmo, Kind::Timer, Kind::Quota, Kind::Identity] {
        let mut pair = Pair::new(1);
        let mut handle = pair.give(1, kind);
        for _ in 0..100 {
            assert_eq!(pair.call(ONE, handle), 1, "a call with a {kind:?} went the slow path");
            assert_eq!(pair.answer(SERVER), Some(Ok(ONE.0 | pair.room.0)));
            assert_eq!(
                pair.worlds[0].process(1).lookup(&pair.worlds[0].kernel.memory, handle),
                Err(Error::BadHandle)
            );
            let token = pair.token();
            let there = pair.told(2);
            assert_eq!(
                pair.wait(token, Tag::new(48, 1), there),
                1,
                "an answer with a {kind:?} went the slow path"
            );
            assert_eq!(pair.answer(CLIENT), Some(Ok(Tag::new(48, 1).0)));
            let back = pair.told(1);
            assert_ne!(back, handle);
            handle = back;
        }
    }
}

/// What the fast path leaves to the slow one, and what is answered then.
#[test]
fn what_may_not_go_by_its_entry_alone_goes_the_slow_path() {
    let slowly = |pair: &mut Pair, handle: Handle, tag: Tag, answer: Option<Error>| {
        assert_eq!(pair.call(tag, handle), 0, "the fast path took it");
        match answer {
            Some(error) => assert_eq!(pair.answer(CLIENT), Some(Err(error))),
            None => assert_eq!(pair.answer(CLIENT), None),
        }
    };
    let mut pair = Pair::new(1);
    let vmo = pair.give(1, Kind::Timer);
    slowly(&mut pair, Handle(vmo.0 ^ 1 << 16), ONE, Some(Error::BadHandle));
    slowly(&mut pair, Handle(0xffff), ONE, Some(Error::BadHandle));
    slowly(&mut pair, Handle::NONE, ONE, Some(Error::BadHandle));
    let near = pair.near;
    slowly(&mut pair, near, ONE, Some(Error::Invalid));
    slowly(&mut pair, vmo, Tag::new(0, 2), Some(Error::BadHandle));
    slowly(&mut pair, vmo, Tag::new(49, 1), Some(Error::BadAddress));
    slowly(&mut pair, vmo, Tag(ONE.0 | 1 << 13), Some(Error::Invalid));
    slowly(&mut pair, vmo, Tag(ONE.0 | 1 << 20), Some(Error::Invalid));
    slowly(&mut pair, vmo, Tag(ONE.0 | 1 << 53), Some(Error::Invalid));
    slowly(&mut pair, vmo, Tag(ONE.0 | 15 << 40), Some(Error::Invalid));
    for buffer in [NOWHERE, 8, u64::MAX - 3, nexus_abi::bounds::DEVICE_START] {
        pair.buffers[CLIENT] = buffer;
        slowly(&mut pair, vmo, ONE, Some(Error::BadAddress));
    }
    pair.buffers[CLIENT] = PAGE_AT + BUFFER;
    pair.alter(1, vmo, |c| Capability { rights: c.rights - Rights::TRANSFER, ..c });
    slowly(&mut pair, vmo, ONE, Some(Error::AccessDenied));
    pair.alter(1, vmo, |c| Capability { rights: c.rights | Rights::TRANSFER, ..c });
    assert_eq!(pair.call(ONE, vmo), 1);
    pair.answer_plainly();

    // An object that is gone, and an entry whose capability is on its way.
    let gone = pair.give(1, Kind::Timer);
    pair.both(|world| {
        let object = world.process(1).lookup(&world.kernel.memory, gone).expect("open").object;
        assert!(world.kernel.retire_live(object));
    });
    slowly(&mut pair, gone, ONE, Some(Error::BadHandle));
    let away = pair.give(1, Kind::Timer);
    pair.both(|world| {
        world.process(1).withdraw(&world.kernel.memory, away).expect("open");
    });
    slowly(&mut pair, away, ONE, Some(Error::BadHandle));

    // These go, the slow way: the end of another channel, a port.
    let port = pair.give(1, Kind::Port);
    slowly(&mut pair, port, ONE, None);
    pair.answer_plainly();
    let ends = pair.worlds.each_mut().map(|world| world.connect(1, 1, [0, 0, 0]));
    slowly(&mut pair, ends[0].1, ONE, None);
    assert_eq!(pair.answer(SERVER), Some(Ok(ONE.0 | pair.room.0)));
}

#[test]
fn a_receiver_that_cannot_take_a_handle_learns_of_it_by_the_slow_path() {
    // An end that takes none.
    let mut pair = Pair::new(0);
    let vmo = pair.give(1, Kind::Vmo);
    assert_eq!(pair.call(ONE, vmo), 0);
    assert_eq!(pair.answer(CLIENT), Some(Err(Error::TooLarge)));

    for (buffer, room, error) in [
        (PAGE_AT + BUFFER, 0, Error::BufferTooSmall),
        (NOWHERE, 1, Error::BadAddress),
        (nexus_abi::bounds::DEVICE_START, 1, Error::BadAddress),
        (PAGE_AT + BUFFER, 1, Error::NoSpace),
    ] {
        let mut pair = Pair::new(1);
        let vmo = pair.give(1, Kind::Vmo);
        // The server waits as the case says, and the client calls.
        pair.call(Tag::default(), Handle::NONE);
        (pair.buffers[SERVER], pair.room) = (buffer, Tag::new(0, 0).with_room(0, room));
        pair.answer_plainly();
        if error == Error::NoSpace {
            while pair.worlds.each_mut().map(|w| w.process(2).reserve(&w.kernel.memory).is_ok())[0] {}
        }
        assert_eq!(pair.call(ONE, vmo), 0, "{error:?}");
        assert_eq!((pair.answer(SERVER), pair.answer(CLIENT)), (Some(Err(error)), None));
    }

    for (buffer, room, fills, client) in [
        (PAGE_AT + BUFFER, 0, false, None),
        (NOWHERE, 1, false, Some(Err(Error::BadAddress))),
        (nexus_abi::bounds::DEVICE_START, 1, false, Some(Err(Error::BadAddress))),
        (PAGE_AT + BUFFER, 1, true, Some(Err(Error::NoSpace))),
    ] {
        let mut pair = Pair::new(1);
        let vmo = pair.give(2, Kind::Vmo);
        (pair.buffers[CLIENT], pair.room) = (buffer, Tag::new(0, 0).with_room(0, room));
        pair.call(Tag::default(), Handle::NONE);
        pair.room = Tag::new(0, 0).with_room(0, 1);
        if fills {
            while pair.worlds.each_mut().map(|w| w.process(1).reserve(&w.kernel.memory).is_ok())[0] {}
        }
        let token = pair.token();
        assert_eq!(pair.wait(token, ONE, vmo), 0);
        assert_eq!(pair.answer(CLIENT), client);
        assert_eq!(pair.answer(SERVER), client.is_none().then_some(Err(Error::BufferTooSmall)));
    }
}

/// A handle list that is not aligned is read and written byte by byte, which only the slow path does.
#[test]
fn a_crooked_handle_buffer_is_for_the_slow_path() {
    for (client, server, fast) in [(0, 0, 1), (4, 4, 1), (1, 0, 0), (0, 2, 0)] {
        let mut pair = Pair::new(1);
        let vmo = pair.give(1, Kind::Vmo);
        pair.call(Tag::default(), Handle::NONE);
        pair.buffers = [PAGE_AT + BUFFER + client, PAGE_AT + BUFFER + server];
        pair.answer_plainly();
        pair.both(|world| {
            let cells = world.kernel.memory.page::<[Cell64; 512]>(world.pages[1]);
            cells[BUFFER as usize / 8].set((vmo.0 as u64) << (8 * client));
        });
        let registers = [
            (reg::A0, pair.near.0 as u64),
            (reg::A0 + 1, ONE.0),
            (reg::T[2], pair.buffers[CLIENT]),
            (reg::T[3], NEVER),
        ];
        let taken = pair.both(|world| world.call(CLIENT, Sysno::channel_call, &registers));
        assert_eq!(taken, fast, "buffers {client} and {server} past a multiple of 8");
        assert_eq!(pair.answer(SERVER), Some(Ok(ONE.0)));
    }
}

/// Within one process the two tables are one, whose lock is not taken twice.
#[test]
fn a_handle_within_one_process_goes_the_slow_path() {
    let mut worlds = [World::new(true, 1, 2), World::new(false, 1, 2)];
    for world in &mut worlds {
        let (near, far) = world.connect(1, 1, [0, 48, 1]);
        let port = world.give(1, Kind::Port);
        let vmo = world.give(1, Kind::Vmo);
        let bind = [port.0 as u64, far.0 as u64, 7, Signals::READABLE.bits() as u64];
        world.call(1, Sysno::port_bind, &(reg::A0..).zip(bind).collect::<Vec<_>>());
        let message = |world: &mut World, n: usize, number, handle: Handle, sizes: Tag, token: u64| {
            let cells = world.kernel.memory.page::<[Cell64; 512]>(world.pages[1]);
            cells[8 * n].set(vmo.0 as u64);
            let registers = [
                (reg::A0, handle.0 as u64),
                (reg::A0 + 1, sizes.with_room(0, 1).0),
                (reg::T[2], PAGE_AT + 64 * n as u64),
                (reg::T[3], NEVER),
                (reg::T[4], token),
            ];
            world.call(n, number, &registers);
        };
        message(world, 1, Sysno::reply_and_wait, port, Tag::default(), 0);
        message(world, 0, Sysno::channel_call, near, Tag::default(), 0);
        let token = world.kernel.thread(world.threads[1].frame).context.get(reg::T[3]);
        message(world, 1, Sysno::reply_and_wait, port, Tag::default(), token);
        let taken = world.taken;
        message(world, 0, Sysno::channel_call, near, ONE, 0);
        assert_eq!(world.answer(1), Some(Ok(ONE.with_room(0, 1).0)));
        assert_eq!(world.taken, taken);
    }
    assert_eq!(worlds[0].describe(), worlds[1].describe());
}

/// The generation of an entry goes round from its last value to 1: 0 is never a handle.
#[test]
fn the_last_generation_of_an_entry_is_followed_by_the_first() {
    let memory = crate::memory::Memory::for_test(32).expect("memory");
    let [process, page, object] = [(); 3].map(|()| memory.allocate().expect("frame"));
    let table = memory.page::<crate::process::Process>(process);
    table.handle_pages[0].set(page.0);
    table.handle_capacity.set(2);
    table.chain_handles(&memory, 0);
    let object = crate::handles::ObjectRef { frame: object, generation: 0 };
    let capability = Capability { object, kind: Kind::Vmo, end: 0, rights: Rights::READ };
    for generation in (1..=u16::MAX).chain([1, 2]) {
        let handle = table.insert(&memory, capability).expect("room");
        assert_eq!(handle, Handle(1 | (generation as u32) << 16));
        assert_eq!(table.remove(&memory, handle), Ok(capability));
    }
}
