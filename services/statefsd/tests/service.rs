//! The service over a disk in memory: each error by what brings it about, failing disks, clients that leave.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use nexus_rt::abi::{Handle, Identity};
use nexus_rt::api::state::{Error, Event, KEY, Receipt, SALT, Server};
use nexus_rt::wire::{Bytes, Held, Sender, Text, kinds};
use nexus_rt::{Any, Owned};
use nexus_state::engine::{Fault, Medium, PAGE};
use nexus_state::rules::{self, Access};
use powercut::Disk;
use statefsd::answers::told;
use statefsd::changes;
use statefsd::late::{BUDGET_MS, Late};
use statefsd::looking::PIECE;
use statefsd::mounted::{Mounted, Settled};
use statefsd::service::Service;

const RULES: &str = "7:app:rw 7#2000/4000 8:app:r 9::rws 9#4000000/4000000 12::rc 13::m 14::cm";

/// Another name for each store.
fn name() -> [u8; 16] {
    static MADE: AtomicU8 = AtomicU8::new(0);
    [MADE.fetch_add(1, Ordering::Relaxed); 16]
}

fn who(service: u32, key: u64) -> Sender {
    Sender { identity: Identity { service, generation: 1 }, key, token: 1 }
}

fn served(disk: Disk, run: u64) -> Service<Disk> {
    Service::new(Mounted::new(disk, Access::read(RULES).expect("rules"), name, run))
}

fn fresh() -> Service<Disk> {
    served(Disk::new(600 * PAGE), 1 << 32)
}

fn medium(service: Service<Disk>) -> Disk {
    service.into_mounted().into_medium().expect("a medium")
}

fn put(service: &mut Service<Disk>, sender: Sender, path: &str, data: &[u8]) -> Result<Receipt, Error> {
    let put = service.put(sender, false, Text::cut(path), Bytes::new(data).expect("short"));
    put.map(|reply| reply.receipt)
}

fn get(service: &mut Service<Disk>, sender: Sender, path: &str) -> Result<Vec<u8>, Error> {
    service.get(sender, 0, Text::cut(path)).map(|reply| reply.data.get().to_vec())
}

#[test]
fn every_error_keeps_its_number() {
    for error in rules::Error::ALL {
        assert_eq!(told(error) as u16, error.number(), "{error:?}");
    }
}

#[test]
fn what_is_denied_is_noted_with_who_and_what() {
    let mut service = fresh();
    assert_eq!(put(&mut service, who(8, 1), "app/a", b"x"), Err(Error::PermissionDenied));
    assert_eq!(get(&mut service, who(7, 1), "keystore/a"), Err(Error::PermissionDenied));
    put(&mut service, who(7, 1), "app/a", &[0; 3000]).expect("put");
    assert_eq!(put(&mut service, who(7, 1), "app/b", &[0; 3000]), Err(Error::QuotaExceeded));
    let denials = service.denials();
    assert_eq!(denials[0], "service 8 may not put `app/a`");
    assert_eq!(denials[1], "service 7 may not read `keystore/a`");
    assert_eq!(denials[2], "statefs: quota deny subject=7 used=3069 hard=4000");
    assert_eq!((denials.len(), service.denials().len()), (3, 0));
    assert_eq!(service.warnings().len(), 1);
}

#[test]
fn values_and_batches_and_lists() {
    let mut service = fresh();
    let me = who(7, 1);
    let mut bytes = Vec::new();
    changes::write("app/a", Some(b"1"), &mut bytes);
    changes::write("app/b", Some(b"2"), &mut bytes);
    let batch = service.batch(me, true, Bytes::new(&bytes).expect("short")).expect("done").receipt;
    assert_eq!(service.sync(me, batch), Ok(()));
    assert_eq!(service.sync(me, Receipt { run: batch.run + 1, ..batch }), Err(Error::ServerDied));
    bytes.push(1);
    assert_eq!(service.batch(me, true, Bytes::new(&bytes).expect("short")).err(), Some(Error::Invalid));
    assert_eq!(service.batch(me, true, Bytes::new(&[]).expect("short")).err(), Some(Error::Invalid));
    let mut next = |after: &str| {
        let reply = service.next(me, Text::cut(""), Text::cut(after)).expect("listed");
        (reply.found, reply.path.get().to_string())
    };
    assert_eq!(next(""), (true, "app/a".into()));
    assert_eq!(next("app/a"), (true, "app/b".into()));
    assert_eq!(next("app/b"), (false, String::new()));
    service.rename(me, Text::cut("app/a"), Text::cut("app/b")).expect("moved");
    assert_eq!(get(&mut service, me, "app/b").as_deref(), Ok(&b"1"[..]));
    let usage = service.usage(me).expect("usage");
    assert_eq!((usage.used, usage.soft, usage.hard), (5 + 1 + 64, 2000, 4000));
}

