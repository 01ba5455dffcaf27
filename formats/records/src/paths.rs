//! Where records lie under `/state`.

use alloc::format;
use alloc::string::String;

/// What lies over crash records, and over logs.
pub const CRASH: &str = "crash";
/// See [`CRASH`].
pub const LOG: &str = "log";

/// The path of a crash record: which boot, and which fault of it.
pub fn crash(boot: u32, number: u32) -> String {
    format!("{CRASH}/{boot:08}-{number:04}")
}

/// The path of a part of a log: which boot, and which part.
pub fn log(boot: u32, segment: u32) -> String {
    format!("{LOG}/{boot:08}/{segment:04}")
}

fn pair(text: &str, over: &str, between: char) -> Option<(u32, u32)> {
    let (first, second) = text.strip_prefix(over)?.strip_prefix('/')?.split_once(between)?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// Boot and number of a crash record's path; nothing for any other, and for another spelling of one.
pub fn read_crash(path: &str) -> Option<(u32, u32)> {
    pair(path, CRASH, '-').filter(|(boot, number)| crash(*boot, *number) == path)
}

/// Boot and part of a log's path; nothing for any other, and for another spelling of one.
pub fn read_log(path: &str) -> Option<(u32, u32)> {
    pair(path, LOG, '/').filter(|(boot, segment)| log(*boot, *segment) == path)
}
