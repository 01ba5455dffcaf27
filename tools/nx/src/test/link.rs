//! The link, with a real machine at the other end: what terminals are told, several at a time, and what garbage, a cut line and
//! readers that do not read do to it. (The same without a machine: `formats/link`, `services/diagd`, `nx::link::broker`.)

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output as Ended, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nexus_api::diag::{self, MachineRequest};
use nexus_link::{Frame, Kind, Receiver};
use nexus_wire::{NoHandle, Packet};
use serde_json::Value;

use super::machine::session::{Session, expect};
use super::stalled::stalled;
use super::{Bench, Report, damaged};
use crate::build;
use crate::cli::Variant;
use crate::exit::{Exit, Outcome};
use crate::house::House;
use crate::link;
use crate::machine::Machine;
use crate::machine::options::Options;
use crate::machine::watch::Watcher;
use crate::process::{bound, end_group, own_program};

const SUITE: &str = "link";

/// Far too long for anything that is waited for.
pub const FAR_TOO_LONG: Duration = Duration::from_secs(60);
pub const GLANCE: Duration = Duration::from_millis(20);

/// Terminals at once.
const TERMINALS: usize = 6;

/// What is sent to the machine without regard for anything, in bytes.
const NOISE: usize = 100_000;

/// Requests whose answers nobody reads.
const FLOOD: usize = 10_000;

/// How often the console's driver is killed.
const CONSOLE_KILLS: usize = 10;

/// Why a test failed.
pub type Verdict = Result<(), String>;

pub struct Images {
    /// Folder of the image that users get.
    pub production: PathBuf,
    /// That of the one where `nx kill` is allowed.
    pub dev: PathBuf,
    /// The root of the tree.
    pub root: PathBuf,
}

/// A test's name and what it does.
type Test = (&'static str, fn(&Images) -> Verdict);

const TESTS: [Test; 9] = [
    ("answers", answers),
    ("terminals", terminals),
    ("garbage", garbage),
    ("kill", kill),
    ("console", console),
    ("console-stalled", stalled),
    ("values", values),
    ("damaged-value", damaged::in_part),
    ("damaged-store", damaged::as_a_whole),
];

/// Names of the tests.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(TESTS.iter().map(|(name, _)| name.to_string()).collect())
}

/// Runs those that are asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    if !TESTS.iter().any(|(name, _)| bench.wants(SUITE, name)) {
        return Ok(());
    }
    let production = build::build(bench.house, Variant::Production, bench.output)?.folder;
    let dev = build::build(bench.house, Variant::Dev, bench.output)?.folder;
    let images = Images { production, dev, root: bench.house.root().to_path_buf() };
    for (name, test) in TESTS {
        if !bench.wants(SUITE, name) {
            continue;
        }
        let begun = Instant::now();
        let verdict = test(&images);
        if crate::interrupt::seen() {
            return Err(crate::interrupt::failure("nothing was left behind"));
        }
        bench.report(Report {
            suite: SUITE,
            name: name.into(),
            passed: verdict.is_ok(),
            detail: verdict.err().unwrap_or_default(),
            repeat: format!("./nx test {name}"),
            took: Some(begun.elapsed()),
        });
    }
    Ok(())
}

/// A machine that an `nx run` keeps, as other terminals know it.
pub struct System {
    /// What it is called.
    pub name: String,
    /// The root of the tree.
    pub root: PathBuf,
}

impl Images {
    /// A file of the suite's own.
    pub fn file(&self, name: &str) -> Result<PathBuf, String> {
        Ok(tempfile_in(&self.root)?.join(name))
    }
}

impl System {
    fn start(images: &Images, image: &Path) -> Result<(Session, System), String> {
        System::with(images, image, &[])
    }

    /// The same, run with more words.
    pub fn with(images: &Images, image: &Path, more: &[&str]) -> Result<(Session, System), String> {
        let image = image.display().to_string();
        let words = [&["run", "--image", &image, "--headless"], more].concat();
        let mut session = Session::start(&images.root, &words, None)?;
        session.until("nexus-init: ready")?;
        let kept = session.said().split_once("is kept in build/").ok_or("no console is kept")?.1;
        let name = kept.split_once('/').ok_or("its folder is missing")?.0.to_string();
        Ok((session, System { name, root: images.root.clone() }))
    }