/// A disk on which a flush takes as long as a test says.
struct Slow(Disk);

static NOW: AtomicU64 = AtomicU64::new(0);
static FLUSH_MS: AtomicU64 = AtomicU64::new(0);

impl Medium for Slow {
    fn size(&mut self) -> Result<u64, Fault> {
        self.0.size()
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        self.0.read(at, out)
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.0.write(at, data)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        NOW.fetch_add(FLUSH_MS.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.flush()
    }
}

#[test]
fn a_put_over_its_budget_is_told_once_an_episode() {
    let rules = Access::read(RULES).expect("rules");
    let mounted = Mounted::new(Slow(Disk::new(600 * PAGE)), rules, name, 1 << 32);
    let mut service = Service::new(mounted).timed(|| NOW.load(Ordering::Relaxed));
    let mut put = |flush, durable| {
        FLUSH_MS.store(flush, Ordering::Relaxed);
        let data = Bytes::new(b"x").expect("short");
        service.put(who(7, 1), durable, Text::cut("app/a"), data).expect("put");
        service.late()
    };
    let late = |took_ms| Some(Late { service: 7, took_ms });
    assert_eq!(put(BUDGET_MS, true), None, "in time");
    assert_eq!(put(BUDGET_MS + 1, false), None, "nobody waits for a flush");
    assert_eq!(put(BUDGET_MS + 1, true), late(BUDGET_MS + 1));
    assert_eq!(put(BUDGET_MS + 2, true), None, "the same episode");
    assert_eq!(put(1, true), None);
    assert_eq!(put(BUDGET_MS + 3, true), late(BUDGET_MS + 3), "another one");
}

#[test]
fn uploads_belong_to_their_client_and_go_with_it() {
    let mut service = fresh();
    let (me, other) = (who(9, 1), who(9, 2));
    let upload = service.upload(me, 5000, Text::cut("app/long")).expect("begun").upload;
    let part = [3; 2500];
    let bytes = || Bytes::new(&part).expect("short");
    assert_eq!(service.more(other, upload, bytes()), Err(Error::NotFound));
    assert_eq!(service.publish(other, upload).err(), Some(Error::NotFound));
    service.more(me, upload, bytes()).expect("half");
    service.more(me, upload, bytes()).expect("all");
    assert_eq!(service.more(me, upload, bytes()), Err(Error::Invalid), "too much");
    service.publish(me, upload).expect("published");
    assert_eq!(service.publish(me, upload).err(), Some(Error::NotFound));
    let tail = service.get(me, 4990, Text::cut("app/long")).expect("got");
    assert_eq!((tail.stat.length, tail.data.get().len()), (5000, 10));
    for key in 2..2 + rules::MAX_UPLOADS as u64 {
        service.upload(who(9, key), 10, Text::cut("app/never")).expect("begun");
    }
    assert_eq!(service.upload(me, 10, Text::cut("app/more")).err(), Some(Error::QuotaExceeded));
    let before = service.upload(other, 10, Text::cut("app/other")).expect("in place of its first").upload;
    service.gone(2);
    assert_eq!(service.more(other, before, bytes()), Err(Error::NotFound));
    service.upload(me, 10, Text::cut("app/more")).expect("there is room again");
}

#[test]
fn who_may_looks_at_all_of_it_and_who_may_empties_it() {
    let mut service = fresh();
    let (looks, mends) = (who(12, 1), who(13, 2));
    let receipt = put(&mut service, who(7, 3), "app/a", b"1").expect("put");
    let charges = |service: &mut Service<Disk>| {
        let (mut from, mut all) = (0, Vec::new());
        while let Ok(reply) = service.charge(looks, from) {
            all.push((reply.service, reply.used, reply.hard));
            from = reply.service + 1;
        }
        all
    };
    assert_eq!(charges(&mut service), [(7, 5 + 1 + 64, 4000), (9, 0, 4_000_000)]);
    service.snapshot(who(9, 4), Text::cut("before")).expect("kept");
    let point = |service: &mut Service<Disk>, index| {
        service.point(looks, index).map(|one| one.name.get().to_string())
    };
    assert_eq!(point(&mut service, 0).as_deref(), Ok("before"));
    assert_eq!(point(&mut service, 1), Err(Error::NotFound));
    assert_eq!(service.checked(looks).err(), Some(Error::NotFound), "nobody looked yet");
    assert_eq!(service.check(looks, false), Ok(()));
    look(&mut service);
    let checked = service.checked(looks).expect("sound");
    assert_eq!((checked.keys, checked.damaged, checked.lost, checked.mended), (2, 0, 0, 0));
    // Who may look may not mend, and the other way round; strangers may neither.
    for (who, mend) in [(looks, true), (mends, false), (who(9, 4), false), (who(9, 4), true)] {
        assert_eq!(service.check(who, mend).err(), Some(Error::PermissionDenied));
    }
    assert_eq!(service.checked(who(9, 4)).err(), Some(Error::PermissionDenied));
    assert_eq!(service.reset(looks), Err(Error::PermissionDenied));
    assert_eq!(service.charge(mends, 0).err(), Some(Error::PermissionDenied));
    assert_eq!(
        service.denials().last().map(String::as_str),
        Some("service 13 may not look at all of the store")
    );
    assert_eq!(service.settle(), Settled::Nothing);
    let before = service.health(looks).expect("told").store;
    assert_eq!(service.reset(mends), Ok(()));
    assert_eq!(service.settle(), Settled::Anew);
    let after = service.health(looks).expect("told");
    assert!(after.store != before && after.keys == 0);
    assert_eq!(get(&mut service, who(7, 3), "app/a"), Err(Error::NotFound));
    assert_eq!(service.sync(who(7, 3), receipt), Err(Error::ServerDied));
    assert_eq!(point(&mut service, 0), Err(Error::NotFound));
    // What an older store left in the log is not taken for its own.
    let mut service = served(medium(service), 2 << 32);
    assert_eq!(get(&mut service, who(7, 3), "app/a"), Err(Error::NotFound));
}

/// Until every page was looked at.
fn look(service: &mut Service<Disk>) -> usize {
    let mut pieces = 0;
    while service.is_looking() {
        service.look();
        pieces += 1;
    }
    pieces
}

#[test]
fn while_every_page_is_looked_at_others_are_told_busy_at_once() {
    let mut service = fresh();
    let (looks, me) = (who(12, 1), who(9, 2));
    let receipt = put(&mut service, me, "app/a", &[1; 3000]).expect("put");
    for number in 0..200 {
        put(&mut service, me, &format!("app/{number}"), &[2; 1000]).expect("put");
    }
    let upload = service.upload(me, 10, Text::cut("app/long")).expect("begun").upload;
    service.more(me, upload, Bytes::new(&[3; 10]).expect("short")).expect("all of it");
    let before = service.health(me).expect("told").generation;
    assert_eq!(service.check(looks, false), Ok(()));
    let mut pieces = 0;
    while service.is_looking() {
        let busy = Some(Error::Busy);
        assert_eq!(get(&mut service, me, "app/a").err(), busy);
        assert_eq!(put(&mut service, me, "app/a", b"2").err(), busy);
        assert_eq!(service.sync(me, receipt).err(), busy);
        assert_eq!(service.usage(me).err(), busy);
        assert_eq!(service.upload(me, 10, Text::cut("app/more")).err(), busy);
        assert_eq!(service.publish(me, upload).err(), busy);
        assert_eq!(service.checked(looks).err(), busy);
        assert_eq!(service.check(looks, false).err(), busy);
        assert_eq!(service.reset(who(13, 3)).err(), busy);
        assert_eq!(service.health(me).map(|health| (health.generation, health.fault)), Ok((before, 0)));
        assert_eq!(service.settle(), Settled::Nothing);
        service.look();
        pieces += 1;
    }
    // 201 entries and as many pages of values, PIECE of them at a time.
    assert!((400 / PIECE..700 / PIECE).contains(&pieces), "{pieces} pieces");
    let checked = service.checked(looks).expect("looked");
    assert_eq!((checked.keys, checked.damaged, checked.findings.get()), (202, 0, ""));
    assert!(service.denials().is_empty(), "nobody was denied anything");
    service.publish(me, upload).expect("what was begun before goes on");
    assert_eq!(get(&mut service, me, "app/long").as_deref(), Ok(&[3; 10][..]));
    assert_eq!(service.sync(me, receipt), Ok(()));
}

/// A disk that cannot be read when a test says so.
struct Unreadable(Disk);

static IS_READABLE: AtomicBool = AtomicBool::new(true);

impl Medium for Unreadable {
    fn size(&mut self) -> Result<u64, Fault> {
        self.0.size()
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        if IS_READABLE.load(Ordering::Relaxed) { self.0.read(at, out) } else { Err(Fault::Io) }
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.0.write(at, data)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.0.flush()
    }
}

#[test]
fn a_look_whose_medium_fails_ends_with_that() {
    let rules = Access::read(RULES).expect("rules");
    let mut service = Service::new(Mounted::new(Unreadable(Disk::new(600 * PAGE)), rules, name, 1 << 32));
    let (looks, me) = (who(12, 1), who(9, 2));
    for number in 0..100 {
        let data = Bytes::new(&[2; 1000]).expect("short");
        service.put(me, true, Text::cut(&format!("app/{number}")), data).expect("put");
    }
    assert_eq!(service.check(looks, false), Ok(()));
    service.look();
    assert!(service.is_looking());
    IS_READABLE.store(false, Ordering::Relaxed);
    service.look();
    assert!(!service.is_looking(), "others are not kept out");
    assert_eq!(service.checked(looks).err(), Some(Error::Io));
    IS_READABLE.store(true, Ordering::Relaxed);
    assert_eq!(service.stat(me, Text::cut("app/1")).map(|reply| reply.stat.length), Ok(1000));
}

/// A store with values of two services on a disk, checkpointed, and a page of it that has values of the second.
fn stored() -> (Disk, usize) {
    let mut service = fresh();
    for number in 0..120 {
        put(&mut service, who(9, 1), &format!("app/{number:03}"), &[number; 500]).expect("put");
    }
    put(&mut service, who(9, 1), "app/050", &[0x6b; 600]).expect("put");
    service.mounted().state().expect("served").store_mut().checkpoint().expect("a checkpoint");
    let disk = medium(service);
    let page = newest_leaf(&disk, &[0x6b; 600]);
    (disk, page)
}

/// The newest page of values that has these bytes.
fn newest_leaf(disk: &Disk, bytes: &[u8]) -> usize {
    let has = |page: &[u8]| page[0] == 0 && page.windows(bytes.len()).any(|part| part == bytes);
    disk.bytes.chunks(PAGE).rposition(has).expect("it is there")
}

/// One page of a leaf is damaged.
fn leaf(disk: &mut Disk, page: usize) {
    disk.bytes[page * PAGE + 2000] ^= 1;
}

#[test]
fn damage_that_keeps_a_store_from_storing_is_repaired_and_told() {
    let (mut disk, page) = stored();
    leaf(&mut disk, page);
    let mut service = served(disk, 2 << 32);
    let me = who(9, 1);
    assert_eq!(get(&mut service, me, "app/050"), Err(Error::Integrity));
    assert_eq!(get(&mut service, me, "app/000").as_deref(), Ok(&[0; 500][..]));
    assert!(service.mounted().told().is_empty() && service.health(me).expect("told").lost == 0);
    // What is put beside it meets the damage as soon as it comes into the tree.
    let mut told = Vec::new();
    for turn in 0..400 {
        // Whatever it meets, it can be put again afterwards.
        let _ = put(&mut service, me, "app/051", &[turn as u8; 600]);
        service.settle();
        told.extend(service.mounted().told());
    }
    assert!(told.iter().any(|line| line.ends_with("keys are lost")), "{told:?}");
    assert!(
        told.iter().any(|line| line.starts_with("repaired: lost: ") && line.contains("`app/0")),
        "{told:?}"
    );
    assert_eq!(told.iter().filter(|line| line.ends_with("keys are lost")).count(), 1, "once");
    assert_eq!(get(&mut service, me, "app/051").as_deref(), Ok(&[143; 600][..]));
    assert_eq!(get(&mut service, me, "app/050"), Err(Error::Integrity), "it is not just gone");
    assert_eq!(get(&mut service, me, "app/none"), Err(Error::NotFound));
    let health = service.health(me).expect("told");
    assert!(health.lost > 0 && health.fault == 0);
    assert_eq!(service.check(who(12, 2), false), Ok(()));
    look(&mut service);
    assert_eq!(service.checked(who(12, 2)).map(|checked| (checked.damaged, checked.lost)), Ok((0, 0)));
    // It stays told until somebody who may says that it is known.
    let mut service = served(medium(service), 3 << 32);
    assert_eq!(get(&mut service, me, "app/050"), Err(Error::Integrity));
    assert_eq!(service.dismiss(who(12, 2)), Err(Error::PermissionDenied));
    assert_eq!(service.dismiss(who(13, 2)), Ok(()));
    assert_eq!(service.health(me).expect("told").lost, 0);
    let mut service = served(medium(service), 4 << 32);
    assert_eq!(get(&mut service, me, "app/050"), Err(Error::NotFound));
}

#[test]
fn damage_that_a_checkpoint_meets_is_repaired_and_told() {
    let (mut disk, page) = stored();
    leaf(&mut disk, page);
    let mut service = served(disk, 2 << 32);
    let (me, mut told, mut there) = (who(9, 1), Vec::new(), 0);
    // Every value that is not in the damaged page is taken away; what is left of the pages beside it would be put together with it.
    for number in 0..120 {
        let path = format!("app/{number:03}");
        if get(&mut service, me, &path).is_ok() {
            let receipt = service.delete(me, Text::cut(&path)).expect("deleted").receipt;
            // One that is of the store before it was repaired says so.
            let _ = service.sync(me, receipt);
            there += 1;
        }
        service.settle();
        told.extend(service.mounted().told());
    }
    assert!((100..120).contains(&there), "{there}");
    for turn in 0..200 {
        put(&mut service, me, "app/zzz", &[turn; 3000]).expect("put");
        service.settle();
        told.extend(service.mounted().told());
    }
    assert!(told.iter().any(|line| line.starts_with("repaired: lost: ")), "{told:?}");
    assert_eq!(get(&mut service, me, "app/zzz").as_deref(), Ok(&[199; 3000][..]));
    assert_eq!(get(&mut service, me, "app/050"), Err(Error::Integrity));
}

#[test]
fn a_store_whose_charges_are_damaged_is_repaired_when_it_is_mounted() {
    let (disk, _) = stored();
    // The leaf with the charges is the first one: where `q` and the number of the service stand.
    let page = newest_leaf(&disk, &[b'q', 0, 0, 0, 9]);
    let mut disk = disk;
    leaf(&mut disk, page);
    let mut service = served(disk, 2 << 32);
    let told = service.mounted().told();
    assert!(told.iter().any(|line| line.starts_with("repaired: lost: ")), "{told:?}");
    let used = service.usage(who(9, 1)).expect("served").used;
    let (mut sum, mut after) = (0, String::new());
    loop {
        let reply = service.next(who(9, 1), Text::cut("app"), Text::cut(&after)).expect("listed");
        if reply.path.is_empty() {
            break;
        }
        after = reply.path.get().to_string();
        sum += if reply.found { after.len() as u64 + reply.stat.length + 64 } else { 0 };
    }
    assert!(sum > 20_000 && used == sum, "{used} for {sum}");
}

#[test]
fn an_older_commit_is_taken_only_when_somebody_who_may_asks_for_it() {
    let mut service = fresh();
    let (me, looks) = (who(9, 1), who(14, 2));
    for number in 0..4 {
        let receipt = put(&mut service, me, &format!("app/{number}"), &[number; 40]).expect("put");
        service.sync(me, receipt).expect("safe");
    }
    let mut disk = medium(service);
    let frames: Vec<usize> =
        (0..disk.bytes.len() / 512).filter(|at| disk.bytes[at * 512 + 8..][..4] == *b"nxrf").collect();
    assert_eq!(frames.len(), 8);
    frames[4..6].iter().for_each(|at| disk.bytes[at * 512 + 80] ^= 1);
    let damaged = disk.bytes.clone();
    let mut service = served(disk, 2 << 32);
    assert_eq!(get(&mut service, me, "app/0"), Err(Error::Integrity));
    assert_eq!(put(&mut service, me, "app/0", b"x"), Err(Error::Integrity));
    assert_eq!(service.settle(), Settled::Nothing);
    // It is looked at, and what it still has can be taken out of it, by who may look at all of it.
    assert_eq!(service.check(looks, false), Ok(()));
    assert!(!service.is_looking());
    let checked = service.checked(looks).expect("looked at");
    assert_eq!((checked.damaged, checked.findings.get()), (1, "fell back from generation 4 to 2\n"));
    let reader = who(12, 3);
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let reply = service.salvage(reader, Text::cut(&after)).expect("listed");
        if reply.path.is_empty() {
            break;
        }
        after = reply.path.get().to_string();
        all.extend(reply.found.then(|| after.clone()));
    }
    assert_eq!(all, ["app/0", "app/1"]);
    let value = service.salvaged(reader, 0, Text::cut("app/1")).map(|reply| reply.data.get().to_vec());
    assert_eq!(value.as_deref(), Ok(&[1; 40][..]));
    assert_eq!(service.salvaged(reader, 0, Text::cut("app/2")).err(), Some(Error::NotFound));
    assert_eq!(service.salvaged(me, 0, Text::cut("app/1")).err(), Some(Error::PermissionDenied));
    assert_eq!(service.salvage(me, Text::cut("")).err(), Some(Error::PermissionDenied));
    let disk = medium(service);
    assert!(disk.bytes == damaged, "nothing is written");
    let mut service = served(disk, 3 << 32);
    assert_eq!(service.check(looks, true), Ok(()));
    look(&mut service);
    assert_eq!(service.checked(looks).map(|checked| (checked.damaged, checked.mended)), Ok((0, 1)));
    let told = service.mounted().told();
    assert_eq!(told, ["repaired: fell back from generation 4 to 2"]);
    assert_eq!(get(&mut service, me, "app/1").as_deref(), Ok(&[1; 40][..]));
    assert_eq!(get(&mut service, me, "app/2"), Err(Error::NotFound));
    put(&mut service, me, "app/2", b"again").expect("put");
}

