//! The wire tests of an interface: every message spelled byte for byte at its bounds, one past them refused,
//! every operation through client and server, and a storm of damaged messages.

use super::rust::{item_names, kind_type, message_name};
use super::sample::{self, Size};
use crate::model::{HandleField, Interface, Message, Operation};
use crate::names::camel;
use std::fmt::Write;

/// The test module's source, not yet formatted.
pub fn module(interface: &Interface) -> String {
    let name = &interface.name;
    let mut out = format!(
        "//! Wire tests of `{name}`.\n//!\n//! Generated from `idl/{name}.idl` by `nexus-idlc`: change that file, then run the generator.\n\n\
         use crate::support::{{self, FakeHandle, Loopback}};\nuse nexus_abi::{{Kind}};\n\
         use nexus_api::{name}::*;\n\
         use nexus_wire::{{Bytes, CallError, Fault, Held, Outcome, Sender, Text, kinds}};\n\n"
    );
    for (operation, is_reply, message) in interface.messages() {
        if !(is_reply && message.is_empty()) {
            out += &spelling(interface, operation, is_reply, message);
        }
    }
    out += &fixture(interface);
    out += &round_trips(interface);
    out += &later(interface);
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
    let handles = sample_handles(message);
    let _ = writeln!(out, "let handles: &[(Kind, u32)] = &[{handles}];");
    let any: Vec<_> = (0..message.handles.len()).filter(|&i| message.handles[i].kind.is_none()).collect();
    let any = if any.is_empty() { String::new() } else { format!(", any {any:?}") };
    let _ = writeln!(out, "support::bounded!({name}, {varied:?}, handles{any});");
    for (at, bytes, why) in sample::flaws(interface, message) {
        let _ = writeln!(out, "support::flawed!({name}, {varied:?}, handles, {at}, &{bytes:?}, {why:?});");
    }
    out + "}\n\n"
}

/// Kind and rights of each of a message's handles, as the tests make them.
fn sample_handles(message: &Message) -> String {
    let row = |h: &HandleField| format!("(Kind::{:?}, {:#x}),", h.sample_kind(), h.rights.bits());
    message.handles.iter().map(row).collect()
}

/// A reply's type, its handles fake.
fn reply_type(op: &Operation, reply: &Message) -> String {
    let generics = match (reply.borrows, !reply.handles.is_empty()) {
        _ if reply.is_empty() => return "()".into(),
        (false, false) => "",
        (true, false) => "<'_>",
        (false, true) => "<FakeHandle>",
        (true, true) => "<'_, FakeHandle>",
    };
    message_name(op, true) + generics
}

fn deferred(interface: &Interface) -> impl Iterator<Item = (&Operation, &Message)> {
    interface.operations.iter().filter(|op| op.deferred).filter_map(|op| Some((op, op.reply.as_ref()?)))
}

