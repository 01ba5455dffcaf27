//! One name each, one job each: no two claimants, no alias, nothing reserved, no test program in the
//! production registry and no production name in a test file.

use std::format;
use std::string::{String, ToString};

use super::source::{At, ProcessModel};
use super::{Refusals, TEST_IDS};
use crate::names::{CANONICAL, DRIVER_AUTHORITY, TEST_AUTHORITY, misspelled};
use crate::{Grants, MAX_ARGS, MAX_NAME};

pub(super) fn check(refusals: &mut Refusals) {
    let model = refusals.model;
    reserved(refusals);
    for (index, process) in model.processes.iter().enumerate() {
        let earlier = &model.processes[..index];
        spelling(refusals, process);
        place(refusals, process, index);
        if let Some(first) = earlier.iter().find(|other| other.name.value == process.name.value) {
            let mend = format!("rename one of them; the other is at line {}", first.name.place.line);
            refusals.add(
                process.name.place,
                format!("two processes are named `{}`", process.name.value),
                mend,
            );
        }
        if let Some(first) = earlier.iter().find(|other| other.id.value == process.id.value) {
            let what = format!("service id {} is that of `{}` already", process.id.value, first.name.value);
            refusals.add(process.id.place, what, "give it a number that was never used".to_string());
        }
        let same_job = |other: &&ProcessModel| {
            other.authority.value == process.authority.value
                && ![TEST_AUTHORITY, DRIVER_AUTHORITY].contains(&process.authority.value.as_str())
        };
        if let Some(first) = earlier.iter().find(same_job) {
            let what = format!(
                "`{}` claims the authority `{}` of `{}`",
                process.name.value, process.authority.value, first.name.value
            );
            refusals.add(
                process.authority.place,
                what,
                "a job has one process; remove one claimant".to_string(),
            );
        }
        for service in &process.provides {
            let mut all = earlier.iter().map(|other| (other, &other.provides));
            let claimed = all.find(|(_, provides)| provides.iter().any(|other| other.value == service.value));
            let twice = process.provides.iter().take_while(|other| !std::ptr::eq(*other, service));
            let owner = claimed.map(|(other, _)| other.name.value.as_str()).or_else(|| {
                twice
                    .into_iter()
                    .any(|other| other.value == service.value)
                    .then_some(process.name.value.as_str())
            });
            if let Some(owner) = owner {
                let what = format!("service `{}` is provided by `{owner}` already", service.value);
                refusals.add(
                    service.place,
                    what,
                    "a service has one provider; remove one of the two".to_string(),
                );
            }
        }
    }
}

/// Names have their alphabet and length, are no alias, and belong to the authority they name.
fn spelling(refusals: &mut Refusals, process: &ProcessModel) {
    let names = [&process.name, &process.authority, &process.program];
    for name in names.into_iter().chain(&process.provides) {
        if !is_name(&name.value) {
            let mend = format!("use 1 to {MAX_NAME} of a-z 0-9 - . and begin with a letter");
            refusals.add(name.place, format!("`{}` is not a name", name.value), mend);
        }
    }
    if process.args.value.len() > MAX_ARGS {
        let what = format!("args has {} bytes", process.args.value.len());
        refusals.add(process.args.place, what, format!("{MAX_ARGS} is the most"));
    }
    for name in core::iter::once(&process.name).chain(&process.provides) {
        if let Some(canonical) = misspelled(&name.value) {
            let what = format!("`{}` is no name here", name.value);
            refusals.add(name.place, what, format!("the canonical name is `{canonical}`"));
        }
    }
    if process.is_addition() {
        return;
    }
    let (name, authority) = (&process.name, &process.authority);
    match CANONICAL.iter().find(|(known, _)| *known == authority.value) {
        Some((_, canonical)) if *canonical != name.value => {
            let what = format!(
                "the authority `{}` belongs to `{canonical}`, not to `{}`",
                authority.value, name.value
            );
            refusals.add(
                authority.place,
                what,
                "rename the process, or give it the job that it has".to_string(),
            );
        }
        Some(_) => {}
        None if authority.value == DRIVER_AUTHORITY => driver(refusals, process),
        None => {
            let mend = format!(
                "the authorities are listed in formats/registry/src/names.rs; a driver may have `{DRIVER_AUTHORITY}`"
            );
            refusals.add(authority.place, format!("there is no authority `{}`", authority.value), mend);
        }
    }
}

