//! Compiles all code of the corpus as modules of one crate, which replaces `upvest-api` in its own workspace.

use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use upvest_gen::Generated;

use super::{Fixture, fixtures, random};

/// What the tests of generated code use.
const TEST_DEPENDENCIES: &str = "
[dev-dependencies]
futures-util.workspace = true
serde_json.workspace = true
tokio.workspace = true
";

/// A crate with a module for each description.
pub(super) struct Scratch {
    folder: PathBuf,
    library: String,
}

impl Scratch {
    /// A crate with the manifest and the lock file of the real one and the same runtime, so that its dependencies are
    /// already built if the real one has been checked.
    pub(super) fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("upvest-api/src")).unwrap();
        let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let members = workspace
            .lines()
            .find(|line| line.starts_with("members = "))
            .unwrap();
        let runtime = root.join("upvest-api/runtime").canonicalize().unwrap();
        let workspace = workspace
            .replace(members, "members = [\"upvest-api\"]")
            .replace("\"upvest-api/runtime\"", &format!("{runtime:?}"));
        fs::write(folder.join("Cargo.toml"), workspace).unwrap();
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let manifest = fs::read_to_string(root.join("upvest-api/Cargo.toml")).unwrap();
        let (manifest, _) = manifest.split_once("[dev-dependencies]").unwrap();
        let manifest = format!("{manifest}{TEST_DEPENDENCIES}\n[lints]\nworkspace = true\n");
        fs::write(folder.join("upvest-api/Cargo.toml"), manifest).unwrap();
        let library = "//! The corpus.\n#![deny(warnings)]\n".to_owned();
        Self { folder, library }
    }

    pub(super) fn add(&mut self, name: &str, generated: &Generated) {
        let module = name.replace('-', "_");
        let folder = self.folder.join("upvest-api/src").join(&module);
        fs::create_dir_all(&folder).unwrap();
        for file in &generated.files {
            fs::write(folder.join(file.name), &file.text).unwrap();
        }
        let _ = write!(
            self.library,
            "#[allow(unused_imports)]\npub mod {module};\n"
        );
    }

    fn check(self) {
        self.run(&["check"]);
    }

    /// Writes the documentation. A warning is an error.
    pub(super) fn document(self) {
        self.run(&["doc", "--no-deps", "--lib"]);
    }

    /// Runs the tests in `source`.
    pub(super) fn test(self, source: &Path) {
        let tests = self.folder.join("upvest-api/tests");
        fs::create_dir_all(&tests).unwrap();
        fs::copy(source, tests.join("calls.rs")).unwrap();
        self.run(&["test", "--test", "calls"]);
    }

    fn run(self, command: &[&str]) {
        let source = self.folder.join("upvest-api/src/lib.rs");
        fs::write(source, self.library).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("..")
            .canonicalize()
            .unwrap();
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(command)
            .args([
                "--offline",
                "--quiet",
                "--no-default-features",
                "--features",
                "test-util",
                "--target-dir",
            ])
            .arg(target)
            .current_dir(self.folder.join("upvest-api"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The number of random descriptions that are compiled with the corpus. `UPVEST_GEN_SEEDS=100..200` tries others.
const SEEDS: Range<u64> = 0..12;

#[test]
fn all_code_of_the_corpus_and_of_random_descriptions_compiles_without_a_warning() {
    let mut scratch = Scratch::new("corpus");
    let seeds = random::seeds().unwrap_or(SEEDS);
    let random = seeds.filter_map(|seed| random::fixture(seed).ok());
    for Fixture {
        name, generated, ..
    } in fixtures().into_iter().chain(random)
    {
        scratch.add(&name, &generated);
    }
    scratch.check();
}
