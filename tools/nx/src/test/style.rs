//! Style is a test: rules that every source file keeps (`rules.rs`), and the tree as a whole (`tree.rs`), each with the
//! file and line that breaks it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use super::rules::{Findings, RULES};
use super::tree::TREE_RULES;
use super::{Bench, Report};
use crate::exit::{Failure, Outcome};
use crate::house::House;

const SUITE: &str = "style";

/// A file of the tree, read.
pub struct Source {
    /// Its path from the root.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Names of the rules.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    let names = RULES.iter().map(|(name, _)| *name).chain(TREE_RULES.iter().map(|(name, _)| *name));
    Ok(names.map(String::from).collect())
}

/// Checks every rule that is asked for on every file.
pub fn run(bench: &mut Bench) -> Outcome {
    let sources = sources(bench.house)?;
    for (name, rule) in RULES {
        check(bench, name, &sources, |findings| sources.iter().for_each(|source| rule(source, findings)));
    }
    for (name, rule) in TREE_RULES {
        let root = bench.house.root();
        check(bench, name, &sources, |findings| rule(root, &sources, findings));
    }
    Ok(())
}

fn check(bench: &mut Bench, name: &str, sources: &[Source], look: impl FnOnce(&mut Findings)) {
    let begun = Instant::now();
    let mut findings = Vec::new();
    look(&mut findings);
    let passed = findings.is_empty() && !sources.is_empty();
    let detail = if passed { format!("{} files", sources.len()) } else { findings.join("\n") };
    bench.report(Report {
        suite: SUITE,
        name: name.into(),
        passed,
        detail,
        repeat: format!("./nx test {name}"),
        took: Some(begun.elapsed()),
    });
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
                // Only in the root: a folder of sources may be called so.
                if folder != house.root() || !["target", "build", ".git"].contains(&name.as_str()) {
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
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    matches!(extension.as_deref(), Some("rs" | "S" | "md" | "toml" | "idl" | "ld"))
}

impl Source {
    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is a test program of the host.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("tests.rs")
    }

    /// Whether the interface generator wrote it.
    pub fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .any(|line| line.starts_with("//! Generated from "))
    }

    /// Whether it runs on the device.
    pub fn is_device(&self) -> bool {
        let folders =
            ["kernel/core/src/", "kernel/arch/", "lib/", "services/", "drivers/", "abi/src/", "formats/"];
        let host_only = ["/compile/", "build.rs", "write.rs"].iter().any(|part| self.path.contains(part));
        let on_device = folders.iter().any(|folder| self.path.starts_with(folder));
        self.is_rust() && on_device && !self.is_test() && !host_only
    }

    /// Its lines with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Its lines with their numbers, up to its unit tests.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().take_while(|(_, line)| {
            let line = line.trim_start();
            !line.starts_with("#[cfg(test)]") && !line.starts_with("#[cfg(all(test")
        })
    }
}
