//! `nexus-idlc [--check] [ROOT]`: makes everything that comes from `idl/*.idl`, or says what is out of date.
//! Exit code 0: done; 1: out of date; 2: an interface file or the host has to be mended.
#![forbid(unsafe_code)]

use nexus_idlc::tree::{self, Failure};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: nexus-idlc [--check] [ROOT]\n\
                     Writes lib/api and docs/interfaces from idl/*.idl; with --check, only tells what would change.";

fn main() -> ExitCode {
    let (mut check, mut root) = (false, None);
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--check") => check = true,
            Some(flag) if flag.starts_with('-') => {
                eprintln!("{USAGE}");
                return ExitCode::from(if flag == "--help" || flag == "-h" { 0 } else { 2 });
            }
            _ => root = Some(PathBuf::from(argument)),
        }
    }
    let root = root.unwrap_or_else(|| PathBuf::from("."));
    match run(&root, check) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(2)
        }
    }
}

fn run(root: &Path, check: bool) -> Result<ExitCode, Failure> {
    let files = tree::generate(root, &tree::read(root)?)?;
    let stale = tree::stale(root, &files);
    for path in &stale {
        match files.get(path) {
            _ if check => println!("out of date: {}", path.display()),
            Some(text) => {
                let target = root.join(path);
                let host = |error: std::io::Error| Failure::Host(format!("{}: {error}", target.display()));
                target.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(host)?;
                std::fs::write(&target, text).map_err(host)?;
                println!("wrote {}", path.display());
            }
            None => println!("no interface has this file any more, remove it: {}", path.display()),
        }
    }
    if check && !stale.is_empty() {
        println!("run: cargo run -p nexus-idlc");
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}
