//! The quickstart example succeeds, and prints a clear error if the sandbox is killed.
#![cfg(all(feature = "files", feature = "webhooks"))]

#[path = "../examples/quickstart.rs"]
#[expect(dead_code, reason = "the example's `main` is for the example")]
mod quickstart;

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_runs_to_its_end() {
    quickstart::run(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_killed_in_the_middle_gives_a_readable_error() {
    for step in [1, 3, 5, 6] {
        let error = quickstart::run(Some(step)).await.unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("no connection to the server"),
            "after step {step}: {words}"
        );
        assert!(
            !words.contains("no.url.provided"),
            "after step {step}: {words}"
        );
    }
}
