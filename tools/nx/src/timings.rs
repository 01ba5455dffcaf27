//! How long work took the last time it went well, so that the next time there is an estimate. Only a hint: a file that
//! is gone or damaged is no failure.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::house::House;

fn file(house: &House) -> PathBuf {
    house.root().join("build/timings.json")
}

fn read(house: &House) -> Map<String, Value> {
    let text = fs::read_to_string(file(house)).unwrap_or_default();
    match serde_json::from_str(&text) {
        Ok(Value::Object(known)) => known,
        _ => Map::new(),
    }
}

/// How long `work` took the last time.
pub fn last(house: &House, work: &str) -> Option<Duration> {
    let seconds = read(house).get(work)?.as_f64().filter(|seconds| (0.0..86_400.0).contains(seconds))?;
    Some(Duration::from_secs_f64(seconds))
}

/// Notes how long `work` took.
pub fn note(house: &House, work: &str, took: Duration) {
    let mut known = read(house);
    known.insert(work.to_string(), json!((took.as_secs_f64() * 10.0).round() / 10.0));
    let file = file(house);
    let draft = file.with_extension(format!("draft{}", std::process::id()));
    let _ = fs::write(&draft, Value::Object(known).to_string()).and_then(|()| fs::rename(&draft, &file));
}

/// `, about 12 s` when it is known how long `work` takes, else nothing.
pub fn about(house: &House, work: &str) -> String {
    last(house, work).map_or(String::new(), |took| format!(", about {}", span(took)))
}

/// A span of time as people say it.
pub fn span(time: Duration) -> String {
    match time.as_secs() {
        0 => String::from("1 s"),
        seconds @ 1..=99 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_shortly() {
        assert_eq!(span(Duration::from_millis(10)), "1 s");
        assert_eq!(span(Duration::from_secs(99)), "99 s");
        assert_eq!(span(Duration::from_secs(125)), "2 min 05 s");
    }
}
