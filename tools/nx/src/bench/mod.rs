//! `nx bench`: figures. The guest counts its own instructions on the exact lane; what only the host can see (boot,
//! sizes, idle load) is measured here. A figure that could not be taken is missing, never guessed.

mod audit;
mod beside;
mod chart;
pub mod committed;
pub mod devices;
mod guest;
mod host;
mod page;
mod path;
pub mod publish;
mod show;
pub mod state;
mod stretch;
mod timeline;

use serde::Serialize;
use serde_json::json;

use guest::Lane;

use crate::cli::BenchArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::Output;

/// Figures of several harts.
const HARTS: [&str; 4] =
    ["ipc.scaling.2harts", "ipc.scaling.host", "ipc.cross_hart_send", "ipc.cross_hart_call"];

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

/// The figures of the exact lane, which come to the same on every host.
pub fn exact_figures(house: &House, output: Output) -> Outcome<Vec<Figure>> {
    Ok(guest::run(house, Lane::Exact, output)?.figures)
}

/// Figures of the host that do not depend on how fast it is, and have a limit: `nx test` holds them to it.
pub const SIZES: [&str; 2] = ["image.bytes", "boot.ram_bytes"];

/// Takes the [`SIZES`] that are asked for.
pub fn sizes(house: &House, wants: &dyn Fn(&str) -> bool, output: Output) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    if wants(SIZES[0]) {
        figures.extend(host::image(house, output)?);
    }
    if wants(SIZES[1]) {
        figures.extend(host::at_ready(house, output)?.into_iter().filter(|figure| figure.name == SIZES[1]));
    }
    Ok(figures)
}

/// Does what `nx bench` says.
pub fn run(house: &House, args: &BenchArgs, output: Output) -> Outcome {
    if args.plot {
        return publish(house, output);
    }
    let mut rows = committed::rows(house)?;
    let mut exact = Vec::new();
    let wants =
        |name: &str| args.name.as_deref().is_none_or(|part| name.starts_with(part) || part.starts_with(name));
    let (mut figures, mut recount) = (Vec::new(), Vec::new());
    if ["ipc", "port", "syscall", "sched", "fault", "vm"].iter().any(|group| wants(group))
        && Lane::Exact.exists(house)
    {
        let run = guest::run(house, Lane::Exact, output)?;
        figures.extend(run.figures.iter().cloned());
        exact.extend(run.figures.iter().map(|figure| figure.name.clone()));
        if args.audit {
            recount = audit::check(house, &run, output)?;
        }
    } else if args.audit {
        return Err(Failure::new(
            Exit::Failed,
            "there are no ipc figures to recount",
            "nx bench ipc --audit",
        ));
    }
    if HARTS.iter().any(|name| wants(name)) && Lane::Harts.exists(house) {
        figures.extend(guest::run(house, Lane::Harts, output)?.figures);
    }
    figures.extend(devices::figures(house, &wants, output)?);
    if !args.name.as_deref().is_some_and(|part| part.starts_with("state.host")) {
        figures.extend(state::figures(house, &wants, output)?);
    }
    // Takes minutes, so only by its name.
    if args.name.as_deref().is_some_and(|part| stretch::NAME.starts_with(part)) {
        figures.extend(stretch::figure(house, output)?);
    }
    if args.name.as_deref().is_some_and(|part| part.starts_with("state.host")) {
        figures.extend(beside::figures(house, output)?);
    }
    figures.extend(host::figures(house, args.quick, &wants, output)?);
    figures.retain(|figure| args.name.as_deref().is_none_or(|part| figure.name.starts_with(part)));
    if figures.is_empty() {
        let what = format!("no figure begins with `{}`", args.name.as_deref().unwrap_or_default());
        return Err(Failure::new(Exit::Failed, what, "nx bench lists them all"));
    }
    show::show(&figures, &rows, output);
    timeline::show(&figures, output);
    if args.record {
        // The stages of a boot are those of the system as it is now.
        if figures.iter().any(|figure| figure.name.starts_with(timeline::PREFIX)) {
            rows.retain(|row| !row.name.starts_with(timeline::PREFIX));
        }
        committed::note(&mut rows, &figures, |figure| exact.contains(&figure.name));
        committed::note_recount(&mut rows, &recount);
        committed::write(house, &rows)?;
        output.step("record", &format!("{} figures, in {}", figures.len(), committed::FILE));
        for file in publish::write(house)? {
            output.step("wrote", file);
        }
    }
    Ok(())
}

/// Draws the committed figures, without measuring any.
fn publish(house: &House, output: Output) -> Outcome {
    let written = publish::write(house)?;
    let what = if written.is_empty() { String::from("as it was") } else { written.join(", ") };
    output.step("plot", &format!("{}: {what}", publish::PLOT));
    output.value(&json!({ "plot": publish::PLOT, "written": written }));
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
