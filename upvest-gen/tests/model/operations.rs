//! The model of operations: parameters, bodies, responses, scopes, idempotency and paging.

use super::outline::{self, outline};
use super::{assert_rows, enums, read, sound};
use upvest_gen::Error;

/// A description of one operation `GET /a` with these members.
fn one(members: &str) -> String {
    let id = if members.contains("operationId") {
        ""
    } else {
        "operationId: getA\n"
    };
    let responses = if members.contains("responses") {
        ""
    } else {
        "\nresponses: { '204': {} }"
    };
    let members = format!("{id}{members}{responses}")
        .lines()
        .fold(String::new(), |text, line| text + "      " + line + "\n");
    format!(
        "security: [{{ oauth: [root] }}]\npaths:\n  /a:\n    get:\n{members}\
         components:\n  parameters:\n    Limit: {{ name: limit, in: query, schema: {{ type: integer, minimum: 2, maximum: 50, default: 10 }} }}\n\
           \x20   Key: {{ name: Idempotency-Key, in: header, schema: {{ type: string }} }}\n\
           \x20 responses:\n    Page: {{ description: A page., content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Page' }} }} }} }}\n\
           \x20 schemas:\n    Page: {{ required: [data], properties: {{ data: {{ type: array, items: {{ type: string }} }} }} }}\n    Order: {{ properties: {{ side: {{ type: string, enum: [BUY, SELL] }} }} }}\n"
    )
}

/// Returns the model of the operation in [`one`].
#[track_caller]
fn operation(members: &str) -> String {
    let api = sound(&one(members));
    let parameters = api.operations[0]
        .parameters
        .iter()
        .map(|parameter| format!("; {}", outline::parameter(parameter)));
    outline::operation(&api.operations[0])
        .replace("getA GET /a: ", "")
        .replace(", scopes root", "")
        + &parameters.collect::<String>()
}

#[test]
fn all_parts_of_an_operation_are_read() {
    let api = sound(&one("operationId: listOrders
tags: [Orders, Other]
summary: List orders
description: ' Newest first. '
parameters:
  - { name: offset, in: query, description: Where to start., schema: { type: integer, minimum: 0 } }
  - { $ref: '#/components/parameters/Limit' }
  - { $ref: '#/components/parameters/Key' }
  - { name: signature, in: header, schema: { type: string } }
responses:
  '200': { $ref: '#/components/responses/Page' }
  '404': { description: None. }
  '5XX': { description: Down. }
  default: { description: Else. }"));
    insta::assert_json_snapshot!("list_orders", api.operations[0]);
}

#[test]
fn headers_of_the_transport_are_not_parameters() {
    let headers = [
        "Signature",
        "signature-input",
        "upvest-client-id",
        "Upvest-API-Version",
        "idempotency-key",
    ];
    let list: Vec<String> = headers
        .iter()
        .flat_map(|name| {
            ["header", "query"]
                .map(|place| format!("{{ name: {name}, in: {place}, schema: {{ type: string }} }}"))
        })
        .collect();
    let api = sound(&one(&format!("parameters: [{}]", list.join(", "))));
    let left = api.operations[0]
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), outline::parameter(parameter)));
    assert!(
        left.clone().all(|(_, line)| line.ends_with("in query")),
        "{}",
        outline(&api)
    );
    assert_eq!(left.count(), headers.len());
}

#[test]
fn a_header_that_openapi_ignores_is_noted_once() {
    for header in ["Accept", "authorization", "CONTENT-TYPE"] {
        let parameter = format!("{{ name: {header}, in: header, required: true, schema: {{}} }}");
        let operation = format!("{{ parameters: [{parameter}], responses: {{ '204': {{}} }} }}");
        let paths = format!("paths:\n  /a: {{ get: {operation}, post: {operation} }}");
        let api = read("3.0.3", &paths).unwrap();
        let mut parameters = api.operations.iter().flat_map(|it| &it.parameters);
        assert!(parameters.next().is_none(), "{header}");
        let notes: Vec<&str> = api.notes.iter().map(Error::problem).collect();
        let name = format!("the header `{}` is not", header.to_lowercase());
        assert!(
            matches!(notes.as_slice(), [note] if note.contains(&name)),
            "{notes:?}"
        );
    }
}

