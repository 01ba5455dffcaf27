//! The generator's view of the repository: which files it reads, and which it writes. It writes nothing else.

use crate::emit;
use crate::model::Interface;
use crate::parse::parse;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why nothing was generated.
#[derive(Debug)]
pub enum Failure {
    /// An interface file has to be changed: its path, and where and what.
    Source(String),
    /// A file or program of the host failed.
    Host(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Source(text) | Failure::Host(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

/// Generated files: path from the repository's root, and contents.
pub type Files = BTreeMap<PathBuf, String>;

/// Reads every interface file below `root`, in the order of names.
pub fn read(root: &Path) -> Result<Vec<Interface>, Failure> {
    let folder = root.join("idl");
    let host = |path: &Path, error: std::io::Error| Failure::Host(format!("{}: {error}", path.display()));
    let entries = std::fs::read_dir(&folder).map_err(|error| host(&folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| host(&folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "idl") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut interfaces = Vec::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).map_err(|error| host(&path, error))?;
        let shown = path.strip_prefix(root).unwrap_or(&path).display();
        let interface = parse(&source).map_err(|problem| Failure::Source(format!("{shown}:{problem}")))?;
        if path.file_stem().is_none_or(|stem| stem.to_string_lossy() != interface.name) {
            let name = &interface.name;
            return Err(Failure::Source(format!(
                "{shown}: the interface is `{name}`; name the file `{name}.idl`"
            )));
        }
        interfaces.push(interface);
    }
    agree(&interfaces).map_err(Failure::Source)?;
    Ok(interfaces)
}

/// What has to hold across interfaces: an error of one name has one number, and no two share an identifier.
pub fn agree(interfaces: &[Interface]) -> Result<(), String> {
    let mut ids = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    let mut error_names = BTreeMap::new();
    for interface in interfaces {
        let name = &interface.name;
        if let Some(other) = ids.insert(interface.id(), name) {
            return Err(format!("`{name}` and `{other}` have the same identifier; rename one"));
        }
        for error in &interface.errors {
            let (owner, number) = *numbers.entry(&error.name).or_insert((name, error.number));
            if number != error.number {
                return Err(format!(
                    "`{name}`: the error `{}` has the number {number} in `{owner}`; write `{} = {number}`",
                    error.name, error.name
                ));
            }
            let (owner, other) = *error_names.entry(error.number).or_insert((name, &error.name));
            if *other != error.name {
                return Err(format!(
                    "`{name}`: {} is the number of `{other}` in `{owner}`; give `{}` another",
                    error.number, error.name
                ));
            }
        }
    }
    Ok(())
}

/// Everything that is generated from these interfaces, Rust formatted.
pub fn generate(root: &Path, interfaces: &[Interface]) -> Result<Files, Failure> {
    let mut files = Files::new();
    for interface in interfaces {
        let name = &interface.name;
        files.insert(format!("lib/api/src/{name}.rs").into(), format(root, emit::rust::module(interface))?);
        files.insert(
            format!("lib/api/tests/wire/{name}.rs").into(),
            format(root, emit::tests::module(interface))?,
        );
        files.insert(format!("docs/interfaces/{name}.md").into(), emit::docs::page(interface));
    }
    files.insert("lib/api/src/lib.rs".into(), format(root, library(interfaces))?);
    files.insert("lib/api/tests/wire/main.rs".into(), format(root, test_main(interfaces))?);
    files.insert("docs/interfaces/README.md".into(), emit::docs::index(interfaces));
    Ok(files)
}

fn library(interfaces: &[Interface]) -> String {
    let modules: String = interfaces.iter().map(|i| format!("pub mod {};\n", i.name)).collect();
    let all: String = interfaces.iter().map(|i| format!("&{}::INTERFACE,", i.name)).collect();
    format!(
        "//! Every service interface: client stubs, server traits, dispatch. Written by `nexus-idlc` from `idl/`; nothing\n\
         //! here is changed by hand.\n#![no_std]\n#![forbid(unsafe_code)]\n\n{modules}\n\
         pub use nexus_wire as wire;\n\n/// Every interface, for tools that show messages.\n\
         pub const ALL: &[&nexus_wire::trace::Interface] = &[{all}];\n"
    )
}

fn test_main(interfaces: &[Interface]) -> String {
    let modules: String = interfaces.iter().map(|i| format!("mod {};\n", i.name)).collect();
    format!(
        "//! Wire tests of every interface, on the host. Written by `nexus-idlc`; `support.rs` alone is not.\n\n{modules}mod support;\n"
    )
}

/// Formats Rust as the toolchain's `rustfmt` does with the settings found at `root`, so that generated code reads like any other.
pub fn format(root: &Path, source: String) -> Result<String, Failure> {
    let failed =
        |why: String| Failure::Host(format!("rustfmt: {why}; `rustup component add rustfmt` installs it"));
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut stdin = child.stdin.take().ok_or_else(|| failed("has no input".into()))?;
    let writer = std::thread::spawn(move || stdin.write_all(source.as_bytes()));
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !matches!(writer.join(), Ok(Ok(()))) || !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
}

/// Files below `root` whose contents differ from what is generated, or that are left of an interface which is gone.
pub fn stale(root: &Path, files: &Files) -> Vec<PathBuf> {
    let mut stale: Vec<_> = files
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path.clone())
        .collect();
    for folder in ["lib/api/src", "lib/api/tests/wire", "docs/interfaces"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = Path::new(folder).join(entry.file_name());
            if !files.contains_key(&path) && entry.file_name() != "support.rs" {
                stale.push(path);
            }
        }
    }
    stale
}
