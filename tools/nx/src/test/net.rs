//! The network, seen from outside: a client on the host speaks TCP to a program on the device, through QEMU's user network. Between its
//! connections the device kills its own card driver and its own network.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Bench, Device, Report, said};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Failure, Outcome};
use crate::house::House;
use crate::machine::Machine;
use crate::machine::console::message;
use crate::machine::options::Options;
use crate::machine::watch::{Verdict, Watcher};
use crate::output::Output;

const SUITE: &str = "net";
const NAME: &str = "echo";

/// The port on the device.
const GUEST_PORT: u16 = 7;

/// What the device says when it can be connected to.
const LISTENING: &str = "net-echo: listening";

/// Bytes that are echoed over each connection. The last one says how often the device kills each of the two then.
const LENGTHS: [usize; 4] = [200_000, 1, 65_537, KILLS];
const KILLS: usize = 20;
const KILLS_FULL: usize = 500;

/// The word that ends a connection: the bytes were right, or not.
const RIGHT: u8 = 1;
const WRONG: u8 = 0;

/// How long the whole takes at most, and one read or write of the client.
const LIMIT: Duration = Duration::from_secs(120);
const LIMIT_FULL: Duration = Duration::from_secs(3600);
const CLIENT: Duration = Duration::from_secs(30);

/// What the device must have said.
pub const PROOFS: [&str; 2] = ["SELFTEST: net ping ok", "SELFTEST: net tcp echo ok bytes=200000"];

/// The names of the suite.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(vec![NAME.to_string()])
}

/// Runs it.
pub fn run(bench: &mut Bench) -> Outcome {
    if !bench.wants(SUITE, NAME) {
        return Ok(());
    }
    let begun = Instant::now();
    let device = talked(bench.house, bench.output, bench.full)?;
    let kills = if bench.full { KILLS_FULL } else { KILLS };
    let killed = format!("net-echo: driver and network killed {kills} times each, nothing grew");
    let expected = PROOFS.into_iter().chain([killed.as_str()]);
    let missing: Vec<&str> =
        expected.filter(|proof| !device.console.iter().any(|line| said(line) == *proof)).collect();
    let detail = match &device.complaint {
        Some(complaint) => complaint.clone(),
        None if !missing.is_empty() => format!("the device did not say: {}", missing.join("; ")),
        None => format!("{} connections, a driver and a network that died {kills} times each", LENGTHS.len()),
    };
    let passed = device.complaint.is_none() && missing.is_empty();
    let full = if bench.full { " --full" } else { "" };
    let (name, repeat) = (NAME.to_string(), format!("./nx test net{full}"));
    bench.report(Report { suite: SUITE, name, passed, detail, repeat, took: Some(begun.elapsed()) });
    Ok(())
}

/// Boots the net image and drives it; what it said, and what went wrong.
pub fn watched(house: &House, output: Output) -> Outcome<Device> {
    talked(house, output, false)
}

fn talked(house: &House, output: Output, full: bool) -> Outcome<Device> {
    let limit = if full { LIMIT_FULL } else { LIMIT };
    let built = build::build(house, Variant::Net, output)?;
    let mut options = Options::new(&built.folder, 1);
    options.log = Some(house.log("net")?);
    let port = free_port()?;
    options.forward = Some((port, GUEST_PORT));
    let mut machine = Machine::start(&options)?;
    let mut device = Device::default();
    device.command = machine.command.clone();
    let (ready, listening) = channel();
    let client = thread::spawn(move || talk(port, &listening, full));
    let begun = Instant::now();
    let mut watcher = Watcher::telling(output, SUITE, "a client on the host talks to the device", None);
    let verdict = watcher.watch(&mut machine, Some(begun + limit), |line| {
        if message(&line.text) == LISTENING {
            // A client that has given up hears it no more.
            let _ = ready.send(());
        }
        device.note(&line.text);
        false
    });
    drop(ready);
    device.complaint = device.complaint(&verdict, &watcher, &mut machine, limit)?;
    drop(machine);
    let told = client.join().unwrap_or_else(|_| Err(String::from("the client panicked")));
    if let Err(why) = told {
        device.complaint = Some(match device.complaint {
            Some(complaint) => format!("{complaint}\n{why}"),
            None => why,
        });
    }
    Ok(device)
}

