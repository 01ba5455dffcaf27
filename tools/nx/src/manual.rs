//! Shell completions and man pages, made from the same definition as the help.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::cli::definition;
use crate::exit::{Failure, Outcome};
use crate::output::{Output, print_text};

/// Prints completions for a shell.
pub fn completions(shell: clap_complete::Shell, output: Output) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "nx", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if !output.json {
        print_text(&script);
    }
    output.value(&json!({ "shell": shell.to_string(), "script": script }));
    Ok(())
}

/// Writes a man page for `nx` and one for each command.
pub fn pages(folder: &Path, output: Output) -> Outcome {
    fs::create_dir_all(folder).map_err(|e| Failure::host(folder.display(), &e))?;
    clap_mangen::generate_to(definition(), folder).map_err(|e| Failure::host(folder.display(), &e))?;
    let folder = folder.display().to_string();
    output.line(&format!("man pages are in {folder}; read one: man -l {folder}/nx.1"));
    output.value(&json!({ "folder": folder }));
    Ok(())
}
