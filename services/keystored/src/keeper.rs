//! Keeps sealed prefixes: opens them with keys out of the vault, writes down there how far they have come, and keeps the device's key under one of them.
//!
//! What must never happen: a sequence is written down that is not safe yet, or a device's key is made although there may be one.

use alloc::string::String;
use alloc::vec::Vec;

use nexus_rt::api::state::{Error, SALT};
use nexus_rt::wire::CallError;
use nexus_vault::{COUNTERS, Error as NoVault, Fault, Flash, Vault};
use zeroize::{Zeroize, Zeroizing};

use crate::secrets::{self, Device, SECRET};

/// Where the seed of the device's key is.
pub const DEVICE: &str = "keystore/device";

/// What the state authority is asked for.
pub trait Store {
    /// Opens a sealed prefix.
    fn unlock(
        &mut self,
        prefix: &str,
        least: u64,
        key: &[u8; SECRET],
        salt: [u8; SALT],
    ) -> Result<u64, CallError<Error>>;
    /// The newest sequence that is safe.
    fn anchor(&mut self, prefix: &str) -> Result<u64, CallError<Error>>;
    /// A value.
    fn get(&mut self, path: &str) -> Result<Zeroizing<Vec<u8>>, CallError<Error>>;
    /// Puts a value, safely.
    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), CallError<Error>>;
}

/// What the vault is.
pub enum Life<F> {
    /// It is open.
    Open(Vault<F>),
    /// It is erased, and is made as soon as there is entropy.
    Blank(F),
    /// There is none, for this reason.
    None(NoVault),
    /// It failed while it was open.
    Failed(Fault),
}

/// What a prefix is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sealed {
    /// Not open yet.
    Locked,
    /// It is open.
    Open,
    /// What is stored there is refused.
    Refused(Error),
}

/// What came of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// There is nothing more to do until the state authority begins anew.
    Done,
    /// It should be tried again later.
    Later,
}

/// The keeper.
pub struct Keeper<F> {
    life: Life<F>,
    prefixes: Vec<(usize, String, Sealed)>,
    device: Option<Device>,
}

/// The prefixes of a list: `COUNTER=PREFIX`, separated by spaces. `None` when it is none.
pub fn prefixes(text: &str) -> Option<Vec<(usize, String)>> {
    let mut all: Vec<(usize, String)> = Vec::new();
    for item in text.split_whitespace() {
        let (counter, prefix) = item.split_once('=')?;
        let counter = counter.parse().ok().filter(|counter| *counter < COUNTERS)?;
        if prefix.is_empty() || all.iter().any(|(used, other)| *used == counter || other == prefix) {
            return None;
        }
        all.push((counter, prefix.into()));
    }
    Some(all)
}

impl<F: Flash> Keeper<F> {
    /// Of these prefixes, with the vault that is on this flash.
    pub fn new(flash: Result<F, NoVault>, prefixes: Vec<(usize, String)>) -> Keeper<F> {
        let life = match flash.map(Vault::open) {
            Ok(Ok(vault)) => Life::Open(vault),
            Ok(Err((flash, NoVault::Blank))) => Life::Blank(flash),
            Ok(Err((_, why))) | Err(why) => Life::None(why),
        };
        let locked = |(counter, prefix)| (counter, prefix, Sealed::Locked);
        Keeper { life, prefixes: prefixes.into_iter().map(locked).collect(), device: None }
    }

    /// What the vault is.
    pub fn life(&self) -> &Life<F> {
        &self.life
    }

    /// The prefixes, and what each is.
    pub fn sealed(&self) -> impl Iterator<Item = (&str, Sealed)> {
        self.prefixes.iter().map(|(_, prefix, sealed)| (prefix.as_str(), *sealed))
    }

