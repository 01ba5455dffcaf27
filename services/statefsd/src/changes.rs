//! The changes of a batch, as a client writes them into one message.

use alloc::string::String;
use alloc::vec::Vec;

use nexus_state::rules::{Change, Error, Path};

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// Reads them. What is left over, or missing, makes all of it `Invalid`.
pub fn read(mut bytes: &[u8]) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or(Error::Invalid)?;
        let [kind, path, low, high] = *head;
        let (path, rest) = rest.split_at_checked(path.into()).ok_or(Error::Invalid)?;
        let length = u16::from_le_bytes([low, high]);
        let (value, rest) = rest.split_at_checked(length.into()).ok_or(Error::Invalid)?;
        let path = Path::new(core::str::from_utf8(path).map_err(|_| Error::Invalid)?)?;
        changes.push(match (kind, value) {
            (PUT, value) => Change::Put(path, value.to_vec()),
            (DELETE, []) => Change::Delete(path),
            _ => return Err(Error::Invalid),
        });
        bytes = rest;
    }
    Ok(changes)
}

/// Writes a change behind others. What is too long for it is cut, and refused by who reads it.
pub fn write(path: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    let bytes = value.unwrap_or_default();
    out.push(if value.is_some() { PUT } else { DELETE });
    out.push(path.len() as u8);
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(String::from(path).as_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let mut bytes = Vec::new();
        write("a/b", Some(b"value"), &mut bytes);
        write("c", Some(b""), &mut bytes);
        write("d", None, &mut bytes);
        let path = |text| Path::new(text).unwrap();
        let changes = [
            Change::Put(path("a/b"), b"value".to_vec()),
            Change::Put(path("c"), Vec::new()),
            Change::Delete(path("d")),
        ];
        assert_eq!(read(&bytes), Ok(changes.to_vec()));
        assert_eq!(read(&[]), Ok(Vec::new()));
        for cut in 1..bytes.len() {
            let whole = [12, 17].contains(&cut);
            assert_eq!(read(&bytes[..cut]).is_ok(), whole, "{cut}");
        }
        for bad in [&b"\x03\x01\0\0a"[..], b"\x02\x01\x01\0ab", b"\x01\0\0\0", b"\x01\x01\0\0\xff"] {
            assert_eq!(read(bad), Err(Error::Invalid), "{bad:?}");
        }
    }
}
