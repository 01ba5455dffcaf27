//! `nx state` on a disk image: what is put is got, what is only looked at is not changed, and damage is told.

mod support;

use std::fs;
use std::process::Output;

use nexus_state::rules::{Access, KEY, Path, SALT, State, Unlock};
use nx::machine::disk;
use nx::state::image::Image;
use support::{Scratch, exit, words};

const MADE: u64 = 16 << 20;

fn nx(scratch: &Scratch, arguments: &[&str]) -> Output {
    let disk = scratch.path("disk.img");
    let all = [&["state", "--disk", disk.to_str().unwrap()], arguments].concat();
    scratch.nx(&all).output().unwrap()
}

fn good(scratch: &Scratch, arguments: &[&str]) -> String {
    let output = nx(scratch, arguments);
    assert_eq!(exit(&output), 0, "{arguments:?}: {}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_disk_image_is_looked_at_changed_and_carried() {
    let scratch = Scratch::with_tree("exit 1");
    let path = scratch.path("disk.img");
    disk::make(&path, MADE, false).unwrap();
    let none = nx(&scratch, &["ls"]);
    assert_eq!(exit(&none), 1);
    assert!(words(&none).contains("there is no store"), "{}", words(&none));
    assert_eq!(exit(&nx(&scratch, &["reset"])), 2);
    good(&scratch, &["reset", "--yes"]);
    let long: Vec<u8> = (0..200_000).map(|at: u32| (at * 7) as u8).collect();
    fs::write(scratch.path("long"), &long).unwrap();
    let from = scratch.path("long");
    good(&scratch, &["put", "app/long", "--from", from.to_str().unwrap()]);
    fs::write(&from, "short").unwrap();
    good(&scratch, &["put", "/state/app/a", "--from", from.to_str().unwrap()]);
    good(&scratch, &["put", "keystore/secret", "--from", from.to_str().unwrap()]);
    let before = fs::read(&path).unwrap();
    assert_eq!(good(&scratch, &["get", "app/a"]), "short");
    let to = scratch.path("got");
    good(&scratch, &["get", "app/long", "--to", to.to_str().unwrap()]);
    assert!(fs::read(&to).unwrap() == long);
    let listed = good(&scratch, &["ls", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let paths: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["app/a", "app/long", "keystore/secret"]);
    let quota: serde_json::Value = serde_json::from_str(&good(&scratch, &["quota", "--json"])).unwrap();
    assert_eq!(quota[0]["bytes"], quota[0]["charged"]);
    good(&scratch, &["stat"]);
    good(&scratch, &["fsck"]);
    let exported = scratch.path("exported");
    let exported = exported.to_str().unwrap();
    good(&scratch, &["export", exported]);
    assert!(!fs::read_to_string(exported).unwrap().contains("secret"), "what is secret stays");
    assert!(fs::read(&path).unwrap() == before, "looking changes nothing");
    good(&scratch, &["rm", "app/a"]);
    assert_eq!(exit(&nx(&scratch, &["get", "app/a"])), 1);
    good(&scratch, &["reset", "--yes"]);
    good(&scratch, &["import", exported]);
    assert_eq!(good(&scratch, &["get", "app/a"]), "short");
    // One page of the long value is damaged: fsck says so, and everything else is still read.
    let mut image = fs::read(&path).unwrap();
    let at = image.windows(64).position(|part| part == &long[100_000..100_064]).unwrap();
    image[at] ^= 1;
    fs::write(&path, image).unwrap();
    let damaged = nx(&scratch, &["fsck"]);
    assert_eq!(exit(&damaged), 1);
    assert!(words(&damaged).contains("damaged: Page("), "{}", words(&damaged));
    let lost = nx(&scratch, &["get", "app/long"]);
    assert!(exit(&lost) == 1 && words(&lost).contains("Integrity"), "{}", words(&lost));
    assert_eq!(good(&scratch, &["get", "app/a"]), "short");
    // What it still has can be taken out of it, and it is told what it has not; that changes nothing.
    let damaged = fs::read(&path).unwrap();
    let saved = scratch.path("saved");
    assert_eq!(exit(&nx(&scratch, &["export", saved.to_str().unwrap()])), 1);
    let told = good(&scratch, &["salvage", saved.to_str().unwrap()]);
    assert!(told.contains("1 keys are lost") && told.contains("lost: `app/long` (Page("), "{told}");
    let lines = fs::read_to_string(&saved).unwrap();
    assert!(lines.contains("\"app/a\"") && !lines.contains("app/long"), "{lines}");
    assert!(fs::read(&path).unwrap() == damaged);
    // Put together again it is sound, and what is gone stays told until somebody says that it is known.
    let told = good(&scratch, &["fsck", "--repair"]);
    assert!(told.contains("mended: lost: `app/long` (Page("), "{told}");
    good(&scratch, &["fsck"]);
    let stat = || serde_json::from_str::<serde_json::Value>(&good(&scratch, &["stat", "--json"])).unwrap();
    assert_eq!(stat()["lost"], 1);
    let why = |arguments: &[&str]| words(&nx(&scratch, arguments));
    assert!(why(&["get", "app/long"]).contains("Integrity"));
    assert_eq!(good(&scratch, &["get", "app/a"]), "short");
    let quota: serde_json::Value = serde_json::from_str(&good(&scratch, &["quota", "--json"])).unwrap();
    assert_eq!(quota[0]["bytes"], quota[0]["charged"]);
    good(&scratch, &["fsck", "--forget"]);
    assert_eq!(stat()["lost"], 0);
    assert!(why(&["get", "app/long"]).contains("NotFound"));
    // Without any of its superblocks there is nothing to go by.
    let mut image = fs::read(&path).unwrap();
    let magic = b"NXSTATE\0";
    while let Some(at) = image.windows(8).position(|part| part == magic) {
        image[at] ^= 1;
    }
    fs::write(&path, &image).unwrap();
    assert_eq!(exit(&nx(&scratch, &["fsck", "--repair"])), 1);
    assert_eq!(exit(&nx(&scratch, &["salvage", saved.to_str().unwrap()])), 1);
    assert!(fs::read(&path).unwrap() == image, "it is left as it is");
}

#[test]
fn what_is_sealed_stays_on_the_disk_and_is_not_touched_without_its_key() {
    let scratch = Scratch::with_tree("exit 1");
    let path = scratch.path("disk.img");
    disk::make(&path, MADE, false).unwrap();
    good(&scratch, &["reset", "--yes"]);
    let from = scratch.path("from");
    fs::write(&from, "plain").unwrap();
    let from = from.to_str().unwrap();
    good(&scratch, &["put", "boot/a", "--from", from]);
    // What a machine would do.
    let store = Image::open(&path, true).map_err(|_| "open").unwrap().into_store();
    let access = Access::read("5:trust:rw 5#9000/9000 5=trust").unwrap();
    let mut state = State::new(store, access, 1).unwrap();
    let unlock = Unlock { prefix: "trust".into(), key: [7; KEY].into(), salt: [1; SALT], least: 0, used: 0 };
    assert_eq!(state.unlock(5, &unlock), Ok(0));
    state.put(5, &Path::new("trust/a").unwrap(), b"of the machine").unwrap();
    state.sync(None).unwrap();
    let sequence = state.anchor(5, "trust").unwrap();
    drop(state);
    assert!(good(&scratch, &["ls"]).contains("trust/a"));
    let refused = |arguments: &[&str], why: &str| {
        let output = nx(&scratch, arguments);
        assert!(exit(&output) == 1 && words(&output).contains(why), "{arguments:?}: {}", words(&output));
    };
    refused(&["get", "trust/a"], "is sealed");
    refused(&["put", "trust/a", "--from", from], "Busy");
    refused(&["put", "trust/new", "--from", from], "Busy");
    refused(&["rm", "trust/a"], "Busy");
    let exported = scratch.path("exported");
    let told = good(&scratch, &["export", exported.to_str().unwrap()]);
    assert!(told.contains("1 values") && told.contains("1 that are sealed"), "{told}");
    assert!(!fs::read_to_string(&exported).unwrap().contains("trust"));
    good(&scratch, &["put", "boot/a", "--from", from]);
    good(&scratch, &["fsck"]);
    // Nothing of that did anything to the set.
    let store = Image::open(&path, true).map_err(|_| "open").unwrap().into_store();
    let access = Access::read("5:trust:rw 5=trust").unwrap();
    let mut state = State::new(store, access, 1).unwrap();
    assert_eq!(state.unlock(5, &Unlock { least: sequence, ..unlock }), Ok(sequence));
}
