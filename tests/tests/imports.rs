//! Rules for the sources of `upvest-runtime`, `upvest-signing`, `upvest-gen` and xtask: imports run one way, and no
//! exported macro asks for a feature of the crate that uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files or modules that each file or module imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

const RUNTIME: &str = "upvest-api/runtime/src";
const SIGNING: &str = "upvest-ext/signing/src";
const LAYER: &str = "upvest-ext/src";
const GENERATOR: &str = "upvest-gen/src";
const XTASK: &str = "xtask/src";
const SANDBOX: &str = "tests/sandbox/src";

#[test]
fn no_exported_macro_contains_a_feature() {
    let mut macros = 0;
    for file in files(&source(RUNTIME)) {
        let text = fs::read_to_string(&file).expect("the file can be read");
        for (_, rest) in text
            .match_indices("#[macro_export]")
            .map(|(at, _)| text.split_at(at))
        {
            let (body, _) = rest
                .split_once("\n}\n")
                .expect("a macro ends with its brace");
            // This attribute asks for no feature. It documents which feature an item needs.
            let body = body.replace("cfg_attr(docsrs, doc(cfg(feature", "");
            for condition in [
                "cfg(feature",
                "cfg_attr(",
                "cfg!(",
                "cfg(not(",
                "cfg(any(",
                "cfg(all(",
            ] {
                assert!(!body.contains(condition), "{}: {body}", file.display());
            }
            macros += 1;
        }
    }
    assert!(macros > 10, "found only {macros} macros");
}

#[test]
fn no_file_imports_a_file_that_imports_it() {
    for folder in [RUNTIME, SIGNING, LAYER, GENERATOR, XTASK] {
        let imports = imports(&source(folder));
        assert!(imports.len() > 10, "found only {imports:?}");
        assert_eq!(first_cycle(&imports), None, "{folder}");
    }
}

#[test]
fn no_module_imports_a_module_that_imports_it() {
    for folder in [RUNTIME, SIGNING, LAYER, GENERATOR, XTASK] {
        let mut modules = Imports::new();
        for (file, imported) in imports(&source(folder)) {
            let module = module(&file);
            let others = imported.iter().map(|file| self::module(file));
            let others = others.filter(|other| *other != module).map(str::to_owned);
            modules.entry(module.to_owned()).or_default().extend(others);
        }
        assert_eq!(first_cycle(&modules), None, "{folder}");
    }
}

/// The sandbox imports by the names of modules, so each mention of one counts.
#[test]
fn no_module_of_the_sandbox_imports_one_that_imports_it() {
    let root = source(SANDBOX);
    let mut modules = Imports::new();
    for file in files(&root) {
        let inside = file.strip_prefix(&root).expect("the file is in the folder");
        let inside = inside.with_extension("");
        let module = inside.iter().next().expect("the file has a name");
        let module = module.to_string_lossy().into_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("the file can be read");
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let imported = modules.entry(module.clone()).or_default();
        for rest in code.flat_map(|line| line.split("crate::").skip(1)) {
            let other = rest
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next();
            let other = other.unwrap_or_default();
            let is_module = other.starts_with(|c: char| c.is_lowercase());
            if is_module && other != module {
                imported.insert(other.to_owned());
            }
        }
    }
    assert!(modules.len() > 10, "found only {modules:?}");
    assert_eq!(first_cycle(&modules), None);
}

#[test]
fn a_cycle_is_found() {
    let imports = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")];
    let imports = imports.map(|(from, to)| (from.to_owned(), BTreeSet::from([to.to_owned()])));
    assert_eq!(
        first_cycle(&Imports::from(imports)),
        Some("a -> b -> c -> a".to_owned())
    );
}

/// Returns the imports of each file, as `module/file`. Imports of tests are left out, and so is the front page
/// (`lib.rs` or `main.rs`), which no file imports.
fn imports(source: &Path) -> Imports {
    let mut imports = Imports::new();
    for path in files(source) {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        let file = path.strip_prefix(source).expect("it is in the folder");
        let file = file.with_extension("").display().to_string();
        if file.ends_with("/tests") {
            continue;
        }
        // Imports stand before the first item. Further down, the lines of generated code look like imports.
        let is_item = |line: &str| {
            let starts = ["///", "fn ", "const ", "impl", "pub fn ", "struct "];
            starts.iter().any(|start| line.starts_with(start))
        };
        let head = code.lines().take_while(|line| !is_item(line));
        let imported = head.filter_map(|line| imported(source, &file, line));
        imports.insert(file.clone(), imported.collect());
    }
    imports.remove("lib");
    imports.remove("main");
    imports
}

/// Returns the file from which a line of `file` imports, or the module that the line declares.
fn imported(source: &Path, file: &str, line: &str) -> Option<String> {
    if let Some(name) = line.strip_prefix("mod ").or(line.strip_prefix("pub mod ")) {
        let folder = file.strip_suffix("/mod").unwrap_or(file);
        return Some(format!("{folder}/{}", name.trim_end_matches(';')));
    }
    let (folder, path) = if let Some(path) = line.strip_prefix("use crate::") {
        (None, path)
    } else {
        let module = file.strip_suffix("/mod").unwrap_or(file);
        let folder = module.rsplit_once('/').map(|(folder, _)| folder);
        (folder, line.strip_prefix("use super::")?)
    };
    let mut names = path.trim_end_matches(';').split("::");
    let first = names.next()?;
    let is_file = |name: &str| source.join(name).with_extension("rs").exists();
    let front_page = format!("{first}/mod");
    let found = match folder {
        Some(folder) => format!("{folder}/{first}"),
        None if is_file(first) => first.to_owned(),
        None => format!("{first}/{}", names.next()?),
    };
    // Other modules may import from the front page of a module, its own files may not.
    if !is_file(&found) && is_file(&front_page) && module(file) != first {
        return Some(front_page);
    }
    assert!(
        is_file(&found),
        "{file}: import from the file that has it, one file in a line: {line}"
    );
    Some(found)
}

fn module(file: &str) -> &str {
    file.split_once('/').map_or(file, |(module, _)| module)
}

/// Returns the first cycle of imports.
fn first_cycle(imports: &Imports) -> Option<String> {
    let mut done = BTreeSet::new();
    imports
        .keys()
        .find_map(|start| cycle_from(start, imports, &mut Vec::new(), &mut done))
}

fn cycle_from<'i>(
    from: &'i str,
    imports: &'i Imports,
    path: &mut Vec<&'i str>,
    done: &mut BTreeSet<&'i str>,
) -> Option<String> {
    if let Some(start) = path.iter().position(|passed| *passed == from) {
        return Some([&path[start..], &[from]].concat().join(" -> "));
    }
    if done.contains(from) {
        return None;
    }
    path.push(from);
    let found = imports
        .get(from)
        .into_iter()
        .flatten()
        .find_map(|to| cycle_from(to, imports, path, done));
    path.pop();
    done.insert(from);
    found
}

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(folder)
}

fn files(source: &Path) -> Vec<PathBuf> {
    let mut folders = vec![source.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}
