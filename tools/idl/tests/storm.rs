//! Damaged interface files from a fixed seed: the generator answers each with an interface or a problem whose
//! place is in the file, and what it accepts it can also emit. No panic.

use nexus_idlc::{emit, parse::parse};

const ROUNDS: usize = 2_000;

const PIECES: &[&str] = &[
    "///",
    "//",
    "interface",
    "version",
    "const",
    "errors",
    "enum",
    "struct",
    "call",
    "send",
    "deadline",
    "ms",
    "once",
    "idempotent",
    "permission",
    "handle",
    "bytes",
    "string",
    "u64",
    "bool",
    "<",
    ">",
    "(",
    ")",
    "->",
    "{",
    "}",
    "[",
    "]",
    ";",
    ":",
    ",",
    "=",
    "|",
    "\"",
    "\n",
    " ",
    "0",
    "1",
    "4096",
    "4097",
    "18446744073709551616",
    "0x",
    "é",
    "\u{0}",
    "READ",
    "vmo",
    "MAX_DATA",
    "Stamp",
    "self",
];

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn damaged(numbers: &mut Numbers, whole: &str) -> String {
    let mut characters: Vec<char> = whole.chars().collect();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(characters.len() + 1);
        let len = numbers.below(12).min(characters.len() - at);
        match numbers.below(4) {
            0 => drop(characters.drain(at..at + len)),
            1 => {
                let copy: Vec<_> = characters[at..at + len].to_vec();
                let to = numbers.below(characters.len() + 1);
                characters.splice(to..to, copy);
            }
            2 => characters.truncate(characters.len() - numbers.below(characters.len() / 8 + 1)),
            _ => drop(characters.splice(at..at, PIECES[numbers.below(PIECES.len())].chars())),
        }
    }
    characters.into_iter().collect()
}

#[test]
fn no_text_makes_the_generator_panic() {
    let whole = include_str!("../../../idl/echo.idl");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let text = if round % 8 == 0 {
            (0..numbers.below(60)).map(|_| PIECES[numbers.below(PIECES.len())]).collect()
        } else {
            damaged(&mut numbers, whole)
        };
        match parse(&text) {
            Ok(interface) => {
                accepted += 1;
                if accepted % 16 == 0 {
                    let made = emit::rust::module(&interface).len()
                        + emit::tests::module(&interface).len()
                        + emit::docs::page(&interface).len();
                    assert!(made > 0);
                }
            }
            Err(problem) => {
                refused += 1;
                assert!((1..=text.split('\n').count()).contains(&problem.place.line), "{problem}");
                assert!(problem.place.column >= 1 && !problem.message.is_empty());
            }
        }
    }
    assert!(accepted > 50 && refused > 50, "{accepted} accepted, {refused} refused");
}
