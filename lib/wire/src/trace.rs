//! What host tools need to show a message as text: a table an interface, and a printer.
//!
//! The tables are generated; the printer reads any bytes and never panics. It names handles by kind only.

use crate::{HEADER_BYTES, Header, STATUS_OK, STATUS_REFUSED};
use core::fmt;
use nexus_abi::Kind;

/// How a value stands in a message.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A number of this many bytes.
    Unsigned(usize),
    /// A signed number of this many bytes.
    Signed(usize),
    /// 0 or 1.
    Bool,
    /// A length (2 bytes), then bytes.
    Bytes(usize),
    /// A length (2 bytes), then text.
    Text(usize),
    /// Bytes to the end of the message.
    TailBytes(usize),
    /// Text to the end of the message.
    TailText(usize),
    /// So many values, so many bytes apart.
    Array(usize, usize, &'static Shape),
    /// A number of so many bytes with a name.
    Enum(usize, &'static [(u64, &'static str)]),
    /// Fields, at offsets from its beginning.
    Struct(&'static [Field]),
}

/// A field of a message or of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Where it stands, in bytes from the beginning.
    pub offset: usize,
    /// How it stands there.
    pub shape: Shape,
}

/// What a request or a reply is made of.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Fewest bytes.
    pub least: usize,
    /// Most bytes.
    pub most: usize,
    /// Fields in bytes.
    pub fields: &'static [Field],
    /// Handles: name and kind, if one is asked for.
    pub handles: &'static [(&'static str, Option<Kind>)],
}

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: &'static str,
    /// What it needs to be allowed; empty for nothing.
    pub permission: &'static str,
    /// How long a client waits.
    pub deadline_ms: u32,
    /// Whether a client tries it again when the server died.
    pub idempotent: bool,
    /// The request.
    pub request: Layout,
    /// The reply; a one-way operation has none.
    pub reply: Option<Layout>,
}

/// An interface.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: u16,
    /// What stands for both in a header.
    pub id: u32,
    /// Its operations, in the order of their numbers.
    pub operations: &'static [Operation],
    /// Its errors.
    pub errors: &'static [(u16, &'static str)],
}

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To the server.
    Request,
    /// To the client.
    Answer,
}

/// A message as one line of text: `echo.add(a=1, b=2)`, `echo.add -> total=3`, `echo.add -> Busy`.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The interface it is thought to belong to.
    pub interface: &'a Interface,
    /// Which way it went.
    pub direction: Direction,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl Line<'_> {
    fn header(&self) -> Option<Header> {
        let first = self.bytes.first_chunk::<HEADER_BYTES>()?;
        Some(Header::from_word(u64::from_le_bytes(*first)))
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.interface.name;
        let Some(header) = self.header().filter(|header| header.interface == self.interface.id) else {
            return write!(f, "{name}.? ({} bytes)", self.bytes.len());
        };
        let known = self.interface.operations.iter().find(|op| op.number == header.operation);
        let Some(operation) = known else {
            return write!(f, "{name}.{}? ({} bytes)", header.operation, self.bytes.len());
        };
        write!(f, "{name}.{}", operation.name)?;
        match (self.direction, header.status) {
            (Direction::Request, STATUS_OK) => {
                f.write_str("(")?;
                fields(f, operation.request.fields, self.bytes, 0)?;
                f.write_str(")")
            }
            (Direction::Answer, STATUS_OK) => {
                f.write_str(" -> ")?;
                fields(f, operation.reply.map_or(&[][..], |reply| reply.fields), self.bytes, 0)
            }
            (_, STATUS_REFUSED) => f.write_str(" -> refused"),
            (_, status) => match self.interface.errors.iter().find(|error| error.0 == status) {
                Some((_, error)) => write!(f, " -> {error}"),
                None => write!(f, " -> error {status}?"),
            },
        }
    }
}

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let mut raw = [0; 8];
    raw.get_mut(..size)?.copy_from_slice(bytes.get(at..at.checked_add(size)?)?);
    Some(u64::from_le_bytes(raw))
}

fn fields(f: &mut fmt::Formatter<'_>, fields: &[Field], bytes: &[u8], base: usize) -> fmt::Result {
    for (i, field) in fields.iter().enumerate() {
        write!(f, "{}{}=", if i == 0 { "" } else { ", " }, field.name)?;
        value(f, &field.shape, bytes, base + field.offset)?;
    }
    Ok(())
}

fn value(f: &mut fmt::Formatter<'_>, shape: &Shape, bytes: &[u8], at: usize) -> fmt::Result {
    let cut = |f: &mut fmt::Formatter<'_>| f.write_str("?");
    let rest = bytes.get(at..).unwrap_or(&[]);
    let counted = |most: usize| {
        let len = number(bytes, at, 2)? as usize;
        if len > most { None } else { rest.get(2..2 + len) }
    };
    match *shape {
        Shape::Unsigned(size) => match number(bytes, at, size) {
            Some(number) => write!(f, "{number}"),
            None => cut(f),
        },
        Shape::Signed(size) => match number(bytes, at, size) {
            Some(number) => {
                let unused = 64 - 8 * size.clamp(1, 8) as u32;
                write!(f, "{}", ((number << unused) as i64) >> unused)
            }
            None => cut(f),
        },
        Shape::Bool => match number(bytes, at, 1) {
            Some(0) => f.write_str("false"),
            Some(1) => f.write_str("true"),
            _ => cut(f),
        },
        Shape::Bytes(most) => match counted(most) {
            Some(bytes) => hex(f, bytes),
            None => cut(f),
        },
        Shape::Text(most) => match counted(most) {
            Some(bytes) => text(f, bytes),
            None => cut(f),
        },
        Shape::TailBytes(_) => hex(f, rest),
        Shape::TailText(_) => text(f, rest),
        Shape::Array(count, stride, item) => {
            f.write_str("[")?;
            for i in 0..count {
                f.write_str(if i == 0 { "" } else { ", " })?;
                value(f, item, bytes, at + i * stride)?;
            }
            f.write_str("]")
        }
        Shape::Enum(size, names) => match number(bytes, at, size) {
            Some(number) => match names.iter().find(|name| name.0 == number) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "{number}?"),
            },
            None => cut(f),
        },
        Shape::Struct(inner) => {
            f.write_str("{")?;
            fields(f, inner, bytes, at)?;
            f.write_str("}")
        }
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    const SHOWN: usize = 32;
    f.write_str("0x")?;
    for byte in bytes.iter().take(SHOWN) {
        write!(f, "{byte:02x}")?;
    }
    if bytes.len() > SHOWN { write!(f, "… ({} bytes)", bytes.len()) } else { Ok(()) }
}

fn text(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    match core::str::from_utf8(bytes) {
        Ok(text) => write!(f, "{text:?}"),
        Err(_) => hex(f, bytes),
    }
}
