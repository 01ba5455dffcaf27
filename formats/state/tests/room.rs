//! How many pages a charged byte can come to take, whatever a service does: values of awkward lengths, put and uploaded, overwritten, moved and
//! deleted so that pages are left as empty as they can be, under snapshots too. And that quotas which fit a medium by that are kept on it.

use nexus_state::engine::{MAX_INLINE, PAGE, Shape, Store};
use nexus_state::rules::{AMPLIFICATION, Access, Error, MAX_UPLOADS, Path, State, quotas_that_fit};
use powercut::{Disk, Random};

/// Lengths at which the place of a value changes: in a leaf, on one page, on two, on many. 13 bytes of the row stand before each.
const LENGTHS: [usize; 11] = [0, 1, 686, 687, 688, 700, 701, 4083, 4084, 4096, 65_536];

/// Bytes that the values of one churn are charged for.
const CHARGED: u64 = 600_000;

fn path(number: u64) -> Path {
    // Short, so that as little as possible is charged for it.
    let digit = |n: u64| char::from_digit((n % 36) as u32, 36).expect("a digit");
    Path::new(&[digit(number / 1296), digit(number / 36), digit(number)].iter().collect::<String>())
        .expect("a path")
}

fn state(bytes: usize, rules: &str) -> State<Disk> {
    let shape = Shape::for_size(bytes as u64).expect("a shape");
    let store = Store::format(Disk::new(bytes), shape, [3; 16], 64).expect("formatted");
    State::new(store, Access::read(rules).expect("rules"), 1).expect("served")
}

fn put(state: &mut State<Disk>, path: &Path, value: &[u8], uploaded: bool) -> Result<(), Error> {
    if !uploaded {
        return state.put(2, path, value).map(drop);
    }
    let mut upload = state.upload(2, path, value.len())?;
    match state.upload_more(&mut upload, value) {
        Ok(()) => state.publish(upload).map(drop),
        Err(error) => {
            state.give_up(upload);
            Err(error)
        }
    }
}

/// Bytes of pages that are taken for each byte that is charged, after a checkpoint.
fn taken(state: &mut State<Disk>) -> f64 {
    state.store_mut().checkpoint().expect("a checkpoint");
    let figures = state.store().figures();
    let pages = u64::from(figures.pages - figures.free) * PAGE as u64;
    pages as f64 / (state.used(1) + state.used(2)) as f64
}

/// The most that values of this length come to.
fn churn(length: usize, uploaded: bool, order: u64) -> f64 {
    let mut state = state(24 << 20, "1::rws 1#99999999/99999999 2::rw 2#99999999/99999999");
    let (mut random, value) = (Random(length as u64 + order), vec![7; length]);
    let count = (CHARGED / (length as u64 + 67)).clamp(12, 8000);
    let mut worst: f64 = 0.0;
    for turn in 0..count {
        // Rising, falling, or in no order: pages are split at other places.
        let number = [turn, count - turn, turn * 7919 % count][order as usize];
        put(&mut state, &path(number), &value, uploaded).expect("put");
        if turn % 64 == 63 {
            state.sync(None).expect("safe");
        }
    }
    worst = worst.max(taken(&mut state));
    // Overwritten in no order, then thinned out until pages are nearly empty: all but each second, third, fifth.
    for _ in 0..count / 4 {
        put(&mut state, &path(random.below(count)), &value, uploaded).expect("overwritten");
    }
    worst = worst.max(taken(&mut state));
    state.snapshot(1, "pinned").expect("a snapshot");
    for keep in [2, 3, 5] {
        for number in (0..=count).filter(|number| number % keep != 0) {
            match state.delete(2, &path(number)) {
                Ok(_) | Err(Error::NotFound) => {}
                Err(error) => panic!("delete: {error:?}"),
            }
        }
        worst = worst.max(taken(&mut state));
    }
    for number in 0..count / 8 {
        put(&mut state, &path(random.below(count)), &value, uploaded).expect("put again");
        if number % 3 == 0 {
            state.delete(2, &path(random.below(count))).ok();
        }
    }
    worst = worst.max(taken(&mut state));
    state.drop_snapshot(1, "pinned").expect("dropped");
    worst.max(taken(&mut state))
}

