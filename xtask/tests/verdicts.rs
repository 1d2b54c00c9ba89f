//! Checks the effects that `diff` reports with the compiler: breaking changes do not compile, and others do. The caller
//! uses every operation, field, variant and id of the vendored description.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "plain text for people"
)]

#[path = "../../upvest-gen/tests/mutations/mod.rs"]
mod mutations;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mutations::{Mutation, Original, facts, part_of, vendored};
use upvest_gen::diff::Impact;
use upvest_gen::model::{Api, Content, Shape, Type};
use upvest_gen::{Source, generate, model};

/// The number of compiled descriptions, of which half have a breaking change. `UPVEST_VERDICTS` changes it.
const SAMPLE: usize = 40;

/// The number of parts of the description. Each change is made to one part, so that the compiler has less work.
const PARTS: usize = 6;

#[test]
fn the_compiler_agrees_with_the_verdicts_of_diff() {
    let sample =
        std::env::var("UPVEST_VERDICTS").map_or(SAMPLE, |number| number.parse().expect("a number"));
    let (_, document) = vendored();
    let parts = [(); PARTS].map({
        let mut first = 0;
        move |()| {
            first += 1;
            let part = part_of(&document, first, PARTS);
            let api = model(&Source::new("part.json", part.to_string()), None);
            let caller = caller(&api.unwrap_or_else(|errors| panic!("{errors}")));
            (caller, facts(&part), Original::new(part))
        }
    });
    let folder = crate_for_callers();
    let mut modules = BTreeMap::new();
    let mut missing = BTreeMap::from([(true, sample.div_ceil(2)), (false, sample / 2)]);
    for (seed, (caller, old, original)) in (1_000..).zip(parts.iter().cycle()) {
        let mutation = Mutation::new(original, seed);
        let Ok(new) = mutation.facts() else { continue };
        let changes = old.compare(&new);
        let breaks = changes.iter().any(|change| change.impact == Impact::Build);
        match missing.get_mut(&breaks) {
            Some(0) | None => {}
            Some(missing) => {
                *missing -= 1;
                let name = format!("m{}", modules.len());
                write_module(&folder.join("src").join(&name), &mutation, caller);
                let verdict: String = changes
                    .iter()
                    .map(|it| format!("\n  {:?}: {it}", it.impact))
                    .collect();
                modules.insert(
                    name,
                    (
                        breaks,
                        format!(
                            "seed {seed}, {}: {}\nverdict:{verdict}",
                            mutation.kind, mutation.description
                        ),
                    ),
                );
            }
        }
        if missing.values().all(|missing| *missing == 0) {
            break;
        }
    }
    let broken = broken(&folder, modules.keys().cloned().collect());
    let mut wrong = Vec::new();
    for (name, (breaks, what)) in &modules {
        let errors = broken.get(name).map_or("\n  no error", String::as_str);
        if broken.contains_key(name) != *breaks {
            wrong.push(format!("{what}\ncompiler:{errors}\n"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} verdicts are wrong\n{}",
        wrong.len(),
        modules.len(),
        wrong.join("\n")
    );
}

/// An exported crate with a module for each description: the generated code, and code that calls it.
fn crate_for_callers() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the workspace");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verdicts");
    let _ = fs::remove_dir_all(&folder);
    let spec = root.join("spec");
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["export", "--spec"])
        .arg(spec.join("upvest-investment-api.yaml"))
        .arg("--overlay")
        .arg(spec.join("overlay.yaml"))
        .arg("--out")
        .arg(&folder)
        .output()
        .expect("xtask starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file is there");
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the manifest is there");
    fs::write(manifest, text + "\n[workspace]\n").expect("the manifest can be written");
    folder
}

/// The code of a changed description with its own client, and the caller.
fn write_module(folder: &Path, mutation: &Mutation, caller: &str) {
    let generated = generate(
        &Source::new("new.json", mutation.document.to_string()),
        None,
    );
    let generated = generated.unwrap_or_else(|errors| panic!("{}: {errors}", mutation.description));
    fs::create_dir_all(folder).expect("the folder can be made");
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("the file can be written");
    };
    for file in &generated.files {
        let text = match file.name {
            "mod.rs" => format!("{}\nmod caller;\n", file.text),
            _ => file.text.clone(),
        };
        write(file.name, &text);
    }
    write("caller.rs", caller);
}

