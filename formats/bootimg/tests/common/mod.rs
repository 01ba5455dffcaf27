//! Makes small ELF programs field by field, so that a test can spoil exactly one of them.

/// One program header.
#[derive(Clone, Copy)]
pub struct Header {
    pub kind: u32,
    pub flags: u32,
    pub offset: u64,
    pub vaddr: u64,
    pub file_size: u64,
    pub mem_size: u64,
}

pub const CODE: Header =
    Header { kind: 1, flags: 5, offset: 0x1000, vaddr: 0x10000, file_size: 0x800, mem_size: 0x800 };
pub const DATA: Header =
    Header { kind: 1, flags: 6, offset: 0x2000, vaddr: 0x12000, file_size: 0x10, mem_size: 0x3000 };

/// An executable with these program headers, as long as its furthest segment.
pub fn elf(entry: u64, headers: &[Header]) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    put(&mut file, 16, &2u16.to_le_bytes());
    put(&mut file, 18, &243u16.to_le_bytes());
    put(&mut file, 20, &1u32.to_le_bytes());
    put(&mut file, 24, &entry.to_le_bytes());
    put(&mut file, 32, &64u64.to_le_bytes());
    put(&mut file, 52, &64u16.to_le_bytes());
    put(&mut file, 54, &56u16.to_le_bytes());
    put(&mut file, 56, &(headers.len() as u16).to_le_bytes());
    for header in headers {
        file.extend(header.kind.to_le_bytes());
        file.extend(header.flags.to_le_bytes());
        for field in [header.offset, header.vaddr, header.vaddr, header.file_size, header.mem_size, 0x1000] {
            file.extend(field.to_le_bytes());
        }
    }
    let end = headers.iter().map(|h| h.offset.saturating_add(h.file_size)).max().unwrap_or(0);
    if end < 1 << 20 {
        file.resize(file.len().max(end as usize), 0);
    }
    file
}

/// A program that every check accepts.
pub fn good() -> Vec<u8> {
    elf(0x10000, &[CODE, DATA])
}

/// Overwrites bytes at a place.
pub fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}
