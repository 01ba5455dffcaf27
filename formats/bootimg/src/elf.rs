//! A checked view of an ELF program: what a loader must map, and nothing else.
//!
//! Accepted are static little-endian RISC-V 64 executables whose segments begin on page boundaries in memory
//! and in the file, so that code and constants can be mapped straight from the image. No segment that leaves
//! the file, leaves user space, wraps, overlaps another, or is both writable and executable gets through.

use crate::{PAGE_SIZE, page_up};
use nexus_abi::Rights;
use nexus_abi::bounds::{USER_END, USER_START};

/// Most loadable segments a program can have.
pub const MAX_SEGMENTS: usize = 8;

/// Most program headers that are looked at.
pub const MAX_PROGRAM_HEADERS: usize = 32;

/// Most memory that the segments of one program can take, in bytes.
pub const MAX_PROGRAM_MEMORY: usize = 64 << 20;

const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
const MACHINE_RISCV: u16 = 243;
const TYPE_EXECUTABLE: u16 = 2;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const THREAD_LOCAL: u32 = 7;

/// What a program may do with the memory of a segment. There is no writable and executable one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Constants.
    Read,
    /// Data.
    ReadWrite,
    /// Code.
    ReadExecute,
}

impl Access {
    /// As `vm_map` takes it.
    pub const fn rights(self) -> Rights {
        match self {
            Access::Read => Rights::READ,
            Access::ReadWrite => Rights::READ.union(Rights::WRITE),
            Access::ReadExecute => Rights::READ.union(Rights::EXECUTE),
        }
    }
}

/// One piece of a program's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it begins in memory, page-aligned.
    pub vaddr: u64,
    /// Its bytes in memory. What the file does not give is zero; only a writable segment has such bytes.
    pub mem_size: u64,
    /// Where it begins in the file, page-aligned.
    pub file_offset: u64,
    /// Its bytes in the file, at most `mem_size`.
    pub file_size: u64,
    /// What may be done with it.
    pub access: Access,
}

impl Segment {
    const NONE: Segment =
        Segment { vaddr: 0, mem_size: 0, file_offset: 0, file_size: 0, access: Access::Read };

    /// The segment's memory in whole pages, in bytes.
    pub const fn mapped_size(&self) -> u64 {
        (self.mem_size + PAGE_SIZE as u64 - 1) & !(PAGE_SIZE as u64 - 1)
    }
}

/// Why a file is not a program for this system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProgramError {
    /// Shorter than its headers.
    Truncated,
    /// Not a static little-endian RISC-V 64 ELF executable, version 1.
    NotAProgram,
    /// More than [`MAX_PROGRAM_HEADERS`] program headers, or of another size.
    BadHeaders,
    /// It wants a dynamic linker or thread-local storage.
    Unsupported,
    /// It has no loadable segment, or more than [`MAX_SEGMENTS`].
    BadSegmentCount,
    /// A segment does not begin on a page boundary in memory and in the file.
    Unaligned,
    /// A segment's bytes leave the file, or there are more of them than memory for them.
    OutOfFile,
    /// A segment leaves user space, wraps, or all together exceed [`MAX_PROGRAM_MEMORY`].
    OutOfMemory,
    /// Segments share a page or are not in ascending order.
    Overlap,
    /// A segment is writable and executable, or not readable.
    BadAccess,
    /// A segment that cannot be written has memory that the file does not give.
    UnbackedConstant,
    /// The entry point is not in code.
    BadEntry,
}

/// A checked program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Program {
    /// Where its first thread begins, in an executable segment.
    pub entry: u64,
    segments: [Segment; MAX_SEGMENTS],
    count: usize,
}

