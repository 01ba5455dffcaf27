//! `/state`: who may do what there, and how much each may store. The state authority is handed the rules as its arguments.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::Refusals;
use super::source::{Model, ProcessModel};
use crate::MAX_ARGS;

/// The authority over `/state`, and its service.
pub(super) const AUTHORITY: &str = "state";
const SERVICE: &str = "state";

/// Letters of operations.
const OPERATIONS: &str = "rws";

/// `SERVICE:PREFIX:OPERATIONS` and `SERVICE#SOFT/HARD` for each, separated by spaces.
pub(super) fn list(model: &Model) -> String {
    let each = |process: &ProcessModel| -> Vec<String> {
        let id = process.id.value;
        let rules = process.state.iter().map(|rule| format!("{id}:{}", rule.value));
        rules.chain(process.state_quota.iter().map(|quota| format!("{id}#{}", quota.value))).collect()
    };
    model.processes.iter().flat_map(each).collect::<Vec<_>>().join(" ")
}

fn is_rule(text: &str) -> bool {
    let Some((prefix, letters)) = text.rsplit_once(':') else { return false };
    let parts = || prefix.split('/');
    let is_path = prefix.is_empty() || !parts().any(|part| part.is_empty() || part == "." || part == "..");
    let has_odd = prefix.contains(|c: char| c.is_whitespace() || c.is_control() || ":#".contains(c));
    is_path && !has_odd && !letters.is_empty() && letters.chars().all(|letter| OPERATIONS.contains(letter))
}

fn is_quota(text: &str) -> bool {
    let halves = text.split_once('/');
    halves.and_then(|(soft, hard)| Some(soft.parse::<u64>().ok()? <= hard.parse::<u64>().ok()?)) == Some(true)
}

pub(super) fn check(refusals: &mut Refusals) {
    let model = refusals.model;
    let authority = model.processes.iter().find(|process| process.authority.value == AUTHORITY);
    if let Some(authority) = authority {
        if !authority.args.value.is_empty() {
            let what = format!("`{}` has arguments of its own", authority.name.value);
            refusals.add(authority.args.place, what, "they are made of the `state` of others".to_string());
        }
        let length = list(model).len();
        if length > MAX_ARGS {
            let what = format!("the rules of /state have {length} bytes");
            refusals.add(authority.place, what, format!("{MAX_ARGS} is the most; use fewer or shorter ones"));
        }
    }
    for process in &model.processes {
        for rule in process.state.iter().filter(|rule| !is_rule(&rule.value)) {
            let what = format!("`{}` is no rule of /state", rule.value);
            refusals.add(rule.place, what, "write it PREFIX:OPERATIONS, as in `app/name:rw`".to_string());
        }
        if let Some(quota) = process.state_quota.as_ref().filter(|quota| !is_quota(&quota.value)) {
            let what = format!("`{}` is no quota of /state", quota.value);
            refusals.add(quota.place, what, "write it SOFT/HARD in bytes, as in `4096/8192`".to_string());
        }
        let Some(place) = process.state.first().or(process.state_quota.as_ref()).map(|text| text.place)
        else {
            continue;
        };
        if authority.is_none() {
            let what = format!("nobody could store anything for `{}`", process.name.value);
            refusals.add(place, what, format!("the authority `{AUTHORITY}` is not built"));
        }
        if !process.uses.iter().any(|service| service.value == SERVICE) {
            let what = format!("`{}` may store something and does not use `{SERVICE}`", process.name.value);
            refusals.add(place, what, format!("add `{SERVICE}` to its `uses`"));
        }
    }
}
