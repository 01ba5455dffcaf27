//! The door: reads the command line, hands over, and turns the outcome into words and an exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use nx::cli::Cli;
use nx::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a mistake.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Good };
            let _ = error.print();
            return exit.into();
        }
    };
    nx::interrupt::listen();
    match nx::dispatch(&cli) {
        Ok(()) => Exit::Good.into(),
        Err(failure) => {
            nx::tell(&failure, cli.json);
            failure.exit.into()
        }
    }
}
