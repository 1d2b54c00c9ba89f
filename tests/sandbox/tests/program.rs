//! The program: its output, its options, and its shutdown.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use upvest_ext::{Upvest, UpvestBuilder};

struct Program {
    process: Child,
    output: BufReader<ChildStdout>,
    introduction: String,
}

/// Sends a request that must succeed. Returns the body of the response.
async fn succeed(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    assert!(status.is_success(), "{}: {status}", response.url());
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

impl Program {
    /// Starts the program on a free port and reads its startup message.
    fn start(arguments: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_upvest-sandbox");
        Self::started(Command::new(program).args(["--port", "0"]).args(arguments))
    }

    fn started(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut introduction = String::new();
        while !introduction.contains("\ncurl ") {
            assert_ne!(
                output.read_line(&mut introduction).unwrap(),
                0,
                "it ended: {introduction}"
            );
        }
        Self {
            process,
            output,
            introduction,
        }
    }

    fn line_after(&self, start: &str) -> &str {
        self.introduction
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap()
            .trim()
    }

    fn url(&self) -> &str {
        self.line_after("export UPVEST_ENVIRONMENT=")
    }

    fn token(&self) -> &str {
        self.line_after("access token:")
    }

    async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new()
            .get(format!("{}{path}", self.url()))
            .bearer_auth(self.token());
        succeed(request).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.url()))
            .bearer_auth(self.token());
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        succeed(request).await
    }

    /// Returns the status and the body of the response.
    async fn try_post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.url()))
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Stops the program as a service manager does, and returns its last output.
    fn terminate(mut self) -> String {
        let killed = Command::new("kill")
            .arg(self.process.id().to_string())
            .status()
            .unwrap();
        assert!(killed.success());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.process.wait().unwrap().success());
        rest
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

