//! A timer comes once for each setting, in the order of time, and never before it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::{NEVER, NOW, Signals, Ticks};
use nexus_rt::{Owned, PortKind, TimerKind, clock};

use crate::{PATIENCE_MS, clean, port, wait};

/// A timer bound to a port.
fn timer(bench: &Bench, port: &Owned<PortKind>, key: u64) -> Result<Owned<TimerKind>, String> {
    let timer = why("timer", Owned::<TimerKind>::create(bench.quota))?;
    why("bind", port.bind(&timer, key, Signals::EXPIRED))?;
    Ok(timer)
}

/// Waits for a timer; answers its key and when it was seen.
fn expired(port: &Owned<PortKind>) -> Result<(u64, Ticks), String> {
    let came = wait(port.handle(), clock::in_millis(PATIENCE_MS))?.ok_or("no timer came")?;
    let seen = clock::now();
    expect(came.signals == Signals::EXPIRED, &format!("another signal: {came:?}"))?;
    Ok((came.key, seen))
}

fn nothing_until(port: &Owned<PortKind>, deadline: Ticks) -> Verdict {
    let came = wait(port.handle(), deadline)?;
    expect(came.is_none(), &format!("{came:?} came"))
}

/// Timers that were set in any order come in the order of their times, none before its own, however close they are.
pub fn order(bench: &Bench) -> Verdict {
    /// Ticks between two of them.
    const STEP: Ticks = 100;
    /// Places in the order of time, in the order of setting.
    const PLACES: [u64; 8] = [5, 2, 7, 0, 3, 6, 1, 4];
    /// How long the first lies ahead; a host that has no time is given more.
    const AHEAD_MS: [u64; 4] = [10, 100, 1_000, 10_000];
    clean(bench, || {
        let port = port(bench)?;
        for ahead in AHEAD_MS {
            let begun = clock::in_millis(ahead);
            let at = |place: u64| begun + STEP * place;
            let mut timers = Vec::new();
            for place in PLACES {
                let timer = timer(bench, &port, place + 1)?;
                why("set", timer.set(at(place)))?;
                timers.push(timer);
            }
            if clock::now() >= at(0) {
                continue;
            }
            for place in 0..PLACES.len() as u64 {
                let (key, seen) = expired(&port)?;
                expect(key == place + 1, &format!("timer {key} came in place {place}"))?;
                expect(seen >= at(place), &format!("{} ticks too early", at(place).saturating_sub(seen)))?;
            }
            return nothing_until(&port, clock::now() + STEP);
        }
        Err("no time in which to set the timers".into())
    })
}

/// A later setting replaces an earlier one, also one that has passed and was not taken; `NEVER` clears it; the past comes at once.
pub fn settings(bench: &Bench) -> Verdict {
    const SOON_MS: u64 = 2;
    const LATER_MS: u64 = 10;
    clean(bench, || {
        let port = port(bench)?;
        let timer = timer(bench, &port, 1)?;
        let (soon, later) = (clock::in_millis(SOON_MS), clock::in_millis(LATER_MS));
        why("set", timer.set(soon))?;
        why("set again, later", timer.set(later))?;
        let (_, seen) = expired(&port)?;
        expect(seen >= later, "the setting that was replaced came")?;

        let later = clock::in_millis(1000 * LATER_MS);
        why("set", timer.set(later))?;
        why("set again, earlier", timer.set(clock::in_millis(SOON_MS)))?;
        let (_, seen) = expired(&port)?;
        expect(seen < later, "the earlier setting did not come")?;

        why("set", timer.set(clock::in_millis(SOON_MS)))?;
        why("clear", timer.set(NEVER))?;
        nothing_until(&port, clock::in_millis(LATER_MS))?;

        for past in [NOW, 1, clock::now()] {
            why("set to the past", timer.set(past))?;
            expired(&port)?;
            nothing_until(&port, NOW)?;
        }

        // It expires and nobody takes it; the new setting takes it back.
        why("set", timer.set(clock::in_millis(SOON_MS)))?;
        bench.pause(LATER_MS)?;
        let later = clock::in_millis(LATER_MS);
        why("set again", timer.set(later))?;
        let (_, seen) = expired(&port)?;
        expect(seen >= later, "an event of a setting that was replaced came")?;
        nothing_until(&port, NOW)
    })
}
