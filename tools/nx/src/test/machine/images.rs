//! Boot images that bring a good kernel to a bad end honestly: a first program that the kernel has to take, and cannot
//! live with.

use std::fs;
use std::path::{Path, PathBuf};

use nexus_bootimg::Image;

use crate::build;
use crate::exit::{Exit, Failure, Outcome};

/// Where a first program's code begins.
const ENTRY: u64 = 0x1_0000;

/// `j .`: a program that says nothing for ever.
const LOOP: u32 = 0x0000_006f;

/// One loadable segment.
struct Segment {
    /// 5 code, 6 data.
    flags: u32,
    address: u64,
    memory: u64,
    file: Vec<u8>,
}

/// A program that never announces anything.
pub fn silent() -> Vec<u8> {
    elf(&[code()])
}

/// A program that the image takes, and whose data does not fit in a machine of 64 MiB.
pub fn too_large() -> Vec<u8> {
    elf(&[code(), Segment { flags: 6, address: 0x10_0000, memory: 63 << 20, file: vec![0; 8] }])
}

fn code() -> Segment {
    Segment { flags: 5, address: ENTRY, memory: 4, file: LOOP.to_le_bytes().to_vec() }
}

fn elf(segments: &[Segment]) -> Vec<u8> {
    const PAGE: usize = 4096;
    let mut file = vec![0; PAGE * (1 + segments.len())];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    put(16, &[2, 0, 243, 0, 1, 0, 0, 0]);
    put(24, &ENTRY.to_le_bytes());
    put(32, &64u64.to_le_bytes());
    put(52, &[64, 0, 56, 0, segments.len() as u8, 0]);
    for (number, segment) in segments.iter().enumerate() {
        let (header, offset) = (64 + 56 * number, PAGE * (1 + number));
        put(header, &1u32.to_le_bytes());
        put(header + 4, &segment.flags.to_le_bytes());
        let length = segment.file.len() as u64;
        let fields = [offset as u64, segment.address, segment.address, length, segment.memory, PAGE as u64];
        for (index, field) in fields.into_iter().enumerate() {
            put(header + 8 + 8 * index, &field.to_le_bytes());
        }
        put(offset, &segment.file);
    }
    file
}

/// Puts the kernel of `good` into `folder`, with an image of its registry and this one program.
pub fn with_first_program(good: &Path, folder: &Path, program: &[u8]) -> Outcome<PathBuf> {
    let host = |path: &Path| {
        let path = path.to_path_buf();
        move |error: std::io::Error| Failure::host(path.display(), &error)
    };
    fs::create_dir_all(folder).map_err(host(folder))?;
    let kernel = folder.join("neuron.bin");
    fs::copy(good.join("neuron.bin"), &kernel).map_err(host(&kernel))?;
    let path = good.join("boot.img");
    let bytes = fs::read(&path).map_err(host(&path))?;
    let no_registry = || Failure::new(Exit::Build, "the production image has no registry", "nx build");
    let table = Image::parse(&bytes).ok().and_then(|image| image.registry()).ok_or_else(no_registry)?;
    let image = build::image(&[("nexus-init", program.to_vec())], table.bytes)?;
    let path = folder.join("boot.img");
    fs::write(&path, image).map_err(host(&path))?;
    Ok(folder.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_takes_these_programs() {
        for program in [silent(), too_large()] {
            assert!(build::image(&[("nexus-init", program)], b"table").is_ok());
        }
    }
}