impl Program {
    /// Checks an ELF file.
    pub fn parse(file: &[u8]) -> Result<Program, ProgramError> {
        let header = file.get(..HEADER_BYTES).ok_or(ProgramError::Truncated)?;
        let is_program = header[..7] == [0x7f, b'E', b'L', b'F', 2, 1, 1]
            && u16_at(header, 16) == TYPE_EXECUTABLE
            && u16_at(header, 18) == MACHINE_RISCV
            && u32_at(header, 20) == 1;
        if !is_program {
            return Err(ProgramError::NotAProgram);
        }
        let headers = u16_at(header, 56) as usize;
        if headers > MAX_PROGRAM_HEADERS
            || u16_at(header, 54) as usize != PROGRAM_HEADER_BYTES
            || u16_at(header, 52) as usize != HEADER_BYTES
        {
            return Err(ProgramError::BadHeaders);
        }
        let table = slice(file, u64_at(header, 32), (headers * PROGRAM_HEADER_BYTES) as u64)
            .ok_or(ProgramError::Truncated)?;

        let mut program =
            Program { entry: u64_at(header, 24), segments: [Segment::NONE; MAX_SEGMENTS], count: 0 };
        for raw in table.chunks_exact(PROGRAM_HEADER_BYTES) {
            match u32_at(raw, 0) {
                LOAD if u64_at(raw, 40) != 0 => program.add(segment(raw, file)?)?,
                DYNAMIC | INTERPRETER | THREAD_LOCAL => return Err(ProgramError::Unsupported),
                _ => {}
            }
        }
        program.check_whole()?;
        Ok(program)
    }

    fn add(&mut self, new: Segment) -> Result<(), ProgramError> {
        if let Some(last) = self.segments().last()
            && new.vaddr < last.vaddr + last.mapped_size()
        {
            return Err(ProgramError::Overlap);
        }
        *self.segments.get_mut(self.count).ok_or(ProgramError::BadSegmentCount)? = new;
        self.count += 1;
        Ok(())
    }

    fn check_whole(&self) -> Result<(), ProgramError> {
        if self.count == 0 {
            return Err(ProgramError::BadSegmentCount);
        }
        // At most eight segments, each inside user space: the sum cannot wrap.
        if self.memory() > MAX_PROGRAM_MEMORY as u64 {
            return Err(ProgramError::OutOfMemory);
        }
        let in_code = |segment: &Segment| {
            segment.access == Access::ReadExecute
                && (segment.vaddr..segment.vaddr + segment.mem_size).contains(&self.entry)
        };
        if !self.entry.is_multiple_of(2) || !self.segments().iter().any(in_code) {
            return Err(ProgramError::BadEntry);
        }
        Ok(())
    }

    /// Its segments, ascending by address.
    pub fn segments(&self) -> &[Segment] {
        self.segments.get(..self.count).unwrap_or(&[])
    }

    /// Memory of all segments in whole pages, in bytes.
    pub fn memory(&self) -> u64 {
        self.segments().iter().map(Segment::mapped_size).sum()
    }

    /// Memory of the writable segments alone, in bytes: what each process needs of its own.
    pub fn private_memory(&self) -> u64 {
        self.segments().iter().filter(|s| s.access == Access::ReadWrite).map(Segment::mapped_size).sum()
    }
}

fn segment(raw: &[u8], file: &[u8]) -> Result<Segment, ProgramError> {
    let access = match u32_at(raw, 4) & 7 {
        4 => Access::Read,
        6 => Access::ReadWrite,
        5 => Access::ReadExecute,
        _ => return Err(ProgramError::BadAccess),
    };
    let segment = Segment {
        vaddr: u64_at(raw, 16),
        mem_size: u64_at(raw, 40),
        file_offset: u64_at(raw, 8),
        file_size: u64_at(raw, 32),
        access,
    };
    let page = PAGE_SIZE as u64;
    if !segment.vaddr.is_multiple_of(page) || !segment.file_offset.is_multiple_of(page) {
        return Err(ProgramError::Unaligned);
    }
    if segment.file_size > segment.mem_size || slice(file, segment.file_offset, segment.file_size).is_none() {
        return Err(ProgramError::OutOfFile);
    }
    let end = segment.vaddr.checked_add(segment.mem_size).ok_or(ProgramError::OutOfMemory)?;
    if segment.vaddr < USER_START || end > USER_END {
        return Err(ProgramError::OutOfMemory);
    }
    if access != Access::ReadWrite && segment.file_size != segment.mem_size {
        return Err(ProgramError::UnbackedConstant);
    }
    Ok(segment)
}

/// How many bytes at the front of a checked program's file a loader needs: headers and segments.
pub fn loaded_bytes(file: &[u8]) -> Result<usize, ProgramError> {
    let program = Program::parse(file)?;
    let headers = u16_at(file, 56) as usize * PROGRAM_HEADER_BYTES;
    let table_end = (u64_at(file, 32) as usize).saturating_add(headers);
    let ends = program.segments().iter().map(|s| (s.file_offset + s.file_size) as usize);
    let end = ends.fold(table_end, usize::max);
    if page_up(end).is_none() { Err(ProgramError::OutOfFile) } else { Ok(end) }
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}
