//! What is sealed, and the key of the device: over several machines, and on disks that the host did something to in between.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use keystored::secrets::signed;
use nexus_rt::api::keys;
use nexus_rt::api::state::Error;
use nexus_rt::api::supervise::{self, State};
use nexus_rt::clock;
use nexus_rt::wire::{Bytes, CallError, Fixed};

use crate::{Test, Verdict, text, why};

/// Where the host leaves word of what it did.
const WORD: &str = "app/test/word";

/// Where the device of the first machine is kept, in the clear.
const IDENTITY: &str = "app/test/identity";

/// Sealed values: one that stays, and one that is changed with each machine.
const STAYS: &str = "trust/test/stays";
const CHANGES: &str = "trust/test/changes";

/// What must not be on the disk in the clear; the host looks for it.
const SECRET: &[u8] = b"what nobody reads off a disk";

/// This process, as the kernel says.
const OWN: u32 = 65_630;

/// Who stands behind what is sealed, in the order of their start.
const TRUSTED: [&str; 4] = ["rngd", "virtioblkd", "statefsd", "keystored"];

/// How far the first one's successor has come when the second one dies: not started, started, at its work.
const STAGES: [State; 3] = [State::Pausing, State::Starting, State::Ready];

/// How long what is being started again may be closed.
const PATIENCE_MS: u64 = 20_000;

fn changed(boot: u8) -> Vec<u8> {
    [SECRET, &[boot]].concat()
}

impl Test {
    /// What the host left word of, if it did anything.
    pub fn word(&mut self) -> Verdict<Option<String>> {
        match self.get(WORD) {
            Ok((bytes, _)) => why("the word", String::from_utf8(bytes)).map(Some),
            Err(CallError::Service(Error::NotFound | Error::NotDir)) => Ok(None),
            Err(other) => Err(format!("the word: {other:?}")),
        }
    }

    /// The device is the one that it was on the machines before, and signs for this process and no other.
    pub fn device(&mut self, known: bool) -> Verdict {
        let identity = why("who the device is", self.keys.identity())?.key;
        let derived = why("a key", self.keys.derive(text("test")))?.key;
        let message = Bytes::new(SECRET).map_err(|_| "too long")?;
        let signature = why("a signature", self.keys.sign(text("test"), message))?.signature;
        let key = why("an Ed25519 key", VerifyingKey::from_bytes(&identity))?;
        let signature = Signature::from_bytes(&signature);
        why("the signature", key.verify(&signed(OWN, "test", SECRET), &signature))?;
        if key.verify(&signed(OWN + 1, "test", SECRET), &signature).is_ok() {
            return Err("it is another's signature as well".into());
        }
        let both = [identity, derived].concat();
        if known {
            self.expect(IDENTITY, &both)?;
            self.say("SELFTEST: device key persist ok");
        }
        why("who it is", self.put(IDENTITY, &both)).map(drop)
    }

    /// Sealed values are there as the machines before left them, and are changed; nobody but their owners touches them.
    pub fn sealed(&mut self, boots: u8) -> Verdict {
        if boots > 0 {
            self.expect(STAYS, SECRET)?;
            self.expect(CHANGES, &changed(boots - 1))?;
        } else {
            why("put", self.put(STAYS, SECRET))?;
        }
        for path in ["trust/other", "keystore/device", "trust"] {
            Test::refused("read", self.get(path), Error::PermissionDenied)?;
        }
        let (stays, out) = (text(STAYS), text("app/test/stolen"));
        Test::refused("moved out", self.state.rename(stays, out), Error::CrossDevice)?;
        // Nobody asks for it: what is changed cannot be taken back a moment later.
        why("put", self.put(CHANGES, &changed(boots)))?;
        if !why("status", self.keys.status())?.pending {
            return Err("nobody was told of the change".into());
        }
        while why("status", self.keys.status())?.pending {
            self.pause();
        }
        Ok(())
    }

