//! `/state` over media that are not as they should be: a write, a flush or a read that fails (QEMU's `blkdebug`), no room, a disk that is shorter than
//! before, can only be read, or has something else on it. Each must be a clear word in the log and the right error to the client; what was
//! acknowledged stays, and a medium that only failed once is used again.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::kills::MODE;
use super::{LIMIT, Run, Told};
use crate::exit::{Failure, Outcome};
use crate::machine::options::Options;
use crate::prove::is_proof;
use crate::state::image::Partition;
use crate::test::{Device, filled, said};

/// Bytes of the disks: so few that checkpoints are many, and of the one that is filled.
const SMALL: u64 = 8 << 20;
const SMALLEST: u64 = 3 << 20;

/// Which write, and which flush, fails: when everybody who starts has done its own, and the client is in the middle of its puts.
const FAILS: usize = 40;

/// Bytes of the value that was there before: it has a page of its own, which is found by them.
const KEPT: usize = 3000;

/// The error numbers of the host that the medium answers.
const EIO: u32 = 5;

/// One of them.
pub struct Medium {
    /// Its name.
    pub name: &'static str,
    bytes: u64,
    /// What is done to the disk or to the machine.
    spoil: fn(&Path, &mut Options) -> Outcome,
    /// What the client must say, in this order; `<n>` stands for a number.
    client: &'static [&'static str],
    /// What must be in the log.
    log: &'static str,
}

/// What the client says when the disk failed in the middle of its puts: one is lost, and the store is there again.
const FAILED_ONCE: [&str; 6] = [
    "MEDIA fault=0",
    "MEDIA kept ok bytes=3000",
    "MEDIA puts acknowledged=399 errors=1 first=Io same=true",
    "MEDIA there=<n>",
    "MEDIA again ok bytes=5",
    "MEDIA end fault=0 mended=<n>",
];

/// All of them.
pub const ALL: [Medium; 8] = [
    Medium {
        name: "medium-write-error",
        bytes: SMALL,
        spoil: |_, options| faults(options, "write_aio"),
        client: &FAILED_ONCE,
        log: "the disk failed; the store is mounted again",
    },
    Medium {
        name: "medium-flush-error",
        bytes: SMALL,
        spoil: |_, options| faults(options, "flush_to_disk"),
        client: &FAILED_ONCE,
        log: "the disk failed; the store is mounted again",
    },
    Medium {
        name: "medium-read-error",
        bytes: SMALL,
        spoil: unreadable,
        client: &[
            "MEDIA fault=0",
            "MEDIA kept Io",
            "MEDIA puts acknowledged=400 errors=0 first=none same=true",
            "MEDIA there=400",
            "MEDIA again ok bytes=5",
            "MEDIA end fault=0 mended=0",
        ],
        log: "pages are free",
    },
    Medium {
        name: "medium-full",
        bytes: SMALLEST,
        spoil: |_, _| Ok(()),
        client: &[
            "MEDIA fault=0",
            "MEDIA kept ok bytes=3000",
            "MEDIA puts acknowledged=<n> errors=3 first=NoSpace same=true",
            "MEDIA there=<n>",
            "MEDIA again ok bytes=5",
            "MEDIA end fault=0 mended=0",
        ],
        log: "pages are free",
    },
    Medium {
        name: "medium-read-only",
        bytes: SMALL,
        spoil: |_, options| {
            options.read_only = true;
            Ok(())
        },
        client: &[
            "MEDIA fault=0",
            "MEDIA kept ok bytes=3000",
            "MEDIA puts acknowledged=0 errors=3 first=ReadOnly same=true",
            "MEDIA there=0",
            "MEDIA again ReadOnly",
            "MEDIA end fault=0 mended=0",
        ],
        log: "the medium can only be read: nothing is stored",
    },
    Medium {
        name: "medium-shorter",
        bytes: SMALL,
        spoil: |disk, _| {
            let shortened =
                File::options().write(true).open(disk).and_then(|file| file.set_len(SMALL * 5 / 8));
            shortened.map_err(|error| Failure::host(disk.display(), &error))
        },
        client: &[
            "MEDIA fault=10",
            "MEDIA kept Io",
            "MEDIA puts acknowledged=0 errors=3 first=Io same=true",
            "MEDIA there=0",
            "MEDIA again Io",
            "MEDIA end fault=10 mended=0",
        ],
        log: "there is no state: Io",
    },
    Medium {
        name: "medium-damaged",
        bytes: SMALL,
        spoil: leaf,
        client: &[
            "MEDIA fault=0",
            "MEDIA kept Integrity",
            "MEDIA puts acknowledged=400 errors=0 first=none same=true",
            "MEDIA there=400",
            "MEDIA again ok bytes=5",
            "MEDIA end fault=0 mended=1",
        ],
        log: "repaired: 3 keys are lost",
    },
    Medium {
        name: "medium-of-another",
        bytes: SMALL,
        spoil: overwritten,
        client: &[
            "MEDIA fault=18",
            "MEDIA kept Integrity",
            "MEDIA puts acknowledged=0 errors=3 first=Integrity same=true",
            "MEDIA there=0",
            "MEDIA again Integrity",
            "MEDIA end fault=18 mended=0",
        ],
        log: "there is no state: Integrity",
    },
];

