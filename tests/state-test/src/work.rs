//! What each machine does.

use alloc::format;
use alloc::vec::Vec;

use nexus_bootctl::{PATH, Record};
use nexus_records::paths;
use nexus_rt::abi::Error as Refusal;
use nexus_rt::api::news;
use nexus_rt::api::state::{Error, Event};
use nexus_rt::channel::end;
use nexus_rt::wire::{Bytes, CallError};
use nexus_rt::{Channel, End, Owned};
use recordd::keeper::CRASHES;
use statefsd::changes;

use crate::{Test, Verdict, text, why};

/// Where it is written how many machines there were.
const BOOTS: &str = "app/test/boots";

/// Values that each machine adds, and machines whose values are there at a time: so a disk can go through any number of them.
const MANY: usize = 300;
const ADDED_BY: u8 = 2;

/// More changes than a watch has room for.
const MANY_EVENTS: usize = 40;

/// Bytes of the long value.
const LONG: usize = 300_000;

/// The value of `number` as the machine `boot` puts it.
fn value(boot: u8, number: usize) -> Vec<u8> {
    (0..(number * 37 % 900)).map(|at| (at as u8).wrapping_mul(31) ^ boot ^ number as u8).collect()
}

fn many(boot: u8, number: usize) -> alloc::string::String {
    format!("app/test/many/{boot}/{number:03}")
}

/// One word came, and there is no second one.
fn told(news: &Owned<Channel>) -> Verdict {
    let mut buffer = [0; 64];
    why("news", news.receive(&mut buffer).map(drop))?;
    match news.receive(&mut buffer).map(drop) {
        Err(Refusal::WouldBlock) => Ok(()),
        other => Err(format!("news came twice: {other:?}")),
    }
}

/// A byte of the long value.
fn long(boot: u8, at: usize) -> u8 {
    (at * 7 + at / 251) as u8 ^ boot
}

impl Test {
    /// All of it, or what the host left word of.
    pub fn whole(&mut self) -> Verdict {
        if let Some(word) = self.word()? {
            return self.left(&word);
        }
        let boots = match self.get(BOOTS) {
            Ok((bytes, _)) => *bytes.first().ok_or("an empty count")?,
            Err(CallError::Service(Error::NotFound | Error::NotDir)) => 0,
            other => return why("the count of machines", other).map(drop),
        };
        if boots > 0 {
            self.lasts(boots)?;
            self.say("SELFTEST: statefs persist ok");
        }
        self.boot(boots)?;
        if boots > 0 {
            self.say("SELFTEST: bootctl persist ok");
        }
        self.strangers()?;
        self.say("SELFTEST: statefs unauthorized access rejected");
        self.values()?;
        self.handed()?;
        self.say("SELFTEST: statefs put ok");
        self.watches()?;
        self.say("SELFTEST: statefs watch ok");
        self.quota()?;
        self.say("SELFTEST: quota deny ok");
        self.device(boots > 0)?;
        self.sealed(boots)?;
        self.say("SELFTEST: statefs auth put ok");
        self.promises(boots)?;
        self.say("SELFTEST: statefs restart ok");
        self.looked_at()?;
        self.say("SELFTEST: statefs look ok");
        self.crash(boots)?;
        self.say("SELFTEST: crash record ok");
        let data = [boots + 1];
        let last = self.state.put(true, text(BOOTS), Bytes::new(&data).map_err(|_| "too long")?);
        why("the last put", last).map(drop)
    }

    /// What the machines before were promised.
    fn lasts(&mut self, boots: u8) -> Verdict {
        let added_by = boots.saturating_sub(ADDED_BY)..boots;
        for boot in added_by.clone() {
            for number in 0..MANY {
                self.expect(&many(boot, number), &value(boot, number))?;
            }
        }
        let value: Vec<u8> = (0..LONG).map(|at| long(boots - 1, at)).collect();
        self.expect("app/test/long", &value)?;
        // What was taken away is not there again, and nothing else is either.
        let count = self.count("app/test")?;
        // With the count of machines, the long value, and who the device is.
        let expected = MANY * added_by.len() + 3;
        if count == expected { Ok(()) } else { Err(format!("{count} values instead of {expected}")) }
    }

    /// How many values lie under a prefix.
    fn count(&mut self, prefix: &str) -> Verdict<usize> {
        let (mut after, mut count) = (alloc::string::String::new(), 0);
        loop {
            let reply = why("next", self.state.next(text(prefix), text(&after)))?;
            if reply.path.is_empty() {
                return Ok(count);
            }
            count += usize::from(reply.found);
            after = reply.path.get().into();
        }
    }

