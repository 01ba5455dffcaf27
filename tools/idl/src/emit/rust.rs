//! The Rust module of an interface: types, messages, client. (`serve` makes the server's half.)

use super::{rust_doc, rust_type, serve, trace};
use crate::model::{Body, Field, Interface, Item, Message, Operation, Type, TypeDef, Variant};
use crate::names::camel;
use std::fmt::Write;

/// Most parameters of a function before clippy asks for fewer.
const MANY: usize = 7;

/// The module's source, not yet formatted.
pub fn module(interface: &Interface) -> String {
    let mut body = constants(interface);
    body += &errors(interface);
    for named in &interface.types {
        body += &match &named.body {
            Body::Enum(variants) => enumeration(named, variants),
            Body::Struct(fields, padding) => structure(interface, named, fields, padding),
        };
    }
    for (operation, is_reply, message) in interface.messages() {
        if !(is_reply && message.is_empty()) {
            body += &message_struct(interface, operation, is_reply, message);
        }
    }
    body += &client(interface);
    body += &serve::promises(interface);
    body += &serve::server(interface);
    body += &serve::dispatch(interface);
    body += &trace::table(interface);
    format!("{}{}{body}", preamble(interface), imports(&body))
}

fn preamble(interface: &Interface) -> String {
    let name = &interface.name;
    let doc = rust_doc(&interface.doc, "//!");
    format!(
        "{doc}//!\n//! Generated from `idl/{name}.idl` by `nexus-idlc`: change that file, then run the generator.\n\n"
    )
}

/// Only what the module names, so that nothing is imported in vain.
fn imports(body: &str) -> String {
    const WIRE: &[&str] = &[
        "AnyHandle",
        "Bytes",
        "CallError",
        "Connector",
        "Fault",
        "HEADER_BYTES",
        "HandleOf",
        "Handles",
        "Header",
        "Held",
        "Link",
        "Malformed",
        "Outcome",
        "Packet",
        "Promise",
        "Replier",
        "Room",
        "SendError",
        "Sender",
        "ServiceError",
        "Sink",
        "Source",
        "Spec",
        "Text",
        "View",
        "Wire",
        "answer",
        "answered",
        "empty_reply",
        "kinds",
        "refuse",
        "tail",
        "text_tail",
        "trace",
        "write_empty",
    ];
    const ABI: &[&str] = &["Kind", "Rights"];
    let code: String =
        body.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let named = |list: &[&str]| {
        let has = |name: &str| {
            code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == name)
                // Methods of traits that nothing else may name.
                || (name == "Sink" && code.contains("out.bytes("))
                || (name == "Source" && code.contains("input.zero("))
        };
        list.iter().copied().filter(|name| has(name)).collect::<Vec<_>>().join(", ")
    };
    let abi = named(ABI);
    let abi = if abi.is_empty() { abi } else { format!("use nexus_abi::{{{abi}}};\n") };
    format!("{abi}use nexus_wire::{{{}}};\n\n", named(WIRE))
}

fn constants(interface: &Interface) -> String {
    let mut out = String::new();
    let id = interface.id();
    let most = |pick: &dyn Fn(&Message) -> usize, reply: bool| {
        interface
            .messages()
            .filter(|(_, is_reply, _)| *is_reply == reply)
            .map(|(_, _, m)| pick(m))
            .max()
            .unwrap_or(0)
    };
    let buffer = interface.messages().filter(|(_, _, m)| !m.in_registers()).map(|(_, _, m)| m.most).max();
    let _ = write!(
        out,
        "/// Version of the interface.\npub const VERSION: u16 = {};\n\n\
         /// Stands for name and version in the header of each message.\npub const ID: u32 = {id:#010x};\n\n\
         /// Largest message that a server receives: a channel's bound for its end.\n\
         pub const REQUEST_ROOM: Room = Room {{ bytes: {}, handles: {} }};\n\n\
         /// Buffer that holds any message of the interface that does not travel in registers.\n\
         pub const BUFFER_BYTES: usize = {};\n\n",
        interface.version,
        most(&|m| m.most, false),
        most(&|m| m.handles.len(), false),
        buffer.unwrap_or(0),
    );
    for constant in &interface.consts {
        let doc = rust_doc(&constant.doc, "///");
        let _ = write!(out, "{doc}pub const {}: usize = {};\n\n", constant.name, constant.value);
    }
    out += "/// Numbers of the operations.\npub mod op {\n";
    for op in &interface.operations {
        let _ =
            writeln!(out, "/// `{}`.\npub const {}: u16 = {};", op.name, op.name.to_uppercase(), op.number);
    }
    out + "}\n\n"
}