fn fixture(interface: &Interface) -> String {
    let generic = if interface.has_handles() { "<FakeHandle>" } else { "" };
    let mut out = String::from(
        "/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.\n\
         #[derive(Default)]\nstruct Fixture {\nstrict: bool,\ncalls: usize,\n",
    );
    if interface.operations.iter().any(|op| op.reply.is_some()) {
        out += "error: Option<Error>,\n";
    }
    if interface.has_permissions() {
        out += "denies: bool,\n";
    }
    for (op, _) in deferred(interface) {
        let _ = writeln!(out, "{}_later: Option<Option<{}Promise>>,", op.name, camel(&op.name));
    }
    out += "}\n\n";
    let _ = writeln!(out, "impl Server{generic} for Fixture {{");
    if interface.has_permissions() {
        out += "fn permits(&mut self, _: Sender, _: &'static str) -> bool {\n!self.denies\n}\n\n";
    }
    for op in &interface.operations {
        let names = item_names(&op.request);
        let mut parameters = String::new();
        for name in &names {
            let _ = write!(parameters, ", {name}: {}", item_type(interface, &op.request, name));
        }
        let result = op.reply.as_ref().map_or(String::new(), |reply| {
            let reply = reply_type(op, reply);
            let reply = if op.deferred { format!("Option<{reply}>") } else { reply };
            format!(" -> Result<{reply}, Error>")
        });
        let promise =
            if op.deferred { format!(", promise: {}Promise", camel(&op.name)) } else { String::new() };
        let who = if op.reply.is_some() { "CALLER" } else { "TELLER" };
        let _ = write!(
            out,
            "fn {}(&mut self, sender: Sender{promise}{parameters}){result} {{\nself.calls += 1;\n\
             let request = {} {{ {} }};\nif self.strict {{\nassert_eq!(sender, support::{who});\nassert_eq!(request, {});\n}}\n",
            op.name,
            message_name(op, false),
            names.join(", "),
            filled(interface, op, false, &op.request, Size::Varied),
        );
        if let Some(reply) = &op.reply {
            let value = filled(interface, op, true, reply, Size::Most);
            let value = if op.deferred {
                let _ = writeln!(
                    out,
                    "if let Some(kept) = &mut self.{}_later {{\n*kept = Some(promise);\nreturn Ok(None);\n}}",
                    op.name
                );
                format!("Some({value})")
            } else {
                value
            };
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
    kind.map_or(String::new(), |kind| format!("Held<FakeHandle, {}>", kind_type(kind)))
}

const CLIENT: &str = "let mut server = fixture;\nlet mut client = Client::new(Loopback::connector(|sender, packet| {\n\
                      dispatch(&mut server, sender, packet)\n}));\n";

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

/// A call that is kept gets no answer until the promise is kept, and then exactly that of the wire.
fn later(interface: &Interface) -> String {
    let mut out = String::new();
    for (op, reply) in deferred(interface) {
        let name = &op.name;
        let asked = sample::golden(&sample::bytes(interface, op, &op.request, Size::Varied));
        let answer = sample::golden(&sample::bytes(interface, op, reply, Size::Most));
        let _ = write!(
            out,
            "#[test]\nfn {name}_can_be_answered_later() {{\n\
             let asked: support::Seed = ({asked:?}, &[{}]);\n\
             let mut server = Fixture {{ {name}_later: Some(None), ..Fixture::default() }};\n\
             support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));\n\
             let promise = server.{name}_later.take().flatten().unwrap();\n\
             support::kept(|replier| promise.keep(replier, Ok({})), ({answer:?}, &[{}]));\n\
             assert_eq!(support::open_handles(), 0);\n}}\n\n",
            sample_handles(&op.request),
            filled(interface, op, true, reply, Size::Most),
            sample_handles(reply),
        );
    }
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
            let handles = sample_handles(&op.request);
            let _ = writeln!(out, "({golden:?}, &[{handles}]),");
        }
    }
    out += "];\nlet mut server = Fixture::default();\nlet mut handled = 0;\n\
            support::storm(seeds, REQUEST_ROOM, |sender, packet| {\n\
            let before = server.calls;\n\
            let outcome = dispatch(&mut server, sender, packet);\n\
            let reached = server.calls - before;\n\
            match outcome {\nOutcome::Taken => assert_eq!(reached, 1),\n\
            Outcome::Answered => assert!(reached <= 1),\n\
            Outcome::Kept => panic!(\"nothing was promised\"),\n\
            Outcome::Dropped => assert_eq!(reached, 0),\nOutcome::Refused => assert!(reached <= 1),\n}\n\
            handled += reached;\noutcome\n});\n\
            assert!(handled > 0, \"the storm holds whole messages too\");\n}\n\n";
    let answers: String = interface
        .operations
        .iter()
        .filter_map(|op| op.reply.as_ref().map(|reply| (op, reply)))
        .map(|(op, reply)| {
            let golden = sample::golden(&sample::bytes(interface, op, reply, Size::Varied));
            let handles = sample_handles(reply);
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
