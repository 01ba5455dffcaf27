//! Names: how each sort is spelled, and which ones generated code needs for itself.

/// How a sort of names is spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// `like_this`.
    Snake,
    /// `LikeThis`.
    Camel,
    /// `LIKE_THIS`.
    Upper,
}

impl Style {
    /// A name of the style.
    pub const fn example(self) -> &'static str {
        match self {
            Style::Snake => "read_back",
            Style::Camel => "NotFound",
            Style::Upper => "MAX_TEXT",
        }
    }
}

const MAX_NAME: usize = 40;

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield", "Self",
];

/// Whether a name is spelled as its sort is, and can stand in Rust.
pub fn check(name: &str, style: Style) -> Result<(), String> {
    let first = name.chars().next().unwrap_or('_');
    let fits = match style {
        Style::Snake => {
            first.is_ascii_lowercase()
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        }
        Style::Camel => first.is_ascii_uppercase() && name.chars().all(|c| c.is_ascii_alphanumeric()),
        Style::Upper => {
            first.is_ascii_uppercase()
                && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        }
    };
    if !fits || name.contains("__") || name.ends_with('_') {
        return Err(format!(
            "`{name}` is not spelled as such a name is; write one like `{}`",
            style.example()
        ));
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name has more than {MAX_NAME} characters; shorten it"));
    }
    if KEYWORDS.contains(&name) {
        return Err(format!("`{name}` is a word of Rust; choose another name"));
    }
    Ok(())
}

/// Whether generated code has a constant of this name.
pub fn is_generated_const(name: &str) -> bool {
    ["VERSION", "ID", "BUFFER_BYTES", "REQUEST_ROOM", "INTERFACE"].contains(&name)
}

/// Whether generated code uses a type of this name.
pub fn is_generated_type(name: &str) -> bool {
    const USED: &[&str] = &[
        "AnyHandle",
        "Bytes",
        "CallError",
        "Client",
        "Connector",
        "Err",
        "Error",
        "Fault",
        "HandleOf",
        "Handles",
        "Header",
        "Held",
        "Identity",
        "Interface",
        "Kind",
        "Link",
        "Malformed",
        "None",
        "Ok",
        "Option",
        "Outcome",
        "Packet",
        "Promise",
        "Replier",
        "Result",
        "Rights",
        "Room",
        "SendError",
        "Sender",
        "Server",
        "ServiceError",
        "Sink",
        "Some",
        "Source",
        "Spec",
        "Text",
        "Transport",
        "View",
        "Wire",
        "Words",
    ];
    USED.contains(&name)
}

/// Whether generated code has a method of this name.
pub fn is_generated_method(name: &str) -> bool {
    ["new", "permits"].contains(&name)
}

/// `like_this` as `LikeThis`.
pub fn camel(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string() + chars.as_str())
        })
        .collect()
}
