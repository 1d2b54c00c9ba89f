//! The description that the sandbox publishes, and the files that are prepared from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use http::Method;
use serde_json::Value;
use upvest_gen::{Source, describe};

use crate::common::document::Operation;
use crate::common::{Api, plain};

/// The sandbox must not use the generated types, as it is used to test them.
#[test]
fn the_sandbox_never_names_the_generated_types() {
    let mut files = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
                    let names = !is_doc_comment(line) && names_generated_types(line);
                    assert!(!names, "{}:{number}: {line}", path.display());
                }
            }
        }
    }
    assert!(
        files > 40,
        "found only {files} source files: is the folder right?"
    );
}

fn is_doc_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("//!")
}

fn names_generated_types(line: &str) -> bool {
    let from_ext = line.split("upvest_ext::{").nth(1).unwrap_or_default();
    line.contains("upvest_api")
        || line.contains("upvest_ext::api")
        || from_ext
            .split([',', '}'])
            .any(|item| item.trim() == "api" || item.trim().starts_with("api::"))
}

#[tokio::test]
async fn every_status_beyond_the_description_is_listed() {
    let sandbox = plain().start().await.unwrap();
    let served = Api::nobody(&sandbox).await.document;
    let spec = source("../../spec/upvest-investment-api.yaml");
    let vendored = describe(&spec, None).unwrap();
    let overlaid = describe(&spec, Some(&source("../../spec/overlay.yaml"))).unwrap();
    let overlaid = Source::new("the description", overlaid.to_string());
    let listed = describe(&overlaid, Some(&source("statuses.yaml"))).unwrap();
    let overlaid = describe(&overlaid, None).unwrap();
    for operation in served.operations() {
        let statuses = |document: &Value| -> BTreeSet<String> {
            let method = operation.method.as_str().to_ascii_lowercase();
            let responses = document["paths"][&operation.path][method]["responses"].as_object();
            responses.unwrap().keys().cloned().collect()
        };
        let described = statuses(&vendored);
        let answered = statuses(served.json);
        // The first overlay contains facts about the API. Only the second may add statuses.
        assert_eq!(statuses(&overlaid), described, "{}", operation.id);
        assert_eq!(answered, statuses(&listed), "{}", operation.id);
        for status in answered.difference(&described) {
            assert!(
                may_be_added(operation, status),
                "{} may not answer {status}",
                operation.id
            );
        }
    }
}

/// The package contains the description with both overlays applied, so that its users need not build the generator.
#[test]
fn the_prepared_description_is_that_of_the_workspace() {
    let spec = source("../../spec/upvest-investment-api.yaml");
    let described = describe(&spec, Some(&source("../../spec/overlay.yaml"))).unwrap();
    let described = Source::new("the description", described.to_string());
    let served = describe(&described, Some(&source("statuses.yaml")))
        .unwrap()
        .to_string();
    assert_is_prepared("description.json", &served);
}

/// The package contains the lifecycles in JSON, so that its users need not build a parser of YAML.
#[test]
fn the_prepared_lifecycles_are_those_of_the_file_in_yaml() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lifecycles/vendored.yaml");
    let yaml = fs::read_to_string(path).unwrap();
    let lifecycles: Value = serde_saphyr::from_str(&yaml).unwrap();
    let lifecycles = serde_json::to_string_pretty(&lifecycles).unwrap();
    assert_is_prepared("lifecycles.json", &lifecycles);
}

/// Compares a file of the package with what it is made from.
fn assert_is_prepared(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_DESCRIPTION").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let prepared = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        prepared == expected,
        "{name}: run this test again with UPDATE_DESCRIPTION=1, and look at what changes"
    );
}

/// The problem types of PROTOCOL 5, with the requests that cause them.
fn may_be_added(operation: &Operation, status: &str) -> bool {
    match status {
        "400" | "406" | "429" | "500" | "502" | "503" | "504" => true,
        "403" => operation.id != "createAccessToken",
        "404" => !operation.ids().is_empty(),
        "409" => operation.method != Method::GET && operation.id != "createAccessToken",
        _ => false,
    }
}

fn source(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    Source::new(name, fs::read_to_string(path).unwrap())
}
