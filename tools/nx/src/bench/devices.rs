//! Figures of devices. One image takes them all, on two machines: an exact one, whose rows in instructions count, and one that runs as
//! fast as it can, whose rows in time count. The round trip over the network is timed by a client on this host.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Figure;
use super::guest::figure;
use crate::build;
use crate::cli::Variant;
use crate::exit::{Exit, Failure, Outcome};
use crate::house::House;
use crate::machine::options::{DISK_BYTES, Options, Virtio};
use crate::machine::watch::{Verdict, Watcher};
use crate::machine::{Ended, Machine};
use crate::output::Output;
use crate::test::{round_trips, said};

const LIMIT: Duration = Duration::from_secs(300);

/// What the exact machine counts, and the other does not.
const EXACT: &str = "instructions";

/// Bytes that go there and back one at a time.
const ECHOES: usize = 1000;

/// Takes the figures that are asked for.
pub fn figures(house: &House, wants: &dyn Fn(&str) -> bool, output: Output) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    if house.additions(Variant::Devices).is_some_and(|path| path.is_file()) {
        let exact = ["irq.deliver", "blk.read_4k", "driver.restart"].iter().any(|row| wants(row));
        let timed = wants("blk.read_seq");
        if exact || timed {
            let folder = build::build(house, Variant::Devices, output)?.folder;
            for icount in [true, false].into_iter().filter(|icount| if *icount { exact } else { timed }) {
                let mut options = Options::new(&folder, 1);
                options.icount = icount;
                options.devices.insert(0, Virtio::SecondDisk);
                options.empty = folder.join("data.img");
                data(&options.empty)?;
                options.log = Some(house.log("devices-log")?);
                let how = if icount { "instructions counted exactly" } else { "as fast as it goes" };
                output.step("bench", &format!("the image for devices, one hart, {how}"));
                let rows = run(&options, output)?;
                figures.extend(rows.into_iter().filter(|row| (row.unit == EXACT) == icount));
            }
        }
    }
    if wants("net") && house.additions(Variant::Net).is_some_and(|path| path.is_file()) {
        output.step("bench", "net.echo_rtt");
        let times = round_trips(house, ECHOES, output)?;
        let micros = times.iter().map(|time| time.as_secs_f64() * 1e6).collect();
        figures.extend(Figure::of("net.echo_rtt", "us", micros));
    }
    Ok(figures)
}

/// A disk with data, since one that is only empty is not read: each word of 8 bytes is its own place.
fn data(path: &Path) -> Outcome {
    if fs::metadata(path).is_ok_and(|known| known.len() == DISK_BYTES) {
        return Ok(());
    }
    let written = File::create(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        (0..DISK_BYTES).step_by(8).try_for_each(|place| file.write_all(&place.to_le_bytes()))?;
        file.flush()
    });
    written.map_err(|error| Failure::host(path.display(), &error))
}

/// Boots the image to its end; every row that it took.
pub fn run(options: &Options, output: Output) -> Outcome<Vec<Figure>> {
    let mut machine = Machine::start(options)?;
    let mut watcher = Watcher::telling(output, "bench", "the image for devices runs", None);
    let (mut figures, mut end) = (Vec::new(), None);
    let verdict = watcher.watch(&mut machine, Some(Instant::now() + LIMIT), |line| {
        let text = said(&line.text);
        figures.extend(figure(text));
        end = end.or(text.strip_prefix("BENCH-END ").and_then(|count| count.parse::<usize>().ok()));
        false
    });
    match verdict {
        Verdict::Ended(Ended::Code(0)) if end == Some(figures.len()) && !figures.is_empty() => Ok(figures),
        Verdict::Ended(Ended::Code(0)) => {
            let what = format!("{} figures were seen, the image says {end:?}", figures.len());
            let what = format!("{what}\n{}", watcher.last_lines());
            Err(Failure::new(Exit::Failed, what, format!("repeat: {}", machine.command)))
        }
        other => Err(watcher.failure(&other, &mut machine, "ended with its figures", LIMIT.as_secs())),
    }
}
