//! The rules of style. A rule that is not worth failing for does not belong here, and each is tested to find what it
//! is for.

use nexus_registry::names::ALIASES;

use super::style::Source;

/// What breaks a rule, as `path:line: what`.
pub type Findings = Vec<String>;

/// A rule: its name, and what looks for breaches in a file.
pub type Rule = (&'static str, fn(&Source, &mut Findings));

/// Every rule.
pub const RULES: [Rule; 8] = [
    ("header", header),
    ("line-length", line_length),
    ("file-length", file_length),
    ("unsafe", unsafe_places),
    ("forbid-unsafe", forbid_unsafe),
    ("panics", panics),
    ("undone", undone),
    ("names", names),
];

/// Longest line of source.
const MAX_LINE: usize = 180;

/// Longest source file, in lines: on the device, and on the host. Tests and generated files may be longer.
const MAX_LINES: usize = 420;
const MAX_HOST_LINES: usize = 650;

/// The only places where `unsafe` may stand: folders end in `/`.
const UNSAFE: &[&str] = &[
    "kernel/arch/riscv64/src/",
    "kernel/core/src/link.rs",
    "kernel/core/src/memory.rs",
    "kernel/core/src/platform.rs",
    "kernel/core/src/sync.rs",
    "lib/rt/src/heap.rs",
    "lib/rt/src/lib.rs",
    "lib/rt/src/memory.rs",
    "lib/rt/src/object.rs",
    "lib/rt/src/process.rs",
    "lib/rt/src/thread.rs",
    "lib/sys/src/",
    "tests/",
    "tools/stretch/src/lib.rs",
];

/// The one unsafe trait that object files of the kernel may implement, each with its reason.
const UNSAFE_TRAIT: (&str, &str) = ("kernel/core/src/", "unsafe impl PageType for ");

/// Words that say that something is not done.
const UNDONE: &[&str] = &["TODO", "FIXME", "XXX", "HACK", "todo!(", "unimplemented!(", "dbg!("];

/// This file names what it forbids.
const SELF: &str = "tools/nx/src/test/rules.rs";

fn header(source: &Source, findings: &mut Findings) {
    if source.is_rust() && !source.text.starts_with("//!") {
        findings.push(format!("{}:1: begins without `//!` that says why the file exists", source.path));
    }
}

fn line_length(source: &Source, findings: &mut Findings) {
    // Prose is not wrapped, the table of system calls has a row a line, and generated tests hold whole messages.
    if source.path.ends_with(".md") || source.path == "abi/src/syscall.rs" || source.is_generated() {
        return;
    }
    for (number, line) in source.lines() {
        let length = line.chars().count();
        if length > MAX_LINE {
            findings.push(format!("{}:{number}: {length} characters, {MAX_LINE} is the most", source.path));
        }
    }
}

fn file_length(source: &Source, findings: &mut Findings) {
    let lines = source.text.lines().count();
    let most = if source.is_device() { MAX_LINES } else { MAX_HOST_LINES };
    if source.is_rust() && !source.is_test() && !source.is_generated() && lines > most {
        findings.push(format!("{}: {lines} lines, {most} is the most; split it by noun", source.path));
    }
}

fn may_be_unsafe(path: &str) -> bool {
    UNSAFE.iter().any(|place| if place.ends_with('/') { path.starts_with(place) } else { path == *place })
}

fn unsafe_places(source: &Source, findings: &mut Findings) {
    if !source.is_rust() || may_be_unsafe(&source.path) {
        return;
    }
    for (number, line) in source.lines() {
        let is_object = source.path.starts_with(UNSAFE_TRAIT.0) && line.starts_with(UNSAFE_TRAIT.1);
        if !is_object && words(&without_text(line)).any(|word| word == "unsafe") {
            let path = &source.path;
            findings.push(format!("{path}:{number}: unsafe outside the places listed in {SELF}"));
        }
    }
}

/// A crate none of whose files may be unsafe says so to the compiler.
fn forbid_unsafe(source: &Source, findings: &mut Findings) {
    let Some(folder) = ["lib.rs", "main.rs"].iter().find_map(|root| source.path.strip_suffix(root)) else {
        return;
    };
    let is_root = folder.ends_with("src/");
    let has_unsafe = UNSAFE.iter().any(|place| place.starts_with(folder) || folder.starts_with(place));
    if is_root && !has_unsafe && folder != UNSAFE_TRAIT.0 && !source.text.contains("#![forbid(unsafe_code)]")
    {
        findings.push(format!("{}:1: lacks #![forbid(unsafe_code)]", source.path));
    }
}

fn panics(source: &Source, findings: &mut Findings) {
    if !source.is_device() {
        return;
    }
    // The machine layer of the kernel can only end the machine; that is what its panics are.
    let may_panic = source.path.starts_with("kernel/arch/");
    for (number, line) in source.code() {
        let code = without_text(line);
        for call in [".unwrap()", ".expect(", "unreachable!(", "panic!("] {
            if code.contains(call) && !line.contains("// PANIC:") && !(may_panic && call == "panic!(") {
                let what = "answer an error, or say why it cannot happen (`// PANIC:`)";
                findings.push(format!("{}:{number}: `{call}` in device code; {what}", source.path));
            }
        }
    }
}

fn undone(source: &Source, findings: &mut Findings) {
    if source.path == SELF {
        return;
    }
    for (number, line) in source.lines() {
        for word in UNDONE.iter().filter(|word| line.contains(**word)) {
            findings.push(format!("{}:{number}: `{word}`", source.path));
        }
    }
}

fn names(source: &Source, findings: &mut Findings) {
    // The registry's crate states the rule, and prose may explain it.
    if source.path == SELF || source.path.starts_with("formats/registry/") || source.path.ends_with(".md") {
        return;
    }
    let wrong = |word: &str| ALIASES.iter().any(|(alias, _)| alias.ends_with("mgr") && *alias == word);
    for (number, line) in source.lines() {
        // The short name of samgrd's client module is not a claim to be the process.
        for word in words(line).filter(|word| wrong(word) && *word != "samgr") {
            findings.push(format!("{}:{number}: `{word}` is no name here", source.path));
        }
    }
}

/// The line without its comment and without what stands in string literals.
fn without_text(line: &str) -> String {
    let mut code = String::new();
    let mut in_text = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if in_text => {
                characters.next();
            }
            '"' => in_text = !in_text,
            '/' if !in_text && characters.peek() == Some(&'/') => break,
            _ if !in_text => code.push(character),
            _ => {}
        }
    }
    code
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: fn(&Source, &mut Findings), path: &str, text: &str) -> usize {
        let mut findings = Vec::new();
        rule(&Source { path: path.into(), text: text.into() }, &mut findings);
        findings.len()
    }

    #[test]
    fn shape() {
        assert_eq!(found(header, "lib/x/src/a.rs", "use core;"), 1);
        assert_eq!(found(header, "lib/x/src/a.rs", "//! Why."), 0);
        assert_eq!(found(line_length, "a.rs", &"x".repeat(MAX_LINE + 1)), 1);
        assert_eq!(found(line_length, "a.rs", &"x".repeat(MAX_LINE)), 0);
        assert_eq!(found(line_length, "a.rs", &format!("//! Generated from x\n{}", "x".repeat(999))), 0);
        assert_eq!(found(file_length, "lib/x/src/a.rs", &"x\n".repeat(MAX_LINES + 1)), 1);
        assert_eq!(found(file_length, "lib/x/src/a.rs", &"x\n".repeat(MAX_LINES)), 0);
        assert_eq!(found(file_length, "tools/x/src/a.rs", &"x\n".repeat(MAX_HOST_LINES + 1)), 1);
        assert_eq!(found(file_length, "a.rs", &format!("//! Generated from x\n{}", "x\n".repeat(999))), 0);
    }

    #[test]
    fn unsafe_code() {
        assert_eq!(found(unsafe_places, "services/x/src/a.rs", "unsafe { x() }"), 1);
        assert_eq!(found(unsafe_places, "lib/sys/src/a.rs", "unsafe { x() }"), 0);
        assert_eq!(
            found(unsafe_places, "services/x/src/a.rs", "// unsafe\n\"unsafe\"\n#![forbid(unsafe_code)]"),
            0
        );
        assert_eq!(found(unsafe_places, "kernel/core/src/a.rs", "unsafe impl PageType for A {}"), 0);
        assert_eq!(found(unsafe_places, "kernel/core/src/a.rs", "unsafe impl Sync for A {}"), 1);
        assert_eq!(found(forbid_unsafe, "services/x/src/main.rs", "//! X"), 1);
        assert_eq!(found(forbid_unsafe, "services/x/src/main.rs", "//! X\n#![forbid(unsafe_code)]"), 0);
        assert_eq!(found(forbid_unsafe, "lib/rt/src/lib.rs", "//! X"), 0);
        assert_eq!(found(forbid_unsafe, "services/x/src/other.rs", "//! X"), 0);
    }

    #[test]
    fn words_and_calls() {
        assert_eq!(found(panics, "services/x/src/a.rs", "a.unwrap();\nb.expect(\"c\");"), 2);
        assert_eq!(found(panics, "services/x/src/a.rs", "#[cfg(test)]\nmod tests { a.unwrap(); }"), 0);
        assert_eq!(found(panics, "kernel/arch/riscv64/src/a.rs", "panic!(\"b\");\na.unwrap();"), 1);
        assert_eq!(found(panics, "tools/nx/src/a.rs", "a.unwrap();"), 0);
        assert_eq!(found(undone, "a.md", "TODO: tea"), 1);
        assert_eq!(found(names, "services/x/src/a.rs", "call(powermgr)"), 1);
        assert_eq!(found(names, "services/x/src/a.rs", "call(powerd)"), 0);
    }
}
