//! Blocks that are used in this process, or with a program that is there already.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;
use upvest_ext::signing::SigningKey;
use upvest_gen::{Source, model};
use upvest_tests::description::{source, workspace_file};
use upvest_tests::inbox::Inbox;
use upvest_tests::servers::Postgres;

use crate::markdown::block;

#[test]
fn the_overlay_of_the_guide_makes_order_statuses_final() {
    let overlay = block("docs/guides/overlays.md", "overlay: 1.0.0");
    let overlay = Source::new("overlay.yaml", overlay.text);
    let official = source("tests/fixtures/official/official-1.9.0.json");
    let api = model(&official, Some(&overlay)).unwrap_or_else(|error| panic!("{error}"));
    let with_finals = api.enums.iter().filter(|item| !item.finals.is_empty());
    let names: Vec<_> = with_finals.map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["OrderStatus"]);
}

/// Runs commands in a folder of their own, on a terminal of their own. Returns the folder.
fn run_on_a_terminal(commands: &str, typed: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("commands"), commands).unwrap();
    // `openssl` asks for the passphrase on the terminal.
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .args(["bash -euo pipefail commands", "typescript"])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut keyboard = script.stdin.take().unwrap();
    keyboard.write_all(typed.as_bytes()).unwrap();
    let status = script.wait().unwrap();
    let output = fs::read_to_string(folder.path().join("typescript")).unwrap();
    assert!(status.success(), "{output}");
    folder
}

#[test]
fn the_commands_for_keys_make_keys_that_are_read() {
    let commands = block("docs/guides/going-live.md", "openssl ").text;
    // Once for the key, once to confirm, and once to read it.
    let folder = run_on_a_terminal(&commands, "passphrase\npassphrase\npassphrase\n");
    let private = fs::read(folder.path().join("signing-key.pem")).unwrap();
    let public = fs::read_to_string(folder.path().join("signing-key.public.pem")).unwrap();
    assert!(SigningKey::from_pem(&private, None).is_err());
    let key = SigningKey::from_pem(&private, Some("passphrase")).unwrap();
    let printed = key.public_key().for_onboarding();
    let only_base64 = |text: &str| text.replace(['\n', '\r'], "");
    assert!(
        only_base64(&printed).contains(&only_base64(&public)),
        "{printed}"
    );
}

/// The statements without their comments.
fn statements(block: &str) -> Vec<String> {
    let lines = block.lines().filter(|line| !line.starts_with("--"));
    let text: Vec<_> = lines.collect();
    let text = text.join("\n");
    let statements = text.split(';').map(|statement| statement.trim().to_owned());
    statements
        .filter(|statement| !statement.is_empty())
        .collect()
}

const ROWS: &str = "insert into inbox (key, event_type, json, received, position, attempts, next_attempt, state, last_error)
    values ('dead', 'ORDER.FILLED', '{\"id\":1}', 0, 0, 10, 5, 'dead', 'no route'),
        ('other', 'USER.ACTIVATED', '{}', 0, 0, 10, 5, 'dead', 'no route'),
        ('old', 'ORDER.FILLED', '{}', 0, 0, 1, 0, 'done', null),
        ('new', 'ORDER.FILLED', '{}', 1000 * extract(epoch from now()), 0, 1, 0, 'done', null)";

#[tokio::test]
async fn the_statements_of_the_guide_find_replay_and_delete_rows() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let inbox = Inbox::connect(&server.url()).await.unwrap();
    inbox.create_table().await.unwrap();
    let mut database = PgConnection::connect(&server.url()).await.unwrap();
    database.execute(ROWS).await.unwrap();

    let block = block("docs/guides/webhooks.md", "-- Alert on these.");
    let statements = statements(&block.text);
    assert_eq!(statements.len(), 3);
    let run = |statement: &str| sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));

    let dead = run(&statements[0]).fetch_all(&mut database).await.unwrap();
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0].get::<&str, _>("last_error"), "no route");
    assert_eq!(dead[0].get::<&str, _>(4), "{\"id\":1}");

    let replayed = run(&statements[1]).execute(&mut database).await.unwrap();
    assert_eq!(replayed.rows_affected(), 1);
    let deleted = run(&statements[2]).execute(&mut database).await.unwrap();
    assert_eq!(deleted.rows_affected(), 1);

    let rest = run("select key, state from inbox order by key");
    let rest = rest.fetch_all(&mut database).await.unwrap();
    let rest: Vec<(String, String)> = rest.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [("dead", "open"), ("new", "done"), ("other", "dead")];
    assert_eq!(
        rest,
        expected.map(|(key, state)| (key.to_owned(), state.to_owned()))
    );
}

/// The folder of a package of the workspace.
fn folder_of(package: &str) -> PathBuf {
    let root = workspace_file("");
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let workspace: toml::Table = toml::from_str(&workspace).unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let folders = members
        .iter()
        .map(|member| root.join(member.as_str().unwrap()));
    let mut folders = folders.filter(|folder| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        manifest.contains(&format!("\nname = \"{package}\"\n"))
    });
    folders
        .next()
        .unwrap_or_else(|| panic!("there is no package {package}"))
}

#[test]
fn every_benchmark_that_is_named_exists() {
    let block = block("CONTRIBUTING.md", "cargo bench");
    for line in block.text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let ["cargo", "bench", "-p", package, "--bench", name, ..] = words[..] else {
            panic!("it runs no benchmark: {line}");
        };
        let file = folder_of(package)
            .join("benches")
            .join(name)
            .with_extension("rs");
        assert!(file.is_file(), "{line}");
    }
}
