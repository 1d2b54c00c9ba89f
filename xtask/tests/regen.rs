//! `cargo xtask regen` as a program: its output, its exit code, and the files that it writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A valid description with one operation, which tests change.
const ORDERS: &str = r##"openapi: 3.1.0
info: { title: Orders, version: "1" }
paths:
  /orders/{order_id}:
    get:
      operationId: retrieveOrder
      summary: Retrieve an order
      parameters:
        - { name: order_id, in: path, required: true, schema: { type: string, format: uuid } }
      responses:
        "200": { description: The order., content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
components:
  schemas:
    Order: { type: object, properties: { id: { type: string, format: uuid } } }
"##;

#[test]
fn a_description_of_which_nothing_can_be_made_ends_in_a_readable_error_and_nothing_is_written() {
    let table = [
        (
            "YAML syntax",
            ORDERS.replace("title: Orders,", "title: [Orders,"),
            ": line 2 column ",
            "invalid YAML",
        ),
        (
            "no description",
            "just a text".to_owned(),
            ": the description is empty",
            "use OpenAPI 3.0.x or 3.1.x",
        ),
        (
            "no operations",
            ORDERS.replace("    get:", "    x-get:"),
            ": /paths: ",
            "there are no operations",
        ),
        (
            "a reference that dangles",
            ORDERS.replace("schemas/Order\"", "schemas/Odrer\""),
            ": /paths/~1orders~1{order_id}/get/responses/200/content/application~1json/schema: ",
            "`#/components/schemas/Odrer` does not exist",
        ),
        (
            "no response for success",
            ORDERS.replace("\"200\"", "\"400\""),
            ": /paths/~1orders~1{order_id}/get/responses: ",
            "retrieveOrder has no success response",
        ),
    ];
    for (what, description, place, problem) in table {
        let fixture = Fixture::new(&description);
        let output = fixture.regen(&[]);
        let text = failed(&output);
        let spec = fixture.spec.display();
        assert!(
            text.starts_with(&format!("error: {spec}{place}")),
            "{what}: {text}"
        );
        assert!(text.contains(problem), "{what}: {text}");
        assert!(!fixture.out.exists(), "{what}: something was written");
    }
}

#[test]
fn every_reason_why_nothing_can_be_made_is_printed() {
    let broken = ORDERS
        .replace("\"200\"", "\"400\"")
        .replace("in: path", "in: cookie");
    let fixture = Fixture::new(&broken);
    let output = fixture.regen(&[]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    for problem in [
        "has no success response",
        "is in \"cookie\"",
        "which is not a parameter",
    ] {
        assert!(text.contains(problem), "{text}");
    }
    assert!(!fixture.out.exists());
}

#[test]
fn what_is_left_out_or_expressed_with_a_loss_is_printed_with_its_place() {
    let second = "  /orders:\n    get: { parameters: [{ name: c, in: cookie, schema: {} }], responses: { '204': { description: Done. } } }\n";
    let description = ORDERS.replace("components:", &format!("{second}components:"));
    let fixture = Fixture::new(&description.replace(
        "{ id: { type: string,",
        "{ rate: { type: number }, id: { type: string,",
    ));
    let text = succeeded(&fixture.regen(&[]));
    let spec = fixture.spec.display();
    for line in [
        format!("{spec}: /paths/~1orders/get/parameters/0: the parameter `c` is in \"cookie\""),
        format!(
            "{spec}: /components/schemas/Order/properties/rate: `rate` of Order is a JSON number"
        ),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

#[test]
fn an_overlay_whose_target_matches_nothing_is_an_error() {
    let fixture = Fixture::new(ORDERS);
    let overlay = fixture.folder.path().join("overlay.yaml");
    fs::write(
        &overlay,
        "overlay: 1.0.0\ninfo: { title: O, version: '1' }\nactions:\n  - target: $.paths['/gone']\n    description: Why.\n    remove: true\n",
    )
    .unwrap();
    let output = fixture.regen(&["--overlay", overlay.to_str().unwrap()]);
    let text = failed(&output);
    assert!(
        text.starts_with(&format!(
            "error: {}: /actions/0/target: `$.paths['/gone']` matches nothing",
            overlay.display()
        )),
        "{text}"
    );
    assert!(!fixture.out.exists());
}

#[test]
fn a_broken_description_leaves_what_was_generated_before() {
    let fixture = Fixture::new(ORDERS);
    succeeded(&fixture.regen(&[]));
    let before = fixture.files();
    fs::write(&fixture.spec, ORDERS.replace("\"200\"", "\"400\"")).unwrap();
    failed(&fixture.regen(&[]));
    assert_eq!(fixture.files(), before);
}

#[test]
fn a_description_that_is_not_there_is_named() {
    let fixture = Fixture::new(ORDERS);
    fs::remove_file(&fixture.spec).unwrap();
    let text = failed(&fixture.regen(&[]));
    assert!(
        text.starts_with(&format!("error: cannot read {}", fixture.spec.display())),
        "{text}"
    );
}

#[test]
fn a_spec_without_an_out_folder_is_rejected() {
    let output = xtask(&["regen", "--spec", "api.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--out"), "{}", stderr(&output));
}

#[test]
fn every_command_explains_itself() {
    for (flags, expected) in [
        (&["--help"][..], "regen"),
        (&["regen", "--help"], "--check"),
        (&["regen", "--help"], "--spec <FILE>"),
        (&["regen", "--help"], "--overlay <FILE>"),
        (&["regen", "--help"], "--out <DIR>"),
    ] {
        let output = xtask(flags);
        assert!(
            output.status.success() && stdout(&output).contains(expected),
            "{flags:?}: {}",
            stdout(&output)
        );
    }
}

#[test]
fn regen_says_what_it_wrote_and_how_long_it_took() {
    let fixture = Fixture::new(ORDERS);
    let text = succeeded(&fixture.regen(&[]));
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("1 operations, 2 types, "), "{last}");
    assert!(
        last.contains(" lines in 9 files; 10 changed; ") && last.ends_with(" s"),
        "{last}"
    );
}

#[test]
fn two_runs_give_the_same_bytes_and_the_second_writes_nothing() {
    let fixture = Fixture::new(ORDERS);
    succeeded(&fixture.regen(&[]));
    let before = fixture.files();
    let written: Vec<_> = before
        .keys()
        .map(|name| modified(&fixture.out.join(name)))
        .collect();
    let text = succeeded(&fixture.regen(&[]));
    assert!(text.contains(" 0 changed"), "{text}");
    assert_eq!(fixture.files(), before);
    let touched: Vec<_> = before
        .keys()
        .map(|name| modified(&fixture.out.join(name)))
        .collect();
    assert_eq!(touched, written);

    let elsewhere = Fixture::new(ORDERS);
    succeeded(&elsewhere.regen(&[]));
    for (name, text) in elsewhere.files() {
        // The header contains the path of the description as given.
        let text = text.replace(
            elsewhere.folder.path().to_str().unwrap(),
            fixture.folder.path().to_str().unwrap(),
        );
        assert_eq!(text, before[&name], "{name}");
    }
}

#[test]
fn only_what_changed_is_written() {
    let fixture = Fixture::new(ORDERS);
    succeeded(&fixture.regen(&[]));
    let whole = fixture.files();
    fs::write(
        fixture.out.join("ids.rs"),
        whole["ids.rs"].clone() + "// stale\n",
    )
    .unwrap();
    fs::remove_file(fixture.out.join("enums.rs")).unwrap();
    let kept = modified(&fixture.out.join("types.rs"));
    let text = succeeded(&fixture.regen(&[]));
    assert!(
        text.starts_with("enums.rs\nids.rs\n") && text.contains(" 2 changed"),
        "{text}"
    );
    assert_eq!(fixture.files(), whole);
    assert_eq!(modified(&fixture.out.join("types.rs")), kept);
}

#[test]
fn a_file_that_is_no_longer_generated_is_removed_and_what_is_no_rust_stays() {
    let fixture = Fixture::new(ORDERS);
    succeeded(&fixture.regen(&[]));
    let old = fixture.files()["ids.rs"].clone() + "pub struct Old;\n";
    fs::write(fixture.out.join("old.rs"), old).unwrap();
    fs::write(fixture.out.join("notes.md"), "Notes\n").unwrap();
    let check = fixture.regen(&["--check"]);
    assert!(failed_with(&check).contains("-pub struct Old;"));
    succeeded(&fixture.regen(&[]));
    assert!(!fixture.out.join("old.rs").exists());
    assert!(fixture.out.join("notes.md").exists());
}

#[test]
fn check_shows_a_unified_diff_and_the_command_that_fixes_it() {
    let fixture = Fixture::new(ORDERS);
    succeeded(&fixture.regen(&[]));
    assert!(succeeded(&fixture.regen(&["--check"])).contains("matches the description"));

    let ids = fixture.out.join("ids.rs");
    let stale = fs::read_to_string(&ids)
        .unwrap()
        .replace("OrderId", "OldId");
    fs::write(&ids, &stale).unwrap();
    let output = fixture.regen(&["--check"]);
    let diff = failed_with(&output);
    let name = ids.display().to_string();
    assert!(
        diff.contains(&format!("--- {name}\n+++ {name}\n@@ ")),
        "{diff}"
    );
    assert!(diff.contains("\n-    OldId\n+    OrderId\n"), "{diff}");
    let message = stderr(&output);
    assert!(message.contains("1 generated file"), "{message}");
    let spec = fixture.spec.display();
    let out = fixture.out.display();
    assert!(
        message.contains(&format!(
            "run `cargo xtask regen --spec {spec} --out {out}`"
        )),
        "{message}"
    );
    assert_eq!(
        fs::read_to_string(&ids).unwrap(),
        stale,
        "--check wrote something"
    );
}

#[test]
fn check_of_a_missing_folder_fails_and_does_not_make_it() {
    let fixture = Fixture::new(ORDERS);
    failed_with(&fixture.regen(&["--check"]));
    assert!(!fixture.out.exists());
}

#[test]
fn the_committed_code_is_what_the_vendored_description_says() {
    let start = Instant::now();
    let output = xtask(&["regen", "--check"]);
    let took = start.elapsed();
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    // It takes about 1.5 s on two cores. The limit is higher, as the machine may be busy.
    assert!(took < Duration::from_secs(60), "regen took {took:?}");
}

#[test]
fn an_empty_folder_gets_every_byte_of_the_committed_code() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("generated");
    let output = xtask(&["regen", "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../upvest-api/src/generated");
    assert_eq!(read(&out), read(&committed));
}

/// A folder for a description and the generated code.
struct Fixture {
    folder: TempDir,
    spec: PathBuf,
    out: PathBuf,
}

impl Fixture {
    fn new(description: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let spec = folder.path().join("api.yaml");
        let out = folder.path().join("generated");
        fs::write(&spec, description).unwrap();
        Self { folder, spec, out }
    }

    fn regen(&self, flags: &[&str]) -> Output {
        let own = [
            "regen",
            "--spec",
            self.spec.to_str().unwrap(),
            "--out",
            self.out.to_str().unwrap(),
        ];
        xtask(&[&own, flags].concat())
    }

    fn files(&self) -> BTreeMap<String, String> {
        read(&self.out)
    }
}

/// The output of a successful run.
#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    assert_eq!(stderr(output), "");
    stdout(output)
}

/// The single line on stderr of a failed run that printed nothing else.
#[track_caller]
fn failed(output: &Output) -> String {
    assert_eq!(failed_with(output), "");
    stderr(output)
}

/// Asserts that the run failed with a single error on stderr.
#[track_caller]
fn failed_with(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    // The remedy follows, indented.
    let errors = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(' '))
        .count();
    assert!(
        text.starts_with("error: ") && errors == 1,
        "not one error: {text}"
    );
    assert!(!text.contains("panicked"), "{text}");
    stdout(output)
}

fn xtask(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(flags)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect()
}
