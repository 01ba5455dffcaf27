//! What a durable put costs on the host, beside SQLite (WAL, `synchronous=FULL`) and plain redb: on files in the same folder, the same
//! keys and values, in turn. The engine runs with all its checks.
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

/// Rows of a put, and how many puts: enough for several checkpoints of ours.
const SHAPES: [(usize, usize); 2] = [(1, 1100), (64, 100)];

/// Runs; the median counts.
const RUNS: usize = 7;

/// A store that is measured.
trait Contender {
    /// Puts all of it durably, or nothing.
    fn put(&mut self, rows: &[(String, Vec<u8>)]);

    /// Flushes since the beginning, where they can be counted.
    fn flushes(&self) -> Option<u64>;
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

/// What a put of so many rows came to in one run.
#[derive(Clone, Copy, Default)]
struct Cost {
    micros: f64,
    flushes: Option<f64>,
    bytes: f64,
}

/// Bytes that this process has written so far, to whatever file.
fn written() -> f64 {
    let account = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = account.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|count| count.parse().ok()).unwrap_or(f64::NAN)
}

/// Every contender does the same puts, one put each in turn, so that whatever the host does meanwhile it does to all.
fn run(contenders: &[(&str, Make)], folder: &Path, commits: usize, batch: usize) -> Vec<Cost> {
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder).expect("a folder");
    let mut seed = 1;
    let mut stores: Vec<_> = contenders.iter().map(|(_, make)| make(folder)).collect();
    for _ in 0..20 {
        let rows = rows(&mut seed, 64);
        stores.iter_mut().for_each(|store| store.put(&rows));
    }
    let before: Vec<_> = stores.iter().map(|store| store.flushes()).collect();
    let mut costs = vec![Cost::default(); stores.len()];
    for turn in 0..commits {
        let rows = rows(&mut seed, batch);
        for place in 0..stores.len() {
            let place = (place + turn) % stores.len();
            let (bytes, start) = (written(), Instant::now());
            stores[place].put(&rows);
            costs[place].micros += start.elapsed().as_secs_f64() * 1e6 / commits as f64;
            costs[place].bytes += (written() - bytes) / commits as f64;
        }
    }
    for ((cost, store), before) in costs.iter_mut().zip(&stores).zip(before) {
        let all = store.flushes().zip(before).map(|(after, before)| after - before);
        cost.flushes = all.map(|all| all as f64 / commits as f64);
    }
    costs
}

/// The smallest, the middle and the largest of some values.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "build/state-bench".into());
    let folder = Path::new(&folder);
    let contenders: &[(&str, Make)] = &[("ours", ours::make)];
    #[cfg(feature = "others")]
    let contenders = &[contenders, &others::ALL].concat();
    for (batch, commits) in SHAPES {
        let runs: Vec<Vec<Cost>> = (0..RUNS).map(|_| run(contenders, folder, commits, batch)).collect();
        for (place, (name, _)) in contenders.iter().enumerate() {
            let [min, median, max] = spread(runs.iter().map(|run| run[place].micros));
            let [_, ratio, _] = spread(runs.iter().map(|run| run[place].micros / run[0].micros));
            let Cost { flushes, bytes, .. } = runs[0][place];
            let flushes = flushes.map_or(String::from("unknown"), |flushes| format!("{flushes:.2}"));
            println!(
                "batch={batch} store={name} median_us={median:.1} min_us={min:.1} max_us={max:.1} \
                 ratio={ratio:.3} flushes={flushes} bytes={bytes:.0}"
            );
        }
    }
    std::fs::remove_dir_all(folder).ok();
}
