//! The reference page of an interface.

use super::idl_type;
use crate::model::{Body, Interface, Message, Operation, Type};
use std::fmt::Write;

/// The page, in Markdown.
pub fn page(interface: &Interface) -> String {
    let name = &interface.name;
    let mut out = format!("# Interface `{name}`, version {}\n\n", interface.version);
    for line in &interface.doc {
        let _ = writeln!(out, "{line}");
    }
    let _ = write!(
        out,
        "\nGenerated from `idl/{name}.idl`. Identifier in message headers: `{:#010x}`. Sizes are in bytes and include the \
         header of {}.\nA client that finds the server dead gets `ServerDied`; only operations that may be repeated are tried \
         again first.\n\n## Operations\n\n\
         | number | operation | request | reply | handles | deadline | repeated | permission |\n|---|---|---|---|---|---|---|---|\n",
        interface.id(),
        crate::model::HEADER_BYTES
    );
    for op in &interface.operations {
        let carried = |message: &Message| message.handles.len();
        let handles = (carried(&op.request), op.reply.as_ref().map_or(0, carried));
        let _ = writeln!(
            out,
            "| {} | [`{}`](#{}) | {} | {} | {} | {} ms | {} | {} |",
            op.number,
            op.name,
            op.name,
            sizes(&op.request),
            op.reply.as_ref().map_or("none (one-way)".into(), sizes),
            if handles == (0, 0) { "–".into() } else { format!("{} / {}", handles.0, handles.1) },
            op.deadline_ms,
            if op.idempotent { "yes" } else { "no" },
            if op.permission.is_empty() { "–".into() } else { format!("`{}`", op.permission) },
        );
    }
    for op in &interface.operations {
        out += &operation(interface, op);
    }
    out + &errors(interface) + &types(interface) + &constants(interface)
}

fn sizes(message: &Message) -> String {
    let range = if message.least == message.most {
        message.most.to_string()
    } else {
        format!("{}–{}", message.least, message.most)
    };
    if message.most <= nexus_abi::bounds::REGISTER_BYTES && message.handles.is_empty() {
        range + ", in registers"
    } else {
        range
    }
}

fn sentence(lines: &[String]) -> String {
    lines.join(" ").trim().replace('|', "\\|")
}

fn operation(interface: &Interface, op: &Operation) -> String {
    let mut out = format!("\n### {}\n\n", op.name);
    for line in &op.doc {
        let _ = writeln!(out, "{line}");
    }
    if op.deferred {
        out += "\nThe answer may come later than those of other calls.\n";
    }
    let messages = [("Request", Some(&op.request)), ("Reply", op.reply.as_ref())];
    for (what, message) in messages {
        let Some(message) = message.filter(|message| !message.is_empty()) else {
            continue;
        };
        let _ = write!(out, "\n| {what} | type | offset | meaning |\n|---|---|---|---|\n");
        let last = message.fields.len().wrapping_sub(1);
        for (i, field) in message.fields.iter().enumerate() {
            let tail = if message.tail && i == last { ", to the end" } else { "" };
            let _ = writeln!(
                out,
                "| `{}` | `{}` | {}{tail} | {} |",
                field.name,
                idl_type(interface, &field.kind),
                field.offset,
                sentence(&field.doc)
            );
        }
        for (i, handle) in message.handles.iter().enumerate() {
            let rights: Vec<_> = handle.rights.iter_names().map(|(name, _)| name).collect();
            let rights =
                if rights.is_empty() { String::new() } else { format!(" with {}", rights.join(", ")) };
            let _ = writeln!(
                out,
                "| `{}` | {} handle{rights} | handle {i} | {} |",
                handle.name,
                handle.kind_name(),
                sentence(&handle.doc)
            );
        }
    }
    out
}

fn errors(interface: &Interface) -> String {
    let mut out = String::from("\n## Errors\n\n| number | error | meaning |\n|---|---|---|\n");
    for error in &interface.errors {
        let _ = writeln!(out, "| {} | `{}` | {} |", error.number, error.name, sentence(&error.doc));
    }
    if interface.errors.is_empty() { "\n## Errors\n\nNone of its own.\n".into() } else { out }
}

fn types(interface: &Interface) -> String {
    let mut out = String::new();
    for named in &interface.types {
        let heading = if out.is_empty() { "\n## Types\n" } else { "" };
        let _ = write!(
            out,
            "{heading}\n### {}\n\n{} {} bytes.\n\n",
            named.name,
            sentence(&named.doc),
            named.size
        );
        match &named.body {
            Body::Enum(variants) => {
                out += "| number | value | meaning |\n|---|---|---|\n";
                for variant in variants {
                    let _ = writeln!(
                        out,
                        "| {} | `{}` | {} |",
                        variant.number,
                        variant.name,
                        sentence(&variant.doc)
                    );
                }
            }
            Body::Struct(fields, _) => {
                out += "| field | type | offset | meaning |\n|---|---|---|---|\n";
                for field in fields {
                    let kind: &Type = &field.kind;
                    let _ = writeln!(
                        out,
                        "| `{}` | `{}` | {} | {} |",
                        field.name,
                        idl_type(interface, kind),
                        field.offset,
                        sentence(&field.doc)
                    );
                }
            }
        }
    }
    out
}

fn constants(interface: &Interface) -> String {
    if interface.consts.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n## Bounds\n\n| name | value | meaning |\n|---|---|---|\n");
    for constant in &interface.consts {
        let _ = writeln!(out, "| `{}` | {} | {} |", constant.name, constant.value, sentence(&constant.doc));
    }
    out
}

/// The page that lists the others.
pub fn index(interfaces: &[Interface]) -> String {
    let mut out = String::from(
        "# Interfaces\n\nOne page a service interface, generated from `idl/`. `cargo run -p nexus-idlc` makes them again, together \
         with the\nclient stubs, server traits and wire tests in `lib/api`; how interface files are written is in\n\
         [`idl/README.md`](../../idl/README.md).\n\n| interface | operations | for |\n|---|---|---|\n",
    );
    for interface in interfaces {
        let doc = interface.doc.iter().take_while(|line| !line.is_empty()).cloned().collect::<Vec<_>>();
        let _ = writeln!(
            out,
            "| [`{}`]({}.md) | {} | {} |",
            interface.name,
            interface.name,
            interface.operations.len(),
            sentence(&doc)
        );
    }
    out
}
