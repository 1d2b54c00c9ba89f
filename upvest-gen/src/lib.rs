//! Turns an OpenAPI description into the source of `upvest-api`.
//!
//! ```text
//! load -> overlay -> model -> types (progenitor) -> write
//!                      |   -> operations
//!                      v
//!                    document, normalize
//! ```
//!
//! [`model`](mod@model) is plain data that describes the API. It reads the description through [`document`], which
//! walks over the operations, and [`normalize`], which reads schemas. The steps after it write code. They are the
//! feature `emit`, which is on by default.
//!
//! ```
//! # #[cfg(feature = "emit")] {
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
//! assert!(
//!     generated
//!         .files
//!         .iter()
//!         .any(|file| file.name == "types.rs" && file.text.contains("pub struct Order"))
//! );
//! # }
//! # Ok::<(), upvest_gen::Errors>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod describe;
pub mod diff;
#[cfg(feature = "emit")]
mod docs;
pub mod document;
#[cfg(feature = "emit")]
mod emit;
mod error;
pub mod examples;
#[cfg(feature = "emit")]
mod generate;
pub mod ledger;
mod load;
pub mod model;
pub mod normalize;
mod overlay;
mod pointer;
pub mod remedy;
mod survey;
#[cfg(test)]
mod testing;
#[cfg(feature = "emit")]
mod write;

pub use describe::{Source, describe, model};
pub use error::{Error, Errors};
#[cfg(feature = "emit")]
pub use generate::{File, Generated, generate};
