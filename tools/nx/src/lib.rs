//! The host side of Nexus OS: one command that builds, runs, tests, proves and measures it.
//!
//! Whatever `nx` starts it also ends, on every path. It never reports something that it did not see.
#![forbid(unsafe_code)]

pub mod bench;
pub mod build;
pub mod cli;
pub mod doctor;
pub mod exit;
pub mod help;
pub mod house;
pub mod interrupt;
pub mod kept;
pub mod link;
pub mod machine;
pub mod manual;
pub mod output;
pub mod picture;
pub mod process;
pub mod prompt;
pub mod prove;
pub mod run;
pub mod state;
pub mod symbols;
pub mod test;
pub mod timings;

use cli::{Cli, Command, NetWhat};
use exit::{Failure, Outcome};
use house::House;
use output::Output;

/// Does what the command line says.
pub fn dispatch(cli: &Cli) -> Outcome {
    let output = Output::new(cli.json);
    match &cli.command {
        Command::Doctor => doctor::run(&House::find()?, output),
        Command::Completions { shell } => manual::completions(*shell, output),
        Command::Help { subject } => help::run(subject.as_deref(), output),
        Command::Man { folder } => manual::pages(folder, output),
        Command::Build(args) => build::run(&House::find()?, args, output),
        Command::Run(args) => run::run(&House::find()?, args, output),
        Command::Test(args) => test::run(&House::find()?, args, output),
        Command::Prove(args) => prove::run(&House::find()?, args, output),
        Command::Ps(args) => link::ps(&House::find()?, args, output),
        Command::Log(args) => link::log(&House::find()?, args, output),
        Command::Top(args) => link::top(&House::find()?, args, output),
        Command::Caps(args) => link::caps(&House::find()?, args, output),
        Command::Kill(args) => link::kill(&House::find()?, args, output),
        Command::Net(args) => match &args.what {
            NetWhat::Status(args) => link::network(&House::find()?, args, output),
        },
        Command::Crash(args) => kept::crash(args, output),
        Command::State(args) => state::run(args, output),
        Command::Bench(args) => bench::run(&House::find()?, args, output),
    }
}

/// Says why a command did not do what was asked, and what to do next.
pub fn tell(failure: &Failure, json: bool) {
    if json {
        let value = serde_json::json!({
            "error": failure.exit.word(),
            "exit": failure.exit as u8,
            "what": failure.what,
            "next": failure.mend,
        });
        output::print_error(&value.to_string());
    } else {
        output::print_error(&format!("nx: {failure}"));
    }
}
