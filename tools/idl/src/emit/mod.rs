//! What comes out: Rust, wire tests, documentation. Each is a pure function of the checked interface.

pub mod docs;
pub mod rust;
pub mod sample;
pub mod serve;
pub mod tests;
pub mod trace;

use crate::model::{Interface, Type};

/// A type as Rust writes it, bytes and text borrowed for `lifetime`.
pub fn rust_type(interface: &Interface, kind: &Type, lifetime: &str) -> String {
    match kind {
        Type::Unsigned(size) => format!("u{}", 8 * size),
        Type::Signed => "i64".into(),
        Type::Bool => "bool".into(),
        Type::Array(item, count) => format!("[{}; {count}]", rust_type(interface, item, lifetime)),
        Type::Bytes(most) => format!("Bytes<{lifetime}, {most}>"),
        Type::Text(most) => format!("Text<{lifetime}, {most}>"),
        Type::Named(at) => {
            let named = &interface.types[*at];
            if named.borrows { format!("{}<{lifetime}>", named.name) } else { named.name.clone() }
        }
    }
}

/// A type as an interface file writes it.
pub fn idl_type(interface: &Interface, kind: &Type) -> String {
    match kind {
        Type::Unsigned(size) => format!("u{}", 8 * size),
        Type::Signed => "i64".into(),
        Type::Bool => "bool".into(),
        Type::Array(item, count) => format!("[{}; {count}]", idl_type(interface, item)),
        Type::Bytes(most) => format!("bytes<{most}>"),
        Type::Text(most) => format!("string<{most}>"),
        Type::Named(at) => interface.types[*at].name.clone(),
    }
}

/// Lines of Rust documentation.
pub fn rust_doc(lines: &[String], prefix: &str) -> String {
    lines.iter().map(|line| format!("{prefix} {line}").trim_end().to_owned() + "\n").collect()
}
