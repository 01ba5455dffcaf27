//! Where the time of a boot goes: when each stage was reached, read off the console. The firmware speaks first, the kernel
//! says a line when it hands over to the first program, and every process when it is ready. A stage lasts from the one before.

use std::time::Duration;

use super::Figure;
use super::chart::{self, Bar, Chart, Group};
use super::committed::Row;
use super::page::number;
use crate::machine::console::Line;
use crate::output::{Cell, Output};

/// What the rows' names begin with.
pub const PREFIX: &str = "boot.at.";

/// What the kernel's first line begins with.
const KERNEL: &str = "neuron: ";

/// Stages that are no processes, with what is done in them.
const BEFORE: [(&str, &str); 3] = [
    ("qemu", "QEMU starts, and the firmware until its first line"),
    ("firmware", "the firmware, until its last line"),
    ("neuron", "the kernel, until it hands over to the first program"),
];

/// When each stage of one boot was reached, in order.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Name and time since the start of QEMU.
    pub stages: Vec<(String, Duration)>,
    last: Option<Duration>,
}

impl Timeline {
    /// Notes a line of the console; `ready` is who became ready with it.
    pub fn note(&mut self, line: &Line, ready: Option<&str>) {
        let mut reached = |name: &str, at: Duration| self.stages.push((name.to_string(), at));
        match self.last {
            None if line.text.is_empty() => return,
            None => reached(BEFORE[0].0, line.at),
            // Before the kernel's line only the firmware speaks.
            Some(last) if line.text.starts_with(KERNEL) => {
                reached(BEFORE[1].0, last);
                reached(BEFORE[2].0, line.at);
            }
            Some(_) => {}
        }
        if let Some(name) = ready {
            self.stages.push((name.to_string(), line.at));
        }
        self.last = Some(line.at);
    }
}

/// The figures of several boots: a row for each stage that all of them reached, in the order of the last one.
pub fn figures(boots: &[Timeline]) -> Vec<Figure> {
    let at = |boot: &Timeline, name: &str| {
        let stage = boot.stages.iter().find(|(stage, _)| stage == name);
        stage.map(|(_, at)| at.as_secs_f64() * 1000.0)
    };
    let stages = boots.last().map_or(&[][..], |boot| &boot.stages);
    let figure = |(name, _): &(String, Duration)| {
        let times: Option<Vec<f64>> = boots.iter().map(|boot| at(boot, name)).collect();
        Figure::of(&format!("{PREFIX}{name}"), "ms", times?)
    };
    stages.iter().filter_map(figure).collect()
}

/// What is done in a stage, for people.
pub fn words(stage: &str) -> String {
    let known = BEFORE.iter().find(|(name, _)| *name == stage).map(|(_, words)| words.to_string());
    known.unwrap_or_else(|| match stage {
        "logd" => String::from("`nexus-init` begins and starts `logd`, until that is ready"),
        "nexus-init" => String::from("`nexus-init` has seen everybody ready"),
        name => format!("`{name}` is started, until it is ready"),
    })
}

/// A stage: name, when reached, how long it took, in milliseconds.
type Stage = (String, f64, f64);

/// The committed stages.
fn stages(rows: &[Row]) -> Vec<Stage> {
    let reached = |row: &'_ Row| Some((row.name.strip_prefix(PREFIX)?.to_string(), row.value()?));
    one_after_the_other(rows.iter().filter_map(reached).collect())
}

fn one_after_the_other(mut all: Vec<(String, f64)>) -> Vec<Stage> {
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let begins = std::iter::once(0.0).chain(all.iter().map(|(_, at)| *at));
    let took: Vec<f64> = all.iter().zip(begins).map(|((_, at), begin)| at - begin).collect();
    all.into_iter().zip(took).map(|((name, at), took)| (name, at, took)).collect()
}

/// Shows how long each measured stage took, if any was measured.
pub fn show(figures: &[Figure], output: Output) {
    let reached = |figure: &Figure| Some((figure.name.strip_prefix(PREFIX)?.to_string(), figure.median));
    let stages = one_after_the_other(figures.iter().filter_map(reached).collect());
    if stages.is_empty() {
        return;
    }
    let row = |(name, at, took): Stage| {
        let ms = |value: f64| Cell::from(format!("{:>4} ms", number(value.round())));
        vec![Cell::from(name.clone()), ms(at), ms(took), Cell::from(words(&name).replace('`', ""))]
    };
    let mut table = vec![["stage", "reached", "took", "what is done"].map(Cell::from).to_vec()];
    table.extend(stages.into_iter().map(row));
    output.line("");
    output.table(&table);
}

/// The committed boot as a table.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::from("\n| stage | reached after | it took | what is done |\n|---|---|---|---|\n");
    for (name, at, took) in stages(rows) {
        text += &format!(
            "| {name} | {} ms | {} ms | {} |\n",
            number(at.round()),
            number(took.round()),
            words(&name)
        );
    }
    text
}

/// The committed boot as a picture.
pub fn svg(rows: &[Row]) -> String {
    let stages = stages(rows);
    let limit = rows.iter().find(|row| row.name == "boot.ready_ms").and_then(|row| row.most).unwrap_or(0.0);
    let end = stages.iter().map(|(_, at, _)| *at).fold(limit, f64::max) * 1.08;
    let groups = stages.iter().enumerate().map(|(number_of, (name, at, took))| {
        let colour = if number_of < BEFORE.len() { chart::OTHER } else { chart::OURS };
        let bar = Bar { from: at - took, to: *at, colour, text: format!("{} ms", number(took.round())) };
        Group { label: name.to_string(), bars: vec![bar], mark: None }
    });
    let ticks = (0..).map(|step| f64::from(step) * 100.0).take_while(|tick| *tick <= end);
    chart::svg(&Chart {
        title: "A boot of the production image, from QEMU's start until everybody is ready",
        legend: &[(chart::OTHER, "before the first program"), (chart::OURS, "programs")],
        ticks: &ticks.map(|tick| (tick, format!("{tick} ms"))).collect::<Vec<_>>(),
        end,
        groups: groups.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ms: u64, text: &str) -> Line {
        Line { at: Duration::from_millis(ms), text: text.into() }
    }

    fn boot(slower: u64) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.note(&line(1, ""), None);
        timeline.note(&line(50, "OpenSBI"), None);
        timeline.note(&line(80, "Boot HART"), None);
        timeline.note(&line(90, "neuron: 1 hart"), None);
        timeline.note(&line(120 + slower, "logd: ready"), Some("logd"));
        timeline
    }

    #[test]
    fn each_stage_begins_where_the_one_before_ended() {
        let figures = figures(&[boot(0), boot(10), boot(20)]);
        let mut rows = Vec::new();
        crate::bench::committed::note(&mut rows, &figures, |_| false);
        let expected =
            [("qemu", 50.0, 50.0), ("firmware", 80.0, 30.0), ("neuron", 90.0, 10.0), ("logd", 130.0, 40.0)];
        assert_eq!(stages(&rows), expected.map(|(name, at, took)| (name.to_string(), at, took)));
        assert!(table(&rows).contains("| logd | 130 ms | 40 ms |"));
        assert_eq!(svg(&rows), svg(&rows));
        assert!(svg(&rows).contains("40 ms"));
    }

    #[test]
    fn a_stage_that_one_boot_did_not_reach_is_no_figure() {
        let mut half = boot(0);
        half.stages.pop();
        let names: Vec<String> = figures(&[half, boot(0)]).into_iter().map(|figure| figure.name).collect();
        assert_eq!(names, ["boot.at.qemu", "boot.at.firmware", "boot.at.neuron"]);
    }
}
