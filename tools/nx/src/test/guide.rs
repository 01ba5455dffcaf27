//! What a page tells its reader to do, read off the page itself. A comment that no reader sees stands before each indented block that is a step:
//! `file PATH` (a new file with this text), `append PATH`, `run` (commands, one a line). `said TEXT` has no block: a machine must have said that by then.
//!
//! A mark that is not understood is an error: a step that is left out silently would prove nothing.

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A file is written that was not there.
    File { path: String, text: String },
    /// Text is put at the end of a file.
    Append { path: String, text: String },
    /// A command is run, and must end well.
    Run { command: String },
    /// A line of the last machine has this in it.
    Said { text: String },
}

/// What begins and ends a mark.
const MARK: (&str, &str) = ("<!-- ", " -->");

/// What makes a line part of a block.
const INDENT: &str = "    ";

/// Every step of a page, in order.
pub fn steps(page: &str) -> Result<Vec<Step>, String> {
    let lines: Vec<&str> = page.lines().collect();
    let mut steps = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(mark) = line.strip_prefix(MARK.0).and_then(|rest| rest.strip_suffix(MARK.1)) else {
            continue;
        };
        let (word, rest) = mark.split_once(' ').unwrap_or((mark, ""));
        let wrong = |why: &str| Err(format!("line {}: `{mark}` {why}", number + 1));
        let text = block(&lines[number + 1..]);
        let missing = if text.is_empty() { "has no block" } else { "names no file" };
        match word {
            "said" if !rest.is_empty() => steps.push(Step::Said { text: rest.into() }),
            "file" if !rest.is_empty() && !text.is_empty() => {
                steps.push(Step::File { path: rest.into(), text })
            }
            "append" if !rest.is_empty() && !text.is_empty() => {
                steps.push(Step::Append { path: rest.into(), text });
            }
            "run" if rest.is_empty() && !text.is_empty() => {
                let commands = text.lines().map(|line| line.split(" # ").next().unwrap_or(line).trim());
                steps.extend(
                    commands.filter(|line| !line.is_empty()).map(|line| Step::Run { command: line.into() }),
                );
            }
            "file" | "append" | "run" => return wrong(missing),
            _ => return wrong("is no step"),
        }
    }
    Ok(steps)
}

/// The indented block that these lines begin with, after empty ones; nothing when there is none.
fn block(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines
        .iter()
        .skip_while(|line| line.is_empty())
        .take_while(|line| line.is_empty() || line.starts_with(INDENT))
        .map(|line| line.strip_prefix(INDENT).unwrap_or(line))
        .collect();
    let text = lines.join("\n");
    let text = text.trim_end();
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_in_their_order() {
        let page = "# Page\n<!-- file a/b.rs -->\n\n    one\n\n      two\n\nWords.\n\n    no step\n<!-- append c -->\n    three\n\
                    <!-- run -->\n\n    x y    # why\n    z\n\n<!-- said it: ready -->\n";
        let expected = [
            Step::File { path: "a/b.rs".into(), text: "one\n\n  two\n".into() },
            Step::Append { path: "c".into(), text: "three\n".into() },
            Step::Run { command: "x y".into() },
            Step::Run { command: "z".into() },
            Step::Said { text: "it: ready".into() },
        ];
        assert_eq!(steps(page), Ok(expected.to_vec()));
    }

    #[test]
    fn a_mark_that_is_no_step_is_told() {
        for page in [
            "<!-- file a -->\nnot indented",
            "<!-- file -->\n    a",
            "<!-- run -->",
            "<!-- said -->",
            "<!-- fill a -->\n    b",
        ] {
            assert!(steps(page).unwrap_err().starts_with("line 1: "), "{page}");
        }
        assert_eq!(steps("    <!-- file a -->\nText with <!-- a comment --> in it."), Ok(Vec::new()));
    }
}
