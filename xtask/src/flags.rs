//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Commands of this workspace.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the generated half of upvest-api from the description in spec/.
    Regen(Regen),
    /// Check files of signature vectors: requests and webhook deliveries.
    Vectors(Vectors),
}

/// Flags of `regen`.
#[derive(Args, Debug)]
pub(crate) struct Regen {
    /// Write nothing; show what would change and exit with 1 if anything would.
    #[arg(long)]
    pub(crate) check: bool,

    /// Read this description, without an overlay, instead of the one in spec/. Needs --out.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub(crate) spec: Option<PathBuf>,

    /// Merge this overlay into the description given by --spec.
    #[arg(long, value_name = "FILE", requires = "spec")]
    pub(crate) overlay: Option<PathBuf>,

    /// Write into this folder instead of upvest-api/src/generated.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Flags of `vectors`.
#[derive(Args, Debug)]
pub(crate) struct Vectors {
    /// The files to check.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}
