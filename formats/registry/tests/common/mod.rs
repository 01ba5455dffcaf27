//! A small system that every check accepts, to be spoiled in one place.

use nexus_abi::bounds::{FIRST_CPU_PERMILLE, FIRST_HANDLES, FIRST_PRIORITY};
use nexus_registry::compile::{Refusal, Source, compile};
use nexus_registry::names::CANONICAL;

/// One process of the sample.
#[derive(Clone)]
pub struct Row {
    pub name: &'static str,
    pub id: u32,
    pub authority: &'static str,
    pub priority: u32,
    pub cpu: u32,
    pub pages: u32,
    pub handles: u32,
    /// More fields, as lines.
    pub more: &'static str,
}

impl Row {
    pub fn text(&self) -> String {
        let Row { name, id, authority, priority, cpu, pages, handles, more } = self;
        format!(
            "[[process]]\nname = \"{name}\"\nid = {id}\nauthority = \"{authority}\"\npriority = {priority}\n\
             cpu = {cpu}\npages = {pages}\nhandles = {handles}\n{more}\n"
        )
    }
}

pub fn init() -> Row {
    let more = "grants = [\"root\"]\nuses = [\"spawn\"]";
    Row {
        name: "nexus-init",
        id: 1,
        authority: "init",
        priority: FIRST_PRIORITY as u32,
        cpu: FIRST_CPU_PERMILLE as u32,
        pages: 100,
        handles: FIRST_HANDLES as u32,
        more,
    }
}

pub fn execd() -> Row {
    let more = "restart = \"always\"\ncritical = true\nprovides = [\"spawn\"]\nsends = [\"log\"]";
    Row { name: "execd", id: 3, authority: "spawn", priority: 20, cpu: 100, pages: 100, handles: 64, more }
}

pub fn logd() -> Row {
    let more = "provides = [\"log\"]\nuses = [\"spawn\"]\nargs = \"quiet\"";
    Row { name: "logd", id: 2, authority: "log", priority: 20, cpu: 100, pages: 100, handles: 64, more }
}

pub fn probe() -> Row {
    let more = "uses = [\"log\"]\nready = false";
    Row {
        name: "probe",
        id: 0x1_0000,
        authority: "test",
        priority: 5,
        cpu: 100,
        pages: 100,
        handles: 64,
        more,
    }
}

/// `[system]` with every canonical name reserved that is not in `rows`.
pub fn system(memory_pages: u32, rows: &[Row]) -> String {
    let built = |name: &str| rows.iter().any(|row| row.name == name);
    let reserved = CANONICAL.iter().map(|(_, name)| *name).filter(|name| !built(name));
    let reserved: Vec<_> = reserved.map(|name| format!("\"{name}\"")).collect();
    format!("[system]\nmemory_pages = {memory_pages}\nreserved = [{}]\n", reserved.join(", "))
}

pub fn file(rows: &[Row]) -> String {
    let mut text = system(1000, rows);
    text.extend(rows.iter().map(Row::text));
    text
}

pub fn build(base: &str, additions: &[&str]) -> Result<Vec<u8>, Vec<Refusal>> {
    let additions: Vec<_> = additions.iter().map(|text| Source { name: "added.toml", text }).collect();
    compile(Source { name: "system.toml", text: base }, &additions)
}
