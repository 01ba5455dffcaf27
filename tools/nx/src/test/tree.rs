//! Rules of style that no file can keep alone: what a page names must be there.

use std::path::Path;

use super::rules::Findings;
use super::style::Source;
use crate::bench::{committed, publish};

/// A rule over all files: its name, and what looks for breaches. It is told the root of the tree.
pub type TreeRule = (&'static str, fn(&Path, &[Source], &mut Findings));

/// Every such rule.
pub const TREE_RULES: [TreeRule; 3] = [("links", links), ("promises", promises), ("figures", figures)];

/// The page that names the test of each promise.
const PROMISES: &str = "docs/promises.md";

/// Relative links and pictures of pages lead somewhere.
fn links(root: &Path, sources: &[Source], findings: &mut Findings) {
    for page in sources.iter().filter(|source| source.path.ends_with(".md")) {
        let folder = root.join(&page.path);
        let folder = folder.parent().unwrap_or(root);
        for (number, line) in page.lines() {
            for target in targets(line) {
                let file = target.split('#').next().unwrap_or_default();
                if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                    findings.push(format!("{}:{number}: there is no {file}", page.path));
                }
            }
        }
    }
}

/// What the links of a line lead to.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// Each test that the page of promises names is a test: a function, or a name that a table of tests has.
fn promises(_root: &Path, sources: &[Source], findings: &mut Findings) {
    let Some(page) = sources.iter().find(|source| source.path == PROMISES) else {
        findings.push(format!("{PROMISES} is missing"));
        return;
    };
    let tests: Vec<&Source> = sources.iter().filter(|source| source.is_rust()).collect();
    for (number, line) in page.lines().filter(|(_, line)| line.starts_with("| ")) {
        let Some(column) = line.trim_end_matches('|').rsplit('|').next() else { continue };
        for name in column.split('`').skip(1).step_by(2) {
            let (function, entry) = (format!("fn {name}("), format!("\"{name}\""));
            if !tests.iter().any(|source| source.text.contains(&function) || source.text.contains(&entry)) {
                findings.push(format!("{PROMISES}:{number}: there is no test `{name}`"));
            }
        }
    }
}

/// Pages and pictures have the committed figures, each with words that say what it counts.
fn figures(root: &Path, _sources: &[Source], findings: &mut Findings) {
    let rows = std::fs::read_to_string(root.join(committed::FILE)).map_err(|error| error.to_string());
    match rows.and_then(|text| committed::read(&text)) {
        Ok(rows) => {
            let mute = rows.iter().filter(|row| row.what.is_empty());
            findings.extend(
                mute.map(|row| format!("{}: `{}` does not say what it is", committed::FILE, row.name)),
            );
            match publish::made(root, &rows) {
                Ok(files) => findings.extend(files.iter().filter_map(|(name, text)| {
                    let same = std::fs::read_to_string(root.join(name)).is_ok_and(|there| there == *text);
                    (!same).then(|| {
                        format!("{name}: not what is made of {}: ./nx bench --plot", committed::FILE)
                    })
                })),
                Err(why) => findings.push(why),
            }
        }
        Err(why) => findings.push(format!("{}: {why}", committed::FILE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    fn found(rule: fn(&Path, &[Source], &mut Findings), sources: &[Source]) -> Findings {
        let mut findings = Vec::new();
        rule(Path::new(env!("CARGO_MANIFEST_DIR")), sources, &mut findings);
        findings
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        let page = source("a.md", "[a](src/lib.rs#x) [b](https://c.d) [e](#f)\n[g](src/gone.rs)");
        assert_eq!(found(links, &[page]), ["a.md:2: there is no src/gone.rs"]);
    }

    #[test]
    fn a_promise_without_its_test_is_found() {
        let tests = source("a.rs", "fn it_holds() {}\n(\"device.test\", it)");
        let page = source(
            PROMISES,
            "| promise | test |\n| a `b` | `it_holds`, `device.test` |\n| c | `it_does_not` |",
        );
        assert_eq!(found(promises, &[tests, page]), ["docs/promises.md:3: there is no test `it_does_not`"]);
        assert_eq!(found(promises, &[]), ["docs/promises.md is missing"]);
    }

    #[test]
    fn a_page_with_another_number_than_the_committed_one_is_found() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let put = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        std::fs::create_dir_all(root.join("docs/images")).unwrap();
        let row = "{\"name\":\"a\",\"unit\":\"instructions\",\"exact\":true,\"ours\":[1,1,1],\"one_core\":2,\"what\":\"w\"}";
        put(committed::FILE, &format!("[{row}]"));
        put("README.md", "<!-- figure a -->1<!-- end -->");
        put("docs/performance.md", "<!-- figures --><!-- end -->");
        let look = || {
            let mut findings = Vec::new();
            figures(root, &[], &mut findings);
            findings
        };
        assert_eq!(look().len(), 3, "{:?}", look());
        let house = crate::house::House::at(root).unwrap();
        assert_eq!(publish::write(&house).unwrap(), [publish::PLOT, publish::BOOT, "docs/performance.md"]);
        assert_eq!(look(), [""; 0]);
        put("README.md", "<!-- figure a -->2<!-- end -->");
        assert_eq!(look(), ["README.md: not what is made of docs/figures.json: ./nx bench --plot"]);
        put(committed::FILE, &format!("[{}]", row.replace("\"w\"", "\"\"")));
        assert!(look().iter().any(|finding| finding.contains("`a` does not say")));
    }
}
