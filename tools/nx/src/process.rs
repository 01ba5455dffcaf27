//! Programs of the host that `nx` starts. Each is in a group of its own and bound to `nx`: it ends with it on every
//! path, also when `nx` is killed. Its lines are read as they come, with a bound on how long it may be silent.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt;

/// Where the error output of a program goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errors {
    /// Among its lines.
    Joined,
    /// To our own, as it is: progress and diagnostics that people watch.
    Shown,
}

/// How often a silent program is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Lines that wait to be looked at before the program has to wait.
const MAX_WAITING: usize = 1024;

/// This program, also when its file was replaced since it started: the tests of the host build it anew.
pub fn own_program() -> PathBuf {
    PathBuf::from(format!("/proc/{}/exe", std::process::id()))
}

/// A command that the host's kernel kills when `nx` dies. The death signal is tied to the thread that starts it: that
/// must be one that lives as long as the command is wanted.
pub fn bound(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    // A group of its own: Ctrl-C reaches `nx` alone, and helpers of the program end with it.
    command.process_group(0);
    command
}

/// Why a bound command did not start.
pub fn cannot_start(error: &std::io::Error) -> Failure {
    let mend = crate::doctor::apt("util-linux");
    Failure::new(Exit::Missing, format!("cannot run setpriv, which starts programs here: {error}"), mend)
}

/// Ends a process and all of its group. Ending twice is nothing.
pub fn end_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

/// What a program said, and whether it ended well.
#[derive(Debug)]
pub struct Said {
    /// Its standard output.
    pub out: Vec<u8>,
    /// Its error output.
    pub err: Vec<u8>,
    /// Whether it ended well.
    pub good: bool,
}

/// Most of each output of a program that [`ask`] keeps, in bytes; the rest is read and forgotten.
const MAX_SAID: u64 = 1 << 20;

/// Runs a program that only answers a question, for `most` at the longest: then it is ended with its group. It is not
/// [`bound`], since it must also run where `setpriv` is what is missing.
pub fn ask(mut command: Command, most: Duration) -> Result<Said, String> {
    let name = command.get_program().display().to_string();
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut guard = Guard(command.spawn().map_err(|error| format!("cannot run {name}: {error}"))?);
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        guard.0.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        guard.0.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    let (sender, receiver) = sync_channel(pipes.len());
    for (place, mut pipe) in pipes.into_iter().flatten().enumerate() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.by_ref().take(MAX_SAID).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
            let _ = sender.send((place, bytes));
        });
    }
    drop(sender);
    let begun = Instant::now();
    let mut said = [Vec::new(), Vec::new()];
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok((place, bytes)) => said[place] = bytes,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if interrupt::seen() => {
                return Err(format!("{name}: interrupted"));
            }
            Err(RecvTimeoutError::Timeout) if begun.elapsed() > most => {
                return Err(format!("{name} did not answer within {} s and was ended", most.as_secs()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    // Both outputs have ended; what goes on without them is not waited for any longer.
    let status = loop {
        match guard.0.try_wait().map_err(|error| format!("{name}: {error}"))? {
            Some(status) => break status,
            None if begun.elapsed() > most || interrupt::seen() => {
                return Err(format!("{name} did not end within {} s and was ended", most.as_secs()));
            }
            None => std::thread::sleep(GLANCE / 10),
        }
    };
    let [out, err] = said;
    Ok(Said { out, err, good: status.success() })
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            end_group(&mut self.0);
        }
    }
}

/// Runs a command that [`bound`] made; answers whether it ended well. `on_turn` is called with each line, and with
/// `None` every now and then in between.
pub fn lines(
    mut command: Command,
    most_silent: Duration,
    errors: Errors,
    mut on_turn: impl FnMut(Option<&str>),
) -> Outcome<bool> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    if errors == Errors::Joined {
        command.stderr(Stdio::piped());
    }
    let mut guard = Guard(command.spawn().map_err(|error| cannot_start(&error))?);
    let (sender, receiver) = sync_channel(MAX_WAITING);
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        guard.0.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        guard.0.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for pipe in pipes.into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut last = Instant::now();
    loop {
        if interrupt::seen() {
            return Err(interrupt::failure("nothing was left behind"));
        }
        match receiver.recv_timeout(GLANCE) {
            Ok(line) => {
                last = Instant::now();
                on_turn(Some(&line));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if last.elapsed() > most_silent => {
                let what = format!("{command:?} said nothing for {} s and was ended", most_silent.as_secs());
                return Err(Failure::new(Exit::Timeout, what, "run it by hand to see where it hangs"));
            }
            Err(RecvTimeoutError::Timeout) => on_turn(None),
        }
    }
    let status = guard.0.wait().map_err(|e| Failure::host("waiting for a program", &e))?;
    Ok(status.success())
}