#[test]
fn only_a_header_idempotency_key_makes_an_operation_idempotent() {
    assert_rows(
        &[
            (
                "parameters: [{ name: IDEMPOTENCY-KEY, in: header, schema: { type: string } }]",
                "-> nothing, idempotent",
            ),
            (
                "parameters: [{ $ref: '#/components/parameters/Key' }]",
                "-> nothing, idempotent",
            ),
            (
                "parameters: [{ name: idempotency-key, in: query, schema: { type: string } }]",
                "-> nothing; idempotency-key as idempotency_key_: text in query",
            ),
            ("deprecated: true", "-> nothing"),
        ],
        operation,
    );
}

#[test]
fn scopes_come_from_the_operation_or_else_the_document() {
    for (security, scopes) in [
        ("tags: []", vec!["root"]),
        ("security: []", vec![]),
        ("security: [{}]", vec![]),
        (
            "security: [{ oauth: [b, a] }, { other: [a, c] }]",
            vec!["a", "b", "c"],
        ),
        ("security: text", vec![]),
    ] {
        assert_eq!(
            sound(&one(security)).operations[0].scopes,
            scopes,
            "{security}"
        );
    }
}

#[test]
fn a_list_has_pages_if_the_operation_has_offset_and_limit() {
    let offset = "{ name: offset, in: query, schema: { type: integer } }";
    let page = "responses: { '200': { $ref: '#/components/responses/Page' } }";
    for (parameters, paging) in [
        (
            format!("{offset}, {{ $ref: '#/components/parameters/Limit' }}"),
            "pages of 10 (2 to 50)",
        ),
        (
            format!(
                "{offset}, {{ name: limit, in: query, schema: {{ type: integer, maximum: 7 }} }}"
            ),
            "pages of 7 (1 to 7)",
        ),
        (
            format!(
                "{offset}, {{ name: limit, in: query, schema: {{ allOf: [{{ type: integer, default: 5, maximum: 9 }}] }} }}"
            ),
            "pages of 5 (1 to 9)",
        ),
        (
            format!("{offset}, {{ name: limit, in: header, schema: {{ type: integer }} }}"),
            "",
        ),
        (offset.to_owned(), ""),
        ("{ $ref: '#/components/parameters/Limit' }".to_owned(), ""),
    ] {
        let found = operation(&format!("parameters: [{parameters}]\n{page}"));
        let found = found
            .split("; ")
            .next()
            .unwrap()
            .trim_start_matches("-> list of text")
            .trim_start_matches(", ")
            .to_owned();
        assert_eq!(found, paging, "{parameters}");
    }
    // The parameters may be required or be defined for the whole path. The response must be a list.
    let both = format!("parameters: [{offset}, {{ $ref: '#/components/parameters/Limit' }}]");
    assert!(!operation(&both).contains("pages"));
    let on_the_path = one(page).replace(
        "    get:",
        &format!(
            "    {}\n    get:",
            both.replace("in: query", "in: query, required: true")
        ),
    );
    assert!(sound(&on_the_path).operations[0].paging.is_some());
}

#[test]
fn an_offset_or_limit_that_is_not_a_number_is_noted() {
    let parameters = "[{ name: offset, in: query, schema: { type: integer } }, { name: limit, in: query, schema: { type: string } }]";
    let page = "responses: { '200': { $ref: '#/components/responses/Page' } }";
    let api = read("3.1.0", &one(&format!("parameters: {parameters}\n{page}"))).unwrap();
    assert_eq!(api.operations[0].paging, None);
    let [note] = api.notes.as_slice() else {
        panic!("{}", outline(&api))
    };
    assert_eq!(note.pointer(), "/paths/~1a/get/parameters/1");
}

