//! New vaults: the flash that a machine keeps its secrets in, as it comes from the factory.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nexus_vault::{Fault, Flash};

use crate::exit::{Exit, Failure, Outcome};

/// Bytes of the first bank of QEMU's `virt`, and of a block of it.
const BANK: u64 = 32 << 20;
const BLOCK: usize = 256 << 10;

/// Where a machine with a flash begins, in its first block: `li t0, 1; slli t0, t0, 31; jr t0`, to where firmware is in memory. (The second bank would
/// be no better: what QEMU finds there it takes for the kernel.)
const RESET: [u32; 3] = [0x0010_0293, 0x01f2_9293, 0x0002_8067];

/// The two blocks behind that are erased. Nobody looks at the rest, and a file of zeros takes no room.
const ERASED: usize = 2 * BLOCK;

/// What is in the flash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Vault {
    /// A new vault, which is forgotten at the end.
    Forgotten,
    /// What is in this file.
    File(PathBuf),
    /// Nothing.
    None,
}

/// The vault of a disk, when nothing else is said.
pub fn beside(disk: &Path) -> PathBuf {
    let mut name = disk.as_os_str().to_os_string();
    name.push(".vault");
    PathBuf::from(name)
}

/// Makes a new vault, whatever was there.
pub fn make(path: &Path) -> Outcome {
    let failed = |error: std::io::Error| Failure::host(path.display(), &error);
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path).map_err(failed)?;
    let reset: Vec<u8> = RESET.iter().flat_map(|word| word.to_le_bytes()).collect();
    file.set_len(BANK)
        .and_then(|()| file.write_all_at(&reset, 0))
        .and_then(|()| file.write_all_at(&vec![0xff; ERASED], BLOCK as u64))
        .map_err(failed)
}

/// The two blocks of a vault, as a file has them. What is written to them is forgotten.
struct Blocks(Vec<u8>);

impl Blocks {
    fn part(&mut self, block: usize, at: usize, length: usize) -> Result<&mut [u8], Fault> {
        self.0.get_mut(block * BLOCK + at..block * BLOCK + at + length).ok_or(Fault::Outside)
    }
}

impl Flash for Blocks {
    fn block(&self) -> usize {
        BLOCK
    }

    fn read(&mut self, block: usize, at: usize, out: &mut [u8]) -> Result<(), Fault> {
        self.part(block, at, out.len()).map(|part| out.copy_from_slice(part))
    }

    fn erase(&mut self, block: usize) -> Result<(), Fault> {
        self.part(block, 0, BLOCK).map(|part| part.fill(0xff))
    }

    fn program(&mut self, block: usize, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.part(block, at, bytes.len()).map(|part| part.copy_from_slice(bytes))
    }
}

/// The value of a counter in the vault of a file, which stays as it is.
pub fn counter(path: &Path, counter: usize) -> Outcome<u64> {
    let mut bytes = vec![0; ERASED];
    let file = File::open(path).and_then(|file| file.read_exact_at(&mut bytes, BLOCK as u64));
    file.map_err(|error| Failure::host(path.display(), &error))?;
    match nexus_vault::Vault::open(Blocks(bytes)) {
        Ok(vault) => Ok(vault.counter(counter)),
        Err((_, why)) => {
            let what = format!("there is no vault in {}: {why:?}", path.display());
            Err(Failure::new(Exit::Failed, what, "it is made by the first machine that has entropy"))
        }
    }
}

/// Refuses a file that cannot be one; QEMU would say less.
pub fn check(path: &Path) -> Outcome {
    let length = path.metadata().map_err(|error| Failure::host(path.display(), &error))?.len();
    if length == BANK {
        return Ok(());
    }
    let what = format!("{} is no vault: it has {length} bytes, not {BANK}", path.display());
    Err(Failure::new(Exit::Host, what, "name another file: one that does not exist is made"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_vault_is_erased_and_of_the_right_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("disk.img"));
        assert!(path.ends_with("disk.img.vault"));
        make(&path).unwrap();
        check(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (begin, rest) = bytes.split_at(BLOCK);
        assert_eq!(begin[..4], [0x93, 0x02, 0x10, 0x00]);
        assert!(rest[..ERASED].iter().all(|byte| *byte == 0xff) && rest[ERASED] == 0);
        std::fs::write(&path, b"short").unwrap();
        assert!(check(&path).unwrap_err().what.contains("5 bytes"));
    }
}
