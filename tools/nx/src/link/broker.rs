//! Who lets several terminals share one line. The machine has one; `nx run` holds it and opens a door beside the console file, through which every
//! other `nx` comes. Each terminal's requests bear its number, which is set here and nowhere else, and answers go to that terminal alone.
//!
//! A terminal that sends garbage, reads slowly or hangs up costs the others nothing: only whole frames pass, each terminal has so many
//! requests on their way and no more, and one that does not read is let go.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Queue, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nexus_link::{Frame, Kind, Receiver, Refusal};

use crate::exit::{Failure, Outcome};

/// Most terminals at a time. One more is told that there is no room.
pub const MAX_TERMINALS: usize = 32;

/// Most requests of one terminal that are on their way.
pub const MAX_REQUESTS: usize = 8;

/// Answers that wait for a terminal to read them before it is let go.
pub const MAX_ANSWERS: usize = 64;

/// How long a request may be on its way before it no longer counts: the machine's side may have been reset meanwhile.
const LOST: Duration = Duration::from_secs(40);

/// How long a terminal may not take an answer before it is let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long QEMU may take to open its end, and how often that is tried.
const OPENING: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(10);

/// A terminal as the machine's answers see it.
struct Seat {
    answers: SyncSender<Vec<u8>>,
    stream: UnixStream,
    under_way: Arc<Requests>,
}

/// When each request was made that is on its way, by its number.
#[derive(Default)]
struct Requests {
    since: Mutex<BTreeMap<u32, Instant>>,
    fewer: Condvar,
}

