//! Reads the blocks of code in Markdown files.

use std::fs;
use std::path::{Path, PathBuf};

use upvest_tests::description::workspace_file;

/// Folders that are not part of the repository, or that a command has written.
const SKIPPED: [&str; 3] = [".git", "target", "official-api"];

/// A block of code.
pub(crate) struct Block {
    /// The file, as a path in the repository.
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
}

impl Block {
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// The block of a file that starts with this text.
pub(crate) fn block(file: &str, start: &str) -> Block {
    let text = fs::read_to_string(workspace_file(file)).unwrap();
    let mut blocks = blocks_of(file, &text);
    blocks.retain(|block| block.text.starts_with(start));
    assert_eq!(blocks.len(), 1, "{file}: blocks that start with {start}");
    blocks.remove(0)
}

/// The blocks of all Markdown files.
pub(crate) fn all_blocks() -> Vec<Block> {
    let root = workspace_file("").canonicalize().unwrap();
    let mut files = Vec::new();
    find_markdown(&root, &mut files);
    assert!(files.len() > 20, "found only {files:?}");
    files.sort();
    let mut blocks = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        blocks.extend(blocks_of(&name, &text));
    }
    blocks
}

fn find_markdown(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        let name = entry.file_name();
        let is_skipped = SKIPPED.iter().any(|skipped| name == *skipped);
        // A link leads to a folder that is visited anyway.
        if kind.is_dir() && !is_skipped {
            find_markdown(&path, files);
        } else if kind.is_file() && path.extension().is_some_and(|found| found == "md") {
            files.push(path);
        }
    }
}

fn blocks_of(file: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open.take()) {
            (Some(language), None) => {
                open = Some(Block {
                    file: file.to_owned(),
                    line: index + 1,
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text += line;
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{file}: a block does not end");
    blocks
}