    fn nx(&self, words: &[&str]) -> Result<Command, String> {
        let own = own_program();
        let mut command = bound(own);
        command.args(words).args(["--system", &self.name]).current_dir(&self.root).env("NX_ROOT", &self.root);
        command.env("CI", "true").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// What `nx` answers to these words.
    pub fn ask(&self, words: &[&str]) -> Result<Ended, String> {
        self.nx(words)?.output().map_err(|error| error.to_string())
    }

    /// That `nx` does not do what these words say, for this reason.
    pub fn refused(&self, words: &[&str], why: &str) -> Verdict {
        let ended = self.ask(words)?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let is_refused = ended.status.code() == Some(Exit::Failed as i32) && said.contains(why);
        expect(is_refused, || format!("{words:?}: {:?}, {said}", ended.status))
    }

    /// The same as a value.
    pub fn value(&self, words: &[&str]) -> Result<Value, String> {
        let ended = self.ask(&[words, &["--json"]].concat())?;
        let said = || format!("{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
        expect(ended.status.success(), said)?;
        serde_json::from_slice(&ended.stdout).map_err(|error| format!("{words:?}: {error}"))
    }

    fn door(&self) -> Result<UnixStream, String> {
        let door = self.root.join("build").join(&self.name).join(link::DOOR);
        UnixStream::connect(door).map_err(|error| format!("the door: {error}"))
    }

    /// Ends a process and waits until it does its job again.
    pub fn kill(&self, name: &str) -> Verdict {
        let before = self.process(name)?;
        let killed = self.ask(&["kill", name])?;
        // Who answers may be the one that was ended.
        expect(killed.status.success() || name == "diagd", || {
            format!("{name}: {}", String::from_utf8_lossy(&killed.stderr))
        })?;
        let begun = Instant::now();
        loop {
            let now = self.process(name);
            let is_back = |now: &Value| now["state"] == "ready" && now["generation"] != before["generation"];
            if now.as_ref().is_ok_and(is_back) {
                return Ok(());
            }
            expect(begun.elapsed() < FAR_TOO_LONG, || format!("{name} did not come back: {now:?}"))?;
            thread::sleep(GLANCE);
        }
    }

    /// What `nx ps` says of a process.
    fn process(&self, name: &str) -> Result<Value, String> {
        let all = self.value(&["ps"])?;
        let found = all.as_array().into_iter().flatten().find(|process| process["name"] == name);
        found.cloned().ok_or_else(|| format!("there is no {name}"))
    }
}

/// Everything that can be asked is answered; what a production image does not allow is refused, and the log says so.
fn answers(images: &Images) -> Verdict {
    let (_session, system) = System::start(images, &images.production)?;
    let all = system.value(&["ps"])?;
    let all = all.as_array().ok_or("ps is no list")?;
    for name in ["nexus-init", "logd", "rngd", "netstackd", "diagd"] {
        let process = all.iter().find(|process| process["name"] == name);
        let process = process.ok_or_else(|| format!("ps lacks {name}"))?;
        let holds = |field: &str| process[field].as_u64().is_some_and(|count| count > 0);
        expect(process["state"] == "ready" && holds("pages") && holds("handles"), || process.to_string())?;
    }
    let records = system.value(&["log"])?;
    let ready = |record: &&Value| record["purpose"] == "ready" && record["text"] == "diagd";
    expect(records.as_array().is_some_and(|all| all.iter().any(|r| ready(&r))), || records.to_string())?;
    let last = system.value(&["log", "-n", "1"])?;
    expect(last.as_array().is_some_and(|all| all.len() == 1), || last.to_string())?;
    let network = system.value(&["net", "status"])?;
    expect(network["address"] == "10.0.2.15", || network.to_string())?;
    let top = system.value(&["top"])?;
    expect(top["processes"].as_array().is_some_and(|list| list.len() == all.len()), || top.to_string())?;
    let looks = system.ask(&["top", "--count", "2", "--json"])?;
    let looks = String::from_utf8_lossy(&looks.stdout).into_owned();
    let is_look = |line: &str| {
        serde_json::from_str::<Value>(line).is_ok_and(|look| look["processes"].as_array().is_some())
    };
    expect(looks.lines().count() == 2 && looks.lines().all(is_look), || looks.clone())?;
    caps(&system, &images.root)?;
    let before = system.process("rngd")?;
    let refused = system.ask(&["kill", "rngd"])?;
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    expect(refused.status.code() == Some(Exit::Failed as i32), || format!("kill: {:?}", refused.status))?;
    expect(words.contains("this image does not allow that"), || words.clone())?;
    expect(system.process("rngd")?["generation"] == before["generation"], || "rngd was killed".into())?;
    let records = system.value(&["log"])?.to_string();
    expect(records.contains("diagd: killing rngd is refused"), || "the refusal is no audit record".into())
}

/// What processes hold agrees with how many handles each has, and the graph has the edges that the registry makes.
fn caps(system: &System, root: &Path) -> Verdict {
    let held = system.value(&["caps", "rngd"])?;
    let held = held.as_array().ok_or("caps is no list")?;
    let handles = system.process("rngd")?["handles"].as_u64();
    expect(Some(held.len() as u64) == handles, || format!("{} of {handles:?} handles", held.len()))?;
    let with = |kind: &str, who: &str| {
        let fits = |held: &&Value| held["kind"] == kind && held["with"].to_string().contains(who);
        held.iter().any(|held| fits(&held))
    };
    expect(with("channel", "nexus-init") && with("channel", "logd") && with("irq", "nexus-init"), || {
        format!("rngd holds {held:?}")
    })?;
    let file = root.join("build/link-test");
    std::fs::create_dir_all(&file).map_err(|error| error.to_string())?;
    let file = file.join("caps.svg").display().to_string();
    let graph = system.value(&["caps", "graph", &file])?;
    let edges = graph["edges"].as_array().ok_or("no edges")?;
    let joined = |a: &str, b: &str| {
        let ends =
            |edge: &&Value| [[a, b], [b, a]].iter().any(|[a, b]| edge["from"] == *a && edge["to"] == *b);
        edges.iter().any(|edge| edge["kind"] == "channel" && ends(&edge))
    };
    // Declared, and used: netstackd has the card; and what nobody declared is not there.
    expect(joined("netstackd", "virtionetd") && joined("logd", "uartd"), || graph.to_string())?;
    expect(!joined("rngd", "virtioblkd") && !joined("timed", "netstackd"), || graph.to_string())?;
    let drawn = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    expect(drawn.matches("<circle").count() > 8, || drawn)
}

/// Fields of a record, as `nx help json` has them, in alphabetical order.
const RECORD: [&str; 8] = ["generation", "level", "ms", "name", "purpose", "sequence", "service", "text"];

/// Whether a line of `nx log -f --json` is one record and nothing else, with this text in it.
fn record_with(line: &str, text: &str) -> Result<bool, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("`{line}`: {error}"))?;
    let mut fields: Vec<&String> = value.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    fields.sort();
    expect(fields == RECORD, || format!("fields of a record: {fields:?}"))?;
    Ok(value["text"].as_str().is_some_and(|said| said.contains(text)))
}

