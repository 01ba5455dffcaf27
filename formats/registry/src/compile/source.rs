//! The source as it is written, each value with the line it stands on.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use super::Refusal;
use crate::process::{Grants, Restart, Start};

/// A file of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// Where something stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub file: usize,
    pub line: usize,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub value: T,
    pub place: Place,
}

/// All files as one.
pub(super) struct Model {
    pub files: Vec<String>,
    pub memory_pages: At<u32>,
    pub reserved: Vec<At<String>>,
    pub processes: Vec<ProcessModel>,
    pub devices: Vec<DeviceModel>,
}

pub(super) struct DeviceModel {
    pub place: Place,
    pub name: At<String>,
    pub virtio: Option<At<u16>>,
    pub compatible: Option<At<String>>,
    pub index: u16,
    pub pool_pages: At<u32>,
    pub pool_vmos: At<u16>,
    pub window_pages: At<u32>,
}

pub(super) struct ProcessModel {
    pub place: Place,
    pub name: At<String>,
    pub id: At<u32>,
    pub authority: At<String>,
    pub program: At<String>,
    pub args: At<String>,
    pub priority: At<u8>,
    pub cpu: At<u16>,
    pub pages: At<u32>,
    pub handles: At<u16>,
    pub start: At<Start>,
    pub ready: bool,
    pub restart: At<Restart>,
    pub backoff_ms: u32,
    pub max_restarts: u16,
    pub critical: bool,
    pub grants: Vec<At<String>>,
    pub provides: Vec<At<String>>,
    pub uses: Vec<At<String>>,
    pub sends: Vec<At<String>>,
    pub device: Option<At<String>>,
    pub may_request: Vec<At<String>>,
    pub partitions: Vec<At<String>>,
    pub disk_pages: Option<At<u32>>,
    pub state: Vec<At<String>>,
    pub state_quota: Option<At<String>>,
    pub seals: Vec<At<String>>,
}

impl ProcessModel {
    /// Whether a test file added it.
    pub fn is_addition(&self) -> bool {
        self.place.file > 0
    }

