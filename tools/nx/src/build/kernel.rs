//! The kernel as the boot loader wants it: its memory from the first byte on, flat, with the entry point first.

use object::LittleEndian;
use object::read::elf::{ElfFile64, ProgramHeader};

/// Largest flat kernel, in bytes.
const MAX_KERNEL: u64 = 8 << 20;

/// The loadable memory of an ELF kernel, zero-filled memory behind the last file byte left out.
pub fn flatten(file: &[u8]) -> Result<Vec<u8>, String> {
    let elf = ElfFile64::<LittleEndian>::parse(file).map_err(|error| error.to_string())?;
    let endian = LittleEndian;
    let loads = || {
        elf.elf_program_headers()
            .iter()
            .filter(|h| h.p_type(endian) == object::elf::PT_LOAD && h.p_filesz(endian) != 0)
    };
    let base = loads().map(|h| h.p_paddr(endian)).min().ok_or("it has nothing to load")?;
    let entry = elf.elf_header().e_entry.get(endian);
    let first = loads().find(|h| h.p_paddr(endian) == base).map(|h| h.p_vaddr(endian));
    if first != Some(entry) {
        return Err(format!("its entry point {entry:#x} is not its first byte"));
    }
    let mut flat = Vec::new();
    for header in loads() {
        let start = header.p_paddr(endian) - base;
        let data = header.data(endian, file).map_err(|()| "a segment leaves the file")?;
        let end = start.checked_add(data.len() as u64).filter(|end| *end <= MAX_KERNEL);
        let end = end.ok_or_else(|| format!("it is larger than {MAX_KERNEL} bytes"))? as usize;
        if flat.len() < end {
            flat.resize(end, 0);
        }
        flat[start as usize..end].copy_from_slice(data);
    }
    Ok(flat)
}
