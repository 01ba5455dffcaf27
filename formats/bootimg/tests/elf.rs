//! Each refusal of the program view, for its own reason; each bound at the bound and one past it.

mod common;

use common::{CODE, DATA, Header, elf, good, put};
use nexus_bootimg::elf::{MAX_PROGRAM_HEADERS, MAX_PROGRAM_MEMORY, MAX_SEGMENTS};
use nexus_bootimg::{Access, Program, ProgramError};
use proptest::prelude::*;

fn refusal(headers: &[Header]) -> ProgramError {
    Program::parse(&elf(0x10000, headers)).unwrap_err()
}

#[test]
fn a_program_tells_what_to_map() {
    let program = Program::parse(&good()).unwrap();
    assert_eq!(program.entry, 0x10000);
    assert_eq!(program.segments().len(), 2);
    assert_eq!(program.segments()[0].access, Access::ReadExecute);
    assert_eq!(program.segments()[1].access, Access::ReadWrite);
    assert_eq!(program.segments()[1].mapped_size(), 0x3000);
    assert_eq!(program.memory(), 0x4000);
    assert_eq!(program.private_memory(), 0x3000);
}

#[test]
fn another_machine_class_or_type_is_no_program() {
    for (at, byte) in [(0, 0), (4, 1), (5, 2), (6, 0), (16, 3), (18, 62), (20, 2)] {
        let mut file = good();
        file[at] = byte;
        assert_eq!(Program::parse(&file), Err(ProgramError::NotAProgram), "byte {at}");
    }
}

#[test]
fn headers_must_be_there() {
    assert_eq!(Program::parse(&good()[..63]), Err(ProgramError::Truncated));
    assert_eq!(Program::parse(&good()[..64 + 56 * 2 - 1]), Err(ProgramError::Truncated));
    let mut file = good();
    put(&mut file, 32, &u64::MAX.to_le_bytes());
    assert_eq!(Program::parse(&file), Err(ProgramError::Truncated));
    for (at, value) in [(52, 63u16), (54, 55)] {
        let mut file = good();
        put(&mut file, at, &value.to_le_bytes());
        assert_eq!(Program::parse(&file), Err(ProgramError::BadHeaders));
    }
}

#[test]
fn program_headers_have_a_bound() {
    let note = Header { kind: 4, ..CODE };
    let mut headers = vec![note; MAX_PROGRAM_HEADERS];
    headers[0] = Header { offset: 0, ..CODE };
    assert!(Program::parse(&elf(0x10000, &headers)).is_ok());
    headers.push(note);
    assert_eq!(refusal(&headers), ProgramError::BadHeaders);
}

#[test]
fn segments_have_a_bound() {
    assert_eq!(refusal(&[]), ProgramError::BadSegmentCount);
    assert_eq!(refusal(&[Header { mem_size: 0, file_size: 0, ..CODE }]), ProgramError::BadSegmentCount);
    let row = |count: usize| -> Vec<Header> {
        (0..count as u64).map(|n| Header { vaddr: 0x10000 + n * 0x1000, ..CODE }).collect()
    };
    assert_eq!(Program::parse(&elf(0x10000, &row(MAX_SEGMENTS))).unwrap().segments().len(), MAX_SEGMENTS);
    assert_eq!(refusal(&row(MAX_SEGMENTS + 1)), ProgramError::BadSegmentCount);
}

#[test]
fn segments_begin_on_pages() {
    assert_eq!(refusal(&[Header { vaddr: 0x10800, ..CODE }]), ProgramError::Unaligned);
    assert_eq!(refusal(&[Header { offset: 0x1800, ..CODE }]), ProgramError::Unaligned);
}

#[test]
fn segments_stay_in_the_file() {
    let mut file = good();
    file.pop();
    assert_eq!(Program::parse(&file), Err(ProgramError::OutOfFile));
    assert_eq!(refusal(&[CODE, Header { file_size: 0x3001, ..DATA }]), ProgramError::OutOfFile);
    assert_eq!(
        refusal(&[Header { offset: !0xfff, file_size: 0x1000, mem_size: 0x1000, ..CODE }]),
        ProgramError::OutOfFile
    );
}

#[test]
fn segments_stay_in_user_space() {
    let end = nexus_abi::bounds::USER_END;
    let at = |vaddr| [CODE, Header { vaddr, mem_size: 0x1000, ..DATA }];
    assert!(Program::parse(&elf(0x10000, &at(end - 0x1000))).is_ok());
    assert_eq!(refusal(&at(end)), ProgramError::OutOfMemory);
    assert_eq!(refusal(&at(!0xfff)), ProgramError::OutOfMemory);
    let low = |vaddr| [Header { vaddr, ..CODE }];
    assert!(Program::parse(&elf(0x1000, &low(0x1000))).is_ok());
    assert_eq!(Program::parse(&elf(0, &low(0))), Err(ProgramError::OutOfMemory));
}

#[test]
fn memory_has_a_bound() {
    let sized = |mem_size| [CODE, Header { mem_size, ..DATA }];
    let most = MAX_PROGRAM_MEMORY as u64 - 0x1000;
    assert!(Program::parse(&elf(0x10000, &sized(most))).is_ok());
    assert_eq!(refusal(&sized(most + 1)), ProgramError::OutOfMemory);
}

#[test]
fn segments_share_no_page() {
    assert_eq!(refusal(&[CODE, Header { vaddr: 0x10000, ..DATA }]), ProgramError::Overlap);
    assert_eq!(refusal(&[DATA, CODE]), ProgramError::Overlap);
    assert!(Program::parse(&elf(0x10000, &[CODE, Header { vaddr: 0x11000, ..DATA }])).is_ok());
}

#[test]
fn nothing_is_writable_and_executable() {
    for flags in [7, 3, 2, 1, 0] {
        assert_eq!(refusal(&[Header { flags, ..CODE }]), ProgramError::BadAccess, "flags {flags}");
    }
}

#[test]
fn constants_are_backed_by_the_file() {
    assert_eq!(refusal(&[Header { mem_size: 0x801, ..CODE }]), ProgramError::UnbackedConstant);
}

#[test]
fn the_entry_is_in_code() {
    for (entry, good) in [
        (0x10000, true),
        (0x107fe, true),
        (0x10800, false),
        (0xfffe, false),
        (0x10001, false),
        (0x12000, false),
    ] {
        let parsed = Program::parse(&elf(entry, &[CODE, DATA]));
        assert_eq!(parsed.is_ok(), good, "entry {entry:#x}");
        assert!(good || parsed == Err(ProgramError::BadEntry));
    }
}

#[test]
fn dynamic_programs_are_refused() {
    for kind in [2, 3, 7] {
        assert_eq!(refusal(&[CODE, Header { kind, ..DATA }]), ProgramError::Unsupported);
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_parser(noise in proptest::collection::vec((0usize..256, any::<u8>()), 0..12)) {
        let mut file = good();
        for (at, byte) in noise {
            file[at] = byte;
        }
        if let Ok(program) = Program::parse(&file) {
            for segment in program.segments() {
                prop_assert!(segment.file_offset + segment.file_size <= file.len() as u64);
                prop_assert!(segment.vaddr >= nexus_abi::bounds::USER_START);
                prop_assert!(segment.vaddr + segment.mapped_size() <= nexus_abi::bounds::USER_END);
            }
            for pair in program.segments().windows(2) {
                prop_assert!(pair[0].vaddr + pair[0].mapped_size() <= pair[1].vaddr);
            }
        }
    }
}