impl Requests {
    /// Waits until there is room for another, and notes it.
    fn add(&self, number: u32) {
        let mut since = held(&self.since);
        loop {
            since.retain(|_, at| at.elapsed() < LOST);
            if since.len() < MAX_REQUESTS {
                break;
            }
            let waited = self.fewer.wait_timeout(since, LOST);
            since = waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        since.insert(number, Instant::now());
    }

    fn remove(&self, number: u32) {
        held(&self.since).remove(&number);
        self.fewer.notify_all();
    }
}

/// A lock whose holders never leave it half done.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[derive(Default)]
struct Shared {
    seats: Mutex<BTreeMap<u16, Seat>>,
    /// The line to the machine, once it is open.
    machine: Mutex<Option<UnixStream>>,
    over: AtomicBool,
}

/// The door. It is closed, and everybody let go, when this is dropped.
pub struct Broker {
    door: PathBuf,
    shared: Arc<Shared>,
}

impl Broker {
    /// Opens the door `door` to the machine whose end of the line is the socket `machine`, which QEMU is yet to open.
    pub fn open(machine: &Path, door: &Path) -> Outcome<Broker> {
        let failed = |error: std::io::Error| Failure::host(door.display(), &error);
        // The folder is locked by this process: what lies there is of one that is gone, or whose QEMU is about to be.
        let _ = fs::remove_file(door);
        let _ = fs::remove_file(machine);
        let listener = UnixListener::bind(door).map_err(failed)?;
        // Whoever may use the link may do with the system whatever `diagd` may.
        fs::set_permissions(door, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let shared = Arc::new(Shared::default());
        let (for_machine, for_door) = (Arc::clone(&shared), Arc::clone(&shared));
        let machine = machine.to_path_buf();
        thread::spawn(move || listen_to_machine(&machine, &for_machine));
        thread::spawn(move || let_in(&listener, &for_door));
        Ok(Broker { door: door.to_path_buf(), shared })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread at the door.
        let _ = UnixStream::connect(&self.door);
        let _ = fs::remove_file(&self.door);
        if let Some(machine) = held(&self.shared.machine).as_ref() {
            let _ = machine.shutdown(Shutdown::Both);
        }
        let_all_go(&self.shared);
    }
}

fn let_all_go(shared: &Shared) {
    for seat in held(&shared.seats).values() {
        let _ = seat.stream.shutdown(Shutdown::Both);
    }
}

/// Hands each answer to the terminal that it is for.
fn listen_to_machine(path: &Path, shared: &Arc<Shared>) {
    let begun = Instant::now();
    let mut machine = loop {
        match UnixStream::connect(path) {
            Ok(stream) => break stream,
            Err(_) if begun.elapsed() < OPENING && !shared.over.load(Ordering::Relaxed) => {
                thread::sleep(GLANCE)
            }
            Err(_) => return,
        }
    };
    *held(&shared.machine) = machine.try_clone().ok();
    let (mut receiver, mut bytes) = (Receiver::default(), [0; 4096]);
    while let Ok(count @ 1..) = machine.read(&mut bytes) {
        for byte in &bytes[..count] {
            if let Some(frame) = receiver.push(*byte) {
                answer(shared, &frame);
            }
        }
    }
    *held(&shared.machine) = None;
    let_all_go(shared);
}

fn answer(shared: &Shared, frame: &Frame<'_>) {
    let mut seats = held(&shared.seats);
    let Some(seat) = seats.get(&frame.terminal) else { return };
    if frame.kind == Kind::Request {
        return;
    }
    seat.under_way.remove(frame.number);
    let mut out = Vec::new();
    // What was received fits.
    let _ = frame.write(&mut out);
    if seat.answers.try_send(out).is_err() {
        let _ = seat.stream.shutdown(Shutdown::Both);
        seats.remove(&frame.terminal);
    }
}

/// Gives each terminal that comes a seat.
fn let_in(listener: &UnixListener, shared: &Arc<Shared>) {
    let mut last: u16 = 0;
    for stream in listener.incoming() {
        if shared.over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let _ = stream.set_write_timeout(Some(PATIENCE));
        let mut seats = held(&shared.seats);
        if seats.len() == MAX_TERMINALS {
            drop(seats);
            refuse(stream);
            continue;
        }
        while last == 0 || seats.contains_key(&last) {
            last = last.wrapping_add(1);
        }
        let (Ok(reading), Ok(writing)) = (stream.try_clone(), stream.try_clone()) else { continue };
        let (answers, queue) = sync_channel(MAX_ANSWERS);
        let under_way = Arc::new(Requests::default());
        seats.insert(last, Seat { answers, stream, under_way: Arc::clone(&under_way) });
        let (terminal, of_reader) = (last, Arc::clone(shared));
        last = last.wrapping_add(1);
        thread::spawn(move || write(writing, &queue));
        thread::spawn(move || {
            read(reading, terminal, &under_way, &of_reader);
            held(&of_reader.seats).remove(&terminal);
        });
    }
}

/// Tells a terminal that there is no room for it.
fn refuse(mut stream: UnixStream) {
    let mut out = Vec::new();
    let _ = Frame { kind: Kind::Refused, terminal: 0, number: 0, payload: &[Refusal::Busy as u8] }
        .write(&mut out);
    let _ = stream.write_all(&out);
}

/// Gives a terminal its answers, as fast as it takes them.
fn write(mut stream: UnixStream, answers: &Queue<Vec<u8>>) {
    while let Ok(answer) = answers.recv() {
        if stream.write_all(&answer).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// Passes on the requests of a terminal until it hangs up.
fn read(mut stream: UnixStream, terminal: u16, under_way: &Requests, shared: &Shared) {
    let (mut receiver, mut bytes) = (Receiver::default(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        for byte in &bytes[..count] {
            let Some(frame) = receiver.push(*byte) else { continue };
            if frame.kind != Kind::Request {
                continue;
            }
            under_way.add(frame.number);
            let mut out = Vec::new();
            let _ = Frame { terminal, ..frame }.write(&mut out);
            let passed = match held(&shared.machine).as_mut() {
                Some(machine) => machine.write_all(&out).is_ok(),
                None => false,
            };
            if !passed {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that answers each request with its own payload, a door to it, and what the machine was asked.
    struct Rig {
        _folder: tempfile::TempDir,
        door: PathBuf,
        broker: Option<Broker>,
        asked: Queue<(u16, u32)>,
    }

    fn rig() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let (machine, door) = (folder.path().join("machine"), folder.path().join("link"));
        let (sender, asked) = sync_channel(100_000);
        let broker = Some(Broker::open(&machine, &door).unwrap());
        let listener = UnixListener::bind(&machine).unwrap();
        thread::spawn(move || {
            let (mut line, _) = listener.accept().unwrap();
            let (mut receiver, mut bytes) = (Receiver::default(), [0; 4096]);
            while let Ok(count @ 1..) = line.read(&mut bytes) {
                for byte in &bytes[..count] {
                    let Some(frame) = receiver.push(*byte) else { continue };
                    let _ = sender.send((frame.terminal, frame.number));
                    let mut out = Vec::new();
                    assert!(Frame { kind: Kind::Answer, ..frame }.write(&mut out));
                    line.write_all(&out).unwrap();
                }
            }
        });
        let rig = Rig { _folder: folder, door, broker, asked };
        // The line is open once the first answer comes.
        while exchange(&mut rig.terminal(), 1, b"open?").is_none() {}
        // Who hung up keeps its seat until the broker has seen it: no test is to begin with fewer seats than there are.
        while !held(&rig.broker.as_ref().unwrap().shared.seats).is_empty() {
            thread::yield_now();
        }
        while rig.asked.try_recv().is_ok() {}
        rig
    }

    impl Rig {
        fn terminal(&self) -> UnixStream {
            UnixStream::connect(&self.door).unwrap()
        }
    }

    fn request(number: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(Frame { kind: Kind::Request, terminal: 77, number, payload }.write(&mut out));
        out
    }

    /// The next frame that comes.
    fn next(stream: &mut UnixStream) -> Option<(Kind, u32, Vec<u8>)> {
        let (mut receiver, mut byte) = (Receiver::default(), [0]);
        while let Ok(1) = stream.read(&mut byte) {
            if let Some(frame) = receiver.push(byte[0]) {
                return Some((frame.kind, frame.number, frame.payload.to_vec()));
            }
        }
        None
    }

    fn exchange(stream: &mut UnixStream, number: u32, payload: &[u8]) -> Option<(Kind, u32, Vec<u8>)> {
        stream.write_all(&request(number, payload)).ok()?;
        next(stream)
    }

    #[test]
    fn terminals_get_their_own_answers_and_cannot_choose_who_they_are() {
        let rig = rig();
        let (mut a, mut b) = (rig.terminal(), rig.terminal());
        a.write_all(&request(5, b"of a")).unwrap();
        assert_eq!(exchange(&mut b, 5, b"of b"), Some((Kind::Answer, 5, b"of b".to_vec())));
        assert_eq!(next(&mut a), Some((Kind::Answer, 5, b"of a".to_vec())));
        let seen: Vec<u16> = [rig.asked.recv(), rig.asked.recv()].map(|asked| asked.unwrap().0).to_vec();
        assert!(seen[0] != seen[1] && !seen.contains(&77) && !seen.contains(&0), "{seen:?}");
    }

    #[test]
    fn garbage_and_a_cut_line_reach_nobody() {
        let rig = rig();
        let mut wild = rig.terminal();
        let noise: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        wild.write_all(&noise).unwrap();
        let whole = request(9, b"cut");
        wild.write_all(&whole[..whole.len() / 2]).unwrap();
        drop(wild);
        let mut calm = rig.terminal();
        assert_eq!(exchange(&mut calm, 1, b"still here"), Some((Kind::Answer, 1, b"still here".to_vec())));
        assert_eq!(rig.asked.recv().map(|asked| asked.1), Ok(1), "something of the noise got through");
        // The same terminal goes on after garbage.
        calm.write_all(b"\0nonsense\0").unwrap();
        assert_eq!(exchange(&mut calm, 2, b"and again"), Some((Kind::Answer, 2, b"and again".to_vec())));
    }

    #[test]
    fn one_that_does_not_read_is_let_go_and_nobody_waits_for_it() {
        let rig = rig();
        let mut slow = rig.terminal();
        let _ = slow.set_write_timeout(Some(Duration::from_secs(60)));
        let large = request(3, &[7; 4000]);
        let mut calm = rig.terminal();
        let mut let_go = false;
        for round in 0..20_000 {
            if slow.write_all(&large).is_err() {
                let_go = true;
                break;
            }
            if round % 50 == 0 {
                assert_eq!(exchange(&mut calm, round, b"x"), Some((Kind::Answer, round, b"x".to_vec())));
            }
        }
        assert!(let_go, "it was never let go");
        assert_eq!(exchange(&mut calm, 1, b"y"), Some((Kind::Answer, 1, b"y".to_vec())));
    }

    #[test]
    fn as_many_terminals_as_there_is_room_for_and_one_more_is_told() {
        let rig = rig();
        let mut all: Vec<UnixStream> = (0..MAX_TERMINALS).map(|_| rig.terminal()).collect();
        for (number, terminal) in all.iter_mut().enumerate() {
            assert_eq!(exchange(terminal, number as u32, b"z").map(|answer| answer.0), Some(Kind::Answer));
        }
        assert_eq!(next(&mut rig.terminal()), Some((Kind::Refused, 0, vec![Refusal::Busy as u8])));
        drop(all.pop());
        // The seat is free once the broker has seen that its terminal hung up.
        while exchange(&mut rig.terminal(), 1, b"z").is_none_or(|answer| answer.0 != Kind::Answer) {}
    }

    #[test]
    fn when_the_machine_ends_everybody_is_let_go_and_the_door_is_gone() {
        let mut rig = rig();
        let mut terminal = rig.terminal();
        assert!(exchange(&mut terminal, 1, b"a").is_some());
        drop(rig.broker.take());
        assert_eq!(next(&mut terminal), None);
        assert!(!rig.door.exists());
    }

    #[test]
    fn a_terminal_has_a_bound_of_requests_under_way() {
        let requests = Arc::new(Requests::default());
        (0..MAX_REQUESTS as u32).for_each(|number| requests.add(number));
        let (other, (sender, through)) = (Arc::clone(&requests), sync_channel(1));
        thread::spawn(move || {
            other.add(99);
            sender.send(()).unwrap();
        });
        assert!(through.try_recv().is_err());
        requests.remove(0);
        assert_eq!(through.recv(), Ok(()));
        assert_eq!(held(&requests.since).len(), MAX_REQUESTS);
    }
}
