//! Reading an image. Everything is checked once in [`Image::parse`]; what it hands out afterwards cannot be
//! out of range. Nothing here may index with an unchecked number.

use crate::{ENTRY_BYTES, HEADER_BYTES, MAGIC, MAX_ENTRIES, MAX_IMAGE_BYTES, PAGE_SIZE, VERSION, page_up};

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Kind {
    /// An ELF program (see [`Program`](crate::Program)).
    Program = 1,
    /// The compiled registry. At most one in an image.
    Registry = 2,
}

impl Kind {
    /// The kind with this number.
    pub const fn from_raw(number: u32) -> Option<Kind> {
        match number {
            1 => Some(Kind::Program),
            2 => Some(Kind::Registry),
            _ => None,
        }
    }
}

/// Why bytes are not a boot image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// Shorter than its header, its table, or the size it claims.
    Truncated,
    /// It does not begin with the magic.
    BadMagic,
    /// A version this code does not know.
    BadVersion,
    /// No entry, or more than [`MAX_ENTRIES`].
    BadCount,
    /// The size is not whole pages, is above [`MAX_IMAGE_BYTES`], or is not where the last payload ends.
    BadSize,
    /// Entry: a reserved byte is not 0 (also for the header, told as entry 0).
    Reserved(usize),
    /// Entry: the name is empty, has another character, or is not padded with 0.
    BadName(usize),
    /// Entry: an earlier entry has the same name.
    DuplicateName(usize),
    /// Entry: an unknown kind, a first entry that is not a program, or a second registry.
    BadKind(usize),
    /// Entry: its bytes do not begin at the page behind the previous entry's, are none, or leave the image.
    BadPlace(usize),
    /// The SHA-256 in the header is another.
    #[cfg(feature = "digest")]
    BadDigest,
}

/// A checked image. Its bytes can be longer than the image (a loader hands over whole pages).
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    bytes: &'a [u8],
    count: usize,
}

/// One entry of a checked image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Its name, unique in the image.
    pub name: &'a str,
    /// What it holds.
    pub kind: Kind,
    /// Where its bytes begin in the image: a multiple of the page size.
    pub offset: usize,
    /// Its bytes. The image goes on (with zeros) to the end of their last page.
    pub bytes: &'a [u8],
}

impl<'a> Image<'a> {
    /// Checks all of `bytes` but the digest.
    pub fn parse(bytes: &'a [u8]) -> Result<Image<'a>, ImageError> {
        let header = bytes.get(..HEADER_BYTES).ok_or(ImageError::Truncated)?;
        if header[..8] != MAGIC {
            return Err(ImageError::BadMagic);
        }
        if u32_at(header, 8) != VERSION {
            return Err(ImageError::BadVersion);
        }
        let count = u32_at(header, 12) as usize;
        if count == 0 || count > MAX_ENTRIES {
            return Err(ImageError::BadCount);
        }
        let size = usize_at(header, 16).filter(|size| *size <= MAX_IMAGE_BYTES).ok_or(ImageError::BadSize)?;
        if header[56..].iter().any(|byte| *byte != 0) {
            return Err(ImageError::Reserved(0));
        }
        let bytes = bytes.get(..size).ok_or(ImageError::Truncated)?;
        let table_end = HEADER_BYTES + count * ENTRY_BYTES;
        if size < table_end {
            return Err(ImageError::Truncated);
        }

        let image = Image { bytes, count };
        let mut next = page_up(table_end).ok_or(ImageError::BadSize)?;
        let mut registry_seen = false;
        for index in 0..count {
            let entry = image.check_entry(index, next)?;
            if index == 0 && entry.kind != Kind::Program || entry.kind == Kind::Registry && registry_seen {
                return Err(ImageError::BadKind(index));
            }
            registry_seen |= entry.kind == Kind::Registry;
            if image.entries().take(index).any(|earlier| earlier.name == entry.name) {
                return Err(ImageError::DuplicateName(index));
            }
            next = page_up(entry.offset + entry.bytes.len()).ok_or(ImageError::BadPlace(index))?;
            if next > size {
                return Err(ImageError::BadPlace(index));
            }
        }
        if next != size {
            return Err(ImageError::BadSize);
        }
        Ok(image)
    }

    fn check_entry(&self, index: usize, expected_offset: usize) -> Result<Entry<'a>, ImageError> {
        let start = HEADER_BYTES + index * ENTRY_BYTES;
        let raw = self.bytes.get(start..start + ENTRY_BYTES).ok_or(ImageError::Truncated)?;
        let name = name_of(raw).ok_or(ImageError::BadName(index))?;
        let kind = Kind::from_raw(u32_at(raw, 48)).ok_or(ImageError::BadKind(index))?;
        if raw[52..].iter().any(|byte| *byte != 0) {
            return Err(ImageError::Reserved(index));
        }
        let place = || {
            let (offset, length) = (usize_at(raw, 32)?, usize_at(raw, 40)?);
            if offset != expected_offset || offset % PAGE_SIZE != 0 || length == 0 {
                return None;
            }
            Some((offset, self.bytes.get(offset..offset.checked_add(length)?)?))
        };
        let (offset, bytes) = place().ok_or(ImageError::BadPlace(index))?;
        Ok(Entry { name, kind, offset, bytes })
    }

