//! Consistent overhead byte stuffing (Cheshire and Baker, 1997): any bytes as bytes that are not 0. A code byte says how far it is to the next
//! zero; 255 says that there is none for 254 bytes.

use alloc::vec::Vec;

/// Longest run without a zero that one code byte stands for.
const RUN: usize = 254;

/// Adds `plain`, stuffed.
pub fn stuff(plain: &[u8], out: &mut Vec<u8>) {
    let mut rest = plain;
    loop {
        let run = rest.iter().take(RUN).take_while(|byte| **byte != 0).count();
        let (head, tail) = rest.split_at(run);
        out.push(run as u8 + 1);
        out.extend(head);
        match tail.split_first() {
            None => return,
            // A whole run stands for itself alone, so the byte after it is yet to come.
            Some(_) if run == RUN => rest = tail,
            Some((_, after)) => rest = after,
        }
    }
}

/// Undoes it in place; answers the length. `None` for what was not stuffed like that.
pub fn unstuff(bytes: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while from < bytes.len() {
        let run = usize::from(bytes[from]).checked_sub(1)?;
        let end = from + 1 + run;
        if end > bytes.len() {
            return None;
        }
        bytes.copy_within(from + 1..end, to);
        (from, to) = (end, to + run);
        if run < RUN && from < bytes.len() {
            bytes[to] = 0;
            to += 1;
        }
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn there_and_back(plain: &[u8]) {
        let mut stuffed = Vec::new();
        stuff(plain, &mut stuffed);
        assert!(!stuffed.contains(&0));
        assert!(stuffed.len() <= plain.len() + plain.len() / RUN + 1);
        let length = unstuff(&mut stuffed);
        assert_eq!(length.map(|length| &stuffed[..length]), Some(plain));
    }

    #[test]
    fn every_length_around_a_run_comes_back() {
        for length in [0, 1, RUN - 1, RUN, RUN + 1, 2 * RUN, 2 * RUN + 1, 1000] {
            there_and_back(&vec![7; length]);
            there_and_back(&vec![0; length]);
            for zero in 0..length {
                let mut plain = vec![7; length];
                plain[zero] = 0;
                there_and_back(&plain);
            }
        }
    }

    #[test]
    fn what_was_not_stuffed_is_refused() {
        for spoiled in [&[0][..], &[2], &[3, 1], &[255, 1], &[1, 0]] {
            assert_eq!(unstuff(&mut spoiled.to_vec()), None, "{spoiled:?}");
        }
    }
}
