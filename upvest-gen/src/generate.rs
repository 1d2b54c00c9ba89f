//! Writes the generated files for a description.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::describe::{Source, describe, model_of};
use crate::diff::Facts;
use crate::emit;
use crate::error::{Error, Errors};
use crate::ledger::Ledger;
use crate::write;

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
    /// The contents of the description, and which of them the client has.
    pub ledger: Ledger,
    /// The facts of the description, for comparison with those of another one.
    pub facts: Facts,
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
/// All problems that prevent a client, each with file, place and remedy. An operation that cannot be generated is not
/// an error: it is left out, and [`Generated::left_out`] contains it.
pub fn generate(spec: &Source, overlay: Option<&Source>) -> Result<Generated, Errors> {
    let document = describe(spec, overlay)?;
    let api = model_of(&document, spec)?;
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
    let ledger = Ledger::new(&document, &api, &spec.name);
    let unreported = ledger
        .unreported
        .iter()
        .map(|loss| loss.clone().within(&document));
    let notes = api.notes.iter().cloned().chain(unreported).collect();
    Ok(Generated {
        files: files.collect(),
        ledger,
        facts: Facts::new(&document, &api),
        operations: api.operations.len(),
        types: api.schemas.len() + api.enums.len() + api.ids.len(),
        left_out: api.left_out,
        notes,
    })
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
