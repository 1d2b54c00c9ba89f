//! The blocks of the README and of the guides that build something. They run as a user runs them: in a clone of the
//! repository, with a service in the folder beside it.
//!
//! Three things stand in for what is not here: a copy of the facts of Upvest's own description for the download from
//! docs.upvest.co, the same copy for the user's `official.yaml`, and the vendored description for the maintainer's
//! `new.yaml`. `cargo test --workspace` is left out, as another step of `.ci/run` runs it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use upvest_tests::description::workspace_file;

use crate::markdown::block;

const OFFICIAL: &str = "tests/fixtures/official/official-1.9.0.json";
const VENDORED: &str = "spec/upvest-investment-api.yaml";

/// What `curl` does in a block: it answers the one download that the README needs.
const CURL: &str = "#!/usr/bin/env bash
set -euo pipefail
[ \"$*\" = '--location --output ../my-service/api.json https://docs.upvest.co/_bundle/api.json?download' ]
cp official.yaml ../my-service/api.json
";

/// What `cargo` does in a block.
const CARGO: &str = "#!/usr/bin/env bash
[ \"$*\" = 'test --workspace' ] && exit
exec \"$CARGO_OF_THE_TEST\" \"$@\"
";

const README: &str = "README.md";
const QUICKSTART: &str = "docs/guides/quickstart.md";
const OWN: &str = "docs/guides/updating-the-description.md";
const TESTING: &str = "docs/guides/testing.md";
const WEBHOOKS: &str = "docs/guides/webhooks.md";
const INBOX: &str = "upvest-ext/examples/src/bin/webhook_server/inbox.rs";
const MAINTAINER: &str = "docs/guides/vendored-description.md";

/// A clone and a service beside it.
struct Checkout {
    folder: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let checkout = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let clone = checkout.path("upvest-sdk");
        fs::create_dir_all(&clone).unwrap();
        let copy = "git ls-files -z --cached --others --exclude-standard |
            tar --create --null --ignore-failed-read --files-from - | tar --extract --directory \"$CLONE\"";
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", copy]);
        command.current_dir(workspace_file("")).env("CLONE", &clone);
        succeed(command, "copy the repository");
        // What was compiled for the workspace need not be compiled again.
        let compiled = workspace_file("target/debug").canonicalize().unwrap();
        fs::create_dir_all(clone.join("target")).unwrap();
        symlink(compiled, clone.join("target/debug")).unwrap();

        fs::copy(clone.join(OFFICIAL), clone.join("official.yaml")).unwrap();
        let official = fs::read_to_string(clone.join(OFFICIAL)).unwrap();
        let newer = official.replace("\"1.9.0\"", "\"1.10.0\"");
        fs::write(clone.join("official-new.yaml"), newer).unwrap();
        fs::copy(clone.join(VENDORED), clone.join("new.yaml")).unwrap();
        checkout.add_program("curl", CURL);
        checkout.add_program("cargo", CARGO);
        fs::create_dir_all(checkout.path("my-service/src")).unwrap();
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add_program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs commands in one of the two folders.
    fn run(&self, folder: &str, commands: &str) {
        let path = std::env::var("PATH").unwrap();
        let programs = self.path("bin");
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", commands]);
        command.current_dir(self.path(folder));
        command.env("PATH", format!("{}:{path}", programs.display()));
        command.env("CARGO_OF_THE_TEST", env!("CARGO"));
        command.env("CARGO_TARGET_DIR", self.path("upvest-sdk/target"));
        succeed(command, commands);
    }

    /// Runs a block in the clone.
    fn run_block(&self, file: &str, start: &str) {
        self.run("upvest-sdk", &block(file, start).text);
    }

    /// Builds the service with the dependencies of a block, and more of them.
    fn service(&self, dependencies: &str, more: &str) {
        let package = "[package]\nname = \"my-service\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n";
        let (first, rest) = dependencies.split_once("[dependencies]\n").unwrap();
        let manifest = format!("{package}{first}[dependencies]\n{more}{rest}");
        fs::write(self.path("my-service/Cargo.toml"), manifest).unwrap();
        // The versions that this repository has.
        let lock = workspace_file("Cargo.lock");
        fs::copy(lock, self.path("my-service/Cargo.lock")).unwrap();
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path("my-service").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Runs it, and shows what it prints if it fails.
fn succeed(mut command: Command, what: &str) {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}\n{stdout}\n{stderr}");
}

#[test]
#[ignore = "it builds for minutes; .ci/run runs it"]
fn the_commands_of_the_guides_work_in_a_fresh_clone() {
    let checkout = Checkout::new();
    let check = "cargo check --quiet";

    // The README: the SDK for one's own description, and a call. The manifest has the dependency of tests too.
    checkout.service("[dependencies]\n", "");
    checkout.write("src/lib.rs", "");
    checkout.run_block(README, "curl ");
    checkout.run("my-service", check);
    let dependencies = block(README, "[dependencies]").text;
    let of_tests = block(TESTING, "[dev-dependencies]").text;
    checkout.service(&format!("{dependencies}\n{of_tests}"), "");
    let call = block(README, "// docs/guides/samples/readme_call.rs");
    checkout.write("src/lib.rs", "");
    checkout.write("src/main.rs", &call.text);
    checkout.run("my-service", "cargo check --quiet --all-targets");

    // The inbox.
    let dependencies = block(WEBHOOKS, "[dependencies]").text;
    checkout.service(&dependencies, "");
    let inbox = fs::read_to_string(workspace_file(INBOX)).unwrap();
    checkout.write("src/inbox.rs", &inbox);
    checkout.write("src/lib.rs", "pub mod inbox;\n");
    checkout.write("src/main.rs", "fn main() {}\n");
    checkout.run("my-service", check);

    // The quickstart. Its program is a test or an example, as the sandbox is a dependency of these alone.
    let dependencies = block(QUICKSTART, "[dependencies]").text;
    checkout.service(&dependencies, "");
    checkout.write("src/main.rs", "fn main() {}\n");
    fs::remove_file(checkout.path("my-service/src/lib.rs")).unwrap();
    let order = block(QUICKSTART, "// docs/guides/samples/quickstart_order.rs");
    checkout.write("examples/order.rs", &order.text);
    checkout.run("my-service", "cargo run --quiet --example order");
    fs::remove_dir_all(checkout.path("my-service/examples")).unwrap();

    // One's own description.
    checkout.run_block(OWN, "cargo xtask try");
    checkout.run_block(OWN, "cargo xtask export");
    let dependencies = block(OWN, "[dependencies]").text;
    checkout.service(&dependencies, "");
    let alias = block(OWN, "// my-service/src/lib.rs");
    checkout.write("src/lib.rs", &alias.text);
    checkout.run("my-service", check);
    checkout.run_block(OWN, "cargo xtask diff");

    // The program with two descriptions, and the first steps of the sandbox.
    checkout.run_block(OWN, "official=");
    let example = "cd docs/own-description\ncargo run --quiet --locked --example first_steps";
    checkout.run("upvest-sdk", example);
    let lock = "docs/own-description/Cargo.lock";
    let ours = fs::read_to_string(workspace_file(lock)).unwrap();
    let used = fs::read_to_string(checkout.path("upvest-sdk").join(lock)).unwrap();
    assert!(ours == used, "{lock} is not up to date");

    // The maintainer's commands.
    checkout.run_block(MAINTAINER, "cargo xtask diff");
    checkout.run_block(MAINTAINER, "cargo xtask update");
    checkout.run_block(MAINTAINER, "cargo xtask regen");
    for line in block("CONTRIBUTING.md", "cargo xtask regen ").text.lines() {
        let command = line.split('#').next().unwrap_or_default();
        let words: Vec<_> = command.split_whitespace().collect();
        match words[..] {
            ["cargo", "xtask", name, ..] => {
                checkout.run("upvest-sdk", &format!("cargo xtask {name} --help"));
            }
            ["cargo", "test", "--workspace"] => {}
            [program] => checkout.run("upvest-sdk", &format!("test -x {program}")),
            _ => panic!("unknown command: {line}"),
        }
    }
}
