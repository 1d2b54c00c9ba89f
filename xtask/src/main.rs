//! Commands of this workspace: `cargo xtask --help`.

mod flags;
mod regen;
mod vectors;

use std::process::ExitCode;

use clap::Parser;
use flags::{Command, Flags};

fn main() -> ExitCode {
    let result = match Flags::parse().command {
        Command::Regen(flags) => regen::run(&flags),
        Command::Vectors(flags) => vectors::run(&flags),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
