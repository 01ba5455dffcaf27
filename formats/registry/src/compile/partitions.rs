//! Partitions: who may open which. The block driver is handed the list as its arguments.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::source::{Model, ProcessModel};
use super::{Refusals, state};
use crate::MAX_ARGS;

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

pub(super) fn check(refusals: &mut Refusals) {
    let model = refusals.model;
    let driver = model.processes.iter().find(|process| process.authority.value == DRIVER);
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
