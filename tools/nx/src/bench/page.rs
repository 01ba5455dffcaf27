//! Numbers in pages: what stands between `<!-- figures -->`, `<!-- timeline -->` (tables) or `<!-- figure NAME -->` (one number)
//! and the next `<!-- end -->` comes from the committed figures. So no page can go stale: `nx test style` compares.

use std::fmt::Write;

use super::committed::Row;
use super::timeline;

const TABLE: &str = "<!-- figures -->";
const TIMELINE: &str = "<!-- timeline -->";
const ONE: &str = "<!-- figure ";
const CLOSE: &str = " -->";
const END: &str = "<!-- end -->";

/// A page with its numbers filled in; an error names what it asks for and there is not.
pub fn fill(page: &str, rows: &[Row]) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), page);
    while let Some(at) = [TABLE, TIMELINE, ONE].map(|mark| rest.find(mark)).into_iter().flatten().min() {
        let close = at + rest[at..].find(CLOSE).ok_or("a mark without its end")? + CLOSE.len();
        let mark = &rest[at..close];
        let end = close + rest[close..].find(END).ok_or_else(|| format!("`{mark}` without `{END}`"))?;
        filled += &rest[..close];
        filled += &match mark.strip_prefix(ONE) {
            Some(name) => one(name.trim_end_matches(CLOSE), rows)?,
            None if mark == TIMELINE => timeline::table(rows),
            None => table(rows),
        };
        rest = &rest[end..];
    }
    Ok(filled + rest)
}

fn one(name: &str, rows: &[Row]) -> Result<String, String> {
    let row =
        rows.iter().find(|row| row.name == name).ok_or_else(|| format!("there is no figure `{name}`"))?;
    Ok(row.value().map_or_else(|| String::from("unmeasured"), number))
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| row | ours | must | seL4, one core | seL4, SMP | what is counted |\n|---|---|---|---|---|---|\n",
    );
    for row in rows.iter().filter(|row| !row.name.starts_with(timeline::PREFIX)) {
        let anchor = |value: Option<f64>| value.map(number).unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            row.name,
            ours(row),
            bound(row),
            anchor(row.one_core),
            anchor(row.smp),
            row.what
        );
    }
    text
}

/// What was measured: one value, or from where to where for an exact row that is not always the same.
fn ours(row: &Row) -> String {
    let unit = match row.unit.as_str() {
        "instructions" => "",
        "percent of a host core" => " %",
        unit => &format!(" {unit}"),
    };
    match row.ours {
        None => String::from("not measured"),
        Some([min, _, max]) if row.exact && min != max => format!("{} to {}{unit}", number(min), number(max)),
        Some(_) => format!("{}{unit}", row.value().map(number).unwrap_or_default()),
    }
}

/// What it must come to, as a limit.
pub fn bound(row: &Row) -> String {
    let most = row.most.map(|most| format!("≤ {}", number(most)));
    let least = row.least.map(|least| format!("≥ {}", number(least)));
    most.or(least).unwrap_or_default()
}

/// A number as people read it: thousands apart.
pub fn number(value: f64) -> String {
    let text = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    let (whole, part) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::committed::read;

    const ROWS: &str = "[{\"name\":\"a\",\"unit\":\"instructions\",\"exact\":true,\"ours\":[1,2,1234],\"most\":9,\"what\":\"w\"}]";

    #[test]
    fn a_page_is_filled_and_filling_it_again_changes_nothing() {
        let rows = read(ROWS).unwrap();
        let page = "x <!-- figure a -->old<!-- end --> y\n<!-- figures -->\nold\n<!-- end -->\nz";
        let filled = fill(page, &rows).unwrap();
        assert!(filled.contains("x <!-- figure a -->1,234<!-- end --> y"), "{filled}");
        assert!(filled.contains("| `a` | 1 to 1,234 | ≤ 9 |  |  | w |"), "{filled}");
        assert!(filled.ends_with("|\n<!-- end -->\nz"), "{filled}");
        assert_eq!(fill(&filled, &rows).unwrap(), filled);
        assert!(fill("<!-- figure b -->1<!-- end -->", &rows).unwrap_err().contains("`b`"));
        assert!(fill("<!-- figures -->", &rows).is_err());
    }

    #[test]
    fn thousands_stand_apart() {
        for (value, text) in [(0.0, "0"), (999.0, "999"), (1000.0, "1,000"), (1234567.5, "1,234,567.50")] {
            assert_eq!(number(value), text);
        }
    }
}