    fn strangers(&mut self) -> Verdict {
        for path in ["keystore/device", "app/other", "app", "trust/root"] {
            Test::refused("read", self.get(path), Error::PermissionDenied)?;
            Test::refused("put", self.put(path, b"mine"), Error::PermissionDenied)?;
            Test::refused("delete", self.state.delete(text(path)), Error::PermissionDenied)?;
        }
        Test::refused("put the boot record", self.put(PATH, b"mine"), Error::PermissionDenied)?;
        let stolen = self.state.rename(text("keystore/device"), text("app/test/key"));
        Test::refused("move", stolen, Error::PermissionDenied)?;
        Test::refused("snapshot", self.state.snapshot(text("s")), Error::PermissionDenied)
    }

    fn values(&mut self) -> Verdict {
        for length in [0, 1, 699, 700, 701, 3072] {
            let data = alloc::vec![length as u8; length];
            why("put", self.put("app/test/a/b", &data))?;
            self.expect("app/test/a/b", &data)?;
        }
        for path in ["", "/app", "app/../app", "app//a", "app/test/"] {
            Test::refused(path, self.put(path, b""), Error::Invalid)?;
        }
        Test::refused("a value above", self.put("app/test/a/b/c", b""), Error::NotDir)?;
        Test::refused("values below", self.put("app/test/a", b""), Error::IsDir)?;
        Test::refused("read above", self.get("app/test/a"), Error::IsDir)?;
        why("move", self.state.rename(text("app/test/a/b"), text("app/test/c")))?;
        Test::refused("moved", self.get("app/test/a/b"), Error::NotFound)?;
        let mut bytes = Vec::new();
        changes::write("app/test/c", None, &mut bytes);
        changes::write("app/test/d", Some(b"new"), &mut bytes);
        changes::write("app/test/none", None, &mut bytes);
        let batch = self.state.batch(true, Bytes::new(&bytes).map_err(|_| "too long")?);
        Test::refused("a batch that cannot be", batch.map(drop), Error::NotFound)?;
        Test::refused("none of it", self.get("app/test/d"), Error::NotFound)?;
        why("delete", self.state.delete(text("app/test/c"))).map(drop)
    }

    /// What changes is told over a channel of this process's own, once until it has looked; too much of it as one word.
    fn watches(&mut self) -> Verdict {
        let channel = || Owned::<Channel>::create(self.quota, end(1, news::REQUEST_ROOM), End::default());
        let (mine, theirs) = why("a channel", channel())?;
        let (_, stranger) = why("a channel", channel())?;
        let watch = why("watch", self.state.watch(theirs.into(), text("app/test/watched")))?.watch;
        Test::refused("watch", self.state.watch(stranger.into(), text("keystore")), Error::PermissionDenied)?;
        why("put", self.put("app/test/unwatched", b""))?;
        why("put", self.put("app/test/watched/a", b"1"))?;
        why("put", self.put("app/test/watched/b", b"1"))?;
        why("delete", self.state.delete(text("app/test/watched/a")))?;
        told(&mine)?;
        self.happened(watch, &["app/test/watched/a", "app/test/watched/b"])?;
        for number in 0..MANY_EVENTS {
            why("put", self.put(&format!("app/test/watched/{number}"), b""))?;
        }
        told(&mine)?;
        self.happened(watch, &["resync"])?;
        for number in 0..MANY_EVENTS {
            why("delete", self.state.delete(text(&format!("app/test/watched/{number}"))))?;
        }
        why("unwatch", self.state.unwatch(watch))?;
        Test::refused("an ended watch", self.state.event(watch), Error::NotFound)?;
        why("delete", self.state.delete(text("app/test/watched/b")))?;
        why("delete", self.state.delete(text("app/test/unwatched"))).map(drop)
    }

    /// What the watch has to tell is this and no more.
    fn happened(&mut self, watch: u64, expected: &[&str]) -> Verdict {
        for expected in expected {
            let reply = why("event", self.state.event(watch))?;
            let path = if reply.event == Event::Resync { "resync" } else { reply.path.get() };
            if path != *expected {
                return Err(format!("`{path}` changed instead of `{expected}`"));
            }
        }
        let last = why("event", self.state.event(watch))?.event;
        if last == Event::None { Ok(()) } else { Err(format!("{last:?} at the end")) }
    }

