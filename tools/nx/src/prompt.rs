//! The prompt that `nx run` ends at: the same subcommands, while the machine runs and its console goes on. It
//! ends with the machine, at the end of input, on `quit` and on Ctrl-C, and takes the machine with it.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Outcome;
use crate::house::House;
use crate::machine::Machine;
use crate::machine::watch::{Verdict, Watcher};
use crate::output::Output;

const PROMPT: &str = "nx> ";

/// How long the console is shown before input is looked at again.
const TURN: Duration = Duration::from_millis(50);

/// What a line at the prompt asks for.
#[derive(Debug)]
enum Request {
    Nothing,
    Quit,
    Help,
    Do(Box<Cli>),
    Refused(String),
}

/// Stays until told to leave.
pub fn stay(_house: &House, machine: &mut Machine, watcher: &mut Watcher, output: Output) -> Outcome {
    output.line("type `help` for what can be done here, `quit` to end the machine");
    let typed = keyboard();
    show_prompt();
    loop {
        let mut printed = false;
        let verdict = watcher.watch(machine, Some(Instant::now() + TURN), |line| {
            if !printed {
                print!("\r");
            }
            printed = true;
            output.line(&line.text);
            false
        });
        if verdict != Verdict::TimedOut {
            println!();
            return Err(watcher.failure(&verdict, machine, "told to (`quit` does)", 0));
        }
        if printed {
            show_prompt();
        }
        match typed.try_recv() {
            Ok(line) => match request(&line) {
                Request::Nothing => show_prompt(),
                Request::Quit => return Ok(()),
                other => {
                    obey(other);
                    show_prompt();
                }
            },
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                println!();
                return Ok(());
            }
        }
    }
}

fn obey(request: Request) {
    match request {
        Request::Nothing | Request::Quit => {}
        Request::Help => {
            println!("{}\n  quit         end the machine and leave\n", crate::cli::definition().render_help())
        }
        Request::Refused(why) => println!("{why}"),
        Request::Do(cli) => {
            if let Err(failure) = crate::dispatch(&cli) {
                println!("nx: {failure}");
            }
        }
    }
}

fn request(line: &str) -> Request {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [] => Request::Nothing,
        ["quit" | "exit" | "q"] => Request::Quit,
        ["help" | "?"] => Request::Help,
        words => {
            let words = words.strip_prefix(&["nx"]).unwrap_or(words);
            match Cli::try_parse_from(std::iter::once(&"nx").chain(words)) {
                Ok(cli) if matches!(cli.command, Command::Run(_)) => {
                    Request::Refused(String::from("a machine is running here; `quit` ends it"))
                }
                Ok(cli) => Request::Do(Box::new(cli)),
                Err(error) => Request::Refused(error.render().to_string()),
            }
        }
    }
}

fn show_prompt() {
    print!("{PROMPT}");
    let _ = io::stdout().flush();
}

/// Lines typed, from a thread of their own: reading must not keep the console from being shown.
fn keyboard() -> Receiver<String> {
    let (sender, receiver) = sync_channel(16);
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
        assert!(matches!(request("nx test style"), Request::Do(_)));
        assert!(matches!(request("run"), Request::Refused(_)));
        assert!(matches!(request("brew tea"), Request::Refused(_)));
        assert!(matches!(request("  "), Request::Nothing));
        assert!(matches!(request("quit"), Request::Quit));
    }
}