/// The page that has every key of the first tree, one bit of it: it has the charges too, without which nothing could be served.
fn leaf(disk: &Path, _: &mut Options) -> Outcome {
    filled::spoil_leaf(disk, b"vapp\x01test\x01kept")
}

/// One event of this kind fails, after some that do not.
fn faults(options: &mut Options, event: &str) -> Outcome {
    for state in 1..FAILS {
        let rule = format!("set-state.{}", state - 1);
        let (now, next) = (format!("{rule}.state={state}"), format!("{rule}.new_state={}", state + 1));
        options.faults.extend([format!("{rule}.event={event}"), now, next]);
    }
    options.faults.push(format!("inject-error.0.event={event}"));
    options.faults.push(format!("inject-error.0.state={FAILS}"));
    options.faults.push(format!("inject-error.0.errno={EIO}"));
    options.faults.push(String::from("inject-error.0.once=on"));
    if event.starts_with("flush") {
        options.faults.push(String::from("inject-error.0.iotype=flush"));
    }
    Ok(())
}

/// The page of the value that was there cannot be read, however often.
fn unreadable(disk: &Path, options: &mut Options) -> Outcome {
    let bytes = fs::read(disk).map_err(|error| Failure::host(disk.display(), &error))?;
    let pattern = vec![0x6b; 512];
    let sector = bytes.chunks(512).position(|sector| sector == pattern).unwrap_or(0);
    options.faults.push(String::from("inject-error.0.event=read_aio"));
    options.faults.push(format!("inject-error.0.sector={sector}"));
    options.faults.push(format!("inject-error.0.errno={EIO}"));
    Ok(())
}

/// What somebody else keeps at the beginning of the partition.
fn overwritten(disk: &Path, _: &mut Options) -> Outcome {
    let (first, _) = Partition::open(disk, false)?.place();
    let file = File::options().write(true).open(disk);
    let written = file.and_then(|file| file.write_all_at(&[0xa5; 64 << 10], first));
    written.map_err(|error| Failure::host(disk.display(), &error))
}

/// Boots a machine with one of them.
pub fn run(run: &mut Run<'_>, medium: &Medium) -> Outcome<Told> {
    let disk = run.file(&format!("{}.img", medium.name))?;
    let values = [(MODE, b"media 0".to_vec()), ("app/test/kept", vec![0x6b; KEPT])];
    filled::make(&disk, medium.bytes, values.map(|(path, value)| (path.to_string(), value)).into_iter())?;
    let mut options = run.options(&disk)?;
    (medium.spoil)(&disk, &mut options)?;
    let device = run.boot(&options, medium.name, LIMIT)?;
    Ok(judge(medium, &device))
}

fn judge(medium: &Medium, device: &Device) -> Told {
    if let Some(complaint) = &device.complaint {
        return Err(complaint.clone());
    }
    let words: Vec<&str> =
        device.console.iter().map(|line| said(line)).filter(|line| line.starts_with("MEDIA ")).collect();
    // What fails once may meet somebody else who stores: then the client sees nothing of it, and the log has it all the same.
    let fits = |word: &str, due: &str| {
        let is_other =
            due.contains("errors=1 ") && word == "MEDIA puts acknowledged=400 errors=0 first=none same=true";
        is_proof(word, due) || is_other
    };
    if words.len() != medium.client.len()
        || !words.iter().zip(medium.client).all(|(word, due)| fits(word, due))
    {
        return Err(format!(
            "the client saw:\n{}\ninstead of:\n{}",
            words.join("\n"),
            medium.client.join("\n")
        ));
    }
    // As many as were acknowledged are there.
    let number = |word: &str, name: &str| {
        let value = word.split_whitespace().find_map(|part| part.strip_prefix(name));
        value.map(String::from)
    };
    let (promised, there) = (number(words[2], "acknowledged="), number(words[3], "there="));
    if promised != there {
        return Err(format!("{there:?} of {promised:?} that were acknowledged are there"));
    }
    if !device.console.iter().any(|line| line.contains(medium.log)) {
        return Err(format!("the log does not say: {}", medium.log));
    }
    Ok(format!("{} acknowledged", promised.unwrap_or_default()))
}