/// A driver whose job is not listed has a device, and no name of a job that is.
fn driver(refusals: &mut Refusals, process: &ProcessModel) {
    let (name, authority) = (&process.name, &process.authority);
    if let Some((listed, _)) = CANONICAL.iter().find(|(_, canonical)| *canonical == name.value) {
        let what = format!("`{}` has the authority `{listed}`, not `{DRIVER_AUTHORITY}`", name.value);
        refusals.add(authority.place, what, "rename the process, or give it the job that it has".to_string());
    }
    if process.device.is_none() {
        let what = format!("`{}` claims the authority `{DRIVER_AUTHORITY}` and has no device", name.value);
        refusals.add(authority.place, what, "name its `device`".to_string());
    }
}

/// What may stand in which file, and first in it.
fn place(refusals: &mut Refusals, process: &ProcessModel, index: usize) {
    let name = &process.name;
    if process.is_addition() {
        if process.authority.value != TEST_AUTHORITY {
            let what =
                format!("`{}` of a test file claims the authority `{}`", name.value, process.authority.value);
            refusals.add(process.authority.place, what, format!("its authority must be `{TEST_AUTHORITY}`"));
        }
        if process.id.value < TEST_IDS {
            let what = format!("service id {} is in the range of the production image", process.id.value);
            refusals.add(process.id.place, what, format!("test programs have ids from {TEST_IDS} on"));
        }
        if CANONICAL.iter().any(|(_, canonical)| *canonical == name.value) {
            let what = format!("`{}` is a canonical name", name.value);
            refusals.add(name.place, what, "a test program cannot bear it; rename it".to_string());
        }
    } else if process.id.value == 0 || process.id.value >= TEST_IDS {
        let what = format!("service id {} is not in the range of the production image", process.id.value);
        refusals.add(process.id.place, what, format!("use 1 to {}", TEST_IDS - 1));
    }
    for (name, mend) in [
        ("minter", "identities are minted by the first process alone"),
        ("supervise-kill", "on a production image nobody ends what the supervisor started"),
    ] {
        let by_base = |granted: &&At<String>| granted.value == name && granted.place.file == 0;
        if process.grants.iter().any(|granted| by_base(&granted)) {
            let what = format!("only a test file can give the grant `{name}`");
            refusals.add(process.place, what, mend.to_string());
        }
    }
    for grant in &process.grants {
        if !Grants::NAMES.iter().any(|(known, _)| *known == grant.value) {
            let known = Grants::NAMES.iter().map(|(known, _)| *known);
            let mend = format!("there are: {}", known.collect::<std::vec::Vec<_>>().join(", "));
            refusals.add(grant.place, format!("there is no grant `{}`", grant.value), mend);
        }
    }
    let has_root = process.grant_bits().contains(Grants::ROOT);
    if has_root != (index == 0) {
        let what = if has_root {
            "only the first process can have the grant `root`"
        } else {
            "the first process needs the grant `root`"
        };
        let mend = "the kernel gives everything to the first process, and to no other".to_string();
        refusals.add(process.place, String::from(what), mend);
    }
}

/// Every canonical name is either built or reserved, and no other is reserved.
fn reserved(refusals: &mut Refusals) {
    let model = refusals.model;
    for name in &model.reserved {
        if !CANONICAL.iter().any(|(_, canonical)| *canonical == name.value) {
            let mend = "reserve only names of formats/registry/src/names.rs".to_string();
            refusals.add(name.place, format!("`{}` is not a canonical name", name.value), mend);
        }
    }
    for process in &model.processes {
        if model.reserved.iter().any(|name| name.value == process.name.value) {
            let what = format!("`{}` is reserved", process.name.value);
            refusals.add(
                process.name.place,
                what,
                "take it out of `reserved` once it does its job for real".to_string(),
            );
        }
    }
    for (_, canonical) in CANONICAL {
        let is = |name: &At<String>| name.value == *canonical;
        if !model.reserved.iter().any(is) && !model.processes.iter().any(|process| is(&process.name)) {
            let what = format!("`{canonical}` is neither a process nor reserved");
            refusals.add(model.memory_pages.place, what, "add it to `reserved`".to_string());
        }
    }
}

pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
}
