//! `nx crash` and `nx log --boot`: what `recordd` kept of processes that faulted and of earlier boots, in the running system or on a disk image.

use nexus_abi::exception;
use nexus_records::{Crash, Entry, Segment, paths};
use nexus_state::rules::Path;
use serde_json::{Value, json};

use crate::cli::{CrashArgs, CrashWhat};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::{Cell, Output, Paint};
use crate::state::place::Place;
use crate::state::{self, hex};
use crate::symbols::{self, Frame, Symbols};

/// Names of `x1` to `x31`.
const REGISTERS: [&str; 31] = [
    "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
    "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];

/// A crash that was kept.
struct Kept {
    boot: u32,
    number: u32,
    /// Nothing: what is kept is no record.
    crash: Option<Crash>,
}

impl Kept {
    fn id(&self) -> String {
        format!("{}-{}", self.boot, self.number)
    }
}

/// Does what `nx crash` says.
pub fn crash(args: &CrashArgs, output: Output) -> Outcome {
    let mut place = state::place(args.disk.as_deref(), args.system.as_deref())?;
    let all = crashes(&mut *place)?;
    match &args.what {
        CrashWhat::List => list(&all, output),
        CrashWhat::Show { id } => show(chosen(&all, id.as_deref())?, output),
    }
}

fn crashes(place: &mut dyn Place) -> Outcome<Vec<Kept>> {
    let mut all = Vec::new();
    for known in place.list(paths::CRASH)? {
        let Some((boot, number)) = paths::read_crash(known.path.as_str()) else { continue };
        let crash = Crash::decode(&place.get(&known.path)?);
        all.push(Kept { boot, number, crash });
    }
    Ok(all)
}

/// The one of this name, or the newest.
fn chosen<'a>(all: &'a [Kept], id: Option<&str>) -> Outcome<&'a Kept> {
    let found = match id {
        Some(id) => all.iter().find(|kept| kept.id() == id),
        None => all.last(),
    };
    found.ok_or_else(|| {
        let what = id.map_or(String::from("no process faulted"), |id| format!("there is no crash `{id}`"));
        Failure::new(Exit::Failed, what, "nx crash list shows those that are kept")
    })
}

fn cause(crash: &Crash) -> String {
    format!("{} ({}), address {:#x}", exception(crash.code), crash.code, crash.address)
}

