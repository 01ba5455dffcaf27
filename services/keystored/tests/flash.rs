//! The driver of the flash: every word that it writes may be its last, whatever the chips say is bounded, and what is no flash is none.

mod support;

use keystored::flash::Chips as Driver;
use nexus_vault::{Error, Fault, Flash, SECRET, USED, Vault};
use support::{BLOCK, Chips, Lie, WINDOW, erased};

const ROOT: [u8; SECRET] = [7; SECRET];

fn find(chips: &Chips) -> Result<Option<impl Flash>, Fault> {
    let rest = || chips.rests.set(chips.rests.get() + 1);
    Driver::find(chips, WINDOW, rest)
}

/// One driver's life: it opens or makes the vault, and raises a counter. Answers what it was told last.
fn live(chips: &Chips, mut told: u64, rounds: u64) -> u64 {
    let Ok(Some(flash)) = find(chips) else { return told };
    let opened = match Vault::open(flash) {
        Err((flash, Error::Blank)) => Vault::make(flash, ROOT.into()),
        other => other,
    };
    let Ok(mut vault) = opened else { return told };
    for _ in 0..rounds {
        let next = vault.counter(2) + 1;
        if vault.raise(2, next).is_err() {
            break;
        }
        told = next;
    }
    told
}

/// What the next driver finds.
fn found(chips: &Chips) -> Result<u64, Error> {
    chips.driver(usize::MAX);
    let flash = find(chips).map_err(Error::Flash)?.ok_or(Error::Foreign)?;
    let vault = Vault::open(flash).map_err(|(_, error)| error)?;
    assert_eq!(vault.secret(), &ROOT);
    Ok(vault.counter(2))
}

#[test]
fn what_is_programmed_is_read_and_what_is_erased_is_blank() {
    for strict in [false, true] {
        let chips = erased(strict);
        let mut flash = find(&chips).expect("no fault").expect("chips");
        assert_eq!(flash.block(), BLOCK);
        flash.program(1, 8, b"abcdefgh").expect("programmed");
        let mut out = [0; 16];
        flash.read(1, 4, &mut out).expect("read");
        assert_eq!(&out, b"\xff\xff\xff\xffabcdefgh\xff\xff\xff\xff");
        flash.erase(1).expect("erased");
        flash.read(1, 4, &mut out).expect("read");
        assert_eq!(out, [0xff; 16]);
        for (block, at, length) in
            [(0, 1, 4), (0, 0, 5), (0, BLOCK, 4), (0, BLOCK - 4, 8), (2, 0, 4), (0, usize::MAX - 3, 8)]
        {
            assert_eq!(flash.read(block, at, &mut vec![0; length]), Err(Fault::Outside));
            assert_eq!(flash.program(block, at, &vec![0; length]), Err(Fault::Outside));
        }
        assert_eq!(flash.erase(2), Err(Fault::Outside));
        assert_eq!(chips.rests.get(), 0, "chips that are quick are not waited for");
    }
}

#[test]
fn the_driver_may_die_at_every_word() {
    let (mut deaths, mut made) = (0, 0);
    for strict in [false, true] {
        for steps in 0.. {
            let chips = erased(strict);
            chips.driver(steps);
            let told = live(&chips, 0, 6);
            let died = chips.is_dead();
            match found(&chips) {
                Ok(value) => {
                    assert!(value == told || value == told + 1, "after {steps}: {value} instead of {told}");
                    made += 1;
                }
                Err(error) => assert_eq!((error, told), (Error::Blank, 0), "after {steps}"),
            }
            // It dies again, where the first one was mended.
            let chips = Chips::of(chips.vault(), strict);
            chips.driver(steps % 190);
            let told = live(&chips, told, 2);
            match found(&chips) {
                Ok(value) => assert!(value >= told),
                Err(error) => assert_eq!((error, told), (Error::Blank, 0), "after {steps}, and again"),
            }
            deaths += 1;
            if !died {
                break;
            }
        }
    }
    assert!(deaths > 400 && made > 200, "{deaths} deaths, {made} with a vault");
}

#[test]
fn a_driver_that_is_killed_in_a_command_leaves_chips_that_the_next_one_can_use() {
    // The same chips go on: they wait for data, or for a confirmation.
    for strict in [false, true] {
        let chips = erased(strict);
        let mut told = live(&chips, 0, 3);
        for steps in (0..400).map(|round| round % 45) {
            chips.driver(steps);
            let said = live(&chips, told, 1);
            let value = found(&chips).expect("it is open");
            assert!(value >= said && value <= said + 1, "after {steps}: {value} instead of {said}");
            told = value;
        }
        assert!(told > 50);
        chips.vault();
    }
}

#[test]
fn whatever_the_chips_say_is_bounded_and_told() {
    for (lie, error) in
        [(Lie::Busy, Fault::Stuck), (Lie::Fails(0x10), Fault::Refused), (Lie::Fails(2), Fault::Refused)]
    {
        let chips = erased(true);
        let mut flash = find(&chips).expect("no fault").expect("chips");
        chips.lie.set(lie);
        assert_eq!(flash.program(0, 0, &[0; 4]), Err(error), "{lie:?}");
        assert_eq!(flash.erase(0), Err(error), "{lie:?}");
        assert_eq!(chips.rests.get() > 0, lie == Lie::Busy);
        // They are read from again.
        chips.lie.set(Lie::None);
        flash.read(1, 0, &mut [0; 4]).expect("read");
    }
    for lie in [
        Lie::Silent,
        Lie::Split,
        Lie::Other,
        Lie::Size(USED / 2),
        Lie::Size(2 * BLOCK),
        Lie::Size(BLOCK - 512),
        Lie::Size(0),
    ] {
        let chips = erased(true);
        chips.lie.set(lie);
        assert!(find(&chips).expect("no fault").is_none(), "{lie:?}");
        assert!(chips.vault().iter().all(|byte| *byte == 0xff), "{lie:?}");
    }
    let nothing = erased(true);
    nothing.driver(0);
    assert_eq!(find(&nothing).err(), Some(Fault::Outside));
}
