//! The language at each of its bounds and one past them, and what it says about what is wrong.

use nexus_idlc::model::{Interface, Type};
use nexus_idlc::parse::{MAX_DEADLINE_MS, MAX_FIELDS, MAX_NESTING, MAX_NUMBER, parse};
use nexus_idlc::tree::agree;

const HEAD: &str = "/// For tests.\ninterface probe version 1;\n";
const END: &str = "deadline 1 ms, once;";

fn with(body: &str) -> Result<Interface, String> {
    parse(&format!("{HEAD}{body}\n")).map_err(|problem| problem.to_string())
}

#[track_caller]
fn accepted(body: &str) -> Interface {
    with(body).unwrap_or_else(|problem| panic!("{problem}\n{body}"))
}

#[track_caller]
fn refused(body: &str, place: &str, says: &str) {
    let problem = with(body).expect_err(body);
    assert!(problem.starts_with(place) && problem.contains(says), "{problem}\nfor: {body}");
}

fn call(arguments: &str) -> String {
    format!("/// Asks.\ncall 1 ask({arguments}) -> () {END}")
}

#[test]
fn a_message_has_at_most_4096_bytes_and_8_handles() {
    let widest = accepted(&call("data: bytes<4088>"));
    assert_eq!(widest.operations[0].request.most, 4096);
    refused(&call("data: bytes<4089>"), "4:8:", "more than 4096 bytes");
    accepted(&call("data: [u64; 511]"));
    refused(&call("data: [u64; 512]"), "4:8:", "send bulk data in a vmo");
    refused(&call("a: [[[[u64; 4096]; 4096]; 4096]; 4096]"), "4:8:", "more than 4096 bytes");
    let handles = |count: usize| call(&(0..count).map(|i| format!("h{i}: handle<vmo>,")).collect::<String>());
    assert_eq!(accepted(&handles(8)).operations[0].request.handles.len(), 8);
    refused(&handles(9), "4:8:", "more than 8 handles");
}

#[test]
fn replies_and_structs_have_the_same_bounds() {
    let reply = |bytes| format!("/// Asks.\ncall 1 ask() -> (\n/// It.\ndata: bytes<{bytes}>) {END}");
    accepted(&reply(4088));
    refused(&reply(4089), "4:8:", "more than 4096 bytes");
    let structure = |bytes| format!("/// S.\nstruct S {{\n/// It.\na: [u8; {bytes}],\n}}\n{}", call("a: u8"));
    accepted(&structure(4096));
    refused(&structure(4097), "6:9:", "from 1 to 4096");
}

#[test]
fn fields_nesting_numbers_and_deadlines_have_bounds() {
    let fields = |count: usize| call(&(0..count).map(|i| format!("f{i}: u8,")).collect::<String>());
    accepted(&fields(MAX_FIELDS));
    refused(&fields(MAX_FIELDS + 1), "4:", "make a struct");
    let nested = |deep| call(&format!("a: {}u8{}", "[".repeat(deep), "; 1]".repeat(deep)));
    accepted(&nested(MAX_NESTING));
    refused(&nested(MAX_NESTING + 1), "4:", "nest at most");
    let number = |n| format!("/// Asks.\ncall {n} ask() -> () {END}");
    accepted(&number(MAX_NUMBER));
    refused(&number(MAX_NUMBER + 1), "4:6:", "from 1 to 999");
    refused(&number(0), "4:6:", "from 1 to 999");
    let deadline = |ms| format!("/// Asks.\ncall 1 ask() -> () deadline {ms} ms, once;");
    accepted(&deadline(MAX_DEADLINE_MS));
    refused(&deadline(MAX_DEADLINE_MS + 1), "4:", "the deadline in milliseconds from 1 to 600000");
    refused(&deadline(0), "4:", "the deadline in milliseconds");
    accepted("/// Tells.\nsend 1 tell() deadline 0 ms, once;");
}

