//! Runs xtask as a program in its own folder.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A description with a list, an order to place, and an error.
pub(crate) const ORDERS: &str = r##"openapi: 3.1.0
info: { title: Orders, version: "2.0" }
paths:
  /orders:
    get:
      operationId: listOrders
      security: [{ oauth: ["orders:read"] }]
      parameters:
        - { name: offset, in: query, schema: { type: integer, minimum: 0 } }
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
      responses:
        "200": { description: Orders., content: { application/json: { schema: { type: object, properties: { data: { type: array, items: { $ref: "#/components/schemas/Order" } } } } } } }
    post:
      operationId: createOrder
      security: [{ oauth: ["orders:admin"] }]
      parameters:
        - { name: idempotency-key, in: header, schema: { type: string } }
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
      responses:
        "201": { description: The order., content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
components:
  schemas:
    Order: { type: object, required: [id], properties: { id: { type: string, format: uuid }, side: { type: string, enum: [BUY, SELL] } } }
"##;

/// A folder for descriptions and generated files.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("there is a folder for temporary files"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder"))
            .expect("the folder can be made");
        fs::write(&path, text).expect("the file can be written");
        path.display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs xtask in the folder.
    pub(crate) fn xtask(&self, flags: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(flags)
            .current_dir(self.0.path())
            .output();
        Run(output.expect("xtask starts"))
    }
}

/// The result of a command.
pub(crate) struct Run(Output);

impl Run {
    /// The output of a successful command.
    #[track_caller]
    pub(crate) fn succeeded(&self) -> String {
        assert!(self.0.status.success(), "{}", self.stderr());
        self.stdout()
    }

    /// The error message of a failed command.
    #[track_caller]
    pub(crate) fn failed(&self) -> String {
        assert_eq!(
            self.0.status.code(),
            Some(1),
            "{}{}",
            self.stdout(),
            self.stderr()
        );
        assert!(!self.stderr().contains("panicked"), "{}", self.stderr());
        self.stderr()
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the workspace")
}
