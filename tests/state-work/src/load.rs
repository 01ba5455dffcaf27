//! Steps without an end, each one commit, and what there is after so many: a few slots that are written in turn and emptied now and then, and the
//! number of steps. Whoever reads the number knows all the rest.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Value, mixed};

/// Where the number of steps is.
pub const COUNT: &str = "app/test/load/count";

/// Slots.
pub const SLOTS: usize = 48;

/// One of so many steps empties a slot besides.
const EMPTIES: usize = 5;

/// Longest value of a slot.
const LONGEST: u64 = 900;

/// The path of a slot.
pub fn slot(number: usize) -> String {
    format!("app/test/load/slot/{number:02}")
}

/// What a step writes.
fn written(step: usize) -> Vec<u8> {
    let seed = mixed(step as u64);
    Value { length: (seed % LONGEST) as usize, seed }.bytes()
}

/// The slot that a step empties, whether or not something is in it.
fn emptied(step: usize) -> Option<usize> {
    (step % EMPTIES == EMPTIES - 1).then_some((step + SLOTS / 2) % SLOTS)
}

/// What is in a slot after so many steps.
pub fn value(steps: usize, number: usize) -> Option<Vec<u8>> {
    let last = (0..steps).rev().take(SLOTS).find(|step| step % SLOTS == number)?;
    let is_gone = (last..steps).any(|step| emptied(step) == Some(number));
    (!is_gone).then(|| written(last))
}

/// The changes of the step that follows so many: paths, and a value or none.
pub fn step(steps: usize) -> Vec<(String, Option<Vec<u8>>)> {
    let count = (steps + 1).to_string().into_bytes();
    let mut changes = [(slot(steps % SLOTS), Some(written(steps))), (COUNT.into(), Some(count))].to_vec();
    if let Some(number) = emptied(steps).filter(|number| value(steps, *number).is_some()) {
        changes.push((slot(number), None));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn the_number_of_steps_says_what_there_is() {
        let (mut all, mut emptied) = (BTreeMap::new(), 0);
        for steps in 0..500 {
            for number in 0..SLOTS {
                assert_eq!(value(steps, number).as_ref(), all.get(&slot(number)), "{number} after {steps}");
            }
            for (path, value) in step(steps) {
                match value {
                    Some(value) => drop(all.insert(path, value)),
                    None => {
                        assert!(all.remove(&path).is_some(), "a slot that was empty");
                        emptied += 1;
                    }
                }
            }
            assert_eq!(all[COUNT], (steps + 1).to_string().into_bytes());
        }
        assert!(emptied > 50, "{emptied}");
    }
}
