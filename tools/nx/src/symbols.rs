//! Addresses of a program as the lines of source that they stand for. The program is found by the digest of the boot image that it came from, so that
//! an address is never looked up in another build than the one that ran.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use addr2line::Context;
use gimli::{Dwarf, EndianArcSlice, LittleEndian, SectionId};
use object::{Object, ObjectSection};

use crate::exit::{Failure, Outcome};
use crate::house::House;

type Bytes = EndianArcSlice<LittleEndian>;

/// Where the digest of a boot image stands in it.
const DIGEST: std::ops::Range<usize> = 24..40;

/// A place in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The function.
    pub function: String,
    /// The file and line, as far as they are known.
    pub place: Option<String>,
}

/// The symbols of one program.
pub struct Symbols(Context<Bytes>);

/// The folder under `build/` whose boot image has this digest, if there is one.
pub fn built(house: &House, digest: [u8; 16]) -> Outcome<Option<PathBuf>> {
    let build = house.folder("")?;
    let mut folders: Vec<PathBuf> = fs::read_dir(&build)
        .map_err(|error| Failure::host(build.display(), &error))?
        .flatten()
        .map(|e| e.path())
        .collect();
    folders.sort();
    Ok(folders.into_iter().find(|folder| has_digest(&folder.join("boot.img"), digest)))
}

fn has_digest(image: &Path, digest: [u8; 16]) -> bool {
    let mut head = [0; DIGEST.end];
    File::open(image).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head[DIGEST] == digest
}

impl Symbols {
    /// Those of the program in this folder; nothing if it has none that can be read.
    pub fn of(folder: &Path, program: &str) -> Option<Symbols> {
        let file = fs::read(folder.join("programs").join(program)).ok()?;
        Symbols::read(&file)
    }

    fn read(file: &[u8]) -> Option<Symbols> {
        let object = object::File::parse(file).ok()?;
        let section = |id: SectionId| -> Result<Bytes, object::Error> {
            let found = object.section_by_name(id.name());
            let data = found.map_or(Ok(Cow::Borrowed(&[][..])), |section| section.uncompressed_data())?;
            Ok(EndianArcSlice::new(data.into(), LittleEndian))
        };
        Context::from_dwarf(Dwarf::load(section).ok()?).ok().map(Symbols)
    }

    /// The functions that an address lies in: the innermost first, what was inlined before what it was inlined into.
    pub fn at(&self, address: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        // The last address of all has none behind it, which a search looks for.
        if address == u64::MAX {
            return frames;
        }
        let Ok(mut found) = self.0.find_frames(address).skip_all_loads() else { return frames };
        while let Ok(Some(frame)) = found.next() {
            let Some(name) =
                frame.function.as_ref().and_then(|name| Some(name.demangle().ok()?.into_owned()))
            else {
                continue;
            };
            let place = frame.location.and_then(|at| Some(format!("{}:{}", at.file?, at.line?)));
            frames.push(Frame { function: without_hash(&name).to_string(), place });
        }
        frames
    }
}

/// The name of a function without what only makes it different from others of that name.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_test_is_found() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let symbols = Symbols::read(&own).unwrap();
        // A program of the host lies elsewhere than its file says, by the same amount everywhere.
        let object = object::File::parse(&own[..]).unwrap();
        // What is in it has names with its name in them.
        let named = object::Object::symbols(&object).filter(|symbol| {
            object::ObjectSymbol::name(symbol).is_ok_and(|name| name.contains("without_hash"))
        });
        let found: Vec<Vec<Frame>> =
            named.map(|symbol| symbols.at(object::ObjectSymbol::address(&symbol))).collect();
        let is_it = |frame: &Frame| {
            let place = frame.place.as_deref().unwrap_or_default();
            frame.function.ends_with("symbols::without_hash") && place.contains("symbols.rs:")
        };
        assert!(found.iter().flatten().any(is_it), "{found:?}");
        assert_eq!(symbols.at(u64::MAX), []);
        assert!(Symbols::read(b"no program").is_none());
    }

    #[test]
    fn a_name_loses_its_hash_and_nothing_else() {
        assert_eq!(without_hash("a::b::h0123456789abcdef"), "a::b");
        for name in ["a::b", "a::hello", "a::h0123456789abcdeg", ""] {
            assert_eq!(without_hash(name), name);
        }
    }
}
