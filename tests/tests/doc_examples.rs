//! Examples in the documentation of hand-written code are formatted as the code is. The formatter itself can do this
//! only in the nightly toolchain.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use upvest_tests::description::workspace_file;

const SOURCES: [&str; 9] = [
    "tests/constructs/src",
    "tests/sandbox/src",
    "tests/src",
    "upvest-api/runtime/src",
    "upvest-api/src/lib.rs",
    "upvest-ext/examples/src",
    "upvest-ext/signing/src",
    "upvest-ext/src",
    "upvest-gen/src",
];

/// The languages of blocks that rustdoc compiles.
const COMPILED: [&str; 5] = ["", "rust", "no_run", "should_panic", "compile_fail"];

/// An example without the lines that its reader does not see.
struct Example {
    file: PathBuf,
    line: usize,
    code: String,
}

#[test]
fn examples_in_the_documentation_are_formatted() {
    let mut examples = Vec::new();
    for source in SOURCES {
        find_examples(&workspace_file(source), &mut examples);
    }
    assert!(examples.len() > 60, "found only {}", examples.len());
    let wrong: Vec<String> = examples.iter().filter_map(complaint).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn find_examples(path: &Path, examples: &mut Vec<Example>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            find_examples(&entry.unwrap().path(), examples);
        }
    } else if path.extension().is_some_and(|found| found == "rs") {
        let text = fs::read_to_string(path).unwrap();
        examples.extend(examples_of(path, &text));
    }
}

fn examples_of(file: &Path, text: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    // The language and the example of an open block.
    let mut open: Option<(&str, Example)> = None;
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = doc_comment(line) else {
            open = None;
            continue;
        };
        match (comment.strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                let example = Example {
                    file: file.to_owned(),
                    line: index + 1,
                    code: String::new(),
                };
                open = Some((language, example));
            }
            (Some(_), Some((language, example))) => {
                if COMPILED.contains(&language) {
                    examples.push(example);
                }
            }
            (None, Some((language, mut example))) => {
                let is_hidden = comment == "#" || comment.starts_with("# ");
                if !is_hidden {
                    example.code += comment;
                    example.code.push('\n');
                }
                open = Some((language, example));
            }
            (None, None) => {}
        }
    }
    examples
}

fn doc_comment(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let comment = line.strip_prefix("///").or(line.strip_prefix("//!"))?;
    Some(comment.strip_prefix(' ').unwrap_or(comment))
}

/// What is wrong with the format of an example.
fn complaint(example: &Example) -> Option<String> {
    let place = format!("{}:{}", example.file.display(), example.line);
    match formatted(&example.code) {
        Ok(code) if code == example.code => None,
        Ok(code) => Some(format!("{place} is not formatted. It should be\n{code}")),
        Err(error) => Some(format!("{place} cannot be formatted: {error}")),
    }
}

/// Formats statements as the body of a function, whose indentation is taken away again.
fn formatted(code: &str) -> Result<String, String> {
    const INDENTATION: &str = "    ";
    let mut function = "fn main() {\n".to_owned();
    for line in code.lines() {
        function += INDENTATION;
        function += line;
        function.push('\n');
    }
    function += "}\n";
    let output = rustfmt(&function)?;
    let body = output.strip_prefix("fn main() {\n").unwrap_or_default();
    let body = body.strip_suffix("}\n").unwrap_or_default();
    let mut code = String::new();
    for line in body.lines() {
        code += line.strip_prefix(INDENTATION).unwrap_or(line);
        code.push('\n');
    }
    Ok(code)
}

fn rustfmt(code: &str) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt");
    // The usual 100 columns beside the indentation.
    rustfmt.args(["--edition", "2024", "--config", "max_width=104"]);
    rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = rustfmt.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(code.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

#[test]
fn an_example_that_is_not_formatted_is_found() {
    let source = "
        /// Adds.
        ///
        /// ```no_run
        /// # fn hidden() {
        /// let sum = add(1,2);
        /// # }
        /// ```
        ///
        /// ```text
        /// a,b
        /// ```
        fn add() {}";
    let examples = examples_of(Path::new("add.rs"), source);
    let complaints: Vec<_> = examples.iter().filter_map(complaint).collect();
    let expected = "add.rs:4 is not formatted. It should be\nlet sum = add(1, 2);\n";
    assert_eq!(complaints, [expected]);
}
