//! Partitions: who may open which, and with how much memory of its own. The block driver is handed the list as its arguments, and a pool
//! for each of them.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::source::{At, Model, ProcessModel};
use super::{Refusals, state};
use crate::MAX_ARGS;
use crate::device::{MAX_POOL_PAGES, MAX_SHARES};

/// The authority that hands partitions out, and its service.
const DRIVER: &str = "block-driver";
const SERVICE: &str = "disk";

/// `SERVICE=PARTITION` for each that may be opened, separated by spaces.
fn list(model: &Model) -> String {
    let each = |process: &ProcessModel| -> Vec<String> {
        process.partitions.iter().map(|name| format!("{}={}", process.id.value, name.value)).collect()
    };
    model.processes.iter().flat_map(each).collect::<Vec<_>>().join(" ")
}

/// The arguments of a process: its own, or for the block driver that list, or for the state authority its rules.
pub(super) fn args(model: &Model, process: &ProcessModel) -> String {
    match process.authority.value.as_str() {
        DRIVER => list(model),
        state::AUTHORITY => state::list(model),
        _ => process.args.value.clone(),
    }
}

fn driver(model: &Model) -> Option<&ProcessModel> {
    model.processes.iter().find(|process| process.authority.value == DRIVER)
}

/// The process's share of the disk: the place of the device, and pages.
pub(super) fn share(model: &Model, process: &ProcessModel) -> Option<(usize, u32)> {
    let disk = driver(model)?.device.as_ref()?;
    let place = model.devices.iter().position(|device| device.name.value == disk.value)?;
    process.disk_pages.as_ref().map(|pages| (place, pages.value))
}

/// Whether its share fits what it opens.
fn check_share(refusals: &mut Refusals, process: &ProcessModel) {
    let name = &process.name.value;
    match &process.disk_pages {
        None if process.partitions.is_empty() => {}
        None => {
            let what = format!("`{name}` may open a partition and has no memory to share with its driver");
            refusals.add(process.place, what, "add `disk_pages`, twice what it uses at a time".to_string());
        }
        Some(pages) if process.partitions.is_empty() => {
            let what = format!("`{name}` has `disk_pages` and may open no partition");
            refusals.add(pages.place, what, "remove them, or add `partitions`".to_string());
        }
        Some(At { value: 1..=MAX_POOL_PAGES, .. }) => {}
        Some(At { value, place }) => {
            let what = format!("disk_pages {value} is out of range");
            refusals.add(*place, what, format!("use 1 to {MAX_POOL_PAGES}"));
        }
    }
}

pub(super) fn check(refusals: &mut Refusals) {
    let model = refusals.model;
    let driver = driver(model);
    if let Some(one) = model.processes.iter().filter(|p| !p.partitions.is_empty()).nth(MAX_SHARES) {
        let what = format!("`{}` is one too many that may open a partition", one.name.value);
        refusals.add(one.place, what, format!("{MAX_SHARES} processes are the most"));
    }
    if let Some(driver) = driver {
        if !driver.args.value.is_empty() {
            let what = format!("`{}` has arguments of its own", driver.name.value);
            refusals.add(driver.args.place, what, "they are made of the `partitions` of others".to_string());
        }
        let length = list(model).len();
        if length > MAX_ARGS {
            let what = format!("the list of partitions has {length} bytes");
            refusals.add(driver.place, what, format!("{MAX_ARGS} is the most; use shorter names"));
        }
    }
    for process in &model.processes {
        check_share(refusals, process);
        for (n, name) in process.partitions.iter().enumerate() {
            if name.value.is_empty() || name.value.contains(|c: char| c.is_whitespace() || c.is_control()) {
                let what = format!("`{}` is no name of a partition", name.value);
                refusals.add(name.place, what, "use one without spaces".to_string());
            }
            if process.partitions.iter().take(n).any(|other| other.value == name.value) {
                let what = format!("`{}` may open `{}` twice", process.name.value, name.value);
                refusals.add(name.place, what, "remove one of the two".to_string());
            }
            if driver.is_none() {
                let what = format!("nobody could open `{}` for `{}`", name.value, process.name.value);
                refusals.add(name.place, what, format!("the authority `{DRIVER}` is not built"));
            }
            if !process.uses.iter().any(|service| service.value == SERVICE) {
                let what =
                    format!("`{}` may open a partition and does not use `{SERVICE}`", process.name.value);
                refusals.add(name.place, what, format!("add `{SERVICE}` to its `uses`"));
            }
        }
    }
}
