//! Tokens to a checked interface. Each refusal names the place and says what to write. Types are declared
//! before they are used, so that no type can contain itself.

use crate::layout::{self, Raw};
use crate::lexer::{Place, Problem, Token, tokens};
use crate::model::{ANY, Body, Const, Interface, Operation, Type, TypeDef, Variant};
use crate::names;
use nexus_abi::bounds::MAX_MESSAGE_BYTES;
use nexus_abi::{Kind, Rights};

/// Longest wait that an operation can declare.
pub const MAX_DEADLINE_MS: u64 = 600_000;

/// Deepest nesting of arrays.
pub const MAX_NESTING: usize = 4;

/// Most fields and handles in one message or struct.
pub const MAX_FIELDS: usize = 32;

/// Largest number of an error or an operation.
pub const MAX_NUMBER: u64 = 999;

/// Reads an interface from the text of its file.
pub fn parse(source: &str) -> Result<Interface, Problem> {
    let mut parser = Parser { tokens: tokens(source)?, at: 0, interface: Interface::default() };
    parser.file()?;
    Ok(parser.interface)
}

struct Parser {
    tokens: Vec<(Token, Place)>,
    at: usize,
    interface: Interface,
}

type Parsed<T> = Result<T, Problem>;

impl Parser {
    fn place(&self) -> Place {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(Place::default(), |token| token.1)
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |token| &token.0)
    }

    fn next(&mut self) -> (Token, Place) {
        let taken = (self.peek().clone(), self.place());
        self.at += 1;
        taken
    }

    fn fail<T>(&self, place: Place, message: impl Into<String>) -> Parsed<T> {
        Err(Problem { place, message: message.into() })
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        self.fail(self.place(), format!("found {}; write {what}", self.peek()))
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str, what: &str) -> Parsed<()> {
        if self.eat(sign) { Ok(()) } else { self.expected(&format!("`{sign}` {what}")) }
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(w) if w == word);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, what: &str) -> Parsed<(String, Place)> {
        match self.next() {
            (Token::Word(word), place) => Ok((word, place)),
            _ => {
                self.at -= 1;
                self.expected(what)
            }
        }
    }

    fn named(&mut self, style: names::Style, what: &str) -> Parsed<(String, Place)> {
        let (name, place) = self.word(&format!("the name of {what}, such as `{}`", style.example()))?;
        match names::check(&name, style) {
            Ok(()) => Ok((name, place)),
            Err(why) => self.fail(place, why),
        }
    }

    fn number(&mut self, what: &str, least: u64, most: u64) -> Parsed<u64> {
        let place = self.place();
        let value = match self.next() {
            (Token::Number(value), _) => value,
            (Token::Word(name), _) => match self.interface.consts.iter().find(|c| c.name == name) {
                Some(found) => found.value as u64,
                None => {
                    return self.fail(place, format!("no `const {name} = …;` stands above; declare it"));
                }
            },
            _ => {
                self.at -= 1;
                return self.expected(&format!("{what}, a number from {least} to {most}"));
            }
        };
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            self.fail(place, format!("{value} is out of bounds; write {what} from {least} to {most}"))
        }
    }

    fn doc(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Token::Doc(_) = self.peek() {
            if let (Token::Doc(line), _) = self.next() {
                lines.push(line);
            }
        }
        lines
    }

    fn documented(&self, doc: &[String], what: &str) -> Parsed<()> {
        if doc.iter().any(|line| !line.is_empty()) {
            return Ok(());
        }
        self.fail(self.place(), format!("{what} has no documentation; write `/// …` above it"))
    }

    fn file(&mut self) -> Parsed<()> {
        let doc = self.doc();
        self.documented(&doc, "the interface")?;
        if !self.eat_word("interface") {
            return self.expected("`interface NAME version 1;` first");
        }
        self.interface.name = self.named(names::Style::Snake, "the interface")?.0;
        if !self.eat_word("version") {
            return self.expected("`version 1;` after the interface's name");
        }
        self.interface.version = self.number("the version", 1, 999)? as u16;
        self.sign(";", "after the version")?;
        self.interface.doc = doc;
        loop {
            let doc = self.doc();
            let place = self.place();
            match self.next().0 {
                Token::Word(word) => self.declaration(&word, place, doc)?,
                Token::End if doc.is_empty() => break,
                _ => {
                    self.at -= 1;
                    return self.expected("`const`, `errors`, `enum`, `struct`, `call` or `send`");
                }
            }
        }
        self.whole()
    }

    fn declaration(&mut self, word: &str, place: Place, doc: Vec<String>) -> Parsed<()> {
        match word {
            "errors" if doc.is_empty() => self.errors(place),
            "errors" => {
                self.fail(place, "the list of errors documents each error, not itself; remove the comment")
            }
            "const" => self.constant(doc),
            "enum" => self.enumeration(doc),
            "struct" => self.structure(doc),
            "call" => self.operation(doc, true),
            "send" => self.operation(doc, false),
            _ => self.fail(
                place,
                format!(
                    "`{word}` begins nothing; write `const`, `errors`, `enum`, `struct`, `call` or `send`"
                ),
            ),
        }
    }

    /// What can only be said of the whole file.
    fn whole(&self) -> Parsed<()> {
        let end = self.place();
        if self.interface.operations.is_empty() {
            return self.fail(
                end,
                "the interface has no operation; write `call 1 name() -> () deadline 1000 ms, once;`",
            );
        }
        let denied = self.interface.errors.iter().any(|error| error.name == "PermissionDenied");
        if self.interface.has_permissions() && !denied {
            return self.fail(end, "an operation needs a permission; add `PermissionDenied` to `errors`");
        }
        Ok(())
    }

    fn constant(&mut self, doc: Vec<String>) -> Parsed<()> {
        self.documented(&doc, "the constant")?;
        let (name, place) = self.named(names::Style::Upper, "the constant")?;
        if self.interface.consts.iter().any(|c| c.name == name) || names::is_generated_const(&name) {
            return self.fail(place, format!("`{name}` is taken; choose another name"));
        }
        self.sign("=", "before the value")?;
        let value = self.number("the value", 0, u64::from(u32::MAX))? as usize;
        self.sign(";", "after the value")?;
        self.interface.consts.push(Const { name, doc, value });
        Ok(())
    }

    fn variants(&mut self, what: &str, least: u64, most: u64) -> Parsed<Vec<Variant>> {
        let mut variants: Vec<Variant> = Vec::new();
        self.sign("{", &format!("before the first {what}"))?;
        while !self.eat("}") {
            let doc = self.doc();
            self.documented(&doc, &format!("the {what}"))?;
            let (name, place) = self.named(names::Style::Camel, &format!("the {what}"))?;
            self.sign("=", "before its number, which is stable for ever")?;
            let number_place = self.place();
            let number = self.number("its number", least, most)?;
            if variants.iter().any(|v| v.name == name) {
                return self.fail(place, format!("`{name}` is already there; remove one"));
            }
            if variants.last().is_some_and(|last| last.number >= number) {
                let next = variants.last().map_or(least, |last| last.number + 1);
                return self.fail(number_place, format!("numbers rise; write {next} or more"));
            }
            variants.push(Variant { name, doc, number });
            if !self.eat(",") {
                self.sign("}", &format!("after the last {what}, or `,` before another"))?;
                break;
            }
        }
        if variants.is_empty() {
            return self.expected(&format!("at least one {what} before this"));
        }
        Ok(variants)
    }

    fn errors(&mut self, place: Place) -> Parsed<()> {
        if !self.interface.errors.is_empty() {
            return self.fail(place, "an interface has one list of errors; add these to the first");
        }
        self.interface.errors = self.variants("error", 1, MAX_NUMBER)?;
        Ok(())
    }

    fn type_name(&mut self, what: &str) -> Parsed<String> {
        let (name, place) = self.named(names::Style::Camel, what)?;
        if self.interface.types.iter().any(|t| t.name == name) || names::is_generated_type(&name) {
            return self.fail(place, format!("`{name}` is taken; choose another name"));
        }
        if ["Request", "Reply", "Promise"].iter().any(|end| name.ends_with(end)) {
            return self.fail(place, "names of messages end so (`Request`, `Reply`, `Promise`), and messages are generated; choose another name");
        }
        Ok(name)
    }

    fn enumeration(&mut self, doc: Vec<String>) -> Parsed<()> {
        self.documented(&doc, "the enum")?;
        let name = self.type_name("the enum")?;
        self.sign(":", "and `u8`, `u16` or `u32` after the enum's name")?;
        let (repr, place) = self.word("`u8`, `u16` or `u32`")?;
        let size = match repr.as_str() {
            "u8" => 1,
            "u16" => 2,
            "u32" => 4,
            _ => {
                return self
                    .fail(place, format!("`{repr}` cannot carry an enum; write `u8`, `u16` or `u32`"));
            }
        };
        let most = (1u64 << (8 * size)) - 1;
        let body = Body::Enum(self.variants("value", 0, most)?);
        self.interface.types.push(TypeDef { name, doc, body, size, align: size, borrows: false });
        Ok(())
    }

    fn structure(&mut self, doc: Vec<String>) -> Parsed<()> {
        self.documented(&doc, "the struct")?;
        let place = self.place();
        let name = self.type_name("the struct")?;
        self.sign("{", "before the first field")?;
        let items = self.items("}", true)?;
        let laid = layout::structure(&self.interface, items).or_else(|why| self.fail(place, why))?;
        self.interface.types.push(TypeDef { name, doc, ..laid });
        Ok(())
    }

    /// Fields and handles up to `close`.
    fn items(&mut self, close: &str, need_docs: bool) -> Parsed<Vec<Raw>> {
        let mut items: Vec<Raw> = Vec::new();
        while !self.eat(close) {
            let doc = self.doc();
            if need_docs {
                self.documented(&doc, "the field")?;
            }
            let (name, place) = self.named(names::Style::Snake, "the field")?;
            if items.iter().any(|item| item.name() == name) {
                return self.fail(place, format!("`{name}` is already there; choose another name"));
            }
            if items.len() == MAX_FIELDS {
                return self.fail(place, format!("more than {MAX_FIELDS} fields; make a struct of some"));
            }
            self.sign(":", "and a type after the field's name")?;
            items.push(if self.eat_word("handle") {
                let (kind, rights) = self.handle()?;
                Raw::Handle { name, doc, kind, rights }
            } else {
                Raw::Field { name, doc, kind: self.kind(0)? }
            });
            if !self.eat(",") {
                self.sign(close, "after the last field, or `,` before another")?;
                break;
            }
        }
        Ok(items)
    }

    fn handle(&mut self) -> Parsed<(Option<Kind>, Rights)> {
        self.sign("<", "and the handle's kind, as in `handle<vmo, READ | MAP>`")?;
        let (name, place) = self.word("a kind such as `vmo` or `channel`")?;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == name);
        if kind.is_none() && name != ANY {
            let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            let all = all.join(", ");
            return self
                .fail(place, format!("`{name}` is no kind of object; write one of {all}, or `{ANY}`"));
        }
        let known_rights = kind.map_or(Rights::all(), |kind| kind.all_rights());
        let mut rights = Rights::empty();
        if self.eat(",") {
            loop {
                let (name, place) = self.word("a right such as `READ`")?;
                match Rights::from_name(&name) {
                    Some(right) if known_rights.contains(right) => rights |= right,
                    _ => {
                        let known = known_rights.iter_names().map(|(name, _)| name).collect::<Vec<_>>();
                        let message = format!(
                            "{} {} handle has no right `{name}`; it can have {}",
                            if kind.is_some() { "a" } else { "an" },
                            kind.map_or(ANY, |kind| kind.name()),
                            known.join(", ")
                        );
                        return self.fail(place, message);
                    }
                }
                if !self.eat("|") {
                    break;
                }
            }
        }
        self.sign(">", "after the handle's kind and rights")?;
        Ok((kind, rights))
    }

    fn kind(&mut self, depth: usize) -> Parsed<Type> {
        let place = self.place();
        if depth > MAX_NESTING {
            return self.fail(place, format!("arrays nest at most {MAX_NESTING} deep; make a struct"));
        }
        if self.eat("[") {
            let item = self.kind(depth + 1)?;
            self.sign(";", "and the array's length, as in `[u8; 16]`")?;
            let count = self.number("the array's length", 1, MAX_MESSAGE_BYTES as u64)? as usize;
            self.sign("]", "after the array's length")?;
            return Ok(Type::Array(Box::new(item), count));
        }
        let (name, place) = self.word("a type such as `u64`, `bytes<64>`, `string<64>` or `[u8; 16]`")?;
        Ok(match name.as_str() {
            "u8" => Type::Unsigned(1),
            "u16" => Type::Unsigned(2),
            "u32" => Type::Unsigned(4),
            "u64" => Type::Unsigned(8),
            "i64" => Type::Signed,
            "bool" => Type::Bool,
            "bytes" => Type::Bytes(self.bound(&name)?),
            "string" => Type::Text(self.bound(&name)?),
            "handle" => {
                return self.fail(place, "a handle stands directly in a message, not in an array or struct");
            }
            _ => match self.interface.types.iter().position(|t| t.name == name) {
                Some(at) => Type::Named(at),
                None => {
                    return self
                        .fail(place, format!("no type `{name}` stands above; declare it, or write `u64`"));
                }
            },
        })
    }

    fn bound(&mut self, name: &str) -> Parsed<usize> {
        self.sign("<", &format!("and the most bytes it can have, as in `{name}<64>`"))?;
        let most = self.number("the most bytes", 1, MAX_MESSAGE_BYTES as u64)? as usize;
        self.sign(">", "after the bound")?;
        Ok(most)
    }

    fn operation(&mut self, doc: Vec<String>, is_call: bool) -> Parsed<()> {
        self.documented(&doc, "the operation")?;
        let number_place = self.place();
        let number = self.number("the operation's number", 1, MAX_NUMBER)? as u16;
        if let Some(last) = self.interface.operations.last().filter(|last| last.number >= number) {
            let next = last.number + 1;
            return self
                .fail(number_place, format!("numbers rise and are never reused; write {next} or more"));
        }
        let (name, place) = self.named(names::Style::Snake, "the operation")?;
        let taken = self.interface.operations.iter().any(|op| names::camel(&op.name) == names::camel(&name));
        if taken || names::is_generated_method(&name) {
            return self.fail(place, format!("`{name}` is taken; choose another name"));
        }
        self.sign("(", "before the arguments")?;
        let arguments = self.items(")", false)?;
        if let Some(hidden) = arguments.iter().find(|item| ["sender", "promise"].contains(&item.name())) {
            let message =
                format!("server methods have an argument `{}` already; choose another name", hidden.name());
            return self.fail(place, message);
        }
        let request = layout::message(&self.interface, arguments).or_else(|why| self.fail(place, why))?;
        let reply = if is_call {
            self.sign("->", "and the reply, `()` when there is nothing to say")?;
            self.sign("(", "before the reply's fields")?;
            let fields = self.items(")", true)?;
            Some(layout::message(&self.interface, fields).or_else(|why| self.fail(place, why))?)
        } else {
            None
        };
        let mut operation = Operation {
            number,
            name,
            doc,
            permission: String::new(),
            deadline_ms: 0,
            idempotent: false,
            deferred: false,
            request,
            reply,
        };
        self.attributes(&mut operation)?;
        self.interface.operations.push(operation);
        Ok(())
    }

    fn attributes(&mut self, operation: &mut Operation) -> Parsed<()> {
        const WRITE: &str = "`deadline 1000 ms`, then `, idempotent` or `, once`, then `;`";
        let begin = self.place();
        let (mut deadline, mut repeat, mut permission, mut deferred) = (None, None, None, None);
        loop {
            let (word, place) = self.word(WRITE)?;
            let again = match word.as_str() {
                "deadline" => {
                    let least = u64::from(operation.reply.is_some());
                    let ms = self.number("the deadline in milliseconds", least, MAX_DEADLINE_MS)?;
                    if !self.eat_word("ms") {
                        return self.expected("`ms` after the deadline");
                    }
                    deadline.replace(ms).is_some()
                }
                "idempotent" => repeat.replace(true).is_some(),
                "once" => repeat.replace(false).is_some(),
                "deferred" if operation.reply.is_some() => deferred.replace(()).is_some(),
                "permission" => permission.replace(self.permission()?).is_some(),
                _ => {
                    return self
                        .fail(place, format!("`{word}` says nothing about an operation; write {WRITE}"));
                }
            };
            if again {
                return self.fail(place, "this is already said; remove one");
            }
            if !self.eat(",") {
                break;
            }
        }
        self.sign(";", "after the operation")?;
        let Some(deadline) = deadline else {
            return self.fail(begin, "every operation has a deadline; write `deadline 1000 ms`");
        };
        let Some(idempotent) = repeat else {
            return self.fail(
                begin,
                "what happens when the server dies meanwhile? write `idempotent` when doing it twice is the same as \
                 once, so that the client tries again, else `once`",
            );
        };
        if idempotent && !operation.request.handles.is_empty() {
            return self.fail(begin, "a handle that was sent is gone and cannot be sent again; write `once`");
        }
        operation.deadline_ms = deadline as u32;
        operation.idempotent = idempotent;
        operation.deferred = deferred.is_some();
        operation.permission = permission.unwrap_or_default();
        Ok(())
    }

    fn permission(&mut self) -> Parsed<String> {
        match self.next() {
            (Token::Quoted(text), place) => {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
                if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
                    return self.fail(
                        place,
                        "a permission is 1 to 64 of `a`-`z`, digits, `.`, `-`, `_`; write `\"log.read\"`",
                    );
                }
                Ok(text)
            }
            _ => {
                self.at -= 1;
                self.expected("the permission's name, such as `\"log.read\"`")
            }
        }
    }
}
