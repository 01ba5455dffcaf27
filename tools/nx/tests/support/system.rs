//! A running system as a terminal sees it: a door at which somebody answers what a device would.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::thread;

use nexus_abi::Identity;
use nexus_api::diag::{
    self, Error, Holding, HoldingsReply, LogPromise, LogReply, MachineReply, NetworkReply, ProcessReply,
    Server, State,
};
use nexus_link::{Frame, Kind, Receiver};
use nexus_wire::{NoHandle, Outcome, Packet, Sender, Text};

use super::Scratch;

/// Two processes, two records, one that can be killed.
struct Desk;

impl Server for Desk {
    fn machine(&mut self, _: Sender) -> Result<MachineReply, Error> {
        Ok(MachineReply { now: 5_000, hz: 1_000, damaged: 0 })
    }
    fn process(&mut self, _: Sender, index: u16) -> Result<ProcessReply<'_>, Error> {
        let name = *["nexus-init", "rngd"].get(usize::from(index)).ok_or(Error::NotFound)?;
        Ok(ProcessReply {
            service: u32::from(index) + 1,
            generation: 1,
            pages: 10,
            pages_most: 20,
            cpu_ticks: 500,
            handles: 3,
            starts: 1,
            state: State::Ready,
            name: Text::cut(name),
        })
    }
    fn log(&mut self, _: Sender, _: LogPromise, from: u64, _: bool) -> Result<Option<LogReply<'_>>, Error> {
        if from > 1 {
            return Err(Error::NotFound);
        }
        let text = Text::cut("something happened");
        let (service, purpose) = (from as u32 * 2, from as u8);
        Ok(Some(LogReply { sequence: from, time: 7, service, generation: 1, level: 3, purpose, text }))
    }
    fn kill(&mut self, _: Sender, name: Text<'_, 31>) -> Result<(), Error> {
        if name.get() == "rngd" { Ok(()) } else { Err(Error::PermissionDenied) }
    }
    fn holdings(&mut self, _: Sender, index: u16, from: u32) -> Result<HoldingsReply, Error> {
        // A channel between the two; the first holds the second, in the second part of its answer.
        let mut holdings = [Holding { object: 0, rights: 0, kind: 0, end: 0 }; 11];
        holdings[0] = match (index, from) {
            (0 | 1, 0) => Holding { object: 7, rights: 0xc6, kind: 3, end: index },
            (0, _) => Holding { object: 8, rights: 1 << 4, kind: 1, end: 0 },
            _ => return Err(Error::NotFound),
        };
        Ok(HoldingsReply { next: u32::from(index == 0 && from == 0) * 256, count: 1, holdings })
    }
    fn network(&mut self, _: Sender) -> Result<NetworkReply, Error> {
        let (address, router) = ([10, 0, 2, 15], [10, 0, 2, 2]);
        Ok(NetworkReply { configured: true, prefix: 24, address, router, dropped: 0, sockets: 1 })
    }
}

/// Opens the door of a system named `name`, until the test ends.
pub fn system(scratch: &Scratch, name: &str) {
    let folder = scratch.path("build").join(name);
    fs::create_dir_all(&folder).unwrap();
    let door = UnixListener::bind(folder.join("link")).unwrap();
    thread::spawn(move || {
        for stream in door.incoming() {
            let mut stream = stream.unwrap();
            let (mut receiver, mut bytes) = (Receiver::default(), [0; 4096]);
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                for byte in &bytes[..count] {
                    if let Some(frame) = receiver.push(*byte) {
                        let _ = stream.write_all(&answer(&frame));
                    }
                }
            }
        }
    });
}

fn answer(frame: &Frame<'_>) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut packet = Packet::<NoHandle>::new(&mut buffer);
    assert!(packet.load(frame.payload));
    let sender = Sender { identity: Identity::default(), key: 1, token: 1 };
    assert_eq!(diag::dispatch(&mut Desk, sender, &mut packet), Outcome::Answered);
    let mut out = Vec::new();
    assert!(Frame { kind: Kind::Answer, payload: packet.message().unwrap(), ..*frame }.write(&mut out));
    out
}