fn errors(interface: &Interface) -> String {
    let mut out = String::from(
        "/// What the service can answer instead of a reply.\n\
         #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]\n",
    );
    let list = &interface.errors;
    out += if list.is_empty() { "pub enum Error {\n" } else { "#[repr(u16)]\npub enum Error {\n" };
    for error in list {
        let _ = writeln!(out, "{}{} = {},", rust_doc(&error.doc, "///"), error.name, error.number);
    }
    let rows = |row: &dyn Fn(&Variant) -> String| list.iter().map(row).collect::<String>();
    let body = |rows: String| {
        if list.is_empty() { "match self {}".into() } else { format!("match self {{ {rows} }}") }
    };
    let _ = write!(
        out,
        "}}\n\nimpl Error {{\n\
         /// Every error, in the order of its number.\npub const ALL: &'static [Error] = &[{}];\n\n\
         /// Its name.\npub const fn name(self) -> &'static str {{ {} }}\n}}\n\n\
         impl ServiceError for Error {{\n\
         fn from_number(number: u16) -> Option<Self> {{\n\
         Error::ALL.iter().copied().find(|error| error.number() == number)\n}}\n\n\
         fn number(self) -> u16 {{ {} }}\n}}\n\n",
        rows(&|e| format!("Error::{},", e.name)),
        body(rows(&|e| format!("Error::{} => {:?},", e.name, e.name))),
        if list.is_empty() { "match self {}" } else { "self as u16" },
    );
    out
}

fn enumeration(named: &TypeDef, variants: &[Variant]) -> String {
    let (name, size) = (&named.name, named.size);
    let mut out = rust_doc(&named.doc, "///");
    let _ = write!(
        out,
        "#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]\n#[repr(u{})]\npub enum {name} {{\n",
        8 * size
    );
    for variant in variants {
        let _ = writeln!(out, "{}{} = {},", rust_doc(&variant.doc, "///"), variant.name, variant.number);
    }
    let list: String = variants.iter().map(|v| format!("{name}::{},", v.name)).collect();
    let rows: String = variants.iter().map(|v| format!("{} => Ok({name}::{}),", v.number, v.name)).collect();
    let _ = write!(
        out,
        "}}\n\nimpl {name} {{\n/// Every value, in the order of its number.\n\
         pub const ALL: &'static [{name}] = &[{list}];\n}}\n\n\
         impl<'a> Wire<'a> for {name} {{\nconst SIZE: usize = {size};\n\n\
         #[inline(always)]\nfn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {{\nsink.number(at, {size}, *self as u64);\n}}\n\n\
         #[inline(always)]\nfn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {{\n\
         match source.number(at, {size})? {{ {rows} _ => Err(Malformed), }}\n}}\n}}\n\n"
    );
    out
}

fn plus(base: &str, offset: usize) -> String {
    match (base, offset) {
        ("", offset) => offset.to_string(),
        (base, 0) => base.into(),
        (base, offset) => format!("{base} + {offset}"),
    }
}