#[test]
fn a_store_of_a_version_that_nobody_knows_is_told_and_left_as_it_is() {
    let mut service = fresh();
    put(&mut service, who(9, 1), "app/a", b"1").expect("put");
    let mut disk = medium(service);
    for page in disk.bytes.chunks_mut(PAGE).take(4).filter(|page| page[0] != 0) {
        page[8] = 77;
        let sum = xxhash_rust::xxh3::xxh3_64(&page[..PAGE - 8]);
        page[PAGE - 8..].copy_from_slice(&sum.to_le_bytes());
    }
    let before = disk.bytes.clone();
    let mut service = served(disk, 2 << 32);
    assert_eq!(service.mounted().told(), ["the store is of version 77; 1 to 2 are known here"]);
    assert_eq!(get(&mut service, who(9, 1), "app/a"), Err(Error::Integrity));
    assert_eq!(service.check(who(14, 2), true), Err(Error::Integrity));
    assert_eq!(service.settle(), Settled::Anew);
    assert!(medium(service).bytes == before);
}

#[test]
fn a_store_that_is_out_of_order_can_be_emptied() {
    let mut service = fresh();
    put(&mut service, who(9, 1), "app/a", b"1").expect("put");
    let mut disk = medium(service);
    (0..4).for_each(|slot| disk.bytes[slot * PAGE + 200] ^= 1);
    let mut service = served(disk, 2 << 32);
    assert_eq!(service.check(who(12, 1), false).err(), Some(Error::Integrity));
    assert_eq!(service.reset(who(13, 1)), Ok(()));
    put(&mut service, who(9, 1), "app/a", b"2").expect("put");
    assert_eq!(get(&mut service, who(9, 1), "app/a").as_deref(), Ok(&b"2"[..]));
}

