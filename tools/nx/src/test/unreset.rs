//! A machine with a device that never obeys its reset: no driver may be given it, and nobody else may be held up by that.
//!
//! QEMU has no such device, so one is made of what it has: in a bank of flash stands what the registers of a virtio device would show, and
//! the machine's device tree says that the bank is a virtio device. A write of 0 changes nothing there.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::machines::device_tree;
use crate::exit::{Exit, Failure, Outcome};
use crate::machine::Machine;
use crate::machine::console::message;
use crate::machine::options::{Options, Virtio};
use crate::machine::vault::{self, Vault};
use crate::machine::watch::{Verdict, Watcher};

/// Where the registers stand: in the file, and in the machine. What begins a machine with a flash is before that, and read.
const IN_BANK: u64 = 16 << 20;
const AT: u64 = 0x2000_0000 + IN_BANK;

/// Registers by their offset: magic, version, an entropy device, and a status that says that a driver works with it.
const REGISTERS: [(u64, u32); 4] = [(0x00, 0x7472_6976), (0x04, 2), (0x08, 4), (0x70, 0x0f)];

/// The slot that is made the device, and the banks of flash as the tree has them: base and size.
const SLOT: (u64, u64) = (0x1000_1000, 0x1000);
const BANKS: [(u64, u64); 2] = [(0x2000_0000, 0x0200_0000), (0x2200_0000, 0x0200_0000)];

/// What is said of the driver, and what must not be.
const WAITS: &str = "nexus-init: warning: rngd waits: its device is not reset yet";
const GIVEN: [&str; 2] = ["nexus-init: audit: rngd is given the device rng", "rngd: ready"];

/// How long everybody else may take, and how long the driver is watched after that: many times the pause between two resets.
const LIMIT: Duration = Duration::from_secs(60);
const WATCHED: Duration = Duration::from_secs(2);

/// What is wrong about a boot of that machine, and the command that repeats it.
pub fn boots(options: &mut Options, folder: &Path) -> Outcome<(Option<String>, String)> {
    let tree = folder.join("unreset.dtb");
    device_tree(options, &tree)?;
    options.devices.retain(|device| *device != Virtio::Rng);
    let bank = folder.join("unreset.bank");
    make_bank(&bank)?;
    let failed = |error: std::io::Error| Failure::host(tree.display(), &error);
    let changed = changed(fs::read(&tree).map_err(failed)?)
        .ok_or_else(|| Failure::new(Exit::Qemu, "QEMU made another device tree", ""))?;
    fs::write(&tree, changed).map_err(failed)?;
    options.vault = Vault::File(bank);
    options.extra.extend([String::from("-dtb"), tree.display().to_string()]);

    let mut machine = Machine::start(options)?;
    let repeat = machine.command.clone();
    let mut watcher = Watcher::default();
    let mut said: Vec<String> = Vec::new();
    let mut note = |text: &str| said.push(message(text).to_string());
    let ready = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        note(&line.text);
        line.text.ends_with("nexus-init: ready")
    });
    if ready == Verdict::Interrupted {
        return Err(watcher.failure(&ready, &mut machine, "ready", LIMIT.as_secs()));
    }
    if ready != Verdict::Done {
        let failure = watcher.failure(&ready, &mut machine, "everybody else to be ready", LIMIT.as_secs());
        return Ok((Some(failure.what), repeat));
    }
    let later = watcher.watch(&mut machine, Some(Instant::now() + WATCHED), |line| {
        note(&line.text);
        false
    });
    let times = said.iter().filter(|line| *line == WAITS).count();
    let given = said.iter().find(|line| GIVEN.contains(&line.as_str()));
    let wrong = match (later, times, given) {
        (Verdict::Interrupted, ..) => {
            return Err(watcher.failure(&Verdict::Interrupted, &mut machine, "the end", WATCHED.as_secs()));
        }
        (Verdict::TimedOut, 1, None) => None,
        (Verdict::TimedOut, _, None) => Some(format!("`{WAITS}` was said {times} times")),
        (Verdict::TimedOut, _, Some(line)) => Some(format!("`{line}`, although the device was never reset")),
        (other, ..) => Some(format!("the machine came to an end: {other:?}")),
    };
    Ok((wrong, repeat))
}

/// A bank of flash with the registers in it.
fn make_bank(path: &Path) -> Outcome {
    vault::make(path)?;
    let failed = |error: std::io::Error| Failure::host(path.display(), &error);
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    REGISTERS
        .iter()
        .try_for_each(|(offset, word)| file.write_all_at(&word.to_le_bytes(), IN_BANK + offset))
        .map_err(failed)
}

/// The tree with the slot moved to the bank, and the banks gone. `None` if it has them otherwise than QEMU does.
fn changed(mut tree: Vec<u8>) -> Option<Vec<u8>> {
    let moved = (AT, SLOT.1);
    for (from, to) in [(SLOT, moved), (BANKS[0], (BANKS[0].0, 0)), (BANKS[1], (BANKS[1].0, 0))] {
        let old = reg(from);
        let places: Vec<usize> =
            (0..tree.len().saturating_sub(old.len())).filter(|at| tree[*at..].starts_with(&old)).collect();
        let [at] = places[..] else { return None };
        tree[at..at + old.len()].copy_from_slice(&reg(to));
    }
    Some(tree)
}

/// A range as a tree has it: two cells each for base and size.
fn reg((base, bytes): (u64, u64)) -> Vec<u8> {
    [base.to_be_bytes(), bytes.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tree_with_all_three_once_is_changed() {
        let tree = [vec![7; 5], reg(SLOT), vec![8; 3], reg(BANKS[0]), reg(BANKS[1]), vec![9]].concat();
        let now = changed(tree.clone()).expect("it has all three");
        let expected = [
            vec![7; 5],
            reg((AT, 0x1000)),
            vec![8; 3],
            reg((0x2000_0000, 0)),
            reg((0x2200_0000, 0)),
            vec![9],
        ];
        assert_eq!(now, expected.concat());
        assert_eq!(changed(tree[..30].to_vec()), None, "the banks are missing");
        assert_eq!(changed([tree.clone(), reg(SLOT), vec![1]].concat()), None, "a slot twice");
        assert_eq!(changed(Vec::new()), None);
    }
}
