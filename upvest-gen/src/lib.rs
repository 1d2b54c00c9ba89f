//! Turns an OpenAPI description into the source of `upvest-api`.
//!
//! ```text
//! load -> overlay -> normalize -> model -> types (progenitor) -> write
//!                                       -> operations
//! ```
//!
//! [`model`](mod@model) is the center: plain data that says what the API is. What comes before it reads the description, what comes after
//! it writes code.
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
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

pub mod diff;
mod docs;
mod document;
mod emit;
mod error;
mod guard;
mod load;
pub mod model;
mod normalize;
mod overlay;
mod pointer;
#[cfg(test)]
mod testing;
mod write;

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use error::{Error, Errors};
use model::Api;

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
    /// Operations that could not be expressed and were left out, each with the reason.
    pub left_out: Vec<Error>,
    /// Values that are expressed with a loss, each with the reason.
    pub notes: Vec<Error>,
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
/// Every reason why no client can be made of the input, each with file, place and remedy. An operation that cannot be
/// expressed is no such reason: it is left out, and [`Generated::left_out`] names it.
pub fn generate(spec: &Source, overlay: Option<&Source>) -> Result<Generated, Errors> {
    let api = model(spec, overlay)?;
    let parts = emit::emit(&api).map_err(|error| error.in_file(&spec.name))?;
    let digest = digest(spec, overlay);
    let origin = write::Origin {
        spec: &spec.name,
        overlay: overlay.map(|overlay| overlay.name.as_str()),
        digest: &digest,
    };
    let files = parts.iter().map(|part| File { name: part.name, text: write::write(part, &origin) });
    Ok(Generated {
        files: files.collect(),
        operations: api.operations.len(),
        types: api.schemas.len() + api.enums.len() + api.ids.len(),
        left_out: api.left_out,
        notes: api.notes,
    })
}

/// What `spec` says, with `overlay` merged into it, in the terms of an API.
///
/// # Errors
///
/// As [`generate`].
pub fn model(spec: &Source, overlay: Option<&Source>) -> Result<Api, Errors> {
    let document = describe(spec, overlay)?;
    let place = |errors: Vec<Error>| -> Vec<Error> {
        errors.into_iter().map(|error| error.within(&document).in_file(&spec.name)).collect()
    };
    let api = model::build(&document).map_err(|errors| Errors::of(place(errors), &spec.name))?;
    Ok(Api { left_out: place(api.left_out), notes: place(api.notes), ..api })
}

/// The description with the overlay merged into it, before anything is done for the generator's sake.
///
/// # Errors
///
/// As [`generate`], for what reading the two files finds.
pub fn describe(spec: &Source, overlay: Option<&Source>) -> Result<Value, Errors> {
    let document = load::load(&spec.text).map_err(|error| error.in_file(&spec.name))?;
    let Some(source) = overlay else {
        return Ok(document);
    };
    let actions = load::parse(&source.text).map_err(|error| error.in_file(&source.name))?;
    overlay::overlay(document, actions).map_err(|errors| Errors::of(errors, &source.name))
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
