//! What people and programs see. The answer of a command goes to standard output, once: a table for people, one
//! JSON value for programs. Everything on the way goes to standard error. Nothing here may fail because a reader
//! went away, and no colour or cursor movement may reach what is not a terminal.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::interrupt;
use crate::picture;

/// Columns of a terminal that does not tell.
const COLUMNS: usize = 80;

/// Room for the word of a step.
const STEP: usize = 8;

/// Whether a line about progress stands on the terminal, to be wiped before anything else is printed.
static STATUS: AtomicBool = AtomicBool::new(false);

/// How to answer.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether programs read the answer.
    pub json: bool,
    /// Whether a person watches the answer.
    pub watched: bool,
    colour: bool,
    step_colour: bool,
    live: bool,
}

/// How a word is set off, where there is colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// As it is.
    Plain,
    /// Green.
    Good,
    /// Red.
    Bad,
    /// Grey.
    Dim,
    /// A step of work.
    Step,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "0",
            Paint::Good => "32",
            Paint::Bad => "1;31",
            Paint::Dim => "2",
            Paint::Step => "1;36",
        }
    }
}

impl Output {
    /// For people, or for programs.
    pub fn new(json: bool) -> Output {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let plain = json || set("CI") || set("NO_COLOR") || dumb;
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Output {
            json,
            // A picture is made as if somebody watched.
            watched: !json && (out && !set("CI") || picture::is_on()),
            colour: !plain && out,
            step_colour: !plain && err,
            live: !json && err && !set("CI") && !dumb,
        }
    }

    /// A step of long work.
    pub fn step(&self, what: &str, detail: &str) {
        if self.json {
            return;
        }
        picture::note(&[(format!("{what:>STEP$}"), Paint::Step), (format!("  {detail}"), Paint::Plain)]);
        let word = paint(self.step_colour, Paint::Step, &format!("{what:>STEP$}"));
        let room = if self.live { columns().saturating_sub(STEP + 2).max(NARROWEST) } else { usize::MAX };
        let detail = fold(detail, room).join(&format!("\n{:1$}", "", STEP + 2));
        print_error(&format!("{word}  {detail}"));
    }

    /// Where long work stands: one line that the next one replaces, on a terminal only.
    pub fn status(&self, what: &str, detail: &str) {
        if !self.live {
            return;
        }
        let text: String =
            format!("{what:>STEP$}  {detail}").chars().take(columns().saturating_sub(1)).collect();
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[2K{}", paint(self.step_colour, Paint::Dim, &text));
        let _ = err.flush();
        STATUS.store(true, Ordering::Relaxed);
    }

    /// One line of an answer for people.
    pub fn line(&self, text: &str) {
        self.parts(&[(text.to_string(), Paint::Plain)]);
    }

    /// One line of an answer for people, each part in its colour.
    pub fn parts(&self, parts: &[(String, Paint)]) {
        if self.json {
            return;
        }
        picture::note(parts);
        let text: String = parts.iter().map(|(text, how)| paint(self.colour, *how, text)).collect();
        print_text(&format!("{text}\n"));
    }

    /// Rows as columns, as wide as there is room for.
    pub fn table(&self, rows: &[Vec<Cell>]) {
        // A program that reads lines gets one line a row.
        let room = if self.watched { columns() } else { usize::MAX };
        table(rows, room).iter().for_each(|line| self.parts(line));
    }

    /// Text without an end of line: the prompt.
    pub fn prompt(&self, text: &str) {
        if !self.json {
            print_text(text);
        }
    }

    /// The answer for programs.
    pub fn value(&self, value: &Value) {
        if self.json {
            print_text(&format!("{value}\n"));
        }
    }
}

/// What stands in a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell(pub String, pub Paint);

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell(text.to_string(), Paint::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell(text, Paint::Plain)
    }
}

fn paint(colour: bool, how: Paint, text: &str) -> String {
    match how {
        Paint::Plain => text.to_string(),
        _ if !colour => text.to_string(),
        _ => format!("\x1b[{}m{text}\x1b[0m", how.code()),
    }
}

fn wipe_status() {
    if STATUS.swap(false, Ordering::Relaxed) {
        let _ = write!(io::stderr().lock(), "\r\x1b[2K");
    }
}

