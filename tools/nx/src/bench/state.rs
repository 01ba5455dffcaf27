//! Figures of `/state` on the device, one machine for each disk: with ten keys, a thousand, and a hundred thousand. The disks are made here, with the
//! same engine and rules, so that no machine has to put them all.

use super::{Figure, devices};
use crate::build;
use crate::cli::Variant;
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::options::{DISK_BYTES, Options, Virtio};
use crate::output::Output;
use crate::test::filled;

/// Most keys that a disk has.
pub const MOST: usize = 100_000;

/// Keys that the disks have.
const KEYS: [usize; 3] = [10, 1000, MOST];

/// Bytes of each value, and of a disk that has room for [`MOST`] of them.
const VALUE: usize = 400;
const LARGE: u64 = 256 << 20;

/// Takes the figures that are asked for.
pub fn figures(house: &House, wants: &dyn Fn(&str) -> bool, output: Output) -> Outcome<Vec<Figure>> {
    if !wants("state") || house.additions(Variant::Figures).is_none_or(|path| !path.is_file()) {
        return Ok(Vec::new());
    }
    let mut figures = Vec::new();
    for keys in KEYS {
        let options = Options { icount: true, ..machine(house, keys, output)? };
        output.step("bench", &format!("/state with {keys} keys, one hart, instructions counted exactly"));
        figures.extend(devices::run(&options, output)?);
    }
    Ok(figures)
}

/// A machine that takes them, with a new disk that has so many keys.
pub fn machine(house: &House, keys: usize, output: Output) -> Outcome<Options> {
    let folder = build::build(house, Variant::Figures, output)?.folder;
    let disk = folder.join(format!("{keys}.img"));
    output.step("disk", &format!("{keys} keys of {VALUE} bytes on {}", house.show(&disk)));
    let values = (0..keys).map(|number| (format!("app/bench/key/{number:06}"), vec![number as u8; VALUE]));
    let count = (String::from("app/bench/count"), keys.to_string().into_bytes());
    filled::make(&disk, if keys == MOST { LARGE } else { DISK_BYTES }, values.chain([count]))?;
    let mut options = Options::new(&folder, 1);
    options.disk = Some(disk);
    // What comes over a network comes when it likes, also in the middle of what is counted.
    options.devices.retain(|device| *device != Virtio::Net);
    options.log = Some(house.log("figures-log")?);
    Ok(options)
}
