//! Turns an OpenAPI description into the source of `upvest-api`.
//!
//! ```text
//! load -> overlay -> normalize -> model -> types (progenitor) -> write
//!                                       -> operations
//! ```
//!
//! [`model`](mod@model) is plain data that describes the API. The steps before it read the description, and those after it
//! write code.
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
pub mod ledger;
mod load;
pub mod model;
mod normalize;
mod overlay;
mod pointer;
mod survey;
#[cfg(test)]
mod testing;
mod write;

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use error::{Error, Errors};
use model::Api;

/// A text with a name for errors and headers.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A source with the name `name`. It is not read from disk.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// The code that was generated from a description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Generated {
    /// The files of the generated module, including `mod.rs`.
    pub files: Vec<File>,
    /// The number of operations of the client.
    pub operations: usize,
    /// The number of structs, enums and ids.
    pub types: usize,
    /// The operations that could not be generated, each with the reason.
    pub left_out: Vec<Error>,
    /// The values that lose information in Rust, each with the reason.
    pub notes: Vec<Error>,
}

/// A generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// The file name, for example `types.rs`.
    pub name: &'static str,
    /// The content of the file.
    pub text: String,
}

/// Generates the client for `spec`, with `overlay` merged into it. The same input always gives the same bytes.
///
/// # Errors
///
/// All problems because of which no client can be generated, each with file, place and remedy. An operation that cannot be
/// generated is not an error: it is left out, and [`Generated::left_out`] contains it.
pub fn generate(spec: &Source, overlay: Option<&Source>) -> Result<Generated, Errors> {
    let api = model(spec, overlay)?;
    let parts = emit::emit(&api).map_err(|error| error.in_file(&spec.name))?;
    let digest = digest(spec, overlay);
    let origin = write::Origin {
        spec: &spec.name,
        overlay: overlay.map(|overlay| overlay.name.as_str()),
        digest: &digest,
    };
    let files = parts.iter().map(|part| File {
        name: part.name,
        text: write::write(part, &origin),
    });
    Ok(Generated {
        files: files.collect(),
        operations: api.operations.len(),
        types: api.schemas.len() + api.enums.len() + api.ids.len(),
        left_out: api.left_out,
        notes: api.notes,
    })
}

/// The model of the API that `spec` describes, with `overlay` merged into it.
///
/// # Errors
///
/// As [`generate`].
pub fn model(spec: &Source, overlay: Option<&Source>) -> Result<Api, Errors> {
    model_of(&describe(spec, overlay)?, spec)
}

/// The model of a description that is already read.
fn model_of(document: &Value, spec: &Source) -> Result<Api, Errors> {
    let place = |errors: Vec<Error>| -> Vec<Error> {
        errors
            .into_iter()
            .map(|error| error.within(document).in_file(&spec.name))
            .collect()
    };
    let api = model::build(document).map_err(|errors| Errors::of(place(errors), &spec.name))?;
    Ok(Api {
        left_out: place(api.left_out),
        notes: place(api.notes),
        ..api
    })
}

/// The description with the overlay merged into it, without further changes.
///
/// # Errors
///
/// As [`generate`], for problems of reading and merging the two files.
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
