//! What is made from the committed figures and stands in the tree beside them: the numbers in pages, and the pictures. They
//! are written by `nx bench --record` and `--plot`, and `nx test style` says when they are not what they should be.

use std::fs;
use std::path::{Path, PathBuf};

use super::chart::{self, Bar, Chart, Group};
use super::committed::{self, Row};
use super::{page, timeline};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;

/// The plot, from the root of the tree.
pub const PLOT: &str = "docs/images/figures.svg";

/// The picture of a boot.
pub const BOOT: &str = "docs/images/boot-time.svg";

/// Pages with numbers in them.
pub const PAGES: [&str; 2] = ["docs/performance.md", "README.md"];

/// Writes what is not as it should be; answers what was written.
pub fn write(house: &House) -> Outcome<Vec<&'static str>> {
    let rows = committed::rows(house)?;
    if rows.is_empty() {
        let what = format!("there is no {}", committed::FILE);
        return Err(Failure::new(Exit::Failed, what, "nx bench --record makes it"));
    }
    let mut written = Vec::new();
    for (name, text) in made(house.root(), &rows).map_err(|why| Failure::new(Exit::Failed, why, ""))? {
        let path: PathBuf = house.root().join(name);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        fs::write(&path, text).map_err(|error| Failure::host(path.display(), &error))?;
        written.push(name);
    }
    Ok(written)
}

/// Every file that is made of the figures, with what must stand in it.
pub fn made(root: &Path, rows: &[Row]) -> Result<Vec<(&'static str, String)>, String> {
    let mut files = vec![(PLOT, plot(rows)), (BOOT, timeline::svg(rows))];
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).map_err(|error| format!("{page}: {error}"))?;
        files.push((page, page::fill(&text, rows).map_err(|why| format!("{page}: {why}"))?));
    }
    Ok(files)
}

/// Ours beside seL4's, each row to the scale of what seL4 needs on one core for the same.
fn plot(rows: &[Row]) -> String {
    let group = |row: &Row| {
        let (anchor, ours) = (row.one_core?, row.value()?);
        let bar = |value: f64, colour| Bar {
            from: 0.0,
            to: value / anchor * 100.0,
            colour,
            text: page::number(value),
        };
        let mut bars = vec![bar(ours, chart::OURS), bar(anchor, chart::OTHER)];
        bars.extend(row.smp.map(|smp| bar(smp, chart::THIRD)));
        Some(Group { label: row.name.clone(), bars, mark: row.most.map(|most| most / anchor * 100.0) })
    };
    chart::svg(&Chart {
        title: "Guest instructions, to the scale of seL4 on one core",
        legend: &[
            (chart::OURS, "Nexus OS, one image for 1 to 8 harts"),
            (chart::OTHER, "seL4, one core"),
            (chart::THIRD, "seL4, SMP"),
            (chart::LIMIT, "ours must"),
        ],
        ticks: &[0.0, 25.0, 50.0, 75.0, 100.0, 125.0, 150.0].map(|tick| (tick, format!("{tick} %"))),
        end: 165.0,
        groups: rows.iter().filter_map(group).collect(),
    })
}