/// A follower of the log, whose lines are read on a thread of their own.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        end_group(&mut self.0);
    }
}

/// Many terminals at once, while others send garbage, hang up in the middle, read nothing, or follow the log.
fn terminals(images: &Images) -> Verdict {
    let (_session, system) = System::start(images, &images.production)?;
    let mut follower =
        Follower(system.nx(&["log", "-f", "--json"])?.spawn().map_err(|error| error.to_string())?);
    let lines = crate::machine::console::read(follower.0.stdout.take(), None, Instant::now());
    // One that asks without end and reads nothing, until it is let go; one that sends nonsense; one that hangs up.
    let mut deaf = system.door()?;
    deaf.set_write_timeout(Some(GLANCE)).map_err(|error| error.to_string())?;
    let mut wild = system.door()?;
    wild.write_all(&noise(1)).map_err(|error| format!("the wild one: {error}"))?;
    let half = request(1);
    wild.write_all(&half[..half.len() / 2]).map_err(|error| format!("the wild one: {error}"))?;
    let stuck = thread::spawn(move || while deaf.write_all(&request(2)).is_ok() {});
    drop(wild);
    thread::scope(|scope| {
        let ask = || -> Verdict {
            for _ in 0..5 {
                let all = system.value(&["ps"])?;
                expect(all.as_array().is_some_and(|all| all.len() > 8), || all.to_string())?;
                system.value(&["log"])?;
            }
            Ok(())
        };
        let terminals: Vec<_> = (0..TERMINALS).map(|_| scope.spawn(ask)).collect();
        terminals
            .into_iter()
            .try_for_each(|terminal| terminal.join().unwrap_or_else(|_| Err("a terminal panicked".into())))
    })?;
    let _ = stuck.join();
    // A new record reaches the follower, which has seen what was there before.
    expect(!system.ask(&["kill", "timed"])?.status.success(), || "timed was killed".into())?;
    let begun = Instant::now();
    let (mut seen, mut is_new) = (Vec::new(), false);
    while begun.elapsed() < FAR_TOO_LONG {
        match lines.recv_timeout(GLANCE) {
            Ok(line) => {
                is_new |= record_with(&line.text, "killing timed is refused")?;
                seen.push(line.text);
            }
            Err(_) if is_new => {
                let old = seen.first().is_some_and(|first| first.contains("\"sequence\":0"));
                return expect(old, || "the follower did not begin at the beginning".into());
            }
            Err(_) => {}
        }
    }
    Err(format!("the follower never saw the new record:\n{}", seen.join("\n")))
}

