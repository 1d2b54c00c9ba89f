//! Who runs each block.

use std::fs;

use upvest_tests::description::workspace_file;

use crate::markdown::{Block, all_blocks};

/// How a block is run.
enum Runner {
    /// By a test: its file and its name.
    Test(&'static str, &'static str),
    /// By a step of `.ci/run` that contains this text.
    Step(&'static str),
    /// Not at all, for this reason.
    Nobody(&'static str),
}

use Runner::{Nobody, Step, Test};

const CHECKOUT: Runner = Test(
    "tests/tests/blocks/checkout.rs",
    "the_commands_of_the_guides_work_in_a_fresh_clone",
);
const SERVICES: &str = "tests/tests/blocks/services.rs";
const SANDBOX: &str = "tests/sandbox/tests/program.rs";
const A_RULE: Runner = Nobody("it shows a rule: a good and a bad line");

/// The file of a block, the start of its text, and its runner.
const RUNNERS: [(&str, &str, Runner); 37] = [
    ("CONTRIBUTING.md", "cargo xtask regen ", CHECKOUT),
    ("CONTRIBUTING.md", "// good\nasync fn", A_RULE),
    ("CONTRIBUTING.md", "// good\n.expect", A_RULE),
    ("CONTRIBUTING.md", "// good\nlet", A_RULE),
    (
        "CONTRIBUTING.md",
        "cargo bench",
        Test(SERVICES, "every_benchmark_that_is_named_exists"),
    ),
    (
        "README.md",
        "cargo example quickstart",
        Step("block README.md 'cargo example quickstart'"),
    ),
    ("README.md", "curl ", CHECKOUT),
    ("README.md", "[dependencies]", CHECKOUT),
    ("docs/guides/quickstart.md", "[dependencies]", CHECKOUT),
    (
        "docs/guides/going-live.md",
        "openssl ",
        Test(SERVICES, "the_commands_for_keys_make_keys_that_are_read"),
    ),
    (
        "docs/guides/updating-the-description.md",
        "cargo xtask try",
        CHECKOUT,
    ),
    (
        "docs/guides/overlays.md",
        "overlay: 1.0.0",
        Test(
            SERVICES,
            "the_overlay_of_the_guide_makes_order_statuses_final",
        ),
    ),
    (
        "docs/guides/updating-the-description.md",
        "cargo xtask export",
        CHECKOUT,
    ),
    (
        "docs/guides/updating-the-description.md",
        "[dependencies]",
        CHECKOUT,
    ),
    (
        "docs/guides/updating-the-description.md",
        "// my-service/src/lib.rs",
        CHECKOUT,
    ),
    (
        "docs/guides/updating-the-description.md",
        "official=",
        CHECKOUT,
    ),
    (
        "docs/guides/updating-the-description.md",
        "cargo xtask diff",
        CHECKOUT,
    ),
    (
        "docs/guides/vendored-description.md",
        "cargo xtask diff",
        CHECKOUT,
    ),
    (
        "docs/guides/vendored-description.md",
        "cargo xtask update",
        CHECKOUT,
    ),
    (
        "docs/guides/vendored-description.md",
        "cargo xtask regen",
        CHECKOUT,
    ),
    ("docs/guides/testing.md", "[dev-dependencies]", CHECKOUT),
    ("docs/guides/webhooks.md", "[dependencies]", CHECKOUT),
    (
        "docs/guides/webhooks.md",
        "-- Alert on these.",
        Test(
            SERVICES,
            "the_statements_of_the_guide_find_replay_and_delete_rows",
        ),
    ),
    (
        "tests/sandbox/README.md",
        "let sandbox",
        Test(
            SANDBOX,
            "the_first_steps_of_the_readme_in_rust_are_those_of_the_example",
        ),
    ),
    (
        "tests/sandbox/README.md",
        "$ cargo run -p upvest-sandbox",
        Test(
            SANDBOX,
            "the_first_steps_of_the_readme_run_in_python_and_curl",
        ),
    ),
    (
        "tests/sandbox/README.md",
        "sandbox() {",
        Test(
            SANDBOX,
            "the_first_steps_of_the_readme_run_in_python_and_curl",
        ),
    ),
    (
        "tests/sandbox/README.md",
        "import contextlib",
        Test(
            SANDBOX,
            "the_first_steps_of_the_readme_run_in_python_and_curl",
        ),
    ),
    (
        "tests/sandbox/README.md",
        "$ upvest-sandbox --description",
        Test(SANDBOX, "every_command_of_the_pages_starts_the_program"),
    ),
    (
        "tests/sandbox/guides/java.md",
        "GenericContainer",
        Nobody("it needs Docker and Testcontainers"),
    ),
    (
        "tests/sandbox/guides/java.md",
        "HttpClient",
        Nobody("CI has no compiler for Java"),
    ),
    (
        "tests/sandbox/guides/python.md",
        "$ upvest-sandbox --no-signatures",
        Test(SANDBOX, "every_command_of_the_pages_starts_the_program"),
    ),
    (
        "tests/sandbox/guides/python.md",
        "import json",
        Test(SANDBOX, "the_code_of_the_python_page_runs"),
    ),
    (
        "tests/sandbox/guides/python.md",
        "import base64",
        Step("tests/sandbox/other-tools/run.sh"),
    ),
    (
        "tests/sandbox/guides/python.md",
        "request = requests.Request",
        Step("tests/sandbox/other-tools/run.sh"),
    ),
    (
        "tests/sandbox/guides/python.md",
        "$ upvest-sandbox --webhook-url",
        Test(SANDBOX, "every_command_of_the_pages_starts_the_program"),
    ),
    (
        "upvest-ext/examples/README.md",
        "cargo example call",
        Test(
            "upvest-ext/examples/tests/programs/main.rs",
            "the_commands_of_the_readme_work",
        ),
    ),
    (
        "docs/guides/",
        "// docs/guides/samples/",
        Test(
            "tests/tests/guides.rs",
            "every_rust_code_block_is_the_region_of_a_sample",
        ),
    ),
];

/// Whether an entry of the list is about a block. Blocks of samples are in the README and in all guides.
fn is_about(entry: &(&str, &str, Runner), block: &Block) -> bool {
    let (file, start, _) = entry;
    let is_sample = *start == "// docs/guides/samples/";
    (block.file == *file || is_sample) && block.text.starts_with(start)
}

#[test]
fn every_block_is_run() {
    let blocks = all_blocks();
    for block in &blocks {
        let place = block.place();
        assert_ne!(block.language, "", "{place} names no language");
        // Drawings, and the output of programs.
        if block.language == "text" {
            continue;
        }
        let runners = RUNNERS.iter().filter(|entry| is_about(entry, block));
        let first = block.first_line();
        assert_eq!(runners.count(), 1, "runners of {place}: {first}");
    }
    for entry in &RUNNERS {
        let is_there = blocks.iter().any(|block| is_about(entry, block));
        let (file, start, _) = entry;
        assert!(is_there, "{file} has no block any more: {start}");
    }
}

#[test]
fn text_is_no_code() {
    for block in all_blocks() {
        let is_code = block.text.contains(";\n") || block.text.starts_with("cargo ");
        let place = block.place();
        assert!(block.language != "text" || !is_code, "{place} is code");
    }
}

#[test]
fn every_runner_exists() {
    let steps = fs::read_to_string(workspace_file(".ci/run")).unwrap();
    let steps: Vec<_> = steps
        .lines()
        .filter(|line| line.starts_with("step "))
        .collect();
    for (file, start, runner) in &RUNNERS {
        match runner {
            Test(source, name) => {
                let text = fs::read_to_string(workspace_file(source)).unwrap();
                let function = format!("fn {name}()");
                assert!(text.contains(&function), "{source} has no {name}");
            }
            Step(step) => {
                let is_there = steps.iter().any(|line| line.contains(step));
                assert!(is_there, "{file}: .ci/run does not run {start}");
            }
            Nobody(reason) => assert!(!reason.is_empty()),
        }
    }
    let is_run = steps
        .iter()
        .any(|step| step.contains("--test blocks -- --ignored"));
    assert!(
        is_run,
        "`.ci/run` does not run the slow ignored test (`--test blocks -- --ignored`)"
    );
}
