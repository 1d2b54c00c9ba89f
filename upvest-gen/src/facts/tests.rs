use serde_json::Value;

use super::{OperationFacts, facts};
use crate::testing::yaml;

/// The facts of an operation `GET /a` with these members.
fn operation(members: &str) -> OperationFacts {
    let mut document = yaml("paths: { /a: { get: {} } }\nsecurity: [{ oauth: [root] }]");
    document["components"] = yaml(
        "parameters: { Limit: { name: limit, in: query, schema: { minimum: 2, maximum: 50, default: 10 } } }\n\
         responses: { Page: { description: A page., content: { application/json: {} } } }",
    );
    document["paths"]["/a"]["get"] = yaml(members);
    facts(&document).remove(0)
}

#[test]
fn all_facts_of_an_operation_are_read() {
    let found = operation(
        "
        operationId: listOrders
        tags: [Orders, Other]
        summary: List orders
        description: ' Newest first. '
        parameters:
          - { name: offset, in: query, description: Where to start., schema: {} }
          - { $ref: '#/components/parameters/Limit' }
          - { name: Idempotency-Key, in: header }
          - { name: signature, in: header }
        requestBody: { description: The body., content: {} }
        responses:
          '200': { $ref: '#/components/responses/Page' }
          '404': { description: None. }
          '5XX': { description: Down. }
        ",
    );
    insta::assert_debug_snapshot!("list_orders", found);
}

#[test]
fn scopes_are_those_of_the_operation_or_of_the_document() {
    for (security, scopes) in [
        ("{}", vec!["root"]),
        ("security: []", vec![]),
        ("security: [{}]", vec![]),
        ("security: [{ oauth: [b, a] }, { other: [a, c] }]", vec!["a", "b", "c"]),
        ("security: text", vec![]),
    ] {
        assert_eq!(operation(security).scopes, scopes, "{security}");
    }
}

#[test]
fn an_operation_pages_if_it_takes_offset_and_limit() {
    let offset = "{ name: offset, in: query, schema: {} }";
    for (parameters, paging) in [
        (format!("{offset}, {{ $ref: '#/components/parameters/Limit' }}"), Some([10, 2, 50])),
        (format!("{offset}, {{ name: limit, in: query, schema: {{ maximum: 7 }} }}"), Some([7, 1, 7])),
        (format!("{offset}, {{ name: limit, in: query }}"), Some([4_294_967_295, 1, 4_294_967_295])),
        (offset.to_owned(), None),
        ("{ $ref: '#/components/parameters/Limit' }".to_owned(), None),
    ] {
        assert_eq!(operation(&format!("parameters: [{parameters}]")).paging, paging, "{parameters}");
    }
}

#[test]
fn what_is_accepted_is_what_success_answers_with() {
    for (responses, accept) in [
        ("{}", "application/json"),
        ("'204': {}", "application/json"),
        ("'200': { content: { application/pdf: {}, text/csv: {} } }", "application/pdf, text/csv"),
        (
            "'200': { content: { text/csv: {} } }, '400': { content: { application/problem+json: {} } }",
            "text/csv",
        ),
        ("'200': { content: { text/csv: {} } }, '201': { content: { text/csv: {} } }", "text/csv"),
        (
            "'200': { content: { text/csv: {}, application/pdf: {} } }, '201': { content: { text/csv: {} } }",
            "text/csv, application/pdf",
        ),
    ] {
        let responses = if responses == "{}" { "{}".to_owned() } else { format!("{{ {responses} }}") };
        assert_eq!(operation(&format!("responses: {responses}")).accept, accept, "{responses}");
    }
}

#[test]
fn only_a_declared_key_makes_an_operation_idempotent() {
    assert!(operation("parameters: [{ name: IDEMPOTENCY-KEY, in: header }]").idempotency_key);
    assert!(!operation("parameters: [{ name: idempotency-key, in: query }]").idempotency_key);
    assert!(!operation("{}").idempotency_key);
}

#[test]
fn a_parameter_of_the_operation_describes_it_rather_than_that_of_the_path() {
    let document: Value = yaml(
        "paths: { /a: { parameters: [{ name: x, in: query, description: Old. }], \
         get: { parameters: [{ name: x, in: query, description: New. }] } } }",
    );
    assert_eq!(facts(&document)[0].parameters, [("x".to_owned(), "New.".to_owned())]);
}