fn request(number: u32) -> Vec<u8> {
    let mut buffer = [0; 64];
    let mut packet = Packet::<NoHandle>::new(&mut buffer);
    // It has no fields, and fits.
    let _ = MachineRequest {}.encode(&mut packet);
    let mut out = Vec::new();
    let payload = packet.message().unwrap_or_default();
    let _ = Frame { kind: Kind::Request, terminal: 5, number, payload }.write(&mut out);
    out
}

fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..NOISE).map(|_| next()).collect()
}

/// QEMU's own end of the line, without a broker between: whatever comes over it, the system answers the next whole request.
fn garbage(images: &Images) -> Verdict {
    let folder = tempfile_in(&images.root)?;
    let mut options = Options::new(&images.production, 1);
    let socket = folder.join("raw");
    options.link = Some(socket.clone());
    let mut machine = Machine::start(&options).map_err(|failure| failure.what)?;
    let mut watcher = Watcher::default();
    let ready = watcher.watch(&mut machine, Some(Instant::now() + FAR_TOO_LONG), |line| {
        line.text.ends_with("nexus-init: ready")
    });
    expect(ready == crate::machine::watch::Verdict::Done, || format!("{ready:?}"))?;
    let open = || -> Result<UnixStream, String> {
        let line = UnixStream::connect(&socket).map_err(|error| format!("the line: {error}"))?;
        line.set_read_timeout(Some(GLANCE)).map_err(|error| error.to_string())?;
        line.set_write_timeout(Some(Duration::from_millis(500))).map_err(|error| error.to_string())?;
        Ok(line)
    };
    let mut damaged = 0;
    for round in 0..5u32 {
        let mut line = open()?;
        line.write_all(&noise(round)).map_err(|error| format!("noise: {error}"))?;
        let half = request(1000 + round);
        line.write_all(&half[..half.len() / 2]).map_err(|error| format!("a half: {error}"))?;
        if round % 2 == 0 {
            // Cut in the middle of a frame.
            drop(line);
            line = open()?;
        }
        let now = machine_reply(&mut line, round)?;
        expect(now > damaged, || format!("{now} damaged pieces were counted after {damaged}"))?;
        damaged = now;
        // More requests than their answers have room for, and nobody who reads: what is too much is lost.
        let many: Vec<u8> = (0..FLOOD).flat_map(|_| request(7)).collect();
        let _ = line.write_all(&many);
        drop(line);
        machine_reply(&mut open()?, 50 + round)?;
    }
    Ok(())
}

