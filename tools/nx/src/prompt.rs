//! The prompt that `nx run` ends at: the same subcommands, and `type` for the machine's console, while the machine runs and its console goes on. It
//! ends with the machine, at the end of input, on `quit` and on Ctrl-C, and takes the machine with it. A Ctrl-C while
//! a command works ends that command alone.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Outcome};
use crate::interrupt;
use crate::machine::Machine;
use crate::machine::screen::Screen;
use crate::machine::watch::{Verdict, Watcher};
use crate::output::{Output, Paint, print_text};
use crate::picture;

const PROMPT: &str = "nx> ";

/// How long the console is shown before input is looked at again.
const TURN: Duration = Duration::from_millis(50);

/// Lines typed ahead before whoever types has to wait.
const MAX_TYPED: usize = 16;

/// What a line at the prompt asks for.
#[derive(Debug)]
enum Request {
    Nothing,
    Quit,
    Help,
    /// A line for the machine's console.
    Type(String),
    Do(Box<Cli>),
    Refused(String),
}

/// Stays until told to leave.
pub fn stay(machine: &mut Machine, watcher: &mut Watcher, screen: &mut Screen, output: Output) -> Outcome {
    output.line("The system runs. `help` lists what can be asked here; `quit` or Ctrl-C ends the machine.");
    let typed = keyboard();
    output.prompt(PROMPT);
    loop {
        let mut printed = false;
        let verdict = watcher.watch(machine, Some(Instant::now() + TURN), |line| {
            if !printed {
                output.prompt("\r");
            }
            printed = true;
            screen.show(line);
            false
        });
        if verdict != Verdict::TimedOut {
            output.prompt("\n");
            return Err(watcher.failure(&verdict, machine, "told to (`quit` does that)", 0));
        }
        if printed {
            output.prompt(PROMPT);
        }
        match typed.try_recv() {
            Ok(line) => {
                picture::note(&[(String::from(PROMPT), Paint::Dim), (line.clone(), Paint::Plain)]);
                match request(&line) {
                    Request::Quit => return Ok(()),
                    Request::Type(text) => machine.type_text(&text),
                    other => obey(other)?,
                }
                output.prompt(PROMPT);
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                output.prompt("\n");
                output.step("end", "no more input; the machine is ended");
                return Ok(());
            }
        }
    }
}

/// Does it. A failure is told and is no reason to leave the prompt, but for a signal that is meant for all of it.
fn obey(request: Request) -> Outcome {
    match request {
        Request::Nothing | Request::Quit | Request::Type(_) => {}
        Request::Help => print_text(&help()),
        Request::Refused(why) => print_text(&format!("{}\n", why.trim_end())),
        Request::Do(cli) => {
            if let Err(failure) = crate::dispatch(&cli) {
                if failure.exit == Exit::Interrupted && !interrupt::forgive() {
                    return Err(interrupt::failure("the machine is ended"));
                }
                crate::tell(&failure, cli.json);
            }
        }
    }
    Ok(())
}

/// What can be asked here, a line each.
fn help() -> String {
    let definition = crate::cli::definition();
    let mut text = String::from("As on the command line, without `./nx`:\n");
    for command in definition.get_subcommands().filter(|command| command.get_name() != "run") {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text += &format!("  {:<12} {about}\n", command.get_name());
    }
    text + "  type TEXT    Type TEXT and Enter on the machine's console, for whatever program reads it\n\
            \x20 quit         End the machine and leave; Ctrl-D does the same\n`help COMMAND` explains one, with examples.\n"
}

fn request(line: &str) -> Request {
    if let Some(text) = line.trim_start().strip_prefix("type ") {
        return Request::Type(format!("{text}\n"));
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let words = words.strip_prefix(&["./nx"]).or(words.strip_prefix(&["nx"])).unwrap_or(&words);
    match words {
        [] => Request::Nothing,
        ["quit" | "exit" | "q"] => Request::Quit,
        ["help" | "?"] => Request::Help,
        words => match Cli::try_parse_from(std::iter::once(&"nx").chain(words)) {
            Ok(cli) if matches!(cli.command, Command::Run(_)) => Request::Refused(String::from(
                "a machine is running here; `quit` ends it, another terminal can start a second",
            )),
            Ok(cli) => Request::Do(Box::new(cli)),
            Err(error) => Request::Refused(error.render().to_string()),
        },
    }
}

/// Lines typed, from a thread of their own: reading must not keep the console from being shown.
fn keyboard() -> Receiver<String> {
    let (sender, receiver) = sync_channel(MAX_TYPED);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_takes_the_same_commands() {
        assert!(matches!(request("doctor --json"), Request::Do(cli) if cli.json));
        assert!(matches!(request("./nx test style"), Request::Do(_)));
        assert!(matches!(request("nx quit"), Request::Quit));
        assert!(matches!(request("run"), Request::Refused(_)));
        assert!(matches!(request("brew tea"), Request::Refused(_)));
        assert!(matches!(request("  "), Request::Nothing));
        assert!(matches!(request("type two  words "), Request::Type(text) if text == "two  words \n"));
        assert!(matches!(request("type "), Request::Type(text) if text == "\n"));
        assert!(matches!(request("type"), Request::Refused(_)), "no text");
    }

    #[test]
    fn its_help_names_every_command_but_run() {
        let help = help();
        for command in crate::cli::definition().get_subcommands() {
            let name = format!("\n  {} ", command.get_name());
            assert_eq!(help.contains(&name), command.get_name() != "run", "{name}");
        }
    }
}
