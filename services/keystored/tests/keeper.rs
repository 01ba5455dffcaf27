//! The keeper over a real store and a real vault, both in memory: first boots, later ones, disks that are put back, and everything that can be away.

mod support;

use keystored::flash::Chips as Driver;
use keystored::keeper::{DEVICE, Keeper, Life, Sealed, Store, Turn, prefixes};
use keystored::secrets::SECRET;
use keystored::service::Service as Keys;
use nexus_rt::abi::Identity;
use nexus_rt::api::keys::{self, Server as _};
use nexus_rt::api::state::{Error, SALT, Server as _};
use nexus_rt::wire::{Bytes, CallError, Sender, Text};
use nexus_state::engine::PAGE;
use nexus_state::rules::Access;
use nexus_vault::{BLOCKS, Error as NoVault};
use powercut::Disk;
use statefsd::mounted::Mounted;
use statefsd::service::Service;
use support::{BLOCK, Chips, WINDOW, erased};
use zeroize::Zeroizing;

const RULES: &str = "14:keystore:rw 14#16384/32768 14=keystore 14=trust 9:trust/app:rw 9#4000/4000";

fn who(service: u32) -> Sender {
    Sender { identity: Identity { service, generation: 1 }, key: 1, token: 1 }
}

/// The state authority, as the keeper reaches it.
struct State {
    service: Service<Disk>,
    /// Calls that are still answered.
    calls: usize,
}

impl State {
    fn of(disk: Disk, run: u64) -> State {
        let access = Access::read(RULES).expect("rules");
        State { service: Service::new(Mounted::new(disk, access, || [5; 16], run << 32)), calls: usize::MAX }
    }

    fn fresh() -> State {
        State::of(Disk::new(600 * PAGE), 1)
    }

    /// Another machine, or another server, with the same disk.
    fn again(self, run: u64) -> State {
        State::of(self.disk(), run)
    }

    fn disk(self) -> Disk {
        self.service.into_mounted().into_medium().expect("a medium")
    }

    fn call(&mut self) -> Result<(), CallError<Error>> {
        self.calls = self.calls.checked_sub(1).ok_or(CallError::ServerDied)?;
        Ok(())
    }

    /// What somebody else puts under a sealed prefix.
    fn put_as(&mut self, service: u32, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.service.put(who(service), true, Text::cut(path), Bytes::new(bytes).expect("short")).map(drop)
    }
}

impl Store for State {
    fn unlock(
        &mut self,
        prefix: &str,
        least: u64,
        key: &[u8; SECRET],
        salt: [u8; SALT],
    ) -> Result<u64, CallError<Error>> {
        self.call()?;
        let reply = self.service.unlock(who(14), least, *key, salt, Text::cut(prefix));
        reply.map(|reply| reply.sequence).map_err(CallError::Service)
    }
    fn anchor(&mut self, prefix: &str) -> Result<u64, CallError<Error>> {
        self.call()?;
        self.service
            .anchor(who(14), Text::cut(prefix))
            .map(|reply| reply.sequence)
            .map_err(CallError::Service)
    }
    fn get(&mut self, path: &str) -> Result<Zeroizing<Vec<u8>>, CallError<Error>> {
        self.call()?;
        let reply = self.service.get(who(14), 0, Text::cut(path));
        reply.map(|reply| Zeroizing::new(reply.data.get().to_vec())).map_err(CallError::Service)
    }
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), CallError<Error>> {
        self.call()?;
        self.put_as(14, path, bytes).map_err(CallError::Service)
    }
}

/// Bytes that are other ones each time.
fn entropy(from: u8) -> impl FnMut(&mut [u8]) -> bool {
    let mut next = u64::from(from) << 32;
    move |out| {
        for byte in out {
            next += 1;
            *byte = (next.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8;
        }
        true
    }
}

type Flashed<'a> = Driver<&'a Chips, fn()>;

fn keeper(chips: &Chips) -> Keeper<Flashed<'_>> {
    chips.driver(usize::MAX);
    let found: Result<Option<Flashed<'_>>, _> = Driver::find(chips, WINDOW, || {});
    let flash = found.map_err(NoVault::Flash).and_then(|flash| flash.ok_or(NoVault::Foreign));
    Keeper::new(flash, prefixes("0=keystore 1=trust").expect("a list"))
}

fn states(keeper: &Keeper<Flashed<'_>>) -> Vec<Sealed> {
    keeper.sealed().map(|(_, sealed)| sealed).collect()
}

