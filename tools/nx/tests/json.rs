//! The fields of every answer with `--json`, in their order, compared with `src/json.txt`, which `nx help json` shows.
//! `NEXUS_BLESS=1` writes that file anew; a field that was there must neither go nor change its place.

mod support;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use nexus_records::{Crash, Entry, Segment};
use serde_json::Value;
use support::Scratch;

const QEMU: &str = "\
case \"$*\" in
*build/test/*) echo 'TEST a ok'; echo 'TEST b FAILED: why'; echo 'TESTS 1 passed, 1 failed'; exit 1;;
*build/bench/*) echo 'BENCH ipc.x instructions 1 2 3 4'; echo 'BENCH ipc.new instructions 1 2 3 4'; echo 'BENCH-END 2'; exit 0;;
*--version*) echo 'QEMU emulator version 7.2.0';;
*help*) exit 0;;
*hang*) sleep 1000;;
*) echo 'logd: ready'; echo 'samgrd: ready'; exec sleep 1000;;
esac";

/// Each field of a value with its type, in order.
fn fields(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
    let kind = match value {
        Value::Object(map) => {
            for (name, value) in map {
                fields(value, &format!("{path}.{name}"), out);
            }
            return;
        }
        Value::Array(list) if !list.is_empty() => {
            list.iter().for_each(|value| fields(value, &format!("{path}[]"), out));
            return;
        }
        Value::Array(_) => "list",
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    match out.iter_mut().find(|(known, _)| known == path) {
        Some((_, kinds)) if !kinds.split(" or ").any(|known| known == kind) => {
            *kinds += &format!(" or {kind}")
        }
        Some(_) => {}
        None => out.push((path.to_string(), kind.to_string())),
    }
}

fn section(name: &str, bytes: &[u8], out: &mut String) {
    let value: Value = serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{name}: {error}: {}", String::from_utf8_lossy(bytes)));
    let mut found = Vec::new();
    fields(&value, "", &mut found);
    writeln!(out, "{name}").unwrap();
    for (path, kinds) in found {
        writeln!(out, "  {path:<28} {kinds}").unwrap();
    }
}

/// Files with a crash record and a part of a log, as a device writes them.
fn kept(scratch: &Scratch) -> (PathBuf, PathBuf) {
    let crash = Crash {
        time: 10,
        hz: 10,
        unix: 1,
        code: 13,
        pc: 0x1_0000,
        address: 8,
        registers: [0; 31],
        image: [7; 16],
        service: 9,
        generation: 1,
        name: "probe".into(),
        program: "probe".into(),
    };
    let mut part = Segment::new(10);
    part.push(Entry { level: 3, name: "probe".into(), text: "said".into(), ..Entry::default() });
    let paths = (scratch.path("crash"), scratch.path("part"));
    std::fs::write(&paths.0, crash.encode()).unwrap();
    std::fs::write(&paths.1, part.encode()).unwrap();
    paths
}

#[test]
fn every_answer_has_the_fields_that_are_documented() {
    let scratch = Scratch::with_tree(QEMU);
    support::system::system(&scratch, "elsewhere");
    let image = scratch.path("image");
    let image = image.to_str().unwrap();
    let (disk, exported, disk_of) = (scratch.path("disk"), scratch.path("exported"), scratch.path("value"));
    nx::machine::disk::make(&disk, 16 << 20, false).unwrap();
    std::fs::write(&disk_of, "value").unwrap();
    let (crash, part) = kept(&scratch);
    let (crash, part) = (crash.to_str().unwrap(), part.to_str().unwrap());
    let [disk, exported, disk_of] = [&disk, &exported, &disk_of].map(|path| path.to_str().unwrap());
    let mut now = String::new();
    for (name, words, code) in [
        ("nx build", &["build"][..], 0),
        ("nx run, ready", &["run", "--image", image, "--headless", "--until", "ready"], 0),
        (
            "nx run, not ready",
            &["run", "--image", image, "--headless", "--until", "ready", "--timeout", "1", "--disk", "hang"],
            5,
        ),
        ("nx test", &["test", "device"], 1),
        ("nx test --list", &["test", "style", "--list"], 0),
        ("nx prove", &["prove"], 1),
        ("nx bench", &["bench", "ipc"], 0),
        ("nx bench --plot", &["bench", "--plot"], 0),
        ("nx ps", &["ps"], 0),
        ("nx log", &["log"], 0),
        ("nx top", &["top"], 0),
        ("nx caps", &["caps"], 0),
        ("nx caps graph", &["caps", "graph", "caps.svg"], 0),
        ("nx kill", &["kill", "rngd"], 0),
        ("nx net status", &["net", "status"], 0),
        ("nx state reset", &["state", "--disk", disk, "reset", "--yes"], 0),
        ("nx state put", &["state", "--disk", disk, "put", "a/b", "--from", disk_of], 0),
        ("", &["state", "--disk", disk, "put", "crash/00000001-0000", "--from", crash], 0),
        ("", &["state", "--disk", disk, "put", "log/00000001/0000", "--from", part], 0),
        ("nx crash list", &["crash", "--disk", disk, "list"], 0),
        ("nx crash show", &["crash", "--disk", disk, "show"], 0),
        ("nx log --disk", &["log", "--disk", disk], 0),
        ("nx state ls", &["state", "--disk", disk, "ls"], 0),
        ("nx state get", &["state", "--disk", disk, "get", "a/b"], 0),
        ("nx state stat", &["state", "--disk", disk, "stat"], 0),
        ("nx state quota", &["state", "--disk", disk, "quota"], 0),
        ("nx state fsck", &["state", "--disk", disk, "fsck"], 0),
        ("nx state fsck --forget", &["state", "--disk", disk, "fsck", "--forget"], 0),
        ("nx state salvage", &["state", "--disk", disk, "salvage", exported], 0),
        ("nx state export", &["state", "--disk", disk, "export", exported], 0),
        ("nx state import", &["state", "--disk", disk, "import", exported], 0),
        ("nx state rm", &["state", "--disk", disk, "rm", "a/b"], 0),
        ("nx doctor", &["doctor"], 3),
        ("nx completions", &["completions", "bash"], 0),
        ("nx man", &["man"], 0),
        ("nx help", &["help", "topics"], 0),
    ] {
        let output = scratch.nx(&[words, &["--json"]].concat()).output().unwrap();
        assert_eq!(support::exit(&output), code, "{name}: {}", support::words(&output));
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "{name}: one line");
        // What has no name was done for another one's sake.
        if !name.is_empty() {
            section(name, &output.stdout, &mut now);
        }
    }
    let failure = scratch.nx(&["help", "brewing", "--json"]).output().unwrap();
    section("a failure, on standard error", &failure.stderr, &mut now);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/json.txt");
    if std::env::var_os("NEXUS_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let documented = std::fs::read_to_string(&path).unwrap();
    for (number, (then, now)) in documented.lines().zip(now.lines()).enumerate() {
        assert_eq!(then, now, "src/json.txt line {}", number + 1);
    }
    assert_eq!(documented.lines().count(), now.lines().count());
}
