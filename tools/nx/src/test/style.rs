//! Style is a test: rules that every source file keeps, each with the file and line that breaks it. A rule that is
//! not worth failing for does not belong here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nexus_registry::names::ALIASES;

use super::{Bench, Report};
use crate::exit::{Failure, Outcome};
use crate::house::House;

const SUITE: &str = "style";

/// Longest line of source.
const MAX_LINE: usize = 180;

/// Longest source file, in lines; tests may be longer.
const MAX_LINES: usize = 420;

/// The only places where `unsafe` may stand: folders end in `/`.
const UNSAFE: &[&str] = &[
    "kernel/arch/riscv64/src/",
    "kernel/core/src/memory.rs",
    "kernel/core/src/sync.rs",
    "kernel/core/src/platform.rs",
    "lib/sys/src/",
    "lib/rt/src/heap.rs",
    "lib/rt/src/lib.rs",
    "lib/rt/src/memory.rs",
    "tests/",
];

/// Words that say that something is not done, or that name this project's things wrongly.
const UNDONE: &[&str] = &["TODO", "FIXME", "XXX", "HACK", "todo!(", "unimplemented!(", "dbg!("];

/// A file of the tree, read.
struct Source {
    path: String,
    text: String,
}

/// What breaks a rule, as `path:line: what`.
type Findings = Vec<String>;

type Rule = (&'static str, fn(&Source, &mut Findings));

const RULES: [Rule; 7] = [
    ("header", header),
    ("line-length", line_length),
    ("file-length", file_length),
    ("unsafe", unsafe_places),
    ("panics", panics),
    ("undone", undone),
    ("names", names),
];

/// Names of the rules.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(RULES.iter().map(|(name, _)| name.to_string()).collect())
}

/// Checks every rule that is asked for on every file.
pub fn run(bench: &mut Bench) -> Outcome {
    let sources = sources(bench.house)?;
    for (name, rule) in RULES {
        let begun = Instant::now();
        let mut findings = Vec::new();
        sources.iter().for_each(|source| rule(source, &mut findings));
        let passed = findings.is_empty() && !sources.is_empty();
        let detail = if passed { format!("{} files", sources.len()) } else { findings.join("\n") };
        let repeat = format!("nx test {name}");
        bench.report(Report {
            suite: SUITE,
            name: name.into(),
            passed,
            detail,
            repeat,
            took: Some(begun.elapsed()),
        });
    }
    Ok(())
}

/// Every source file of the tree that is ours.
fn sources(house: &House) -> Outcome<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders = vec![house.root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| Failure::host(folder.display(), &e))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !["target", "build", ".git"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if is_source(&path) {
                let text = fs::read_to_string(&path).map_err(|e| Failure::host(path.display(), &e))?;
                found.push(Source { path: house.show(&path), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn is_source(path: &Path) -> bool {
    let extension = PathBuf::from(path).extension().map(|e| e.to_string_lossy().into_owned());
    matches!(extension.as_deref(), Some("rs" | "S" | "md" | "toml" | "idl" | "ld"))
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is a test program of the host.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }

    /// Whether it runs on the device.
    fn is_device(&self) -> bool {
        let folders =
            ["kernel/core/src/", "kernel/arch/", "lib/", "services/", "drivers/", "abi/src/", "formats/"];
        let host_only = self.path.contains("/compile/")
            || self.path.ends_with("build.rs")
            || self.path.ends_with("write.rs");
        self.is_rust()
            && folders.iter().any(|folder| self.path.starts_with(folder))
            && !self.is_test()
            && !host_only
    }

    /// Its lines with numbers, up to its unit tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.take_while(|(_, line)| {
            !line.trim_start().starts_with("#[cfg(test)]") && !line.starts_with("#[cfg(all(test")
        })
    }
}

fn header(source: &Source, findings: &mut Findings) {
    if source.is_rust() && !source.text.starts_with("//!") {
        findings.push(format!("{}:1: begins without `//!` that says why the file exists", source.path));
    }
}

