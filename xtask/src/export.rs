//! `cargo xtask export`: writes a crate for any description, which a program uses beside or instead of our
//! `upvest-api`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};
use upvest_gen::Source;

use crate::code::Code;
use crate::facts_file;
use crate::flags::{Export, RuntimeSource, package_name};
use crate::folder::{self, MARKER};
use crate::source::source;

/// The name and the folder of our own crate.
const OURS: &str = "upvest-api";

/// The folder of the runtime.
const RUNTIME: &str = "upvest-api/runtime";

/// The folder of the SDK.
const SDK: &str = "upvest-ext";

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
    /// The name of the crate: the one that was given, or that of its folder.
    fn package(&self) -> Result<String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let folder = self.out.file_name().and_then(|name| name.to_str());
        let name = folder.unwrap_or_default();
        package_name(name)
            .context("the folder's name cannot be that of a crate: give one by `--name`")
    }

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
    let (spec, overlay) = flags.sources()?;
    let code = Code::generate(&spec, overlay.as_ref(), flags.strict)?;
    let mut files = code.files("src/generated/")?;
    files.push(("src/lib.rs".to_owned(), library()?));
    files.push(("Cargo.toml".to_owned(), manifest(flags)?));
    files.push(("README.md".to_owned(), readme(&code, flags)?));
    let stale = folder::stale(&files, &flags.out)?;
    let before = facts_file::read(&flags.out.join("src/generated"));
    folder::write(&stale)?;
    code.print_report(before.as_ref());
    print!("{}", code.generated.ledger);
    Ok(code)
}

/// Returns our `lib.rs` for export. The README of the new crate is its documentation, because our own documentation has
/// examples of our description.
fn library() -> Result<String> {
    let ours = folder::read(&folder::workspace()?.join(OURS).join("src/lib.rs"))?;
    let code: Vec<&str> = ours
        .lines()
        .filter(|line| !line.starts_with("//!"))
        .collect();
    Ok(format!(
        "// {MARKER} export`.\n#![doc = include_str!(\"../README.md\")]\n{}\n",
        code.join("\n")
    ))
}

/// Returns our manifest for export: it renames the package, sets the source of the runtime, and writes out values
/// inherited from the workspace.
fn manifest(flags: &Export) -> Result<String> {
    let mut manifest = parse(&folder::workspace()?.join(OURS).join("Cargo.toml"))?;
    let workspace = parse(&folder::workspace()?.join("Cargo.toml"))?;
    let inherited =
        |table: &str, key: &str| workspace.get("workspace")?.get(table)?.get(key).cloned();
    for (section, table) in [("package", "package"), ("dependencies", "dependencies")] {
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
    for section in ["dev-dependencies", "lints", "test", "bench", "example"] {
        manifest.remove(section);
    }
    let package = table(&mut manifest, "package")?;
    package.insert("name".to_owned(), flags.package()?.into());
    let runtime = table(table(&mut manifest, "dependencies")?, "upvest-runtime")?;
    set_source(runtime, flags)?;
    let text = toml::to_string(&manifest).context("cannot write the manifest")?;
    Ok(format!("# {MARKER} export`.\n\n{text}"))
}

fn parse(path: &Path) -> Result<Table> {
    folder::read(path)?
        .parse()
        .with_context(|| format!("cannot read {}", path.display()))
}

fn table<'t>(parent: &'t mut Table, key: &str) -> Result<&'t mut Table> {
    parent
        .get_mut(key)
        .and_then(Value::as_table_mut)
        .with_context(|| format!("the manifest has no table `{key}`"))
}

