//! One record of the log. Who sent it is what the kernel says; of the text nothing may look like another
//! record, so what would steer a terminal or begin a line is replaced.

use alloc::string::String;
use nexus_abi::{Identity, Ticks};
use nexus_rt::api::log::{Level, Purpose};

/// What stands before the text of records that call for attention.
pub const fn mark(level: Level) -> &'static str {
    match level {
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        Level::Info | Level::Debug | Level::Trace => "",
    }
}

/// A record as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its number: the first since start is 0.
    pub sequence: u64,
    /// When it was received.
    pub time: Ticks,
    /// Who sent it.
    pub source: Identity,
    /// How much it matters.
    pub level: Level,
    /// What it is for.
    pub purpose: Purpose,
    /// What it says.
    pub text: String,
}

/// A text made harmless: it stays on its line and steers no terminal.
pub fn harmless(text: &str) -> String {
    // Most are.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return String::from(text);
    }
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_rt::api::log::{MAX_KEPT, MAX_TEXT};

    #[test]
    fn a_text_cannot_begin_a_line_of_its_own() {
        assert_eq!(harmless("ok\nSELFTEST: forged\x1b[2J"), "ok·SELFTEST: forged·[2J");
    }

    #[test]
    fn the_longest_text_is_kept_whole_whatever_it_holds() {
        assert!(harmless(&"\n".repeat(MAX_TEXT)).len() <= MAX_KEPT);
    }
}