/// Asks for the machine and waits for the answer with this number; answers how many damaged pieces were counted.
fn machine_reply(line: &mut UnixStream, number: u32) -> Result<u64, String> {
    let (begun, mut receiver, mut bytes) = (Instant::now(), Receiver::default(), [0; 4096]);
    let mut asked = begun - FAR_TOO_LONG;
    while begun.elapsed() < FAR_TOO_LONG {
        // A request that follows a cut may be taken for its rest, once.
        if asked.elapsed() > Duration::from_secs(2) {
            asked = Instant::now();
            line.write_all(&request(number)).map_err(|error| format!("a request: {error}"))?;
        }
        let count = match line.read(&mut bytes) {
            Ok(0) => return Err("the line ended".into()),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) => return Err(format!("the line: {error}")),
        };
        for byte in &bytes[..count] {
            let Some(frame) = receiver.push(*byte) else { continue };
            if frame.kind != Kind::Answer || frame.number != number {
                continue;
            }
            expect(frame.terminal == 5, || "an answer for somebody else".into())?;
            let mut buffer = [0; diag::BUFFER_BYTES];
            let mut packet = Packet::<NoHandle>::new(&mut buffer);
            expect(packet.load(frame.payload), || "an answer that is too long".into())?;
            let (view, mut handles) = packet.into_parts(false);
            let reply = diag::MachineReply::decode(view, &mut handles);
            return Ok(reply.map_err(|_| "a malformed answer")?.damaged);
        }
    }
    Err(String::from("the machine never answered"))
}

