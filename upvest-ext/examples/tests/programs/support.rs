//! Starts the examples as a user does.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use upvest_sandbox::Sandbox;

const VARIABLES: [&str; 5] = [
    "UPVEST_ENVIRONMENT",
    "UPVEST_CLIENT_ID",
    "UPVEST_CLIENT_SECRET",
    "UPVEST_SIGNING_KEY_ID",
    "UPVEST_SIGNING_KEY",
];

/// The program, with the settings that the sandbox prints.
pub(crate) fn command(program: &str, sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    let value_of = sandbox.vars();
    for name in VARIABLES {
        command.env(name, value_of(name).expect("the sandbox sets it"));
    }
    command.args(arguments).kill_on_drop(true);
    command
}

/// A program that listens on a free port.
pub(crate) struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) url: String,
}

impl Server {
    pub(crate) async fn start(program: &str, sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut command = command(program, sandbox, &["--port", "0"]);
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        let (_, url) = first.rsplit_once(' ').unwrap();
        Self {
            child,
            lines,
            url: url.to_owned(),
        }
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        self.lines.next_line().await.unwrap().expect("it runs")
    }

    /// Ends it, and returns the rest of what it has printed.
    pub(crate) async fn end(mut self) -> String {
        self.child.kill().await.unwrap();
        let mut rest = String::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            rest += &line;
            rest += "\n";
        }
        rest
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
