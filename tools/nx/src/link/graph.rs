//! The live capability graph: processes, and what joins them because of the handles that they hold. Drawn as SVG: processes on a circle, a line between
//! two that share a channel or another object. Lines to a process that most others are joined with are pale, so that the rest can be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;
use std::fmt::Write;

use nexus_abi::Kind;
use serde_json::{Value, json};

use super::caps::{Holder, kind, peers};

/// Size of the picture, radius of the circle, and of a process on it.
const SIZE: f64 = 900.0;
const RADIUS: f64 = 340.0;
const DOT: f64 = 8.0;

/// What the lines mean: colour, dashes, words.
const LEGEND: [(&str, &str, &str); 3] = [
    (BLUE, "", "a channel; thicker: several"),
    (GREY, DASHES, "another object that both hold"),
    (PALE_BLUE, "", "pale: with a process that most others are joined with too"),
];
const BLUE: &str = "#2563eb";
const GREY: &str = "#6b7280";
const PALE_BLUE: &str = "#c7d7fb";
const PALE_GREY: &str = "#e2e5ea";
const DASHES: &str = " stroke-dasharray=\"4 3\"";

/// An edge: from whom, to whom, over what kind of object.
type Edge = (String, String, Kind);

/// The graph.
pub struct Graph {
    nodes: Vec<(String, BTreeMap<&'static str, usize>)>,
    /// Each edge, with how many objects it stands for.
    edges: BTreeMap<(String, String, &'static str), usize>,
}

impl Graph {
    /// The graph of these processes. A channel joins the holders of its ends; any other object joins those that hold it.
    pub fn of(holders: &[Holder]) -> Graph {
        let peers = peers(holders);
        let mut edges = BTreeMap::new();
        let mut add = |(from, to, kind): Edge| *edges.entry((from, to, kind.name())).or_insert(0) += 1;
        for (index, holder) in holders.iter().enumerate() {
            let mut seen = BTreeSet::new();
            for held in &holder.holdings {
                match kind(held) {
                    Some(Kind::Channel) => {
                        // Once for each channel: at its first end, or at the one whose peer is not elsewhere.
                        let peer = peers.get(&(held.object, 1 - held.end.min(1)));
                        if let Some(peer) = peer.filter(|peer| held.end == 0 && **peer != holder.name) {
                            add((holder.name.clone(), peer.clone(), Kind::Channel));
                        }
                    }
                    Some(kind) if seen.insert(held.object) => {
                        let shares = |other: &&Holder| {
                            other.holdings.iter().any(|theirs| theirs.object == held.object)
                        };
                        for other in holders[index + 1..].iter().filter(shares) {
                            add((holder.name.clone(), other.name.clone(), kind));
                        }
                    }
                    Some(_) | None => {}
                }
            }
        }
        let nodes = holders
            .iter()
            .map(|holder| {
                let mut counts = BTreeMap::new();
                for kind in holder.holdings.iter().filter_map(kind) {
                    *counts.entry(kind.name()).or_insert(0) += 1;
                }
                (holder.name.clone(), counts)
            })
            .collect();
        Graph { nodes, edges }
    }

    /// The graph as a value, and where it was drawn.
    pub fn value(&self, file: &str) -> Value {
        let nodes = self
            .nodes
            .iter()
            .map(|(name, counts)| json!({ "name": name, "handles": counts.values().sum::<usize>() }));
        let edges = self.edges.iter().map(
            |((from, to, kind), objects)| json!({ "from": from, "to": to, "kind": kind, "objects": objects }),
        );
        json!({ "file": file, "nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>() })
    }

    /// Processes that are joined with more than half of the others.
    fn hubs(&self) -> BTreeSet<&str> {
        let mut peers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to, _) in self.edges.keys() {
            peers.entry(from.as_str()).or_default().insert(to.as_str());
            peers.entry(to.as_str()).or_default().insert(from.as_str());
        }
        let others = self.nodes.len().saturating_sub(1);
        peers.into_iter().filter(|(_, peers)| peers.len() * 2 > others).map(|(name, _)| name).collect()
    }

    /// The graph as a picture.
    pub fn svg(&self) -> String {
        let count = self.nodes.len().max(1) as f64;
        let place = |index: usize| {
            let angle = TAU * index as f64 / count - TAU / 4.0;
            (SIZE / 2.0 + RADIUS * angle.cos(), SIZE / 2.0 + RADIUS * angle.sin())
        };
        let of =
            |name: &str| self.nodes.iter().position(|(known, _)| known == name).map_or((0.0, 0.0), place);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIZE} {SIZE}\" font-family=\"sans-serif\" \
             font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        );
        let hubs = self.hubs();
        let is_pale = |from: &str, to: &str| hubs.contains(from) || hubs.contains(to);
        // Pale ones first: the others lie over them. Writing to a string does not fail.
        let mut edges: Vec<_> = self.edges.iter().collect();
        edges.sort_by_key(|((from, to, _), _)| !is_pale(from, to));
        for ((from, to, kind), objects) in edges {
            let ((x1, y1), (x2, y2)) = (of(from), of(to));
            let pale = is_pale(from, to);
            // Bent towards the middle, less for other kinds, so that two edges of one pair do not lie on each other.
            let pull = if *kind == "channel" { 0.35 } else { 0.75 };
            let bend = |a: f64, b: f64| SIZE / 2.0 + ((a + b) / 2.0 - SIZE / 2.0) * pull;
            let (cx, cy) = (bend(x1, x2), bend(y1, y2));
            let (colour, dash) = match (*kind == "channel", pale) {
                (true, false) => (BLUE, ""),
                (true, true) => (PALE_BLUE, ""),
                (false, false) => (GREY, DASHES),
                (false, true) => (PALE_GREY, DASHES),
            };
            let width = if pale { 1.0 } else { 1.5 + (*objects as f64).log2() };
            let _ = writeln!(
                svg,
                "<path d=\"M{x1:.1} {y1:.1} Q{cx:.1} {cy:.1} {x2:.1} {y2:.1}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"{width:.1}\"{dash}><title>{}, {}: {objects} {kind}</title></path>",
                escaped(from),
                escaped(to),
            );
        }
        for (index, (name, counts)) in self.nodes.iter().enumerate() {
            let (x, y) = place(index);
            let (anchor, dx) = if x < SIZE / 2.0 - 1.0 { ("end", -14.0) } else { ("start", 14.0) };
            let held: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{DOT}\" fill=\"#111827\"><title>{}: {}</title></circle>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#111827\">{}</text>",
                escaped(name),
                held.join(", "),
                x + dx,
                y + 5.0,
                escaped(name),
            );
        }
        for (index, (colour, dash, words)) in LEGEND.iter().enumerate() {
            let y = SIZE - 60.0 + 20.0 * index as f64;
            let _ = writeln!(
                svg,
                "<line x1=\"20\" y1=\"{y}\" x2=\"60\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\n\
                 <text x=\"70\" y=\"{}\" font-size=\"12\" fill=\"#374151\">{words}</text>",
                y + 4.0,
            );
        }
        svg + "</svg>\n"
    }
}

/// A name as text of a picture: whoever is at the other end of the link chose it.
fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_api::diag::Holding;