    /// The entry at `index`; `None` past the last.
    pub fn entry(&self, index: usize) -> Option<Entry<'a>> {
        if index >= self.count {
            return None;
        }
        let start = HEADER_BYTES + index * ENTRY_BYTES;
        let raw = self.bytes.get(start..start + ENTRY_BYTES)?;
        let offset = usize_at(raw, 32)?;
        let bytes = self.bytes.get(offset..offset.checked_add(usize_at(raw, 40)?)?)?;
        Some(Entry { name: name_of(raw)?, kind: Kind::from_raw(u32_at(raw, 48))?, offset, bytes })
    }

    /// Every entry, in order.
    pub fn entries(&self) -> Entries<'a> {
        Entries { image: *self, next: 0 }
    }

    /// The program that the kernel starts: the first entry.
    pub fn first_program(&self) -> Entry<'a> {
        // `parse` lets no image through without a first entry; the fallback keeps this total.
        self.entry(0).unwrap_or(Entry { name: "", kind: Kind::Program, offset: 0, bytes: &[] })
    }

    /// The program of this name.
    pub fn program(&self, name: &str) -> Option<Entry<'a>> {
        self.entries().find(|entry| entry.kind == Kind::Program && entry.name == name)
    }

    /// The compiled registry.
    pub fn registry(&self) -> Option<Entry<'a>> {
        self.entries().find(|entry| entry.kind == Kind::Registry)
    }

    /// Size of the image in bytes, whole pages.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The SHA-256 that the header claims.
    pub fn claimed_digest(&self) -> &'a [u8] {
        &self.bytes[24..56]
    }

    /// Compares the bytes behind the header with the digest in it.
    #[cfg(feature = "digest")]
    pub fn verify_digest(&self) -> Result<(), ImageError> {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(&self.bytes[HEADER_BYTES..]);
        if digest.as_slice() == self.claimed_digest() { Ok(()) } else { Err(ImageError::BadDigest) }
    }
}

/// Iterator over the entries of an [`Image`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    image: Image<'a>,
    next: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.image.entry(self.next)?;
        self.next += 1;
        Some(entry)
    }
}

/// Whether `name` can name an entry.
pub(crate) fn is_name(name: &[u8]) -> bool {
    (1..=crate::MAX_NAME).contains(&name.len())
        && name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

fn name_of(raw: &[u8]) -> Option<&str> {
    let field = raw.get(..32)?;
    let length = field.iter().position(|byte| *byte == 0)?;
    let (name, padding) = field.split_at(length);
    if !is_name(name) || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    core::str::from_utf8(name).ok()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    usize::try_from(u64::from_le_bytes(value)).ok()
}