#[test]
fn a_disk_that_fails_is_mounted_again_and_what_was_promised_is_there() {
    let mut service = fresh();
    let me = who(9, 1);
    let first = put(&mut service, me, "app/a", b"1").expect("put");
    service.sync(me, first).expect("safe");
    let mut disk = medium(service);
    disk.good = Some(1);
    let mut service = served(disk, 2 << 32);
    let second = put(&mut service, me, "app/a", b"2").expect("put");
    assert_eq!(service.sync(me, second), Err(Error::Io));
    // The disk stays as it is: it is tried again with each request, and answers that it failed.
    assert_eq!(service.settle(), Settled::Failed);
    assert_eq!(get(&mut service, me, "app/a"), Err(Error::Io));
    assert_eq!(service.health(me).expect("told").fault, Error::Io as u16);
    let mut disk = medium(service);
    disk.good = None;
    let mut service = served(disk, 3 << 32);
    assert_eq!(get(&mut service, me, "app/a").as_deref(), Ok(&b"1"[..]));
    assert_eq!(service.sync(me, second), Err(Error::ServerDied));
}

const SEALED: &str = "7:app:rw 7#2000/4000 6:keystore:rw 6#4000/8000 6=keystore";

fn unlock(service: &mut Service<Disk>, who: Sender, least: u64) -> Result<u64, Error> {
    let reply = service.unlock(who, least, [4; KEY], [least as u8; SALT], Text::cut("keystore"));
    reply.map(|reply| reply.sequence)
}

