//! What `diff` calls breaking does not compile, and what it calls compatible does: the compiler says so, over a caller that
//! uses every operation, field, variant and id of the vendored description.

#[path = "../../upvest-gen/tests/mutations/mod.rs"]
mod mutations;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mutations::{Mutation, Original, facts, part_of, vendored};
use upvest_gen::diff::{Facts, Impact, Kind};
use upvest_gen::{Source, generate};

/// How many descriptions are compiled: half of them with a change that breaks the build. `UPVEST_VERDICTS` makes it more.
const SAMPLE: usize = 12;

/// The description is taken in so many parts, of which each change is made to one: the compiler has less to read.
const PARTS: usize = 6;

#[test]
fn the_compiler_agrees_with_the_verdicts_of_diff() {
    let sample = std::env::var("UPVEST_VERDICTS").map_or(SAMPLE, |number| number.parse().expect("a number"));
    let (_, document) = vendored();
    let parts = [(); PARTS].map({
        let mut first = 0;
        move |()| {
            first += 1;
            let part = part_of(&document, first, PARTS);
            let facts = facts(&part);
            (caller(&facts), facts, Original::new(part))
        }
    });
    let folder = crate_for_callers();
    let mut modules = BTreeMap::new();
    let mut missing = BTreeMap::from([(true, sample.div_ceil(2)), (false, sample / 2)]);
    for (seed, (caller, old, original)) in (1_000..).zip(parts.iter().cycle()) {
        let mutation = Mutation::new(original, seed);
        let Ok(new) = mutation.facts() else { continue };
        let changes = old.compare(&new);
        let breaks = changes.iter().any(|change| change.impact == Impact::BreaksBuild);
        match missing.get_mut(&breaks) {
            Some(0) | None => {}
            Some(missing) => {
                *missing -= 1;
                let name = format!("m{}", modules.len());
                write_module(&folder.join("src").join(&name), &mutation, caller);
                let verdict: String = changes.iter().map(|it| format!("\n  {:?}: {it}", it.impact)).collect();
                modules.insert(name, (breaks, format!("seed {seed}, {}: {}\nverdict:{verdict}", mutation.sort, mutation.what)));
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
    assert!(wrong.is_empty(), "{} of {} verdicts are wrong\n{}", wrong.len(), modules.len(), wrong.join("\n"));
}

/// An exported crate, in which each module is the generated code of a description with a caller.
fn crate_for_callers() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace");
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
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file is there");
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the manifest is there");
    fs::write(manifest, text + "\n[workspace]\n").expect("the manifest can be written");
    folder
}

/// The code of a changed description, which has a client of its own, and the caller.
fn write_module(folder: &Path, mutation: &Mutation, caller: &str) {
    let generated = generate(&Source::new("new.json", mutation.document.to_string()), None);
    let generated = generated.unwrap_or_else(|errors| panic!("{}: {errors}", mutation.what));
    fs::create_dir_all(folder).expect("the folder can be made");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("the file can be written");
    for file in &generated.files {
        match file.name {
            "mod.rs" => write("mod.rs", &format!("{}\nmod caller;\npub struct Client(crate::runtime::Client);\n", file.text)),
            "client.rs" => write(
                file.name,
                &file.text.replace("use crate::runtime::Client;", "use super::Client;").replace("::new(self)", "::new(&self.0)"),
            ),
            name => write(name, &file.text),
        }
    }
    write("caller.rs", caller);
}

/// The modules in which the caller does not compile, each with its errors. The generated code always compiles.
fn broken(folder: &Path, mut modules: BTreeSet<String>) -> BTreeMap<String, String> {
    let target = folder.ancestors().nth(2).expect("the folder is in the target folder");
    let mut broken = BTreeMap::new();
    // Names that are not found keep the compiler from checking types, so it is asked again without them.
    loop {
        let mods = modules.iter().map(|name| format!("mod {name};\n")).collect::<String>();
        let lib = format!("#![allow(warnings)]\npub mod runtime;\n{mods}pub use runtime::*;\npub use {{bytes, chrono, http, reqwest, rust_decimal, uuid}};\n");
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
            let place = line.strip_prefix("src/").and_then(|line| line.split_once("/caller.rs"));
            let (name, _) = place.unwrap_or_else(|| panic!("the generated code does not compile: {line}"));
            modules.remove(name);
            *broken.entry(name.to_owned()).or_insert_with(String::new) += &format!("\n  {line}");
        }
        assert!(broken.len() > known, "{text}");
    }
}

/// Code that uses everything that a description says.
fn caller(facts: &Facts) -> String {
    let mut code = String::from(
        "use super::{Client, builder};\nuse super::types::*;\nuse crate::runtime::{ByteStream, Nullable, Paginated, Response};\n\
         fn any<T>() -> T { panic!() }\nfn paginated<T: Paginated>() {}\n",
    );
    for (index, (kind, name, parts)) in facts.iter().enumerate() {
        let fact = |part: &str, fact: &str| parts.get(part).and_then(|part| part.get(fact)).map_or("", String::as_str);
        let rust = |part: &str, given: &str, wire: &str| {
            let given = fact(part, given);
            if given.is_empty() { wire.to_owned() } else { given.to_owned() }
        };
        let of = |sort: &'static str| {
            parts.keys().filter_map(move |part| Some((part.as_str(), part.strip_prefix(sort)?)))
        };
        let mut body = String::new();
        match kind {
            Kind::Operation => {
                let _ = writeln!(body, "let call: builder::{} = client.{}();", fact("", "builder"), fact("", "method of the client"));
                for (part, wire) in of("parameter ") {
                    let kind = fact(part, "type");
                    let kind = if fact(part, "presence") == "required" { kind.to_owned() } else { format!("Option<{kind}>") };
                    let _ = writeln!(body, "let call = call.{}(any::<{kind}>());", rust(part, "setter", wire));
                }
                if let Some((kind, _)) = fact("", "body").split_once(" as ") {
                    let _ = writeln!(body, "let call = call.body(any::<{kind}>());");
                }
                if fact("", "paging") != "none" {
                    let _ = writeln!(body, "paginated::<builder::{}>();", fact("", "builder"));
                }
                let _ = writeln!(body, "let _: Response<{}> = call.send().await.unwrap();", fact("", "answer"));
                let _ = writeln!(code, "async fn call{index}(client: &Client) {{\n{body}}}");
            }
            Kind::Type => {
                let sent = fact("", "direction") == "sent";
                for (part, wire) in of("field ") {
                    let (field, presence, kind) = (rust(part, "name in Rust", wire), fact(part, "presence"), fact(part, "type"));
                    let inner = if sent && presence == "optional, nullable" { format!("Nullable<{kind}>") } else { kind.to_owned() };
                    let kind = if presence == "required" { inner.clone() } else { format!("Option<{inner}>") };
                    let _ = writeln!(body, "let _: &{kind} = &it.{field};");
                    if sent {
                        let _ = writeln!(body, "let _ = {name}::builder().{field}(any::<{inner}>());");
                    }
                }
                let _ = writeln!(code, "fn read{index}(it: &{name}) {{\n{body}}}");
            }
            Kind::Enum => {
                for (part, _) in of("value ") {
                    let _ = writeln!(body, "let _ = {name}::{};", fact(part, "variant"));
                }
                let _ = writeln!(code, "fn name{index}() {{\n{body}}}");
            }
            Kind::Id => _ = writeln!(code, "fn id{index}(_: {name}) {{}}"),
            _ => {}
        }
    }
    code
}
