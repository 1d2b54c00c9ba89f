//! Reads descriptions and overlays.

use std::path::Path;

use anyhow::{Context, Result};
use upvest_gen::Source;

use crate::folder;

/// The vendored description, its overlay, and the folder of the code that is generated from them.
pub(crate) const SPEC: &str = "spec/upvest-investment-api.yaml";
pub(crate) const OVERLAY: &str = "spec/overlay.yaml";
pub(crate) const OUT: &str = "upvest-api/src/generated";

/// Reads a file, whose name in messages is its path as given.
pub(crate) fn source(path: &Path) -> Result<Source> {
    Ok(Source::new(path.display().to_string(), folder::read(path)?))
}

/// Reads a file of the workspace, whose name in messages is its path in the workspace, so that generated headers
/// contain no local paths.
pub(crate) fn vendored(name: &str) -> Result<Source> {
    let text = std::fs::read_to_string(folder::workspace()?.join(name));
    Ok(Source::new(
        name,
        text.with_context(|| format!("cannot read {name}"))?,
    ))
}
