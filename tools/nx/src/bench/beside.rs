//! The engine under `/state` on this host, beside SQLite and redb on files of the same folder (`tests/state-bench`): how many times as long they
//! take for the same durable puts. It compiles both others and waits for a thousand flushes of each, so it is taken only by its name.

use super::Figure;
use crate::build::cargo::{SILENCE, program};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::Output;
use crate::process::{Errors, bound, lines};

/// What the names of these figures begin with.
pub const NAME: &str = "state.host_vs";

/// Takes the figures.
pub fn figures(house: &House, output: Output) -> Outcome<Vec<Figure>> {
    output.step("bench", &format!("{NAME}_*: one put each in turn, 7 runs"));
    let folder = house.folder("state-bench")?;
    let mut command = bound(program());
    command.current_dir(house.root()).args(["run", "--release", "--locked", "--quiet"]);
    command.args(["--package", "state-bench", "--features", "others", "--"]).arg(&folder);
    let mut figures = Vec::new();
    let good = lines(command, SILENCE, Errors::Shown, |line| {
        if let Some(line) = line {
            figures.extend(read(line));
        }
    })?;
    if good && figures.len() == 2 * 2 * 2 + 2 {
        return Ok(figures);
    }
    let what = format!("{} figures were taken beside others", figures.len());
    Err(Failure::new(Exit::Failed, what, "cargo run --release -p state-bench --features others"))
}

/// The figures in a line: for another store how many times as long it took and what it wrote, for ours what it wrote.
fn read(line: &str) -> Vec<Figure> {
    let word = |name: &str| {
        let words = line.split_whitespace();
        words
            .filter_map(|word| word.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    };
    let (Some(batch), Some(store)) = (word("batch"), word("store")) else { return Vec::new() };
    let batch = if batch == "1" { String::new() } else { format!(".{batch}") };
    let one = |name: &str, unit: &str, value: Option<&str>| {
        Figure::of(&format!("{NAME}_{name}{batch}"), unit, vec![value?.parse().ok()?])
    };
    let written = one(&format!("{store}.written"), "B", word("bytes"));
    match store {
        "ours" => {
            Figure::of(&format!("state.host_written{batch}"), "B", written.map_or(vec![], |f| vec![f.median]))
                .into_iter()
                .collect()
        }
        _ => [one(store, "times", word("ratio")), written].into_iter().flatten().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_figures_or_none() {
        let names =
            |line: &str| read(line).into_iter().map(|figure| (figure.name, figure.max)).collect::<Vec<_>>();
        let line =
            "batch=64 store=redb median_us=3.0 min_us=2.0 max_us=4.0 ratio=1.410 flushes=1.02 bytes=325215";
        let both = [
            ("state.host_vs_redb.64".to_string(), 1.41),
            ("state.host_vs_redb.written.64".to_string(), 325_215.0),
        ];
        assert_eq!(names(line), both);
        let line = "batch=1 store=ours ratio=1.000 flushes=1.00 bytes=1024";
        assert_eq!(names(line), [("state.host_written".to_string(), 1024.0)]);
        for line in ["", "batch=1", "batch=1 store=redb", "batch=1 store=redb ratio=x bytes=y"] {
            assert_eq!(names(line), [], "{line}");
        }
    }
}
