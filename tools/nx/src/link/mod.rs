//! The link to a running system: what `nx ps`, `nx log` and the others ask it, through the door that its `nx run` opened (`broker.rs`).
//! The messages are those of `idl/diag.idl` and, for `nx state`, `idl/state.idl`, in frames of `formats/link`.

pub mod broker;
mod caps;
mod commands;
mod graph;
mod look;

use std::cell::RefCell;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nexus_api::diag::{Client, Error};
use nexus_link::{Frame, Kind, Receiver, Refusal};
use nexus_wire::{CallError, Connector, Failure as Cut, Fault, Fixed, NoHandle, Packet, Room, Transport};

pub use caps::caps;
pub use commands::{kill, log, network};
pub use look::{ps, top};

use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::interrupt;

/// The door of a machine, beside its console file.
pub const DOOR: &str = "link";

/// QEMU's end of the line, in the same folder.
pub const MACHINE: &str = "link.qemu";

/// Longest path of a socket.
pub const MAX_PATH: usize = 107;

/// How often a wait looks for a signal.
const GLANCE: Duration = Duration::from_millis(50);

/// The system that is asked.
pub type System = Client<Fixed<Line>>;

/// A terminal's end of the link.
pub struct Line {
    stream: UnixStream,
    receiver: Receiver,
    number: u32,
}

/// The same line again, after who answers at its other end was away.
#[derive(Clone)]
pub struct Again(Rc<RefCell<Line>>);

impl Again {
    /// This line.
    pub fn new(line: Line) -> Again {
        Again(Rc::new(RefCell::new(line)))
    }
}

impl Connector for Again {
    type Transport = Again;

    fn connect(&mut self) -> Result<Again, Cut> {
        Ok(self.clone())
    }
}

impl Transport for Again {
    type Handle = NoHandle;

    fn call(&mut self, packet: &mut Packet<'_, NoHandle>, room: Room, deadline_ms: u32) -> Result<(), Cut> {
        self.0.borrow_mut().call(packet, room, deadline_ms)
    }

    fn send(&mut self, packet: &mut Packet<'_, NoHandle>, deadline_ms: u32) -> Result<(), Cut> {
        self.0.borrow_mut().send(packet, deadline_ms)
    }
}

/// Connects to the system that runs here; with several, to the one of this name.
pub fn connect(house: &House, name: Option<&str>) -> Outcome<System> {
    Ok(Client::new(Fixed::new(line(house, name)?)))
}

/// The line to it.
pub fn line(house: &House, name: Option<&str>) -> Outcome<Line> {
    let doors = doors(house)?;
    let named: Vec<&(String, UnixStream)> =
        doors.iter().filter(|(known, _)| name.is_none_or(|name| name == known)).collect();
    let (_, stream) = match named[..] {
        [only] => only,
        [] => {
            let what = match name {
                Some(name) if !doors.is_empty() => format!("no system `{name}` runs"),
                _ => String::from("no system runs here"),
            };
            return Err(Failure::new(Exit::NoSystem, what, "start one: ./nx run, in another terminal"));
        }
        _ => {
            let names: Vec<&str> = doors.iter().map(|(name, _)| name.as_str()).collect();
            let what = format!("several systems run here: {}", names.join(", "));
            return Err(Failure::new(Exit::Usage, what, "name one: --system NAME"));
        }
    };
    let failed = |error: std::io::Error| Failure::host("the link", &error);
    let stream = stream.try_clone().map_err(failed)?;
    stream.set_read_timeout(Some(GLANCE)).map_err(failed)?;
    Ok(Line { stream, receiver: Receiver::default(), number: 0 })
}

/// The doors that somebody is behind, with the name of each machine.
fn doors(house: &House) -> Outcome<Vec<(String, UnixStream)>> {
    let build = house.folder("")?;
    let entries = fs::read_dir(&build).map_err(|error| Failure::host(build.display(), &error))?;
    let mut doors: Vec<(String, UnixStream)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name, UnixStream::connect(entry.path().join(DOOR)).ok()?))
        })
        .collect();
    doors.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(doors)
}

/// The sockets of a machine whose console is kept in this folder; `None` when their paths would be longer than a socket's may be.
pub fn sockets(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let (machine, door) = (folder.join(MACHINE), folder.join(DOOR));
    (machine.as_os_str().len() <= MAX_PATH).then_some((machine, door))
}

impl Transport for Line {
    type Handle = NoHandle;

