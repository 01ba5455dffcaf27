//! A client: calls and sends to whoever serves its channel, and works with objects of its own between.

use crate::{modelled, objects};
use alloc::format;
use alloc::string::String;
use nexus_abi::{Error, Handle, Kind, NOW, Rights};
use nexus_rt::owned::{Process, Quota};
use nexus_rt::{CallError, Channel, Handles, Owned, PortKind, clock, sys};
use storm::message::{self, MAX_BYTES};
use storm::{ASK, FOUND, PATIENCE_MS, Random, STOP, TICK};

/// Operations between two reports to the driver.
const REPORT: u64 = 64;

/// See the module.
pub struct Client {
    /// Which client of this process it is.
    pub number: u64,
    /// The channel to the driver, which the server's thread holds.
    pub driver: Handle,
    /// This process and its quota.
    pub own: &'static Owned<Process>,
    pub quota: &'static Owned<Quota>,
    /// What makes processes.
    pub identity: Handle,
}

/// Where calls go, and the number of the next message.
struct Service {
    end: Owned<Channel>,
    number: u64,
}

/// Calls the driver with an operation and a number; answers a word and perhaps an end.
fn ask(driver: Handle, operation: u64, number: u64) -> Result<(u64, Option<Handle>), String> {
    let mut handles = [Handle::NONE];
    let mut area = sys::Area { bytes: &mut [], handles: &mut handles };
    let tag = nexus_abi::Tag::new(16, 0).with_room(0, 1);
    let words = [operation, number, 0, 0, 0, 0];
    let out = sys::call(driver, tag, words, &mut area, clock::in_millis(PATIENCE_MS))
        .map_err(|refusal| format!("asking the driver: {:?}", refusal.error))?;
    Ok((out.words[0], (out.tag.handles() == 1).then_some(handles[0])))
}

/// Tells the driver what was found.
pub fn tell(driver: Handle, why: &str) {
    let mut text = [0; message::MAX_BYTES];
    let length = why.len().min(text.len() - 8);
    text[..8].copy_from_slice(&FOUND.to_le_bytes());
    text[8..8 + length].copy_from_slice(&why.as_bytes()[..length]);
    let mut area = sys::Area { bytes: &mut text, handles: &mut [] };
    // At least 49 bytes, so that they come from memory.
    let tag = nexus_abi::Tag::new((8 + length).max(64), 0);
    let _ = sys::call(driver, tag, [0; 6], &mut area, clock::in_millis(PATIENCE_MS));
}

impl Client {
    /// Works until the driver says that it is enough, or something is wrong, which it tells.
    pub fn run(self) {
        if let Err(why) = self.work() {
            tell(self.driver, &format!("client {}: {why}", self.number));
        }
    }

    fn work(&self) -> Result<(), String> {
        let mut random = Random::new(clock::now() ^ self.number);
        let mut service = None;
        let mut history = None;
        let mut done = 0;
        loop {
            if done % REPORT == 0 && ask(self.driver, TICK, done.min(REPORT))?.0 == STOP {
                return Ok(());
            }
            done += 1;
            let Some(there) = &mut service else {
                service = self.find()?;
                continue;
            };
            let went = match random.below(20) {
                0..6 => there.call(&mut random, 48)?,
                6..9 => there.call(&mut random, MAX_BYTES)?,
                9..11 => there.call_with_handle(self.quota)?,
                11..14 => there.send(&mut random)?,
                14..17 => {
                    objects::one(self, &mut random)?;
                    true
                }
                _ => {
                    modelled::one(self, &mut random, &mut history)?;
                    true
                }
            };
            if !went {
                service = None;
            }
        }
    }

    /// Has the driver find a server; `None`: there is none at the moment.
    fn find(&self) -> Result<Option<Service>, String> {
        let (_, end) = ask(self.driver, ASK, self.number)?;
        if end.is_none() {
            sys::thread_yield();
        }
        Ok(end.map(|end| Service { end: Owned::from_handle(end), number: 0 }))
    }
}

impl Service {
    /// A call with a random length up to `most`. False: the server is gone.
    fn call(&mut self, random: &mut Random, most: usize) -> Result<bool, String> {
        let length = 8 + random.below(most as u64 - 7) as usize;
        self.exchange(length, Handles::new(), 0)
    }

    /// A call that a port goes along with, and comes back from.
    fn call_with_handle(&mut self, quota: &Owned<Quota>) -> Result<bool, String> {
        let port = Owned::<PortKind>::create(quota).map_err(|error| format!("port: {error:?}"))?;
        let copy =
            port.duplicate(Kind::Port.all_rights() - Rights::BIND).map_err(|e| format!("copy: {e:?}"))?;
        self.exchange(8, Handles::one(copy), 1)
    }

    fn exchange(&mut self, length: usize, mut gifts: Handles, count: usize) -> Result<bool, String> {
        let (mut request, mut expected, mut room) = ([0; MAX_BYTES], [0; MAX_BYTES], [0; MAX_BYTES]);
        let (request, expected) = (&mut request[..length], &mut expected[..length]);
        message::write(self.number, request);
        message::answer_to(self.number, expected);
        let deadline = clock::in_millis(PATIENCE_MS);
        match self.end.call(request, &mut gifts, &mut room, count, deadline) {
            Ok(mut answer) => {
                self.number += 1;
                if answer.bytes != expected || answer.handles.len() != count {
                    return Err(format!("another answer than to call {} of {length} bytes", self.number - 1));
                }
                if count != 0 {
                    let back = answer.handles.take_typed::<PortKind>(0);
                    let rights = back.and_then(|port| port.rights());
                    let meant = Kind::Port.all_rights() - Rights::BIND;
                    if rights != Ok(meant) {
                        return Err(format!("a port came back as {rights:?}"));
                    }
                }
                Ok(true)
            }
            Err(CallError::ServerDied) => Ok(false),
            // The server has not received its end yet, which takes no handles on its way.
            Err(CallError::Refused(Error::Busy)) if count != 0 => Ok(true),
            Err(error) => Err(format!("call {} of {length} bytes: {error:?}", self.number)),
        }
    }

    /// A message without an answer, unless there is no room for it.
    fn send(&mut self, random: &mut Random) -> Result<bool, String> {
        let mut bytes = [0; MAX_BYTES];
        let most = [40, MAX_BYTES as u64 - 8][random.below(2) as usize];
        let length = 8 + random.below(most) as usize;
        let bytes = &mut bytes[..length];
        message::write(self.number, bytes);
        let deadline = if random.below(2) == 0 { NOW } else { clock::in_millis(1) };
        match self.end.send(bytes, &mut Handles::new(), deadline) {
            Ok(()) => {
                self.number += 1;
                Ok(true)
            }
            Err(Error::WouldBlock | Error::TimedOut) => Ok(true),
            Err(Error::PeerClosed) => Ok(false),
            Err(error) => Err(format!("send {}: {error:?}", self.number)),
        }
    }
}
