//! `cargo xtask regen`: the description becomes code.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use similar::TextDiff;
use upvest_gen::{Generated, Source, generate};

use crate::flags::Regen;

const SPEC: &str = "spec/upvest-investment-api.yaml";
const OVERLAY: &str = "spec/overlay.yaml";
const OUT: &str = "upvest-api/src/generated";

/// Runs the command in the workspace that xtask belongs to.
pub(crate) fn run(flags: &Regen) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no workspace around it")?;
    let start = Instant::now();
    let generated = match &flags.spec {
        Some(spec) => {
            let overlay = flags.overlay.as_deref().map(read).transpose()?;
            generate(&read(spec)?, overlay.as_ref())?
        }
        None => generate(&vendored(root, SPEC)?, Some(&vendored(root, OVERLAY)?))?,
    };
    let out = flags.out.clone().unwrap_or_else(|| root.join(OUT));
    let stale = stale(&generated, &out)?;
    if flags.check {
        return report(&stale, &mending(flags));
    }
    write(&stale, &out)?;
    let lines: usize = generated.files.iter().map(|file| file.text.lines().count()).sum();
    for error in &generated.notes {
        println!("note: {error}");
    }
    for error in &generated.left_out {
        println!("left out: {error}");
    }
    println!(
        "{} operations, {} types, {lines} lines in {} files; {} changed; {:.2} s",
        generated.operations,
        generated.types,
        generated.files.len(),
        stale.len(),
        start.elapsed().as_secs_f64(),
    );
    Ok(())
}

fn read(path: &Path) -> Result<Source> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Source::new(path.display().to_string(), text))
}

/// A file of the workspace, called by its path in it, so that no generated header names a machine.
fn vendored(root: &Path, name: &str) -> Result<Source> {
    let text = fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))?;
    Ok(Source::new(name, text))
}

/// A file whose content is not what it should be. No `new`: it should not be there.
struct Stale {
    path: PathBuf,
    old: String,
    new: Option<String>,
}

fn stale(generated: &Generated, out: &Path) -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for file in &generated.files {
        let path = out.join(file.name);
        let old = if path.exists() {
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            String::new()
        };
        if old != file.text {
            stale.push(Stale { path, old, new: Some(file.text.clone()) });
        }
    }
    for path in rust_files(out)? {
        let known = generated.files.iter().any(|file| out.join(file.name) == path);
        if !known {
            let old = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            stale.push(Stale { path, old, new: None });
        }
    }
    Ok(stale)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The command that writes what `--check` finds missing.
fn mending(flags: &Regen) -> String {
    let paths = [("spec", &flags.spec), ("overlay", &flags.overlay), ("out", &flags.out)];
    paths.iter().fold("cargo xtask regen".to_owned(), |command, (flag, path)| match path {
        Some(path) => format!("{command} --{flag} {}", path.display()),
        None => command,
    })
}

fn report(stale: &[Stale], mending: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    for file in stale {
        let (name, new) = (file.path.display().to_string(), file.new.as_deref().unwrap_or_default());
        let diff = TextDiff::from_lines(&file.old, new);
        write!(stdout, "{}", diff.unified_diff().header(&name, &name))
            .context("cannot show the difference")?;
    }
    match stale.len() {
        0 => writeln!(stdout, "the generated code is what the description says").context("cannot say so"),
        1 => bail!("1 generated file is stale; run `{mending}` and commit what it writes"),
        many => bail!("{many} generated files are stale; run `{mending}` and commit what it writes"),
    }
}

fn write(stale: &[Stale], out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for file in stale {
        let done = match &file.new {
            Some(text) => fs::write(&file.path, text),
            None => fs::remove_file(&file.path),
        };
        done.with_context(|| format!("cannot write {}", file.path.display()))?;
        println!("{}", file.path.file_name().unwrap_or_default().to_string_lossy());
    }
    Ok(())
}