#[test]
fn a_response_of_data_and_meta_is_a_list() {
    let data = "data: { type: array, items: { $ref: '#/components/schemas/Order' } }";
    let response = |schema: &str| {
        operation(&format!(
            "responses: {{ '200': {{ content: {{ application/json: {{ schema: {schema} }} }} }} }}"
        ))
    };
    for (schema, expected) in [
        (
            format!("{{ properties: {{ {data} }} }}"),
            "-> list of Order that may lack data",
        ),
        (format!("{{ required: [data], properties: {{ {data} }} }}"), "-> list of Order"),
        (
            format!(
                "{{ required: [data], properties: {{ {data}, meta: {{ properties: {{ offset: {{}}, limit: {{}}, total: {{}} }} }} }} }}"
            ),
            "-> list of Order",
        ),
        (
            format!(
                "{{ required: [data], properties: {{ {data}, meta: {{ properties: {{ count: {{}}, total_count: {{}}, sort: {{}}, order: {{}} }} }} }} }}"
            ),
            "-> list of Order",
        ),
        (
            "{ required: [data], properties: { data: { type: array, items: { title: Leg, properties: { a: {} } } } } }"
                .to_owned(),
            "-> list of Leg",
        ),
        (format!("{{ properties: {{ {data}, meta: {{ properties: {{ colour: {{}} }} }} }} }}"), "-> A"),
        (format!("{{ properties: {{ {data}, sum: {{ type: integer }} }} }}"), "-> A"),
        ("{ properties: { data: { $ref: '#/components/schemas/Order' } } }".to_owned(), "-> A"),
        ("{ type: array, items: { $ref: '#/components/schemas/Order' } }".to_owned(), "-> [Order]"),
        ("{ $ref: '#/components/schemas/Order' }".to_owned(), "-> Order"),
        ("{ type: string, format: ISO4217 }".to_owned(), "-> currency"),
        ("{ type: object }".to_owned(), "-> {json}"),
        ("{}".to_owned(), "-> json"),
    ] {
        assert_eq!(response(&schema), expected, "{schema}");
    }
}

#[test]
fn accept_lists_the_media_types_of_success_responses() {
    assert_rows(
        &[
            ("responses: { '204': {} }", "-> nothing"),
            ("responses: { '2XX': {} }", "-> nothing"),
            (
                "responses: { '200': { content: { application/pdf: {}, text/csv: {} } } }",
                "-> bytes, accept application/pdf, text/csv",
            ),
            (
                "responses: { '200': { content: { text/csv: {} } }, '400': { content: { application/problem+json: {} } } }",
                "-> bytes, accept text/csv, errors 400",
            ),
            (
                "responses: { '200': { content: { text/csv: {} } }, '201': { content: { text/csv: {} } } }",
                "-> bytes, accept text/csv",
            ),
            (
                "responses: { '200': { content: { text/csv: {}, application/pdf: {} } }, '201': { content: { text/csv: {} } } }",
                "-> bytes, accept text/csv, application/pdf",
            ),
            (
                "responses: { '200': { content: { application/hal+json: { schema: { type: boolean } } } } }",
                "-> bool, accept application/hal+json",
            ),
            (
                "responses: { '200': { content: { 'application/json; charset=utf-8': { schema: { type: boolean } } } } }",
                "-> bool, accept application/json; charset=utf-8",
            ),
            (
                "responses: { '200': { content: { application/json: { schema: { type: boolean } } } }, '202': { content: { application/json: { schema: { type: boolean } } } } }",
                "-> bool",
            ),
            (
                "responses: { '200': { content: { application/json: { schema: { type: boolean } } } }, '204': {} }",
                "-> bool or nothing",
            ),
        ],
        operation,
    );
}

#[test]
fn a_response_can_be_read_as_json_or_downloaded() {
    let api = sound(&one(
        "responses: { '200': { content: { application/json: { schema: { type: boolean } }, application/pdf: {}, text/csv: {} } } }",
    ));
    let response = &api.operations[0].response;
    assert_eq!(response.accept.as_str(), "application/json");
    assert_eq!(
        response.download.as_deref(),
        Some("application/pdf, text/csv")
    );
}

#[test]
fn a_body_is_sent_as_json_else_form_else_bytes_else_text() {
    assert_rows(
        &[
            (
                "requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }",
                "json Order -> nothing",
            ),
            (
                "requestBody: { required: true, content: { application/merge-patch+json: { schema: { $ref: '#/components/schemas/Order' } } } }",
                "json Order as application/merge-patch+json -> nothing",
            ),
            (
                "requestBody: { content: { application/json: { schema: { type: boolean } } } }",
                "json bool if given -> nothing",
            ),
            (
                "requestBody: { required: true, content: { text/plain: {}, 'application/json; charset=utf-8': { schema: { type: boolean } } } }",
                "json bool -> nothing",
            ),
            (
                "requestBody: { required: true, content: { application/x-www-form-urlencoded: { schema: { properties: { a: {} } } } } }",
                "form GetABody -> nothing",
            ),
            (
                "requestBody: { required: true, content: { application/octet-stream: { schema: { type: string, format: binary } } } }",
                "binary -> nothing",
            ),
            (
                "requestBody: { required: true, content: { text/plain: { schema: { type: string } } } }",
                "text -> nothing",
            ),
            (
                "requestBody: { required: true, content: { text/csv: { schema: { type: [string, 'null'] } } } }",
                "text as text/csv -> nothing",
            ),
            (
                "requestBody: { required: true, content: { application/xml: { schema: { type: string } } } }",
                "text as application/xml -> nothing",
            ),
            (
                "requestBody: { required: true, content: { application/json: { schema: { type: array, items: { type: string, enum: [A] } } } } }",
                "json [GetABody] -> nothing",
            ),
            (
                "requestBody: { required: true, content: { application/json: {} } }",
                "json -> nothing",
            ),
        ],
        operation,
    );
}