fn seconds(ticks: u64, hz: u64) -> String {
    let ms = u128::from(ticks) * 1000 / u128::from(hz.max(1));
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn list(all: &[Kept], output: Output) -> Outcome {
    let heads = ["ID", "PROCESS", "SECONDS", "CAUSE"].map(|head| Cell(head.into(), Paint::Dim)).to_vec();
    let row = |kept: &Kept| -> Vec<Cell> {
        let Some(crash) = &kept.crash else {
            return vec![kept.id().into(), "what is kept is no record".into()];
        };
        vec![
            kept.id().into(),
            crash.name.clone().into(),
            seconds(crash.time, crash.hz).into(),
            cause(crash).into(),
        ]
    };
    output.table(&[heads].into_iter().chain(all.iter().map(row)).collect::<Vec<_>>());
    let value = |kept: &Kept| {
        let crash = kept.crash.as_ref();
        json!({
            "id": kept.id(), "boot": kept.boot, "process": crash.map(|crash| &crash.name),
            "code": crash.map(|crash| crash.code), "pc": crash.map(|crash| crash.pc),
            "address": crash.map(|crash| crash.address),
        })
    };
    output.value(&all.iter().map(value).collect::<Vec<Value>>().into());
    Ok(())
}

/// One line for each function that an address lies in.
fn told(address: u64, frames: &[Frame]) -> String {
    let one = |frame: &Frame| {
        let at = frame.place.as_ref().map_or(String::new(), |place| format!(" at {place}"));
        format!("{}{at}", frame.function)
    };
    let all: Vec<String> = frames.iter().map(one).collect();
    format!("{address:#x} {}", all.join(", in "))
}

fn show(kept: &Kept, output: Output) -> Outcome {
    let Some(crash) = &kept.crash else {
        let what = format!("what is kept as crash `{}` is no record", kept.id());
        return Err(Failure::new(Exit::Failed, what, "look at the store: nx state fsck"));
    };
    let folder = symbols::built(&House::find()?, crash.image)?;
    let symbols = folder.as_ref().and_then(|folder| Symbols::of(folder, &crash.program));
    let frames = |address| symbols.as_ref().map_or(Vec::new(), |symbols| symbols.at(address));
    // A return address is that of the instruction behind the call.
    let (at, from) = (frames(crash.pc), frames(crash.registers[0].saturating_sub(1)));
    let mut rows: Vec<(&str, String)> = vec![
        ("process", format!("{} (service {}, generation {})", crash.name, crash.service, crash.generation)),
        ("when", format!("{} s after the start of boot {}", seconds(crash.time, crash.hz), kept.boot)),
        ("cause", cause(crash)),
        ("at", told(crash.pc, &at)),
        ("called from", told(crash.registers[0], &from)),
    ];
    if crash.unix > 0 {
        rows.insert(2, ("clock", format!("{} s since 1970", crash.unix)));
    }
    if symbols.is_none() {
        let program = &crash.program;
        rows.push((
            "symbols",
            format!("none: the image that this `{program}` came from is not under build/ any more"),
        ));
    }
    for (names, values) in REGISTERS.chunks(4).zip(crash.registers.chunks(4)) {
        let all: Vec<String> =
            names.iter().zip(values).map(|(name, value)| format!("{name:>3} {value:016x}")).collect();
        rows.push(("", all.join("  ")));
    }
    output.table(
        &rows
            .iter()
            .map(|(name, value)| vec![Cell((*name).into(), Paint::Dim), value.clone().into()])
            .collect::<Vec<_>>(),
    );
    let value = |frame: &Frame| json!({ "function": frame.function, "place": frame.place });
    let registers: serde_json::Map<String, Value> =
        REGISTERS.iter().zip(crash.registers).map(|(name, value)| (name.to_string(), json!(value))).collect();
    output.value(&json!({
        "id": kept.id(), "boot": kept.boot, "process": crash.name, "service": crash.service,
        "generation": crash.generation, "program": crash.program, "image": hex(&crash.image),
        "ms": (u128::from(crash.time) * 1000 / u128::from(crash.hz.max(1))) as u64, "unix": crash.unix,
        "code": crash.code, "cause": exception(crash.code), "pc": crash.pc, "address": crash.address,
        "at": at.iter().map(value).collect::<Vec<_>>(), "from": from.iter().map(value).collect::<Vec<_>>(),
        "registers": registers,
    }));
    Ok(())
}

/// The log of a boot: 0 is the newest that is kept, -1 the one before it; the number itself where it is above 0. With ticks a second.
pub fn log(disk: Option<&std::path::Path>, system: Option<&str>, boot: i64) -> Outcome<Vec<(Entry, u64)>> {
    let mut place = state::place(disk, system)?;
    let parts: Vec<(u32, Path)> = place
        .list(paths::LOG)?
        .into_iter()
        .filter_map(|known| Some((paths::read_log(known.path.as_str())?.0, known.path)))
        .collect();
    let mut boots: Vec<u32> = parts.iter().map(|(boot, _)| *boot).collect();
    boots.dedup();
    let wanted = wanted(&boots, boot).ok_or_else(|| {
        let known: Vec<String> = boots.iter().map(u32::to_string).collect();
        let what = format!("the log of boot {boot} is not kept");
        Failure::new(
            Exit::Failed,
            what,
            format!("those that are: {}", if known.is_empty() { "none".into() } else { known.join(", ") }),
        )
    })?;
    let mut all = Vec::new();
    for (_, path) in parts.iter().filter(|(boot, _)| *boot == wanted) {
        let segment = Segment::decode(&place.get(path)?).ok_or_else(|| {
            let what = format!("{}: what is kept is no part of a log", path.as_str());
            Failure::new(Exit::Failed, what, "look at the store: nx state fsck")
        })?;
        let hz = segment.hz.max(1);
        all.extend(segment.entries.into_iter().map(|entry| (entry, hz)));
    }
    Ok(all)
}

fn wanted(boots: &[u32], boot: i64) -> Option<u32> {
    if boot > 0 {
        return boots.iter().copied().find(|known| i64::from(*known) == boot);
    }
    let back = usize::try_from(boot.checked_neg()?).ok()?;
    boots.iter().rev().nth(back).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_are_counted_from_the_newest_back_or_named() {
        let boots = [3, 4, 7];
        for (boot, found) in [(0, Some(7)), (-1, Some(4)), (-2, Some(3)), (-3, None), (4, Some(4)), (5, None)]
        {
            assert_eq!(wanted(&boots, boot), found, "{boot}");
        }
        assert_eq!(wanted(&boots, i64::MIN), None);
        assert_eq!(wanted(&[], 0), None);
    }
}