fn structure(interface: &Interface, named: &TypeDef, fields: &[Field], padding: &[(usize, usize)]) -> String {
    let name = &named.name;
    let generics = if named.borrows { "<'a>" } else { "" };
    let mut out = rust_doc(&named.doc, "///");
    let _ = writeln!(out, "#[derive(Clone, Copy, PartialEq, Eq, Debug)]\npub struct {name}{generics} {{");
    let (mut encode, mut decode) = (String::new(), String::new());
    for &(at, len) in padding {
        let _ = writeln!(decode, "source.zero({}, {len})?;", plus("at", at));
    }
    decode += "Ok(Self {\n";
    for field in fields {
        let kind = rust_type(interface, &field.kind, "'a");
        let at = plus("at", field.offset);
        let _ = writeln!(out, "{}pub {}: {kind},", rust_doc(&field.doc, "///"), field.name);
        let _ = writeln!(encode, "self.{}.encode(sink, {at});", field.name);
        let _ = writeln!(decode, "{}: Wire::decode(source, {at})?,", field.name);
    }
    let _ = write!(
        out,
        "}}\n\nimpl<'a> Wire<'a> for {name}{generics} {{\nconst SIZE: usize = {};\n\n\
         #[inline(always)]\nfn encode<S: Sink + ?Sized>(&self, sink: &mut S, at: usize) {{\n{encode}}}\n\n\
         #[inline(always)]\nfn decode<S: Source<'a>>(source: &S, at: usize) -> Result<Self, Malformed> {{\n{decode}}})\n}}\n}}\n\n",
        named.size
    );
    out
}

/// The name of a message's type, without generics.
pub fn message_name(operation: &Operation, is_reply: bool) -> String {
    camel(&operation.name) + if is_reply { "Reply" } else { "Request" }
}

/// A message's type.
pub fn message_type(
    operation: &Operation,
    is_reply: bool,
    message: &Message,
    lifetime: &str,
    handle: &str,
) -> String {
    if is_reply && message.is_empty() {
        return "()".into();
    }
    message_name(operation, is_reply) + &generics(message, lifetime, handle)
}

fn generics(message: &Message, lifetime: &str, handle: &str) -> String {
    match (message.borrows, !message.handles.is_empty()) {
        (false, false) => String::new(),
        (true, false) => format!("<{lifetime}>"),
        (false, true) => format!("<{handle}>"),
        (true, true) => format!("<{lifetime}, {handle}>"),
    }
}

fn rights(rights: nexus_abi::Rights) -> String {
    let names: Vec<_> = rights.iter_names().map(|(name, _)| format!("Rights::{name}")).collect();
    match names.split_first() {
        None => "Rights::empty()".into(),
        Some((first, rest)) => rest.iter().fold(first.clone(), |all, right| format!("{all}.union({right})")),
    }
}

/// A handle's kind as a type.
pub fn kind_type(kind: Option<nexus_abi::Kind>) -> String {
    kind.map_or("kinds::Any".into(), |kind| format!("kinds::{kind:?}"))
}

/// A handle's kind as the trace table has it.
pub fn kind_option(kind: Option<nexus_abi::Kind>) -> String {
    kind.map_or("None".into(), |kind| format!("Some(Kind::{kind:?})"))
}

fn message_struct(interface: &Interface, operation: &Operation, is_reply: bool, message: &Message) -> String {
    let name = message_name(operation, is_reply);
    let own = generics(message, "'a", "H");
    let (method, what) = (&operation.name, if is_reply { "reply" } else { "request" });
    let derives =
        if message.handles.is_empty() { "Clone, Copy, PartialEq, Eq, Debug" } else { "PartialEq, Debug" };
    let mut out =
        format!("/// The {what} of [`Client::{method}`].\n#[derive({derives})]\npub struct {name}{own} {{\n");
    for item in &message.items {
        let (doc, field, kind) = match *item {
            Item::Field(i) => {
                let field = &message.fields[i];
                (&field.doc, &field.name, rust_type(interface, &field.kind, "'a"))
            }
            Item::Handle(i) => {
                let handle = &message.handles[i];
                (&handle.doc, &handle.name, format!("Held<H, {}>", kind_type(handle.kind)))
            }
        };
        let doc =
            if doc.is_empty() { format!("/// The argument `{field}`.\n") } else { rust_doc(doc, "///") };
        let _ = writeln!(out, "{doc}pub {field}: {kind},");
    }
    let bound = if message.handles.is_empty() { "<H>" } else { "" };
    let impl_generics = generics(message, "'a", "H: AnyHandle");
    let lifetime = if message.borrows { "'a" } else { "'_" };
    let _ = write!(
        out,
        "}}\n\nimpl{impl_generics} {name}{own} {{\n\
         /// Fewest bytes that it takes.\npub const LEAST: usize = {};\n\
         /// Most bytes that it takes.\npub const MOST: usize = {};\n\
         /// Handles that it carries.\npub const HANDLES: usize = {};\n\
         /// Whether it borrows from the packet that it is decoded from.\npub const BORROWS: bool = {};\n\n\
         /// Writes it to a packet.\n\
         pub fn encode{bound}(self, packet: &mut Packet<'_, H>) -> Result<(), Fault> {{\n{}}}\n\n\
         /// Reads it. Every part is checked; handles that do not do are closed.\n\
         pub fn decode{bound}(view: View<{lifetime}>, handles: &mut Handles<H>) -> Result<Self, Malformed> {{\n{}}}\n}}\n\n",
        message.least,
        message.most,
        message.handles.len(),
        message.borrows,
        encode_body(operation, message),
        decode_body(message),
    );
    out
}