    /// Whoever of the four dies, and whoever while the first one's successor is on its way to whatever stage: what is sealed is closed for a while, and
    /// never another; nothing of it is lost, and the device stays who it is.
    fn deaths(&mut self) -> Verdict {
        let identity = why("who the device is", self.keys.identity())?.key;
        let mut count = 0;
        for first in TRUSTED {
            for second in TRUSTED {
                for stage in STAGES {
                    let was = self.kill_running(first)?;
                    self.until(first, was, stage)?;
                    self.kill_if_there(second)?;
                    count += 1;
                    why("put", self.put_again(&changed(count)))?;
                    self.comes_back(count)?;
                    let now = why("who the device is", self.keys.identity())?.key;
                    if now != identity {
                        return Err(format!("{first} and {second} died, and the device is another"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until the successor of a process is that far.
    pub fn until(&mut self, name: &str, was: u32, stage: State) -> Verdict {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            let (generation, state) = self.stands(name)?;
            let is_past = state == State::Ready && stage == State::Starting;
            if generation != was && (state == stage || is_past) {
                return Ok(());
            }
            if stage == State::Pausing && (generation == 0 || generation != was) {
                return Ok(());
            }
            if clock::now() > deadline {
                return Err(format!("{name} is {state:?} and never {stage:?}"));
            }
        }
    }

    /// Kills it as soon as it runs; answers the number of the instance that was killed.
    pub fn kill_running(&mut self, name: &str) -> Verdict<u32> {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            let (was, state) = self.stands(name)?;
            if was != 0 && self.kill_if_there(name)? {
                return Ok(was);
            }
            if clock::now() > deadline {
                return Err(format!("{name} is {state:?} and cannot be killed"));
            }
        }
    }

    /// The number of its instance, and where it stands.
    pub fn stands(&mut self, name: &str) -> Verdict<(u32, State)> {
        let mut supervise = supervise::Client::new(Fixed::new(&*self.supervisor));
        for index in 0.. {
            let reply = why(name, supervise.stat(index))?;
            if reply.name.get() == name {
                return Ok((reply.generation, reply.state));
            }
        }
        Err(format!("there is no {name}"))
    }

    /// Kills it, unless it does not run at the moment; answers whether it did.
    pub fn kill_if_there(&self, name: &str) -> Verdict<bool> {
        match supervise::Client::new(Fixed::new(&*self.supervisor)).kill(text(name)) {
            Ok(()) => Ok(true),
            Err(CallError::Service(supervise::Error::NotFound)) => Ok(false),
            Err(other) => Err(format!("kill {name}: {other:?}")),
        }
    }

    /// Puts what is changed until it is safe, whoever dies meanwhile.
    pub fn put_again(&mut self, bytes: &[u8]) -> Result<(), CallError<Error>> {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            match self.state.put(true, text(CHANGES), Bytes::new(bytes).unwrap_or_default()) {
                Ok(_) => return Ok(()),
                Err(CallError::Service(error @ (Error::Integrity | Error::Rollback))) => {
                    return Err(CallError::Service(error));
                }
                Err(other) if clock::now() > deadline => return Err(other),
                Err(_) => {}
            }
        }
    }

    fn comes_back(&mut self, boots: u8) -> Verdict {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            let (found, open) = (self.get(CHANGES), self.keys.anchor());
            match (found, open) {
                (Ok((bytes, _)), Ok(())) if bytes == changed(boots) => return Ok(()),
                (Ok((bytes, _)), _) if bytes != changed(boots) => return Err("another value".into()),
                (Err(CallError::Service(Error::Integrity | Error::Rollback | Error::NotFound)), _) => {
                    return Err("what is sealed is refused".into());
                }
                _ if clock::now() > deadline => return Err("it does not come back".into()),
                _ => {}
            }
        }
    }

    /// The host did something to the disk, or to the vault, and left word of it.
    pub fn left(&mut self, word: &str) -> Verdict {
        match word {
            "tampered" => {
                self.waits_for_keys()?;
                Test::refused("what was forged", self.get(CHANGES), Error::Integrity)?;
                self.expect(STAYS, SECRET)?;
                self.say("SELFTEST: statefs tamper deny ok");
            }
            "taken back" => {
                self.denied(Error::Rollback, keys::Error::Rollback)?;
                self.say("SELFTEST: statefs rollback deny ok");
            }
            "another vault" => {
                self.denied(Error::Integrity, keys::Error::Integrity)?;
                self.say("SELFTEST: statefs another vault deny ok");
            }
            "deaths" => {
                self.waits_for_keys()?;
                self.deaths()?;
                self.say("SELFTEST: trust order deaths ok");
            }
            "no vault" => {
                self.denied(Error::Busy, keys::Error::NotFound)?;
                let status = why("status", self.keys.status())?;
                if status.vault != keys::Vault::Absent || status.open != 0 {
                    return Err(format!("{status:?} without a vault"));
                }
                self.say("SELFTEST: statefs no vault ok");
            }
            other => return Err(format!("`{other}` is no word")),
        }
        Ok(())
    }

    /// `keystored` says that it is ready when it has tried to open everything, and is started before this process; it may still be waiting.
    fn waits_for_keys(&mut self) -> Verdict {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            let status = why("status", self.keys.status())?;
            let undecided =
                status.locked > 0 && matches!(status.vault, keys::Vault::Open | keys::Vault::Blank);
            if !undecided {
                return Ok(());
            }
            if clock::now() > deadline {
                return Err(format!("{status:?}, and nothing happens"));
            }
        }
    }

    /// Nothing sealed is to be had, for this reason; everything else is.
    fn denied(&mut self, error: Error, of_keys: keys::Error) -> Verdict {
        self.waits_for_keys()?;
        for path in [STAYS, CHANGES, "trust/test/new"] {
            Test::refused("read", self.get(path), error)?;
            Test::refused("put", self.put(path, b"new"), error)?;
        }
        match self.keys.identity() {
            Err(CallError::Service(found)) if found == of_keys => {}
            other => return Err(format!("the device: {other:?} instead of {of_keys:?}")),
        }
        why("what is not sealed", self.put("app/test/plain", b"works")).map(drop)
    }
}
