//! Generates the code for a description, and reports its problems and changes.

use anyhow::Result;
use upvest_gen::diff::Facts;
use upvest_gen::{Generated, Source, generate};

use crate::changes;
use crate::facts_file;
use crate::problems;

/// The generated files, and the problems of the description.
pub(crate) struct Code {
    pub(crate) generated: Generated,
    problems: String,
}

impl Code {
    /// Generates the code. The error contains all problems of the description.
    pub(crate) fn generate(spec: &Source, overlay: Option<&Source>, strict: bool) -> Result<Self> {
        let generated = generate(spec, overlay).map_err(|errors| {
            let errors: Vec<_> = errors.iter().collect();
            problems::rejection(
                "no code can be generated from the description",
                &errors,
                spec,
                overlay,
            )
        })?;
        let left_out: Vec<_> = generated.left_out.iter().collect();
        if strict && !left_out.is_empty() {
            return Err(problems::rejection(
                "operations cannot be generated",
                &left_out,
                spec,
                overlay,
            ));
        }
        let notes: Vec<_> = generated.notes.iter().collect();
        let problems = problems::report("left out of the crate", &left_out, spec, overlay)
            + &problems::report("expressed with a loss", &notes, spec, overlay);
        Ok(Self {
            generated,
            problems,
        })
    }

    /// The files in `folder`, each with its text.
    pub(crate) fn files(&self, folder: &str) -> Result<Vec<(String, String)>> {
        let files = self.generated.files.iter();
        let mut files: Vec<(String, String)> = files
            .map(|file| (format!("{folder}{}", file.name), file.text.clone()))
            .collect();
        let facts = facts_file::to_text(&self.generated.facts)?;
        files.push((format!("{folder}{}", facts_file::NAME), facts));
        Ok(files)
    }

    /// Prints the operations that were left out, and the differences to `before`.
    pub(crate) fn print_report(&self, before: Option<&Facts>) {
        print!("{}", self.problems);
        if let Some(before) = before {
            let changes = before.compare(&self.generated.facts);
            print!("{}", changes::text(&changes));
        }
    }

    /// The size of the generated code, in words.
    pub(crate) fn size(&self) -> String {
        let Generated {
            operations,
            types,
            files,
            ..
        } = &self.generated;
        let lines: usize = files.iter().map(|file| file.text.lines().count()).sum();
        let files = files.len();
        format!("{operations} operations, {types} types, {lines} lines in {files} files")
    }
}
