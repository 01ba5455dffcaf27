//! What the messages of the storm consist of: their number, and bytes that follow from it.

/// Longest message.
pub const MAX_BYTES: usize = 700;

/// The byte at `at` of message `number`.
fn byte(number: u64, at: usize) -> u8 {
    if at < 8 {
        number.to_le_bytes()[at]
    } else {
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (at % 7 * 8)) as u8 ^ at as u8
    }
}

/// Fills a message of at least 8 bytes.
pub fn write(number: u64, bytes: &mut [u8]) {
    bytes.iter_mut().enumerate().for_each(|(at, to)| *to = byte(number, at));
}

/// Fills the answer to a call.
pub fn answer_to(number: u64, bytes: &mut [u8]) {
    write(!number, bytes);
}

/// The number that a message says it has.
pub fn number_of(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(u64::MAX, |raw| u64::from_le_bytes(*raw))
}

/// Whether these are the bytes of message `number`.
pub fn is_sound(number: u64, bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.iter().enumerate().all(|(at, found)| *found == byte(number, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_and_a_missing_number_are_noticed() {
        let mut bytes = [0; 60];
        write(77, &mut bytes);
        assert_eq!(number_of(&bytes), 77);
        assert!(is_sound(77, &bytes) && is_sound(77, &bytes[..8]) && !is_sound(77, &bytes[..7]));
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(!is_sound(77, &bytes), "byte {at}");
            bytes[at] ^= 1;
        }
        let mut answer = bytes;
        answer_to(77, &mut answer);
        assert!(!is_sound(77, &answer) && is_sound(!77, &answer));
    }
}
