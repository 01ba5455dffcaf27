//! A TCP echo on the device. A client on the host (`tools/nx/src/test/net.rs`) connects, sends a length and so many bytes, reads them
//! back, and says whether they were right: only then is the proof line printed. After each connection something is killed:
//! the card's driver, the network. The last connection says how often both are killed again and again (`restarts.rs`); then the machine ends.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

mod restarts;

use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use nexus_rt::abi::Ticks;
use nexus_rt::api::net;
use nexus_rt::api::socket::{Client, Error, MAX_DATA};
use nexus_rt::api::supervise;
use nexus_rt::console::Console;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, Fixed, Text};
use nexus_rt::{Channel, Owned, PortKind, ResourceKind, Startup, clock, sys};

nexus_rt::main!(run);

/// The port that is listened at. The machine's network leads one of the host's there.
const PORT: u16 = 7;

/// How long an address is waited for, and how long between two looks.
const PATIENCE_MS: u64 = 20_000;
const PAUSE_MS: u64 = 20;

/// The client's last byte when all bytes were right.
const RIGHT: u8 = 1;

type Verdict<T = ()> = Result<T, String>;

struct Test {
    console: Console,
    supervisor: Owned<Channel>,
    /// Nothing ever arrives here: to wait for time alone.
    silence: Owned<PortKind>,
    network: Client<Service>,
}

fn why<T, E: Debug>(what: &str, result: Result<T, E>) -> Verdict<T> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

fn run(mut startup: Startup) -> u64 {
    let Some(quota) = startup.quota() else { return 3 };
    let (Some(reset), Some(supervisor)) = (startup.take::<ResourceKind>("reset"), startup.take("supervise"))
    else {
        return 3;
    };
    let Ok(silence) = Owned::<PortKind>::create(quota) else { return 4 };
    startup.ready();
    let mut test =
        Test { console: Console::default(), supervisor, silence, network: Client::new(Service("network")) };
    let outcome = test.whole();
    if let Err(reason) = &outcome {
        test.say(&format!("TEST net FAILED: {reason}"));
    }
    let _ = test.console.drain();
    let _ = reset.reset(u64::from(outcome.is_err()));
    4
}

impl Test {
    fn say(&self, line: &str) {
        // A console that refuses leaves the line out, which whoever reads it notices.
        let _ = self.console.write(&format!("{line}\n"));
    }

    fn pause(&self) {
        let until: Ticks = clock::in_millis(PAUSE_MS);
        let _ = sys::reply_and_wait_words(self.silence.handle(), 0, 0, [0; 6], until);
    }

    fn whole(&mut self) -> Verdict {
        self.address()?;
        self.ping()?;
        self.say("SELFTEST: net ping ok");
        self.frames_are_not_for_everybody()?;
        let listener = why("listen", self.network.tcp_listen(PORT))?.socket;
        let bytes = self.echo(listener)?;
        self.say(&format!("SELFTEST: net tcp echo ok bytes={bytes}"));
        // The card's driver dies; the listening socket lives on in the network, and so does its address.
        self.kill("virtionetd")?;
        let bytes = self.echo(listener)?;
        self.say(&format!("SELFTEST: net tcp echo after the driver's death ok bytes={bytes}"));
        // The network dies, and the client sees it. Everything that it had is gone; a new one comes.
        self.kill("netstackd")?;
        let died = self.network.close(listener);
        if died != Err(CallError::ServerDied) {
            return Err(format!("the network's death was not seen: {died:?}"));
        }
        self.address()?;
        let listener = why("listen again", self.network.tcp_listen(PORT))?.socket;
        let bytes = self.echo(listener)?;
        self.say(&format!("SELFTEST: net tcp echo after the network's death ok bytes={bytes}"));
        let rounds = self.echo(listener)?;
        why("close", self.network.close(listener))?;
        self.restarts(rounds)
    }

    /// Waits until the network has an address.
    fn address(&mut self) -> Verdict {
        let deadline = clock::in_millis(PATIENCE_MS);
        loop {
            if self.network.status().is_ok_and(|status| status.configured) {
                return Ok(());
            }
            if clock::now() >= deadline {
                return Err(String::from("no address came"));
            }
            self.pause();
        }
    }

    /// The router answers, and nobody where there is nobody.
    fn ping(&mut self) -> Verdict {
        let status = why("status", self.network.status())?;
        why("ping", self.network.ping(status.router))?;
        let nobody = self.network.ping([0, 0, 0, 0]).map(|_| ());
        if nobody != Err(CallError::Service(Error::Invalid)) {
            return Err(format!("a ping to no address: {nobody:?}"));
        }
        Ok(())
    }

    /// The card has one user, and this is not it.
    fn frames_are_not_for_everybody(&mut self) -> Verdict {
        let mut card = net::Client::new(Service("net"));
        let before = why("counters", card.counters())?;
        let quota = nexus_rt::startup::own_quota().ok_or("no quota")?;
        let end = nexus_rt::channel::end(1, nexus_rt::api::frames::REQUEST_ROOM);
        let (_mine, theirs) = why("channel", Owned::<Channel>::create(quota, end, nexus_rt::End::default()))?;
        let refused = card.attach(theirs.into()).map(|_| ());
        if refused != Err(CallError::Service(net::Error::Exists)) {
            return Err(format!("a second user was let in: {refused:?}"));
        }
        let frame = [0xff; 60];
        why("transmit", card.transmit(Bytes::new(&frame).map_err(|_| "too long")?))?;
        let after = why("counters", card.counters())?;
        if !before.link || after.sent + after.sent_dropped != before.sent + before.sent_dropped {
            return Err(String::from("a frame of somebody else was sent"));
        }
        Ok(())
    }

    /// One connection: a length of 8 bytes, so many bytes echoed, the client's word. Answers how many.
    fn echo(&mut self, listener: u32) -> Verdict<u64> {
        self.say("net-echo: listening");
        let connection = why("accept", self.network.tcp_accept(listener))?.connection;
        let (mut pending, mut length, mut echoed) = (alloc::vec::Vec::new(), None, 0u64);
        loop {
            let data = why("receive", self.network.tcp_receive(connection))?.data;
            if data.is_empty() {
                return Err(String::from("the client is gone"));
            }
            pending.extend_from_slice(data.get());
            if let (None, Some(raw)) = (length, pending.first_chunk::<8>()) {
                length = Some(u64::from_le_bytes(*raw));
                pending.drain(..8);
            }
            let Some(length) = length else { continue };
            let due = pending.len().min((length - echoed) as usize);
            for piece in pending[..due].chunks(MAX_DATA) {
                self.send(connection, piece)?;
            }
            pending.drain(..due);
            echoed += due as u64;
            if echoed == length
                && let Some(word) = pending.first()
            {
                let right = *word == RIGHT;
                why("close", self.network.close(connection))?;
                return if right { Ok(length) } else { Err(String::from("the client got other bytes")) };
            }
        }
    }

    fn send(&mut self, connection: u32, mut data: &[u8]) -> Verdict {
        while !data.is_empty() {
            let bytes = Bytes::new(data).map_err(|_| "too long")?;
            let count = why("send", self.network.tcp_send(connection, bytes))?.count;
            data = data.get(usize::from(count)..).ok_or("more was taken than was sent")?;
        }
        Ok(())
    }

    fn kill(&self, name: &str) -> Verdict {
        let name = why("name", Text::new(name))?;
        why("kill", supervise::Client::new(Fixed::new(&self.supervisor)).kill(name))
    }
}
