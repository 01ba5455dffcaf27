//! What people and programs see. The answer of a command goes to standard output, once: a table for people, one
//! JSON value for programs. Everything on the way goes to standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

/// How to answer.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether programs read the answer.
    pub json: bool,
    colour: bool,
}

impl Output {
    /// For people, or for programs.
    pub fn new(json: bool) -> Output {
        let plain = json || std::env::var_os("CI").is_some() || std::env::var_os("NO_COLOR").is_some();
        Output { json, colour: !plain && io::stdout().is_terminal() }
    }

    /// A step of long work.
    pub fn step(&self, what: &str, detail: &str) {
        if !self.json {
            let mut err = io::stderr().lock();
            let _ = writeln!(err, "{what:>8}  {detail}");
        }
    }

    /// One line of an answer for people.
    pub fn line(&self, text: &str) {
        if !self.json {
            print_line(text);
        }
    }

    /// The answer for programs.
    pub fn value(&self, value: &Value) {
        if self.json {
            print_line(&value.to_string());
        }
    }

    /// `text` in green, when there is colour.
    pub fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    /// `text` in red, when there is colour.
    pub fn bad(&self, text: &str) -> String {
        self.paint("31", text)
    }

    /// `text` in grey, when there is colour.
    pub fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// A reader that went away (`nx test | head`) is no reason to panic.
fn print_line(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Rows as columns of equal width, two spaces apart; the last column is left ragged.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let row = |a: &str, b: &str| vec![a.to_string(), b.to_string()];
        assert_eq!(super::table(&[row("a", "1"), row("long", "2")]), ["a     1", "long  2"]);
    }
}
