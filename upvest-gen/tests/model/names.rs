//! The names of types, fields, methods and setters, and conflicts between them.

use super::outline::{self, outline};
use super::{enums, find, ids, schemas, sound};

#[test]
fn derived_names_follow_the_rules_of_rust() {
    let api = schemas(
        "SEPAOrder: { required: [id], properties: { id: { type: string, format: uuid }, kind: { type: string, enum: [A] } } }\n\
         pay_out: { properties: { id: { type: string, format: uuid }, all: { type: array, items: { $ref: '#/components/schemas/SEPAOrder' } } } }",
    );
    let names: Vec<&str> = api
        .schemas
        .iter()
        .map(|schema| schema.name.as_str())
        .collect();
    assert_eq!(names, ["PayOut", "SepaOrder"]);
    assert_eq!(ids(&api), ["PayOutId", "SepaOrderId"]);
    assert_eq!(enums(&api), ["SepaOrderKind: A"]);
}

#[test]
fn a_type_with_a_reserved_name_gets_another_name() {
    let reserved = [
        "Self",
        "Box",
        "Vec",
        "Option",
        "String",
        "From",
        "TryFrom",
        "TryInto",
        "Uuid",
        "Nullable",
        "ListResponse",
        "Decimal",
        "Default",
        "Result",
        "Ok",
        "Some",
        "Problem",
        "Iterator",
        "Clone",
    ];
    for name in reserved {
        let api = schemas(&format!("{name}: {{ properties: {{ a: {{}} }} }}"));
        assert_eq!(api.schemas[0].name, format!("{name}_"));
    }
    for (name, expected) in [
        ("1st", "N1st"),
        ("Ürder", "Rder"),
        ("a.b", "AB"),
        ("日本", "N"),
        ("type", "Type"),
    ] {
        let api = schemas(&format!("{name}: {{ properties: {{ a: {{}} }} }}"));
        assert_eq!(api.schemas[0].name, expected, "{name}");
    }
}

#[test]
fn types_of_the_same_name_are_numbered() {
    let api = schemas(
        "Order: { properties: { a: {} } }\norder: { properties: { b: {} } }\nORDER: { properties: { c: {} } }",
    );
    let names: Vec<&str> = api
        .schemas
        .iter()
        .map(|schema| schema.name.as_str())
        .collect();
    assert_eq!(names, ["Order", "Order2", "Order3"]);
}

#[test]
fn enums_that_want_one_name_are_named_by_their_values_and_places() {
    let parts = [
        "A: { properties: { side: { enum: [BUY], x-type-name: Side } } }",
        "B: { properties: { side: { enum: [UP, DOWN], x-type-name: Side } } }",
        "C: { properties: { side: { enum: [SELL, BUY], x-type-name: Side } } }",
        "D: { properties: { side: { enum: [UP, LEFT], x-type-name: Side } } }",
    ];
    let mut backwards = parts;
    backwards.reverse();
    for order in [parts, backwards] {
        let api = schemas(&order.join("\n"));
        let expected = ["Side: SELL BUY", "Side2: UP DOWN", "Side3: UP LEFT"];
        assert_eq!(enums(&api), expected);
    }
}

#[test]
fn a_component_keeps_its_name_before_ids_and_enums() {
    let api = schemas(
        "Order: { properties: { id: { type: string, format: uuid }, side: { type: string, enum: [A] } } }\n\
         OrderId: { properties: { a: {} } }\nOrderSide: { properties: { b: {} } }",
    );
    assert_eq!(ids(&api), ["OrderId_"]);
    assert_eq!(enums(&api), ["OrderSide_: A"]);
    let api = schemas(
        "A: { properties: { x: { type: string, enum: [A], x-type-name: OrderId }, order_id: { type: string, format: uuid } } }",
    );
    assert_eq!(enums(&api), vec!["OrderId2: A".to_owned()]);
    assert_eq!(ids(&api), vec!["OrderId"]);
}

#[test]
fn a_field_with_a_name_invalid_in_rust_keeps_it_on_the_wire() {
    let api = schemas(
        "Order: { properties: { type: {}, self: {}, Self: {}, crate: {}, async: {}, 2nd: {}, a-b: {}, a_b: {}, aB: {}, '@id': {}, '': {}, '日本': {}, \
         build: {}, builder: {}, default: {}, clone: {}, into: {}, x: { type: string, x-rust-name: y } } }",
    );
    let names: Vec<String> = find(&api, "Order")
        .fields()
        .iter()
        .map(|field| format!("{}={}", field.name, field.rust))
        .collect();
    assert_eq!(
        names.join(" "),
        "type=type_ self=self__ Self=self_ crate=crate_ async=async_ 2nd=n2nd a-b=a_b_ a_b=a_b aB=a_b__ @id=id =n 日本=n_ \
         build=build_ builder=builder_ default=default_ clone=clone_ into=into_ x=y"
    );
}

#[test]
fn inline_objects_are_named_after_their_title_or_their_place() {
    let object = "properties: { a: { type: string } }";
    for (schema, expected) in [
        (format!("{{ {object} }}"), "OrderDetail"),
        (
            format!("{{ title: Order - Place - Request, {object} }}"),
            "OrderPlaceRequest",
        ),
        (format!("{{ title: '123', {object} }}"), "OrderDetail"),
        (format!("{{ title: '', {object} }}"), "OrderDetail"),
        (
            format!("{{ title: T, x-type-name: Detail, {object} }}"),
            "Detail",
        ),
        (
            format!("{{ type: array, items: {{ {object} }} }}"),
            "[OrderDetail]",
        ),
        (
            format!("{{ type: object, additionalProperties: {{ {object} }} }}"),
            "{OrderDetail}",
        ),
    ] {
        let api = schemas(&format!("Order: {{ properties: {{ detail: {schema} }} }}"));
        assert_eq!(
            outline::field(&find(&api, "Order").fields()[0]),
            format!("{expected}, optional"),
            "{schema}"
        );
    }
}

