//! The file with the facts of the description, next to the generated code, for comparison with a newer description.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use upvest_gen::diff::Facts;

use crate::folder::{self, MARKER};

/// The name of the file.
pub(crate) const NAME: &str = "facts.json";

/// Returns the text of the file.
pub(crate) fn to_text(facts: &Facts) -> Result<String> {
    let file = json!({ "generated": format!("{MARKER} regen`"), "facts": facts });
    let text = serde_json::to_string_pretty(&file).context("cannot write the facts")?;
    Ok(text + "\n")
}

/// Reads the facts from which the code in `folder` was generated. `None` if the file is missing or cannot be parsed.
pub(crate) fn read(folder: &Path) -> Option<Facts> {
    let path = folder.join(NAME);
    let text = folder::read(&path).ok()?;
    let facts = serde_json::from_str::<Value>(&text)
        .and_then(|mut file| serde_json::from_value(file["facts"].take()));
    if let Err(error) = &facts {
        let path = path.display();
        eprintln!(
            "cannot read {path}, perhaps written by another version of the generator; differences are not listed: {error}"
        );
    }
    facts.ok()
}
