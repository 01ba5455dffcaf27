//! What a machine's console means: who is ready, whether the kernel panicked, whether nothing happens any more.
//! A verdict is reached only by what was read, never by the lack of bad news.

use std::collections::VecDeque;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGTERM};
use signal_hook::low_level;

use super::console::{Line, message};
use super::{Ended, Machine};
use crate::exit::{Exit, Failure};
use crate::interrupt;
use crate::output::Output;
use crate::timings::span;

/// How often a watcher looks for a signal.
const GLANCE: Duration = Duration::from_millis(20);

/// How often it tells how long it has been watching.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Lines kept to show what went before a bad end.
const MAX_LAST: usize = 20;

/// After a panic the rest of its report is awaited so long.
const PANIC_REPORT: Duration = Duration::from_millis(300);

/// Who has to announce itself, and who has.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Each announcing process with the time its line was read.
    pub services: Vec<(String, Option<Duration>)>,
}

impl Roster {
    /// Nobody has announced anything.
    pub fn new(names: impl IntoIterator<Item = String>) -> Roster {
        Roster { services: names.into_iter().map(|name| (name, None)).collect() }
    }

    /// Notes a line; tells the name when it is a new announcement.
    pub fn note(&mut self, line: &Line) -> Option<&str> {
        let text = message(&line.text);
        let name = text.strip_suffix(": ready").or_else(|| absent(line))?;
        let service = self.services.iter_mut().find(|(known, at)| known == name && at.is_none())?;
        service.1 = Some(line.at);
        Some(&service.0)
    }

    /// When the last one announced itself; `None` while one is missing.
    pub fn ready_at(&self) -> Option<Duration> {
        let all: Option<Vec<Duration>> = self.services.iter().map(|(_, at)| *at).collect();
        all?.into_iter().max()
    }

    /// Who is missing.
    pub fn missing(&self) -> Vec<&str> {
        self.services.iter().filter(|(_, at)| at.is_none()).map(|(name, _)| name.as_str()).collect()
    }
}

/// The process that the first one says will not come: that settles it as well.
pub fn absent(line: &Line) -> Option<&str> {
    message(&line.text)
        .strip_prefix("nexus-init: ")?
        .strip_suffix(" is absent: this machine has no such device")
}

/// Why watching ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// What was waited for has been read.
    Done,
    /// The kernel printed that it panicked.
    Panicked(String),
    /// The machine ended.
    Ended(Ended),
    /// The time is up.
    TimedOut,
    /// A signal came.
    Interrupted,
}

/// Watches a machine and remembers its last lines.
#[derive(Debug, Default)]
pub struct Watcher {
    last: VecDeque<String>,
    panic: Option<(String, Instant)>,
    status: Option<Status>,
}

/// What is told while there is nothing to show.
#[derive(Debug)]
struct Status {
    output: Output,
    what: String,
    detail: String,
    about: Option<Duration>,
    begun: Instant,
    told: Instant,
}

impl Status {
    fn tell(&mut self) {
        if self.told.elapsed() < TOLD_EVERY {
            return;
        }
        self.told = Instant::now();
        let so_far = span(self.begun.elapsed());
        let time = self.about.map_or(so_far.clone(), |about| format!("{so_far} of about {}", span(about)));
        self.output.status(&self.what, &format!("{}, {time}", self.detail));
    }
}

impl Watcher {
    /// One that tells people how long it has been watching, where that is of use; `about` is how long it should take.
    pub fn telling(output: Output, what: &str, detail: &str, about: Option<Duration>) -> Watcher {
        let now = Instant::now();
        let (what, detail) = (what.to_string(), detail.to_string());
        let status = Some(Status { output, what, detail, about, begun: now, told: now });
        Watcher { status, ..Watcher::default() }
    }

