//! A checked interface: every size, offset and number is known and within its bound. Nothing here can be
//! built but by the parser.

/// Bytes of the header that begins each message. `nexus-wire` has the same number; a golden test in
/// `nexus-api` fails when they differ.
pub const HEADER_BYTES: usize = 8;

/// A named number.
#[derive(Clone, Debug)]
pub struct Const {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub doc: Vec<String>,
    /// Its value.
    pub value: usize,
}

/// A name with a number: an error, or a value of an enum.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it means.
    pub doc: Vec<String>,
    /// Its number.
    pub number: u64,
}

/// A type of values.
#[derive(Clone, Debug)]
pub enum Type {
    /// `u8` to `u64`, by their bytes.
    Unsigned(usize),
    /// `i64`.
    Signed,
    /// `bool`.
    Bool,
    /// `[T; N]`.
    Array(Box<Type>, usize),
    /// `bytes<N>`.
    Bytes(usize),
    /// `string<N>`.
    Text(usize),
    /// An enum or struct, by its place in [`Interface::types`].
    Named(usize),
}

/// A field of a struct or message.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is; arguments may have none.
    pub doc: Vec<String>,
    /// Its type.
    pub kind: Type,
    /// Where it stands.
    pub offset: usize,
}

/// A type that the file declares.
#[derive(Clone, Debug)]
pub struct TypeDef {
    /// Its name.
    pub name: String,
    /// What it is.
    pub doc: Vec<String>,
    /// What it is made of.
    pub body: Body,
    /// Bytes it takes.
    pub size: usize,
    /// What its offset is a multiple of.
    pub align: usize,
    /// Whether it holds bytes or text, which are borrowed.
    pub borrows: bool,
}

/// What a declared type is made of.
#[derive(Clone, Debug)]
pub enum Body {
    /// One of several values.
    Enum(Vec<Variant>),
    /// Several fields, and the padding between and after them (offset, bytes).
    Struct(Vec<Field>, Vec<(usize, usize)>),
}

/// A handle in a message.
#[derive(Clone, Debug)]
pub struct HandleField {
    /// Its name.
    pub name: String,
    /// What it is; arguments may have none.
    pub doc: Vec<String>,
    /// Its kind; `None` stands for any.
    pub kind: Option<nexus_abi::Kind>,
    /// Rights that it has to have.
    pub rights: nexus_abi::Rights,
}

impl HandleField {
    /// The kind of the handles that the tests send.
    pub fn sample_kind(&self) -> nexus_abi::Kind {
        self.kind.unwrap_or(nexus_abi::Kind::Vmo)
    }

    /// The kind's name in the language.
    pub fn kind_name(&self) -> &'static str {
        self.kind.map_or(ANY, |kind| kind.name())
    }
}

/// The kind of handles of which any will do.
pub const ANY: &str = "any";

/// In what order arguments were written: a field or a handle, by its place among its own.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// A place in [`Message::fields`].
    Field(usize),
    /// A place in [`Message::handles`].
    Handle(usize),
}

/// A request or a reply.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Everything, as written.
    pub items: Vec<Item>,
    /// Fields in bytes.
    pub fields: Vec<Field>,
    /// Handles.
    pub handles: Vec<HandleField>,
    /// Padding between fields (offset, bytes).
    pub padding: Vec<(usize, usize)>,
    /// Whether the last field, bounded bytes or text, ends the message by its own length.
    pub tail: bool,
    /// Fewest bytes.
    pub least: usize,
    /// Most bytes.
    pub most: usize,
    /// Whether it holds bytes or text, which are borrowed.
    pub borrows: bool,
}

impl Message {
    /// Whether it is read from and written to registers directly.
    pub fn in_registers(&self) -> bool {
        !self.borrows && self.most <= nexus_abi::bounds::REGISTER_BYTES
    }

    /// Whether it says nothing beyond its header.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// What it does.
    pub doc: Vec<String>,
    /// What it needs to be allowed; empty for nothing.
    pub permission: String,
    /// How long a client waits.
    pub deadline_ms: u32,
    /// Whether a client may try it again.
    pub idempotent: bool,
    /// Whether the server may answer later.
    pub deferred: bool,
    /// The request.
    pub request: Message,
    /// The reply; a one-way operation has none.
    pub reply: Option<Message>,
}

/// An interface.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u16,
    /// What it is for.
    pub doc: Vec<String>,
    /// Named numbers.
    pub consts: Vec<Const>,
    /// Its errors.
    pub errors: Vec<Variant>,
    /// Its types, each after those it is made of.
    pub types: Vec<TypeDef>,
    /// Its operations, in the order of their numbers.
    pub operations: Vec<Operation>,
}

impl Interface {
    /// What stands for name and version in a header: FNV-1a, 32 bits.
    pub fn id(&self) -> u32 {
        let text = format!("{}/{}", self.name, self.version);
        text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }

    /// Bytes that a type takes.
    pub fn size(&self, kind: &Type) -> usize {
        match kind {
            Type::Unsigned(size) => *size,
            Type::Signed => 8,
            Type::Bool => 1,
            Type::Array(item, count) => self.size(item).saturating_mul(*count),
            Type::Bytes(most) | Type::Text(most) => (2 + most).next_multiple_of(2),
            Type::Named(at) => self.types[*at].size,
        }
    }

    /// What a type's offset is a multiple of.
    pub fn align(&self, kind: &Type) -> usize {
        match kind {
            Type::Unsigned(size) => *size,
            Type::Signed => 8,
            Type::Bool => 1,
            Type::Array(item, _) => self.align(item),
            Type::Bytes(_) | Type::Text(_) => 2,
            Type::Named(at) => self.types[*at].align,
        }
    }

    /// Whether a type holds bytes or text.
    pub fn borrows(&self, kind: &Type) -> bool {
        match kind {
            Type::Bytes(_) | Type::Text(_) => true,
            Type::Array(item, _) => self.borrows(item),
            Type::Named(at) => self.types[*at].borrows,
            Type::Unsigned(_) | Type::Signed | Type::Bool => false,
        }
    }

    /// Whether any operation needs a permission.
    pub fn has_permissions(&self) -> bool {
        self.operations.iter().any(|op| !op.permission.is_empty())
    }

    /// Whether any message carries handles.
    pub fn has_handles(&self) -> bool {
        let carries = |message: &Message| !message.handles.is_empty();
        self.operations.iter().any(|op| carries(&op.request) || op.reply.as_ref().is_some_and(carries))
    }

    /// Every message: its operation, whether it is the reply, itself.
    pub fn messages(&self) -> impl Iterator<Item = (&Operation, bool, &Message)> {
        self.operations.iter().flat_map(|op| {
            let reply = op.reply.as_ref().map(|reply| (op, true, reply));
            std::iter::once((op, false, &op.request)).chain(reply)
        })
    }
}
