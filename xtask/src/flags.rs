//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Generate the code of upvest-api from the description in spec/.
    Regen(Regen),
    /// Compare two descriptions, and list the changes that break callers in Rust.
    Diff(Diff),
    /// Write a crate for your own description.
    Export(Export),
    /// Export descriptions to target/try/, and build and run a program that uses upvest-ext with each.
    Try(Try),
    /// Replace the description in spec/ with a newer one, and update all generated files.
    Update(Update),
    /// Check files of signature vectors: requests and webhook deliveries.
    Vectors(Vectors),
    /// Build the documentation, and check its links and that each item names the feature that it needs.
    Docs,
}

/// Flags of `regen`.
#[derive(Args, Debug)]
pub(crate) struct Regen {
    /// Write nothing. Show the changes, and exit with 1 if there are any.
    #[arg(long)]
    pub(crate) check: bool,

    /// Fail if operations cannot be generated, instead of leaving them out.
    #[arg(long)]
    pub(crate) strict: bool,

    /// Read this description, without an overlay, instead of the one in spec/. Needs --out.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub(crate) spec: Option<PathBuf>,

    /// Merge this overlay into the description given by --spec.
    #[arg(long, value_name = "FILE", requires = "spec")]
    pub(crate) overlay: Option<PathBuf>,

    /// Write to this folder instead of upvest-api/src/generated. Only files that this command wrote are replaced.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Flags of `diff`.
#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The older description.
    pub(crate) old: PathBuf,

    /// The newer description.
    pub(crate) new: PathBuf,

    /// Merge this overlay into both descriptions. If it is given twice, the second is for the newer one.
    #[arg(long, value_name = "FILE")]
    pub(crate) overlay: Vec<PathBuf>,

    /// The format of the differences.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,

    /// Exit with 1 if a change breaks callers.
    #[arg(long)]
    pub(crate) deny_breaking: bool,
}

/// The format of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for a terminal.
    Text,
    /// Markdown for a changelog.
    Markdown,
    /// A JSON array of objects.
    Json,
}

/// Flags of `export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The description, in OpenAPI 3.0 or 3.1.
    #[arg(long, value_name = "FILE")]
    pub(crate) spec: PathBuf,

    /// Merge this overlay into it.
    #[arg(long, value_name = "FILE")]
    pub(crate) overlay: Option<PathBuf>,

    /// The folder of the crate. Only files that this command wrote are replaced.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// The name of the crate. If it is not given, that of its folder.
    #[arg(long, value_name = "NAME", value_parser = package_name)]
    pub(crate) name: Option<String>,

    /// Where `upvest-runtime` comes from: a folder, or a git repository with a revision (`https://..#REV`). If it is
    /// not given, from this checkout.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) runtime: Option<RuntimeSource>,

    /// Fail if operations cannot be generated, instead of leaving them out.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Flags of `try`.
#[derive(Args, Debug)]
pub(crate) struct Try {
    /// The descriptions.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Merge this overlay into each.
    #[arg(long, value_name = "FILE")]
    pub(crate) overlay: Option<PathBuf>,
}

/// Flags of `update`.
#[derive(Args, Debug)]
pub(crate) struct Update {
    /// The newer description.
    pub(crate) file: PathBuf,

    /// Update this workspace instead of the one that the command belongs to.
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) workspace: Option<PathBuf>,
}

/// Flags of `vectors`.
#[derive(Args, Debug)]
pub(crate) struct Vectors {
    /// The files to check.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Where the crate `upvest-runtime` comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeSource {
    /// The folder of the crate.
    Folder(PathBuf),
    /// A revision of a git repository that contains the crate.
    Git { url: String, revision: String },
}

impl FromStr for RuntimeSource {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if !text.contains("://") {
            return Ok(Self::Folder(text.into()));
        }
        let (url, revision) = text
            .split_once('#')
            .filter(|(_, revision)| !revision.is_empty())
            .context("a repository needs a revision: https://..#REV")?;
        Ok(Self::Git {
            url: url.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

/// As on the command line.
impl fmt::Display for RuntimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Git { url, revision } => write!(f, "{url}#{revision}"),
        }
    }
}

/// Checks the name of a package by the rules of cargo.
pub(crate) fn package_name(name: &str) -> Result<String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    ensure!(
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_allowed),
        "the name of a crate has ASCII letters, digits, `-` and `_`, and starts with a letter"
    );
    Ok(name.to_owned())
}
