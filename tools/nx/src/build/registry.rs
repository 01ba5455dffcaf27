//! The registry of a variant, compiled, and the programs it names, each once, in start order.

use std::fs;

use nexus_registry::Registry;
use nexus_registry::compile::{Source, compile as check};

use crate::cli::Variant;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;

/// What the long lanes tell their programs where the quick one says [`QUICK`]: all that their images differ by.
const FULL: &str = "args = \"lane=full\"";
const STORM: &str = "args = \"lane=storm\"";
const QUICK: &str = "args = \"lane=quick\"";

fn lane(variant: Variant, additions: String) -> String {
    match variant {
        Variant::Full => additions.replace(QUICK, FULL),
        Variant::Storm => additions.replace(QUICK, STORM),
        _ => additions,
    }
}

/// The service id and the name of each of its processes.
pub fn names(house: &House, variant: Variant) -> Outcome<Vec<(u32, String)>> {
    let (table, _) = compile(house, variant)?;
    let registry = Registry::parse(&table)
        .map_err(|why| Failure::new(Exit::Build, format!("the compiled registry is refused: {why:?}"), ""))?;
    Ok(registry.processes().map(|process| (process.id, process.name.to_string())).collect())
}

/// The compiled table and the programs of its processes.
pub fn compile(house: &House, variant: Variant) -> Outcome<(Vec<u8>, Vec<String>)> {
    let read = |path: &std::path::Path| {
        let text = fs::read_to_string(path).map_err(|e| Failure::host(path.display(), &e))?;
        Ok((house.show(path), text))
    };
    let (base_name, base) = read(&house.registry())?;
    let added = match house.additions(variant) {
        Some(path) if !path.is_file() => {
            let what = format!("there is no {}, so there is no {} image", house.show(&path), variant.name());
            return Err(Failure::new(Exit::Build, what, "add the file with the processes it adds"));
        }
        Some(path) => Some(read(&path)?).map(|(name, text)| (name, lane(variant, text))),
        None => None,
    };
    let additions: Vec<Source> = added.iter().map(|(name, text)| Source { name, text }).collect();
    let table = check(Source { name: &base_name, text: &base }, &additions).map_err(|refusals| {
        let lines: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Build, format!("the registry is refused:\n  {}", lines.join("\n  ")), "")
    })?;
    let registry = Registry::parse(&table)
        .map_err(|why| Failure::new(Exit::Build, format!("the compiled registry is refused: {why:?}"), ""))?;
    let mut programs: Vec<String> = Vec::new();
    for process in registry.processes() {
        if !programs.iter().any(|known| known == process.program) {
            programs.push(process.program.to_string());
        }
    }
    Ok((table, programs))
}
