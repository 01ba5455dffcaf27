//! The committed figures: `docs/figures.json` says for each row what it counts, what it must come to, what seL4 needs for
//! the same, and what was measured last. Pages and pictures take their numbers from there and from nowhere else.
//!
//! What must never happen: a number in it that nobody measured. Only `nx bench --record` writes what was measured.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Figure;
use super::path::Counts;
use super::timeline;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;

/// Where they are, from the root of the tree.
pub const FILE: &str = "docs/figures.json";

/// How much more than committed an exact row may come to, in percent.
pub const MOST_WORSE: f64 = 2.0;

/// One row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What is counted.
    pub unit: String,
    /// Whether it comes to the same on every host, to the last instruction.
    pub exact: bool,
    /// What was measured last: minimum, median, maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<[f64; 3]>,
    /// The most that it must come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
    /// The least that it must come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// What seL4 needs on one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_core: Option<f64>,
    /// What seL4's build for several cores needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smp: Option<f64>,
    /// What the recount saw the kernel execute in one passage, each time that it was entered: instructions, and of these loads, stores,
    /// accesses of control registers, atomics and fences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Vec<[u64; 6]>>,
    /// What the row is about, for people.
    pub what: String,
}

impl Row {
    /// The value that stands for a row: the largest of an exact one, since it comes again; the best where a least is asked for,
    /// which a busy host spoils; else the middle one.
    pub fn value(&self) -> Option<f64> {
        self.ours.map(|[_, median, max]| if self.takes_largest() { max } else { median })
    }

    fn takes_largest(&self) -> bool {
        self.exact || self.least.is_some()
    }

    /// Whether a value is within what the row must come to; `None` when nothing is said.
    pub fn allows(&self, value: f64) -> Option<bool> {
        match (self.most, self.least) {
            (None, None) => None,
            (most, least) => {
                Some(most.is_none_or(|most| value <= most) && least.is_none_or(|least| value >= least))
            }
        }
    }

    /// The value of a figure of this row, picked as [`Self::value`] does.
    pub fn value_of(&self, figure: &Figure) -> f64 {
        if self.takes_largest() { figure.max } else { figure.median }
    }

    /// By how many percent a figure's value is above the committed one.
    pub fn change(&self, figure: &Figure) -> Option<f64> {
        let then = self.value().filter(|then| *then != 0.0)?;
        Some((self.value_of(figure) - then) / then * 100.0)
    }

    /// Why a figure of an exact row is a step back: more than [`MOST_WORSE`] above what is committed, or over a limit that
    /// the committed figure keeps.
    pub fn worse(&self, figure: &Figure) -> Option<String> {
        let then = self.ours?;
        let now = [figure.min, figure.median, figure.max];
        for ((what, then), now) in ["minimum", "median", "maximum"].iter().zip(then).zip(now) {
            if now > then * (1.0 + MOST_WORSE / 100.0) {
                let percent = (now - then) / then * 100.0;
                return Some(format!("the {what} is {now}, {percent:.1} % more than the {then} committed"));
            }
        }
        let kept = self.value().and_then(|then| self.allows(then)) == Some(true);
        let value = self.value_of(figure);
        (kept && self.allows(value) == Some(false)).then(|| format!("{value} is over what it must come to"))
    }
}

/// Every row of the tree; none in a tree without the file.
pub fn rows(house: &House) -> Outcome<Vec<Row>> {
    let path = path(house);
    match fs::read_to_string(&path) {
        Ok(text) => read(&text).map_err(|why| spoiled(&why)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::host(path.display(), &error)),
    }
}

fn path(house: &House) -> PathBuf {
    house.root().join(FILE)
}

fn spoiled(why: &str) -> Failure {
    Failure::new(Exit::Failed, format!("{FILE}: {why}"), "git diff docs/figures.json shows what changed")
}

/// The rows in a text; each name once.
pub fn read(text: &str) -> Result<Vec<Row>, String> {
    let rows: Vec<Row> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (number, row) in rows.iter().enumerate() {
        if rows[..number].iter().any(|other| other.name == row.name) {
            return Err(format!("`{}` stands there twice", row.name));
        }
    }
    Ok(rows)
}

