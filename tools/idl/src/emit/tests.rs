//! The wire tests of an interface: every message spelled byte for byte at its bounds, one past them refused,
//! every operation through client and server, and a storm of damaged messages.

use super::rust::{item_names, message_name};
use super::sample::{self, Size};
use crate::model::{Interface, Message, Operation};
use std::fmt::Write;

/// The test module's source, not yet formatted.
pub fn module(interface: &Interface) -> String {
    let name = &interface.name;
    let mut out = format!(
        "//! Wire tests of `{name}`.\n//!\n//! Generated from `idl/{name}.idl` by `nexus-idlc`: change that file, then run the generator.\n\n\
         use crate::support::{{self, FakeHandle, Loopback}};\nuse nexus_abi::{{Identity, Kind}};\n\
         use nexus_api::{name}::*;\n\
         use nexus_wire::{{Bytes, CallError, Fault, Held, Outcome, Text, kinds}};\n\n"
    );
    for (operation, is_reply, message) in interface.messages() {
        if !(is_reply && message.is_empty()) {
            out += &spelling(interface, operation, is_reply, message);
        }
    }
    out += &fixture(interface);
    out += &round_trips(interface);
    out += &errors(interface);
    out += &storm(interface);
    prune(out)
}

/// Takes names out of the imports that nothing uses.
fn prune(text: String) -> String {
    let Some((head, body)) = text.split_once("\n\n/").or_else(|| text.split_once("\n\n#")) else {
        return text;
    };
    let _ = body;
    let uses = head.lines().filter(|line| line.starts_with("use ")).map(str::to_owned).collect::<Vec<_>>();
    let rest: String = text.lines().filter(|line| !line.starts_with("use ")).collect::<Vec<_>>().join("\n");
    let has =
        |name: &str| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == name);
    let mut out = text.clone();
    for line in uses {
        let Some((path, list)) = line.split_once('{') else {
            continue;
        };
        let list = list.trim_end_matches("};");
        let kept: Vec<_> = list.split(", ").filter(|name| *name == "self" || has(name)).collect();
        let new = if kept.is_empty() { String::new() } else { format!("{path}{{{}}};", kept.join(", ")) };
        out = out.replacen(&line, &new, 1);
    }
    out
}

fn filled(interface: &Interface, op: &Operation, is_reply: bool, message: &Message, size: Size) -> String {
    if is_reply && message.is_empty() {
        return "()".into();
    }
    format!("{} {{ {} }}", message_name(op, is_reply), sample::rust_fields(interface, message, size))
}

fn spelling(interface: &Interface, op: &Operation, is_reply: bool, message: &Message) -> String {
    let generics = match (message.borrows, !message.handles.is_empty()) {
        (false, false) => "",
        (true, false) => "<'_>",
        (false, true) => "<FakeHandle>",
        (true, true) => "<'_, FakeHandle>",
    };
    let name = message_name(op, is_reply) + generics;
    let what = if is_reply { "reply" } else { "request" };
    let mut out = format!("#[test]\nfn {}_{what}_has_one_spelling() {{\n", op.name);
    for size in Size::ALL {
        let golden = sample::golden(&sample::bytes(interface, op, message, size));
        let value = filled(interface, op, is_reply, message, size);
        let _ = writeln!(out, "support::spelled!({name}, {golden:?}, {value});");
    }
    let varied = sample::golden(&sample::bytes(interface, op, message, Size::Varied));
    let handles: String =
        message.handles.iter().map(|h| format!("(Kind::{:?}, {:#x}),", h.kind, h.rights.bits())).collect();
    let _ = writeln!(out, "let handles: &[(Kind, u32)] = &[{handles}];");
    let _ = writeln!(out, "support::bounded!({name}, {varied:?}, handles);");
    for (at, bytes, why) in sample::flaws(interface, message) {
        let _ = writeln!(out, "support::flawed!({name}, {varied:?}, handles, {at}, &{bytes:?}, {why:?});");
    }
    out + "}\n\n"
}