/// Returns the error message of the program if it does not start.
fn failure(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"))
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_client_built_from_the_printed_settings_is_served() {
    let program = Program::start(&[]);
    let key = format!("{}/_sandbox/signing-key.pem", program.url());
    assert!(program.introduction.contains(&key));
    let key = reqwest::get(key).await.unwrap().text().await.unwrap();
    let variable = |name: &str| match name {
        "UPVEST_SIGNING_KEY" => Some(key.clone()),
        name => {
            let start = format!("export {name}=");
            program
                .introduction
                .lines()
                .find_map(|line| line.strip_prefix(&start))
                .map(str::to_owned)
        }
    };
    let upvest: Upvest = UpvestBuilder::from_vars(variable).build().unwrap();
    assert_eq!(
        upvest
            .list_instruments()
            .limit(3)
            .send()
            .await
            .unwrap()
            .data
            .len(),
        3
    );
    program.terminate();
}

#[tokio::test]
async fn a_token_is_enough_if_signatures_are_disabled() {
    let program = Program::start(&["--no-signatures"]);
    let curl = program.line_after("curl ");
    assert!(
        curl.contains(program.token()) && curl.contains("/instruments?limit=2"),
        "{curl}"
    );
    assert_eq!(
        program.get("/instruments?limit=2").await["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    program.terminate();
}

#[tokio::test]
async fn the_state_is_saved_at_the_end_and_loaded_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let data = file.to_str().unwrap();
    let program = Program::start(&["--no-signatures", "--save", data]);
    let address = json!({ "street": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE" });
    let user = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "date_of_birth": "1990-12-10",
        "nationality": "DE", "address": address,
    });
    let user = program.post("/users", user).await["id"].clone();
    assert!(program.terminate().contains(data));

    let program = Program::start(&["--no-signatures", "--load", data]);
    let users = program.get("/users").await;
    assert_eq!(&users["data"][0]["id"], &user);
    assert_eq!(&users["meta"]["total"], &json!(1));
    program.terminate();
}

#[tokio::test]
async fn changes_of_requests_during_shutdown_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let data = file.to_str().unwrap();
    let program = Program::start(&["--no-signatures", "--save", data]);
    let late = json!({ "operation": "createSecuritiesTransfer", "fault": { "kind": "delay", "millis": 300 } });
    program.post("/_sandbox/add_fault", late).await;
    let url = format!("{}/securities_transfers", program.url());
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth(program.token());
    let request = request
        .header("content-type", "application/json")
        .body(r#"{"direction":"INBOUND"}"#);
    let response = tokio::spawn(request.send());
    while program.get("/_sandbox/state").await["requests"] == 0 {}
    program.terminate();
    assert_eq!(response.await.unwrap().unwrap().status(), 201);
    let state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        state["first"]["state"]["rows"]["tables"]["securities_transfers"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn one_seed_gives_the_same_ids_and_another_gives_others() {
    let group = json!({});
    let mut ids = Vec::new();
    for seed in ["7", "7", "8"] {
        let program = Program::start(&["--seed", seed, "--no-signatures"]);
        ids.push(
            program
                .post("/_sandbox/create_account_group", group.clone())
                .await["id"]
                .clone(),
        );
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn a_webhook_url_is_subscribed_only_once_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let hook = "http://127.0.0.1:1/hook";
    let flags = ["--no-signatures", "--webhook-url", hook];
    let assert_subscribed = async |program: &Program| {
        let subscriptions = program.get("/webhooks").await["data"].clone();
        assert_eq!(subscriptions.as_array().unwrap().len(), 1);
        assert_eq!(subscriptions[0]["url"], hook);
        assert_eq!(subscriptions[0]["status"], "ACTIVE");
        assert_eq!(subscriptions[0]["event_categories"], json!(["ALL"]));
    };
    let program = Program::start(&[&flags[..], &["--save", path(&file)]].concat());
    assert_subscribed(&program).await;
    program.post("/_sandbox/reset", json!({})).await;
    assert_subscribed(&program).await;
    program.terminate();
    for _ in 0..2 {
        let again = ["--load", path(&file), "--save", path(&file)];
        let program = Program::start(&[&flags[..], &again].concat());
        assert_subscribed(&program).await;
        program.terminate();
    }
}

#[tokio::test]
async fn signatures_throttling_and_webhooks_are_set_by_flags() {
    let program = Program::start(&["--no-signatures", "--throttle", "1"]);
    let url = format!("{}/users", program.url());
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let request = reqwest::Client::new()
            .get(&url)
            .bearer_auth(program.token());
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert!(
        statuses.contains(&200) && statuses.contains(&429),
        "{statuses:?}"
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let flags = [
        "--no-signatures",
        "--webhook-url",
        &hook,
        "--webhook-references",
        "--webhook-signatures-v15",
    ];
    let program = Program::start(&flags);
    program
        .post("/_sandbox/create_account_group", json!({}))
        .await;
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut delivery = Vec::new();
    while !String::from_utf8_lossy(&delivery).contains("ACCOUNT_GROUP.CREATED") {
        assert_ne!(socket.read_buf(&mut delivery).await.unwrap(), 0);
    }
    let delivery = String::from_utf8(delivery).unwrap();
    assert!(
        delivery.contains("content-digest: sha-512=") && delivery.contains("\"event_type\""),
        "{delivery}"
    );
}

/// Each connection needs a file descriptor. Idle connections are closed, and waiting for them uses no CPU time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn idle_connections_do_not_block_others_when_descriptors_are_scarce() {
    let limited = format!(
        "ulimit -n 256; exec {} --no-signatures --port 0",
        env!("CARGO_BIN_EXE_upvest-sandbox")
    );
    let program = Program::started(Command::new("sh").args(["-c", &limited]));
    let address = program.url().strip_prefix("http://").unwrap().to_owned();
    let descriptors = || {
        std::fs::read_dir(format!("/proc/{}/fd", program.process.id()))
            .unwrap()
            .count()
    };
    let without = descriptors();
    let mut idle = Vec::new();
    for count in 1..=300 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
        if count == 100 {
            // When this is answered, the hundred connections before it have been accepted.
            program.get("/_sandbox/state").await;
            assert!(
                descriptors() - without <= 105,
                "{} for 101 connections",
                descriptors() - without
            );
        }
    }
    let began = std::time::Instant::now();
    program.get("/_sandbox/state").await;
    assert!(
        began.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let mut nothing = [0; 1];
    assert_eq!(
        idle[0].read(&mut nothing).await.unwrap_or(0),
        0,
        "an idle connection is closed"
    );
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.process.id())).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = [11, 12]
        .iter()
        .map(|at| fields[*at].parse::<u64>().unwrap())
        .sum();
    assert!(
        ticks < 200,
        "{ticks} hundredths of a second of processor time: it spins"
    );
}

#[tokio::test]
async fn only_the_command_save_and_a_clean_exit_write_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let flags = ["--no-signatures", "--speed", "0", "--save", path(&file)];
    let mut program = Program::start(&flags);
    let make_group = async |program: &Program| {
        let group = program.post("/_sandbox/create_account_group", json!({}));
        group.await["id"].as_str().unwrap().to_owned()
    };
    let saved = make_group(&program).await;
    assert!(!file.exists(), "nothing is saved by itself");
    let response = program.post("/_sandbox/save", json!({})).await;
    assert_eq!(response["file"], path(&file));
    let lost = make_group(&program).await;
    program.process.kill().unwrap();
    program.process.wait().unwrap();
    let state = std::fs::read_to_string(&file).unwrap();
    assert!(state.starts_with(r#"{"version":6,"#));
    assert!(state.contains(&saved) && !state.contains(&lost));

    let flags = ["--no-signatures", "--load", path(&file)];
    let program = Program::start(&flags);
    make_group(&program).await;
    program.terminate();
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        state,
        "a fixture is only read"
    );
}

#[tokio::test]
async fn a_state_that_cannot_be_saved_is_an_error_of_command_and_exit() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    std::fs::create_dir(&gone).unwrap();
    let file = gone.join("state.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"));
    command.args(["--port", "0", "--no-signatures", "--save", path(&file)]);
    let mut program = Program::started(command.stderr(Stdio::piped()));
    std::fs::remove_dir(&gone).unwrap();
    let response = program.try_post("/_sandbox/save", &json!({})).await;
    let error = response.1["error"].as_str().unwrap();
    assert!(response.0 == 400 && error.contains("state.json"), "{error}");

    let pid = program.process.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(program.process.wait().unwrap().code(), Some(1));
    let mut error = String::new();
    let mut output = program.process.stderr.take().unwrap();
    output.read_to_string(&mut error).unwrap();
    assert!(
        error.contains("cannot be saved") && error.contains("No such file"),
        "{error}"
    );
}

#[tokio::test]
async fn save_without_a_file_names_the_missing_setting() {
    let program = Program::start(&["--no-signatures"]);
    let (status, response) = program.try_post("/_sandbox/save", &json!({})).await;
    assert_eq!(status, 400);
    assert!(response["error"].as_str().unwrap().contains("--save FILE"));
}

#[test]
fn a_state_that_cannot_be_read_or_saved_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no-such-folder").join("state.json");
    let error = failure(&["--port", "0", "--save", path(&nowhere)]);
    assert!(error.contains("no-such-folder"), "{error}");
    let error = failure(&["--port", "0", "--save", path(folder.path())]);
    assert!(error.contains("cannot be read or written"), "{error}");
    let missing = folder.path().join("missing.json");
    assert!(failure(&["--port", "0", "--load", path(&missing)]).contains("missing.json"));
    let other = folder.path().join("other.json");
    std::fs::write(&other, r#"{"version":7,"world":{}}"#).unwrap();
    let error = failure(&["--port", "0", "--load", path(&other)]);
    assert!(
        error.contains("version 7") && error.contains("version 6"),
        "{error}"
    );
}

#[test]
fn the_image_and_the_compose_file_use_existing_flags() {
    let help = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let mut flags = 0;
    for file in ["Dockerfile", "compose.yaml"] {
        let text =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let commands = text
            .lines()
            .filter(|line| line.contains("ENTRYPOINT") || line.contains("command: [\"--"));
        for flag in commands
            .flat_map(|line| line.split('"'))
            .filter(|word| word.starts_with("--"))
        {
            assert!(help.contains(&format!("{flag} <")), "{file} uses {flag}");
            flags += 1;
        }
    }
    assert!(flags > 4);
}

#[test]
fn the_image_has_a_small_context_and_leaves_the_port_to_the_user() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = std::fs::read_to_string(folder.join("../../.dockerignore")).unwrap();
    for name in ["**/target", ".git"] {
        assert!(ignored.lines().any(|line| line == name), "{name}");
    }
    let image = std::fs::read_to_string(folder.join("Dockerfile")).unwrap();
    let entrypoint = image.lines().find(|line| line.starts_with("ENTRYPOINT"));
    assert!(!entrypoint.unwrap().contains("--port"));
}

