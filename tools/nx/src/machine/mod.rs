//! A running QEMU. Whatever happens to `nx` (success, failure, panic, Ctrl-C, even SIGKILL), the machine does
//! not outlive it: dropping it kills its process group, and the kernel of the host kills it when `nx` dies.

pub mod console;
pub mod disk;
pub mod options;
pub mod screen;
pub mod vault;
pub mod watch;
pub mod write_log;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Instant;

use crate::exit::{Exit, Failure, Outcome};
use crate::house::Log;
use crate::link::broker::Broker;
use crate::process::{bound, cannot_start, end_group};
use console::Line;
use options::Options;

/// What is kept of QEMU's own complaints, in bytes.
const MAX_COMPLAINT: usize = 8 << 10;

/// A started machine.
pub struct Machine {
    child: Child,
    /// Held open: a console whose input ends is another machine.
    keyboard: Option<ChildStdin>,
    lines: Receiver<Line>,
    complaint: Option<JoinHandle<String>>,
    /// The door to its link, open as long as it runs.
    _broker: Option<Broker>,
    killed: bool,
    /// The command that started it, for people to repeat.
    pub command: String,
    /// Where its console is kept as well.
    pub log: Option<Log>,
}

/// How a machine ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// QEMU exited with this code: what the guest told the test device, or 1 for a mistake of the command line.
    Code(i32),
    /// QEMU was killed by this signal.
    Signal(i32),
}

impl Machine {
    /// Starts it. Its console goes to [`Machine::lines`] and to the log file.
    pub fn start(options: &Options) -> Outcome<Machine> {
        options.prepare()?;
        let _broker = match (&options.link, &options.door) {
            (Some(machine), Some(door)) => Some(Broker::open(machine, door)?),
            _ => None,
        };
        let words = options.command_line();
        let (program, arguments) = words.split_first().ok_or_else(|| {
            Failure::new(Exit::Qemu, "there is no QEMU to start", "set NX_QEMU or install QEMU: nx doctor")
        })?;
        let mut command = bound(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
        let started = Instant::now();
        let file = options.log.as_ref().and_then(|log| File::create(&log.path).ok());
        let lines = console::read(child.stdout.take(), file, started);
        let complaint = child.stderr.take().map(|pipe| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.take(MAX_COMPLAINT as u64).read_to_end(&mut text);
                String::from_utf8_lossy(&text).trim().to_string()
            })
        });
        let keyboard = child.stdin.take();
        let (command, log) = (shell_line(&words), options.log.clone());
        Ok(Machine { child, keyboard, lines, complaint, _broker, killed: false, command, log })
    }

    /// Types on its console. A machine that has ended takes nothing, and is noticed elsewhere.
    pub fn type_text(&mut self, text: &str) {
        if let Some(keyboard) = self.keyboard.as_mut() {
            let _ = keyboard.write_all(text.as_bytes()).and_then(|()| keyboard.flush());
        }
    }

    /// The lines of its console. The channel ends when the console does.
    pub fn lines(&self) -> &Receiver<Line> {
        &self.lines
    }

    /// Processor time that QEMU used so far, user and system, in milliseconds.
    pub fn cpu_ms(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name in parentheses can contain anything; fields are counted from behind it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(ticks * Self::cpu_grain_ms())
    }

    /// The grain of [`Self::cpu_ms`], in milliseconds: what is less is not seen.
    pub fn cpu_grain_ms() -> u64 {
        1000 / rustix::param::clock_ticks_per_second()
    }

    /// Waits until it has ended; only to be used once its console has.
    pub fn wait(&mut self) -> Option<Ended> {
        self.child.wait().ok().map(how)
    }

    /// What QEMU itself complained about; ends the machine.
    pub fn complaint(&mut self) -> String {
        self.kill();
        self.complaint.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }

    /// Ends it now. Ending twice is nothing.
    pub fn kill(&mut self) {
        // Once: later the number of its group may be another's.
        if !std::mem::replace(&mut self.killed, true) {
            end_group(&mut self.child);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

fn how(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or(0)),
    }
}

/// `words` as one line for a shell.
pub fn shell_line(words: &[String]) -> String {
    let plain = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c))
    };
    let quoted = words
        .iter()
        .map(|word| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) });
    quoted.collect::<Vec<_>>().join(" ")
}
