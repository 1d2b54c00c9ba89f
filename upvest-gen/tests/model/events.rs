//! Events in webhooks of any form.

use super::read;

/// Returns the events and the problems of the webhooks and components in `parts`.
fn events_of(parts: &str) -> (Vec<String>, Vec<String>) {
    let document =
        format!("paths: {{ /a: {{ get: {{ responses: {{ '204': {{}} }} }} }} }}\n{parts}");
    let api = read("3.1.0", &document).unwrap();
    let events = api.events.iter();
    let events = events.map(|event| format!("{}: {}", event.object, event.types.join(" ")));
    let notes = api.notes.iter();
    let notes = notes.map(|note| format!("{}: {}", note.pointer(), note.problem()));
    (events.collect(), notes.collect())
}

fn content(schema: &str) -> String {
    format!("requestBody: {{ content: {{ application/json: {{ schema: {schema} }} }} }}")
}

const ORDER: &str = "{ properties: { type: { enum: [ORDER.NEW] }, object: { title: Order, properties: { a: {} } } } }";
const USER: &str =
    "{ properties: { type: { const: USER.NEW }, object: { title: User, properties: { b: {} } } } }";
const BOTH: [&str; 2] = ["Order: ORDER.NEW", "User: USER.NEW"];

#[test]
fn events_are_read_from_any_method_list_union_and_envelope() {
    let alternatives = format!("[{ORDER}, {USER}]");
    for schema in [
        format!("{{ oneOf: {alternatives} }}"),
        format!("{{ anyOf: {alternatives} }}"),
        format!("{{ type: array, items: {{ oneOf: {alternatives} }} }}"),
        format!("{{ oneOf: [{ORDER}, {{ type: array, items: {USER} }}] }}"),
        format!(
            "{{ properties: {{ id: {{}}, events: {{ type: array, items: {{ oneOf: {alternatives} }} }} }} }}"
        ),
        format!("{{ properties: {{ payload: {{ anyOf: {alternatives} }} }} }}"),
        format!(
            "{{ oneOf: [{{ properties: {{ event: {ORDER} }} }}, {{ properties: {{ event: {USER} }} }}] }}"
        ),
        format!("{{ properties: {{ id: {{ type: string }} }}, oneOf: {alternatives} }}"),
        format!("{{ allOf: [{{ properties: {{ id: {{}} }} }}, {{ oneOf: {alternatives} }}] }}"),
    ] {
        for method in ["post", "put", "patch"] {
            let webhook = format!(
                "webhooks: {{ w: {{ {method}: {{ {} }} }} }}",
                content(&schema)
            );
            let (events, notes) = events_of(&webhook);
            assert_eq!(events, BOTH, "{webhook}");
            assert_eq!(notes, [""; 0], "{webhook}");
        }
    }
}

#[test]
fn a_webhook_may_be_a_reference() {
    let (events, notes) = events_of(&format!(
        "
webhooks:
  order: {{ $ref: '#/components/pathItems/Order%20Item' }}
  user: {{ $ref: '#/webhooks/inner', summary: S }}
  inner: {{ post: {{ {} }} }}
  gone: {{ $ref: '#/components/pathItems/Gone' }}
  external: {{ $ref: 'other.yaml#/a' }}
  empty: {{}}
components: {{ pathItems: {{ Order Item: {{ post: {{ {} }} }} }} }}
",
        content(USER),
        content(ORDER)
    ));
    assert_eq!(events, BOTH);
    assert_eq!(
        notes,
        [
            "/webhooks/gone: the operations of `gone` are missing: the target of `#/components/pathItems/Gone` does not exist",
            "/webhooks/external: the operations of `external` are missing: the reference `other.yaml#/a` points outside of the document",
            "/webhooks/empty: the webhook `empty` has no request",
        ]
    );
}

