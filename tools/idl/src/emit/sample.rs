//! Values for the wire tests, their spelling in bytes and in Rust, and misspellings. The bytes are computed here,
//! from the layout alone: generated encoders are compared with an independent one.

use crate::model::{Body, Field, Interface, Item, Message, Operation, Type};
use std::fmt::Write;

/// Which values a message is filled with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// Zeros, first values, nothing in what is bounded.
    Least,
    /// Every number another, half of what is bounded.
    Varied,
    /// Largest numbers, last values, all of what is bounded.
    Most,
}

impl Size {
    /// Every size.
    pub const ALL: [Size; 3] = [Size::Least, Size::Varied, Size::Most];
}

/// A value of some type.
#[derive(Clone, Debug)]
enum Value {
    Number(u64),
    Filled(u8, usize),
    List(Vec<Value>),
}

struct Filler<'a> {
    interface: &'a Interface,
    size: Size,
    step: u64,
}

impl Filler<'_> {
    fn varied(&mut self) -> u64 {
        self.step += 1;
        0x0102_0304_0506_0708u64.wrapping_mul(self.step).rotate_left(self.step as u32 % 64)
    }

    fn number(&mut self, bytes: usize) -> u64 {
        let most = if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 };
        match self.size {
            Size::Least => 0,
            Size::Varied => self.varied() & most,
            Size::Most => most,
        }
    }

    fn pick(&mut self, count: usize) -> usize {
        match self.size {
            Size::Least => 0,
            Size::Varied => self.varied() as usize % count,
            Size::Most => count - 1,
        }
    }

    fn length(&self, most: usize) -> usize {
        match self.size {
            Size::Least => 0,
            Size::Varied => most.div_ceil(2),
            Size::Most => most,
        }
    }

    fn value(&mut self, kind: &Type) -> Value {
        match kind {
            Type::Unsigned(size) => Value::Number(self.number(*size)),
            Type::Signed => Value::Number(self.number(8)),
            Type::Bool => Value::Number(self.pick(2) as u64),
            Type::Bytes(most) => Value::Filled(self.varied() as u8 | 1, self.length(*most)),
            Type::Text(most) => Value::Filled(b'a' + (self.varied() % 26) as u8, self.length(*most)),
            Type::Array(item, count) => {
                // All alike but for varied ones: a long list is told in few words.
                let first = self.value(item);
                Value::List(match self.size {
                    Size::Varied if *count <= 16 => {
                        std::iter::once(first).chain((1..*count).map(|_| self.value(item))).collect()
                    }
                    _ => vec![first; *count],
                })
            }
            Type::Named(at) => match &self.interface.types[*at].body {
                Body::Enum(variants) => Value::Number(variants[self.pick(variants.len())].number),
                Body::Struct(fields, _) => {
                    Value::List(fields.iter().map(|field| self.value(&field.kind)).collect())
                }
            },
        }
    }
}

fn values(interface: &Interface, message: &Message, size: Size) -> Vec<Value> {
    let mut filler = Filler { interface, size, step: message.most as u64 };
    message.fields.iter().map(|field| filler.value(&field.kind)).collect()
}

/// The bytes of a message filled to a size.
pub fn bytes(interface: &Interface, op: &Operation, message: &Message, size: Size) -> Vec<u8> {
    let mut out = vec![0; message.most];
    out[0..2].copy_from_slice(&op.number.to_le_bytes());
    out[4..8].copy_from_slice(&interface.id().to_le_bytes());
    let mut end = message.least;
    let last = message.fields.len().wrapping_sub(1);
    for (i, (field, value)) in message.fields.iter().zip(values(interface, message, size)).enumerate() {
        if let (true, Value::Filled(byte, len)) = (message.tail && i == last, &value) {
            out[field.offset..field.offset + len].fill(*byte);
            end = field.offset + len;
        } else {
            spell(interface, &field.kind, &value, &mut out, field.offset);
        }
    }
    out.truncate(end);
    out
}

fn spell(interface: &Interface, kind: &Type, value: &Value, out: &mut [u8], at: usize) {
    match (kind, value) {
        (Type::Bytes(_) | Type::Text(_), Value::Filled(byte, len)) => {
            out[at..at + 2].copy_from_slice(&(*len as u16).to_le_bytes());
            out[at + 2..at + 2 + len].fill(*byte);
        }
        (Type::Array(item, _), Value::List(values)) => {
            let stride = interface.size(item);
            for (i, value) in values.iter().enumerate() {
                spell(interface, item, value, out, at + i * stride);
            }
        }
        (Type::Named(named), Value::List(values)) => {
            if let Body::Struct(fields, _) = &interface.types[*named].body {
                for (field, value) in fields.iter().zip(values) {
                    spell(interface, &field.kind, value, out, at + field.offset);
                }
            }
        }
        (kind, Value::Number(number)) => {
            let size = interface.size(kind);
            out[at..at + size].copy_from_slice(&number.to_le_bytes()[..size]);
        }
        // A value is made for its type.
        (_, Value::Filled(..) | Value::List(_)) => {}
    }
}

/// The fields of a filled message as Rust writes them: `a: 1, text: …`.
pub fn rust_fields(interface: &Interface, message: &Message, size: Size) -> String {
    let values = values(interface, message, size);
    let mut out = String::new();
    for item in &message.items {
        let _ = match *item {
            Item::Field(i) => {
                let field = &message.fields[i];
                write!(out, "{}: {}, ", field.name, rust(interface, &field.kind, &values[i]))
            }
            Item::Handle(i) => {
                let handle = &message.handles[i];
                write!(
                    out,
                    "{}: support::handle(Kind::{:?}, {:#x}), ",
                    handle.name,
                    handle.sample_kind(),
                    handle.rights.bits()
                )
            }
        };
    }
    out
}

