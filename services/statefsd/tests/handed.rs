//! Values in memory that comes with a message: at its bounds, and where the memory is not what the message says or changes meanwhile.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};

use nexus_rt::abi::{Error as Refused, Handle, Identity};
use nexus_rt::api::state::{Error, KEY, MAX_DATA, MAX_HANDED, SALT, Server};
use nexus_rt::copier::GRAIN;
use nexus_rt::wire::{Bytes, Held, Sender, Text, kinds};
use nexus_rt::{Any, Owned, Vmo};
use nexus_state::engine::PAGE;
use nexus_state::rules::Access;
use powercut::Disk;
use statefsd::changes;
use statefsd::handed::Hands;
use statefsd::mounted::Mounted;
use statefsd::service::Service;

const RULES: &str = "7:app:rw 7#70000/140000 8:app:r 14::c 6:keystore:rw 6#200000/200000 6=keystore";

/// A client's memory: whole pages, of which somebody may write more while they are looked at.
#[derive(Default)]
struct Shared {
    bytes: Vec<u8>,
    /// Copies made, out and in.
    taken: usize,
    given: usize,
    /// What the kernel says in place of a copy.
    refuses: Option<Refused>,
}

#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Shared>>);

impl Memory {
    fn fill(&self, bytes: &[u8]) {
        let mut shared = self.0.borrow_mut();
        shared.bytes = bytes.to_vec();
        let whole = bytes.len().next_multiple_of(PAGE).max(PAGE);
        shared.bytes.resize(whole, 0xee);
    }

    fn copies(&self) -> (usize, usize) {
        let shared = self.0.borrow();
        (shared.taken, shared.given)
    }
}

impl Hands for Memory {
    fn take(&mut self, _: &Owned<Vmo>, out: &mut [u8]) -> Result<(), Refused> {
        assert!(out.len().is_multiple_of(GRAIN));
        let mut shared = self.0.borrow_mut();
        shared.taken += 1;
        if let Some(refused) = shared.refuses {
            return Err(refused);
        }
        let length = out.len();
        out.copy_from_slice(shared.bytes.get(..length).ok_or(Refused::Invalid)?);
        // Its owner goes on writing.
        shared.bytes.fill(0xaa);
        Ok(())
    }

