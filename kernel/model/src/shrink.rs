//! Makes a failing history short: takes steps away as long as it still fails.

use crate::history::History;

/// The shortest history found for which `fails` still holds. Names are ordinal, so a step that is left can
/// mean something else than before; all that counts is that it fails.
pub fn shrink(mut history: History, mut fails: impl FnMut(&History) -> bool) -> History {
    let mut run = history.len().div_ceil(2);
    while run > 0 {
        let mut at = 0;
        let mut shorter = false;
        while at < history.len() {
            let mut candidate = history.clone();
            candidate.drain(at..(at + run).min(history.len()));
            if fails(&candidate) {
                history = candidate;
                shorter = true;
            } else {
                at += run;
            }
        }
        if !shorter || run > 1 {
            run /= 2;
        }
    }
    history
}
