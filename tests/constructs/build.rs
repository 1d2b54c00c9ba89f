//! Generates a module for each description in `descriptions`.

#[path = "build/examples.rs"]
mod examples;

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use upvest_gen::{Source, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let target = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=descriptions");
    let mut paths = Vec::new();
    for entry in fs::read_dir("descriptions")? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut library = String::new();
    for path in paths {
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.ok_or("the name of a description is not text")?;
        module(&path, name, &target)?;
        let place = target.join(name).join("mod.rs").display().to_string();
        write!(
            library,
            "#[path = {place:?}]\n#[allow(missing_docs, unused_imports, clippy::all, clippy::pedantic)]\npub mod {name};\n"
        )?;
    }
    fs::write(target.join("descriptions.rs"), library)?;
    Ok(())
}

/// Writes the module `name`. What was left out is in its `LEFT_OUT`, and what loses information in its `NOTES`.
fn module(path: &Path, name: &str, target: &Path) -> Result<(), Box<dyn Error>> {
    let source = Source::new(name, fs::read_to_string(path)?);
    let generated = generate(&source, None)?;
    let folder = target.join(name);
    fs::create_dir_all(&folder)?;
    for file in &generated.files {
        fs::write(folder.join(file.name), &file.text)?;
    }
    let mut lists = String::new();
    for (constant, errors) in [
        ("LEFT_OUT", &generated.left_out),
        ("NOTES", &generated.notes),
    ] {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        write!(
            lists,
            "\n/// Messages of the generator.\npub const {constant}: &[&str] = &{errors:?};\n"
        )?;
    }
    lists += &examples::list(&source)?;
    let page = folder.join("mod.rs");
    let text = fs::read_to_string(&page)?;
    fs::write(page, text + &lists)?;
    Ok(())
}
