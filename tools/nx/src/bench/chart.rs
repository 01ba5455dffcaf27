//! Bars in groups under one axis, as SVG on the ground of our pictures. The same bars give the same bytes.

use std::fmt::Write;

use crate::picture::{escape, ground};

/// A bar: from where to where, in units of the axis, in which colour, and what stands behind it.
pub struct Bar {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its colour.
    pub colour: &'static str,
    /// What stands behind it.
    pub text: String,
}

/// Bars that belong together, under one label.
pub struct Group {
    /// Its label.
    pub label: String,
    /// Its bars, from above.
    pub bars: Vec<Bar>,
    /// Where a mark stands across them: a limit.
    pub mark: Option<f64>,
}

/// A whole chart.
pub struct Chart<'a> {
    /// What it shows.
    pub title: &'a str,
    /// The colours, and what each means.
    pub legend: &'a [(&'static str, &'a str)],
    /// Places on the axis, with their words.
    pub ticks: &'a [(f64, String)],
    /// The end of the axis.
    pub end: f64,
    /// The groups, from above.
    pub groups: Vec<Group>,
}

/// Colours of bars.
pub const OURS: &str = "#8fd18b";
/// See [`OURS`].
pub const OTHER: &str = "#7488b5";
/// See [`OURS`].
pub const THIRD: &str = "#55617d";

const MARK: &str = "#e5c07b";
const LEFT: f64 = 220.0;
const AXIS: f64 = 520.0;
const WIDTH: usize = 880;
/// Room for the words behind a bar.
const WORDS: f64 = 45.0;
const TOP: usize = 88;
const BAR: usize = 13;
const GAP: usize = 11;

/// Draws it.
pub fn svg(chart: &Chart) -> String {
    let rows = |group: &Group| group.bars.len() * BAR + GAP;
    let bottom = TOP + chart.groups.iter().map(rows).sum::<usize>();
    let x = |value: f64| LEFT + AXIS * (value / chart.end).clamp(0.0, 1.0);
    let mut out = ground(chart.title, WIDTH, bottom + 16);
    let _ = writeln!(
        out,
        "<style>text {{ font-size: 12px; }} .head {{ font-size: 14px; fill: #d8dee9; }}</style>\n\
         <text class=\"head\" x=\"20\" y=\"28\">{}</text>",
        escape(chart.title)
    );
    let mut at = 20;
    for (colour, words) in chart.legend {
        let _ = writeln!(out, "<rect x=\"{at}\" y=\"42\" width=\"10\" height=\"10\" fill=\"{colour}\"/>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"51\">{}</text>", at + 16, escape(words));
        at += 40 + words.chars().count() * 8;
    }
    for (value, words) in chart.ticks {
        let at = x(*value);
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} {}V{bottom}\" stroke=\"#333a48\"/><text class=\"dim\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            TOP - 10,
            TOP - 14,
            escape(words)
        );
    }
    let mut y = TOP;
    for group in &chart.groups {
        let height = group.bars.len() * BAR;
        let label = escape(&group.label);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>",
            LEFT - 12.0,
            y + height / 2 + 4
        );
        for (number, bar) in group.bars.iter().enumerate() {
            let (from, to) = (x(bar.from), x(bar.to));
            let top = y + number * BAR;
            // Words stand behind the bar, and behind the mark where that would run through them.
            let mark = group.mark.map(x).filter(|mark| (to..to + WORDS).contains(mark));
            let _ = writeln!(
                out,
                "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                (to - from).max(1.0),
                BAR - 2,
                bar.colour,
                mark.unwrap_or(to) + 6.0,
                top + BAR - 3,
                escape(&bar.text)
            );
        }
        if let Some(mark) = group.mark {
            let _ = writeln!(
                out,
                "<path d=\"M{:.1} {}v{}\" stroke=\"{MARK}\" stroke-width=\"2\"/>",
                x(mark),
                y - 3,
                height + 4
            );
        }
        y += height + GAP;
    }
    out += "</svg>\n";
    out
}

/// The colour of a limit, for the legend.
pub const LIMIT: &str = MARK;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_it_says_and_the_same_bytes_come_again() {
        let draw = || {
            let bar = Bar { from: 0.0, to: 50.0, colour: OURS, text: "50 <".into() };
            let groups = vec![Group { label: "a & b".into(), bars: vec![bar], mark: Some(100.0) }];
            svg(&Chart {
                title: "t",
                legend: &[(OURS, "ours")],
                ticks: &[(0.0, "0".into())],
                end: 100.0,
                groups,
            })
        };
        let drawn = draw();
        assert!(drawn.contains("<rect x=\"220.0\" y=\"88\" width=\"260.0\""), "{drawn}");
        assert!(drawn.contains("a &amp; b") && drawn.contains("50 &lt;"));
        assert!(drawn.contains("M740.0"), "{drawn}");
        assert_eq!(drawn, draw());
    }
}
