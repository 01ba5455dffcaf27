//! The kit at its bounds, against a fake device that works on nothing unless it is told to.

use fake_virtio::models::Entropy;
use fake_virtio::{FakeMemory, FakeRegisters, Kind, Mischief, World};
use nexus_driver::memory::PAGE;
use nexus_driver::queue::{Access, MAX_SIZE};
use nexus_driver::transport::{RESET_LOOKS, STEADY_LOOKS, kind};
use nexus_driver::{Fault, Part, Pool, Queue, Registers, Transport};

fn world(mischief: Mischief) -> World {
    World::new(Entropy::default(), 8, 1, mischief)
}

struct Rig {
    transport: Transport<FakeRegisters>,
    queue: Queue<FakeMemory>,
    buffer: FakeMemory,
}

impl Rig {
    fn new(world: &World, most: u16) -> Rig {
        let mut pool = world.pool();
        let queue = Queue::new(pool.allocate(Queue::<FakeMemory>::bytes(most)).unwrap(), most).unwrap();
        Rig { transport: Transport::new(world.registers()), queue, buffer: pool.allocate(PAGE).unwrap() }
    }

    fn up(&mut self) -> Result<u64, Fault> {
        self.transport.bring_up(kind::ENTROPY, 0, &mut [&mut self.queue])
    }

    fn part(&self, offset: usize, length: usize) -> Part {
        Part::of(&self.buffer, offset, length, Access::DeviceWrites).unwrap()
    }
}

#[test]
fn a_part_is_inside_its_memory() {
    let world = world(Mischief::none());
    let memory = world.pool().allocate(PAGE).unwrap();
    let part = |offset, length| Part::of(&memory, offset, length, Access::DeviceReads).map(|_| ());
    assert_eq!(part(0, PAGE), Ok(()));
    assert_eq!(part(PAGE - 1, 1), Ok(()));
    for (offset, length) in
        [(0, 0), (PAGE, 0), (0, PAGE + 1), (1, PAGE), (PAGE, 1), (usize::MAX, 2), (2, usize::MAX)]
    {
        assert_eq!(part(offset, length), Err(Fault::Outside), "{length} bytes at {offset}");
    }
}

#[test]
fn a_queue_has_a_length_that_the_standard_allows() {
    let world = world(Mischief::none());
    let new = |most: u16, pages: usize| {
        Queue::new(world.pool().allocate(pages * PAGE).unwrap(), most).map(|queue| queue.size())
    };
    assert_eq!(new(1, 1), Ok(1));
    assert_eq!(new(MAX_SIZE, 2), Ok(MAX_SIZE));
    assert_eq!(new(MAX_SIZE, 1), Err(Fault::Outside));
    for most in [0, 3, MAX_SIZE + 1, MAX_SIZE * 2, u16::MAX] {
        assert_eq!(new(most, 2), Err(Fault::NoQueue), "{most}");
    }
}

#[test]
fn a_queue_takes_as_many_parts_as_it_has_descriptors_and_not_one_more() {
    let world = world(Mischief::none());
    let mut rig = Rig::new(&world, 8);
    rig.up().unwrap();
    let part = rig.part(0, 16);
    assert_eq!(rig.queue.submit(&[]), Err(Fault::Outside));
    assert_eq!(rig.queue.submit(&[part; 9]), Err(Fault::Outside));
    let first = rig.queue.submit(&[part; 3]).unwrap();
    let second = rig.queue.submit(&[part; 5]).unwrap();
    assert_ne!(first, second);
    assert_eq!(
        (rig.queue.submit(&[part]), rig.queue.room(), rig.queue.outstanding()),
        (Err(Fault::Full), 0, 2)
    );
    rig.transport.notify(0).unwrap();
    assert!(world.work());
    assert!(rig.transport.interrupt().unwrap().queue);
    let mut back = [(); 2].map(|()| rig.queue.take().unwrap().unwrap());
    back.sort_by_key(|used| used.written);
    assert_eq!(back.map(|used| (used.token, used.written)), [(first, 48), (second, 80)]);
    assert_eq!((rig.queue.take(), rig.queue.room(), rig.queue.outstanding()), (Ok(None), 8, 0));
    // Descriptors have been given back in another order: each is still there once.
    rig.queue.submit(&[part; 8]).unwrap();
    rig.transport.notify(0).unwrap();
    world.work();
    assert_eq!(rig.queue.take().unwrap().unwrap().written, 128);
    world.check("full queue");
    world.kill();
}

#[test]
fn what_the_device_writes_comes_after_what_it_reads() {
    let world = world(Mischief::none());
    let mut rig = Rig::new(&world, 8);
    rig.up().unwrap();
    let read = Part::of(&rig.buffer, 0, 8, Access::DeviceReads).unwrap();
    let write = rig.part(8, 8);
    assert_eq!(rig.queue.submit(&[write, read]), Err(Fault::Outside));
    assert!(rig.queue.submit(&[read, write]).is_ok());
    world.kill();
}

