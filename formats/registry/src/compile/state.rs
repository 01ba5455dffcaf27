//! `/state`: who may do what there, and how much each may store. The state authority is handed the rules as its arguments.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use nexus_state::rules::{Access, MAX_SEALS};

use super::Refusals;
use super::source::{At, Model, ProcessModel};
use crate::MAX_ARGS;
use crate::names::TEST_AUTHORITY;

/// The authority over `/state`, and its service.
pub(super) const AUTHORITY: &str = "state";
const SERVICE: &str = "state";

/// Letters of operations.
const OPERATIONS: &str = "rwscm";

/// What belongs to one authority: its first component, whose it is, and what others may be let do there.
const OWNED: [(&str, &str, &str); 2] = [("boot", "updates", "r"), ("keystore", "keys", "")];

/// `SERVICE:PREFIX:OPERATIONS`, `SERVICE#SOFT/HARD` and `SERVICE=PREFIX` for each, separated by spaces; the service stands in the first of its own alone.
pub(super) fn list(model: &Model) -> String {
    let each = |process: &ProcessModel| -> Vec<String> {
        let rules = process.state.iter().map(|rule| format!(":{}", rule.value));
        let quota = process.state_quota.iter().map(|quota| format!("#{}", quota.value));
        let seals = process.seals.iter().map(|prefix| format!("={}", prefix.value));
        let mut all: Vec<_> = rules.chain(quota).chain(seals).collect();
        if let Some(first) = all.first_mut() {
            first.insert_str(0, &process.id.value.to_string());
        }
        all
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

/// Whose the place is that a rule would let another process into.
fn trespasses(rule: &str, authority: &str) -> Option<&'static str> {
    let (prefix, letters) = rule.rsplit_once(':')?;
    let first = prefix.split('/').next()?;
    let (_, owner, others) = OWNED.into_iter().find(|(owned, ..)| *owned == first)?;
    let is_owner = [owner, TEST_AUTHORITY].contains(&authority);
    let is_let = is_owner || letters.chars().all(|letter| others.contains(letter));
    (!is_let).then_some(owner)
}

fn is_quota(text: &str) -> bool {
    let halves = text.split_once('/');
    halves.and_then(|(soft, hard)| Some(soft.parse::<u64>().ok()? <= hard.parse::<u64>().ok()?)) == Some(true)
}

/// Whether these can be sealed, all of them beside each other.
fn are_seals<'a>(prefixes: impl Iterator<Item = &'a At<String>>) -> bool {
    let list: Vec<_> = prefixes.map(|prefix| format!("1={}", prefix.value)).collect();
    !list.iter().any(|item| item.contains(char::is_whitespace)) && Access::read(&list.join(" ")).is_some()
}

/// Sealed prefixes: each is one, and none of them lies in another.
fn seals(refusals: &mut Refusals) {
    let all: Vec<_> = refusals.model.processes.iter().flat_map(|process| &process.seals).collect();
    for (n, prefix) in all.iter().enumerate() {
        if !are_seals([*prefix].into_iter()) {
            let what = format!("`{}` is no prefix of /state that can be sealed", prefix.value);
            let mend =
                "use one of those that snapshots never take back, as in `keystore` (docs/state-errors.md)";
            refusals.add(prefix.place, what, mend.to_string());
        } else if n >= MAX_SEALS {
            let what = format!("`{}` is one sealed prefix too many", prefix.value);
            refusals.add(prefix.place, what, format!("{MAX_SEALS} is the most"));
        } else if let Some(other) = all[..n].iter().find(|other| !are_seals([**other, *prefix].into_iter())) {
            let what =
                format!("`{}` and `{}` are sealed, and one lies in the other", other.value, prefix.value);
            refusals.add(prefix.place, what, "remove one of the two".to_string());
        }
    }
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
    seals(refusals);
    for process in &model.processes {
        for rule in process.state.iter().filter(|rule| !is_rule(&rule.value)) {
            let what = format!("`{}` is no rule of /state", rule.value);
            refusals.add(rule.place, what, "write it PREFIX:OPERATIONS, as in `app/name:rw`".to_string());
        }
        for rule in &process.state {
            if let Some(owner) = trespasses(&rule.value, &process.authority.value) {
                let what = format!("`{}` may not be let do `{}`", process.name.value, rule.value);
                refusals.add(rule.place, what, format!("that belongs to the authority `{owner}` alone"));
            }
        }
        if let Some(quota) = process.state_quota.as_ref().filter(|quota| !is_quota(&quota.value)) {
            let what = format!("`{}` is no quota of /state", quota.value);
            refusals.add(quota.place, what, "write it SOFT/HARD in bytes, as in `4096/8192`".to_string());
        }
        let first = process.state.first().or(process.state_quota.as_ref()).or(process.seals.first());
        let Some(place) = first.map(|text| text.place) else { continue };
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
