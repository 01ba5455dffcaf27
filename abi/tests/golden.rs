//! The interface as it was released: every number, layout and bound as text, compared with the committed file, and the
//! reference page of the system calls, compared with what the table says. A change of either shows in review.
//!
//! `NEXUS_BLESS=1 cargo test -p nexus-abi` writes both anew; a number that was released must never change its meaning.

use nexus_abi::bounds::*;
use nexus_abi::{
    Delivery, DmaInfo, Error, ExitCause, ExitRecord, HandleInfo, Holding, Holdings, Identity, IrqInfo,
    KernelRecord, KernelRecords, KernelStats, Kind, MmioInfo, NEVER, NOW, PoolInfo, ProcessInfo, QuotaInfo,
    RecordKind, Rights, Signals, StartInfo, Sysno, Tag, Topic, VmoInfo,
};
use std::fmt::Write;
use std::mem::{align_of, offset_of, size_of};
use std::path::Path;

/// Compares with a file of the repository, or writes it when asked to.
fn pinned(path: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("NEXUS_BLESS").is_some() {
        std::fs::write(&path, now).expect("the file can be written");
    }
    let then = std::fs::read_to_string(&path).expect("the file is there");
    for (number, (then, now)) in then.lines().zip(now.lines()).enumerate() {
        assert_eq!(then, now, "{} line {}", path.display(), number + 1);
    }
    assert_eq!(then.lines().count(), now.lines().count(), "{}", path.display());
}

macro_rules! layout {
    ($out:ident, $($name:ident { $($field:ident),+ })+) => {
        $(writeln!($out, "struct {} size {} align {}", stringify!($name), size_of::<$name>(), align_of::<$name>())?;
        $(writeln!($out, "  {} at {}", stringify!($field), offset_of!($name, $field))?;)+)+
    };
}

macro_rules! constants {
    ($out:ident, $($name:ident)+) => { $(writeln!($out, "bound {} {}", stringify!($name), $name)?;)+ };
}

fn interface() -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for call in Sysno::TABLE {
        let errors: Vec<&str> = call.errors.iter().map(|error| error.name()).collect();
        let (arguments, results) = (call.arguments.join(" "), call.results.join(" "));
        writeln!(
            out,
            "call {} {} ({arguments}) -> ({results}) [{}]",
            call.number as u16,
            call.name,
            errors.join(" ")
        )?;
    }
    for error in Error::ALL {
        writeln!(out, "error {} {}", *error as u16, error.name())?;
    }
    for kind in Kind::ALL {
        writeln!(out, "kind {} {} rights {:#x}", *kind as u8, kind.name(), kind.all_rights().bits())?;
    }
    for (name, right) in Rights::all().iter_names() {
        writeln!(out, "right {:#x} {name}", right.bits())?;
    }
    for (name, signal) in Signals::all().iter_names() {
        writeln!(out, "signal {:#x} {name}", signal.bits())?;
    }
    for (number, topic) in (0..).map_while(|n| Topic::from_raw(n).map(|topic| (n, topic))) {
        writeln!(out, "topic {number} {topic:?}")?;
    }
    for (number, cause) in (1..).map_while(|n| ExitCause::from_raw(n).map(|cause| (n, cause))) {
        writeln!(out, "exit cause {number} {cause:?}")?;
    }
    for (number, kind) in (1..).map_while(|n| RecordKind::from_raw(n).map(|kind| (n, kind))) {
        writeln!(out, "record {number} {kind:?}")?;
    }
    for (token, signals) in [(0, 0), (1, 0), (0, 1)] {
        writeln!(out, "token {token} signals {signals}: {:?}", Delivery::of(token, signals))?;
    }
    writeln!(out, "tag sizes {:#x} room {:#x} discard {:#x}", Tag::SIZES, Tag::ROOM, Tag::DISCARD)?;
    let full = Tag::new(MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES);
    writeln!(out, "tag full {:#x}", full.with_room(MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES).0)?;
    let identity = Identity { service: 0x1111, generation: 0x2222 };
    writeln!(out, "identity {:#x}", identity.to_raw())?;
    writeln!(out, "never {NEVER:#x} now {NOW}")?;
    layout! { out,
        Identity { service, generation }
        HandleInfo { kind, rights }
        ProcessInfo { identity, ended, threads, handles, mappings, cpu_ticks }
        ExitRecord { cause, identity, reserved, code, pc, address, registers }
        VmoInfo { size, sealed, mappings, handles, reserved }
        MmioInfo { size, mappings, handles }
        IrqInfo { on, handles }
        PoolInfo { pages, pages_free, vmos, reserved }
        DmaInfo { address, size }
        Holding { object, rights, kind, end }
        Holdings { next, count, holdings }
        KernelRecord { kind, identity, reserved, address, at }
        KernelRecords { total, records }
        QuotaInfo { pages, pages_used, cpu, cpu_used, objects }
        KernelStats { frames_free, frames_total, bytes_copied, slow_transfers, switches, harts }
        StartInfo { timebase_hz, harts, boot_image_bytes, device_tree_bytes, boot_ticks }
    }
    constants! { out,
        PAGE_SIZE MAX_MESSAGE_BYTES MAX_MESSAGE_HANDLES REGISTER_WORDS REGISTER_BYTES MAX_QUEUE_DEPTH MAX_QUEUE_PAGES
        HANDLES_PER_PAGE MAX_HANDLES MAX_MAPPINGS MAX_VMO_BYTES PRIORITIES MAX_PRIORITY BUDGET_PERIOD_MS SLICE_MS
        CPU_PERMILLE_TOTAL FIRST_HANDLES FIRST_CPU_PERMILLE FIRST_PRIORITY USER_START USER_END DEVICE_START MAX_MMIO_BYTES MAX_WINDOWS MAX_IRQ_SOURCES MAX_POOL_BYTES
        KERNEL_RECORDS MAX_HOLDINGS MAX_CONSOLE_WRITE MAX_HARTS
    }
    Ok(out)
}

