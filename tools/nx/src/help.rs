//! `nx help`: a command as its `--help` explains it, or a topic that is larger than one command. What is said here is
//! made from what the code uses: exit codes from their list, JSON fields from the file that the tests compare with.

use serde_json::json;

use crate::cli::definition;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Output, print_text};

/// The fields of every answer, as the tests see them.
const FIELDS: &str = include_str!("json.txt");

const ENVIRONMENT: &str = "\
Environment:
  NX_QEMU           the QEMU to use instead of qemu-system-riscv64
  NX_ROOT           the source tree to work on, when not called through ./nx
  CARGO_TARGET_DIR  where cargo keeps what it built, instead of target/
  NO_COLOR          any value: no colour
  CI                any value: no colour, no line that is overwritten
";

const FILES: &str = "\
Files, all under build/ (which can be deleted at any time):
  production/ test/ bench/   what `nx build` made: neuron.elf, neuron.bin,
                             boot.img, programs/ with symbols
  run/console.log            the console of the last `nx run`; a second one at
                             the same time keeps its own in run-2/
  run/link                   the door to it, while it runs
  device/ race/ boots/ machines/ bench-log/ harts-log/ link-test/
                             consoles and sockets of the machines of tests
                             and figures
  man/                       man pages
  timings.json               how long work took, for estimates
";

/// A topic: its name, what it is about, its text.
type Topic = (&'static str, &'static str, fn() -> String);

const TOPICS: [Topic; 4] = [
    ("exit-codes", "what each exit code means", exit_codes),
    ("environment", "variables that change what nx does", || ENVIRONMENT.to_string()),
    ("files", "what nx writes, and where", || FILES.to_string()),
    ("json", "the fields of each answer with --json", fields),
];

/// Does what `nx help` says.
pub fn run(subject: Option<&str>, output: Output) -> Outcome {
    let subject = subject.unwrap_or("nx");
    let text = text(subject).ok_or_else(|| {
        let what = format!("there is no command and no topic `{subject}`");
        Failure::new(Exit::Usage, what, "nx help, nx help topics")
    })?;
    if !output.json {
        print_text(&text);
    }
    output.value(&json!({ "subject": subject, "text": text }));
    Ok(())
}

fn text(subject: &str) -> Option<String> {
    let mut definition = definition();
    if subject == "nx" {
        return Some(definition.render_help().to_string());
    }
    if subject == "topics" {
        return Some(topics());
    }
    if let Some((_, _, text)) = TOPICS.iter().find(|(name, _, _)| *name == subject) {
        return Some(text());
    }
    definition.build();
    Some(definition.find_subcommand_mut(subject)?.render_help().to_string())
}

fn topics() -> String {
    let line = |(name, about, _): &Topic| format!("  {name:<14} {about}\n");
    format!("Topics, each shown by `nx help TOPIC`:\n{}", TOPICS.iter().map(line).collect::<String>())
}

/// The exit codes as a table.
pub fn exit_codes() -> String {
    let line = |(exit, what): &(Exit, &str)| format!("  {:>3}  {what}\n", *exit as u8);
    format!("Exit codes:\n{}", Exit::ALL.iter().map(line).collect::<String>())
}

fn fields() -> String {
    format!(
        "With --json one value goes to standard output. Names and order of its fields\n\
         are stable; fields may be added. A failure is one value on standard error.\n\n{FIELDS}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_topic_is_explained() {
        for command in definition().get_subcommands() {
            let text = text(command.get_name()).expect("its help");
            assert!(text.contains("Usage: nx "), "{}", command.get_name());
            assert!(text.contains("Examples:"), "{} has no examples", command.get_name());
        }
        for (name, _, _) in TOPICS {
            assert!(topics().contains(name));
            assert!(text(name).is_some_and(|text| text.lines().count() > 2), "{name}");
        }
        assert_eq!(text("brew"), None);
    }

    #[test]
    fn lines_fit_a_terminal() {
        for subject in [
            "nx",
            "topics",
            "exit-codes",
            "environment",
            "files",
            "run",
            "test",
            "prove",
            "bench",
            "ps",
            "log",
            "top",
            "kill",
            "net",
        ] {
            for line in text(subject).unwrap_or_default().lines() {
                assert!(line.chars().count() <= 100, "{subject}: {line}");
            }
        }
    }

    #[test]
    fn the_page_has_the_same_tables() {
        let page = include_str!("../../../docs/nx.md");
        for (name, _, text) in TOPICS.iter().filter(|(name, _, _)| *name != "json") {
            for line in text().lines().skip(1) {
                assert!(page.contains(line), "docs/nx.md lacks a line of `nx help {name}`: {line}");
            }
        }
    }
}