#[test]
fn a_parameter_has_the_type_of_its_schema() {
    let api = sound(
        &one(
            "operationId: listOrders
parameters:
  - { name: order_id, in: query, schema: { type: string, format: uuid } }
  - { name: side, in: query, schema: { type: string, enum: [BUY] } }
  - { name: sides, in: query, schema: { type: array, items: { type: string, enum: [BUY] } } }
  - { name: joined, in: query, explode: false, schema: { type: array, items: { type: string } } }
  - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100, default: 20 } }
  - { name: x, in: header, required: true, schema: { type: string } }
  - { name: xs, in: header, schema: { type: array, items: { type: integer } } }
  - { name: content, in: query, content: { application/json: { schema: { type: string } } } }
responses: { '200': { content: { application/json: { schema: { properties: { data: { type: array, items: { $ref: '#/components/schemas/Order' } } } } } } } }",
        ),
    );
    let parameters: Vec<String> = api.operations[0]
        .parameters
        .iter()
        .map(outline::parameter)
        .collect();
    assert_eq!(
        parameters,
        [
            "content: text in query, json",
            "joined: [text] in query, joined",
            "limit: u32 in query",
            "order_id: OrderId in query",
            "side: OrderSide in query",
            "sides: [OrderSide] in query",
            "x: text in header, required",
            "xs: [i64] in header",
        ]
    );
    assert_eq!(enums(&api), ["OrderSide: BUY SELL"]);
}

#[test]
fn a_parameter_of_the_operation_overrides_that_of_the_path() {
    let api = sound(
        "paths: { /a: { parameters: [{ name: x, in: query, description: Old., schema: { type: string } }], \
         get: { operationId: getA, parameters: [{ name: x, in: query, description: New., schema: { type: boolean } }], responses: { '204': {} } } } }",
    );
    let [parameter] = api.operations[0].parameters.as_slice() else {
        panic!("{}", outline(&api))
    };
    assert_eq!(parameter.description.as_str(), "New.");
    assert_eq!(outline::parameter(parameter).as_str(), "x: bool in query");
}

#[test]
fn error_responses_of_any_form_are_read() {
    for response in [
        "{}",
        "{ description: D }",
        "{ content: { application/json: {} } }",
        "{ content: { text/html: { schema: { type: string } } } }",
        "{ content: { application/problem+json: { schema: { properties: { a: {} } } } } }",
        "{ content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }",
    ] {
        for status in ["400", "5XX", "default"] {
            let members = format!("responses: {{ '204': {{}}, '{status}': {response} }}");
            let found = operation(&members);
            assert!(found.starts_with("-> nothing"), "{members}: {found}");
        }
    }
}

#[test]
fn all_methods_are_read_and_operations_without_an_id_get_one() {
    let paths: String = [
        "get", "put", "post", "delete", "options", "head", "patch", "trace",
    ]
    .iter()
    .map(|method| format!("    {method}: {{ responses: {{ '204': {{}} }} }}\n"))
    .collect();
    let api = sound(&format!("paths:\n  /orders/latest:\n{paths}"));
    let found: Vec<String> = api
        .operations
        .iter()
        .map(|it| format!("{} {}", it.method_name, it.method))
        .collect();
    assert_eq!(
        found,
        [
            "get_orders_latest GET",
            "put_orders_latest PUT",
            "post_orders_latest POST",
            "delete_orders_latest DELETE",
            "options_orders_latest OPTIONS",
            "head_orders_latest HEAD",
            "patch_orders_latest PATCH",
            "trace_orders_latest TRACE",
        ]
    );
}