#[test]
fn an_operation_says_what_happens_when_the_server_dies() {
    refused("/// Asks.\ncall 1 ask() -> () deadline 1 ms;", "4:20:", "`idempotent`");
    refused("/// Asks.\ncall 1 ask() -> () once;", "4:20:", "`deadline 1000 ms`");
    refused("/// Asks.\ncall 1 ask() -> () deadline 1 ms, once, once;", "4:41:", "already said");
    let with_handle = "/// Asks.\ncall 1 ask(h: handle<vmo>) -> () deadline 1 ms, idempotent;";
    refused(with_handle, "4:34:", "cannot be sent again; write `once`");
}

#[test]
fn everything_is_documented() {
    refused("call 1 ask() -> () deadline 1 ms, once;", "3:6:", "write `/// …` above it");
    refused(&format!("/// Asks.\ncall 1 ask() -> (a: u8) {END}"), "4:18:", "the field has no documentation");
    refused("errors {\nBad = 1,\n}", "4:1:", "the error has no documentation");
    assert!(parse("interface probe version 1;").is_err_and(|p| p.message.contains("no documentation")));
}

#[test]
fn numbers_of_errors_values_and_operations_rise() {
    refused("errors {\n/// A.\nA = 2,\n/// B.\nB = 2,\n}", "7:5:", "write 3 or more");
    refused("errors {\n/// A.\nA = 1,\n/// A.\nA = 2,\n}", "7:1:", "already there");
    refused("/// E.\nenum E: u8 {\n/// A.\nA = 256,\n}", "6:5:", "from 0 to 255");
    let twice = format!("{}\n/// Again.\ncall 1 again() -> () {END}", call(""));
    refused(&twice, "6:6:", "write 2 or more");
    let same = format!("{}\n/// Again.\ncall 2 ask() -> () {END}", call(""));
    refused(&same, "6:8:", "`ask` is taken");
}

#[test]
fn names_are_spelled_as_their_sort() {
    refused(&call("Data: u8"), "4:12:", "write one like `read_back`");
    refused(&call("type: u8"), "4:12:", "a word of Rust");
    refused(&call("sender: u8"), "4:8:", "have an argument `sender` already");
    refused(&call("a: u8, a: u8"), "4:19:", "already there");
    refused("/// S.\nstruct AskRequest {\n/// A.\na: u8,\n}", "4:8:", "messages are generated");
    refused("/// S.\nstruct Packet {\n/// A.\na: u8,\n}", "4:8:", "`Packet` is taken");
    refused("/// N.\nconst ID = 1;", "4:7:", "`ID` is taken");
    refused(&call(&format!("{}: u8", "a".repeat(41))), "4:12:", "more than 40");
    accepted(&call(&format!("{}: u8", "a".repeat(40))));
}

#[test]
fn handles_have_a_kind_and_rights_that_it_knows() {
    refused(&call("h: handle<file>"), "4:22:", "write one of process, thread, channel");
    refused(&call("h: handle<channel, DUPLICATE>"), "4:31:", "a channel handle has no right `DUPLICATE`");
    refused(&call("h: [handle<vmo>; 2]"), "4:16:", "directly in a message");
    refused("/// S.\nstruct S {\n/// H.\nh: handle<vmo>,\n}", "4:8:", "not in a struct");
}

#[test]
fn a_handle_of_any_kind_still_needs_its_rights() {
    let request = accepted(&call("h: handle<any, READ>")).operations[0].request.clone();
    assert_eq!(request.handles[0].kind, None);
    assert_eq!(request.handles[0].rights, nexus_abi::Rights::READ);
    refused(&call("h: handle<any, EAT>"), "4:27:", "an any handle has no right `EAT`");
}

#[test]
fn only_a_call_can_be_answered_later() {
    let deferred = accepted("/// Asks.\ncall 1 ask() -> () deadline 1 ms, once, deferred;");
    assert!(deferred.operations[0].deferred);
    assert!(!accepted(&call("")).operations[0].deferred);
    refused("/// Tells.\nsend 1 tell() deadline 1 ms, once, deferred;", "4:36:", "`deferred` says nothing");
    refused(
        "/// Asks.\ncall 1 ask() -> () deadline 1 ms, once, deferred, deferred;",
        "4:51:",
        "already said",
    );
    refused(&call("promise: u8"), "4:8:", "have an argument `promise` already");
    refused("/// S.\nstruct AskPromise {\n/// A.\na: u8,\n}", "4:8:", "messages are generated");
}