#[test]
fn every_setting_of_the_builder_has_a_flag() {
    let help = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let source = include_str!("../src/clients/builder.rs");
    let settings = source
        .split("    pub fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['(', '<']).next());
    let flags = settings.map(|setting| match setting {
        "signatures" | "plain_http" => "no-signatures".to_owned(),
        "granted_scopes" => "scope".to_owned(),
        "webhook_host" => "webhook-hosts".to_owned(),
        "payload_shape" => "webhook-references".to_owned(),
        "webhook_signatures" => "webhook-signatures-v15".to_owned(),
        same => same.replace('_', "-"),
    });
    let flags: Vec<String> = flags.collect();
    assert!(flags.len() > 20);
    for flag in flags {
        assert!(help.contains(&format!("--{flag}")), "there is no --{flag}");
    }
}

/// The first block of code in a language on a page.
fn code<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// Runs code with the settings of a program.
fn run(interpreter: &[&str], code: &str, program: &Program) {
    let (name, arguments) = interpreter.split_first().unwrap();
    let output = Command::new(name)
        .args(arguments)
        .args(["-c", code])
        .env("UPVEST_ENVIRONMENT", program.url())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{name} is not installed: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {error}");
}

/// The second block of the page needs a package. `other-tools/run.sh` runs it.
#[test]
fn the_code_of_the_python_page_runs() {
    let page = include_str!("../guides/python.md");
    let program = Program::start(&["--no-signatures", "--speed", "0"]);
    run(&["python3"], code(page, "python"), &program);
}

/// Starts the program as the README does, but on a free port.
fn as_in_the_readme(readme: &str) -> Program {
    let command = code(readme, "console").replace("\\\n", " ");
    let (_, flags) = command.split_once(" -- ").unwrap();
    let flags = flags.lines().next().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"));
    command.args(["--port", "0"]).args(flags.split_whitespace());
    Program::started(command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")))
}

#[test]
fn the_first_steps_of_the_readme_run_in_python_and_curl() {
    let readme = include_str!("../README.md");
    for (language, interpreter) in [
        ("python", vec!["python3"]),
        ("sh", vec!["bash", "-e", "-o", "pipefail"]),
    ] {
        let program = as_in_the_readme(readme);
        run(&interpreter, code(readme, language), &program);
    }
}

/// The flags of each `$ upvest-sandbox ..` on a page, without the port.
fn commands(page: &str) -> Vec<Vec<&str>> {
    let lines = page.lines();
    let commands = lines.filter_map(|line| line.strip_prefix("$ upvest-sandbox "));
    let flags = commands.map(|command| command.trim_end_matches("--port 8080"));
    flags
        .map(|flags| flags.split_whitespace().collect())
        .collect()
}

#[test]
fn every_command_of_the_pages_starts_the_program() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_folder.join("../..");
    let folder = tempfile::tempdir().unwrap();
    // The files that the commands name.
    let lifecycles = folder.path().join("tests/sandbox/lifecycles");
    std::fs::create_dir_all(&lifecycles).unwrap();
    for (from, to) in [
        ("tests/fixtures/official/official-1.9.0.json", "api.json"),
        ("spec/official-overlay.yaml", "overlay.yaml"),
        (
            "tests/sandbox/lifecycles/official.yaml",
            "tests/sandbox/lifecycles/official.yaml",
        ),
    ] {
        std::fs::copy(root.join(from), folder.path().join(to)).unwrap();
    }
    let mut commands = commands(include_str!("../README.md"));
    commands.extend(self::commands(include_str!("../guides/python.md")));
    assert_eq!(commands.len(), 3, "{commands:?}");
    for flags in commands {
        let mut command = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"));
        command.args(["--port", "0"]).args(flags);
        let program = Program::started(command.current_dir(&folder));
        assert!(program.url().starts_with("http://127.0.0.1:"));
    }
}

/// `.ci/run` runs the example.
#[test]
fn the_first_steps_of_the_readme_in_rust_are_those_of_the_example() {
    let readme = include_str!("../README.md");
    let example = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/own-description/examples/first_steps.rs");
    let example = std::fs::read_to_string(example).unwrap();
    let region = example.split("    // [README]\n").nth(1).unwrap();
    let region = region.replace("\n    ", "\n");
    assert_eq!(region.trim(), code(readme, "rust").trim());
}

#[test]
fn an_invalid_speed_is_rejected() {
    for speed in ["nan", "inf", "1e9", "fast"] {
        let program = Command::new(env!("CARGO_BIN_EXE_upvest-sandbox"))
            .args(["--speed", speed])
            .output()
            .unwrap();
        assert_eq!(program.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&program.stderr).contains("a number from 0 to 1000000"));
    }
}