    fn give(&mut self, _: &Owned<Vmo>, room: usize, bytes: &[u8]) -> Result<(), Refused> {
        assert!(bytes.len().is_multiple_of(GRAIN) && bytes.len() <= room.next_multiple_of(GRAIN));
        let mut shared = self.0.borrow_mut();
        shared.given += 1;
        if let Some(refused) = shared.refuses {
            return Err(refused);
        }
        let place = shared.bytes.get_mut(..room.next_multiple_of(PAGE)).ok_or(Refused::Invalid)?;
        place[..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

/// A handle that means nothing here.
fn handle() -> Held<Owned<Any>, kinds::Vmo> {
    Held::assume(Owned::from_handle(Handle(9)))
}

fn who(service: u32) -> Sender {
    Sender { identity: Identity { service, generation: 1 }, key: service.into(), token: 1 }
}

fn name() -> [u8; 16] {
    static MADE: AtomicU8 = AtomicU8::new(0);
    [MADE.fetch_add(1, Ordering::Relaxed); 16]
}

fn served() -> (Service<Disk>, Memory) {
    let memory = Memory::default();
    let access = Access::read(RULES).expect("rules");
    let mounted = Mounted::new(Disk::new(1200 * PAGE), access, name, 1 << 32);
    (Service::new(mounted).handed(memory.clone()), memory)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 253) as u8).collect()
}

fn put(service: &mut Service<Disk>, memory: &Memory, length: usize) -> Result<(), Error> {
    memory.fill(&pattern(length));
    service.put_from(who(7), false, length as u32, handle(), Text::cut("app/a")).map(drop)
}

fn used(service: &mut Service<Disk>) -> u64 {
    service.usage(who(7)).expect("usage").used
}

#[test]
fn a_value_goes_in_and_out_of_memory_at_every_bound_and_not_one_byte_past_it() {
    let (mut service, memory) = served();
    for length in [0, 1, GRAIN, GRAIN + 1, MAX_DATA, MAX_DATA + 1, PAGE, PAGE + 1, MAX_HANDED - 1, MAX_HANDED]
    {
        put(&mut service, &memory, length).expect("put");
        assert_eq!(used(&mut service), (5 + length + 64) as u64);
        // All of it at once, and the end of it, in memory of which no more than that is written.
        for from in [0, length / 2, length, length + 1] {
            memory.fill(&[]);
            memory.0.borrow_mut().bytes = vec![0xee; MAX_HANDED];
            let room = MAX_HANDED as u32;
            let path = Text::cut("app/a");
            let reply = service.get_into(who(7), from as u64, room, handle(), path).expect("read");
            let expected = pattern(length).split_off(from.min(length));
            assert_eq!((reply.stat.length, reply.length as usize), (length as u64, expected.len()));
            let shared = memory.0.borrow();
            let (value, rest) = shared.bytes.split_at(expected.len());
            let (filling, rest) = rest.split_at(rest.len() % GRAIN);
            assert!(value == expected && filling.iter().all(|byte| *byte == 0), "{length} from {from}");
            assert!(rest.iter().all(|byte| *byte == 0xee), "{length} from {from}");
        }
    }
    let before = used(&mut service);
    assert_eq!(put(&mut service, &memory, MAX_HANDED + 1), Err(Error::TooLarge));
    let room = MAX_HANDED as u32 + 1;
    let read = service.get_into(who(7), 0, room, handle(), Text::cut("app/a"));
    assert_eq!(read.map(drop), Err(Error::TooLarge));
    assert_eq!(service.batch_from(who(7), false, room, handle()).map(drop), Err(Error::TooLarge));
    assert_eq!(
        service.put_from(who(7), false, u32::MAX, handle(), Text::cut("app/a")).map(drop),
        Err(Error::TooLarge)
    );
    assert_eq!(used(&mut service), before);
}

#[test]
fn memory_is_copied_once_and_what_becomes_of_it_afterwards_is_nothing_to_the_value() {
    let (mut service, memory) = served();
    let before = memory.copies();
    put(&mut service, &memory, 5000).expect("put");
    assert_eq!(memory.copies(), (before.0 + 1, before.1));
    assert!(memory.0.borrow().bytes.iter().all(|byte| *byte == 0xaa), "its owner wrote meanwhile");
    let mut found = Vec::new();
    while found.len() < 5000 {
        let reply = service.get(who(7), found.len() as u64, Text::cut("app/a")).expect("read");
        found.extend_from_slice(reply.data.get());
    }
    assert_eq!(found, pattern(5000));
}

#[test]
fn memory_that_is_not_what_the_message_says_changes_nothing() {
    let (mut service, memory) = served();
    put(&mut service, &memory, 100).expect("put");
    let before = used(&mut service);
    for (refused, told) in [
        (Refused::BadAddress, Error::Invalid),
        (Refused::AccessDenied, Error::Invalid),
        (Refused::Invalid, Error::Invalid),
        (Refused::BadHandle, Error::Invalid),
        (Refused::QuotaExceeded, Error::QuotaExceeded),
        (Refused::NoSpace, Error::QuotaExceeded),
    ] {
        memory.0.borrow_mut().refuses = Some(refused);
        assert_eq!(put(&mut service, &memory, 4000), Err(told));
        let read = service.get_into(who(7), 0, 4096, handle(), Text::cut("app/a"));
        assert_eq!(read.map(drop), Err(told));
        assert_eq!(service.batch_from(who(7), false, 100, handle()).map(drop), Err(told));
    }
    memory.0.borrow_mut().refuses = None;
    // One page, of a message that says two.
    memory.fill(&[7; 10]);
    let path = || Text::cut("app/a");
    assert_eq!(service.put_from(who(7), false, 4097, handle(), path()).map(drop), Err(Error::Invalid));
    assert_eq!(service.get_into(who(7), 0, 4097, handle(), path()).map(drop), Err(Error::Invalid));
    assert_eq!(
        (used(&mut service), service.get(who(7), 0, path()).expect("read").data.get()),
        (before, &pattern(100)[..])
    );
    assert!(service.denials().is_empty(), "none of it is a quota's refusal");
}

#[test]
fn who_may_not_has_nothing_written_to_its_memory_and_nothing_is_copied_while_all_is_looked_at() {
    let (mut service, memory) = served();
    put(&mut service, &memory, 4000).expect("put");
    let copies = memory.copies();
    let denied = service.get_into(who(9), 0, 4096, handle(), Text::cut("app/a"));
    assert_eq!(denied.map(drop), Err(Error::PermissionDenied));
    let absent = service.get_into(who(7), 0, 4096, handle(), Text::cut("app/b"));
    assert_eq!(absent.map(drop), Err(Error::NotFound));
    assert_eq!(memory.copies(), copies);
    memory.fill(&[1; 4000]);
    let denied = service.put_from(who(8), false, 4000, handle(), Text::cut("app/a"));
    assert_eq!(denied.map(drop), Err(Error::PermissionDenied));
    assert_eq!(service.denials().len(), 2);
    let copies = memory.copies();
    service.check(who(14), false).expect("begun");
    assert_eq!(put(&mut service, &memory, 4000), Err(Error::Busy));
    assert_eq!(service.get_into(who(7), 0, 4096, handle(), Text::cut("app/a")).map(drop), Err(Error::Busy));
    assert_eq!(service.batch_from(who(7), false, 100, handle()).map(drop), Err(Error::Busy));
    assert_eq!(memory.copies(), copies);
}

#[test]
fn a_batch_of_sixty_four_kilobytes_is_one_change() {
    let (mut service, memory) = served();
    let mut bytes = Vec::new();
    let each = MAX_HANDED / 16 - 4 - "app/batch/00".len();
    for number in 0..16 {
        changes::write(&format!("app/batch/{number:02}"), Some(&pattern(each)), &mut bytes);
    }
    assert_eq!(bytes.len(), MAX_HANDED);
    memory.fill(&bytes);
    let receipt = service.batch_from(who(7), true, MAX_HANDED as u32, handle()).expect("done").receipt;
    let health = service.health(who(7)).expect("health");
    assert_eq!((health.generation, health.safe), (receipt.generation, receipt.generation));
    assert_eq!(service.stat(who(7), Text::cut("app/batch/15")).expect("there").stat.length, each as u64);
    // Bytes that are no changes, cut anywhere, and any others: refused whole.
    for cut in [1, 3, 4, 5, 15, 16, MAX_HANDED / 2 + 1, MAX_HANDED - 1] {
        memory.fill(&bytes);
        assert_eq!(service.batch_from(who(7), true, cut as u32, handle()).map(drop), Err(Error::Invalid));
    }
    let mut seed = 7u64;
    for _ in 0..300 {
        let noise: Vec<u8> = (0..200)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Small numbers, so that kinds and lengths are often right.
                if seed >> 63 == 0 { (seed >> 40) as u8 % 4 } else { (seed >> 40) as u8 }
            })
            .collect();
        memory.fill(&noise);
        let length = (seed >> 20) as u32 % 201;
        let done = service.batch_from(who(7), false, length, handle()).map(drop);
        assert!(matches!(done, Err(Error::Invalid | Error::PermissionDenied)), "{noise:?}: {done:?}");
    }
    assert_eq!(service.health(who(7)).expect("health").generation, receipt.generation);
}

#[test]
fn a_sealed_value_may_be_as_long() {
    let (mut service, memory) = served();
    service.unlock(who(6), 0, [4; KEY], [1; SALT], Text::cut("keystore")).expect("open");
    let (path, length) = (|| Text::cut("keystore/a"), MAX_HANDED as u32);
    memory.fill(&pattern(MAX_HANDED));
    service.put_from(who(6), true, length, handle(), path()).expect("put");
    service.get_into(who(6), 0, length, handle(), path()).expect("read");
    assert!(memory.0.borrow().bytes == pattern(MAX_HANDED));
    assert_eq!(service.put(who(6), true, path(), Bytes::new(b"short").expect("short")).map(drop), Ok(()));
}