    /// Hands each line to `on_line` until that answers true or the machine comes to another end.
    pub fn watch(
        &mut self,
        machine: &mut Machine,
        deadline: Option<Instant>,
        mut on_line: impl FnMut(&Line) -> bool,
    ) -> Verdict {
        loop {
            if interrupt::seen() {
                return Verdict::Interrupted;
            }
            if let Some(status) = self.status.as_mut() {
                status.tell();
            }
            let now = Instant::now();
            match &self.panic {
                Some((text, at)) if now > *at + PANIC_REPORT => return Verdict::Panicked(text.clone()),
                None if deadline.is_some_and(|deadline| now >= deadline) => return Verdict::TimedOut,
                _ => {}
            }
            match machine.lines().recv_timeout(GLANCE) {
                Ok(line) => {
                    self.remember(&line);
                    if on_line(&line) {
                        return Verdict::Done;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.ended(machine),
            }
        }
    }

    fn remember(&mut self, line: &Line) {
        if self.last.len() == MAX_LAST {
            self.last.pop_front();
        }
        self.last.push_back(line.text.clone());
        if self.panic.is_none() && is_panic(&line.text) {
            self.panic = Some((line.text.clone(), Instant::now()));
        }
    }

    fn ended(&self, machine: &mut Machine) -> Verdict {
        match (&self.panic, machine.wait()) {
            (Some((text, _)), _) => Verdict::Panicked(text.clone()),
            (None, Some(ended)) => Verdict::Ended(ended),
            (None, None) => Verdict::Ended(Ended::Signal(0)),
        }
    }

    /// The last lines of the console.
    pub fn last_lines(&self) -> String {
        let lines = self.last.iter().map(|line| format!("  | {line}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A bad verdict in words, with what to do next. `waited_for` says what did not happen; `seconds` how long it was
    /// awaited.
    pub fn failure(
        &self,
        verdict: &Verdict,
        machine: &mut Machine,
        waited_for: &str,
        seconds: u64,
    ) -> Failure {
        let complaint = machine.complaint();
        let (exit, what, next) = match verdict {
            Verdict::Done => (Exit::Good, format!("{waited_for}: done"), "nothing"),
            Verdict::Panicked(text) => (
                Exit::Panic,
                format!("the kernel panicked: {text}"),
                "the line names the place in kernel/; a panic is a defect of the kernel, whatever a program did",
            ),
            Verdict::Ended(Ended::Signal(signal)) if OUTSIDE.contains(signal) => (
                Exit::Qemu,
                format!("QEMU was ended from outside ({})", signal_name(*signal)),
                "look for who ended it, or for a lack of memory (dmesg), then run it again",
            ),
            Verdict::Ended(Ended::Signal(signal)) => (
                Exit::Qemu,
                format!("QEMU crashed ({})", signal_name(*signal)),
                "run it again; if it crashes again, look at QEMU's version: nx doctor",
            ),
            Verdict::Ended(Ended::Code(code)) if !complaint.is_empty() && self.last.is_empty() => (
                Exit::Qemu,
                format!("QEMU could not run (exit code {code}): {complaint}"),
                "nx doctor looks at QEMU and its firmware",
            ),
            Verdict::Ended(Ended::Code(code)) => (
                Exit::Ended,
                format!("the machine ended (exit code {code}) before {waited_for}"),
                "the console says who ended it",
            ),
            Verdict::TimedOut => (
                Exit::Timeout,
                format!("the machine hangs or is too slow: not {waited_for} after {seconds} s"),
                "a busy host needs more time (--timeout); a machine that hangs stops at the same line each time",
            ),
            Verdict::Interrupted => return interrupt::failure("the machine is ended"),
        };
        let mut what = what;
        if !complaint.is_empty() && exit != Exit::Qemu {
            what += &format!("\nQEMU said: {complaint}");
        }
        match self.last_lines() {
            lines if lines.is_empty() => what += "\nthe console said nothing",
            lines => what += &format!("\nlast lines of the console:\n{lines}"),
        }
        if let Some(log) = &machine.log {
            what += &format!("\nthe whole console: {}", log.path.display());
        }
        what += &format!("\nrepeat: {}", machine.command);
        Failure::new(exit, what, next)
    }
}

/// Signals that no mistake of QEMU's own ends it with.
const OUTSIDE: [i32; 4] = [SIGHUP, SIGINT, SIGKILL, SIGTERM];

fn signal_name(signal: i32) -> String {
    low_level::signal_name(signal)
        .map_or(format!("signal {signal}"), |name| format!("signal {signal}, {name}"))
}

/// Whether the kernel says with this line that it panicked. Programs cannot: their lines bear their name.
pub fn is_panic(line: &str) -> bool {
    line.starts_with("neuron: panic") || line.starts_with("neuron panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, ms: u64) -> Line {
        Line { at: Duration::from_millis(ms), text: text.to_string() }
    }

    #[test]
    fn only_declared_names_in_declared_form_count() {
        let mut roster = Roster::new(["logd".to_string(), "execd".to_string()]);
        for noise in ["probe: logd: ready", "logd: ready?", "logd ready", "powerd: ready", "logd: not ready"]
        {
            assert_eq!(roster.note(&line(noise, 1)), None, "{noise}");
        }
        assert_eq!(roster.note(&line("logd: ready", 5)), Some("logd"));
        assert_eq!(roster.note(&line("logd: ready", 6)), None);
        assert_eq!(roster.ready_at(), None);
        assert_eq!(roster.missing(), ["execd"]);
        assert_eq!(roster.note(&line("[0.01] execd: ready", 9)), Some("execd"));
        assert_eq!(roster.ready_at(), Some(Duration::from_millis(9)));
    }

    #[test]
    fn a_process_without_its_device_is_not_waited_for() {
        let mut roster = Roster::new(["rngd".to_string()]);
        let said = "rngd is absent: this machine has no such device";
        assert_eq!(roster.note(&line(&format!("probe: {said}"), 1)), None);
        assert_eq!(roster.note(&line(&format!("nexus-init: {said}"), 2)), Some("rngd"));
        assert_eq!(roster.missing(), [""; 0]);
    }

    #[test]
    fn a_program_cannot_feign_a_kernel_panic() {
        assert!(is_panic("neuron: panic at trap.rs:1"));
        assert!(!is_panic("probe: neuron: panic"));
    }
}