fn line_length(source: &Source, findings: &mut Findings) {
    if source.path.ends_with(".md") {
        return;
    }
    for (number, line) in source.text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let length = line.chars().count();
        if length > MAX_LINE && !line.trim_start().starts_with('"') {
            findings.push(format!("{}:{number}: {length} characters, {MAX_LINE} is the most", source.path));
        }
    }
}

fn file_length(source: &Source, findings: &mut Findings) {
    let lines = source.text.lines().count();
    if source.is_rust() && !source.is_test() && lines > MAX_LINES {
        findings.push(format!("{}: {lines} lines, {MAX_LINES} is the most; split it by noun", source.path));
    }
}

fn unsafe_places(source: &Source, findings: &mut Findings) {
    let allowed = UNSAFE.iter().any(|place| {
        if place.ends_with('/') { source.path.starts_with(place) } else { source.path == *place }
    });
    if !source.is_rust() || allowed {
        return;
    }
    for (number, line) in source.text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        if words(without_text(line).as_str()).any(|word| word == "unsafe") {
            findings.push(format!(
                "{}:{number}: unsafe outside the places listed in tools/nx/src/test/style.rs",
                source.path
            ));
        }
    }
}

fn panics(source: &Source, findings: &mut Findings) {
    if !source.is_device() {
        return;
    }
    for (number, line) in source.code() {
        let code = without_text(line);
        for call in [".unwrap()", ".expect(", "unreachable!(", "panic!("] {
            if code.contains(call) && !line.contains("// PANIC:") {
                findings.push(format!("{}:{number}: `{call}` in device code; answer an error, or say why it cannot happen (`// PANIC:`)", source.path));
            }
        }
    }
}

fn undone(source: &Source, findings: &mut Findings) {
    if source.path == "tools/nx/src/test/style.rs" {
        return;
    }
    for (number, line) in source.text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        for word in UNDONE.iter().filter(|word| line.contains(**word)) {
            findings.push(format!("{}:{number}: `{word}`", source.path));
        }
    }
}

fn names(source: &Source, findings: &mut Findings) {
    // These state the rule.
    if ["formats/registry/", "tools/nx/src/test/style.rs", "docs/"]
        .iter()
        .any(|place| source.path.starts_with(place))
        || source.path.ends_with(".md")
    {
        return;
    }
    let wrong = || ALIASES.iter().map(|(alias, _)| *alias).filter(|alias| alias.ends_with("mgr"));
    for (number, line) in source.text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        for word in words(line).filter(|word| wrong().any(|alias| alias == *word) && *word != "samgr") {
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
    fn each_rule_finds_what_it_is_for_and_nothing_else() {
        assert_eq!(found(header, "lib/x/src/a.rs", "use core;"), 1);
        assert_eq!(found(header, "lib/x/src/a.rs", "//! Why."), 0);
        assert_eq!(found(line_length, "a.rs", &"x".repeat(MAX_LINE + 1)), 1);
        assert_eq!(found(line_length, "a.rs", &"x".repeat(MAX_LINE)), 0);
        assert_eq!(found(file_length, "a.rs", &"x\n".repeat(MAX_LINES + 1)), 1);
        assert_eq!(found(file_length, "a.rs", &"x\n".repeat(MAX_LINES)), 0);
        assert_eq!(found(unsafe_places, "services/x/src/a.rs", "unsafe { x() }"), 1);
        assert_eq!(found(unsafe_places, "lib/sys/src/a.rs", "unsafe { x() }"), 0);
        assert_eq!(
            found(unsafe_places, "services/x/src/a.rs", "// unsafe\n\"unsafe\"\n#![forbid(unsafe_code)]"),
            0
        );
        assert_eq!(found(panics, "services/x/src/a.rs", "a.unwrap();\nb.expect(\"c\");"), 2);
        assert_eq!(found(panics, "services/x/src/a.rs", "#[cfg(test)]\nmod tests { a.unwrap(); }"), 0);
        assert_eq!(found(panics, "tools/nx/src/a.rs", "a.unwrap();"), 0);
        assert_eq!(found(undone, "a.md", "TODO: tea"), 1);
        assert_eq!(found(names, "services/x/src/a.rs", "call(powermgr)"), 1);
        assert_eq!(found(names, "services/x/src/a.rs", "call(powerd)"), 0);
    }
}
