//! Guides of `docs/`, followed to the letter: in a copy of the tree each file that a page shows is written, each entry appended, each command
//! run, in the order of the page. So a newcomer who does the same gets through.
//!
//! It takes minutes, and is no part of the quick lane. Nothing that a page does not say may be done here to help it along.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::guide::{Step, steps};
use super::{Bench, Report};
use crate::exit::{Failure, Outcome};
use crate::house::House;
use crate::process::ask;

const SUITE: &str = "guides";

/// The pages, each the name of its test.
const PAGES: [&str; 2] = ["how-to-add-a-service", "how-to-add-a-driver"];

/// How long one command of a page may take. The first one builds everything.
const LIMIT: Duration = Duration::from_secs(1200);

/// What lies in the root of the tree and is no source.
const MADE: [&str; 3] = ["target", "build", ".git"];

/// How much of what a failed command said is shown, in lines.
const SHOWN: usize = 30;

/// The pages' names.
pub fn list(_house: &House, _full: bool) -> Outcome<Vec<String>> {
    Ok(PAGES.map(String::from).to_vec())
}

/// Follows each page that is asked for.
pub fn run(bench: &mut Bench) -> Outcome {
    if !bench.full && bench.filter.is_none() {
        return Ok(());
    }
    for page in PAGES.into_iter().filter(|page| bench.wants(SUITE, page)).collect::<Vec<_>>() {
        let begun = Instant::now();
        let followed = follow(bench, page);
        bench.report(Report {
            suite: SUITE,
            name: page.into(),
            passed: followed.is_ok(),
            detail: followed.unwrap_or_else(|why| why),
            repeat: format!("./nx test {page}"),
            took: Some(begun.elapsed()),
        });
    }
    Ok(())
}

/// Follows a page in a fresh copy of the tree. Answers how many steps it has.
fn follow(bench: &Bench, page: &str) -> Result<String, String> {
    let told = |failure: Failure| failure.to_string();
    let name = format!("docs/{page}.md");
    let text = read(&bench.house.root().join(&name))?;
    let steps = steps(&text).map_err(|why| format!("{name}: {why}"))?;
    let copy = bench.house.folder("guides").map_err(told)?.join(page);
    let _ = fs::remove_dir_all(&copy);
    copy_tree(bench.house.root(), &copy, &MADE)?;
    let mut console = String::new();
    for step in &steps {
        match step {
            Step::File { path, text } => {
                let path = inside(&copy, path)?;
                if path.exists() {
                    return Err(format!("{name}: {} is there already", path.display()));
                }
                write(&path, text)?;
            }
            Step::Append { path, text } => {
                let path = inside(&copy, path)?;
                write(&path, &format!("{}\n{text}", read(&path)?))?;
            }
            Step::Run { command } => {
                bench.output.step("runs", command);
                execute(bench.house, &copy, command)?;
                console = read(&copy.join("build/device/console.log")).unwrap_or_default();
            }
            Step::Said { text } if console.lines().any(|line| line.contains(text)) => {}
            Step::Said { text } => return Err(format!("{name}: no machine said `{text}`")),
        }
    }
    Ok(format!("{} steps", steps.len()))
}

/// Runs a command as somebody in the copy would. What it builds is kept beside what the house builds.
fn execute(house: &House, copy: &Path, command: &str) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(copy);
    shell.env("CARGO_TARGET_DIR", house.root().join("target").join(SUITE)).env("CI", "true");
    ["NX_ROOT", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].iter().for_each(|name| {
        shell.env_remove(name);
    });
    let said = ask(shell, LIMIT)?;
    if said.good {
        return Ok(());
    }
    let all = [said.out, said.err].concat();
    let all = String::from_utf8_lossy(&all);
    let lines: Vec<&str> = all.lines().collect();
    let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
    Err(format!("`{command}` failed:\n{last}"))
}

/// A path of a page, in the copy and nowhere else.
fn inside(copy: &Path, path: &str) -> Result<PathBuf, String> {
    let path = Path::new(path);
    match path.components().all(|part| matches!(part, Component::Normal(_))) {
        true => Ok(copy.join(path)),
        false => Err(format!("{} leads out of the tree", path.display())),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// Copies every file, with the time of its last change: what cargo built of the last copy is good for this one.
fn copy_tree(from: &Path, to: &Path, without: &[&str]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).map_err(failed)?;
        if without.iter().any(|made| name == *made) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            copy_tree(&path, &to.join(name), &[])?;
            continue;
        }
        let copy = to.join(name);
        let same_time = || {
            fs::copy(&path, &copy)?;
            fs::File::open(&copy)?.set_modified(fs::metadata(&path)?.modified()?)
        };
        same_time().map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_that_is_followed_has_steps_that_end_with_something_seen() {
        for page in PAGES {
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page).with_extension("md");
            let steps = steps(&read(&path).unwrap()).unwrap();
            assert!(matches!(steps.last(), Some(Step::Said { .. })), "{page}");
            assert!(steps.iter().any(|step| matches!(step, Step::Run { .. })), "{page}");
        }
    }

    #[test]
    fn a_page_reaches_nothing_outside_the_copy() {
        let copy = Path::new("/copy");
        assert_eq!(inside(copy, "a/b.rs"), Ok(PathBuf::from("/copy/a/b.rs")));
        for path in ["/etc/passwd", "../a", "a/../../b"] {
            assert!(inside(copy, path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_copy_has_the_sources_with_their_times_and_nothing_that_was_made() {
        let scratch = tempfile::tempdir().unwrap();
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        for (name, text) in [("a/b.rs", "b"), ("a/build/c.rs", "c"), ("target/x", "x"), ("build/y", "y")] {
            write(&from.join(name), text).unwrap();
        }
        let then = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000);
        fs::File::options().write(true).open(from.join("a/b.rs")).unwrap().set_modified(then).unwrap();
        copy_tree(&from, &to, &MADE).unwrap();
        assert_eq!(read(&to.join("a/b.rs")).unwrap(), "b");
        assert_eq!(fs::metadata(to.join("a/b.rs")).unwrap().modified().unwrap(), then);
        assert!(to.join("a/build/c.rs").exists());
        assert!(["target", "build"].iter().all(|name| !to.join(name).exists()));
    }
}
