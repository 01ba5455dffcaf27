//! The image: written, read back, and refused for each thing that can be wrong with it.

mod common;

use common::{good, put};
use nexus_bootimg::{
    Image, ImageError, ImageWriter, Kind, MAX_ENTRIES, MAX_NAME, PAGE_SIZE, WriteError, strip_program,
};
use proptest::prelude::*;

fn image() -> Vec<u8> {
    let mut writer = ImageWriter::new();
    writer.program("first", &good()).unwrap().program("second", &good()).unwrap();
    writer.registry("registry", b"rows").unwrap();
    writer.finish().unwrap()
}

fn refused_with(at: usize, bytes: &[u8]) -> ImageError {
    let mut spoiled = image();
    put(&mut spoiled, at, bytes);
    Image::parse(&spoiled).unwrap_err()
}

/// Where entry `n` stands in the table.
fn entry(n: usize) -> usize {
    64 + n * 64
}

#[test]
fn what_is_written_is_read() {
    let bytes = image();
    let image = Image::parse(&bytes).unwrap();
    assert_eq!(image.size(), bytes.len());
    let names: Vec<_> = image.entries().map(|e| (e.name, e.kind)).collect();
    assert_eq!(names, [("first", Kind::Program), ("second", Kind::Program), ("registry", Kind::Registry)]);
    assert_eq!(image.first_program().name, "first");
    assert_eq!(image.program("second").unwrap().bytes, strip_program(&good()).unwrap());
    assert_eq!(image.program("registry"), None);
    assert_eq!(image.registry().unwrap().bytes, b"rows");
    assert!(image.entries().all(|e| e.offset % PAGE_SIZE == 0));
    assert_eq!(image.entry(3), None);
    image.verify_digest().unwrap();
}

#[test]
fn the_same_entries_give_the_same_bytes() {
    assert_eq!(image(), image());
}

#[test]
fn bytes_behind_the_image_are_not_its_own() {
    let mut bytes = image();
    let size = bytes.len();
    bytes.extend([0xff; 100]);
    assert_eq!(Image::parse(&bytes).unwrap().size(), size);
    assert_eq!(Image::parse(&bytes[..size - 1]).unwrap_err(), ImageError::Truncated);
    assert_eq!(Image::parse(&bytes[..63]).unwrap_err(), ImageError::Truncated);
}

#[test]
fn every_header_field_is_checked() {
    assert_eq!(refused_with(0, b"M"), ImageError::BadMagic);
    assert_eq!(refused_with(8, &[2]), ImageError::BadVersion);
    assert_eq!(refused_with(12, &[0]), ImageError::BadCount);
    assert_eq!(refused_with(12, &129u32.to_le_bytes()), ImageError::BadCount);
    assert_eq!(refused_with(16, &u64::MAX.to_le_bytes()), ImageError::BadSize);
    assert_eq!(refused_with(16, &128u64.to_le_bytes()), ImageError::Truncated);
    let shorter = (image().len() - PAGE_SIZE) as u64;
    assert_eq!(refused_with(16, &shorter.to_le_bytes()), ImageError::BadPlace(2));
    assert_eq!(refused_with(60, &[1]), ImageError::Reserved(0));
}

#[test]
fn a_longer_size_than_the_payloads_is_refused() {
    let mut bytes = image();
    bytes.resize(bytes.len() + PAGE_SIZE, 0);
    let size = bytes.len() as u64;
    put(&mut bytes, 16, &size.to_le_bytes());
    assert_eq!(Image::parse(&bytes).unwrap_err(), ImageError::BadSize);
}

#[test]
fn every_entry_field_is_checked() {
    let second = entry(1);
    assert_eq!(refused_with(second, &[0]), ImageError::BadName(1));
    assert_eq!(refused_with(second, b"S"), ImageError::BadName(1));
    assert_eq!(refused_with(second + 20, b"x"), ImageError::BadName(1));
    assert_eq!(refused_with(second, &[b'x'; 32]), ImageError::BadName(1));
    assert_eq!(refused_with(second, b"first\0"), ImageError::DuplicateName(1));
    assert_eq!(refused_with(second + 48, &[3]), ImageError::BadKind(1));
    assert_eq!(refused_with(second + 52, &[1]), ImageError::Reserved(1));
    assert_eq!(refused_with(second + 32, &0x1000u64.to_le_bytes()), ImageError::BadPlace(1));
    assert_eq!(refused_with(second + 40, &0u64.to_le_bytes()), ImageError::BadPlace(1));
    assert_eq!(refused_with(second + 40, &u64::MAX.to_le_bytes()), ImageError::BadPlace(1));
}

#[test]
fn roles_are_by_kind_and_place() {
    assert_eq!(refused_with(entry(0) + 48, &[2]), ImageError::BadKind(0));
    assert_eq!(refused_with(entry(1) + 48, &[2]), ImageError::BadKind(2));
}

#[test]
fn a_flipped_payload_bit_spoils_the_digest() {
    let mut bytes = image();
    let last = bytes.len() - PAGE_SIZE;
    bytes[last] ^= 1;
    assert_eq!(Image::parse(&bytes).unwrap().verify_digest(), Err(ImageError::BadDigest));
}

#[test]
fn names_and_counts_have_bounds() {
    let longest = "n".repeat(MAX_NAME);
    assert!(ImageWriter::new().program(&longest, &good()).unwrap().finish().is_ok());
    let longer = "n".repeat(MAX_NAME + 1);
    assert!(matches!(ImageWriter::new().program(&longer, &good()), Err(WriteError::BadName(_))));
    assert!(matches!(ImageWriter::new().finish(), Err(WriteError::Refused(ImageError::BadCount))));

    let mut writer = ImageWriter::new();
    for n in 0..MAX_ENTRIES {
        writer.program(&format!("p{n}"), &good()).unwrap();
    }
    assert_eq!(Image::parse(&writer.finish().unwrap()).unwrap().entries().count(), MAX_ENTRIES);
    writer.program("one-more", &good()).unwrap();
    assert!(matches!(writer.finish(), Err(WriteError::Refused(ImageError::BadCount))));
}

#[test]
fn stripping_keeps_what_is_loaded() {
    let mut file = good();
    file.extend([0xaa; 500]);
    put(&mut file, 40, &0x2010u64.to_le_bytes());
    put(&mut file, 60, &7u16.to_le_bytes());
    let stripped = strip_program(&file).unwrap();
    assert_eq!(stripped, good());
}

proptest! {
    #[test]
    fn no_bytes_break_the_parser(noise in proptest::collection::vec((0usize..300, any::<u8>()), 0..8)) {
        let mut bytes = image();
        for (at, byte) in noise {
            bytes[at] = byte;
        }
        if let Ok(image) = Image::parse(&bytes) {
            prop_assert!(image.entries().all(|e| e.offset + e.bytes.len() <= bytes.len()));
        }
    }
}
