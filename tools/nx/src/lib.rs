//! The host side of Nexus OS: one command that builds, runs, tests, proves and measures it.
//!
//! Whatever `nx` starts it also ends, on every path. It never reports something that it did not see.
#![forbid(unsafe_code)]

pub mod bench;
pub mod build;
pub mod cli;
pub mod doctor;
pub mod exit;
pub mod house;
pub mod interrupt;
pub mod machine;
pub mod manual;
pub mod output;
pub mod prompt;
pub mod prove;
pub mod run;
pub mod test;

use cli::{Cli, Command};
use exit::Outcome;
use house::House;
use output::Output;

/// Does what the command line says.
pub fn dispatch(cli: &Cli) -> Outcome {
    let output = Output::new(cli.json);
    match &cli.command {
        Command::Doctor => doctor::run(&House::find()?, output),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { folder } => manual::pages(folder, output),
        Command::Build(args) => build::run(&House::find()?, args, output),
        Command::Run(args) => run::run(&House::find()?, args, output),
        Command::Test(args) => test::run(&House::find()?, args, output),
        Command::Prove(args) => prove::run(&House::find()?, args, output),
        Command::Bench(args) => bench::run(&House::find()?, args, output),
    }
}
