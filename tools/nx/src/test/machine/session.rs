//! An `nx run` that a test watches, types to and ends, and the QEMU that it started. Nothing here waits for a time to
//! pass: every wait is for something to be said or to be gone, and gives up after far too long.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::interrupt;
use crate::process::{bound, end_group, own_program};

/// Far too long for anything that is waited for.
const FAR_TOO_LONG: Duration = Duration::from_secs(90);

const GLANCE: Duration = Duration::from_millis(10);

/// Pieces of output that wait to be looked at before `nx` has to wait.
const MAX_CHUNKS: usize = 4096;

/// A process by number.
#[derive(Clone, Copy, Debug)]
pub struct Process(Pid);

impl Process {
    /// Sends it a signal.
    pub fn kill(self, signal: Signal) -> Result<(), String> {
        kill_process(self.0, signal).map_err(|error| format!("cannot signal {self:?}: {error}"))
    }

    /// Whether it is there and not merely waiting to be buried.
    fn lives(self) -> bool {
        self.stat().is_some_and(|(state, _)| !"ZX".contains(state.as_str()))
    }

    /// Its state and its parent.
    fn stat(self) -> Option<(String, i32)> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.as_raw_nonzero())).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some((fields.next()?.to_string(), fields.next()?.parse().ok()?))
    }
}

/// A running `nx`.
pub struct Session {
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<String>,
    text: String,
    /// Its QEMU, once [`Session::find_machine`] has found it.
    pub machine: Option<Process>,
}

/// How a session ended.
#[derive(Debug)]
pub struct End {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All that it said.
    pub text: String,
    machine: Option<Process>,
}

impl Session {
    /// Starts `nx` with these words in the tree at `root`. Its standard output is closed once it has said `enough`.
    pub fn start(root: &Path, words: &[&str], enough: Option<&'static str>) -> Result<Session, String> {
        let own = own_program();
        let mut command = bound(own);
        command.args(words).current_dir(root).env("NX_ROOT", root).env("CI", "true");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start nx: {error}"))?;
        let (sender, said) = sync_channel(MAX_CHUNKS);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let other = sender.clone();
        std::thread::spawn(move || read(out, &sender, enough));
        std::thread::spawn(move || read(err, &other, None));
        let input = child.stdin.take();
        Ok(Session { child, input, said, text: String::new(), machine: None })
    }

    /// The `nx` itself.
    pub fn nx(&self) -> Result<Process, String> {
        process(self.child.id())
    }

    /// Reads until `part` has been said.
    pub fn until(&mut self, part: &str) -> Result<(), String> {
        self.until_that(part, |text| text.contains(part))
    }

    /// Reads until what has been said is as it should be: `what`, in words.
    pub fn until_that(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        while !holds(&self.text) {
            match self.said.recv_timeout(GLANCE) {
                Ok(chunk) => self.text += &chunk,
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < FAR_TOO_LONG && !interrupt::seen() => {}
                Err(_) => return Err(format!("never said `{what}`:\n{}", self.text)),
            }
        }
        Ok(())
    }

    /// What it has said so far.
    pub fn said(&self) -> &str {
        &self.text
    }

    /// Finds the QEMU that it started.
    pub fn find_machine(&mut self) -> Result<(), String> {
        let own = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        let entries = fs::read_dir("/proc").map_err(|error| error.to_string())?;
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let mut children = numbers
            .filter_map(|number| process(number).ok())
            .filter(|process| process.stat().is_some_and(|(_, parent)| parent == own));
        self.machine = children.next();
        match (self.machine, children.next()) {
            (Some(_), None) => Ok(()),
            (found, _) => {
                Err(format!("nx has {} child but one", if found.is_some() { "more than" } else { "no" }))
            }
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("its input is closed")?;
        input.write_all(format!("{line}\n").as_bytes()).map_err(|error| error.to_string())
    }

    /// Ends its input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> Result<End, String> {
        let begun = Instant::now();
        loop {
            match self.said.recv_timeout(GLANCE) {
                Ok(chunk) => self.text += &chunk,
                // Its outputs are closed: it has ended, or is about to.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < FAR_TOO_LONG && !interrupt::seen() => {}
                Err(RecvTimeoutError::Timeout) => return Err(format!("nx does not end:\n{}", self.text)),
            }
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Ok(End { code: status.code(), text: std::mem::take(&mut self.text), machine: self.machine })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            end_group(&mut self.child);
        }
    }
}

impl End {
    /// Waits until the QEMU that was found is gone.
    pub fn machine_is_gone(&self) -> Result<(), String> {
        let Some(machine) = self.machine else { return Ok(()) };
        let begun = Instant::now();
        while machine.lives() {
            expect(begun.elapsed() < FAR_TOO_LONG, || String::from("QEMU is left"))?;
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }
}

/// Hands on what comes through a pipe, until `enough` has come.
fn read(pipe: Option<impl Read>, sender: &SyncSender<String>, enough: Option<&str>) {
    let Some(mut pipe) = pipe else { return };
    let (mut bytes, mut text) = ([0; 4096], String::new());
    while let Ok(count @ 1..) = pipe.read(&mut bytes) {
        let chunk = String::from_utf8_lossy(&bytes[..count]).into_owned();
        text += &chunk;
        if sender.send(chunk).is_err() || enough.is_some_and(|enough| text.contains(enough)) {
            return;
        }
    }
}

/// A condition that must hold.
pub fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn process(number: u32) -> Result<Process, String> {
    let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
    pid.map(Process).ok_or_else(|| format!("{number} is no process"))
}
