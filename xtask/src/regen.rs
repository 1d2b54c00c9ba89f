//! `cargo xtask regen`: generates the code from the description.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use similar::TextDiff;
use upvest_gen::diff::Facts;
use upvest_gen::{Generated, Source, generate};

use crate::flags::Regen;
use crate::folder::{self, MARKER, Stale};
use crate::{diff, problems};

pub(crate) const SPEC: &str = "spec/upvest-investment-api.yaml";
pub(crate) const OVERLAY: &str = "spec/overlay.yaml";
pub(crate) const OUT: &str = "upvest-api/src/generated";

/// The file with the facts of the description, next to the generated code, for comparison with a newer description.
const FACTS: &str = "facts.json";

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
        return report(&stale, &mending(flags));
    }
    let before = Code::before(&out);
    folder::write(&stale)?;
    for file in &stale {
        println!(
            "{}",
            file.path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    code.say(before.as_ref());
    println!(
        "{}; {} changed; {:.2} s",
        code.size(),
        stale.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The generated files, and the facts of the description.
pub(crate) struct Code {
    pub(crate) generated: Generated,
    pub(crate) facts: Facts,
    problems: String,
}

impl Code {
    /// Generates the code. The error contains all problems of the description.
    pub(crate) fn generate(spec: &Source, overlay: Option<&Source>, strict: bool) -> Result<Self> {
        let generated = generate(spec, overlay).map_err(|errors| {
            let errors: Vec<_> = errors.iter().collect();
            problems::refusal(
                "no code can be generated from the description",
                &errors,
                spec,
                overlay,
            )
        })?;
        let left_out: Vec<_> = generated.left_out.iter().collect();
        if strict && !left_out.is_empty() {
            return Err(problems::refusal(
                "operations cannot be generated",
                &left_out,
                spec,
                overlay,
            ));
        }
        let notes: Vec<_> = generated.notes.iter().collect();
        let problems = problems::report("left out", &left_out, spec, overlay)
            + &problems::report("expressed with a loss", &notes, spec, overlay);
        Ok(Self {
            facts: Facts::read(spec, overlay)?,
            generated,
            problems,
        })
    }

    /// The files in `folder`, each with its text.
    pub(crate) fn files(&self, folder: &str) -> Result<Vec<(String, String)>> {
        let files = self
            .generated
            .files
            .iter()
            .map(|file| (format!("{folder}{}", file.name), file.text.clone()));
        // One line for each subject. The marker is one of them.
        let facts = serde_json::to_string(&self.facts).context("cannot write the facts")?;
        let facts = facts.replace("}},\"", "}},\n\"").replacen(
            '{',
            &format!("{{\"{MARKER} regen`\":{{}},\n"),
            1,
        );
        Ok(files
            .chain([(format!("{folder}{FACTS}"), facts + "\n")])
            .collect())
    }

    /// The facts of the description when the code in `folder` was written.
    pub(crate) fn before(folder: &Path) -> Option<Facts> {
        let text = folder::read(&folder.join(FACTS)).ok()?;
        // Without the marker.
        let (_, facts) = text.split_once(":{},")?;
        serde_json::from_str(&format!("{{{facts}")).ok()
    }

    /// Prints the operations that were left out, and the differences to `before`.
    pub(crate) fn say(&self, before: Option<&Facts>) {
        print!("{}", self.problems);
        if let Some(before) = before {
            print!("{}", diff::text(&before.compare(&self.facts)));
        }
    }

    /// The size of the generated code, in words.
    pub(crate) fn size(&self) -> String {
        let Generated {
            operations,
            types,
            files,
            ..
        } = &self.generated;
        let lines: usize = files.iter().map(|file| file.text.lines().count()).sum();
        format!(
            "{operations} operations, {types} types, {lines} lines in {} files",
            files.len()
        )
    }
}

/// Reads a file, whose name in messages is its path as given.
pub(crate) fn source(path: &Path) -> Result<Source> {
    Ok(Source::new(path.display().to_string(), folder::read(path)?))
}

/// Reads a file of the workspace, whose name in messages is its path in the workspace, so that generated headers contain no local
/// paths.
pub(crate) fn vendored(name: &str) -> Result<Source> {
    let text = std::fs::read_to_string(folder::workspace()?.join(name));
    Ok(Source::new(
        name,
        text.with_context(|| format!("cannot read {name}"))?,
    ))
}

/// The command that fixes what `--check` finds.
fn mending(flags: &Regen) -> String {
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

fn report(stale: &[Stale], mending: &str) -> Result<()> {
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
        1 => bail!("1 generated file is out of date; run `{mending}` and commit the result"),
        many => {
            bail!("{many} generated files are out of date; run `{mending}` and commit the result")
        }
    }
}
