//! How a machine's console is shown to people: what firmware says is folded into one line, each line bears the time
//! since the start of QEMU, and who is ready stands out. A program that reads the lines gets them as they are.

use super::console::Line;
use crate::output::{Output, Paint};

/// How the lines of the kernel begin; the first one ends what firmware says.
const KERNEL: &str = "neuron: ";

/// How what firmware says begins.
const FIRMWARE: &str = "OpenSBI ";

/// Room for a time.
const TIME: usize = 8;

/// Shows a console.
#[derive(Debug)]
pub struct Screen {
    output: Output,
    in_firmware: bool,
    firmware: Vec<String>,
}

impl Screen {
    /// Of a machine that has just been started.
    pub fn new(output: Output) -> Screen {
        Screen { output, in_firmware: false, firmware: Vec::new() }
    }

    /// Shows a line.
    pub fn show(&mut self, line: &Line) {
        // Also again: a machine that restarts begins with firmware.
        self.in_firmware |= line.text.starts_with(FIRMWARE);
        if self.in_firmware && !line.text.starts_with(KERNEL) {
            self.firmware.push(line.text.clone());
            return;
        }
        if self.in_firmware {
            self.in_firmware = false;
            self.tell_firmware();
        }
        if line.text.is_empty() {
            return;
        }
        if self.output.watched {
            let time = format!("{:>TIME$}  ", format!("{} ms", line.at.as_millis()));
            let mut parts = vec![(time, Paint::Dim)];
            parts.extend(parts_of(&line.text));
            self.output.parts(&parts);
        } else {
            self.output.line(&line.text);
        }
    }

    fn tell_firmware(&mut self) {
        let said = std::mem::take(&mut self.firmware);
        let count = said.iter().filter(|line| !line.is_empty()).count();
        if let Some(name) = said.iter().find(|line| line.starts_with(FIRMWARE)) {
            self.output.step("firmware", &format!("{name} ({count} lines, in the console's file)"));
        }
    }
}

/// The parts of a line with what stands out.
pub fn parts_of(text: &str) -> Vec<(String, Paint)> {
    if super::watch::is_panic(text) {
        return vec![(text.to_string(), Paint::Bad)];
    }
    match text.strip_suffix("ready").filter(|name| name.ends_with(": ") && !name.trim_end().contains(' ')) {
        Some(name) => vec![(name.to_string(), Paint::Plain), (String::from("ready"), Paint::Good)],
        None => vec![(text.to_string(), Paint::Plain)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_ready_stands_out_and_nobody_else() {
        assert_eq!(parts_of("logd: ready")[1], ("ready".to_string(), Paint::Good));
        assert_eq!(parts_of("logd: not ready").len(), 1);
        assert_eq!(parts_of("neuron: panic on hart 0: x")[0].1, Paint::Bad);
    }
}