    fn call(&mut self, packet: &mut Packet<'_, NoHandle>, _room: Room, deadline_ms: u32) -> Result<(), Cut> {
        let deadline = Instant::now() + Duration::from_millis(deadline_ms.into());
        self.number = self.number.wrapping_add(1);
        let mut out = Vec::new();
        // A request without text travels in registers, and needs no buffer to be written to one.
        let mut short = [0; nexus_abi::bounds::REGISTER_BYTES];
        let length = packet.len();
        let payload = match packet.message() {
            Some(payload) => payload,
            None => {
                for (place, word) in short.chunks_mut(8).zip(packet.words()) {
                    place.copy_from_slice(&word.to_le_bytes());
                }
                short.get(..length).ok_or(Cut::Protocol(Fault::NoRoom))?
            }
        };
        let frame = Frame { kind: Kind::Request, terminal: 0, number: self.number, payload };
        if !frame.write(&mut out) {
            return Err(Cut::Protocol(Fault::NoRoom));
        }
        self.stream.write_all(&out).map_err(|_| Cut::ServerDied)?;
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(Cut::ServerDied),
                Ok(count) => {
                    for byte in &bytes[..count] {
                        if let Some(answered) = self.take(*byte, packet) {
                            return answered;
                        }
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Err(Cut::ServerDied),
            }
            if Instant::now() >= deadline || interrupt::seen() {
                return Err(Cut::TimedOut);
            }
        }
    }

    fn send(&mut self, _packet: &mut Packet<'_, NoHandle>, _deadline_ms: u32) -> Result<(), Cut> {
        // The interface has calls alone.
        Err(Cut::Protocol(Fault::Refused))
    }
}

impl Line {
    /// Takes a byte; tells what became of the request when it completes its answer. Answers to older requests came too late.
    fn take(&mut self, byte: u8, packet: &mut Packet<'_, NoHandle>) -> Option<Result<(), Cut>> {
        let frame = self.receiver.push(byte)?;
        match frame.kind {
            Kind::Answer if frame.number == self.number => {
                let mut words = [0; nexus_abi::bounds::REGISTER_WORDS];
                for (word, part) in words.iter_mut().zip(frame.payload.chunks(8)) {
                    let mut raw = [0; 8];
                    raw[..part.len()].copy_from_slice(part);
                    *word = u64::from_le_bytes(raw);
                }
                let length = frame.payload.len();
                let fits = packet.load(frame.payload) || packet.arrived(length, words);
                Some(if fits { Ok(()) } else { Err(Cut::Protocol(Fault::NoRoom)) })
            }
            Kind::Refused if [0, self.number].contains(&frame.number) => {
                let why = frame.payload.first().copied().and_then(Refusal::from_raw);
                Some(Err(match why {
                    Some(Refusal::Busy) => Cut::TimedOut,
                    Some(Refusal::Away) => Cut::ServerDied,
                    Some(Refusal::Unknown) | None => Cut::Protocol(Fault::Refused),
                }))
            }
            Kind::Request | Kind::Answer | Kind::Refused => None,
        }
    }
}

/// Why there is no answer, in words. `what` is what was asked for.
fn told(error: CallError<Error>, what: &str) -> Failure {
    if interrupt::seen() {
        return interrupt::failure("the system goes on");
    }
    match error {
        CallError::Service(Error::NotFound) => {
            Failure::new(Exit::Failed, format!("{what}: there is no such thing"), "nx ps shows what there is")
        }
        CallError::Service(Error::PermissionDenied) => Failure::new(
            Exit::Failed,
            format!("{what}: this image does not allow that"),
            "the registry decides; an image that allows it: ./nx run --variant dev",
        ),
        CallError::Service(Error::NotReady) => Failure::new(
            Exit::NoSystem,
            format!("{what}: the service that knows does not answer now"),
            "nx ps shows whether it runs; ask again",
        ),
        CallError::ServerDied => {
            Failure::new(Exit::NoSystem, format!("{what}: the system ended"), "start it again: ./nx run")
        }
        CallError::TimedOut => Failure::new(
            Exit::NoSystem,
            format!("{what}: no answer; whether it was done is not known"),
            "the system may still be starting, or too many terminals ask it: ask again",
        ),
        CallError::Protocol(fault) => Failure::new(
            Exit::NoSystem,
            format!("{what}: the system speaks another language ({fault:?})"),
            "this nx and that system are of different versions: nx run of this tree",
        ),
    }
}
