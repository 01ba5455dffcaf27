//! The exact figures against the committed ones: a row fails when it costs over 2 % more, or passes a limit that it kept. Image and
//! memory are held to their limits alone.
//! Instructions are counted under exact counting, so nothing here depends on the host or on luck.

use std::time::Instant;

use super::{Bench, Report};
use crate::bench::committed::Row;
use crate::bench::{Figure, SIZES, committed, exact_figures, sizes};
use crate::exit::Outcome;
use crate::house::House;

const SUITE: &str = "bench";

/// The test that every row is committed, and every committed row measured.
const ROWS: &str = "rows";

/// Whether a row is held to its limit here though it is not exact.
fn is_size(row: &Row) -> bool {
    SIZES.contains(&row.name.as_str()) && row.allows(0.0).is_some()
}

/// The names of the exact rows, and of those that have a limit.
pub fn list(house: &House, _full: bool) -> Outcome<Vec<String>> {
    let rows = committed::rows(house)?;
    let exact = rows.into_iter().filter(|row| row.exact || is_size(row)).map(|row| row.name);
    Ok(exact.chain([String::from(ROWS)]).collect())
}

/// Runs the bench image once and compares.
pub fn run(bench: &mut Bench) -> Outcome {
    let rows = committed::rows(bench.house)?;
    limits(bench, &rows)?;
    let exact: Vec<_> = rows.iter().filter(|row| row.exact).collect();
    if !exact.iter().any(|row| bench.wants(SUITE, &row.name)) && !bench.wants(SUITE, ROWS) {
        return Ok(());
    }
    let begun = Instant::now();
    let figures = exact_figures(bench.house, bench.output)?;
    let mut strays = Vec::new();
    for row in &exact {
        let Some(figure) = figures.iter().find(|figure| figure.name == row.name) else {
            strays.push(format!("`{}` is committed and was not measured", row.name));
            continue;
        };
        let worse = row.worse(figure);
        let passed = worse.is_none();
        let detail = worse.unwrap_or_else(|| detail(row, figure));
        let repeat = format!("./nx test {}", row.name);
        bench.report(Report { suite: SUITE, name: row.name.clone(), passed, detail, repeat, took: None });
    }
    let known = |name: &str| exact.iter().any(|row| row.name == name && row.ours.is_some());
    let stray = figures.iter().filter(|figure| !known(&figure.name));
    strays.extend(
        stray.map(|f| format!("`{}` was measured and is not committed: ./nx bench --record", f.name)),
    );
    let passed = strays.is_empty();
    let detail = if passed { format!("{} exact rows", exact.len()) } else { strays.join("\n") };
    let (name, repeat) = (String::from(ROWS), format!("./nx test {SUITE}"));
    bench.report(Report { suite: SUITE, name, passed, detail, repeat, took: Some(begun.elapsed()) });
    Ok(())
}

/// Holds sizes to their limits: what changes them is mostly that the system can do more.
fn limits(bench: &mut Bench, rows: &[Row]) -> Outcome {
    let wanted: Vec<&Row> = rows.iter().filter(|row| is_size(row) && bench.wants(SUITE, &row.name)).collect();
    let wants = |name: &str| wanted.iter().any(|row| row.name == name);
    let figures = sizes(bench.house, &wants, bench.output)?;
    for row in wanted {
        let found = figures.iter().find(|figure| figure.name == row.name);
        let passed = found.is_some_and(|figure| row.allows(row.value_of(figure)) == Some(true));
        let value = found.map_or(String::from("not measured"), |figure| row.value_of(figure).to_string());
        let detail = format!("{value}, {} at most", row.most.unwrap_or_default());
        let repeat = format!("./nx test {}", row.name);
        bench.report(Report { suite: SUITE, name: row.name.clone(), passed, detail, repeat, took: None });
    }
    Ok(())
}

fn detail(row: &Row, figure: &Figure) -> String {
    let value = row.value_of(figure);
    match row.change(figure) {
        Some(percent) if percent != 0.0 => {
            format!("{value}, {percent:+.1} % of what is committed: ./nx bench --record")
        }
        _ => format!("{value}"),
    }
}