#[test]
fn the_discriminator_names_the_types_of_events() {
    let (events, notes) = events_of(&format!(
        "
webhooks: {{ w: {{ post: {{ {} }} }} }}
components:
  schemas:
    OrderEvent: {{ properties: {{ type: {{ type: string }}, object: {{ title: Order, properties: {{ a: {{}} }} }} }} }}
    UserEvent: {{ properties: {{ type: {{ type: string }}, object: {{ title: User, properties: {{ b: {{}} }} }} }} }}
",
        content(
            "{ oneOf: [{ $ref: '#/components/schemas/OrderEvent' }, { $ref: '#/components/schemas/UserEvent' }], \
             discriminator: { propertyName: type, mapping: { ORDER.NEW: '#/components/schemas/OrderEvent', \
             ORDER.OLD: OrderEvent, USER.NEW: '#/components/schemas/UserEvent' } } }"
        )
    ));
    assert_eq!(events, ["Order: ORDER.NEW ORDER.OLD", "User: USER.NEW"]);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn unread_webhooks_and_callbacks_are_noted() {
    for (webhook, note) in [
        (
            format!(
                "webhooks: {{ w: {{ post: {{ {} }} }} }}",
                content("{ properties: { a: {} } }")
            ),
            "/webhooks/w/post: the events of the webhook `w` are not read",
        ),
        (
            "webhooks: { w: { post: { responses: {} } } }".to_owned(),
            "/webhooks/w/post: the events of the webhook `w` are not read",
        ),
        (
            "webhooks: { w: { post: { requestBody: { content: { text/plain: {} } } } } }"
                .to_owned(),
            "/webhooks/w/post: the events of the webhook `w` are not read",
        ),
        (
            format!(
                "webhooks: {{ w: {{ post: {{ {} }} }} }}",
                content("{ properties: { type: { enum: [A.B] }, object: { type: string } } }")
            ),
            "/webhooks/w/post/requestBody/content/application~1json/schema/properties/object: the object of `A.B` is any JSON",
        ),
        (
            format!(
                "webhooks: {{ w: {{ post: {{ {} }} }} }}",
                content(&format!(
                    "{{ oneOf: [{ORDER}, {{ properties: {{ a: {{}} }} }}] }}"
                ))
            ),
            "/webhooks/w/post/requestBody/content/application~1json/schema/oneOf/1: an alternative of the webhook `w` is not read",
        ),
        (
            format!(
                "x-none: {{}}\n{}",
                "webhooks: { w: { $ref: '#/tags' } }\ntags: []"
            ),
            "/tags: the operations of `w` are missing: a list is not a path item",
        ),
    ] {
        let (_, notes) = events_of(&webhook);
        assert_eq!(notes, [note], "{webhook}");
    }
    let api = read(
        "3.1.0",
        "paths: { /a: { post: { operationId: createA, responses: { '204': {} }, callbacks: { done: { $ref: '#/x' } } } } }",
    )
    .unwrap();
    assert_eq!(api.notes[0].pointer(), "/paths/~1a/post/callbacks/done");
    assert_eq!(
        api.notes[0].problem(),
        "the callback `done` of createA is not read"
    );
}

#[test]
fn an_event_type_with_two_objects_gets_the_first_and_a_note() {
    let other = ORDER.replace(
        "title: Order, properties: { a:",
        "title: Receipt, properties: { c:",
    );
    for (second, notes) in [(other.as_str(), 1), (ORDER, 0)] {
        let first = content(ORDER);
        let second = content(second);
        let webhooks =
            format!("webhooks: {{ v: {{ post: {{ {first} }} }}, w: {{ post: {{ {second} }} }} }}");
        let (events, found) = events_of(&webhooks);
        assert_eq!(events, ["Order: ORDER.NEW"], "{webhooks}");
        assert_eq!(found.len(), notes, "{found:?}");
        for note in found {
            assert!(note.starts_with("/webhooks/w/post/"), "{note}");
            assert!(
                note.contains("`ORDER.NEW` has `Order` or `Receipt`"),
                "{note}"
            );
        }
    }
}
