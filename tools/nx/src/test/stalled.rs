//! A console that nobody reads for a while, with a real machine: QEMU's serial port then takes nothing more, so its driver's buffer fills and
//! whoever writes waits. In the middle of that the driver is killed. When the console is read again nothing of the log is missing.

use std::io::{ErrorKind, PipeReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver as Lines, channel};
use std::thread;
use std::time::{Duration, Instant};

use nexus_api::diag::KillRequest;
use nexus_link::{Frame, Kind, Receiver};
use nexus_wire::{NoHandle, Packet, Text};

use super::link::{FAR_TOO_LONG, GLANCE, Images, System, Verdict, line};
use super::machine::session::expect;
use crate::link::broker::Broker;
use crate::link::sockets;
use crate::machine::console::Splitter;
use crate::machine::options::Options;
use crate::process::{bound, end_group};

/// The machine's name for other terminals.
const NAME: &str = "link-stalled";

/// Bytes that the host keeps of what is not read, and that the driver does (`uartd::port::MAX_WAITING`).
const KEPT_BY_HOST: usize = 4096;
const KEPT_BY_DRIVER: usize = 16 << 10;

/// Bytes of log that are caused while nobody reads: more than both keep, and what was on its way.
const CAUSED: usize = 2 * (KEPT_BY_HOST + KEPT_BY_DRIVER);

/// How long it may take to cause them on a busy host.
const LONGEST: Duration = Duration::from_secs(300);

/// Deaths in one go.
const KILLS: u32 = 20;

/// QEMU, with the console's end in this process.
struct Qemu(Child);

impl Drop for Qemu {
    fn drop(&mut self) {
        end_group(&mut self.0);
    }
}

/// What is read of the console, on a thread of its own, unless it is told to stand still.
struct Console {
    lines: Lines<String>,
    still: Arc<AtomicBool>,
    bytes: Arc<AtomicUsize>,
}

impl Console {
    fn read(mut pipe: PipeReader) -> Console {
        let (still, bytes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stop, count) = (still.clone(), bytes.clone());
        let (sender, lines) = channel();
        thread::spawn(move || {
            let (mut splitter, mut room) = (Splitter::default(), [0; KEPT_BY_HOST]);
            loop {
                while stop.load(Ordering::Relaxed) {
                    thread::sleep(GLANCE);
                }
                let Ok(read @ 1..) = pipe.read(&mut room) else { return };
                count.fetch_add(read, Ordering::Relaxed);
                for line in splitter.split(&room[..read]) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            }
        });
        Console { lines, still, bytes }
    }

    /// Reads lines into `shown` until `enough` of them are there.
    fn until(&self, shown: &mut Vec<String>, enough: impl Fn(&[String]) -> bool) -> Verdict {
        let begun = Instant::now();
        while !enough(shown) {
            match self.lines.recv_timeout(GLANCE) {
                Ok(line) => shown.push(line),
                Err(_) => expect(begun.elapsed() < FAR_TOO_LONG, || {
                    let last = &shown[shown.len().saturating_sub(20)..];
                    format!("the console's last lines are:\n{}", last.join("\n"))
                })?,
            }
        }
        Ok(())
    }
}

/// The test.
pub fn stalled(images: &Images) -> Verdict {
    let folder = images.root.join("build").join(NAME);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (machine, door) = sockets(&folder).ok_or("the path is too long for a socket")?;
    let mut options = Options::new(&images.dev, 1);
    options.link = Some(machine.clone());
    options.prepare().map_err(|failure| failure.what)?;
    let _broker = Broker::open(&machine, &door).map_err(|failure| failure.what)?;
    let (_qemu, console) = start(&options)?;
    let system = System { name: NAME.into(), root: images.root.clone() };
    let mut shown = Vec::new();
    console.until(&mut shown, |shown| shown.iter().any(|line| line.ends_with("nexus-init: ready")))?;

    console.still.store(true, Ordering::Relaxed);
    let before = log(&system)?;
    let begun = Instant::now();
    loop {
        cause(&door)?;
        let caused: usize = log(&system)?[before.len()..].iter().map(|line| line.len() + 1).sum();
        if caused > CAUSED {
            break;
        }
        expect(begun.elapsed() < LONGEST, || format!("only {caused} bytes were said"))?;
    }
    let said: usize = log(&system)?.iter().map(|line| line.len() + 1).sum();
    let read = console.bytes.load(Ordering::Relaxed);
    // More is missing on the console than driver and host keep: whoever shows the log had to wait.
    expect(read + KEPT_BY_HOST + KEPT_BY_DRIVER < said, || format!("{read} bytes of {said} were shown"))?;
    system.kill("uartd")?;
    cause(&door)?;

    console.still.store(false, Ordering::Relaxed);
    let records = log(&system)?;
    // A line may be seen twice, one that was cut too; none may be missing.
    console.until(&mut shown, |shown| {
        let mut shown = shown.iter();
        records.iter().all(|line| shown.any(|shown| shown == line))
    })
}

/// Starts QEMU with a console that keeps little of what is not read.
fn start(options: &Options) -> Result<(Qemu, Console), String> {
    let failed = |error: std::io::Error| error.to_string();
    let (ours, theirs) = std::io::pipe().map_err(failed)?;
    rustix::pipe::fcntl_setpipe_size(&ours, KEPT_BY_HOST).map_err(|error| error.to_string())?;
    let words = options.command_line();
    let (program, arguments) = words.split_first().ok_or("there is no QEMU to start")?;
    let mut command = bound(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(theirs).stderr(Stdio::null());
    let qemu = Qemu(command.spawn().map_err(failed)?);
    Ok((qemu, Console::read(ours)))
}

/// The log as the console should show it.
fn log(system: &System) -> Result<Vec<String>, String> {
    Ok(system.value(&["log"])?.as_array().into_iter().flatten().map(line).collect())
}

/// Ends a process a few times, which it and others have something to say about.
fn cause(door: &Path) -> Verdict {
    let failed = |error: std::io::Error| format!("the door: {error}");
    let mut door = UnixStream::connect(door).map_err(failed)?;
    door.set_read_timeout(Some(GLANCE)).map_err(failed)?;
    let (mut receiver, mut bytes) = (Receiver::default(), [0; 4096]);
    for number in 0..KILLS {
        door.write_all(&kill(number)).map_err(failed)?;
        let (begun, mut answered) = (Instant::now(), false);
        while !answered {
            expect(begun.elapsed() < FAR_TOO_LONG, || String::from("the machine never answered"))?;
            let count = match door.read(&mut bytes) {
                Ok(0) => return Err(String::from("the door was closed")),
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(error) => return Err(failed(error)),
            };
            answered = bytes[..count]
                .iter()
                .any(|byte| receiver.push(*byte).is_some_and(|frame| frame.number == number));
        }
    }
    Ok(())
}

fn kill(number: u32) -> Vec<u8> {
    let mut buffer = [0; 64];
    let mut packet = Packet::<NoHandle>::new(&mut buffer);
    // The name fits. Whether there is such a process just now does not matter.
    let _ = KillRequest { name: Text::cut("timed") }.encode(&mut packet);
    let (mut out, payload) = (Vec::new(), packet.message().unwrap_or_default());
    let _ = Frame { kind: Kind::Request, terminal: 0, number, payload }.write(&mut out);
    out
}