/// Sets the source of the runtime: a path, a Git repository or a registry.
fn set_source(dependency: &mut Table, flags: &Export) -> Result<()> {
    let folder = match &flags.runtime {
        Some(RuntimeSource::Git { url, revision }) => {
            for key in ["path", "version"] {
                dependency.remove(key);
            }
            dependency.insert("git".to_owned(), url.clone().into());
            dependency.insert("rev".to_owned(), revision.clone().into());
            return Ok(());
        }
        Some(RuntimeSource::Folder(folder)) => folder.clone(),
        None => folder::workspace()?.join(RUNTIME),
    };
    ensure!(
        folder.join("Cargo.toml").is_file(),
        "{} is not the folder of a crate",
        folder.display()
    );
    let path = folder::relative(&flags.out, &folder)?;
    dependency.insert("path".to_owned(), path.display().to_string().into());
    Ok(())
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

fn readme(code: &Code, flags: &Export) -> Result<String> {
    let name = flags.package()?;
    let left_out: Vec<String> = code
        .generated
        .left_out
        .iter()
        .map(|error| format!("* left out: {error}\n"))
        .collect();
    Ok(format!(
        "\
<!-- {MARKER} export`. -->

# {name}

The client for `{spec}`: {size}.
{left_out}
```text
{ledger}```

It contains generated code only. What this code calls is in the crate `upvest-runtime`, which is available as `runtime` in this crate.

Depend on it beside `upvest-ext`, here in the manifest of the folder around this one. Both need `upvest-runtime` from the same source, which `--runtime` of the command below sets.

```toml
{dependencies}```

The feature `test-util` adds builders of the types that are only received, such as orders.

Write an alias for its client, and use it like `upvest_ext::Upvest`:

```text
use upvest_ext::UpvestFor;

/// Our client for the Upvest Investment API.
pub type OurUpvest = UpvestFor<{module}::Client>;
```

Nothing here is written by hand. The command that wrote it updates it, and says what has changed and what breaks:

```sh
{command}
```
",
        spec = flags.spec.display(),
        size = code.size(),
        left_out = left_out.concat(),
        dependencies = dependencies(flags)?,
        ledger = code.generated.ledger,
        module = name.replace('-', "_"),
        command = command(flags),
    ))
}

/// The dependencies of a service in the folder around the crate.
fn dependencies(flags: &Export) -> Result<String> {
    let name = flags.package()?;
    let out = std::path::absolute(&flags.out)?;
    let service = out
        .parent()
        .context("the crate needs a folder of its own")?;
    let path = folder::relative(service, &out)?;
    let path = path.display();
    let sdk = match &flags.runtime {
        Some(RuntimeSource::Git { url, revision }) => {
            format!("git = \"{url}\", rev = \"{revision}\"")
        }
        Some(RuntimeSource::Folder(runtime)) => sdk_path(service, &runtime.join("../.."))?,
        None => sdk_path(service, folder::workspace()?)?,
    };
    Ok(format!(
        "\
[dependencies]
upvest-ext = {{ {sdk} }}
{name} = {{ path = \"{path}\" }}

[dev-dependencies]
{name} = {{ path = \"{path}\", features = [\"test-util\"] }}
"
    ))
}

/// Where `upvest-ext` is: in the repository of the runtime, or else in this one.
fn sdk_path(service: &Path, repository: &Path) -> Result<String> {
    let mut sdk = repository.join(SDK);
    if !sdk.join("Cargo.toml").is_file() {
        sdk = folder::workspace()?.join(SDK);
    }
    let path = folder::relative(service, &sdk)?;
    Ok(format!("path = \"{}\"", path.display()))
}

/// The command that updates the crate.
fn command(flags: &Export) -> String {
    let mut command = vec![
        "cargo xtask export --spec".to_owned(),
        flags.spec.display().to_string(),
    ];
    if let Some(overlay) = &flags.overlay {
        command.extend(["--overlay".to_owned(), overlay.display().to_string()]);
    }
    command.extend(["--out".to_owned(), flags.out.display().to_string()]);
    if let Some(name) = &flags.name {
        command.extend(["--name".to_owned(), name.clone()]);
    }
    if let Some(runtime) = &flags.runtime {
        command.extend(["--runtime".to_owned(), runtime.to_string()]);
    }
    command.join(" ")
}
