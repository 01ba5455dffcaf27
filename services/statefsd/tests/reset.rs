//! The power fails while a running store is emptied: whatever is on the disk then, nobody takes it for something else.

use std::sync::atomic::{AtomicU8, Ordering};

use nexus_rt::abi::Identity;
use nexus_rt::api::state::{Error, KEY, SALT, Server};
use nexus_rt::wire::{Bytes, Sender, Text};
use nexus_state::engine::PAGE;
use nexus_state::rules::Access;
use powercut::{Cuts, Disk, images};
use statefsd::mounted::Mounted;
use statefsd::service::Service;

const RULES: &str = "7:app:rw 7#2000/4000 6:keystore:rw 6#4000/8000 6=keystore 13::m";

/// So few that each image is judged quickly.
const PAGES: usize = 120;

/// Another name for each store.
fn name() -> [u8; 16] {
    static MADE: AtomicU8 = AtomicU8::new(0);
    [MADE.fetch_add(1, Ordering::Relaxed); 16]
}

fn who(service: u32) -> Sender {
    Sender { identity: Identity { service, generation: 1 }, key: service.into(), token: 1 }
}

fn served(disk: Disk, run: u64) -> Service<Disk> {
    Service::new(Mounted::new(disk, Access::read(RULES).expect("rules"), name, run << 32))
}

fn unlock(service: &mut Service<Disk>, least: u64) -> Result<u64, Error> {
    let reply = service.unlock(who(6), least, [4; KEY], [least as u8; SALT], Text::cut("keystore"));
    reply.map(|reply| reply.sequence)
}

fn put(service: &mut Service<Disk>, sender: Sender, path: &str) -> Result<(), Error> {
    service.put(sender, true, Text::cut(path), Bytes::new(b"1").expect("short")).map(drop)
}

fn get(service: &mut Service<Disk>, sender: Sender, path: &str) -> Result<Vec<u8>, Error> {
    service.get(sender, 0, Text::cut(path)).map(|reply| reply.data.get().to_vec())
}

#[test]
fn a_power_cut_while_a_store_is_emptied_leaves_the_old_one_or_a_new_one_or_is_told() {
    let mut service = served(Disk::new(PAGES * PAGE), 1);
    assert_eq!(unlock(&mut service, 0), Ok(0));
    put(&mut service, who(6), "keystore/a").expect("put");
    put(&mut service, who(7), "app/a").expect("put");
    let known = service.anchor(who(6), Text::cut("keystore")).expect("safe").sequence;
    let disk = service.into_mounted().into_medium().expect("a medium");
    let before = disk.bytes.clone();
    let mut service = served(disk.recorded(), 2);
    assert_eq!(unlock(&mut service, known), Ok(known));
    // What its keeper writes down before anybody can empty the store.
    let known = service.anchor(who(6), Text::cut("keystore")).expect("safe").sequence;
    service.reset(who(13)).expect("emptied");
    let events = service.into_mounted().into_medium().and_then(|disk| disk.events).expect("written down");

    let (mut old, mut new, mut between, mut damaged) = (0, 0, 0, 0);
    images(&before, &events, Cuts { subsets: 8, seed: 1, stride: 1 }, |image, after| {
        let mut service = served(Disk::of(image.to_vec()), 3);
        let opened = unlock(&mut service, known);
        let found = [get(&mut service, who(6), "keystore/a"), get(&mut service, who(7), "app/a")];
        match (opened, found.each_ref().map(|found| found.as_deref().map_err(|error| *error))) {
            // It is the store that was there, or as it was before it was opened, which the keeper knows to be older.
            (Ok(_), [Ok(b"1"), Ok(b"1")]) | (Err(Error::Rollback), [Err(Error::Rollback), Ok(b"1")]) => {
                old += 1
            }
            (Ok(sequence), [Err(Error::NotFound), Err(Error::NotFound)]) if sequence >= known => new += 1,
            // A store that does not know yet how far the one before it came.
            (Err(Error::Rollback), [Err(Error::Rollback), Err(Error::NotFound)]) => between += 1,
            (Err(Error::Integrity), [Err(Error::Integrity), Err(Error::Integrity)]) => damaged += 1,
            other => panic!("after {after} of {}: {other:?}", events.len()),
        }
        assert!(after < events.len() || new > 0, "emptied, and it is not: {opened:?} {found:?}");
        // Whatever it is, it can be emptied.
        assert_eq!(service.reset(who(13)), Ok(()));
        assert_eq!(put(&mut service, who(7), "app/b"), Ok(()));
        assert_eq!(get(&mut service, who(7), "app/a"), Err(Error::NotFound));
    });
    assert!(old > 0 && new > 0 && between > 0, "{old} old, {new} new, {between} between, {damaged} damaged");
}
