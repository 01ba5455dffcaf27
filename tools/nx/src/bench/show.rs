//! Figures as a table for people and as a value for programs: each beside what is committed and what it must come to.

use serde_json::{Value, json};

use super::Figure;
use super::committed::{MOST_WORSE, Row};
use super::page::{bound, number};
use crate::output::{Cell, Output, Paint};

/// Shows them.
pub fn show(figures: &[Figure], rows: &[Row], output: Output) {
    let row_of = |figure: &Figure| rows.iter().find(|row| row.name == figure.name);
    let mut table =
        vec![["name", "min", "median", "max", "n", "change", "must", "unit"].map(Cell::from).to_vec()];
    table.extend(figures.iter().map(|figure| line(figure, row_of(figure))));
    output.table(&table);
    let values: Vec<Value> = figures.iter().map(|figure| value(figure, row_of(figure))).collect();
    output.value(&json!(values));
}

fn line(figure: &Figure, row: Option<&Row>) -> Vec<Cell> {
    let change = row.and_then(|row| row.change(figure));
    let changed = match (row, change) {
        (_, Some(0.0)) => Cell::from("="),
        (Some(row), Some(percent)) => {
            let text = format!("{percent:+.1} %");
            // Only what is exact is better or worse by itself; the rest depends on the host.
            let paint = match row.exact {
                true if percent > MOST_WORSE => Paint::Bad,
                true if percent < 0.0 => Paint::Good,
                _ => Paint::Plain,
            };
            Cell(text, paint)
        }
        _ => Cell(String::from("new"), Paint::Dim),
    };
    let must = match row.map(|row| (bound(row), row.allows(row.value_of(figure)))) {
        Some((bound, Some(true))) => Cell(bound, Paint::Good),
        Some((bound, Some(false))) => Cell(format!("{bound} NOT"), Paint::Bad),
        _ => Cell::from(""),
    };
    let numbers = [figure.min, figure.median, figure.max].map(|value| Cell::from(number(value)));
    let mut cells = vec![Cell::from(figure.name.clone())];
    cells.extend(numbers);
    cells.extend([Cell::from(figure.n.to_string()), changed, must, Cell::from(figure.unit.clone())]);
    cells
}

fn value(figure: &Figure, row: Option<&Row>) -> Value {
    json!({
        "name": figure.name,
        "unit": figure.unit,
        "min": figure.min,
        "median": figure.median,
        "max": figure.max,
        "n": figure.n,
        "committed": row.and_then(Row::value),
        "change_percent": row.and_then(|row| row.change(figure)),
        "bound": row.and_then(|row| row.most.or(row.least)),
        "within": row.and_then(|row| row.allows(row.value_of(figure))),
    })
}
