//! The console: what is typed arrives, and its driver dies and comes back like any other.

use crate::awake::Awake;
use crate::restarts::kill_again_and_again;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};

/// What is typed once this was said: whoever watches the console types it.
const ASK: &str = "console: type the word";
const WORD: &[u8] = b"nexus\n";

/// A word that is typed outside is read here, whole and in its order.
pub fn typed(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    bench.say(ASK);
    let mut word: Vec<u8> = Vec::new();
    while word.len() < WORD.len() {
        why("what is typed", bench.console.read(|bytes| word.extend(bytes)))?;
    }
    expect(word == WORD, &format!("not the word was read: {}", String::from_utf8_lossy(&word)))
}

/// A write is whole or nothing: the largest passes, also again and again, and nothing but room is waited for.
pub fn written(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    for round in 0..40 {
        let line = format!("console: {round:02} {}\n", "x".repeat(1000));
        why("a long line", bench.console.write(&line))?;
    }
    why("drain", bench.console.drain())
}

/// The driver is killed again and again: who writes goes on, and nothing grows.
pub fn restarts(bench: &Bench) -> Verdict {
    let _awake = Awake::keep()?;
    kill_again_and_again(bench, "uartd", || why("a line", bench.console.write("console: a line\n")))
}
