//! A host program whose lines are read as they come, with a bound on how long it may be silent. It is ended on every
//! path.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::exit::{Exit, Failure, Outcome};
use crate::interrupt;

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.0.wait();
        }
    }
}

/// Runs `command`, its error output joined to its output; answers whether it ended well.
pub fn lines(command: &mut Command, most_silent: Duration, mut on_line: impl FnMut(&str)) -> Outcome<bool> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn();
    let cannot =
        |e: std::io::Error| Failure::new(Exit::Host, format!("cannot start {command:?}: {e}"), "nx doctor");
    let mut guard = Guard(child.map_err(cannot)?);
    let (sender, receiver) = sync_channel(1024);
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
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => {
                last = Instant::now();
                on_line(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if interrupt::seen() => {
                return Err(Failure::new(Exit::Interrupted, "interrupted; nothing was left behind", ""));
            }
            Err(RecvTimeoutError::Timeout) if last.elapsed() > most_silent => {
                let what = format!("{command:?} said nothing for {} s and was ended", most_silent.as_secs());
                return Err(Failure::new(Exit::Timeout, what, "run it by hand to see where it hangs"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let status = guard.0.wait().map_err(|e| Failure::host("waiting for a program", &e))?;
    Ok(status.success())
}
