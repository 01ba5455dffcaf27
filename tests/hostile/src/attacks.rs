//! Attacks that end with an error: the attacker lives, and says whether every error was the right one.

use crate::watch::Watch;
use harness::{Bench, Verdict};

macro_rules! attacks {
    ($($function:ident = $name:literal $(/ $slow:literal)?;)+) => {
        $(#[doc = concat!("`", $name, "` of the attacker, as often as the lane asks for.")]
        pub fn $function(bench: &Bench) -> Verdict {
            Watch::new(bench)?.attack($name, bench.rounds() $(/ $slow)?)
        })+
    };
}

// A slow one, which has to wait for interrupts, is made less often.

attacks! {
    handles_guessed = "handles.guessed";
    handles_wide = "handles.wide";
    handles_wrong_kind = "handles.wrong_kind";
    handles_missing_right = "handles.missing_right";
    pointers_info = "pointers.info";
    pointers_outgoing = "pointers.outgoing";
    pointers_incoming = "pointers.incoming";
    transfers_lists = "transfers.lists";
    transfers_busy = "transfers.busy";
    transfers_in_flight = "transfers.in_flight";
    transfers_rights_stay_small = "transfers.rights_stay_small";
    transfers_queue = "transfers.queue";
    floods_quota = "floods.quota";
    floods_table = "floods.table";
    floods_tables_of_others = "floods.tables_of_others";
    floods_deep = "floods.deep";
    floods_storms = "floods.storms";
    memory_ranges = "memory.ranges";
    memory_access = "memory.access";
    registers_calls = "registers.calls" / 5;
    registers_interrupts = "registers.interrupts" / 5;
    registers_born = "registers.born" / 5;
    devices_pairs = "devices.pairs";
    errors_threads = "errors.threads";
    errors_answers = "errors.answers";
    memory_windows = "memory.windows";
}

/// A million system calls at random, and ten of them in the long run.
pub fn random_calls(bench: &Bench) -> Verdict {
    const CALLS: u32 = 1_000_000;
    /// As many as the attacker makes for each time it is asked.
    const BATCH: u32 = 2000;
    let times = if bench.full { 10 } else { 1 };
    Watch::new(bench)?.attack("random.calls", times * CALLS / BATCH)
}
