//! Small descriptions with one construct each. Their models and code are compared with snapshots, and the code must
//! compile.

#![allow(
    clippy::format_push_string,
    clippy::unnecessary_debug_formatting,
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "plain text for people"
)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../common/outline.rs"]
mod outline;

#[path = "../common/dice.rs"]
mod dice;

mod compile;
mod prose;
mod random;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};

use upvest_gen::model::Api;
use upvest_gen::{Generated, Source, generate, model};

use outline::outline;

/// A description of the corpus.
struct Fixture {
    name: String,
    api: Api,
    generated: Generated,
}

/// The results for the descriptions in `tests/fixtures/descriptions`, by name.
#[track_caller]
fn fixtures() -> Vec<Fixture> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    let mut fixtures = Vec::new();
    let mut errors = String::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = Source::new(format!("{name}.yaml"), fs::read_to_string(path).unwrap());
        match model(&source, None).and_then(|api| Ok((api, generate(&source, None)?))) {
            Ok((api, generated)) => fixtures.push(Fixture {
                name,
                api,
                generated,
            }),
            Err(error) => errors.push_str(&format!("{error}\n")),
        }
    }
    assert!(errors.is_empty(), "{errors}");
    fixtures
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/descriptions")
}

#[test]
fn the_model_and_the_code_of_each_description_are_what_was_reviewed() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 60, "{} descriptions", fixtures.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for fixture in fixtures {
            let Fixture { api, .. } = &fixture;
            // The code for many names is long and contains nothing of interest besides the names.
            let is_about_names = fixture.name.starts_with("reserved-");
            let code = if is_about_names {
                String::new()
            } else {
                code(&fixture)
            };
            insta::assert_snapshot!(fixture.name.as_str(), format!("{}{code}", outline(api)));
        }
    });
}

/// The code without parts that are the same for all descriptions or follow from the model: the client, the table of
/// operations, and the documentation, unless the description tests it.
fn code(fixture: &Fixture) -> String {
    let is_about_prose = ["hostile-prose", "empty-descriptions"].contains(&&*fixture.name);
    let has_events = !fixture.api.event_kinds.is_empty();
    let mut code = String::new();
    for file in &fixture.generated.files {
        let is_routine = match file.name {
            "mod.rs" | "client.rs" | "operations.rs" => true,
            "events.rs" => !has_events,
            _ => false,
        };
        if is_about_prose {
            code.push_str(&format!(
                "\n=== {}\n\n{}",
                file.name,
                without_header(&file.text)
            ));
        } else if !is_routine {
            let lines: Vec<&str> = telling_lines(file.name, without_header(&file.text)).collect();
            if !lines.is_empty() {
                code.push_str(&format!("\n=== {}\n\n{}\n", file.name, lines.join("\n")));
            }
        }
    }
    code
}

fn without_header(text: &str) -> &str {
    text.splitn(3, "\n\n").nth(2).unwrap_or_default()
}

/// The lines that depend on the description.
fn telling_lines<'t>(file: &str, text: &'t str) -> impl Iterator<Item = &'t str> {
    let of_all = [
        "use ",
        "pub use ",
        "}",
        "#[non_exhaustive]",
        "#[doc(no_inline)]",
        "#[cfg(",
        "#[allow(",
        "mod received",
        "    CountryCode, ",
    ];
    let of_builders = [
        "impl ",
        "    }",
        "#[derive(",
        "#[must_use",
        "    pub(crate) fn new(",
        "    Argument, ",
        "    Binary, ",
        "        Self(Call::new(",
        "    const META",
        "    type Output",
        "    async fn send(",
        "        self.send()",
        "    fn page(",
        "        output.into()",
    ];
    let is_of_builders = file == "builder.rs";
    text.lines().filter(move |line| {
        let is_routine = of_all.iter().any(|start| line.starts_with(start))
            || is_of_builders && of_builders.iter().any(|start| line.starts_with(start));
        let is_prose = line.trim().is_empty() || line.trim_start().starts_with("///");
        line.contains(".require(") || !(is_routine || is_prose)
    })
}
