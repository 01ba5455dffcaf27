//! The console of a machine, line by line with the time of each. A guest can print anything: lines are cut at
//! a bound, and what is not UTF-8 or not printable cannot reach the terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

/// Longest line that is kept whole, in bytes.
pub const MAX_LINE: usize = 4096;

/// Lines that wait to be looked at before the guest has to wait.
const MAX_WAITING: usize = 65_536;

/// One line of a console.
#[derive(Clone, Debug)]
pub struct Line {
    /// How long after the start of the machine it was complete.
    pub at: Duration,
    /// What it says, printable characters only.
    pub text: String,
}

/// Reads a console on a thread of its own until it ends.
pub fn read(pipe: Option<ChildStdout>, mut log: Option<File>, started: Instant) -> Receiver<Line> {
    let (sender, receiver) = sync_channel(MAX_WAITING);
    let Some(mut pipe) = pipe else { return receiver };
    std::thread::spawn(move || {
        let mut splitter = Splitter::default();
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = pipe.read(&mut bytes) {
            if let Some(log) = log.as_mut() {
                let _ = log.write_all(&bytes[..count]);
            }
            let at = started.elapsed();
            for text in splitter.split(&bytes[..count]) {
                if sender.send(Line { at, text }).is_err() {
                    return;
                }
            }
        }
        let rest = splitter.rest();
        if !rest.is_empty() {
            let _ = sender.send(Line { at: started.elapsed(), text: rest });
        }
    });
    receiver
}

/// Cuts a stream of bytes into lines.
#[derive(Default)]
pub struct Splitter {
    line: Vec<u8>,
}

impl Splitter {
    /// The lines that are complete with `bytes`.
    pub fn split(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                lines.push(self.rest());
            } else {
                self.line.push(*byte);
                if self.line.len() == MAX_LINE {
                    lines.push(self.rest());
                }
            }
        }
        lines
    }

    /// What has come of a line that is not complete.
    pub fn rest(&mut self) -> String {
        let text = printable(&String::from_utf8_lossy(&self.line));
        self.line.clear();
        text
    }
}

/// `text` without control characters and terminal sequences.
fn printable(text: &str) -> String {
    let mut kept = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\x1b' && characters.peek() == Some(&'[') {
            characters.next();
            // A sequence ends with its first letter or tilde.
            for part in characters.by_ref() {
                if part.is_ascii_alphabetic() || part == '~' {
                    break;
                }
            }
        } else if !character.is_control() || character == '\t' {
            kept.push(character);
        }
    }
    kept.trim_end().to_string()
}

/// What a line says without the time stamp (`[…] `) that a log may put before it.
pub fn message(line: &str) -> &str {
    match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((stamp, rest)) if stamp.chars().all(|c| c.is_ascii_digit() || ". ".contains(c)) => {
            rest.trim_start()
        }
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_they_end() {
        let mut splitter = Splitter::default();
        assert!(splitter.split(b"log").is_empty());
        assert_eq!(splitter.split(b"d: ready\r\nexe"), ["logd: ready"]);
        assert_eq!(splitter.rest(), "exe");
    }

    #[test]
    fn a_line_has_a_bound() {
        let mut splitter = Splitter::default();
        assert!(splitter.split(&[b'x'; MAX_LINE - 1]).is_empty());
        let cut = splitter.split(b"yz");
        assert_eq!(cut.len(), 1);
        assert_eq!(cut[0].len(), MAX_LINE);
        assert_eq!(splitter.rest(), "z");
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.split(b"\x1b[31mred\x1b[0m \x07\xff!\n"), ["red \u{fffd}!"]);
    }

    #[test]
    fn a_time_stamp_is_not_part_of_the_message() {
        assert_eq!(message("[    0.012] logd: ready"), "logd: ready");
        assert_eq!(message("logd: ready"), "logd: ready");
        assert_eq!(message("[audit] denied"), "[audit] denied");
    }
}