/// A machine that comes up; answers who it says that it is.
fn boot(chips: &Chips, state: &mut State, from: u8) -> [u8; SECRET] {
    let mut keeper = keeper(chips);
    assert_eq!(keeper.turn(state, &mut entropy(from)), Turn::Done);
    assert_eq!(states(&keeper), [Sealed::Open; 2]);
    keeper.device().expect("a key").identity()
}

#[test]
fn the_device_is_the_same_after_every_boot() {
    let (chips, mut state) = (erased(true), State::fresh());
    let identity = boot(&chips, &mut state, 1);
    for run in 2..6 {
        state = state.again(run);
        assert_eq!(boot(&chips, &mut state, run as u8), identity);
    }
    // The keeper alone begins anew: the state authority goes on.
    assert_eq!(boot(&chips, &mut state, 9), identity);
    // Another machine is another device.
    assert_ne!(boot(&erased(true), &mut State::fresh(), 77), identity);
    // The seed is nowhere in the clear.
    let mut keeper = keeper(&chips);
    keeper.turn(&mut state, &mut entropy(10));
    let seed = state.get(DEVICE).expect("there");
    let disk = state.disk();
    assert!(!disk.bytes.windows(SECRET).any(|window| window == &seed[..]));
    assert!(!chips.vault().windows(SECRET).any(|window| window == &seed[..]));
}

#[test]
fn an_old_disk_with_the_current_vault_is_a_rollback() {
    let (chips, mut state) = (erased(true), State::fresh());
    boot(&chips, &mut state, 1);
    state.put_as(9, "trust/app/a", b"first").expect("put");
    let old = state.disk();
    let mut state = State::of(old.clone(), 2);
    boot(&chips, &mut state, 2);
    // Nothing was even changed, and the copy from before is older all the same.
    let mut back = State::of(old, 3);
    let mut told = keeper(&chips);
    assert_eq!(told.turn(&mut back, &mut entropy(3)), Turn::Done);
    assert_eq!(states(&told), [Sealed::Refused(Error::Rollback); 2]);
    assert!(told.device().is_none());
    let mut keys = Keys { keeper: &mut told, store: &mut back, pending: false };
    assert_eq!(keys.identity(who(9)).err(), Some(keys::Error::Rollback));
    assert_eq!(keys.anchor(who(9)), Err(keys::Error::Rollback));
    assert_eq!(back.put_as(9, "trust/app/a", b"x"), Err(Error::Rollback));
    // Within one boot it takes an anchor.
    let mut keeper = keeper(&chips);
    assert_eq!(keeper.turn(&mut state, &mut entropy(4)), Turn::Done);
    let copy = state.service.mounted().state().expect("served").store().medium().under().clone();
    state.put_as(9, "trust/app/a", b"second").expect("put");
    let mut keys = Keys { keeper: &mut keeper, store: &mut state, pending: false };
    assert_eq!(keys.anchor(who(9)), Ok(()));
    let mut back = State::of(copy, 5);
    let mut told = self::keeper(&chips);
    told.turn(&mut back, &mut entropy(5));
    assert_eq!(
        states(&told),
        [Sealed::Open, Sealed::Refused(Error::Rollback)],
        "what was not changed is not older"
    );
}

#[test]
fn another_vault_opens_nothing_and_another_disk_is_none_of_its() {
    let (chips, mut state) = (erased(true), State::fresh());
    let identity = boot(&chips, &mut state, 1);
    let other = erased(true);
    let mut keeper_of_other = keeper(&other);
    let mut again = state.again(2);
    assert_eq!(keeper_of_other.turn(&mut again, &mut entropy(2)), Turn::Done);
    assert_eq!(states(&keeper_of_other), [Sealed::Refused(Error::Integrity); 2]);
    let mut fresh = State::of(Disk::new(600 * PAGE), 9);
    let mut told = keeper(&chips);
    assert_eq!(told.turn(&mut fresh, &mut entropy(3)), Turn::Done);
    assert_eq!(states(&told), [Sealed::Refused(Error::Rollback); 2]);
    assert_eq!(boot(&chips, &mut again.again(4), 4), identity, "nothing of that did any harm");
}

