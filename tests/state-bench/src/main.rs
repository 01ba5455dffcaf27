//! What a durable put costs on the host, beside SQLite (WAL, `synchronous=FULL`) and plain redb: runs in turn, on files in the same folder,
//! the same keys and values. The engine runs with all its checks.
#![forbid(unsafe_code)]

#[cfg(feature = "others")]
mod others;
mod ours;

use std::path::Path;
use std::time::Instant;

/// Bytes of a value.
const VALUE: usize = 400;

/// Keys that are put, in no order.
const KEYS: u64 = 10_000;

/// Runs of each; the median counts.
const RUNS: usize = 7;

/// A store that is measured.
trait Contender {
    /// Puts all of it durably, or nothing.
    fn put(&mut self, rows: &[(String, Vec<u8>)]);

    /// Flushes and bytes written since the beginning, where they are known.
    fn figures(&self) -> (u64, u64);
}

/// How to make one in a folder.
type Make = fn(&Path) -> Box<dyn Contender>;

fn rows(seed: &mut u64, count: usize) -> Vec<(String, Vec<u8>)> {
    let mut rows: Vec<_> = (0..count)
        .map(|_| {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (format!("app/settings/{:05}", (*seed >> 33) % KEYS), vec![(*seed >> 40) as u8; VALUE])
        })
        .collect();
    rows.sort();
    rows.dedup_by(|a, b| a.0 == b.0);
    rows
}

/// Microseconds of a put of so many rows, and flushes and bytes of all.
fn run(make: Make, folder: &Path, commits: usize, batch: usize) -> (f64, u64, u64) {
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder).expect("a folder");
    let mut store = make(folder);
    let mut seed = 1;
    for _ in 0..20 {
        store.put(&rows(&mut seed, 64));
    }
    let before = store.figures();
    let start = Instant::now();
    for _ in 0..commits {
        store.put(&rows(&mut seed, batch));
    }
    let time = start.elapsed().as_secs_f64() * 1e6 / commits as f64;
    let after = store.figures();
    (time, after.0 - before.0, after.1 - before.1)
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "build/state-bench".into());
    let folder = Path::new(&folder);
    let contenders: &[(&str, Make)] = &[("ours", ours::make)];
    #[cfg(feature = "others")]
    let contenders = &[contenders, &others::ALL].concat();
    for (batch, commits) in [(1, 500), (64, 100)] {
        let mut times = vec![Vec::new(); contenders.len()];
        let mut costs = vec![(0, 0); contenders.len()];
        for _ in 0..RUNS {
            for (index, (_, make)) in contenders.iter().enumerate() {
                let (time, flushes, bytes) = run(*make, folder, commits, batch);
                times[index].push(time);
                costs[index] = (flushes, bytes);
            }
        }
        for (index, (name, _)) in contenders.iter().enumerate() {
            times[index].sort_by(f64::total_cmp);
            let (flushes, bytes) = costs[index];
            let commits = commits as f64;
            println!(
                "batch={batch} store={name} median_us={:.1} min_us={:.1} max_us={:.1} flushes={:.2} bytes={:.0}",
                times[index][RUNS / 2],
                times[index][0],
                times[index][RUNS - 1],
                flushes as f64 / commits,
                bytes as f64 / commits
            );
        }
    }
    std::fs::remove_dir_all(folder).ok();
}