    /// The prefixes that are open.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.sealed().filter(|(_, sealed)| *sealed == Sealed::Open).map(|(prefix, _)| prefix)
    }

    /// The device's key, once it is there.
    pub fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    /// The state authority begins anew: nothing is open there.
    pub fn lost(&mut self) {
        self.prefixes.iter_mut().for_each(|(_, _, sealed)| *sealed = Sealed::Locked);
    }

    /// Makes the vault if it is blank, opens what is not open, and makes or fetches the device's key. `random` fills bytes, or says that there is no
    /// entropy.
    pub fn turn(&mut self, store: &mut impl Store, random: &mut impl FnMut(&mut [u8]) -> bool) -> Turn {
        if !self.make(random) {
            return Turn::Later;
        }
        let mut later = false;
        for place in 0..self.prefixes.len() {
            if self.prefixes[place].2 == Sealed::Locked {
                later |= self.open_one(place, store, random) == Turn::Later;
            }
        }
        let is_open =
            self.sealed().any(|(prefix, sealed)| DEVICE.starts_with(prefix) && sealed == Sealed::Open);
        if self.device.is_none() && is_open {
            later |= self.fetch(store, random) == Turn::Later;
        }
        if later { Turn::Later } else { Turn::Done }
    }

    /// Whether there is nothing to wait for before prefixes are opened: a blank vault is made.
    fn make(&mut self, random: &mut impl FnMut(&mut [u8]) -> bool) -> bool {
        if !matches!(self.life, Life::Blank(_)) {
            return true;
        }
        let mut secret = Zeroizing::new([0; SECRET]);
        if !random(&mut *secret) {
            return false;
        }
        if let Life::Blank(flash) = core::mem::replace(&mut self.life, Life::None(NoVault::Blank)) {
            self.life = match Vault::make(flash, secret) {
                Ok(vault) => Life::Open(vault),
                Err((_, why)) => Life::None(why),
            };
        }
        true
    }

    fn open_one(
        &mut self,
        place: usize,
        store: &mut impl Store,
        random: &mut impl FnMut(&mut [u8]) -> bool,
    ) -> Turn {
        let Life::Open(vault) = &self.life else { return Turn::Done };
        let (counter, prefix, sealed) = &mut self.prefixes[place];
        let mut salt = [0; SALT];
        if !random(&mut salt) {
            return Turn::Later;
        }
        let key = secrets::of_prefix(vault.secret(), prefix);
        let opened = store.unlock(prefix, vault.counter(*counter), &key, salt);
        salt.zeroize();
        match opened {
            Ok(_) => {
                *sealed = Sealed::Open;
                self.write_down(place, store)
            }
            Err(CallError::Service(
                error @ (Error::Integrity | Error::Rollback | Error::NotFound | Error::PermissionDenied),
            )) => {
                *sealed = Sealed::Refused(error);
                Turn::Done
            }
            Err(_) => Turn::Later,
        }
    }

    /// Writes down in the vault how far a prefix has come.
    fn write_down(&mut self, place: usize, store: &mut impl Store) -> Turn {
        let (counter, prefix, sealed) = &mut self.prefixes[place];
        let Life::Open(vault) = &mut self.life else { return Turn::Done };
        match store.anchor(prefix) {
            Ok(sequence) => match vault.raise(*counter, sequence) {
                Ok(()) => Turn::Done,
                Err(fault) => {
                    self.life = Life::Failed(fault);
                    Turn::Done
                }
            },
            Err(CallError::Service(Error::ReadOnly)) => Turn::Done,
            Err(_) => {
                *sealed = Sealed::Locked;
                Turn::Later
            }
        }
    }

    /// Has the vault know how far every open prefix has come: what is there now cannot be taken back when this answers `Done` and the vault has not failed.
    pub fn anchor(&mut self, store: &mut impl Store) -> Turn {
        let mut turn = Turn::Done;
        for place in 0..self.prefixes.len() {
            if self.prefixes[place].2 == Sealed::Open && self.write_down(place, store) == Turn::Later {
                turn = Turn::Later;
            }
        }
        turn
    }

    fn fetch(&mut self, store: &mut impl Store, random: &mut impl FnMut(&mut [u8]) -> bool) -> Turn {
        let mut seed = Zeroizing::new([0; SECRET]);
        match store.get(DEVICE) {
            Ok(bytes) if bytes.len() == SECRET => seed.copy_from_slice(&bytes),
            Err(CallError::Service(Error::NotFound)) => {
                // The whole set was proven when it was opened, so there never was one.
                if !random(&mut *seed) || store.put(DEVICE, &*seed).is_err() {
                    return Turn::Later;
                }
                if self.anchor(store) == Turn::Later {
                    return Turn::Later;
                }
            }
            Ok(_) | Err(CallError::Service(Error::Integrity | Error::Rollback)) => return Turn::Done,
            Err(_) => return Turn::Later,
        }
        self.device = Some(Device::new(seed));
        Turn::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_prefixes_is_one_or_none() {
        let all = prefixes("0=keystore 7=trust/a").unwrap();
        assert_eq!(all, [(0, "keystore".into()), (7, "trust/a".into())]);
        assert_eq!(prefixes("").unwrap(), []);
        for text in ["keystore", "8=a", "-1=a", "0=", "0=a 0=b", "0=a 1=a", "x=a"] {
            assert_eq!(prefixes(text), None, "{text}");
        }
    }
}