#[test]
fn types_stand_before_their_use() {
    refused(&call("a: Later"), "4:15:", "no type `Later` stands above");
    refused("/// S.\nstruct S {\n/// Itself.\ns: S,\n}", "6:4:", "no type `S` stands above");
    refused(&call("a: bytes<MAX>"), "4:21:", "no `const MAX");
    refused(&call("a: bytes"), "4:20:", "`bytes<64>`");
    refused("/// S.\nstruct S {}", "4:8:", "at least one field");
    refused("/// E.\nenum E: u64 {}", "4:9:", "write `u8`, `u16` or `u32`");
}

#[test]
fn a_permission_needs_an_error_to_refuse_it_with() {
    let guarded = "/// Asks.\ncall 1 ask() -> () deadline 1 ms, once, permission \"probe.ask\";";
    refused(guarded, "5:1:", "add `PermissionDenied` to `errors`");
    accepted(&format!("errors {{\n/// No.\nPermissionDenied = 5,\n}}\n{guarded}"));
    let spelled = guarded.replace("probe.ask", "Probe Ask");
    refused(&spelled, "4:52:", "a permission is 1 to 64");
}

#[test]
fn broken_text_has_a_place() {
    refused("§", "3:1:", "has no meaning here");
    refused("/// A.\nconst A = 0x;", "4:11:", "is not a number");
    refused("/// A.\nconst A = 99999999999999999999;", "4:11:", "is not a number");
    refused("/// Asks.\ncall 1 ask() -> () permission \"x;", "4:31:", "closing `\"`");
    refused("/// Nothing follows.", "4:1:", "write `const`, `errors`");
    refused("", "4:1:", "no operation");
    assert!(parse("").is_err());
    assert!(parse(&" ".repeat(65537)).is_err_and(|p| p.message.contains("65536")));
    assert!(parse(&(format!("{HEAD}{}", call("")) + &" ".repeat(60_000))).is_ok());
}

#[test]
fn fields_keep_their_order_and_are_aligned() {
    let interface = accepted(&call("a: u8, b: u64, c: u16, d: bytes<3>, e: u8, f: string<5>"));
    let request = &interface.operations[0].request;
    let offsets: Vec<_> = request.fields.iter().map(|field| field.offset).collect();
    assert_eq!(offsets, [8, 16, 24, 26, 32, 33]);
    assert_eq!(request.padding, [(9, 7)]);
    assert!(request.tail);
    assert_eq!((request.least, request.most), (33, 38));
    assert!(matches!(request.fields[5].kind, Type::Text(5)));
    assert!(!request.in_registers(), "text is borrowed, and words lend none");
}

#[test]
fn the_largest_register_message_and_one_byte_more() {
    let in_registers = |arguments: &str| accepted(&call(arguments)).operations[0].request.in_registers();
    assert!(in_registers("a: [u64; 5]"));
    assert!(!in_registers("a: [u64; 5], b: u8"));
}

#[test]
fn an_error_has_one_number_everywhere() {
    let named = |name: &str, errors: &str| {
        let text = format!("/// I.\ninterface {name} version 1;\nerrors {{\n{errors}\n}}\n{}", call(""));
        parse(&text).unwrap_or_else(|problem| panic!("{problem}"))
    };
    let first = named("first", "/// Bad.\nBad = 1,");
    assert_eq!(
        agree(&[first.clone(), named("second", "/// Bad.\nBad = 1,\n/// Worse.\nWorse = 2,")]),
        Ok(())
    );
    let other = agree(&[first.clone(), named("second", "/// Bad.\nBad = 2,")]);
    assert!(other.is_err_and(|why| why.contains("write `Bad = 1`")));
    let reused = agree(&[first, named("second", "/// Worse.\nWorse = 1,")]);
    assert!(reused.is_err_and(|why| why.contains("1 is the number of `Bad`")));
}

#[test]
fn the_identifier_is_that_of_name_and_version() {
    // FNV-1a of "probe/1", computed elsewhere.
    let expected = b"probe/1".iter().fold(2_166_136_261u32, |h, b| (h ^ *b as u32).wrapping_mul(16_777_619));
    assert_eq!(accepted(&call("")).id(), expected);
}
