//! Writing an image, on the build host only. Same entries, same bytes: nothing of the host or the time may
//! get in.

use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;
use std::{fmt, format};

use sha2::Digest;

use crate::elf::{self, ProgramError};
use crate::image::is_name;
use crate::{ENTRY_BYTES, HEADER_BYTES, Image, ImageError, Kind, MAGIC, PAGE_SIZE, VERSION};

/// Collects entries and lays them out.
#[derive(Default)]
pub struct ImageWriter {
    entries: Vec<(String, Kind, Vec<u8>)>,
}

/// Why an image cannot be written.
#[derive(Debug)]
pub enum WriteError {
    /// A name that no entry can have.
    BadName(String),
    /// A program that no loader would take.
    BadProgram(String, ProgramError),
    /// What was laid out is not an image (no entry, too many, two of a name, too large…).
    Refused(ImageError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            WriteError::BadName(name) => format!("`{name}` cannot name an entry of the boot image"),
            WriteError::BadProgram(name, why) => format!("program `{name}` cannot be loaded: {why:?}"),
            WriteError::Refused(why) => format!("the boot image cannot be laid out: {why:?}"),
        };
        f.write_str(&text)
    }
}

impl std::error::Error for WriteError {}

impl ImageWriter {
    /// An image without entries.
    pub fn new() -> ImageWriter {
        ImageWriter::default()
    }

    /// Adds a program. The first one added is the one that the kernel starts.
    pub fn program(&mut self, name: &str, file: &[u8]) -> Result<&mut ImageWriter, WriteError> {
        let file = strip_program(file).map_err(|why| WriteError::BadProgram(name.to_string(), why))?;
        self.add(name, Kind::Program, file)
    }

    /// Adds the compiled registry.
    pub fn registry(&mut self, name: &str, blob: &[u8]) -> Result<&mut ImageWriter, WriteError> {
        self.add(name, Kind::Registry, blob.to_vec())
    }

    fn add(&mut self, name: &str, kind: Kind, bytes: Vec<u8>) -> Result<&mut ImageWriter, WriteError> {
        if !is_name(name.as_bytes()) {
            return Err(WriteError::BadName(name.to_string()));
        }
        self.entries.push((name.to_string(), kind, bytes));
        Ok(self)
    }

    /// The bytes of the image, accepted by [`Image::parse`].
    pub fn finish(&self) -> Result<Vec<u8>, WriteError> {
        let mut image = vec![0; HEADER_BYTES + self.entries.len() * ENTRY_BYTES];
        for (index, (name, kind, bytes)) in self.entries.iter().enumerate() {
            image.resize(image.len().next_multiple_of(PAGE_SIZE), 0);
            let offset = image.len();
            let start = HEADER_BYTES + index * ENTRY_BYTES;
            let raw = &mut image[start..start + ENTRY_BYTES];
            raw[..name.len()].copy_from_slice(name.as_bytes());
            raw[32..40].copy_from_slice(&(offset as u64).to_le_bytes());
            raw[40..48].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            raw[48..52].copy_from_slice(&(*kind as u32).to_le_bytes());
            image.extend_from_slice(bytes);
        }
        image.resize(image.len().next_multiple_of(PAGE_SIZE), 0);
        let size = image.len() as u64;
        let digest = sha2::Sha256::digest(&image[HEADER_BYTES..]);
        image[..8].copy_from_slice(&MAGIC);
        image[8..12].copy_from_slice(&VERSION.to_le_bytes());
        image[12..16].copy_from_slice(&(self.entries.len() as u32).to_le_bytes());
        image[16..24].copy_from_slice(&size.to_le_bytes());
        image[24..56].copy_from_slice(&digest);
        Image::parse(&image).map_err(WriteError::Refused)?;
        Ok(image)
    }
}

/// A program without what no loader looks at: symbols, debug information and section headers.
pub fn strip_program(file: &[u8]) -> Result<Vec<u8>, ProgramError> {
    let mut stripped = file[..elf::loaded_bytes(file)?].to_vec();
    stripped[40..48].fill(0); // where the section headers are
    stripped[58..64].fill(0); // their size, their number, the index of their names
    Ok(stripped)
}