/// Registers of arguments, for a call of the ordinary convention and for one that carries a message.
fn registers(call: &nexus_abi::SyscallInfo) -> Vec<String> {
    let named = |name: &&str| match *name {
        "tag" => "a1".to_string(),
        "words" => "a2–a7".to_string(),
        "bytes_address" => "t1".to_string(),
        "handles_address" => "t2".to_string(),
        "deadline" => "t3".to_string(),
        "token" => "t4".to_string(),
        _ => "a0".to_string(),
    };
    match call.arguments.contains(&"tag") {
        true => call.arguments.iter().map(named).collect(),
        false => (0..call.arguments.len()).map(|n| format!("a{n}")).collect(),
    }
}

fn reference() -> Result<String, std::fmt::Error> {
    let mut out = String::from(
        "# System calls\n\nMade from the table in `abi/src/syscall.rs`; `abi/tests/golden.rs` compares. The number goes in `t0`. Back in `a0` \
         comes 0 or the\nnumber of an error, in `a1` and `a2` the results; *message* stands for the register plan of `abi/src/tag.rs`. Registers that \
         a C\nfunction keeps survive, and `ra`; all others come back 0 if they carry no result. Every number that is not here answers `BadSyscall`.\n",
    );
    for call in Sysno::TABLE {
        let arguments = call.arguments.iter().zip(registers(call));
        let arguments: Vec<String> = arguments
            .filter(|(name, _)| **name != "unused")
            .map(|(name, r)| format!("`{name}` in {r}"))
            .collect();
        let errors: Vec<String> = call.errors.iter().map(|error| format!("`{}`", error.name())).collect();
        let list = |items: &[String]| if items.is_empty() { "none".to_string() } else { items.join(", ") };
        let results: Vec<String> = call.results.iter().map(|name| format!("*{name}*")).collect();
        writeln!(out, "\n## {} `{}`\n\n{}\n", call.number as u16, call.name, call.doc)?;
        writeln!(out, "- Arguments: {}", list(&arguments))?;
        writeln!(out, "- Results: {}", list(&results))?;
        writeln!(out, "- Errors: {}", list(&errors))?;
    }
    writeln!(out, "\n# Errors\n\n| number | name | meaning |\n|---|---|---|")?;
    for error in Error::ALL {
        writeln!(out, "| {} | `{}` | {} |", *error as u16, error.name(), error.meaning().trim())?;
    }
    Ok(out)
}

#[test]
fn the_interface_is_as_released() -> Result<(), std::fmt::Error> {
    pinned("tests/golden.txt", &interface()?);
    Ok(())
}

#[test]
fn the_reference_page_says_what_the_table_says() -> Result<(), std::fmt::Error> {
    pinned("../docs/system-calls.md", &reference()?);
    Ok(())
}

#[test]
fn a_tag_is_valid_at_its_bounds_and_not_past_them() {
    let full =
        Tag::new(MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES).with_room(MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES);
    assert!(full.is_valid() && full.has_plain_room());
    let discards = Tag(full.0 | Tag::DISCARD);
    assert!(discards.is_valid() && !discards.has_plain_room());
    for past in [
        Tag::new(MAX_MESSAGE_BYTES + 1, 0),
        Tag::new(0, MAX_MESSAGE_HANDLES + 1),
        Tag::new(0, 0).with_room(MAX_MESSAGE_BYTES + 1, 0),
        Tag::new(0, 0).with_room(0, MAX_MESSAGE_HANDLES + 1),
    ] {
        assert!(!past.is_valid(), "{past:?}");
        let room = past.0 << Tag::ROOM_SHIFT;
        assert!(past.0 > Tag::SIZES || !Tag(room).has_plain_room(), "{past:?}");
        assert!(past.0 <= Tag::SIZES || !past.has_plain_room(), "{past:?}");
    }
    let fields = full.0 | Tag::SIZES & 0x0f_1fff | Tag::ROOM | Tag::DISCARD;
    for bit in (0..64).filter(|bit| fields & 1 << bit == 0) {
        assert!(!Tag(1 << bit).is_valid(), "bit {bit}");
        assert!(bit < Tag::ROOM_SHIFT || !Tag(full.0 | 1 << bit).has_plain_room(), "bit {bit}");
        assert!(!Tag(full.0 | 1 << bit).is_valid(), "bit {bit} of a full one");
    }
}