#[tokio::test]
async fn the_clock_runs_at_the_speed_of_the_flag() {
    let program = Program::start(&["--no-signatures", "--speed", "0"]);
    let now = program.get("/_sandbox/state").await["now"].clone();
    assert_eq!(program.get("/_sandbox/state").await["now"], now);
    program
        .post("/_sandbox/advance", json!({ "seconds": 1 }))
        .await;
    assert_ne!(program.get("/_sandbox/state").await["now"], now);
}

#[tokio::test]
async fn the_status_page_has_everything_in_one_file() {
    let program = Program::start(&["--no-signatures"]);
    let page = reqwest::get(program.url())
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.starts_with("<!doctype html>"));
    assert!(
        !page.contains("src=\"http") && !page.contains("//cdn"),
        "it loads nothing from elsewhere"
    );
    let reference = program.get("/_sandbox/commands").await;
    let commands = reference["commands"].as_array().unwrap();
    assert!(commands.iter().all(|command| {
        command["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    }));
    let fields = commands
        .iter()
        .flat_map(|command| command["fields"].as_array().unwrap());
    assert!(fields.clone().count() > 30);
    assert!(
        fields
            .into_iter()
            .all(|field| !field["description"].as_str().unwrap().is_empty())
    );
    assert_eq!(reference["operations"].as_array().unwrap().len(), 70);
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_port() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = failure(&["--port", &port]);
    assert!(
        error.contains(&port) && error.contains("choose another"),
        "{error}"
    );
    assert!(!error.contains("panicked"), "{error}");
}

#[test]
fn data_that_cannot_be_read_is_an_error_that_names_the_file_and_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    std::fs::write(&file, "{ not the state").unwrap();
    let error = failure(&["--port", "0", "--load", file.to_str().unwrap()]);
    assert!(
        error.contains("state.json") && error.contains("line 1"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{ not the state");
    assert!(failure(&["--port", "0", "--load", path(folder.path())]).contains("cannot be read"));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
