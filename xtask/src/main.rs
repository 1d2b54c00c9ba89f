//! Commands of this workspace: `cargo xtask --help`.

mod cargo;
mod changes;
mod code;
mod diff;
mod docs;
mod export;
mod facts_file;
mod flags;
mod folder;
mod problems;
mod progress;
mod regen;
mod signature_vectors;
mod source;
mod try_;
mod update;

use std::process::ExitCode;

use clap::Parser;
use flags::{Command, Flags};

fn main() -> ExitCode {
    let result = match Flags::parse().command {
        Command::Regen(flags) => regen::run(&flags),
        Command::Diff(flags) => diff::run(&flags),
        Command::Export(flags) => export::run(&flags),
        Command::Try(flags) => try_::run(&flags),
        Command::Update(flags) => update::run(&flags),
        Command::Vectors(flags) => signature_vectors::run(&flags),
        Command::Docs => docs::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
