//! Shell completions and man pages, made from the same definition as the help.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::cli::definition;
use crate::exit::{Failure, Outcome};
use crate::output::Output;

/// Prints completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> Outcome {
    clap_complete::generate(shell, &mut definition(), "nx", &mut std::io::stdout());
    Ok(())
}

/// Writes a man page for `nx` and one for each command.
pub fn pages(folder: &Path, output: Output) -> Outcome {
    fs::create_dir_all(folder).map_err(|e| Failure::host(folder.display(), &e))?;
    clap_mangen::generate_to(definition(), folder).map_err(|e| Failure::host(folder.display(), &e))?;
    output.line(&format!("man pages are in {}", folder.display()));
    output.value(&json!({ "folder": folder }));
    Ok(())
}