/// The text of these rows, a line each, so that a change of one is a change of its line.
pub fn text(rows: &[Row]) -> String {
    let line = |row: &Row| serde_json::to_string(row).expect("a row has only text and numbers");
    // Whole numbers are written as such.
    let lines: Vec<String> = rows
        .iter()
        .map(|row| line(row).replace(".0,", ",").replace(".0]", "]").replace(".0}", "}"))
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Puts measured figures into their rows; a row that is new goes to the end, and its words are to be written by hand.
pub fn note(rows: &mut Vec<Row>, figures: &[Figure], exact: impl Fn(&Figure) -> bool) {
    for figure in figures {
        let ours = Some(ours(figure));
        match rows.iter_mut().find(|row| row.name == figure.name) {
            Some(row) => {
                // What was recounted was another path.
                row.kernel = row.kernel.take().filter(|_| row.ours == ours);
                row.ours = ours;
            }
            None => rows.push(Row {
                name: figure.name.clone(),
                unit: figure.unit.clone(),
                exact: exact(figure),
                ours,
                most: None,
                least: None,
                one_core: None,
                smp: None,
                kernel: None,
                what: figure.name.strip_prefix(timeline::PREFIX).map(timeline::words).unwrap_or_default(),
            }),
        }
    }
}

/// Puts what was recounted into the rows that have the very figure that was recounted.
pub fn note_recount(rows: &mut [Row], recount: &[(Figure, Vec<Counts>)]) {
    for (figure, visits) in recount.iter().filter(|(_, visits)| !visits.is_empty()) {
        let same = |row: &&mut Row| row.name == figure.name && row.ours == Some(ours(figure));
        if let Some(row) = rows.iter_mut().find(same) {
            row.kernel = Some(visits.iter().map(Counts::numbers).collect());
        }
    }
}

fn ours(figure: &Figure) -> [f64; 3] {
    [figure.min, figure.median, figure.max].map(rounded)
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Writes the rows.
pub fn write(house: &House, rows: &[Row]) -> Outcome {
    let path = path(house);
    fs::write(&path, text(rows)).map_err(|error| Failure::host(path.display(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: [f64; 3], most: Option<f64>) -> Row {
        Row {
            name: "a".into(),
            unit: "instructions".into(),
            exact: true,
            ours: Some(ours),
            most,
            least: None,
            one_core: None,
            smp: None,
            kernel: None,
            what: "x".into(),
        }
    }

    fn figure(min: f64, median: f64, max: f64) -> Figure {
        Figure { name: "a".into(), unit: "instructions".into(), min, median, max, n: 3 }
    }

    #[test]
    fn two_percent_more_is_allowed_and_an_instruction_past_it_is_not() {
        let committed = row([1000.0; 3], None);
        assert_eq!(committed.worse(&figure(1020.0, 1020.0, 1020.0)), None);
        assert!(committed.worse(&figure(1000.0, 1000.0, 1021.0)).is_some());
        assert!(committed.worse(&figure(1021.0, 1021.0, 1021.0)).is_some());
        assert_eq!(committed.worse(&figure(1.0, 1.0, 1.0)), None);
    }

    #[test]
    fn a_limit_that_was_kept_must_be_kept() {
        assert_eq!(row([268.0; 3], Some(269.0)).worse(&figure(269.0, 269.0, 269.0)), None);
        assert!(row([268.0; 3], Some(269.0)).worse(&figure(268.0, 268.0, 270.0)).is_some());
        // One that never was is not more of a failure for an instruction.
        assert_eq!(row([600.0; 3], Some(500.0)).worse(&figure(601.0, 601.0, 601.0)), None);
    }

    #[test]
    fn a_recount_is_kept_as_long_as_the_row_is_what_it_was() {
        let mut rows = vec![row([3.0; 3], None)];
        let visit = Counts { all: 2, loads: 1, ..Counts::default() };
        note_recount(&mut rows, &[(figure(4.0, 4.0, 4.0), vec![visit])]);
        assert_eq!(rows[0].kernel, None, "another figure was recounted");
        note_recount(&mut rows, &[(figure(3.0, 3.0, 3.0), vec![visit])]);
        assert_eq!(rows[0].kernel, Some(vec![[2, 1, 0, 0, 0, 0]]));
        assert_eq!(read(&text(&rows)).unwrap(), rows);
        note(&mut rows, &[figure(3.0, 3.0, 3.0)], |_| true);
        note_recount(&mut rows, &[]);
        assert!(rows[0].kernel.is_some());
        note(&mut rows, &[figure(3.0, 3.0, 4.0)], |_| true);
        assert_eq!(rows[0].kernel, None);
    }

    #[test]
    fn what_is_written_is_read_and_a_row_stands_there_once() {
        let mut rows = vec![row([1.0, 2.5, 3.0], Some(4.0))];
        note(&mut rows, &[Figure { name: "b".into(), ..figure(7.0, 8.0, 9.123_456) }], |_| false);
        let written = text(&rows);
        assert!(written.contains("\"ours\":[1,2.5,3],\"most\":4,"), "{written}");
        assert!(written.contains("\"ours\":[7,8,9.12]"), "{written}");
        assert_eq!(read(&written).unwrap(), rows);
        rows.push(rows[0].clone());
        assert!(read(&text(&rows)).unwrap_err().contains("twice"));
        assert!(read("[{\"name\":\"x\"}]").is_err());
    }
}
