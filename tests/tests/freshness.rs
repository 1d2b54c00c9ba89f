//! The generated code in the repository is up to date.

use sha2::{Digest, Sha256};
use upvest_gen::generate;
use upvest_tests::description::{source, workspace_file};

#[test]
fn generated_code_is_what_regen_would_write() {
    let spec = source("spec/upvest-investment-api.yaml");
    let overlay = source("spec/overlay.yaml");
    let generated = generate(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
    for file in &generated.files {
        let path = workspace_file("upvest-api/src/generated").join(file.name);
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == file.text,
            "{} is stale: run `cargo xtask regen`",
            path.display()
        );
    }
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    let spec = source("spec/upvest-investment-api.yaml");
    let overlay = source("spec/overlay.yaml");
    let once = generate(&spec, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(once.files.len() > 3, "{} files", once.files.len());
    let again = generate(&spec, Some(&overlay));
    assert_eq!(again, Ok(once));
}

#[test]
fn the_recorded_digest_is_that_of_the_description() {
    let text = std::fs::read(workspace_file("spec/upvest-investment-api.yaml"))
        .expect("the description is there");
    let digest: String = Sha256::digest(text)
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let readme =
        std::fs::read_to_string(workspace_file("spec/README.md")).expect("its README is there");
    assert!(
        readme.contains(&digest),
        "spec/README.md does not name the SHA-256 {digest}"
    );
}

#[test]
fn every_type_and_field_is_documented_in_words_of_its_own() {
    let spec = source("spec/upvest-investment-api.yaml");
    let overlay = source("spec/overlay.yaml");
    let generated = generate(&spec, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
    for file in &generated.files {
        let empty = file
            .text
            .lines()
            .find(|line| line.ends_with("` of the description."));
        assert_eq!(
            empty, None,
            "{}: give it a description in the overlay",
            file.name
        );
    }
}
