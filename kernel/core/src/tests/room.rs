//! Where memory goes whose address is left to the kernel: the same as by looking at every mapping again for each that is in the way.

use super::harts::random;
use crate::mapping::PAGE;
use crate::process::Mapping;
use crate::room;
use nexus_abi::bounds::MAX_MAPPINGS;

const FIRST: u64 = 1000;
const LAST: u64 = 1400;

/// By the rule as it is told: the lowest start at which nothing is in the way.
fn lowest(mappings: &[Mapping], pages: u64) -> Option<u64> {
    let is_free = |start: &u64| {
        mappings.iter().filter(|m| m.pages.get() != 0).all(|m| {
            let (first, count) = (m.start.get() / PAGE, m.pages.get() as u64);
            first > start + pages || *start > first + count
        })
    };
    (FIRST..=LAST.checked_sub(pages)?).find(is_free).map(|start| start * PAGE)
}

#[test]
fn room_is_found_where_the_rule_says_in_whatever_order_the_mappings_are() {
    let (mut state, mut found, mut full) = (7, 0, 0);
    let mut below = |bound: u64| {
        let (next, value) = random(state);
        state = next;
        value % bound
    };
    for _ in 0..2000 {
        let mappings: [Mapping; MAX_MAPPINGS] = core::array::from_fn(|_| Mapping::default());
        let count = below(MAX_MAPPINGS as u64 + 1) as usize;
        // Ranges one after the other, some of them touching and some before the region, in any order of records and with records between
        // that are free.
        let mut at = FIRST - 20;
        let mut places: Vec<usize> = (0..MAX_MAPPINGS).collect();
        for n in 0..count {
            let place = places.remove(below(places.len() as u64) as usize);
            let pages = 1 + below(8);
            mappings[place].start.set(at * PAGE);
            mappings[place].pages.set(pages as u32);
            at += pages + if n % 3 == 0 { 0 } else { below(5) };
        }
        let pages = match below(20) {
            0 => LAST - FIRST + below(2),
            _ => 1 + below(60),
        };
        let answer = room::find(&mappings, FIRST * PAGE..LAST * PAGE, pages * PAGE);
        assert_eq!(answer, lowest(&mappings, pages), "{pages} pages among {count}");
        found += answer.is_some() as u32;
        full += answer.is_none() as u32;
    }
    assert!(found > 500 && full > 100, "{found} found, {full} not");
}

#[test]
fn mappings_that_lie_backwards_are_passed_by_in_one_go_and_what_is_too_large_finds_none() {
    let mappings: [Mapping; MAX_MAPPINGS] = core::array::from_fn(|_| Mapping::default());
    for (n, mapping) in mappings.iter().rev().enumerate() {
        mapping.start.set((FIRST + n as u64) * PAGE);
        mapping.pages.set(1);
    }
    let behind = FIRST + MAX_MAPPINGS as u64 + 1;
    let region = FIRST * PAGE..LAST * PAGE;
    assert_eq!(room::find(&mappings, region.clone(), PAGE), Some(behind * PAGE));
    assert_eq!(room::find(&mappings, region.clone(), (LAST - behind) * PAGE), Some(behind * PAGE));
    assert_eq!(room::find(&mappings, region.clone(), (LAST - behind + 1) * PAGE), None);
    assert_eq!(room::find(&mappings, region, u64::MAX / PAGE * PAGE), None);
}