fn encode_body(operation: &Operation, message: &Message) -> String {
    let mut fill = String::new();
    let last = message.fields.len().wrapping_sub(1);
    for (i, field) in message.fields.iter().enumerate() {
        let (name, at) = (&field.name, field.offset);
        match (&field.kind, message.tail && i == last) {
            (Type::Text(_), true) => {
                let _ = writeln!(fill, "out.bytes({at}, self.{name}.as_bytes());");
            }
            (_, true) => {
                let _ = writeln!(fill, "out.bytes({at}, &self.{name});");
            }
            (_, false) => {
                let _ = writeln!(fill, "self.{name}.encode(out, {at});");
            }
        }
    }
    let header = format!("Header::new(ID, op::{})", operation.name.to_uppercase());
    let mut out = if message.is_empty() || message.fields.is_empty() {
        format!("packet.write_words({header}, Self::MOST, |_| {{}});\n")
    } else if message.in_registers() {
        format!("packet.write_words({header}, Self::MOST, |out| {{\n{fill}}});\n")
    } else {
        let len = match message.fields.last().filter(|_| message.tail) {
            Some(tail) => format!("Self::LEAST + self.{}.len()", tail.name),
            None => "Self::MOST".into(),
        };
        format!("packet.write_bytes({header}, {len}, |out| {{\n{fill}}})?;\n")
    };
    for handle in &message.handles {
        let _ = writeln!(
            out,
            "packet.handles.push(self.{}.into_inner()).map_err(|_| Fault::NoRoom)?;",
            handle.name
        );
    }
    out + "Ok(())\n"
}

fn decode_body(message: &Message) -> String {
    let mut out = String::new();
    let input = if message.fields.is_empty() { "_" } else { "input" };
    if message.in_registers() {
        let _ = writeln!(out, "let {input} = view.exact_words(Self::MOST)?;");
    } else {
        let _ = writeln!(out, "let {input} = view.bytes(Self::LEAST, Self::MOST)?;");
    }
    out += "if handles.len() != Self::HANDLES {\nreturn Err(Malformed);\n}\n";
    for (at, len) in &message.padding {
        let _ = writeln!(out, "input.zero({at}, {len})?;");
    }
    let last = message.fields.len().wrapping_sub(1);
    out += "Ok(Self {\n";
    for item in &message.items {
        let _ = match *item {
            Item::Field(i) => {
                let (field, at) = (&message.fields[i], message.fields[i].offset);
                let tail = if matches!(field.kind, Type::Text(_)) { "text_tail" } else { "tail" };
                if message.tail && i == last {
                    writeln!(out, "{}: {tail}(input.get({at}..).ok_or(Malformed)?)?,", field.name)
                } else {
                    writeln!(out, "{}: Wire::decode(&input, {at})?,", field.name)
                }
            }
            Item::Handle(i) => {
                let handle = &message.handles[i];
                writeln!(out, "{}: handles.receive({i}, {})?,", handle.name, rights(handle.rights))
            }
        };
    }
    out + "})\n"
}