#[test]
fn without_a_vault_nothing_is_open_and_that_is_said() {
    for (bytes, vault) in [
        (vec![0; BLOCKS * BLOCK], keys::Vault::Absent),
        ([b"NXVAULT\0".to_vec(), vec![0; BLOCKS * BLOCK - 8]].concat(), keys::Vault::Damaged),
    ] {
        let (chips, mut state) = (Chips::of(bytes.clone(), true), State::fresh());
        let mut keeper = keeper(&chips);
        assert_eq!(keeper.turn(&mut state, &mut entropy(1)), Turn::Done);
        assert_eq!(states(&keeper), [Sealed::Locked; 2]);
        let mut keys = Keys { keeper: &mut keeper, store: &mut state, pending: false };
        let status = keys.status(who(9)).expect("told");
        assert_eq!((status.vault, status.has_key, status.locked), (vault, false, 2));
        assert_eq!(keys.identity(who(9)).err(), Some(keys::Error::NotFound));
        assert_eq!(keys.derive(who(9), Text::cut("x")).err(), Some(keys::Error::NotFound));
        assert_eq!(state.put_as(9, "trust/app/a", b"x"), Err(Error::Busy));
        assert!(chips.vault() == bytes, "it is left as it is");
    }
}

#[test]
fn what_is_away_is_waited_for_at_every_step() {
    let mut steps = 0;
    for calls in 0.. {
        let (chips, mut state) = (erased(true), State::fresh());
        state.calls = calls;
        let mut first = keeper(&chips);
        // No entropy at first: nothing is made without it.
        assert_eq!(first.turn(&mut state, &mut |_: &mut [u8]| false), Turn::Later);
        assert!(matches!(first.life(), Life::Blank(_)) && state.calls == calls);
        let turn = first.turn(&mut state, &mut entropy(1));
        steps += 1;
        let done = turn == Turn::Done;
        let known = first.device().map(|device| device.identity());
        assert_eq!(known.is_some(), done, "after {calls} calls");
        // The state authority begins anew, and so may the keeper.
        first.lost();
        let mut state = state.again(2);
        assert_eq!(first.turn(&mut state, &mut entropy(2)), Turn::Done, "after {calls} calls");
        let identity = first.device().expect("a key").identity();
        assert!(known.is_none_or(|known| known == identity));
        let mut state = state.again(3);
        assert_eq!(boot(&chips, &mut state, 3), identity);
        if done {
            break;
        }
    }
    assert!(steps > 6, "{steps}");
}

#[test]
fn the_keeper_may_die_at_every_word_to_its_vault() {
    let mut deaths = 0;
    for steps in 0.. {
        let (chips, mut state) = (erased(false), State::fresh());
        let first = {
            chips.driver(steps);
            let found: Result<Option<Flashed<'_>>, _> = Driver::find(&chips, WINDOW, || {});
            let flash = found.map_err(NoVault::Flash).and_then(|flash| flash.ok_or(NoVault::Foreign));
            let mut keeper = Keeper::new(flash, prefixes("0=keystore 1=trust").expect("a list"));
            keeper.turn(&mut state, &mut entropy(1));
            keeper.device().map(|device| device.identity())
        };
        let died = chips.is_dead();
        let mut state = state.again(2);
        let second = boot(&chips, &mut state, 2);
        assert!(first.is_none_or(|first| first == second), "after {steps}");
        assert_eq!(boot(&chips, &mut state.again(3), 3), second);
        deaths += 1;
        if !died {
            break;
        }
    }
    assert!(deaths > 100, "{deaths}");
}

#[test]
fn what_is_signed_and_derived_is_of_who_asks() {
    let (chips, mut state) = (erased(true), State::fresh());
    let mut keeper = keeper(&chips);
    keeper.turn(&mut state, &mut entropy(1));
    let mut keys = Keys { keeper: &mut keeper, store: &mut state, pending: false };
    let derive = |keys: &mut Keys<_, _>, service, label| {
        keys.derive(who(service), Text::cut(label)).expect("a key").key
    };
    let first = derive(&mut keys, 9, "a");
    assert_eq!(derive(&mut keys, 9, "a"), first);
    assert!(derive(&mut keys, 8, "a") != first && derive(&mut keys, 9, "b") != first);
    let sign = |keys: &mut Keys<_, _>, service| {
        keys.sign(who(service), Text::cut("a"), Bytes::new(b"message").expect("short"))
            .expect("signed")
            .signature
    };
    assert_ne!(sign(&mut keys, 9), sign(&mut keys, 8));
    let status = keys.status(who(9)).expect("told");
    assert_eq!((status.vault, status.has_key, status.open, status.refused), (keys::Vault::Open, true, 2, 0));
}
