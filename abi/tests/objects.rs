//! The page of the kernel objects: its tables are made from the contract, and every kind has its section. A kind, a
//! right or a signal that the page lacks fails here.
//!
//! `NEXUS_BLESS=1 cargo test -p nexus-abi` writes the tables anew; the sections are written by hand.

use nexus_abi::{Kind, Rights, Signals, SyscallInfo, Sysno};
use std::fmt::Write;
use std::path::PathBuf;

/// Where names get their one-line explanations from.
const SOURCE: &str = include_str!("../src/object.rs");

fn page() -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/kernel-objects.md");
    let text = std::fs::read_to_string(&path).expect("the page is there");
    (path, text)
}

/// The doc comment above the line of the source that begins so.
fn said(item: &str) -> String {
    let lines: Vec<&str> = SOURCE.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(item)).unwrap_or_else(|| panic!("no `{item}`"));
    let first = (0..at).rev().take_while(|n| lines[*n].starts_with("///")).last().unwrap_or(at);
    let words = lines[first..at].iter().map(|line| line.trim_start_matches('/').trim());
    words.collect::<Vec<_>>().join(" ")
}

/// System calls that are about a kind: it is what they make or what they are first told.
fn calls(kind: Kind) -> String {
    let names: &[&str] = match kind {
        Kind::Channel => &["endpoint", "endpoint0"],
        Kind::Identity => &["identity", "minter"],
        _ => &[kind.name()],
    };
    let about = |call: &&SyscallInfo| {
        let made = call.results.iter().any(|result| names.contains(result));
        let told = call.arguments.first().is_some_and(|first| names.contains(first));
        // Whatever is made is charged to a quota; that alone is not about quotas.
        made || told && (kind != Kind::Quota || !call.name.ends_with("_create"))
    };
    let calls: Vec<String> =
        Sysno::TABLE.iter().filter(about).map(|call| format!("`{}`", call.name)).collect();
    calls.join(", ")
}

fn kinds() -> Result<String, std::fmt::Error> {
    let mut out = String::from(
        "| kind | what it is | rights of a new one | made, or first told, by |\n|---|---|---|---|\n",
    );
    for kind in Kind::ALL {
        let rights: Vec<&str> = kind.all_rights().iter_names().map(|(name, _)| name).collect();
        let what = said(&format!("{kind:?} = "));
        let name = kind.name();
        writeln!(out, "| [`{name}`](#{name}) | {what} | {} | {} |", rights.join(" "), calls(*kind))?;
    }
    Ok(out)
}

fn rights() -> Result<String, std::fmt::Error> {
    let mut out = String::from("| right | what its holder may do | on |\n|---|---|---|\n");
    for (name, right) in Rights::all().iter_names() {
        let on: Vec<&str> = Kind::ALL
            .iter()
            .filter(|kind| kind.all_rights().contains(right))
            .map(|kind| kind.name())
            .collect();
        let on = if on.len() == Kind::ALL.len() { String::from("all") } else { on.join(", ") };
        writeln!(out, "| {name} | {} | {on} |", said(&format!("const {name} = ")))?;
    }
    Ok(out)
}

fn signals() -> Result<String, std::fmt::Error> {
    let mut out = String::from("| signal | when |\n|---|---|\n");
    for (name, _) in Signals::all().iter_names() {
        writeln!(out, "| {name} | {} |", said(&format!("const {name} = ")))?;
    }
    Ok(out)
}

/// The table of this name in the page, or a new one in its place.
fn compare(name: &str, now: &str) {
    let (path, text) = page();
    let begin = format!("<!-- table: {name} -->\n");
    let start = text.find(&begin).unwrap_or_else(|| panic!("{begin}is missing")) + begin.len();
    let end = start + text[start..].find("<!-- end -->").expect("the table has an end");
    if std::env::var_os("NEXUS_BLESS").is_some() {
        let new = format!("{}{now}{}", &text[..start], &text[end..]);
        std::fs::write(&path, new).expect("the page can be written");
        return;
    }
    let then = &text[start..end];
    for (then, now) in then.lines().zip(now.lines()) {
        assert_eq!(then, now, "table {name} of docs/kernel-objects.md");
    }
    assert_eq!(then.lines().count(), now.lines().count(), "table {name} of docs/kernel-objects.md");
}

#[test]
fn the_tables_of_the_page_say_what_the_contract_says() -> Result<(), std::fmt::Error> {
    compare("kinds", &kinds()?);
    compare("rights", &rights()?);
    compare("signals", &signals()?);
    Ok(())
}

#[test]
fn every_kind_has_its_section() {
    let (_, text) = page();
    for kind in Kind::ALL {
        let head = format!("\n## `{}`\n", kind.name());
        let section = text.split_once(&head).unwrap_or_else(|| panic!("no section of `{}`", kind.name())).1;
        let section = section.split("\n## ").next().unwrap_or_default();
        for part in ["- **Made**", "- **Used**", "- **Ends**", "- **Bounds**"] {
            assert!(section.contains(part), "`{}` lacks {part}", kind.name());
        }
    }
}

#[test]
fn every_bound_on_the_page_exists() {
    let bounds = include_str!("../src/bounds.rs");
    let (_, text) = page();
    let named = text.split('`').skip(1).step_by(2).filter(|word| {
        word.contains('_')
            && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            && *word != "PEER_CLOSED"
    });
    for name in named {
        assert!(bounds.contains(&format!("pub const {name}: ")), "there is no bound {name}");
    }
}

#[test]
fn no_right_is_without_a_kind() {
    let used = Kind::ALL.iter().fold(Rights::empty(), |rights, kind| rights | kind.all_rights());
    assert_eq!(used, Rights::all());
}
