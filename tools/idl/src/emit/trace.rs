//! The table of an interface for tools that show messages.

use super::rust::kind_option;
use crate::model::{Body, Field, Interface, Message, Type};

/// The table as a constant.
pub fn table(interface: &Interface) -> String {
    let operations: String = interface
        .operations
        .iter()
        .map(|op| {
            let reply = op.reply.as_ref().map_or("None".into(), |r| format!("Some({})", layout(interface, r)));
            format!(
                "trace::Operation {{ number: op::{}, name: {:?}, permission: {:?}, deadline_ms: {}, idempotent: {}, \
                 request: {}, reply: {reply} }},\n",
                op.name.to_uppercase(),
                op.name,
                op.permission,
                op.deadline_ms,
                op.idempotent,
                layout(interface, &op.request)
            )
        })
        .collect();
    let errors: String = interface.errors.iter().map(|e| format!("({}, {:?}),", e.number, e.name)).collect();
    format!(
        "/// The interface for tools that show messages.\npub const INTERFACE: trace::Interface = trace::Interface {{\n\
         name: {:?},\nversion: VERSION,\nid: ID,\noperations: &[\n{operations}],\nerrors: &[{errors}],\n}};\n",
        interface.name
    )
}

fn layout(interface: &Interface, message: &Message) -> String {
    let last = message.fields.len().wrapping_sub(1);
    let fields: String = message
        .fields
        .iter()
        .enumerate()
        .map(|(i, field)| {
            let shape = match (&field.kind, message.tail && i == last) {
                (Type::Bytes(most), true) => format!("trace::Shape::TailBytes({most})"),
                (Type::Text(most), true) => format!("trace::Shape::TailText({most})"),
                (kind, _) => shape(interface, kind),
            };
            row(field, &shape)
        })
        .collect();
    let handles: String =
        message.handles.iter().map(|h| format!("({:?}, {}),", h.name, kind_option(h.kind))).collect();
    format!(
        "trace::Layout {{ least: {}, most: {}, fields: &[{fields}], handles: &[{handles}] }}",
        message.least, message.most
    )
}

fn row(field: &Field, shape: &str) -> String {
    format!("trace::Field {{ name: {:?}, offset: {}, shape: {shape} }},", field.name, field.offset)
}

fn shape(interface: &Interface, kind: &Type) -> String {
    let made = match kind {
        Type::Unsigned(size) => format!("Unsigned({size})"),
        Type::Signed => "Signed(8)".into(),
        Type::Bool => "Bool".into(),
        Type::Bytes(most) => format!("Bytes({most})"),
        Type::Text(most) => format!("Text({most})"),
        Type::Array(item, count) => {
            format!("Array({count}, {}, &{})", interface.size(item), shape(interface, item))
        }
        Type::Named(at) => match &interface.types[*at].body {
            Body::Enum(variants) => {
                let names: String =
                    variants.iter().map(|v| format!("({}, {:?}),", v.number, v.name)).collect();
                format!("Enum({}, &[{names}])", interface.types[*at].size)
            }
            Body::Struct(fields, _) => {
                let rows: String = fields.iter().map(|f| row(f, &shape(interface, &f.kind))).collect();
                format!("Struct(&[{rows}])")
            }
        },
    };
    format!("trace::Shape::{made}")
}
