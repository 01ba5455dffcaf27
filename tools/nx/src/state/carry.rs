//! Values out of a store and into another one: a file with a line of JSON for each. What is sealed, and what lies under `keystore`, stays where it is.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use nexus_state::rules;
use serde_json::{Value, json};

use super::place::{Place, Put};
use crate::exit::{Exit, Failure, Outcome};

/// What is never carried.
const SECRET: &str = "keystore";

/// Bytes as text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

/// Writes every value but the secret ones; answers how many of each. What cannot be read is left out and told.
pub fn export(place: &mut dyn Place, to: &Path) -> Outcome<(usize, usize)> {
    let failed = |error: std::io::Error| Failure::host(to.display(), &error);
    let mut file = BufWriter::new(File::create(to).map_err(failed)?);
    let (mut values, mut left) = (0, 0);
    for known in place.list("")? {
        if known.sealed || known.path.is_under(SECRET) {
            left += 1;
            continue;
        }
        let bytes = place.get(&known.path)?;
        let line = json!({ "path": known.path.as_str(), "owner": known.owner, "hex": hex(&bytes) });
        writeln!(file, "{line}").map_err(failed)?;
        values += 1;
    }
    file.flush().map_err(failed)?;
    Ok((values, left))
}

/// One line of a file.
fn read(line: &str) -> Option<Put> {
    let value: Value = serde_json::from_str(line).ok()?;
    let path = rules::Path::new(value["path"].as_str()?).ok()?;
    let owner = u32::try_from(value["owner"].as_u64()?).ok()?;
    Some(Put { path, owner: Some(owner), bytes: bytes(value["hex"].as_str()?)? })
}

/// Puts every value of a file, each for its owner; answers how many, and how many only their keepers may write. The file is read whole before anything is put.
pub fn import(place: &mut dyn Place, from: &Path) -> Outcome<(usize, usize)> {
    let failed = |error: std::io::Error| Failure::host(from.display(), &error);
    let mut values = Vec::new();
    for (number, line) in BufReader::new(File::open(from).map_err(failed)?).lines().enumerate() {
        let value = read(&line.map_err(failed)?).ok_or_else(|| {
            let what = format!("{}:{} is no value of an export", from.display(), number + 1);
            Failure::new(Exit::Host, what, format!("files are made by: {} export FILE", place.command()))
        })?;
        values.push(value);
    }
    let put = place.put(&values)?;
    Ok((put, values.len() - put))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_through_text() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&hex(&all)), Some(all));
        for text in ["0", "0g", "ä0", "+1"] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!(read("{\"path\":\"a\",\"owner\":7,\"hex\":\"6162\"}").unwrap().bytes, b"ab");
        for line in [
            "",
            "{}",
            "{\"path\":\"/a\",\"owner\":7,\"hex\":\"\"}",
            "{\"path\":\"a\",\"owner\":-1,\"hex\":\"\"}",
        ] {
            assert!(read(line).is_none(), "{line}");
        }
    }
}
