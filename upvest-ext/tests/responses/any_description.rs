//! `upvest-ext` works with an `upvest-api` for any description: its code names no operation and no type of a
//! description.

use std::fs;
use std::path::Path;

/// The names in generated modules that exist for every description, so that code of this crate may use them.
const GENERIC: [&str; 2] = ["operations::OPERATIONS", "operations::find"];

#[test]
fn no_operation_and_no_type_of_a_description_is_named() {
    let mut named = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        files += 1;
        let text = fs::read_to_string(&path).unwrap();
        // Comments are skipped: examples in them may use the vendored description.
        let code = text
            .lines()
            .take_while(|line| !line.contains("#[cfg(test)]"));
        for line in code.filter(|line| !line.trim_start().starts_with("//")) {
            let uses = ["types", "builder", "bodies", "operations", "events"]
                .iter()
                .flat_map(|module| {
                    ["upvest_api::", "api::"].map(|root| {
                        line.split_once(&format!("{root}{module}::"))
                            .map(|(_, rest)| (module, rest))
                    })
                });
            for (module, rest) in uses.flatten() {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if !GENERIC.contains(&format!("{module}::{name}").as_str()) {
                    named.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(files > 20, "{files} files were read");
    assert_eq!(named, Vec::<String>::new());
}
