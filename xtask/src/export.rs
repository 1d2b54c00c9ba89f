//! `cargo xtask export`: writes a crate `upvest-api` for any description, which can replace ours.

use std::path::Path;

use crate::flags::Export;
use crate::folder::{self, MARKER};
use crate::regen::{Code, source};
use anyhow::{Context, Result};
use toml::{Table, Value};
use upvest_gen::Source;

/// Runs the command.
pub(crate) fn run(flags: &Export) -> Result<()> {
    let code = export(flags)?;
    println!("{}, in {}", code.size(), flags.out.display());
    println!(
        "how to use the crate: {}",
        flags.out.join("README.md").display()
    );
    Ok(())
}

impl Export {
    /// The description and its overlay.
    pub(crate) fn sources(&self) -> Result<(Source, Option<Source>)> {
        Ok((
            source(&self.spec)?,
            self.overlay.as_deref().map(source).transpose()?,
        ))
    }
}

/// Writes the crate, and lists the differences to the crate that was there before.
pub(crate) fn export(flags: &Export) -> Result<Code> {
    let (out, (spec, overlay)) = (&flags.out, flags.sources()?);
    let code = Code::generate(&spec, overlay.as_ref(), flags.strict)?;
    let ours = folder::workspace()?.join("upvest-api");
    let mut files = code.files("src/generated/")?;
    let lib = folder::read(&ours.join("src/lib.rs"))?;
    let lib: String = lib
        .lines()
        .filter(|line| !line.starts_with("//!"))
        .fold(String::new(), |text, line| text + line + "\n");
    files.push((
        "src/lib.rs".to_owned(),
        format!("// {MARKER} export`.\n#![doc = include_str!(\"../README.md\")]\n{lib}"),
    ));
    let runtime = ours.join("src/runtime");
    for path in folder::files(&runtime, &["rs"])? {
        let name = path.strip_prefix(&runtime).unwrap_or(&path).display();
        files.push((
            format!("src/runtime/{name}"),
            format!("// {MARKER} export`.\n{}", folder::read(&path)?),
        ));
    }
    files.push(("Cargo.toml".to_owned(), manifest(&ours)?));
    files.push(("README.md".to_owned(), readme(&code, flags)));
    let stale = folder::stale(&files, out)?;
    let before = Code::before(&out.join("src/generated"));
    folder::write(&stale)?;
    code.say(before.as_ref());
    Ok(code)
}

/// Our manifest, in which the values inherited from the workspace are written out.
fn manifest(ours: &Path) -> Result<String> {
    let parse = |path: &Path| -> Result<Table> {
        folder::read(path)?
            .parse()
            .with_context(|| format!("cannot read {}", path.display()))
    };
    let mut manifest = parse(&ours.join("Cargo.toml"))?;
    let workspace = parse(&folder::workspace()?.join("Cargo.toml"))?;
    let inherited =
        |table: &str, key: &str| workspace.get("workspace")?.get(table)?.get(key).cloned();
    for (section, table) in [
        ("package", "package"),
        ("dependencies", "dependencies"),
        ("dev-dependencies", "dependencies"),
    ] {
        for (key, value) in manifest
            .get_mut(section)
            .and_then(Value::as_table_mut)
            .into_iter()
            .flatten()
        {
            if value.get("workspace").is_some() {
                let base = inherited(table, key)
                    .with_context(|| format!("the workspace has no {table}.{key}"))?;
                *value = merge(base, value);
            }
        }
    }
    for section in ["lints", "test", "bench", "example"] {
        manifest.remove(section);
    }
    // The examples in the runtime's documentation need our description.
    manifest.insert(
        "lib".to_owned(),
        Value::Table(Table::from_iter([(
            "doctest".to_owned(),
            Value::Boolean(false),
        )])),
    );
    let text = toml::to_string(&manifest).context("cannot write the manifest")?;
    Ok(format!("# {MARKER} export`.\n\n{text}"))
}

/// A dependency as the workspace declares it, with the crate's additional features and `optional`.
fn merge(base: Value, own: &Value) -> Value {
    let own: Vec<_> = own
        .as_table()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "workspace")
        .collect();
    if own.is_empty() {
        return base;
    }
    let mut table = match base {
        Value::Table(table) => table,
        version => Table::from_iter([("version".to_owned(), version)]),
    };
    for (key, value) in own {
        match (table.get_mut(key), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.iter().cloned()),
            _ => drop(table.insert(key.clone(), value.clone())),
        }
    }
    Value::Table(table)
}

fn readme(code: &Code, flags: &Export) -> String {
    let (spec, out, size) = (flags.spec.display(), flags.out.display(), code.size());
    let overlay = flags.overlay.as_ref().map_or(String::new(), |file| {
        format!(" --overlay {}", file.display())
    });
    let left_out: Vec<String> = code
        .generated
        .left_out
        .iter()
        .map(|error| format!("* left out: {error}\n"))
        .collect();
    let left_out = left_out.concat();
    format!(
        "<!-- {MARKER} export`. -->\n\n# upvest-api\n\nThe client for `{spec}`: {size}.\n{left_out}\n{USAGE}```sh\n\
         cargo xtask export --spec {spec}{overlay} --out {out}\n```\n"
    )
}

const USAGE: &str = "\
It takes the place of the `upvest-api` that `upvest-ext` comes with. With `upvest-ext` from a repository, in the `Cargo.toml` of
your workspace:

```toml
[patch.\"https://the.repository/of/upvest-ext\"]
upvest-api = { path = \"path/to/this/folder\" }
```

With `upvest-ext` from a folder, in `.cargo/config.toml` of your workspace:

```toml
paths = [\"path/to/this/folder\"]
```

Your code uses it as `upvest_ext::api`. Nothing here is written by hand; the command that wrote it writes it anew, and says what
has changed and what breaks:

";