/// A line that is no answer: a step, a failure.
pub fn print_error(line: &str) {
    wipe_status();
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text for people or programs that is no line of a table: help, completions.
pub fn print_text(text: &str) {
    wipe_status();
    let mut out = io::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    // A reader that went away (`nx run | head`) is no reason to panic, but one to stop.
    if done.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        interrupt::output_gone();
    }
}

/// Columns of the terminal.
pub fn columns() -> usize {
    if picture::is_on() {
        return picture::COLUMNS;
    }
    terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| width.0 as usize).max(20)
}

/// A line in parts.
type Parts = Vec<(String, Paint)>;

/// Narrowest last column; with less room it gets lines of its own.
const NARROWEST: usize = 24;

/// How far such lines are indented.
const INDENT: usize = 4;

/// Rows as columns of equal width, two spaces apart. The last column is left ragged, and folded at `room` columns.
pub fn table(rows: &[Vec<Cell>], room: usize) -> Vec<Parts> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let Some(last) = columns.checked_sub(1) else { return Vec::new() };
    let length = |cell: &Cell| cell.0.chars().count();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(length).max().unwrap_or(0);
    let widths: Vec<usize> = (0..last).map(width).collect();
    let begin: usize = widths.iter().map(|width| width + 2).sum();
    let stacked = width(last) > room.saturating_sub(begin) && room.saturating_sub(begin) < NARROWEST;
    let indent = if stacked { INDENT } else { begin };
    let mut lines = Vec::new();
    for row in rows {
        let mut line: Parts = Vec::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push((cell.0.clone(), cell.1));
            line.push((" ".repeat(width - length(cell) + 2), Paint::Plain));
        }
        let end = row.get(last).filter(|cell| !cell.0.is_empty());
        let folded = end.map_or(Vec::new(), |cell| fold(&cell.0, room.saturating_sub(indent).max(1)));
        for (number, text) in folded.into_iter().enumerate() {
            if number > 0 || stacked {
                lines.push(trimmed(std::mem::take(&mut line)));
                line.push((" ".repeat(indent), Paint::Plain));
            }
            line.push((text, end.map_or(Paint::Plain, |cell| cell.1)));
        }
        lines.push(trimmed(line));
    }
    lines
}

/// Without empty parts at its end.
fn trimmed(mut line: Parts) -> Parts {
    while line.pop_if(|(text, _)| text.trim().is_empty()).is_some() {}
    line
}

/// `text` in lines of at most `room` characters, cut between words where there are any.
fn fold(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always one");
        let used = line.chars().count();
        if used > 0 && used + 1 + word.chars().count() > room {
            lines.push(word.to_string());
        } else {
            if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[&[&str]], room: usize) -> Vec<String> {
        let rows: Vec<Vec<Cell>> =
            rows.iter().map(|row| row.iter().map(|text| Cell::from(*text)).collect()).collect();
        let join = |line: &Parts| line.iter().map(|(text, _)| text.as_str()).collect::<String>();
        table(&rows, room).iter().map(join).collect()
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(lines(&[&["a", "1"], &["long", "2"]], 80), ["a     1", "long  2"]);
        assert_eq!(lines(&[&["a", ""], &["b"]], 80), ["a", "b"]);
    }

    #[test]
    fn a_long_last_column_is_folded_between_words() {
        let long = "one two three four five six seven eight";
        let wanted = ["disk  one two three four five", "      six seven eight"];
        assert_eq!(lines(&[&["disk", long]], 30), wanted);
        assert!(lines(&[&["disk", long]], 30).iter().all(|line| line.chars().count() <= 30));
    }

    #[test]
    fn where_there_is_no_room_the_last_column_goes_below() {
        let rows: &[&[&str]] = &[&["a long first cell", "one two three four five six"], &["b", "short"]];
        assert_eq!(
            lines(rows, 30),
            ["a long first cell", "    one two three four five", "    six", "b", "    short"]
        );
    }

    #[test]
    fn colour_does_not_count_as_width() {
        assert_eq!(paint(true, Paint::Good, "ok"), "\x1b[32mok\x1b[0m");
        assert_eq!(paint(false, Paint::Good, "ok"), "ok");
        let rows = [vec![Cell("ok".into(), Paint::Good), "x".into()], vec!["missing".into(), "y".into()]];
        assert_eq!(table(&rows, 80)[0][1].0.len(), 7);
    }
}
