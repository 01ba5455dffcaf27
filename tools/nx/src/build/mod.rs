//! `nx build`: from source to a bootable image. Whatever goes in is the source tree alone: neither the host's
//! paths, nor its time, nor its environment may change a byte.

pub mod cargo;
mod kernel;
mod registry;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nexus_bootimg::ImageWriter;
use serde_json::json;

use crate::cli::{BuildArgs, Variant};
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::output::Output;
pub use cargo::{SILENCE, program as cargo_program};
pub use kernel::flatten;

/// The crate of the kernel, and its binary.
const KERNEL: &str = "neuron";

/// What a build made.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where it is.
    pub folder: PathBuf,
    /// Bytes of the flat kernel.
    pub kernel_bytes: u64,
    /// Bytes of the boot image.
    pub image_bytes: u64,
    /// Names of the programs in it.
    pub programs: Vec<String>,
}

/// Does what `nx build` says.
pub fn run(house: &House, args: &BuildArgs, output: Output) -> Outcome {
    let built = build(house, args.variant, output)?;
    output.value(&json!({
        "variant": args.variant.name(),
        "folder": built.folder,
        "kernel_bytes": built.kernel_bytes,
        "image_bytes": built.image_bytes,
        "programs": built.programs,
    }));
    Ok(())
}

/// Builds a variant.
pub fn build(house: &House, variant: Variant, output: Output) -> Outcome<Built> {
    let (table, programs) = registry::compile(house, variant)?;
    let _lock = house.lock_build(output)?;
    let begun = Instant::now();
    output.step("build", &format!("{} image: {KERNEL} and {} programs", variant.name(), programs.len()));
    let mut wanted = vec![KERNEL.to_string()];
    wanted.extend(programs.iter().cloned());
    let executables = cargo::build(house, &wanted, output)?;

    let folder = house.output(variant);
    let with_symbols = folder.join("programs");
    fs::create_dir_all(&with_symbols).map_err(|e| Failure::host(with_symbols.display(), &e))?;
    let kernel = read(&executables[0])?;
    let flat = flatten(&kernel)
        .map_err(|why| Failure::new(Exit::Build, format!("the kernel: {why}"), "see kernel.ld"))?;
    let mut files = Vec::new();
    for (name, path) in programs.iter().zip(&executables[1..]) {
        let file = read(path)?;
        write(&with_symbols.join(name), &file)?;
        files.push((name.as_str(), file));
    }
    let image = image(&files, &table)?;
    write(&folder.join("neuron.elf"), &kernel)?;
    write(&folder.join("neuron.bin"), &flat)?;
    write(&folder.join("boot.img"), &image)?;

    let built = Built { folder, kernel_bytes: flat.len() as u64, image_bytes: image.len() as u64, programs };
    let kib = |bytes: u64| bytes.div_ceil(1024);
    let text = format!(
        "{}: kernel {} KiB, boot image {} KiB with {} programs, {:.1} s",
        house.show(&built.folder),
        kib(built.kernel_bytes),
        kib(built.image_bytes),
        built.programs.len(),
        begun.elapsed().as_secs_f64()
    );
    output.step("built", &text);
    Ok(built)
}

/// Every program that any image has, as (package, binary), each once: what is compiled for the device.
pub fn device_programs(house: &House) -> Outcome<Vec<(String, String)>> {
    let packages = cargo::packages(house)?;
    let mut names = vec![KERNEL.to_string()];
    use Variant::{Bench, Devices, Harts, Net, Production, State, Test};
    for variant in [Production, Test, Bench, Harts, Devices, Net, State] {
        if house.additions(variant).is_none_or(|path| path.is_file()) {
            names.extend(registry::compile(house, variant)?.1);
        }
    }
    names.sort();
    names.dedup();
    names.into_iter().map(|name| cargo::package_of(&packages, &name).map(|package| (package, name))).collect()
}

/// The names of a variant's processes, in the order of their start.
pub fn processes(house: &House, variant: Variant) -> Outcome<Vec<String>> {
    Ok(registry::names(house, variant)?.into_iter().map(|(_, name)| name).collect())
}

/// The service id and the name of each process that users get.
pub fn services(house: &House) -> Outcome<Vec<(u32, String)>> {
    registry::names(house, Variant::Production)
}

/// The boot image of these programs, the first one first, and the compiled registry.
pub fn image(programs: &[(&str, Vec<u8>)], table: &[u8]) -> Outcome<Vec<u8>> {
    let refused = |why: nexus_bootimg::WriteError| {
        Failure::new(Exit::Build, why.to_string(), "the rules are in formats/bootimg/src/elf.rs")
    };
    let mut writer = ImageWriter::new();
    for (name, file) in programs {
        writer.program(name, file).map_err(refused)?;
    }
    writer.registry("registry", table).map_err(refused)?;
    writer.finish().map_err(refused)
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|e| Failure::host(path.display(), &e))
}

/// Writes a file whole or not at all, so that a machine never boots half an image; not at all when it is the same.
fn write(path: &Path, bytes: &[u8]) -> Outcome {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let draft = path.with_extension("draft");
    let done = fs::write(&draft, bytes).and_then(|()| fs::rename(&draft, path));
    done.map_err(|e| Failure::host(path.display(), &e))
}
