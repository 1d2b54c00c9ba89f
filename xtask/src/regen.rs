//! `cargo xtask regen`: generates the code from the description.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use similar::TextDiff;

use crate::code::Code;
use crate::facts_file;
use crate::flags::Regen;
use crate::folder::{self, Stale};
use crate::source::{OUT, OVERLAY, SPEC, source, vendored};

/// Runs the command.
pub(crate) fn run(flags: &Regen) -> Result<()> {
    let start = Instant::now();
    let code = match &flags.spec {
        Some(spec) => {
            let overlay = flags.overlay.as_deref().map(source).transpose()?;
            Code::generate(&source(spec)?, overlay.as_ref(), flags.strict)?
        }
        None => Code::generate(&vendored(SPEC)?, Some(&vendored(OVERLAY)?), flags.strict)?,
    };
    let out = flags
        .out
        .clone()
        .map_or_else(|| Ok(folder::workspace()?.join(OUT)), anyhow::Ok)?;
    let stale = folder::stale(&code.files("")?, &out)?;
    if flags.check {
        return report(&stale, &update_command(flags));
    }
    let before = facts_file::read(&out);
    folder::write(&stale)?;
    for file in &stale {
        println!(
            "{}",
            file.path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    code.print_report(before.as_ref());
    println!(
        "{}; {} changed; {:.2} s",
        code.size(),
        stale.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The command that fixes what `--check` finds.
fn update_command(flags: &Regen) -> String {
    let paths: [(&str, &Option<PathBuf>); 3] = [
        ("spec", &flags.spec),
        ("overlay", &flags.overlay),
        ("out", &flags.out),
    ];
    paths.iter().fold(
        "cargo xtask regen".to_owned(),
        |command, (flag, path)| match path {
            Some(path) => format!("{command} --{flag} {}", path.display()),
            None => command,
        },
    )
}

fn report(stale: &[Stale], command: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    for file in stale {
        let name = file.path.display().to_string();
        let new = file.new.as_deref().unwrap_or_default();
        let diff = TextDiff::from_lines(&file.old, new);
        write!(stdout, "{}", diff.unified_diff().header(&name, &name))
            .context("cannot show the difference")?;
    }
    match stale.len() {
        0 => {
            writeln!(stdout, "the generated code matches the description").context("cannot say so")
        }
        1 => bail!("1 generated file is out of date; run `{command}` and commit the result"),
        many => {
            bail!("{many} generated files are out of date; run `{command}` and commit the result")
        }
    }
}
