//! Reads a description with its overlay, as a document and as a model.

use serde_json::Value;

use crate::error::{Error, Errors};
use crate::load;
use crate::model::{self, Api};
use crate::overlay;

/// A text with a name for errors and headers.
#[derive(Clone, Debug)]
pub struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
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

/// The description with the overlay merged into it, without further changes.
///
/// # Errors
///
/// All problems of reading and merging the two files.
pub fn describe(spec: &Source, overlay: Option<&Source>) -> Result<Value, Errors> {
    let document = load::load(&spec.text).map_err(|error| error.in_file(&spec.name))?;
    let Some(source) = overlay else {
        return Ok(document);
    };
    let actions = load::parse(&source.text).map_err(|error| error.in_file(&source.name))?;
    overlay::overlay(document, actions).map_err(|errors| Errors::of(errors, &source.name))
}

/// The model of the API that `spec` describes, with `overlay` merged into it.
///
/// # Errors
///
/// All problems that prevent a model, each with file, place and remedy. An operation that cannot be read is not an
/// error: it is left out, and [`Api::left_out`] contains it.
pub fn model(spec: &Source, overlay: Option<&Source>) -> Result<Api, Errors> {
    model_of(&describe(spec, overlay)?, spec)
}

/// Builds the model of a description that is already read.
pub(crate) fn model_of(document: &Value, spec: &Source) -> Result<Api, Errors> {
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
