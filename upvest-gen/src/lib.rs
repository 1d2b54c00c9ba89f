//! Turns an OpenAPI description into the source of `upvest-api`.
//!
//! The work is a line of passes, one file each, which read nothing but their input:
//!
//! ```text
//! load -> overlay -> downgrade -> check -> shape -> rust (progenitor) -> trim -> split -> format
//! ```
//!
//! ```
//! use upvest_gen::{Source, generate};
//!
//! let spec = Source::new(
//!     "api.yaml",
//!     r##"
//! openapi: 3.1.0
//! info: { title: Orders, version: "1" }
//! paths:
//!   /orders/{order_id}:
//!     get:
//!       operationId: retrieveOrder
//!       parameters:
//!         - { name: order_id, in: path, required: true, schema: { type: string, format: uuid } }
//!       responses:
//!         "200": { description: The order., content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
//! components:
//!   schemas:
//!     Order: { type: object, properties: { id: { type: string, format: uuid } } }
//! "##,
//! );
//! let generated = generate(&spec, None)?;
//! assert_eq!(generated.operations, 1);
//! assert!(generated.files.iter().any(|file| file.name == "types.rs" && file.text.contains("pub struct Order")));
//! # Ok::<(), upvest_gen::Error>(())
//! ```

mod check;
mod declarations;
mod document;
mod downgrade;
mod error;
mod facts;
mod format;
mod guard;
mod load;
mod overlay;
mod pointer;
mod rust;
mod shape;
mod split;
#[cfg(test)]
mod testing;
mod trim;

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use error::{Error, Result};

/// A text with the name that errors and headers give it.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A source called `name`, which is not read from disk.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// What came out of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Generated {
    /// The files of the generated module, `mod.rs` among them.
    pub files: Vec<File>,
    /// How many operations the client has.
    pub operations: usize,
    /// How many structs, enums and ids were written.
    pub types: usize,
}

/// A generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Its name within the generated module, for example `types.rs`.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Generates the client for `spec`, with `overlay` merged into it. The same input gives the same bytes.
///
/// # Errors
///
/// An [`Error`] with file, place and remedy where the input is no description, or one that no client can be made of.
pub fn generate(spec: &Source, overlay: Option<&Source>) -> Result<Generated> {
    let document = describe(spec, overlay)?;
    let in_spec = |error: Error| error.in_file(&spec.name);
    let document = downgrade::downgrade(document).and_then(check::check).map_err(in_spec)?;
    let facts = facts::facts(&document);
    let shaped = shape::shape(document).map_err(in_spec)?;
    let trimmed = rust::rust(&shaped).and_then(|tree| trim::trim(tree, &shaped, &facts)).map_err(in_spec)?;
    let structs = trimmed.types.iter().filter(|item| matches!(item, syn::Item::Struct(_))).count();
    let types = structs + shaped.ids.len() + shaped.enums.len();
    let digest = digest(spec, overlay);
    let origin = format::Origin {
        spec: &spec.name,
        overlay: overlay.map(|overlay| overlay.name.as_str()),
        digest: &digest,
    };
    let parts = split::split(trimmed, &shaped, &facts);
    let files = parts.iter().map(|part| File { name: part.name, text: format::format(part, &origin) });
    Ok(Generated { files: files.collect(), operations: facts.len(), types })
}

/// The description with the overlay merged into it, before anything is done for the generator's sake.
///
/// # Errors
///
/// As [`generate`], for what the first two passes find.
pub fn describe(spec: &Source, overlay: Option<&Source>) -> Result<Value> {
    let document = load::load(&spec.text).map_err(|error| error.in_file(&spec.name))?;
    let Some(source) = overlay else {
        return Ok(document);
    };
    let actions = load::parse(&source.text).map_err(|error| error.in_file(&source.name))?;
    overlay::overlay(document, actions).map_err(|error| error.in_file(&source.name))
}

fn digest(spec: &Source, overlay: Option<&Source>) -> String {
    let mut hash = Sha256::new();
    hash.update(&spec.text);
    if let Some(overlay) = overlay {
        hash.update(&overlay.text);
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
