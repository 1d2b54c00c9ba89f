//! The time that a large description takes in the debug build that `cargo xtask` uses.

mod command;

use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use command::Folder;

/// The number of operations, of which every fourth has a problem.
const OPERATIONS: usize = 1_000;

/// The processor time that they may take.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_thousand_operations_with_their_problems_take_ten_seconds_at_most() {
    let folder = Folder::new();
    folder.write("api.yaml", &description());
    let start = Instant::now();
    let before = children();
    let text = folder
        .xtask(&["export", "--spec", "api.yaml", "--out", "out"])
        .succeeded();
    let time = match before.zip(children()) {
        Some((before, after)) => after.saturating_sub(before),
        None => start.elapsed(),
    };
    assert!(
        text.contains("left out of the crate: 250 problems"),
        "{text}"
    );
    println!("{OPERATIONS} operations took {:.1} s", time.as_secs_f64());
    assert!(time < LIMIT, "{time:?}");
}

/// Operations with a parameter, a body and a response of their own.
fn description() -> String {
    let mut text = "openapi: 3.0.3\ninfo: { title: Many, version: '1' }\npaths:\n".to_owned();
    for index in 0..OPERATIONS {
        let problem = match index % 16 {
            3 => ", required: true, style: deepObject, explode: true",
            _ => "",
        };
        let status = if index % 16 == 7 { "400" } else { "200" };
        let media_type = match index % 16 {
            11 => "multipart/form-data",
            15 => "image/png",
            _ => "application/json",
        };
        let thing = format!("$ref: '#/components/schemas/Thing{index}'");
        let _ = writeln!(
            text,
            "  /things{index}/{{thing_id}}:\n    post:\n      operationId: updateThing{index}\n      parameters:\n        \
             - {{ name: thing_id, in: path, required: true, schema: {{ type: string, format: uuid }} }}\n        \
             - {{ name: filter, in: query{problem}, schema: {{ type: string, maxLength: 9 }} }}\n      \
             requestBody: {{ content: {{ {media_type}: {{ schema: {{ {thing} }} }} }} }}\n      \
             responses: {{ '{status}': {{ description: It., content: {{ application/json: {{ schema: {{ {thing} }} }} }} }} }}"
        );
    }
    text.push_str("components:\n  schemas:\n");
    for index in 0..OPERATIONS {
        let next = (index + 1) % OPERATIONS;
        let _ = writeln!(
            text,
            "    Thing{index}: {{ type: object, properties: {{ id: {{ type: string, format: uuid }}, \
             status{index}: {{ type: string, enum: [NEW, DONE, N{index}] }}, amount: {{ type: string, format: decimal }}, \
             next_id{next}: {{ type: string }} }} }}"
        );
    }
    text
}

/// The processor time of all children that have ended, on Linux. Other load on the machine does not count.
fn children() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    // Fields 16 and 17 of proc_pid_stat(5), in hundredths of a second.
    let mut times = fields.split_whitespace().skip(13).take(2);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}
