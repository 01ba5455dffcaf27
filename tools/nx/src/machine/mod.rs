//! A running QEMU. Whatever happens to `nx` (success, failure, panic, Ctrl-C, even SIGKILL), the machine does
//! not outlive it: dropping it kills its process group, and the kernel of the host kills it when `nx` dies.

pub mod console;
pub mod options;
pub mod watch;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::exit::{Exit, Failure, Outcome};
use console::Line;
use options::Options;

/// What is kept of QEMU's own complaints, in bytes.
const MAX_COMPLAINT: usize = 8 << 10;

/// A started machine.
pub struct Machine {
    child: Child,
    keyboard: Option<ChildStdin>,
    lines: Receiver<Line>,
    complaint: Option<JoinHandle<String>>,
    started: Instant,
    /// The command that started it, for people to repeat.
    pub command: String,
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
        let words = options.command_line();
        let (program, arguments) = words.split_first().ok_or_else(|| {
            Failure::new(Exit::Qemu, "there is no QEMU to start", "set NX_QEMU or install QEMU: nx doctor")
        })?;
        // The death signal is tied to the thread that starts the machine: it must be the one that owns it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C reaches `nx` alone, and helpers of QEMU end with it.
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| {
            let mend = "install it: apt-get install -y util-linux qemu-system-misc";
            Failure::new(Exit::Missing, format!("cannot start setpriv, which starts QEMU: {error}"), mend)
        })?;
        let started = Instant::now();
        let log = options.log.as_deref().and_then(|path| File::create(path).ok());
        let lines = console::read(child.stdout.take(), log, started);
        let complaint = child.stderr.take().map(|pipe| {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.take(MAX_COMPLAINT as u64).read_to_end(&mut text);
                String::from_utf8_lossy(&text).trim().to_string()
            })
        });
        let keyboard = child.stdin.take();
        Ok(Machine { child, keyboard, lines, complaint, started, command: shell_line(&words) })
    }

    /// The lines of its console. The channel ends when the console does.
    pub fn lines(&self) -> &Receiver<Line> {
        &self.lines
    }

    /// When it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Types into its console.
    pub fn type_text(&mut self, text: &str) {
        if let Some(keyboard) = self.keyboard.as_mut() {
            // A machine that is gone is noticed by who watches its lines.
            let _ = keyboard.write_all(text.as_bytes());
            let _ = keyboard.flush();
        }
    }

    /// Processor time that QEMU used so far, user and system, in milliseconds.
    pub fn cpu_ms(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name in parentheses can contain anything; fields are counted from behind it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }

    /// Whether it has ended by itself, and how.
    pub fn ended(&mut self) -> Option<Ended> {
        self.child.try_wait().ok().flatten().map(how)
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
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            // It is gone; helpers that it may have started are not.
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
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

/// Makes a file of this size, or empties one to it.
pub(crate) fn make_disk(path: &std::path::Path, bytes: u64) -> Outcome {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path);
    file.and_then(|file| file.set_len(bytes)).map_err(|e| Failure::host(path.display(), &e))
}