fn fixture(interface: &Interface) -> String {
    let generic = if interface.has_handles() { "<FakeHandle>" } else { "" };
    let mut out = String::from(
        "/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.\n\
         #[derive(Default)]\nstruct Fixture {\nstrict: bool,\nerror: Option<Error>,\ncalls: usize,\n",
    );
    out += if interface.has_permissions() { "denies: bool,\n}\n\n" } else { "}\n\n" };
    let _ = writeln!(out, "impl Server{generic} for Fixture {{");
    if interface.has_permissions() {
        out += "fn permits(&mut self, _: Identity, _: &'static str) -> bool {\n!self.denies\n}\n\n";
    }
    for op in &interface.operations {
        let names = item_names(&op.request);
        let mut parameters = String::new();
        for name in &names {
            let _ = write!(parameters, ", {name}: {}", item_type(interface, &op.request, name));
        }
        let result = op.reply.as_ref().map_or(String::new(), |reply| {
            if reply.is_empty() {
                return " -> Result<(), Error>".into();
            }
            let generics = match (reply.borrows, !reply.handles.is_empty()) {
                (false, false) => "",
                (true, false) => "<'_>",
                (false, true) => "<FakeHandle>",
                (true, true) => "<'_, FakeHandle>",
            };
            format!(" -> Result<{}{generics}, Error>", message_name(op, true))
        });
        let _ = write!(
            out,
            "fn {}(&mut self, sender: Identity{parameters}){result} {{\nself.calls += 1;\n\
             let request = {} {{ {} }};\nif self.strict {{\nassert_eq!(sender, support::SENDER);\nassert_eq!(request, {});\n}}\n",
            op.name,
            message_name(op, false),
            names.join(", "),
            filled(interface, op, false, &op.request, Size::Varied),
        );
        if let Some(reply) = &op.reply {
            let value = filled(interface, op, true, reply, Size::Most);
            let _ = writeln!(out, "self.error.map_or(Ok({value}), Err)");
        }
        out += "}\n\n";
    }
    out + "}\n\n"
}

fn item_type(interface: &Interface, message: &Message, name: &str) -> String {
    if let Some(field) = message.fields.iter().find(|field| field.name == name) {
        return super::rust_type(interface, &field.kind, "'_");
    }
    let kind = message.handles.iter().find(|handle| handle.name == name).map(|handle| handle.kind);
    kind.map_or(String::new(), |kind| format!("Held<FakeHandle, kinds::{kind:?}>"))
}

const CLIENT: &str = "let mut server = fixture;\nlet mut client = Client::new(Loopback::connector(|delivery, packet| {\n\
                      dispatch(&mut server, support::SENDER, delivery, packet)\n}));\n";

fn round_trips(interface: &Interface) -> String {
    let mut out = String::from(
        "#[test]\nfn every_operation_arrives_and_its_answer_returns() {\nlet fixture = Fixture { strict: true, ..Fixture::default() };\n",
    );
    out += CLIENT;
    for op in &interface.operations {
        let arguments = sample::rust_arguments(interface, &op.request, Size::Varied);
        let expected = match &op.reply {
            None => "()".into(),
            Some(reply) => filled(interface, op, true, reply, Size::Most),
        };
        let _ = writeln!(out, "assert_eq!(client.{}({arguments}), Ok({expected}));", op.name);
    }
    let _ = write!(
        out,
        "assert_eq!(server.calls, {});\nassert_eq!(support::open_handles(), 0);\n}}\n\n",
        interface.operations.len()
    );
    out
}

