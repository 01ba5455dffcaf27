//! A picture of a session: what `nx` showed, kept while it is shown, drawn as a terminal window in SVG. Nothing is
//! drawn that was not shown: there is no text here but the frame's own.

use std::fmt::Write;
use std::sync::Mutex;

use crate::output::Paint;

/// A line in parts.
pub type Parts = Vec<(String, Paint)>;

/// Most lines that are kept.
const MAX_LINES: usize = 200;

/// Columns of the window; a line that cannot be folded makes it wider.
pub const COLUMNS: usize = 92;

const CHARACTER: f64 = 8.43;
const LINE: usize = 20;
const LEFT: usize = 20;
const TOP: usize = 62;

static KEPT: Mutex<Option<Vec<Parts>>> = Mutex::new(None);

/// Begins to keep what is shown.
pub fn begin() {
    if let Ok(mut kept) = KEPT.lock() {
        *kept = Some(Vec::new());
    }
}

/// Whether lines are kept.
pub fn is_on() -> bool {
    KEPT.lock().is_ok_and(|kept| kept.is_some())
}

/// Keeps a line, if any are kept.
pub fn note(parts: &[(String, Paint)]) {
    let Ok(mut kept) = KEPT.lock() else { return };
    if let Some(lines) = kept.as_mut().filter(|lines| lines.len() < MAX_LINES) {
        lines.push(parts.to_vec());
    }
}

/// What was kept; nothing more is.
pub fn end() -> Vec<Parts> {
    KEPT.lock().ok().and_then(|mut kept| kept.take()).unwrap_or_default()
}

/// The beginning of a picture: its size, its words' colours, and the ground that it brings.
pub fn ground(title: &str, width: usize, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n\
         <style>\n\
         text {{ font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #d8dee9; white-space: pre; }}\n\
         .good {{ fill: #8fd18b; }} .bad {{ fill: #f0787d; font-weight: bold; }} .dim {{ fill: #8d97a8; }}\n\
         .step {{ fill: #79c7e3; font-weight: bold; }} .title {{ fill: #aab3c2; text-anchor: middle; }}\n\
         </style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"9\" fill=\"#1b1f27\" stroke=\"#4b5363\"/>\n",
        escape(title),
        width - 1,
        height - 1
    )
}

/// A terminal window with these lines, readable on light and on dark pages: it brings its own ground.
pub fn svg(title: &str, lines: &[Parts]) -> String {
    let length = |line: &Parts| line.iter().map(|(text, _)| text.chars().count()).sum::<usize>();
    let columns = lines.iter().map(length).max().unwrap_or(0).max(COLUMNS);
    let width = 2 * LEFT + (columns as f64 * CHARACTER).ceil() as usize;
    let height = TOP + lines.len() * LINE + 8;
    let mut out = ground(title, width, height);
    let _ = write!(
        out,
        "<path d=\"M1 36V10a9 9 0 0 1 9-9H{}a9 9 0 0 1 9 9v26z\" fill=\"#2a303c\"/>\n\
         <circle cx=\"20\" cy=\"18\" r=\"6\" fill=\"#e0616a\"/><circle cx=\"40\" cy=\"18\" r=\"6\" fill=\"#e5c07b\"/>\
         <circle cx=\"60\" cy=\"18\" r=\"6\" fill=\"#8fc27a\"/>\n\
         <text class=\"title\" x=\"{}\" y=\"23\">{}</text>\n",
        width - 10,
        width / 2,
        escape(title)
    );
    for (number, line) in lines.iter().enumerate() {
        let _ = write!(out, "<text x=\"{LEFT}\" y=\"{}\" xml:space=\"preserve\">", TOP + number * LINE);
        for (text, paint) in line {
            let class = match paint {
                Paint::Plain => "",
                Paint::Good => " class=\"good\"",
                Paint::Bad => " class=\"bad\"",
                Paint::Dim => " class=\"dim\"",
                Paint::Step => " class=\"step\"",
            };
            let _ = write!(out, "<tspan{class}>{}</tspan>", escape(text));
        }
        out.push_str("</text>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// The lines of a picture that [`svg`] drew, as text.
pub fn texts(svg: &str) -> Vec<String> {
    let lines = svg.lines().filter(|line| line.starts_with("<text x="));
    let bare = |line: &str| {
        let mut text = String::new();
        let mut in_tag = false;
        for character in line.chars() {
            match character {
                '<' => in_tag = true,
                '>' => in_tag = false,
                _ if !in_tag => text.push(character),
                _ => {}
            }
        }
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    lines.map(bare).collect()
}

/// Text as it stands in a picture.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_can_be_read_back() {
        let lines = [vec![("a <b> & c".to_string(), Paint::Good), ("  d".to_string(), Paint::Plain)], vec![]];
        let drawn = svg("x & y", &lines);
        assert_eq!(texts(&drawn), ["a <b> & c  d", ""]);
        assert!(drawn.contains("<title>x &amp; y</title>"));
    }
}