#[test]
fn indices_may_wrap() {
    let world = world(Mischief::none());
    let mut rig = Rig::new(&world, 4);
    rig.up().unwrap();
    for round in 0..70_000u32 {
        let part = rig.part(0, 1 + (round % 7) as usize);
        let token = rig.queue.submit(&[part]).unwrap();
        rig.transport.notify(0).unwrap();
        world.work();
        let used = rig.queue.take().unwrap().unwrap();
        assert_eq!((used.token, used.written), (token, 1 + round % 7));
        if round % 10_000 == 0 {
            world.rest();
        }
    }
    world.check("wrapping");
    world.kill();
}

#[test]
fn each_lie_about_used_chains_is_the_fault_that_it_is() {
    let expected = [
        (Kind::IdOutside, Fault::UsedUnknown),
        (Kind::TooLong, Fault::UsedTooLong),
        (Kind::Twice, Fault::UsedTooMany),
    ];
    for (lie, fault) in expected {
        let world = world(Mischief::of(&[lie], 255));
        let mut rig = Rig::new(&world, 8);
        rig.up().unwrap();
        rig.queue.submit(&[rig.part(0, 16)]).unwrap();
        rig.transport.notify(0).unwrap();
        world.work();
        assert_eq!(rig.queue.take(), Err(fault), "{lie:?}");
        // A fault stays one until the queue is emptied.
        assert_eq!(rig.queue.take(), Err(fault), "{lie:?} again");
        world.behave();
        rig.up().unwrap();
        assert_eq!((rig.queue.take(), rig.queue.room()), (Ok(None), 8));
        world.check("lies");
        world.kill();
    }
}

#[test]
fn what_the_device_had_before_a_reset_it_does_not_have_after_it() {
    let mut named = [0; 3];
    for seed in 0..60 {
        let world = World::new(Entropy::default(), 8, seed, Mischief::none());
        let mut rig = Rig::new(&world, 8);
        rig.up().unwrap();
        let part = rig.part(0, 16);
        let before = [(); 3].map(|()| rig.queue.submit(&[part]).unwrap());
        rig.up().unwrap();
        let token = rig.queue.submit(&[part]).unwrap();
        assert_eq!((token, rig.queue.room()), (before[0], 7));
        world.misbehave(Mischief::of(&[Kind::IdUnknown], 255));
        rig.transport.notify(0).unwrap();
        world.work();
        match rig.queue.take() {
            Ok(used) => assert_eq!(used.map(|used| used.token), Some(token), "seed {seed}"),
            Err(fault) => assert_eq!(fault, Fault::UsedUnknown),
        }
        named[usize::from(rig.queue.outstanding() == 0)] += 1;
        world.kill();
    }
    assert!(named[0] > 0 && named[1] > 0, "{named:?}");
}

#[test]
fn a_device_that_cannot_be_used_is_refused() {
    let up = |mischief| {
        let world = world(mischief);
        let done = Rig::new(&world, 8).up();
        assert!(world.steps() < 2 * u64::from(RESET_LOOKS) + 100, "{} steps", world.steps());
        world.kill();
        done
    };
    assert!(up(Mischief::none()).is_ok());
    assert_eq!(up(Mischief::of(&[Kind::NeverReset], 255)), Err(Fault::NotReset));
    assert_eq!(up(Mischief::of(&[Kind::RegistersLie], 255)), Err(Fault::Absent));
    assert_eq!(up(Mischief::of(&[Kind::NeedsReset], 255)), Err(Fault::NeedsReset));
    assert_eq!(up(Mischief::of(&[Kind::FeaturesLie], 255)), Err(Fault::Features));
    assert_eq!(up(Mischief::of(&[Kind::QueueLies], 255)), Err(Fault::NoQueue));
    let world = world(Mischief::none());
    let mut rig = Rig::new(&world, 8);
    assert_eq!(rig.transport.bring_up(kind::BLOCK, 0, &mut [&mut rig.queue]), Err(Fault::Absent));
    world.kill();
}

#[test]
fn a_configuration_that_always_changes_is_given_up() {
    let steady = |chance| {
        let world = world(Mischief::of(&[Kind::ConfigChanges], chance));
        let reads = std::cell::Cell::new(0);
        let done = Transport::new(world.registers()).steady(|transport| {
            reads.set(reads.get() + 1);
            transport.config32(0)
        });
        (done, reads.get())
    };
    assert_eq!(steady(0), (Ok(0), 1));
    // The generation changes at each look but with a small chance.
    assert_eq!(steady(255), (Err(Fault::Unsteady), STEADY_LOOKS));
}

#[test]
fn an_access_outside_the_window_is_refused() {
    let world = world(Mischief::none());
    let registers = world.registers();
    assert!(registers.load32(PAGE - 4).is_ok());
    for offset in [PAGE - 3, PAGE, usize::MAX - 1, usize::MAX] {
        assert_eq!(registers.load32(offset), Err(Fault::Outside));
        assert_eq!(Transport::new(&world.registers()).config32(offset), Err(Fault::Outside));
    }
}