    /// Its grants as far as their names are known.
    pub fn grant_bits(&self) -> Grants {
        let named = |name: &At<String>| Grants::NAMES.iter().find(|(known, _)| *known == name.value);
        self.grants.iter().filter_map(named).fold(Grants::empty(), |all, (_, grant)| all | *grant)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    system: Option<Spanned<SystemToml>>,
    #[serde(default)]
    process: Vec<Spanned<ProcessToml>>,
    #[serde(default)]
    device: Vec<Spanned<DeviceToml>>,
    #[serde(default)]
    allow: Vec<Spanned<AllowToml>>,
}

/// More for a process of the base.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowToml {
    name: Spanned<String>,
    #[serde(default)]
    grants: Vec<Spanned<String>>,
    #[serde(default)]
    state: Vec<Spanned<String>>,
    state_quota: Option<Spanned<String>>,
    start: Option<Spanned<StartToml>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceToml {
    name: Spanned<String>,
    virtio: Option<Spanned<u16>>,
    compatible: Option<Spanned<String>>,
    #[serde(default)]
    index: u16,
    pool_pages: Option<Spanned<u32>>,
    pool_vmos: Option<Spanned<u16>>,
    window_pages: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemToml {
    memory_pages: Spanned<u32>,
    #[serde(default)]
    reserved: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessToml {
    name: Spanned<String>,
    id: Spanned<u32>,
    authority: Spanned<String>,
    program: Option<Spanned<String>>,
    args: Option<Spanned<String>>,
    priority: Spanned<u8>,
    cpu: Spanned<u16>,
    pages: Spanned<u32>,
    handles: Spanned<u16>,
    start: Option<Spanned<StartToml>>,
    #[serde(default = "yes")]
    ready: bool,
    restart: Option<Spanned<RestartToml>>,
    #[serde(default = "default_backoff")]
    backoff_ms: u32,
    #[serde(default = "default_restarts")]
    max_restarts: u16,
    #[serde(default)]
    critical: bool,
    #[serde(default)]
    grants: Vec<Spanned<String>>,
    #[serde(default)]
    provides: Vec<Spanned<String>>,
    #[serde(default)]
    uses: Vec<Spanned<String>>,
    #[serde(default)]
    sends: Vec<Spanned<String>>,
    device: Option<Spanned<String>>,
    #[serde(default)]
    may_request: Vec<Spanned<String>>,
    #[serde(default)]
    partitions: Vec<Spanned<String>>,
    disk_pages: Option<Spanned<u32>>,
    #[serde(default)]
    state: Vec<Spanned<String>>,
    state_quota: Option<Spanned<String>>,
    #[serde(default)]
    seals: Vec<Spanned<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StartToml {
    Boot,
    Demand,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RestartToml {
    Never,
    OnFailure,
    Always,
}

fn yes() -> bool {
    true
}

fn default_backoff() -> u32 {
    100
}

fn default_restarts() -> u16 {
    5
}

fn start_of(raw: At<StartToml>) -> At<Start> {
    let value = match raw.value {
        StartToml::Boot => Start::Boot,
        StartToml::Demand => Start::Demand,
    };
    At { value, place: raw.place }
}

/// Finds the line of a byte.
#[derive(Clone, Copy)]
struct Lines<'a> {
    file: usize,
    text: &'a str,
}

impl Lines<'_> {
    fn place(&self, byte: usize) -> Place {
        let before = self.text.as_bytes().iter().take(byte);
        Place { file: self.file, line: 1 + before.filter(|b| **b == b'\n').count() }
    }

    fn at<T>(&self, spanned: Spanned<T>) -> At<T> {
        let place = self.place(spanned.span().start);
        At { value: spanned.into_inner(), place }
    }

    fn list(&self, spanned: Vec<Spanned<String>>) -> Vec<At<String>> {
        spanned.into_iter().map(|item| self.at(item)).collect()
    }

    fn process(&self, spanned: Spanned<ProcessToml>) -> ProcessModel {
        let place = self.place(spanned.span().start);
        let raw = spanned.into_inner();
        let name = self.at(raw.name);
        let start = raw.start.map(|start| self.at(start));
        let restart = raw.restart.map(|restart| self.at(restart));
        ProcessModel {
            place,
            id: self.at(raw.id),
            authority: self.at(raw.authority),
            program: raw.program.map_or_else(|| name.clone(), |program| self.at(program)),
            args: raw.args.map_or(At { value: String::new(), place }, |args| self.at(args)),
            name,
            priority: self.at(raw.priority),
            cpu: self.at(raw.cpu),
            pages: self.at(raw.pages),
            handles: self.at(raw.handles),
            start: start.map_or(At { value: Start::Boot, place }, start_of),
            ready: raw.ready,
            restart: match restart {
                Some(At { value: RestartToml::OnFailure, place }) => At { value: Restart::OnFailure, place },
                Some(At { value: RestartToml::Always, place }) => At { value: Restart::Always, place },
                Some(At { value: RestartToml::Never, place }) => At { value: Restart::Never, place },
                None => At { value: Restart::Never, place },
            },
            backoff_ms: raw.backoff_ms,
            max_restarts: raw.max_restarts,
            critical: raw.critical,
            grants: self.list(raw.grants),
            provides: self.list(raw.provides),
            uses: self.list(raw.uses),
            sends: self.list(raw.sends),
            device: raw.device.map(|device| self.at(device)),
            may_request: self.list(raw.may_request),
            partitions: self.list(raw.partitions),
            disk_pages: raw.disk_pages.map(|pages| self.at(pages)),
            state: self.list(raw.state),
            state_quota: raw.state_quota.map(|quota| self.at(quota)),
            seals: self.list(raw.seals),
        }
    }

    fn device(&self, spanned: Spanned<DeviceToml>) -> DeviceModel {
        let place = self.place(spanned.span().start);
        let raw = spanned.into_inner();
        DeviceModel {
            place,
            name: self.at(raw.name),
            virtio: raw.virtio.map(|virtio| self.at(virtio)),
            compatible: raw.compatible.map(|compatible| self.at(compatible)),
            index: raw.index,
            pool_pages: raw.pool_pages.map_or(At { value: 0, place }, |pages| self.at(pages)),
            pool_vmos: raw.pool_vmos.map_or(At { value: 0, place }, |vmos| self.at(vmos)),
            window_pages: raw.window_pages.map_or(At { value: 0, place }, |pages| self.at(pages)),
        }
    }
}

fn parse(source: Source<'_>, lines: Lines<'_>) -> Result<FileToml, Refusal> {
    toml::from_str(source.text).map_err(|error| Refusal {
        file: source.name.to_string(),
        line: lines.place(error.span().map_or(0, |span| span.start)).line,
        what: error.message().trim().replace('\n', " "),
        mend: String::from("the fields are listed in formats/registry/src/lib.rs"),
    })
}

/// Reads all files into one model.
pub(super) fn read(base: Source<'_>, additions: &[Source<'_>]) -> Result<Model, Refusal> {
    let refusal = |source: Source<'_>, line, what: &str, mend: &str| Refusal {
        file: source.name.to_string(),
        line,
        what: what.to_string(),
        mend: mend.to_string(),
    };
    let lines = Lines { file: 0, text: base.text };
    let file = parse(base, lines)?;
    let Some(system) = file.system else {
        return Err(refusal(
            base,
            1,
            "there is no [system] table",
            "begin the file with [system] and its memory_pages",
        ));
    };
    if let Some(allowed) = file.allow.first() {
        let line = lines.place(allowed.span().start).line;
        return Err(refusal(
            base,
            line,
            "[[allow]] belongs to a test file",
            "write it in the process's `grants`",
        ));
    }
    if file.process.is_empty() {
        return Err(refusal(
            base,
            1,
            "there is no [[process]]",
            "the first one is the program that the kernel starts",
        ));
    }
    let system = system.into_inner();
    let mut model = Model {
        files: Vec::from([base.name.to_string()]),
        memory_pages: lines.at(system.memory_pages),
        reserved: lines.list(system.reserved),
        processes: file.process.into_iter().map(|process| lines.process(process)).collect(),
        devices: file.device.into_iter().map(|device| lines.device(device)).collect(),
    };
    for (index, addition) in additions.iter().enumerate() {
        let lines = Lines { file: index + 1, text: addition.text };
        let file = parse(*addition, lines)?;
        if let Some(system) = file.system {
            let line = lines.place(system.span().start).line;
            let what = format!("[system] belongs to {} alone", base.name);
            return Err(refusal(
                *addition,
                line,
                &what,
                "a test file can only add [[process]] and [[device]] entries, and [[allow]]",
            ));
        }
        model.files.push(addition.name.to_string());
        for allowed in file.allow {
            let place = lines.place(allowed.span().start);
            let AllowToml { name, grants, state, state_quota, start } = allowed.into_inner();
            let process = model.processes.iter_mut().find(|process| process.name.value == *name.get_ref());
            let Some(process) = process else {
                let what = format!("there is no process `{}`", name.get_ref());
                return Err(refusal(*addition, place.line, &what, "name one that an earlier file has"));
            };
            process.grants.extend(lines.list(grants));
            process.state.extend(lines.list(state));
            process.state_quota = state_quota.map(|quota| lines.at(quota)).or(process.state_quota.take());
            if let Some(start) = start {
                process.start = start_of(lines.at(start));
            }
        }
        model.processes.extend(file.process.into_iter().map(|process| lines.process(process)));
        model.devices.extend(file.device.into_iter().map(|device| lines.device(device)));
    }
    Ok(model)
}