#[test]
fn inline_objects_within_inline_objects_have_short_names() {
    let api = schemas(
        "Order: { properties: { fees: { type: array, items: { properties: { parts: { type: array, items: { properties: { amount: { type: string } } } } } } } } }",
    );
    let names: Vec<&str> = api
        .schemas
        .iter()
        .map(|schema| schema.name.as_str())
        .collect();
    assert_eq!(names, ["Order", "OrderFee", "OrderFeePart"]);
}

#[test]
fn only_equal_inline_objects_with_the_same_title_are_one_type() {
    let object = |title: &str, field: &str| {
        format!("{{ title: {title}, properties: {{ {field}: {{ type: string }} }} }}")
    };
    let api = schemas(&format!(
        "Order: {{ properties: {{ a: {}, b: {}, c: {}, d: {} }} }}",
        object("Fee", "x"),
        object("Fee", "x"),
        object("Fee", "y"),
        object("Tax", "x")
    ));
    let kinds: Vec<String> = find(&api, "Order")
        .fields()
        .iter()
        .map(|field| outline::kind(&field.kind))
        .collect();
    assert_eq!(kinds, ["Fee", "Fee", "OrderC", "Tax"]);
}

#[test]
fn untitled_bodies_and_responses_are_named_after_their_operation() {
    for (id, body, response) in [
        ("createThing", "CreateThingBody", "Thing"),
        ("retrieveThing", "RetrieveThingBody", "Thing"),
        ("sendThing", "SendThingBody", "SendThingResponse"),
        ("ping", "PingBody", "PingResponse"),
    ] {
        let api = sound(&format!(
            "paths:\n  /a: {{ post: {{ operationId: {id}, requestBody: {{ content: {{ application/json: {{ schema: {{ properties: {{ x: {{}} }} }} }} }} }}, \
             responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ properties: {{ y: {{}} }} }} }} }} }} }} }} }}"
        ));
        let operation = outline::operation(&api.operations[0]);
        assert_eq!(
            operation,
            format!("{id} POST /a: json {body} if given -> {response}")
        );
    }
}

#[test]
fn methods_and_builders_get_unique_names() {
    let operation = |index: usize, id: &str| {
        format!("  /p{index}: {{ get: {{ operationId: '{id}', responses: {{ '204': {{}} }} }} }}\n")
    };
    let names = [
        "default",
        "direct",
        "into",
        "operations",
        "new",
        "type",
        "self",
        "clone",
        "listOrders",
        "list_orders",
        "list-orders",
        "2nd",
        "a {b} c",
        "Response",
        "Call",
        "Ok",
        "日本",
    ];
    let paths: String = names
        .iter()
        .enumerate()
        .map(|(index, id)| operation(index, id))
        .collect();
    let api = sound(&format!("paths:\n{paths}"));
    let found: Vec<String> = api
        .operations
        .iter()
        .map(|operation| {
            format!(
                "{}={}/{}",
                operation.id, operation.method_name, operation.builder
            )
        })
        .collect();
    let expected = [
        "default=default/Default_",
        "direct=direct/Direct",
        "into=into_/Into_",
        "operations=operations_/Operations",
        "new=new_/New",
        "type=type_/Type",
        "self=self_/Self_",
        "clone=clone_/Clone_",
        "listOrders=list_orders__/ListOrders__",
        "list_orders=list_orders/ListOrders",
        "list-orders=list_orders_/ListOrders_",
        "2nd=n2nd/N2nd",
        "a {b} c=a_b_c/ABC",
        "Response=response/Response_",
        "Call=call/Call_",
        "Ok=ok/Ok_",
        "getP16=get_p16/GetP16",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_setter_with_a_reserved_name_gets_another_name() {
    let parameters = [
        "send",
        "body",
        "a-b",
        "a_b",
        "type",
        "2nd",
        "with_page",
        "client",
    ];
    let list: Vec<String> = parameters
        .iter()
        .map(|name| format!("{{ name: '{name}', in: query, schema: {{ type: string }} }}"))
        .collect();
    let api = sound(&format!(
        "paths: {{ /a: {{ get: {{ operationId: getA, parameters: [{}], responses: {{ '204': {{}} }} }} }} }}",
        list.join(", ")
    ));
    let found: Vec<String> = api.operations[0]
        .parameters
        .iter()
        .map(|it| format!("{}={}", it.name, it.setter))
        .collect();
    assert_eq!(
        found,
        [
            "2nd=n2nd",
            "a-b=a_b_",
            "a_b=a_b",
            "body=body_",
            "client=client",
            "send=send_",
            "type=type_",
            "with_page=with_page_"
        ]
    );
}

#[test]
fn x_rust_name_changes_a_name_in_rust_but_not_on_the_wire() {
    let api = sound(
        "paths: { /a: { get: { operationId: getA, x-rust-name: fetch, parameters: [{ name: n, in: query, x-rust-name: number, schema: { type: string } }], responses: { '204': {} } } } }",
    );
    assert_eq!(
        outline(&api),
        "getA as fetch Fetch GET /a: -> nothing\n    n as number: text in query\n"
    );
}