/// The parameters of a message as a method takes them, and how many they are.
pub fn parameters(interface: &Interface, message: &Message, handle: &str) -> (String, usize) {
    let list: Vec<_> = message
        .items
        .iter()
        .map(|item| match *item {
            Item::Field(i) => {
                let field = &message.fields[i];
                format!("{}: {}", field.name, rust_type(interface, &field.kind, "'_"))
            }
            Item::Handle(i) => {
                let field = &message.handles[i];
                format!("{}: Held<{handle}, {}>", field.name, kind_type(field.kind))
            }
        })
        .collect();
    (list.join(", "), list.len())
}

/// The names of a message's items, as written.
pub fn item_names(message: &Message) -> Vec<&str> {
    message
        .items
        .iter()
        .map(|item| match *item {
            Item::Field(i) => message.fields[i].name.as_str(),
            Item::Handle(i) => message.handles[i].name.as_str(),
        })
        .collect()
}

/// What stands before a function of so many parameters.
pub fn allow_many(parameters: usize) -> &'static str {
    if parameters > MANY {
        "#[expect(clippy::too_many_arguments, reason = \"the interface declares as many\")]\n"
    } else {
        ""
    }
}

fn client(interface: &Interface) -> String {
    let mut out = String::from(
        "/// The interface as its clients see it. Each call can find the server dead; the next one connects anew.\n\
         pub struct Client<C: Connector> {\nlink: Link<C>,\nbuffer: [u8; BUFFER_BYTES],\n}\n\n\
         impl<C: Connector> Client<C> {\n\
         /// A client that connects when it is first used.\npub const fn new(connector: C) -> Self {\n\
         Client { link: Link::new(connector), buffer: [0; BUFFER_BYTES] }\n}\n",
    );
    for operation in &interface.operations {
        out += &client_method(interface, operation);
    }
    out + "}\n\n"
}

fn client_method(interface: &Interface, op: &Operation) -> String {
    let (arguments, count) = parameters(interface, &op.request, "HandleOf<C>");
    let again = if op.idempotent { "idempotent" } else { "once" };
    let request = format!("{} {{ {} }}", message_name(op, false), item_names(&op.request).join(", "));
    let (upper, deadline) = (op.name.to_uppercase(), op.deadline_ms);
    let mut out = String::from("\n") + &rust_doc(&op.doc, "///") + allow_many(count + 1);
    let (result, room, tries) = match &op.reply {
        None => ("Result<(), SendError>".into(), "Room { bytes: 0, handles: 0 }".into(), "send"),
        Some(reply) => {
            let reply_type = message_type(op, true, reply, "'_", "HandleOf<C>");
            let room = if reply.is_empty() {
                "Room { bytes: HEADER_BYTES, handles: 0 }".into()
            } else {
                format!("Room {{ bytes: {}, handles: {} }}", reply.most, reply.handles.len())
            };
            (format!("Result<{reply_type}, CallError<Error>>"), room, "call")
        }
    };
    let _ = write!(
        out,
        "pub fn {}(&mut self, {arguments}) -> {result} {{\n\
         const SPEC: Spec = Spec {{ interface: ID, operation: op::{upper}, deadline_ms: {deadline}, room: {room} }};\n\
         let request = {request};\n",
        op.name
    );
    let attempt =
        format!("self.link.{tries}_{again}(&SPEC, &mut self.buffer, move |packet| request.encode(packet))?");
    match &op.reply {
        None => {
            let _ = write!(out, "{attempt};\nOk(())\n}}\n");
        }
        Some(reply) if reply.is_empty() => {
            let _ = write!(
                out,
                "let packet = {attempt};\nlet (view, handles) = answered(packet, &SPEC, false)?;\n\
                 Ok(empty_reply(view, &handles)?)\n}}\n"
            );
        }
        Some(reply) => {
            let _ = write!(
                out,
                "let packet = {attempt};\nlet (view, mut handles) = answered(packet, &SPEC, {})?;\n\
                 Ok({}::decode(view, &mut handles)?)\n}}\n",
                reply.borrows,
                message_name(op, true)
            );
        }
    }
    out
}