/// The modules whose callers do not compile, each with the errors. The generated code always compiles.
fn broken(folder: &Path, mut modules: BTreeSet<String>) -> BTreeMap<String, String> {
    let target = folder
        .ancestors()
        .nth(2)
        .expect("the folder is in the target folder");
    let mut broken = BTreeMap::new();
    // Unresolved names keep the compiler from checking types, so it is run again without these callers.
    loop {
        let mods = modules
            .iter()
            .map(|name| format!("mod {name};\n"))
            .collect::<String>();
        let lib = format!("#![allow(warnings)]\n{mods}");
        fs::write(folder.join("src/lib.rs"), lib).expect("the file can be written");
        let output = Command::new(env!("CARGO"))
            .args(["check", "--message-format", "short", "--target-dir"])
            .arg(target)
            .current_dir(folder)
            .output()
            .expect("cargo starts");
        if output.status.success() {
            return broken;
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let known = broken.len();
        for line in text.lines().filter(|line| line.contains(": error")) {
            let place = line
                .strip_prefix("src/")
                .and_then(|line| line.split_once("/caller.rs"));
            let (name, _) =
                place.unwrap_or_else(|| panic!("the generated code does not compile: {line}"));
            modules.remove(name);
            *broken.entry(name.to_owned()).or_insert_with(String::new) += &format!("\n  {line}");
        }
        assert!(broken.len() > known, "{text}");
    }
}

/// Code that uses everything in a description.
fn caller(api: &Api) -> String {
    let mut code = String::from(
        "use super::{Client, builder};\nuse super::events::EventKind;\nuse super::types::*;\nuse upvest_runtime::{ByteStream, Nullable, Paginated, Response, chrono, serde_json, uuid};\n\
         fn any<T>() -> T { panic!() }\nfn paginated<T: Paginated>() {}\n",
    );
    for operation in &api.operations {
        let builder = &operation.builder;
        let method = &operation.method_name;
        let _ = writeln!(
            code,
            "async fn {method}(client: &Client) {{\nlet call: builder::{builder} = client.{method}();"
        );
        for parameter in &operation.parameters {
            let kind = rust(&parameter.kind);
            let kind = if parameter.required {
                kind
            } else {
                format!("Option<{kind}>")
            };
            let _ = writeln!(
                code,
                "let call = call.{}(any::<{kind}>());",
                parameter.setter
            );
        }
        if let Some(body) = &operation.body {
            let _ = writeln!(code, "let call = call.body(any::<{}>());", rust(&body.kind));
        }
        if operation.paging.is_some() {
            let _ = writeln!(code, "paginated::<builder::{builder}>();");
        }
        let response = match &operation.response.content {
            Content::Empty => "()".to_owned(),
            Content::Binary => "ByteStream".to_owned(),
            Content::Json(kind) => rust(kind),
            Content::List(item) => format!("ListResponse<{}>", rust(item)),
        };
        let _ = writeln!(
            code,
            "let _: Response<{response}> = call.send().await.unwrap();\n}}"
        );
    }
    for schema in &api.schemas {
        let name = &schema.name;
        let _ = writeln!(code, "fn read_{name}(it: &{name}) {{");
        if let Shape::Union { variants, .. } = &schema.shape {
            for variant in variants {
                let _ = writeln!(
                    code,
                    "if let {name}::{}(it) = it {{ let _: &{} = it; }}",
                    variant.name,
                    rust(&variant.kind)
                );
            }
        }
        for field in schema.fields() {
            let tells_null = schema.sent && field.nullable && !field.required;
            let is_option = !field.required || field.nullable || field.blank && !schema.sent;
            let kind = rust(&field.kind);
            let inner = if tells_null {
                format!("Nullable<{kind}>")
            } else {
                kind
            };
            let kind = if is_option {
                format!("Option<{inner}>")
            } else {
                inner.clone()
            };
            let _ = writeln!(code, "let _: &{kind} = &it.{};", field.rust);
            if schema.sent {
                let _ = writeln!(
                    code,
                    "let _ = {name}::builder().{}(any::<{inner}>());",
                    field.rust
                );
            }
        }
        code.push_str("}\n");
    }
    for kind in &api.event_kinds {
        let name = &kind.name;
        let _ = writeln!(
            code,
            "fn kind_{name}() -> EventKind {{ EventKind::{name} }}"
        );
    }
    for item in &api.enums {
        for variant in &item.variants {
            let _ = writeln!(
                code,
                "fn value_{0}_{1}() -> {0} {{ {0}::{1} }}",
                item.name, variant.name
            );
        }
    }
    for id in &api.ids {
        let _ = writeln!(code, "fn id_{0}(_: {0}) {{}}", id.name);
    }
    code
}

/// A type of the model in Rust.
fn rust(kind: &Type) -> String {
    match kind {
        Type::Text => "String".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::I64 => "i64".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::Decimal => "Decimal".to_owned(),
        Type::Uuid => "uuid::Uuid".to_owned(),
        Type::Date => "chrono::NaiveDate".to_owned(),
        Type::DateTime => "chrono::DateTime<chrono::Utc>".to_owned(),
        Type::Currency => "CurrencyCode".to_owned(),
        Type::Country => "CountryCode".to_owned(),
        Type::Isin => "Isin".to_owned(),
        Type::Json => "serde_json::Value".to_owned(),
        Type::Id(name) | Type::Enum(name) | Type::Schema(name) => name.clone(),
        Type::List(items) => format!("Vec<{}>", rust(items)),
        Type::Map(values) if **values == Type::Json => {
            "serde_json::Map<String, serde_json::Value>".to_owned()
        }
        Type::Map(values) => format!("std::collections::BTreeMap<String, {}>", rust(values)),
        Type::Nullable(value) => format!("Option<{}>", rust(value)),
        Type::OrEmpty(value) => format!("upvest_runtime::OrEmpty<{}>", rust(value)),
    }
}
