//! All problems of a description are reported at once, in groups, with overlay actions that fix them.

mod command;

use command::{Folder, ORDERS};

/// Four operations without a success response.
fn without_success() -> String {
    let operation = |path: &str| {
        format!("  {path}:\n    get: {{ responses: {{ '400': {{ description: No. }} }} }}\n")
    };
    let operations: String = ["/a", "/b", "/c", "/d"].map(operation).concat();
    ORDERS.replace("components:", &format!("{operations}components:"))
}

/// Four operations without a success response, and one with a required parameter in a cookie.
fn broken() -> String {
    let cookie = "  /cookie:\n    get: { parameters: [{ name: c, in: cookie, required: true, schema: { type: string } }], responses: { '204': { description: Done. } } }\n";
    without_success().replace("components:", &format!("{cookie}components:"))
}

#[test]
fn regen_lists_left_out_operations_grouped_by_remedy() {
    let folder = Folder::new();
    folder.write("api.yaml", &broken());
    let text = folder
        .xtask(&["regen", "--spec", "api.yaml", "--out", "out"])
        .succeeded();
    assert!(
        text.contains("left out of the crate: 5 problems (2 kinds)\n"),
        "{text}"
    );
    let kind =
        "\n4 times: describe at least one 2xx answer\n  api.yaml: /paths/~1a/get/responses: ";
    assert!(
        text.contains(kind) && text.contains("/paths/~1c/get/responses: "),
        "{text}"
    );
    assert!(
        text.contains("\n  and 1 more\n") && !text.contains("/paths/~1d/get/responses: "),
        "{text}"
    );
    assert!(text.contains("2 operations, "), "{text}");
}

#[test]
fn strict_fails_and_writes_nothing_if_operations_are_left_out() {
    let folder = Folder::new();
    folder.write("api.yaml", &broken());
    for command in ["regen", "export"] {
        let message = folder
            .xtask(&[command, "--spec", "api.yaml", "--out", "out", "--strict"])
            .failed();
        assert!(
            message.starts_with("error: operations cannot be generated: 5 problems (2 kinds)\n"),
            "{message}"
        );
        assert!(!folder.path("out").exists(), "{command}");
    }
}

#[test]
fn the_overlay_actions_that_regen_suggests_fix_the_description() {
    let folder = Folder::new();
    folder.write(
        "api.yaml",
        &without_success()
            .replace("/b:\n    get", "/b:\n    put")
            .replace("/c:\n    get", "/c:\n    post"),
    );
    let mut overlay = "overlay: 1.0.0\ninfo: { title: Fixed, version: '1' }\nactions:\n".to_owned();
    // The report contains one action per group, so several rounds are needed.
    for round in 0..5 {
        folder.write("overlay.yaml", &overlay);
        let flags = ["regen", "--spec", "api.yaml", "--out", "out", "--strict"];
        let with_overlay = [&flags[..], &["--overlay", "overlay.yaml"]].concat();
        let run = folder.xtask(if round == 0 { &flags } else { &with_overlay });
        if run.stderr().is_empty() {
            assert!(
                run.succeeded().contains("6 operations, "),
                "{}",
                run.stdout()
            );
            return;
        }
        let message = run.failed();
        let lines = message
            .lines()
            .skip_while(|line| !line.starts_with("    - target: "));
        let actions: Vec<&str> = lines
            .filter(|line| line.starts_with("    - ") || line.starts_with("      "))
            .collect();
        assert!(!actions.is_empty(), "{message}");
        for line in actions {
            overlay.push_str(&line[2..]);
            overlay.push('\n');
        }
    }
    panic!("it is not fixed: {overlay}");
}

/// Removing the body or a filter would change what the operation does.
#[test]
fn no_overlay_action_is_suggested_that_would_remove_a_needed_part() {
    let folder = Folder::new();
    folder.write("api.yaml", LOSSES);
    let text = folder
        .xtask(&["regen", "--spec", "api.yaml", "--out", "out"])
        .succeeded();
    assert!(!text.contains("an overlay action"), "{text}");
    for part in ["its parameter `filter`", "its request body", "its response"] {
        let line = format!("no overlay action fixes it, as the operation needs {part}\n");
        assert!(text.contains(&line), "{part}: {text}");
    }
}

/// Each operation but the last is left out.
const LOSSES: &str = r#"openapi: 3.0.3
info: { title: Losses, version: "1" }
paths:
  /search:
    get:
      operationId: search
      parameters:
        - { name: filter, in: query, required: true, style: deepObject, schema: { type: object, properties: { side: { type: string } } } }
      responses: { "204": { description: Done. } }
  /documents:
    post:
      operationId: upload
      requestBody: { content: { multipart/form-data: { schema: { type: object, properties: { file: { type: string, format: binary } } } } } }
      responses: { "204": { description: Done. } }
  /reports:
    get:
      operationId: report
      responses:
        "200": { description: The rows., content: { application/json: { schema: { type: object, properties: { rows: { $ref: '#/components/schemas/Rows' } } } } } }
  /other:
    get: { operationId: other, responses: { "204": { description: Done. } } }
"#;

#[test]
fn all_overlay_actions_that_match_nothing_are_listed() {
    let folder = Folder::new();
    folder.write("api.yaml", ORDERS);
    let action = |path: &str| {
        format!("  - target: $.paths['{path}']\n    description: Why.\n    remove: true\n")
    };
    let actions = ["/a", "/b"].map(action).concat();
    folder.write(
        "overlay.yaml",
        &format!("overlay: 1.0.0\ninfo: {{ title: O, version: '1' }}\nactions:\n{actions}"),
    );
    let flags = [
        "regen",
        "--spec",
        "api.yaml",
        "--overlay",
        "overlay.yaml",
        "--out",
        "out",
    ];
    let message = folder.xtask(&flags).failed();
    assert!(message.contains("2 problems (1 kind)"), "{message}");
    assert!(
        message.contains("overlay.yaml: /actions/0/target: `$.paths['/a']` matches nothing"),
        "{message}"
    );
    assert!(
        message.contains("overlay.yaml: /actions/1/target: `$.paths['/b']` matches nothing"),
        "{message}"
    );
}