#[test]
fn a_sealed_prefix_waits_for_its_key_and_is_open_until_the_server_ends() {
    let sealed =
        |disk: Disk, run| Service::new(Mounted::new(disk, Access::read(SEALED).expect("rules"), name, run));
    let mut service = sealed(Disk::new(600 * PAGE), 1 << 32);
    let (keeper, other) = (who(6, 1), who(7, 2));
    assert_eq!(put(&mut service, keeper, "keystore/a", b"1"), Err(Error::Busy));
    assert_eq!(put(&mut service, other, "app/a", b"1").map(drop), Ok(()), "others do not wait for it");
    assert_eq!(unlock(&mut service, other, 0), Err(Error::PermissionDenied));
    assert_eq!(service.denials(), ["service 7 may not unlock `keystore`"]);
    assert_eq!(unlock(&mut service, keeper, 0), Ok(0));
    assert_eq!(service.opened(), ["write hardening on (auth-envelope)", "`keystore` is open, sequence 0"]);
    put(&mut service, keeper, "keystore/a", b"1").expect("put");
    assert_eq!(service.anchor(other, Text::cut("keystore")).err(), Some(Error::PermissionDenied));
    let safe = service.anchor(keeper, Text::cut("keystore")).expect("safe").sequence;
    // The disk fails once: the store is mounted again, and the prefix is open as before.
    let mut disk = medium(service);
    disk.good = Some(3);
    let mut service = sealed(disk, 2 << 32);
    assert_eq!(unlock(&mut service, keeper, safe), Ok(safe));
    let mut turns = 0;
    let lost = loop {
        let receipt = put(&mut service, keeper, "keystore/b", b"2").expect("put");
        if let Err(error) = service.sync(keeper, receipt) {
            break error;
        }
        turns += 1;
    };
    assert!(lost == Error::Io && turns < 3);
    assert_eq!(service.settle(), Settled::Failed);
    assert_eq!(get(&mut service, keeper, "keystore/a"), Err(Error::Io), "the disk is still away");
    service.mounted().medium_mut().expect("out of order").good = None;
    assert_eq!(service.settle(), Settled::Failed);
    assert_eq!(get(&mut service, keeper, "keystore/a").as_deref(), Ok(&b"1"[..]));
    put(&mut service, keeper, "keystore/c", b"3").expect("put");
    assert!(service.anchor(keeper, Text::cut("keystore")).expect("safe").sequence > safe);
    // Emptied, the prefix is open still, and what its keeper knows is not ahead of it.
    let known = service.anchor(keeper, Text::cut("keystore")).expect("safe").sequence;
    service.mounted().reset().expect("emptied");
    assert_eq!(get(&mut service, keeper, "keystore/a"), Err(Error::NotFound));
    let mut service = sealed(medium(service), 4 << 32);
    assert_eq!(unlock(&mut service, keeper, known).map(|sequence| sequence > known), Ok(true));
    // A new server knows no key, and an older disk is told.
    let mut service = sealed(medium(service), 5 << 32);
    assert_eq!(get(&mut service, keeper, "keystore/a"), Err(Error::Busy));
    assert_eq!(unlock(&mut service, keeper, u64::MAX), Err(Error::Rollback));
    assert_eq!(service.denials(), ["what is stored under `keystore` is refused: Rollback"]);
    assert_eq!(get(&mut service, keeper, "keystore/a"), Err(Error::Rollback));
}