#[test]
fn no_charged_byte_takes_more_than_its_share_of_pages() {
    let mut worst: f64 = 0.0;
    for length in LENGTHS {
        for uploaded in [false, true] {
            for order in 0..3 {
                let taken = churn(length, uploaded, order);
                println!("{length} bytes, uploaded {uploaded}, order {order}: {taken:.2}");
                worst = worst.max(taken);
            }
        }
    }
    assert!(worst <= AMPLIFICATION as f64, "{worst:.2} is more than {AMPLIFICATION}");
    // The shortest value on a page of its own is the worst there is: one that is far from it would say nothing.
    let known = PAGE as f64 / (MAX_INLINE + 64) as f64;
    assert!(worst > known, "{worst:.2}: the worst case was not met");
}

#[test]
fn a_quota_that_fits_is_kept_to_its_last_byte() {
    const BYTES: usize = 24 << 20;
    let most = quotas_that_fit(BYTES as u64);
    assert!(most > 1 << 20, "{most}");
    let mut state = state(BYTES, &format!("2::rw 2#{most}/{most}"));
    let (mut number, mut random) = (0, Random(9));
    // The worst kind of value, with the log full of changes in between, until the quota and nothing else says no.
    loop {
        match put(&mut state, &path(number), &[7; 688], number % 2 == 0) {
            Ok(()) => number += 1,
            Err(Error::QuotaExceeded) => break,
            Err(error) => panic!("{number} values: {error:?}"),
        }
        put(&mut state, &path(random.below(number)), &[8; 688], false).expect("overwritten");
    }
    assert!(state.used(2) + 688 + 67 > most, "{} of {most}", state.used(2));
    for _ in 0..2000 {
        put(&mut state, &path(random.below(number)), &[9; 688], random.below(2) == 0).expect("a full quota");
    }
    for number in 0..number {
        state.delete(2, &path(number)).expect("deleted");
    }
    assert_eq!(state.used(2), 0);
}

#[test]
fn beside_a_full_quota_as_much_of_it_is_on_its_way_as_uploads() {
    const BYTES: usize = 24 << 20;
    let most = quotas_that_fit(BYTES as u64);
    let mut state = state(BYTES, &format!("2::rw 2#{most}/{most}"));
    let mut number = 0;
    while put(&mut state, &path(number), &[7; 688], false).is_ok() {
        number += 1;
    }
    assert!(state.used(2) + 688 + 67 > most, "{} of {most}", state.used(2));
    let part = vec![5; most as usize / MAX_UPLOADS];
    let mut uploads: Vec<_> = (0..MAX_UPLOADS as u64)
        .map(|upload| state.upload(2, &path(upload), part.len()).expect("within the quota"))
        .collect();
    for upload in &mut uploads {
        state.upload_more(upload, &part).expect("room for all of it");
    }
    // Nobody waits for them: what is stored can be changed meanwhile.
    for number in 0..number {
        put(&mut state, &path(number), &[8; 688], false).expect("overwritten");
    }
    uploads.into_iter().for_each(|upload| state.give_up(upload));
}

#[test]
fn uploads_on_their_way_are_no_more_than_the_quota() {
    let mut state = state(24 << 20, "2::rw 2#9000/9000");
    let longest = 9000;
    assert_eq!(state.upload(2, &path(1), longest + 1).map(drop), Err(Error::QuotaExceeded));
    let first = state.upload(2, &path(1), 4000).expect("begun");
    let second = state.upload(2, &path(2), 5000).expect("begun");
    assert_eq!(state.upload(2, &path(3), 1).map(drop), Err(Error::QuotaExceeded));
    state.give_up(first);
    let third = state.upload(2, &path(3), 4000).expect("there is room again");
    assert_eq!(state.publish(third).map(drop), Err(Error::Invalid), "its bytes have not come");
    state.give_up(second);
    state.upload(2, &path(3), longest).map(|upload| state.give_up(upload)).expect("all of it");
}

#[test]
fn at_a_full_medium_everything_can_be_deleted() {
    for bytes in [512 << 10, 1 << 20, 8 << 20] {
        for length in [0, 100, 688, 20_000] {
            let mut state = state(bytes, "2::rw 2#99999999/99999999");
            let mut number = 0;
            while number < 46_656 {
                match put(&mut state, &path(number), &vec![7; length], false) {
                    Ok(()) => number += 1,
                    Err(Error::NoSpace) => break,
                    Err(error) => panic!("{error:?}"),
                }
            }
            for number in 0..number {
                let done = state.delete(2, &path(number)).and_then(|receipt| state.sync(Some(receipt)));
                done.unwrap_or_else(|error| panic!("{bytes} bytes, values of {length}: {error:?}"));
            }
            assert_eq!(state.used(2), 0);
            put(&mut state, &path(1), &vec![8; length.min(5000)], false).expect("there is room again");
        }
    }
}