fn tempfile_in(root: &Path) -> Result<PathBuf, String> {
    let folder = root.join("build").join("link-test");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// On an image that allows it a process is ended and comes back, the link's own too; a name that is none is told.
fn kill(images: &Images) -> Verdict {
    let (_session, system) = System::start(images, &images.dev)?;
    let unknown = system.ask(&["kill", "tea"])?;
    expect(unknown.status.code() == Some(Exit::Failed as i32), || format!("{:?}", unknown.status))?;
    for name in ["rngd", "netstackd", "diagd", "logd", "uartd"] {
        system.kill(name)?;
    }
    system.value(&["log"]).map(|_| ())
}

/// `/state` from outside: looked at on every image, changed where the registry allows it, and what is refused is refused by `statefsd`.
fn values(images: &Images) -> Verdict {
    let folder = tempfile_in(&images.root)?;
    let file = |name: &str| folder.join(name).display().to_string();
    let (value, long, exported, got) = (file("value"), file("long"), file("exported"), file("got"));
    let bytes: Vec<u8> = (0..50_000u32).map(|at| (at * 7) as u8 ^ (at >> 8) as u8).collect();
    let write =
        |path: &str, bytes: &[u8]| std::fs::write(path, bytes).map_err(|error| format!("{path}: {error}"));
    write(&value, b"short")?;
    write(&long, &bytes)?;
    let refused =
        |system: &System, words: &[&str], why: &str| system.refused(&[&["state"], words].concat(), why);
    {
        let (_session, system) = System::start(images, &images.production)?;
        let (before, denied) = (system.value(&["state", "stat"])?, "this image does not allow that");
        for words in [
            &["put", "app/a", "--from", &value][..],
            &["rm", "app/a"],
            &["reset", "--yes"],
            &["fsck", "--repair"],
            &["get", "keystore/device"],
        ] {
            refused(&system, words, denied)?;
        }
        refused(&system, &["get", "app/a"], "NotFound")?;
        system.value(&["state", "fsck"])?;
        let quota = system.value(&["state", "quota"])?;
        expect(quota.is_array(), || quota.to_string())?;
        let after = system.value(&["state", "stat"])?;
        expect(before["store"] == after["store"] && after["fault"] == "", || after.to_string())?;
        let records = system.value(&["log"])?.to_string();
        expect(records.contains("may not empty the store"), || "the refusal is no audit record".into())?;
    }
    let (_session, system) = System::start(images, &images.dev)?;
    let done = |words: &[&str]| system.value(&[&["state"], words].concat());
    done(&["put", "app/a", "--from", &value])?;
    done(&["put", "/state/app/b/long", "--from", &long])?;
    // The authority that keeps them is ended: what was acknowledged is there, and the link finds the next one.
    system.kill("statefsd")?;
    let listed = done(&["ls", "app"])?;
    let paths: Vec<&str> =
        listed.as_array().into_iter().flatten().filter_map(|one| one["path"].as_str()).collect();
    expect(paths == ["app/a", "app/b/long"], || listed.to_string())?;
    done(&["get", "app/b/long", "--to", &got])?;
    expect(std::fs::read(&got).is_ok_and(|got| got == bytes), || "a long value came back as another".into())?;
    let diagd = system.process("diagd")?["id"].clone();
    let quota = done(&["quota"])?;
    let own = quota.as_array().into_iter().flatten().find(|row| row["owner"] == diagd);
    let own = own.ok_or_else(|| format!("nobody is charged: {quota}"))?;
    expect(own["values"] == 2 && own["charged"] == own["bytes"], || own.to_string())?;
    // Over its quota, by one value that is too long, and a path that is none.
    write(&value, &vec![0; 2_000_000])?;
    refused(&system, &["put", "app/c", "--from", &value], "QuotaExceeded")?;
    refused(&system, &["put", "app/b", "--from", &long], "IsDir")?;
    refused(&system, &["put", "boot/slot", "--from", &long], "this image does not allow that")?;
    let fsck = done(&["fsck", "--repair"])?;
    expect(fsck["damage"] == serde_json::json!([]) && fsck["keys"].as_u64() >= Some(2), || fsck.to_string())?;
    let export = done(&["export", &exported])?;
    expect(export["values"].as_u64() >= Some(2), || export.to_string())?;
    done(&["rm", "app/a"])?;
    refused(&system, &["get", "app/a"], "NotFound")?;
    let before = done(&["stat"])?;
    done(&["reset", "--yes"])?;
    let after = done(&["stat"])?;
    expect(before["store"] != after["store"], || "it is the same store".into())?;
    expect(done(&["ls", "app"])? == serde_json::json!([]), || "it is not empty".into())?;
    // The boot record was exported, and only `updated` may write it.
    let import = done(&["import", &exported])?;
    expect(import["values"].as_u64() >= Some(2) && import["left"] == 1, || import.to_string())?;
    let short = done(&["get", "app/a"])?;
    expect(short["hex"] == "73686f7274", || short.to_string())
}

/// Its driver is killed again and again while others have something to say: the console shows every record of the log, in its order.
fn console(images: &Images) -> Verdict {
    let (mut session, system) = System::start(images, &images.dev)?;
    for _ in 0..CONSOLE_KILLS {
        system.kill("uartd")?;
        system.kill("timed")?;
    }
    let records = system.value(&["log"])?;
    let lines: Vec<String> = records.as_array().into_iter().flatten().map(line).collect();
    // A line may be seen twice; none may be missing.
    let in_order = |text: &str| {
        let mut shown = text.lines();
        lines.iter().all(|line| shown.any(|shown| shown == line))
    };
    session.until_that("every record of the log, in its order", in_order)?;
    expect(lines.len() > 10 * CONSOLE_KILLS, || format!("only {} records", lines.len()))
}

/// A record as the console shows it.
pub fn line(record: &Value) -> String {
    let field = |name: &str| record[name].as_str().unwrap_or_default().to_string();
    let (name, text) = (field("name"), field("text"));
    match (field("purpose").as_str(), field("level").as_str()) {
        ("ready", _) => format!("{text}: ready"),
        ("audit", _) => format!("{name}: audit: {text}"),
        (_, "error") => format!("{name}: error: {text}"),
        (_, "warning") => format!("{name}: warning: {text}"),
        _ => format!("{name}: {text}"),
    }
}
