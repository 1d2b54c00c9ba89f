//! Merges the overlays into the description once, so that starting a sandbox costs no YAML.

use std::path::Path;
use std::{env, fs};

use upvest_gen::{Source, describe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = source("../../spec/upvest-investment-api.yaml")?;
    let described = describe(&spec, Some(&source("../../spec/overlay.yaml")?))?;
    // What stands in the first overlay is a fact about the API; the second lists what the sandbox answers besides.
    let described = Source::new("the description", described.to_string());
    let served = describe(&described, Some(&source("statuses.yaml")?))?;
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("description.json"), served.to_string())?;
    Ok(())
}

fn source(name: &str) -> Result<Source, Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={name}");
    let text = fs::read_to_string(name).map_err(|error| format!("cannot read {name}: {error}"))?;
    Ok(Source::new(name, text))
}