#[test]
fn a_damaged_store_is_told_for_what_it_is_and_stops_nothing() {
    let mut service = fresh();
    put(&mut service, who(9, 1), "app/a", b"1").expect("put");
    let mut disk = medium(service);
    (0..4).for_each(|slot| disk.bytes[slot * PAGE + 200] ^= 1);
    let damaged = disk.bytes.clone();
    let mut service = served(disk, 2 << 32);
    assert_eq!(get(&mut service, who(9, 1), "app/a"), Err(Error::Integrity));
    assert_eq!(put(&mut service, who(9, 1), "app/a", b"2"), Err(Error::Integrity));
    assert_eq!(service.health(who(1, 1)).expect("told").fault, Error::Integrity as u16);
    assert_eq!(service.settle(), Settled::Nothing);
    assert!(medium(service).bytes == damaged, "it is left as it is");
    // A disk that is too small has no state, and neither has none.
    let mut service = served(Disk::new(64 * 1024), 1 << 32);
    assert_eq!(get(&mut service, who(9, 1), "app/a"), Err(Error::Io));
}

/// The other end of a channel that nobody will write to: the host has none.
fn news() -> Held<Owned<Any>, kinds::Channel> {
    Held::assume(Owned::from_handle(Handle(9)))
}

#[test]
fn who_watches_is_told_once_and_again_when_it_has_looked() {
    let mut service = fresh();
    let (me, other) = (who(8, 1), who(8, 2));
    let events = |service: &mut Service<Disk>, watch| {
        let mut all = Vec::new();
        loop {
            let reply = service.event(me, watch).expect("an event");
            match reply.event {
                Event::None => return all,
                Event::Changed => all.push(reply.path.get().to_string()),
                Event::Resync => all.push("resync".into()),
            }
        }
    };
    let rung =
        |service: &mut Service<Disk>| service.rung().iter().map(|(watch, _)| *watch).collect::<Vec<_>>();
    assert_eq!(service.watch(me, news(), Text::cut("keystore")).err(), Some(Error::PermissionDenied));
    let watch = service.watch(me, news(), Text::cut("app")).expect("watched").watch;
    let its = service.watch(other, news(), Text::cut("app/b")).expect("watched").watch;
    put(&mut service, who(7, 3), "app/a", b"1").expect("put");
    put(&mut service, who(7, 3), "app/a", b"2").expect("put");
    assert_eq!(rung(&mut service), [watch]);
    put(&mut service, who(7, 3), "app/c", b"2").expect("put");
    assert!(rung(&mut service).is_empty(), "it was told already");
    assert_eq!(events(&mut service, watch), ["app/a", "app/c"]);
    put(&mut service, who(7, 3), "app/b/x", b"").expect("put");
    assert_eq!(rung(&mut service), [watch, its]);
    // Another store in its place: everything may have changed, and the watches go on.
    service.reset(who(13, 5)).expect("emptied");
    assert_eq!(service.settle(), Settled::Anew);
    assert_eq!(rung(&mut service), [watch, its]);
    assert_eq!(events(&mut service, watch), ["resync"]);
    put(&mut service, who(7, 3), "app/b/x", b"").expect("put");
    assert_eq!(events(&mut service, watch), ["app/b/x"]);
    // A connection that ends takes its watches with it, and a channel that nobody is behind its own.
    service.gone(2);
    assert_eq!(service.event(other, its).err(), Some(Error::NotFound));
    service.deaf(watch);
    assert_eq!(service.unwatch(me, watch), Err(Error::NotFound));
    put(&mut service, who(7, 3), "app/b/y", b"").expect("put");
    assert!(rung(&mut service).is_empty());
    let more = service.watch(me, news(), Text::cut("")).expect("watched").watch;
    assert_eq!(service.unwatch(who(9, 1), more), Err(Error::NotFound), "another's");
    assert_eq!(service.unwatch(me, more), Ok(()));
}

#[test]
fn one_watch_more_than_there_may_be_is_told_for_what_it_is() {
    let mut service = fresh();
    let me = who(8, 1);
    for _ in 0..rules::MAX_WATCHES_EACH {
        service.watch(me, news(), Text::cut("app")).expect("watched");
    }
    assert_eq!(service.watch(me, news(), Text::cut("app")).err(), Some(Error::QuotaExceeded));
    let told = "service 8 does not watch `app`: there are as many watches as there may be";
    assert_eq!(service.denials(), [told]);
    // They go with their connection, and there is room again.
    service.gone(1);
    service.watch(who(8, 2), news(), Text::cut("app")).expect("watched");
}
