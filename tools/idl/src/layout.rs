//! Where each field stands. Fields keep their order and are naturally aligned; what they leave free is
//! padding, which is 0. Bounded bytes or text that come last in a message end it with their own length.

use crate::model::{Body, Field, HEADER_BYTES, HandleField, Interface, Item, Message, Type, TypeDef};
use nexus_abi::bounds::{MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES};
use nexus_abi::{Kind, Rights};

/// What was written between the parentheses of a message or the braces of a struct.
#[derive(Clone, Debug)]
pub enum Raw {
    /// A value.
    Field {
        /// Its name.
        name: String,
        /// Its documentation.
        doc: Vec<String>,
        /// Its type.
        kind: Type,
    },
    /// A handle.
    Handle {
        /// Its name.
        name: String,
        /// Its documentation.
        doc: Vec<String>,
        /// Its kind; `None` stands for any.
        kind: Option<Kind>,
        /// Rights that it has to have.
        rights: Rights,
    },
}

impl Raw {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Raw::Field { name, .. } | Raw::Handle { name, .. } => name,
        }
    }
}

struct Cursor {
    at: usize,
    padding: Vec<(usize, usize)>,
}

impl Cursor {
    /// The next offset that is a multiple of `align`; what is skipped is padding.
    fn align(&mut self, align: usize) {
        let next = self.at.next_multiple_of(align);
        if next > self.at {
            self.padding.push((self.at, next - self.at));
        }
        self.at = next;
    }

    fn advance(&mut self, size: usize) -> Result<(), String> {
        self.at = self.at.saturating_add(size);
        if self.at > MAX_MESSAGE_BYTES {
            return Err(format!(
                "it takes more than {MAX_MESSAGE_BYTES} bytes, the most a message can have; send bulk data in a vmo"
            ));
        }
        Ok(())
    }
}

/// Lays out a message.
pub fn message(interface: &Interface, items: Vec<Raw>) -> Result<Message, String> {
    let mut laid = Message::default();
    let mut cursor = Cursor { at: HEADER_BYTES, padding: Vec::new() };
    let last_field = items.iter().rposition(|item| matches!(item, Raw::Field { .. }));
    laid.least = HEADER_BYTES;
    for (i, item) in items.into_iter().enumerate() {
        match item {
            Raw::Handle { name, doc, kind, rights } => {
                if laid.handles.len() == MAX_MESSAGE_HANDLES {
                    return Err(format!(
                        "it carries more than {MAX_MESSAGE_HANDLES} handles, the most a message can have; send a channel \
                         and the handles through it"
                    ));
                }
                laid.items.push(Item::Handle(laid.handles.len()));
                laid.handles.push(HandleField { name, doc, kind, rights });
            }
            Raw::Field { name, doc, kind } => {
                laid.borrows |= interface.borrows(&kind);
                laid.items.push(Item::Field(laid.fields.len()));
                if let (true, Type::Bytes(most) | Type::Text(most)) = (Some(i) == last_field, &kind) {
                    let most = *most;
                    laid.tail = true;
                    laid.least = cursor.at;
                    laid.fields.push(Field { name, doc, kind, offset: cursor.at });
                    cursor.advance(most)?;
                } else {
                    cursor.align(interface.align(&kind));
                    let size = interface.size(&kind);
                    laid.fields.push(Field { name, doc, kind, offset: cursor.at });
                    cursor.advance(size)?;
                    laid.least = cursor.at;
                }
            }
        }
    }
    laid.most = cursor.at;
    laid.padding = cursor.padding;
    Ok(laid)
}

/// Lays out a struct; its name and documentation are the caller's to fill in.
pub fn structure(interface: &Interface, items: Vec<Raw>) -> Result<TypeDef, String> {
    let mut cursor = Cursor { at: 0, padding: Vec::new() };
    let (mut fields, mut align, mut borrows) = (Vec::new(), 1, false);
    for item in items {
        let Raw::Field { name, doc, kind } = item else {
            return Err(format!(
                "a handle (`{}`) stands directly in a message, not in a struct",
                item.name()
            ));
        };
        let own = interface.align(&kind);
        cursor.align(own);
        align = align.max(own);
        borrows |= interface.borrows(&kind);
        let size = interface.size(&kind);
        fields.push(Field { name, doc, kind, offset: cursor.at });
        cursor.advance(size)?;
    }
    if fields.is_empty() {
        return Err("a struct has at least one field; add one".into());
    }
    cursor.align(align);
    let body = Body::Struct(fields, cursor.padding);
    Ok(TypeDef { name: String::new(), doc: Vec::new(), body, size: cursor.at, align, borrows })
}