#[test]
fn events_are_read_from_webhooks_of_both_dialects() {
    let webhooks = "{ order: { post: { requestBody: { content: { application/json: { schema: { properties: { \
        type: { type: string, enum: [ORDER.NEW, ORDER.FILLED] }, object: { title: Order, properties: { a: {} } } } } } } } } } }";
    for (version, keyword) in [("3.0.3", "x-webhooks"), ("3.1.0", "webhooks")] {
        let parts = format!(
            "paths: {{ /a: {{ get: {{ responses: {{ '204': {{}} }} }} }} }}\n{keyword}: {webhooks}"
        );
        let api = read(version, &parts).unwrap();
        assert_eq!(api.events.len(), 1, "{version}");
        assert_eq!(
            api.events[0].types.join(" ").as_str(),
            "ORDER.NEW ORDER.FILLED"
        );
        assert_eq!(api.events[0].object.as_str(), "Order");
    }
}

#[test]
fn event_types_without_an_object_are_listed_once() {
    let delivery = |types: &str, object: &str| {
        format!(
            "{{ post: {{ requestBody: {{ content: {{ application/json: {{ schema: {{ properties: {{ \
             type: {{ enum: [{types}] }} {object} }} }} }} }} }} }} }}"
        )
    };
    let order = ", object: { title: Order, properties: { a: {} } }";
    let user = ", object: { title: User, properties: { b: {} } }";
    let parts = format!(
        "paths: {{ /a: {{ get: {{ responses: {{ '204': {{}} }} }} }} }}\nx-webhooks:\n  a: {}\n  b: {}\n  c: {}",
        delivery("ORDER.NEW, ORDER.FILLED", order),
        delivery("ORDER.NEW, ORDER_NEW, COMET.SEEN, UNKNOWN", ""),
        delivery("ORDER.NEW, USER.CREATED", user),
    );
    let api = read("3.0.3", &parts).unwrap();
    let kinds: Vec<String> = api
        .event_kinds
        .iter()
        .map(|kind| format!("{} {}", kind.name, kind.wire))
        .collect();
    assert_eq!(
        kinds,
        [
            "OrderNew ORDER.NEW",
            "OrderFilled ORDER.FILLED",
            "OrderNew2 ORDER_NEW",
            "CometSeen COMET.SEEN",
            "UnknownValue UNKNOWN",
            "UserCreated USER.CREATED"
        ]
    );
    let objects: Vec<String> = api
        .events
        .iter()
        .map(|event| format!("{}: {}", event.object, event.types.join(" ")))
        .collect();
    assert_eq!(
        objects,
        ["Order: ORDER.NEW ORDER.FILLED", "User: USER.CREATED"]
    );
}

/// The defaults that leave out items of a list, as `name=value`.
#[track_caller]
fn default_filters(parameters: &str, response: &str) -> String {
    let responses = format!("responses: {{ '200': {response} }}");
    let api = sound(&one(&format!("parameters: [{parameters}]\n{responses}")));
    let filters = api.operations[0].default_filters();
    let filters = filters.iter().map(|filter| {
        let default = filter.default.as_deref().unwrap_or_default();
        format!("{}={default}", filter.name)
    });
    filters.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_default_that_leaves_out_items_of_a_list_is_a_filter() {
    let list = "{ $ref: '#/components/responses/Page' }";
    let one =
        "{ content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }";
    let bare = "{ content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Order' } } } } }";
    let filter =
        |name: &str, schema: &str| format!("{{ name: {name}, in: query, schema: {{ {schema} }} }}");
    let status = filter(
        "status",
        "type: string, enum: [NEW, FILLED], default: FILLED",
    );
    assert_eq!(default_filters(&status, list), "status=FILLED");
    assert_eq!(default_filters(&status, bare), "status=FILLED");
    assert_eq!(default_filters(&status, one), "", "nothing can be missing");
    for (schema, found) in [
        ("type: boolean, default: false", "x=false"),
        ("type: integer, default: 7", "x=7"),
        (
            "type: array, items: { type: string }, default: [A, B]",
            "x=A,B",
        ),
        ("type: array, items: { type: string }, default: []", ""),
        ("type: string", ""),
        ("type: string, default: null", ""),
    ] {
        assert_eq!(
            default_filters(&filter("x", schema), list),
            found,
            "{schema}"
        );
    }
    for name in ["offset", "limit", "sort", "order"] {
        let arranging = filter(name, "type: string, default: a");
        assert_eq!(default_filters(&arranging, list), "", "{name}");
    }
    let header = "{ name: x, in: header, schema: { type: string, default: a } }";
    assert_eq!(default_filters(header, list), "");
    let in_a_union = format!("{status}, {}", filter("offset", "type: integer"));
    assert_eq!(
        default_filters(&in_a_union, one),
        "status=FILLED",
        "a list in another form"
    );
}