fn errors(interface: &Interface) -> String {
    let calls: Vec<_> = interface.operations.iter().filter(|op| op.reply.is_some()).collect();
    let mut out = String::new();
    if !interface.errors.is_empty() && !calls.is_empty() {
        out += "#[test]\nfn every_error_returns_from_every_call() {\nfor &error in Error::ALL {\n\
                let fixture = Fixture { error: Some(error), ..Fixture::default() };\n";
        out += CLIENT;
        for op in &calls {
            let arguments = sample::rust_arguments(interface, &op.request, Size::Least);
            let _ = writeln!(
                out,
                "assert_eq!(client.{}({arguments}).map(|_| ()), Err(CallError::Service(error)));",
                op.name
            );
        }
        out += "}\nassert_eq!(support::open_handles(), 0);\n}\n\n";
    }
    if interface.has_permissions() {
        out += "#[test]\nfn what_is_not_permitted_does_not_reach_the_server() {\n\
                let fixture = Fixture { denies: true, ..Fixture::default() };\n";
        out += CLIENT;
        for op in interface.operations.iter().filter(|op| !op.permission.is_empty()) {
            let arguments = sample::rust_arguments(interface, &op.request, Size::Least);
            let _ = if op.reply.is_some() {
                writeln!(
                    out,
                    "assert_eq!(client.{}({arguments}).map(|_| ()), Err(CallError::Service(Error::PermissionDenied)));",
                    op.name
                )
            } else {
                writeln!(out, "assert_eq!(client.{}({arguments}), Ok(()));", op.name)
            };
        }
        out += "assert_eq!(server.calls, 0);\nassert_eq!(support::open_handles(), 0);\n}\n\n";
    }
    for op in &calls {
        let arguments = sample::rust_arguments(interface, &op.request, Size::Least);
        let tries = if op.idempotent { "nexus_wire::link::MAX_TRIES" } else { "1" };
        let _ = write!(
            out,
            "#[test]\nfn {}_tells_of_the_servers_death() {{\nlet (connector, tries) = support::dead();\n\
             let mut client = Client::new(connector);\n\
             assert_eq!(client.{}({arguments}).map(|_| ()), Err(CallError::ServerDied));\n\
             assert_eq!(tries.get(), {tries});\nassert_eq!(support::open_handles(), 0);\n}}\n\n",
            op.name, op.name
        );
    }
    out
}

fn storm(interface: &Interface) -> String {
    let mut out = String::from(
        "#[test]\nfn damaged_messages_never_panic_and_leave_no_handle_open() {\nlet seeds: &[support::Seed] = &[\n",
    );
    for op in &interface.operations {
        for size in [Size::Least, Size::Varied] {
            let golden = sample::golden(&sample::bytes(interface, op, &op.request, size));
            let handles: String = op
                .request
                .handles
                .iter()
                .map(|h| format!("(Kind::{:?}, {:#x}),", h.kind, h.rights.bits()))
                .collect();
            let _ = writeln!(out, "({golden:?}, &[{handles}]),");
        }
    }
    out += "];\nlet mut server = Fixture::default();\nlet mut handled = 0;\n\
            support::storm(seeds, REQUEST_ROOM, |delivery, packet| {\n\
            let before = server.calls;\n\
            let outcome = dispatch(&mut server, support::SENDER, delivery, packet);\n\
            let reached = server.calls - before;\n\
            match outcome {\nOutcome::Taken => assert_eq!(reached, 1),\n\
            Outcome::Answered => assert!(reached <= 1),\n\
            Outcome::Dropped => assert_eq!(reached, 0),\nOutcome::Refused => assert!(reached <= 1),\n}\n\
            handled += reached;\noutcome\n});\n\
            assert!(handled > 0, \"the storm holds whole messages too\");\n}\n\n";
    let answers: String = interface
        .operations
        .iter()
        .filter_map(|op| op.reply.as_ref().map(|reply| (op, reply)))
        .map(|(op, reply)| {
            let golden = sample::golden(&sample::bytes(interface, op, reply, Size::Varied));
            let handles: String =
                reply.handles.iter().map(|h| format!("(Kind::{:?}, {:#x}),", h.kind, h.rights.bits())).collect();
            let arguments = sample::rust_arguments(interface, &op.request, Size::Least);
            format!(
                "support::answer_storm(({golden:?}, &[{handles}]), |answer| {{\n\
                 let mut client = Client::new(support::answering(answer));\n\
                 match client.{}({arguments}) {{\nOk(_) => true,\n\
                 Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,\n\
                 Err(other) => panic!(\"{{other:?}}\"),\n}}\n}});\n",
                op.name
            )
        })
        .collect();
    if !answers.is_empty() {
        let _ = write!(out, "#[test]\nfn damaged_answers_are_faults() {{\n{answers}}}\n");
    }
    out
}