/// Boots the net image and has single bytes echoed over one connection, each when the one before is back; how long each took.
pub fn round_trips(house: &House, count: usize, output: Output) -> Outcome<Vec<Duration>> {
    let built = build::build(house, Variant::Net, output)?;
    let mut options = Options::new(&built.folder, 1);
    options.log = Some(house.log("net")?);
    let port = free_port()?;
    options.forward = Some((port, GUEST_PORT));
    let mut machine = Machine::start(&options)?;
    let mut watcher = Watcher::telling(output, SUITE, "single bytes are echoed", None);
    let verdict =
        watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| message(&line.text) == LISTENING);
    if verdict != Verdict::Done {
        return Err(watcher.failure(&verdict, &mut machine, "listening", LIMIT.as_secs()));
    }
    one_at_a_time(port, count).map_err(|error| Failure::host("the connection to the device", &error))
}

fn one_at_a_time(port: u16, count: usize) -> std::io::Result<Vec<Duration>> {
    let mut stream = connect(port)?;
    stream.set_nodelay(true)?;
    stream.write_all(&(count as u64).to_le_bytes())?;
    let mut times = Vec::with_capacity(count);
    for n in 0..count {
        let (begun, mut back) = (Instant::now(), [0]);
        stream.write_all(&[n as u8])?;
        stream.read_exact(&mut back)?;
        times.push(begun.elapsed());
        if back != [n as u8] {
            return Err(std::io::Error::other("another byte came back"));
        }
    }
    Ok(times)
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, CLIENT)?;
    stream.set_read_timeout(Some(CLIENT))?;
    stream.set_write_timeout(Some(CLIENT))?;
    Ok(stream)
}

/// A port of the host that nobody has now.
fn free_port() -> Outcome<u16> {
    let asked = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    asked.map(|address| address.port()).map_err(|error| Failure::host("a free port", &error))
}

/// The client: a connection each time the device listens.
fn talk(port: u16, listening: &Receiver<()>, full: bool) -> Result<(), String> {
    let lengths = LENGTHS.map(|length| if full && length == KILLS { KILLS_FULL } else { length });
    for (round, length) in lengths.into_iter().enumerate() {
        listening
            .recv_timeout(LIMIT)
            .map_err(|_| format!("connection {round}: the device does not listen"))?;
        echo(port, length, round).map_err(|error| format!("connection {round}: {error}"))?;
    }
    Ok(())
}

fn echo(port: u16, length: usize, round: usize) -> std::io::Result<()> {
    let mut stream = connect(port)?;
    let data: Vec<u8> = (0..length).map(|index| (index * 31 + index / 509 + round) as u8).collect();
    stream.write_all(&(length as u64).to_le_bytes())?;
    // Reading while writing: no window on the way is as large as all of it.
    let mut writer = stream.try_clone()?;
    let sent = data.clone();
    let writing = thread::spawn(move || writer.write_all(&sent));
    let mut back = vec![0; length];
    let read = stream.read_exact(&mut back);
    writing.join().map_err(|_| std::io::Error::from(ErrorKind::Other))??;
    read?;
    stream.write_all(&[if back == data { RIGHT } else { WRONG }])?;
    // The device closes when it has heard the word.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    if back == data && rest.is_empty() { Ok(()) } else { Err(std::io::Error::other("other bytes came back")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that gives back what it gets, perhaps with one byte changed, and hears the word.
    fn server(spoil: bool) -> (u16, thread::JoinHandle<u8>) {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let served = thread::spawn(move || {
            let (mut stream, _) = socket.accept().unwrap();
            let mut length = [0; 8];
            stream.read_exact(&mut length).unwrap();
            let mut data = vec![0; u64::from_le_bytes(length) as usize];
            stream.read_exact(&mut data).unwrap();
            data[0] ^= u8::from(spoil);
            stream.write_all(&data).unwrap();
            let mut word = [9];
            stream.read_exact(&mut word).unwrap();
            word[0]
        });
        (port, served)
    }

    #[test]
    fn the_client_tells_right_from_wrong() {
        for (spoil, word) in [(false, RIGHT), (true, WRONG)] {
            let (port, served) = server(spoil);
            assert_eq!(echo(port, 5000, 3).is_ok(), !spoil);
            assert_eq!(served.join().unwrap(), word);
        }
    }
}