/// The arguments of a filled message as Rust writes them, in order.
pub fn rust_arguments(interface: &Interface, message: &Message, size: Size) -> String {
    let values = values(interface, message, size);
    let list: Vec<_> = message
        .items
        .iter()
        .map(|item| match *item {
            Item::Field(i) => rust(interface, &message.fields[i].kind, &values[i]),
            Item::Handle(i) => {
                let handle = &message.handles[i];
                format!("support::handle(Kind::{:?}, {:#x})", handle.sample_kind(), handle.rights.bits())
            }
        })
        .collect();
    list.join(", ")
}

fn rust(interface: &Interface, kind: &Type, value: &Value) -> String {
    match (kind, value) {
        (Type::Signed, Value::Number(number)) => format!("{}", *number as i64),
        (Type::Bool, Value::Number(number)) => format!("{}", *number != 0),
        (Type::Bytes(_), Value::Filled(byte, len)) => format!("support::bytes({byte:#04x}, {len})"),
        (Type::Text(_), Value::Filled(byte, len)) => {
            format!("support::text({:?}, {len})", *byte as char)
        }
        (Type::Array(item, count), Value::List(values)) => {
            let list: Vec<_> = values.iter().map(|value| rust(interface, item, value)).collect();
            if list.iter().all(|one| *one == list[0]) {
                format!("[{}; {count}]", list[0])
            } else {
                format!("[{}]", list.join(", "))
            }
        }
        (Type::Named(at), value) => {
            let named = &interface.types[*at];
            match (&named.body, value) {
                (Body::Enum(variants), Value::Number(number)) => {
                    let name = variants.iter().find(|v| v.number == *number).map_or("", |v| v.name.as_str());
                    format!("{}::{name}", named.name)
                }
                (Body::Struct(fields, _), Value::List(values)) => {
                    let list: Vec<_> = fields
                        .iter()
                        .zip(values)
                        .map(|(field, value)| {
                            format!("{}: {}", field.name, rust(interface, &field.kind, value))
                        })
                        .collect();
                    format!("{} {{ {} }}", named.name, list.join(", "))
                }
                _ => String::new(),
            }
        }
        (_, Value::Number(number)) => format!("{number:#x}"),
        (_, Value::Filled(..) | Value::List(_)) => String::new(),
    }
}

/// A byte string as the tests write it: hex, with `XX*N` for a run.
pub fn golden(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take_while(|byte| **byte == first).count();
        let shown = if run > 8 { run } else { 1 };
        let _ = if run > 8 { write!(out, " {first:02x}*{run} ") } else { write!(out, "{first:02x}") };
        rest = &rest[shown..];
    }
    out.trim().to_owned()
}

/// A misspelling of the [`Size::Varied`] message: where, what to write there, why it has to be refused.
pub type Flaw = (usize, Vec<u8>, String);

/// Every sort of misspelling that a message's fields allow.
pub fn flaws(interface: &Interface, message: &Message) -> Vec<Flaw> {
    let mut out = Vec::new();
    for &(at, len) in &message.padding {
        out.push((at, vec![1], "padding".into()));
        out.push((at + len - 1, vec![1], "padding".into()));
    }
    let last = message.fields.len().wrapping_sub(1);
    for (i, field) in message.fields.iter().enumerate() {
        match (&field.kind, message.tail && i == last) {
            (Type::Text(_), true) => {
                out.push((field.offset, vec![0xff], format!("{} is not UTF-8", field.name)))
            }
            (_, true) => {}
            (_, false) => field_flaws(interface, field, 0, &mut out),
        }
    }
    out
}

fn field_flaws(interface: &Interface, field: &Field, base: usize, out: &mut Vec<Flaw>) {
    kind_flaws(interface, &field.kind, &field.name, base + field.offset, out);
}

fn kind_flaws(interface: &Interface, kind: &Type, name: &str, at: usize, out: &mut Vec<Flaw>) {
    match kind {
        Type::Unsigned(_) | Type::Signed => {}
        Type::Bool => out.push((at, vec![2], format!("{name} is neither 0 nor 1"))),
        Type::Bytes(most) | Type::Text(most) => {
            let past = (*most as u16 + 1).to_le_bytes().to_vec();
            out.push((at, past, format!("{name} is one past its bound")));
            // Half of the bound is filled; the last byte is beyond that when there is a second one.
            if *most > 1 {
                out.push((at + 1 + most, vec![1], format!("{name} has bytes past its length")));
            }
            if matches!(kind, Type::Text(_)) {
                out.push((at + 2, vec![0xff], format!("{name} is not UTF-8")));
            }
        }
        Type::Array(item, count) => {
            kind_flaws(interface, item, &format!("{name}[0]"), at, out);
            if *count > 1 {
                let end = at + (count - 1) * interface.size(item);
                kind_flaws(interface, item, &format!("{name}[{}]", count - 1), end, out);
            }
        }
        Type::Named(named) => match &interface.types[*named].body {
            Body::Enum(variants) => {
                let size = interface.types[*named].size;
                let unassigned = (0..1u64 << (8 * size)).find(|n| variants.iter().all(|v| v.number != *n));
                if let Some(number) = unassigned {
                    let bytes = number.to_le_bytes()[..size].to_vec();
                    out.push((at, bytes, format!("{name} has no value {number}")));
                }
            }
            Body::Struct(fields, padding) => {
                for (gap, _) in padding {
                    out.push((at + gap, vec![1], format!("padding in {name}")));
                }
                for field in fields {
                    field_flaws(interface, field, at, out);
                }
            }
        },
    }
}
