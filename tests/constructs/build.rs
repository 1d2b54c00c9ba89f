//! Generates a module for each description in `descriptions`.

#[path = "build/examples.rs"]
mod examples;

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use upvest_gen::{Source, generate, model};

/// The folders with descriptions, and whether only those with examples are of interest.
const FOLDERS: [(&str, bool); 3] = [
    ("descriptions", false),
    ("../fixtures/descriptions", true),
    ("../fixtures/official", true),
];

/// The description and the overlay of `upvest-api`.
const VENDORED: [&str; 2] = [
    "../../spec/upvest-investment-api.yaml",
    "../../spec/overlay.yaml",
];

fn main() -> Result<(), Box<dyn Error>> {
    let target = PathBuf::from(env::var("OUT_DIR")?);
    let mut library = String::new();
    let mut with_examples = vec!["vendored".to_owned()];
    for (folder, only_examples) in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        for path in descriptions(Path::new(folder))? {
            let name = path.file_stem().and_then(|name| name.to_str());
            let name = name
                .ok_or("the name of a description is not text")?
                .replace('-', "_");
            let source = Source::new(&*name, fs::read_to_string(&path)?);
            let examples = examples::list(&source, None, "types::")?;
            if examples.is_none() && only_examples {
                continue;
            }
            module(&source, &name, &target, examples.as_deref())?;
            if examples.is_some() {
                with_examples.push(name.clone());
            }
            let place = target.join(&name).join("mod.rs").display().to_string();
            write!(
                library,
                "#[path = {place:?}]\n#[allow(missing_docs, unused_imports, clippy::all, clippy::pedantic)]\npub mod {name};\n"
            )?;
        }
    }
    library += &vendored()?;
    let lists = with_examples
        .iter()
        .map(|name| format!("({name:?}, {name}::EXAMPLES)"));
    let lists = lists.collect::<Vec<_>>().join(", ");
    write!(
        library,
        "/// All examples, by the name of the description.\npub const EXAMPLES: &[(&str, &[Example])] = &[{lists}];\n"
    )?;
    fs::write(target.join("descriptions.rs"), library)?;
    Ok(())
}

/// The descriptions in a folder, in a fixed order.
fn descriptions(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    Ok(paths)
}

/// The module with the examples of the vendored description, which the types of `upvest-api` read.
fn vendored() -> Result<String, Box<dyn Error>> {
    let mut sources = Vec::new();
    for path in VENDORED {
        println!("cargo::rerun-if-changed={path}");
        sources.push(Source::new(path, fs::read_to_string(path)?));
    }
    let [description, overlay] = sources.as_slice() else {
        return Err("there is one description with one overlay".into());
    };
    let examples = examples::list(description, Some(overlay), "upvest_api::types::")?;
    Ok(format!(
        "/// The description of `upvest-api`.\npub mod vendored {{{}}}\n",
        examples.unwrap_or_default()
    ))
}

/// Code for the function `calls`, which makes the calls of all operations as a caller that spawns tasks does.
fn calls(source: &Source) -> Result<String, Box<dyn Error>> {
    let api = model(source, None)?;
    let calls = api.operations.iter().map(|operation| {
        let method = &operation.method_name;
        format!(
            "        {{ let call = client.{method}(); Box::pin(async move {{ call.send().await.map(drop) }}) }},\n"
        )
    });
    let calls: String = calls.collect();
    Ok(format!(
        "
/// The calls of all operations, which tasks can run.
#[allow(deprecated)]
pub fn calls(client: &Client) -> Vec<crate::Task> {{
    vec![
{calls}    ]
}}
"
    ))
}

/// Writes the module `name`. What was left out is in its `LEFT_OUT`, and what loses information in its `NOTES`.
fn module(
    source: &Source,
    name: &str,
    target: &Path,
    examples: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let generated = generate(source, None)?;
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
    lists += examples.unwrap_or_default();
    lists += &calls(source)?;
    let page = folder.join("mod.rs");
    let text = fs::read_to_string(&page)?;
    fs::write(page, text + &lists)?;
    Ok(())
}
