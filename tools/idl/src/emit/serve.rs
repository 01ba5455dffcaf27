//! The server's half of the Rust module: the trait, the promises of later answers, and dispatch.

use super::rust::{allow_many, item_names, message_name, message_type, parameters};
use super::rust_doc;
use crate::model::{Interface, Message, Operation};
use crate::names::camel;
use std::fmt::Write;

/// The trait that a server implements.
pub fn server(interface: &Interface) -> String {
    let generic = if interface.has_handles() { "<H: AnyHandle>" } else { "" };
    let mut out = format!(
        "/// The interface as its server implements it. Who asks is what the kernel says, not what the message says.\n\
         pub trait Server{generic} {{\n"
    );
    if interface.has_permissions() {
        out += "/// Whether the sender has a permission that an operation needs. A refusal is answered with\n\
                /// [`Error::PermissionDenied`]; it is the place to write the audit record.\n\
                fn permits(&mut self, sender: Sender, permission: &'static str) -> bool;\n\n";
    }
    for op in &interface.operations {
        let (arguments, count) = parameters(interface, &op.request, "H");
        out += &rust_doc(&op.doc, "///");
        let promise =
            if op.deferred { format!("promise: {}Promise, ", camel(&op.name)) } else { String::new() };
        if op.deferred {
            out += "///\n/// `None` keeps the call open: its answer comes through `promise`.\n";
        }
        out += allow_many(count + 2 + usize::from(op.deferred));
        let result = op.reply.as_ref().map_or(String::new(), |reply| {
            let reply = message_type(op, true, reply, "'_", "H");
            let reply = if op.deferred { format!("Option<{reply}>") } else { reply };
            format!(" -> Result<{reply}, Error>")
        });
        let _ = write!(out, "fn {}(&mut self, sender: Sender, {promise}{arguments}){result};\n\n", op.name);
    }
    out + "}\n\n"
}

fn encoder(op: &Operation, reply: &Message) -> String {
    if reply.is_empty() {
        format!("|(), packet| write_empty(packet, Header::new(ID, op::{}))", op.name.to_uppercase())
    } else {
        "|reply, packet| reply.encode(packet)".into()
    }
}

/// What a server keeps of a call that it answers later.
pub fn promises(interface: &Interface) -> String {
    let mut out = String::new();
    for (op, reply) in interface.operations.iter().filter_map(|op| Some((op, op.reply.as_ref()?))) {
        if !op.deferred {
            continue;
        }
        let _ = write!(
            out,
            "/// The answer that is owed to a caller of [`Client::{}`].\n\
             #[derive(PartialEq, Eq, Debug)]\n#[must_use = \"a caller waits for this answer\"]\n\
             pub struct {name}Promise(Promise);\n\nimpl {name}Promise {{\n\
             /// Answers. A caller that is gone meanwhile is no error.\n\
             pub fn keep<R: Replier>(self, replier: &mut R, result: Result<{}, Error>) {{\n\
             replier.reply(self.0, |packet| answer(packet, Header::new(ID, op::{}), result, {}));\n}}\n}}\n\n",
            op.name,
            message_type(op, true, reply, "'_", "R::Handle"),
            op.name.to_uppercase(),
            encoder(op, reply),
            name = camel(&op.name),
        );
    }
    out
}

/// What decodes a message, has it handled, and makes the answer.
pub fn dispatch(interface: &Interface) -> String {
    let generic = if interface.has_handles() { "<H>" } else { "" };
    let mut out = format!(
        "/// Decodes a message, has it handled, and makes the packet the answer. What is malformed never reaches the server.\n\
         pub fn dispatch<H: AnyHandle, S: Server{generic}>(\nserver: &mut S,\nsender: Sender,\n\
         packet: &mut Packet<'_, H>,\n) -> Outcome {{\nlet is_call = sender.is_call();\nmatch packet.operation(ID) {{\n"
    );
    for op in &interface.operations {
        let upper = op.name.to_uppercase();
        let names: String = item_names(&op.request).iter().map(|name| format!(", request.{name}")).collect();
        let promise = if op.deferred { format!(", {}Promise(owed)", camel(&op.name)) } else { String::new() };
        let handled = format!("server.{}(sender{promise}{names})", op.name);
        let owed =
            if op.deferred { "let owed = Promise { token: sender.token, room: packet.room };\n" } else { "" };
        let not = if op.reply.is_some() { "" } else { "!" };
        let used = if op.request.is_empty() { "_" } else { "request" };
        let _ = write!(
            out,
            "Some(op::{upper}) if {not}is_call => {{\n{owed}let (view, handles) = packet.open({});\n\
             let Ok({used}) = {}::decode(view, handles) else {{\nreturn refuse(packet, ID, is_call);\n}};\n",
            op.request.borrows,
            message_name(op, false)
        );
        let permits = format!("server.permits(sender, {:?})", op.permission);
        let _ = match (&op.reply, op.permission.is_empty()) {
            (None, true) => write!(out, "{handled};\npacket.reset();\nOutcome::Taken\n}}\n"),
            (None, false) => {
                write!(out, "if {permits} {{\n{handled};\n}}\npacket.reset();\nOutcome::Taken\n}}\n")
            }
            (Some(reply), free) => {
                let result = if free {
                    handled
                } else {
                    format!("if {permits} {{ {handled} }} else {{ Err(Error::PermissionDenied) }}")
                };
                let answer =
                    format!("answer(packet, Header::new(ID, op::{upper}), result, {})", encoder(op, reply));
                if op.deferred {
                    write!(
                        out,
                        "let result = {result};\nlet Some(result) = result.transpose() else {{\npacket.reset();\n\
                         return Outcome::Kept;\n}};\n{answer}\n}}\n"
                    )
                } else {
                    write!(out, "let result = {result};\n{answer}\n}}\n")
                }
            }
        };
    }
    out + "_ => refuse(packet, ID, is_call),\n}\n}\n\n"
}
