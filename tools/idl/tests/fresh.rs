//! What is checked in is what the generator makes of the interface files today.

use nexus_idlc::tree;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn generated_files_are_up_to_date() {
    let interfaces = tree::read(root()).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(!interfaces.is_empty());
    let files = tree::generate(root(), &interfaces).unwrap_or_else(|failure| panic!("{failure}"));
    let stale = tree::stale(root(), &files);
    assert!(stale.is_empty(), "out of date, run `cargo run -p nexus-idlc`: {stale:?}");
}

#[test]
fn generating_twice_gives_the_same_bytes() {
    let interfaces = tree::read(root()).unwrap_or_else(|failure| panic!("{failure}"));
    for interface in &interfaces {
        assert_eq!(nexus_idlc::emit::rust::module(interface), nexus_idlc::emit::rust::module(interface));
        assert_eq!(nexus_idlc::emit::tests::module(interface), nexus_idlc::emit::tests::module(interface));
    }
}

#[test]
fn a_changed_and_a_left_over_file_are_noticed() {
    let interfaces = tree::read(root()).unwrap_or_else(|failure| panic!("{failure}"));
    let mut files = tree::Files::new();
    for interface in &interfaces {
        let path = format!("docs/interfaces/{}.md", interface.name);
        files.insert(path.into(), nexus_idlc::emit::docs::page(interface));
    }
    let only_docs = |stale: Vec<std::path::PathBuf>| {
        stale.into_iter().filter(|path| path.starts_with("docs")).collect::<Vec<_>>()
    };
    let before = only_docs(tree::stale(root(), &files));
    assert_eq!(before, [Path::new("docs/interfaces/README.md")], "the index is not in this set");
    let page = files.get_mut(Path::new("docs/interfaces/echo.md"));
    page.expect("echo has a page").push('x');
    assert!(only_docs(tree::stale(root(), &files)).contains(&"docs/interfaces/echo.md".into()));
}

/// The interface that the how-to adds is one that the generator takes, so that whoever follows it gets through.
#[test]
fn the_interface_of_the_how_to_is_accepted() {
    let page =
        std::fs::read_to_string(root().join("docs/how-to-add-a-service.md")).expect("the page is there");
    let (_, rest) = page.split_once("<!-- file idl/tally.idl -->\n\n").expect("it has an interface file");
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let source: String = lines.map(|line| line.trim_start_matches("    ").to_string() + "\n").collect();
    let tally = nexus_idlc::parse::parse(&source).unwrap_or_else(|problem| panic!("{problem}"));
    let mut all = tree::read(root()).unwrap_or_else(|failure| panic!("{failure}"));
    all.push(tally);
    assert_eq!(tree::agree(&all), Ok(()), "its errors have the numbers of everybody else's");
}
