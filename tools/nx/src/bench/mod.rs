//! `nx bench`: figures. The guest counts its own instructions on the exact lane; what only the host can see (boot,
//! sizes, idle load) is measured here. A figure that could not be taken is missing, never guessed.

mod audit;
mod guest;
mod host;

use serde::Serialize;
use serde_json::json;

use crate::cli::BenchArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output};

/// One figure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// What it counts.
    pub unit: String,
    /// The smallest value seen.
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// The largest.
    pub max: f64,
    /// How many.
    pub n: u64,
}

impl Figure {
    /// The figure of these values; `None` without values.
    pub fn of(name: &str, unit: &str, mut values: Vec<f64>) -> Option<Figure> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let median = values[values.len() / 2];
        Some(Figure { name: name.into(), unit: unit.into(), min, median, max, n: values.len() as u64 })
    }
}

/// Does what `nx bench` says.
pub fn run(house: &House, args: &BenchArgs, output: Output) -> Outcome {
    let wants =
        |name: &str| args.name.as_deref().is_none_or(|part| name.starts_with(part) || part.starts_with(name));
    let mut figures = Vec::new();
    if ["ipc", "port", "syscall", "sched", "fault", "vm"].iter().any(|group| wants(group))
        && guest::exists(house)
    {
        let run = guest::run(house, output)?;
        figures.extend(run.figures.iter().cloned());
        if args.audit {
            audit::check(house, &run, output)?;
        }
    } else if args.audit {
        return Err(Failure::new(
            Exit::Failed,
            "there are no ipc figures to recount",
            "nx bench ipc --audit",
        ));
    }
    figures.extend(host::figures(house, args.quick, &wants, output)?);
    figures.retain(|figure| args.name.as_deref().is_none_or(|part| figure.name.starts_with(part)));
    if figures.is_empty() {
        let what = format!("no figure begins with `{}`", args.name.as_deref().unwrap_or_default());
        return Err(Failure::new(Exit::Failed, what, "nx bench lists them all"));
    }
    let number =
        |value: f64| if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    let head = ["name", "min", "median", "max", "n", "unit"].map(Cell::from).to_vec();
    let row = |f: &Figure| {
        [f.name.clone(), number(f.min), number(f.median), number(f.max), f.n.to_string(), f.unit.clone()]
            .map(Cell::from)
            .to_vec()
    };
    output.table(&std::iter::once(head).chain(figures.iter().map(row)).collect::<Vec<_>>());
    output.value(&json!(figures));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_its_extremes_and_its_middle() {
        let figure = Figure::of("x", "ms", vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((figure.min, figure.median, figure.max, figure.n), (1.0, 2.0, 3.0, 3));
        assert_eq!(Figure::of("x", "ms", vec![]), None);
    }
}
