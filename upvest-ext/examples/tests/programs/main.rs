//! The examples, run as a user runs them.

mod call;
mod listen;
mod signing_proxy;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use upvest_sandbox::Sandbox;

/// Programs that run until they are stopped, or need arguments. Each has a test of its own.
const TOOLS: [&str; 3] = ["call", "listen", "signing_proxy"];

/// The names of the programs.
fn programs() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().path());
    let names = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.collect()
}

#[test]
fn the_readme_has_one_line_for_each_example() {
    let readme = include_str!("../../README.md");
    let lines = readme.lines().filter_map(|line| line.strip_prefix("| [`"));
    let listed: Vec<_> = lines.filter_map(|line| line.split_once('`')).collect();
    let names: BTreeSet<_> = listed.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names, programs());
    assert_eq!(names.len(), listed.len());
}

#[test]
fn the_tools_are_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    for tool in TOOLS {
        let code = fs::read_to_string(folder.join(tool).with_extension("rs")).unwrap();
        assert!(code.lines().count() < 150, "{tool}");
    }
}

#[test]
fn every_example_runs_to_its_end() {
    let folder = Path::new(env!("CARGO_BIN_EXE_quickstart"))
        .parent()
        .unwrap();
    let mut programs = programs();
    programs.retain(|name| !TOOLS.contains(&name.as_str()));
    if cfg!(not(feature = "sqlx")) {
        programs.remove("webhook_server");
    }
    for name in programs {
        let output = Command::new(folder.join(&name)).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {stderr}");
        assert!(!output.stdout.is_empty(), "{name} prints nothing");
    }
}

#[test]
fn a_sandbox_killed_in_the_middle_gives_a_readable_error() {
    for step in ["1", "3", "5", "6"] {
        let mut quickstart = Command::new(env!("CARGO_BIN_EXE_quickstart"));
        let output = quickstart.args(["--kill-after", step]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "after step {step}");
        assert!(error.contains("no connection to the server"), "{error}");
        assert!(!error.contains("no.url.provided"), "{error}");
    }
}

/// The programs that are built stand in for `cargo example`. They listen on free ports, so `curl` asks that of the
/// proxy.
const COMMANDS: &str = r#"
trap 'kill $(jobs -p)' EXIT
cargo() {
    [ "$1" = example ]
    local name=$2
    shift 2
    [ "${1:-}" != -- ] || shift
    case $name in
        listen) exec "$PROGRAMS/$name" --port 0 "$@" ;;
        signing_proxy) exec "$PROGRAMS/$name" --port "$PROXY_PORT" "$@" ;;
        *) "$PROGRAMS/$name" "$@" ;;
    esac
}
curl() { command curl "${@/:8088/:$PROXY_PORT}"; }
"#;

/// A port on which nothing listens.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_work() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```sh\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_call")).parent().unwrap();
    let port = free_port();

    let commands = format!("{COMMANDS}{block}");
    let mut bash = support::command("bash", &sandbox, &["-euo", "pipefail", "-c", &commands]);
    bash.env("PROGRAMS", programs);
    bash.env("PROXY_PORT", port.to_string());
    bash.env("NO_PROXY", "127.0.0.1");
    let output = bash.stdin(Stdio::null()).output().await.unwrap();
    let stdout = support::text(&output.stdout);
    let stderr = support::text(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    // Once from `call`, and once through the proxy.
    assert_eq!(stdout.matches("\"isin\"").count(), 4, "{stdout}");
    assert!(stdout.contains("signature"), "{stdout}");
}