    fn held(kind: Kind, object: u64, end: u16) -> Holding {
        Holding { object, rights: 1, kind: kind as u16, end }
    }

    fn holder(name: &str, holdings: &[Holding]) -> Holder {
        Holder { name: name.into(), holdings: holdings.to_vec() }
    }

    #[test]
    fn an_edge_is_a_channel_between_two_or_an_object_of_two() {
        let holders = [
            holder("a", &[held(Kind::Channel, 1, 0), held(Kind::Vmo, 9, 0), held(Kind::Vmo, 9, 0)]),
            holder("b", &[held(Kind::Channel, 1, 1), held(Kind::Channel, 2, 1), held(Kind::Vmo, 9, 0)]),
            // Both ends of its own; one whose other end nobody has.
            holder("c", &[held(Kind::Channel, 2, 0), held(Kind::Channel, 3, 0), held(Kind::Channel, 3, 1)]),
            holder("x<", &[held(Kind::Channel, 4, 0), held(Kind::Timer, 5, 0)]),
        ];
        let graph = Graph::of(&holders);
        let edges: Vec<_> = graph
            .edges
            .iter()
            .map(|((from, to, kind), objects)| format!("{from} {to} {kind} {objects}"))
            .collect();
        assert_eq!(edges, ["a b channel 1", "a b vmo 1", "c b channel 1"]);
        let svg = graph.svg();
        assert_eq!((svg.matches("<circle").count(), svg.matches("<path").count()), (4, 3));
        assert!(svg.contains("x&lt;") && !svg.contains("x<"));
    }

    #[test]
    fn who_is_joined_with_most_others_is_a_hub() {
        let pair = |channel: u64| (held(Kind::Channel, channel, 0), held(Kind::Channel, channel, 1));
        let ((a1, b1), (a2, c2), (a3, d3), (b4, c4)) = (pair(1), pair(2), pair(3), pair(4));
        let holders = [
            holder("a", &[a1, a2, a3]),
            holder("b", &[b1, b4]),
            holder("c", &[c2, c4]),
            holder("d", &[d3]),
            holder("e", &[]),
        ];
        let graph = Graph::of(&holders);
        assert_eq!(graph.hubs().into_iter().collect::<Vec<_>>(), ["a"], "half of the others is not most");
        let svg = graph.svg();
        let strokes: Vec<bool> = svg
            .lines()
            .filter(|line| line.starts_with("<path"))
            .map(|line| line.contains(&format!("stroke=\"{PALE_BLUE}\"")))
            .collect();
        assert_eq!(strokes, [true, true, true, false], "pale ones come first");
    }
}
