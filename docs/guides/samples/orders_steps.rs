// region: guide
// docs/guides/samples/orders_steps.rs
// crates: upvest-ext, uuid
use upvest_ext::IdempotencyKey;
use uuid::Uuid;

/// The key of one of several calls that `request` causes. It is the same each time.
fn key_of_step(request: IdempotencyKey, step: &str) -> IdempotencyKey {
    Uuid::new_v5(request.as_uuid(), step.as_bytes()).into()
}
// endregion

#[test]
fn each_step_has_a_key_that_stays_the_same() {
    let request = IdempotencyKey::generate();
    let user = key_of_step(request, "user");
    assert_eq!(key_of_step(request, "user"), user);
    assert_ne!(key_of_step(request, "account"), user);
    assert_ne!(key_of_step(IdempotencyKey::generate(), "user"), user);
}