    /// The charge is exact, one byte over it is refused, and less is always taken.
    fn quota(&mut self) -> Verdict {
        let usage = why("usage", self.state.usage())?;
        let path = "app/test/full";
        let room = (usage.hard - usage.used) as usize - path.len() - 64;
        Test::refused("one byte too much", self.upload(path, room + 1, |_| 7), Error::QuotaExceeded)?;
        why("at the bound", self.upload(path, room, |_| 7))?;
        let full = why("usage", self.state.usage())?;
        if full.used != full.hard {
            return Err(format!("{} is charged instead of {}", full.used, full.hard));
        }
        Test::refused("anything more", self.put("app/test/e", b""), Error::QuotaExceeded)?;
        why("less", self.put(path, b"less"))?;
        why("nothing", self.state.delete(text(path)))?;
        let after = why("usage", self.state.usage())?;
        if after.used == usage.used { Ok(()) } else { Err(format!("{} is charged afterwards", after.used)) }
    }

    /// `updated` counts this boot behind those of the machines before, all of which became healthy, and finds it healthy in its time.
    fn boot(&mut self, boots: u8) -> Verdict {
        loop {
            let record = match self.get(PATH) {
                Ok((bytes, _)) => why("the boot record", Record::decode(&bytes))?,
                Err(CallError::Service(Error::NotFound)) => Record::default(),
                other => return why("the boot record", other).map(drop),
            };
            let number = u64::from(boots) + 1;
            let is_right = [number - 1, number].contains(&record.begun) && record.failed == 0;
            if !is_right || record.begun - record.healthy > 1 {
                return Err(format!("boot {number}, and the record is {record:?}"));
            }
            if record.begun == number && record.is_healthy() {
                return Ok(());
            }
            self.pause();
        }
    }

    /// A process of this image faults on every machine: `recordd` keeps that, beside the newest of the machines before. It takes its time.
    fn crash(&mut self, boots: u8) -> Verdict {
        let own = paths::crash(u32::from(boots) + 1, 0);
        loop {
            match self.get(&own) {
                Ok(_) => break,
                Err(CallError::Service(Error::NotFound | Error::NotDir)) => self.pause(),
                other => return why(&own, other).map(drop),
            }
        }
        // What is one too many goes right after.
        let kept = CRASHES.min(usize::from(boots) + 1);
        while self.count("crash")? != kept {
            self.pause();
        }
        Ok(())
    }

    /// What was promised is kept when the server and the disk's driver die.
    fn promises(&mut self, boot: u8) -> Verdict {
        for number in 0..MANY {
            let receipt = why("put", self.put(&many(boot, number), &value(boot, number)))?;
            if number == MANY / 2 {
                why("sync", self.state.sync(receipt))?;
                self.kill("virtioblkd")?;
            }
        }
        let receipt = why("long", self.upload("app/test/long", LONG, |at| long(boot, at)))?;
        why("sync", self.state.sync(receipt))?;
        let lost = why("not safe", self.put("app/test/lost", b"perhaps"))?;
        self.kill("statefsd")?;
        let sync = loop {
            match self.state.sync(lost) {
                Err(CallError::ServerDied) => {}
                other => break other,
            }
        };
        Test::refused("a receipt of the server before", sync, Error::ServerDied)?;
        for number in 0..MANY {
            self.expect(&many(boot, number), &value(boot, number))?;
        }
        match self.state.delete(text("app/test/lost")) {
            Ok(_) | Err(CallError::Service(Error::NotFound)) => {}
            other => return why("what was not safe", other).map(drop),
        }
        match boot.checked_sub(ADDED_BY) {
            Some(oldest) => self.take_away(oldest),
            None => Ok(()),
        }
    }

    /// While every page of the store is looked at, whoever asks for anything is told so at once, and nobody else is kept waiting; then all is as before.
    fn looked_at(&mut self) -> Verdict {
        why("look", self.state.check(false))?;
        Test::refused("read meanwhile", self.get("app/test/long"), Error::Busy)?;
        Test::refused("put meanwhile", self.put("app/test/lost", b""), Error::Busy)?;
        if why("health meanwhile", self.state.health())?.fault != 0 {
            return Err("the store is out of order".into());
        }
        let looked = loop {
            match self.state.checked() {
                Err(CallError::Service(Error::Busy)) => self.pause(),
                other => break why("what it came to", other)?,
            }
        };
        if (looked.damaged, looked.lost, looked.unmapped) != (0, 0, 0) || looked.keys < MANY as u64 {
            return Err(format!("{} keys, damaged: {}", looked.keys, looked.findings.get()));
        }
        self.get("app/test/long").map(drop).map_err(|error| format!("afterwards: {error:?}"))
    }

    /// What a machine long ago added goes.
    fn take_away(&mut self, boot: u8) -> Verdict {
        for number in 0..MANY {
            why("delete", self.state.delete(text(&many(boot, number))))?;
        }
        Ok(())
    }
}
