//! Source text to tokens, each with its place. Any bytes go in; tokens or one error come out, never a panic.

use std::fmt;

/// Largest interface file, in bytes.
pub const MAX_SOURCE: usize = 64 * 1024;

/// Where something stands: both from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// What is wrong, where, and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to write.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.place.line, self.place.column, self.message)
    }
}

/// A word, a number, a string, a sign, or a line of documentation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A name or keyword.
    Word(String),
    /// A number without sign.
    Number(u64),
    /// What stands between quotes; there are no escapes.
    Quoted(String),
    /// One of the signs; `->` is `>` after `-`, joined here.
    Sign(&'static str),
    /// The text of a `///` line.
    Doc(String),
    /// The end of the file.
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => write!(f, "`{word}`"),
            Token::Number(number) => write!(f, "`{number}`"),
            Token::Quoted(text) => write!(f, "`\"{text}\"`"),
            Token::Sign(sign) => write!(f, "`{sign}`"),
            Token::Doc(_) => f.write_str("a documentation comment"),
            Token::End => f.write_str("the end of the file"),
        }
    }
}

const SIGNS: [&str; 15] = ["->", "{", "}", "(", ")", "[", "]", "<", ">", ",", ";", ":", "=", "|", "-"];

/// All tokens of a file, the last one [`Token::End`].
pub fn tokens(source: &str) -> Result<Vec<(Token, Place)>, Problem> {
    let mut tokens = Vec::new();
    let start = Place { line: 1, column: 1 };
    if source.len() > MAX_SOURCE {
        let message = format!("the file has more than {MAX_SOURCE} bytes; split the interface");
        return Err(Problem { place: start, message });
    }
    let mut last = start;
    for (index, text) in source.split('\n').enumerate() {
        let mut line = Line { rest: text, place: Place { line: index + 1, column: 1 } };
        while let Some(found) = line.next()? {
            tokens.push(found);
        }
        last = line.place;
    }
    tokens.push((Token::End, last));
    Ok(tokens)
}

struct Line<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Line<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.place.column += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn next(&mut self) -> Result<Option<(Token, Place)>, Problem> {
        self.take_while(char::is_whitespace);
        let place = self.place;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let token = if let Some(doc) = self.rest.strip_prefix("///") {
            let text = doc.strip_prefix(' ').unwrap_or(doc).trim_end().to_owned();
            if text.chars().any(char::is_control) {
                let message = "a control character in a comment; write plain text".into();
                return Err(Problem { place, message });
            }
            self.take(self.rest.len());
            Token::Doc(text)
        } else if self.rest.starts_with("//") {
            return Ok(None);
        } else if first.is_ascii_alphabetic() || first == '_' {
            Token::Word(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned())
        } else if first.is_ascii_digit() {
            Token::Number(self.number(place)?)
        } else if first == '"' {
            Token::Quoted(self.quoted(place)?)
        } else if let Some(sign) = SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) {
            self.take(sign.len());
            Token::Sign(sign)
        } else {
            let message =
                format!("{first:?} has no meaning here; an interface file is ASCII but for comments");
            return Err(Problem { place, message });
        };
        Ok(Some((token, place)))
    }

    fn number(&mut self, place: Place) -> Result<u64, Problem> {
        let digits: String = self
            .take_while(|c| c.is_ascii_alphanumeric() || c == '_')
            .chars()
            .filter(|c| *c != '_')
            .collect();
        let parsed = match digits.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        parsed.map_err(|_| Problem {
            place,
            message: format!("`{digits}` is not a number; write one such as `4_096` or `0x1000`"),
        })
    }

    fn quoted(&mut self, place: Place) -> Result<String, Problem> {
        self.take(1);
        let text = self.take_while(|c| c != '"').to_owned();
        if self.rest.is_empty() {
            return Err(Problem { place, message: "the string does not end; write the closing `\"`".into() });
        }
        self.take(1);
        Ok(text)
    }
}
