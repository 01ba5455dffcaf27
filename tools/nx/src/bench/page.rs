//! Numbers in pages: what stands between `<!-- figures -->`, `<!-- kernel -->`, `<!-- timeline -->` (tables) or `<!-- figure NAME -->` (one number)
//! and the next `<!-- end -->` comes from the committed figures. So no page can go stale: `nx test style` compares.

use std::fmt::Write;

use super::committed::Row;
use super::timeline;

const TABLE: &str = "<!-- figures -->";
const KERNEL: &str = "<!-- kernel -->";
const TIMELINE: &str = "<!-- timeline -->";
const ONE: &str = "<!-- figure ";
const CLOSE: &str = " -->";
const END: &str = "<!-- end -->";

/// A page with its numbers filled in; an error names what it asks for and there is not.
pub fn fill(page: &str, rows: &[Row]) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), page);
    while let Some(at) =
        [TABLE, KERNEL, TIMELINE, ONE].map(|mark| rest.find(mark)).into_iter().flatten().min()
    {
        let close = at + rest[at..].find(CLOSE).ok_or("a mark without its end")? + CLOSE.len();
        let mark = &rest[at..close];
        let end = close + rest[close..].find(END).ok_or_else(|| format!("`{mark}` without `{END}`"))?;
        filled += &rest[..close];
        filled += &match mark.strip_prefix(ONE) {
            Some(name) => one(name.trim_end_matches(CLOSE), rows)?,
            None if mark == TIMELINE => timeline::table(rows),
            None if mark == KERNEL => kernel(rows),
            None => table(rows),
        };
        rest = &rest[end..];
    }
    Ok(filled + rest)
}

fn one(name: &str, rows: &[Row]) -> Result<String, String> {
    let row =
        rows.iter().find(|row| row.name == name).ok_or_else(|| format!("there is no figure `{name}`"))?;
    Ok(row.value().map_or_else(|| String::from("unmeasured"), |value| with_unit(value, &row.unit)))
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

/// seL4's one-core build, from its own trace: the row that it stands beside, and what it does there.
const SEL4: (&str, &str) = (
    "ipc.round_trip.0w",
    "| seL4, one core: call, after 51 instructions to enter | 198 | 48 | 59 | 9 |  | 1 |",
);

/// What the kernel executes, each time that a row enters it.
fn kernel(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| in the kernel | instructions | loads | stores | control registers | atomics | fences |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let visits = row.kernel.as_deref().unwrap_or_default();
        for (n, visit) in visits.iter().enumerate() {
            let part = match (visits.len(), n) {
                (1, _) => "",
                (2, 0) => ": call",
                (2, _) => ": answer",
                _ => ": and again",
            };
            let numbers: Vec<String> = visit.iter().map(|count| number(*count as f64)).collect();
            let _ = writeln!(text, "| `{}`{part} | {} |", row.name, numbers.join(" | "));
        }
        if !visits.is_empty() && row.name == SEL4.0 {
            let _ = writeln!(text, "{}", SEL4.1);
        }
    }
    text
}

/// What was measured: one value, or from where to where for an exact row that is not always the same.
fn ours(row: &Row) -> String {
    match (row.ours, row.value()) {
        (Some([min, _, max]), _) if row.exact && min != max => {
            format!("{} to {}", number(min), with_unit(max, &row.unit))
        }
        (_, Some(value)) => with_unit(value, &row.unit),
        (_, None) => String::from("not measured"),
    }
}

/// What it must come to, as a limit.
pub fn bound(row: &Row) -> String {
    let most = row.most.map(|most| format!("≤ {}", with_unit(most, &row.unit)));
    let least = row.least.map(|least| format!("≥ {}", with_unit(least, &row.unit)));
    most.or(least).unwrap_or_default()
}

/// A value with its unit, in the grain that people look at; instructions go without a word.
fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "instructions" => number(value),
        "percent of a host core" => format!("{} %", number(value)),
        "bytes" => format!("{:.1} MB", value / 1e6),
        "ms" => format!("{} ms", number(value.round())),
        unit => format!("{} {unit}", number(value)),
    }
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
    fn each_entry_into_the_kernel_has_a_line() {
        let text = |kernel: &str| ROWS.replace(",\"what\"", &format!(",\"kernel\":{kernel},\"what\""));
        let filled =
            |kernel: &str| fill("<!-- kernel --><!-- end -->", &read(&text(kernel)).unwrap()).unwrap();
        assert!(filled("[[2000,1,2,3,4,5]]").contains("| `a` | 2,000 | 1 | 2 | 3 | 4 | 5 |"));
        let two = filled("[[6,1,2,3,4,5],[7,1,2,3,4,5]]");
        assert!(two.contains("| `a`: call | 6 |") && two.contains("| `a`: answer | 7 |"), "{two}");
        assert!(!filled("[]").contains("`a`"));
    }

    #[test]
    fn thousands_stand_apart_and_units_have_their_grain() {
        for (value, unit, text) in [
            (1234.0, "instructions", "1,234"),
            (933_888.0, "bytes", "0.9 MB"),
            (129.42, "ms", "129 ms"),
            (0.03, "percent of a host core", "0.03 %"),
            (1.97, "times", "1.97 times"),
        ] {
            assert_eq!(with_unit(value, unit), text);
        }
        for (value, text) in [(0.0, "0"), (999.0, "999"), (1000.0, "1,000"), (1234567.5, "1,234,567.50")] {
            assert_eq!(number(value), text);
        }
    }
}
