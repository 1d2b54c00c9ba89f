//! The types of objects: optional and nullable fields, updates, merged and alternative schemas, and components.

use super::outline::{self, outline};
use super::{
    assert_rows, document_of, enums, field, find, noted, noted_field, read, schemas, sound,
};

/// The outline of the schema `name`, a field on each line.
#[track_caller]
fn shape(text: &str, name: &str) -> String {
    outline::schema(find(&schemas(text), name))
}

#[test]
fn fields_are_optional_and_nullable_as_in_both_versions_of_openapi() {
    for (schema, expected) in [
        (
            "{ required: [x], properties: { x: { type: string } } }",
            "text",
        ),
        ("{ properties: { x: { type: string } } }", "text, optional"),
        (
            "{ required: [x], properties: { x: { type: string, nullable: true } } }",
            "text, nullable",
        ),
        (
            "{ required: [x], properties: { x: { type: [string, 'null'] } } }",
            "text, nullable",
        ),
        (
            "{ properties: { x: { type: ['null', string] } } }",
            "text, optional, nullable",
        ),
        (
            "{ properties: { x: { oneOf: [{ type: string }, { type: 'null' }] } } }",
            "text, optional, nullable",
        ),
        (
            "{ properties: { x: { anyOf: [{ type: 'null' }, { type: string }] } } }",
            "text, optional, nullable",
        ),
        // A `required` that is no list is ignored.
        (
            "{ required: true, properties: { x: { type: string, required: true } } }",
            "text, optional",
        ),
        // A required property without a schema can be any JSON.
        (
            "{ required: [y], properties: { x: { type: string } } }",
            "text, optional",
        ),
    ] {
        let api = schemas(&format!("Order: {schema}"));
        assert_eq!(
            outline::field(&find(&api, "Order").fields()[0]),
            expected,
            "{schema}"
        );
    }
}

#[test]
fn objects_nested_in_a_request_are_marked_as_sent() {
    let api = schemas(
        "OrderCreate: { required: [a], properties: { a: { type: array, items: { $ref: '#/components/schemas/Leg' } } } }\n\
         Leg: { properties: { b: { $ref: '#/components/schemas/Leg' }, c: { allOf: [{ $ref: '#/components/schemas/Price' }] } } }\n\
         Price: { properties: { d: { type: object, additionalProperties: { $ref: '#/components/schemas/Tick' } } } }\n\
         Tick: { properties: { e: {} } }\n\
         Order: { properties: { f: {} } }",
    );
    let sent = api
        .schemas
        .iter()
        .filter(|schema| schema.sent)
        .map(|schema| schema.name.as_str());
    assert_eq!(
        sent.collect::<Vec<_>>(),
        ["Leg", "OrderCreate", "Price", "Tick"]
    );
}

#[test]
fn additional_properties_are_a_field_if_the_description_mentions_them() {
    for (keyword, extra) in [
        ("", ""),
        ("additionalProperties: false, ", ""),
        (
            "additionalProperties: true, ",
            "\n    * as extra: {json}, extra",
        ),
        (
            "additionalProperties: {}, ",
            "\n    * as extra: {json}, extra",
        ),
        (
            "additionalProperties: { type: string, format: decimal }, ",
            "\n    * as extra: {decimal}, extra",
        ),
        (
            "additionalProperties: { type: integer, nullable: true }, ",
            "\n    * as extra: {i64 or null}, extra",
        ),
    ] {
        let text = format!("Order: {{ {keyword}properties: {{ a: {{ type: string }} }} }}");
        let expected = format!("Order\n    a: text, optional{extra}");
        assert_eq!(shape(&text, "Order"), expected, "{keyword}");
    }
}

#[test]
fn all_of_merges_its_branches_and_the_keywords_beside_it() {
    let base =
        "\nBase: { required: [a], properties: { a: { type: string }, b: { type: string } } }";
    for (order, expected) in [
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }], properties: { c: { type: boolean } } }",
            "a: text; b: text, optional; c: bool, optional",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }, { required: [b] }] }",
            "a: text; b: text",
        ),
        (
            "{ required: [b], allOf: [{ $ref: '#/components/schemas/Base' }] }",
            "a: text; b: text",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }, { properties: { b: { maxLength: 5 } } }] }",
            "a: text; b: text, optional",
        ),
        (
            "{ allOf: [{ properties: { x: {} } }, { properties: { y: {} } }] }",
            "x: json, optional; y: json, optional",
        ),
        (
            "{ allOf: [{ allOf: [{ $ref: '#/components/schemas/Base' }] }, { properties: { y: {} } }] }",
            "a: text; b: text, optional; y: json, optional",
        ),
    ] {
        let found = shape(&format!("Order: {order}{base}"), "Order")
            .replacen("Order\n    ", "", 1)
            .replace("\n    ", "; ");
        assert_eq!(found, expected, "{order}");
    }
}

#[test]
fn a_reference_with_annotations_has_the_type_of_its_target() {
    let base = "\nBase: { properties: { a: { type: string } } }";
    for (property, expected) in [
        ("{ $ref: '#/components/schemas/Base' }", "Base, optional"),
        (
            "{ $ref: '#/components/schemas/Base', description: D }",
            "Base, optional",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }], description: D, title: T }",
            "Base, optional",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }, { description: D }], example: {} }",
            "Base, optional",
        ),
        (
            "{ allOf: [{ description: D }, { $ref: '#/components/schemas/Base' }], default: {} }",
            "Base, optional",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }], nullable: true }",
            "Base, optional, nullable",
        ),
        (
            "{ oneOf: [{ $ref: '#/components/schemas/Base' }, { type: 'null' }] }",
            "Base, optional, nullable",
        ),
        (
            "{ oneOf: [{ $ref: '#/components/schemas/Base' }] }",
            "Base, optional",
        ),
        (
            "{ allOf: [{ type: string, format: decimal }, { description: D }] }",
            "decimal, optional",
        ),
        (
            "{ allOf: [{ type: string }, { enum: [A] }] }",
            "OrderX, optional",
        ),
        (
            "{ allOf: [{ type: string, format: ISO4217 }], description: D }",
            "currency, optional",
        ),
        // An additional part makes it a different object.
        (
            "{ allOf: [{ $ref: '#/components/schemas/Base' }, { properties: { b: {} } }] }",
            "OrderX, optional",
        ),
    ] {
        let api = schemas(&format!(
            "Order: {{ properties: {{ x: {property} }} }}{base}"
        ));
        assert_eq!(
            outline::field(&find(&api, "Order").fields()[0]),
            expected,
            "{property}"
        );
    }
}

#[test]
fn object_alternatives_without_a_tag_become_one_object() {
    for keyword in ["oneOf", "anyOf"] {
        let text = format!(
            "Order: {{ {keyword}: [{{ required: [a, b], properties: {{ a: {{ type: string }}, b: {{ type: string }} }} }}, \
             {{ required: [a, c], properties: {{ a: {{ type: string }}, c: {{ type: integer }} }} }}] }}"
        );
        let api = noted(&text, "no field tells the 2 objects of `Order` apart");
        assert_eq!(
            outline::schema(find(&api, "Order")),
            "Order\n    a: text\n    b: text, optional\n    c: i64, optional",
            "{keyword}"
        );
    }
    let beside = "Order: { required: [id], properties: { id: { type: string, format: uuid } }, \
         oneOf: [{ properties: { a: { type: string } } }, { properties: { b: { type: string } } }] }";
    let api = noted(beside, "no field tells the 2 objects of `Order` apart");
    assert_eq!(
        outline::schema(find(&api, "Order")),
        "Order\n    id: OrderId\n    a: text, optional\n    b: text, optional"
    );
    let only_required = "Order: { properties: { a: { type: string }, b: { type: string } }, oneOf: [{ required: [a] }, { required: [b] }] }";
    assert_eq!(
        shape(only_required, "Order"),
        "Order\n    a: text, optional\n    b: text, optional"
    );
}

#[test]
fn object_alternatives_with_a_tag_become_a_union() {
    let branches = "\nCash: { required: [kind], properties: { kind: { type: string, enum: [CASH] }, amount: { type: string } } }\n\
         Units: { required: [kind], properties: { kind: { const: UNITS }, units: { type: string } } }";
    let references =
        "oneOf: [{ $ref: '#/components/schemas/Cash' }, { $ref: '#/components/schemas/Units' }]";
    for (order, expected) in [
        (
            format!("{{ {references} }}"),
            "Order is told apart by kind\n    CASH as Cash: Cash\n    UNITS as Units: Units",
        ),
        (
            format!("{{ {references}, discriminator: {{ propertyName: kind }} }}"),
            "Order is told apart by kind\n    CASH as Cash: Cash\n    UNITS as Units: Units",
        ),
        (
            format!(
                "{{ {references}, discriminator: {{ propertyName: type, mapping: {{ c: '#/components/schemas/Cash', u: Units }} }} }}"
            ),
            "Order is told apart by type\n    c as C: Cash\n    u as U: Units",
        ),
        (
            format!("{{ {references}, discriminator: {{ propertyName: type }} }}"),
            "Order is told apart by type\n    Cash as Cash: Cash\n    Units as Units: Units",
        ),
    ] {
        assert_eq!(
            shape(&format!("Order: {order}{branches}"), "Order"),
            expected,
            "{order}"
        );
    }
}

#[test]
fn alternatives_without_a_common_type_are_any_json_with_a_note() {
    for schema in [
        "{ oneOf: [{ type: string }, { type: integer }] }",
        "{ type: [string, integer] }",
        "{ oneOf: [{ type: string }, { type: object, properties: { id: { type: string } } }] }",
        "{ anyOf: [{ type: array, items: { type: string } }, { type: array, items: { type: integer } }] }",
        "{ anyOf: [{ type: array, items: { type: string } }, { type: string }] }",
        "{ anyOf: [{ type: array }, { type: array, items: { type: string } }] }",
        "{ oneOf: [{ type: object }, { type: object, additionalProperties: { type: string } }] }",
    ] {
        let text = document_of(&format!("Order: {{ properties: {{ x: {schema} }} }}"));
        let api = read("3.1.0", &text).unwrap();
        let found = outline::field(&find(&api, "Order").fields()[0]);
        assert!(found.contains("json"), "{schema}: {found}");
        assert_eq!(api.notes.len(), 1, "{schema}");
    }
}

#[test]
fn alternatives_that_are_not_objects_get_their_common_type() {
    assert_rows(
        &[
            (
                "{ oneOf: [{ type: string }, { type: string, format: uuid }] }",
                "text",
            ),
            (
                "{ oneOf: [{ type: string, pattern: '^a$' }, { type: string, pattern: '^b$' }] }",
                "text",
            ),
            (
                "{ oneOf: [{ type: string, format: date }, { type: string, format: date }] }",
                "date",
            ),
            (
                "{ oneOf: [{ type: string, enum: [A] }, { type: string, enum: [B] }] }",
                "OrderX",
            ),
            (
                "{ oneOf: [{ const: A }, { const: B, description: D }] }",
                "OrderX",
            ),
            (
                "{ oneOf: [{ type: integer }, { type: number, format: double }] }",
                "f64",
            ),
            ("{ oneOf: [{ type: boolean }, { type: boolean }] }", "bool"),
            (
                "{ anyOf: [{ type: array, items: { type: string } }, { type: array, items: { type: string } }] }",
                "[text]",
            ),
            ("{ oneOf: [{}, { type: string }] }", "text"),
        ],
        |schema| field("x", schema),
    );
    assert_rows(
        &[
            (
                "{ oneOf: [{ type: integer }, { type: integer, minimum: 3 }] }",
                "i64",
            ),
            (
                "{ oneOf: [{ type: integer, minimum: 0, maximum: 9 }, { type: integer, minimum: -9 }] }",
                "i64",
            ),
            (
                "{ oneOf: [{ type: integer, minimum: 0, maximum: 9 }, { type: integer, minimum: 0 }] }",
                "u64",
            ),
        ],
        |schema| noted_field("x", schema, "several ranges of integers"),
    );
    let api = schemas(
        "Order: { properties: { x: { oneOf: [{ type: string, enum: [A, B] }, { type: string, enum: [B, C] }] } } }",
    );
    assert_eq!(enums(&api), ["OrderX: A B C"]);
}

#[test]
fn a_component_that_is_not_an_object_is_replaced_by_its_type() {
    let api = schemas(
        "Order: { required: [a, b, c, d, e, f, g], properties: { a: { $ref: '#/components/schemas/Names' }, b: { $ref: '#/components/schemas/Side' }, \
           c: { $ref: '#/components/schemas/Amount' }, d: { $ref: '#/components/schemas/Alias' }, e: { $ref: '#/components/schemas/Map' }, \
           f: { $ref: '#/components/schemas/AliasOfAlias' }, g: { $ref: '#/components/schemas/Anything' } } }\n\
         Names: { type: array, items: { type: string } }\n\
         Side: { type: string, enum: [BUY, SELL] }\n\
         Amount: { type: string, format: decimal }\n\
         Leg: { properties: { x: {} } }\n\
         Alias: { $ref: '#/components/schemas/Leg' }\n\
         AliasOfAlias: { $ref: '#/components/schemas/Alias' }\n\
         Map: { type: object, additionalProperties: { $ref: '#/components/schemas/Leg' } }\n\
         Anything: {}",
    );
    let fields: Vec<String> = find(&api, "Order")
        .fields()
        .iter()
        .map(outline::field)
        .collect();
    assert_eq!(
        fields,
        ["[text]", "Side", "decimal", "Leg", "{Leg}", "Leg", "json"]
    );
}

#[test]
fn a_component_that_is_an_enum_has_its_name_wherever_it_is_used() {
    let api = schemas(
        "Order: { properties: { way: { $ref: '#/components/schemas/Side' }, back: { $ref: '#/components/schemas/Side' } } }\n\
         Side: { type: string, enum: [BUY, SELL] }",
    );
    assert_eq!(enums(&api), ["Side: BUY SELL"]);
}

#[test]
fn a_nullable_component_makes_each_field_nullable() {
    let text = "Order: { required: [x], properties: { x: { $ref: '#/components/schemas/Leg' } } }\nLeg: { type: [object, 'null'], properties: { a: {} } }";
    assert_eq!(shape(text, "Order"), "Order\n    x: Leg, nullable");
}

#[test]
fn objects_that_contain_themselves_are_read() {
    for text in [
        "Order: { properties: { child: { $ref: '#/components/schemas/Order' } } }",
        "Order: { properties: { legs: { type: array, items: { $ref: '#/components/schemas/Order' } } } }",
        "Order: { properties: { leg: { $ref: '#/components/schemas/Leg' } } }\nLeg: { properties: { order: { $ref: '#/components/schemas/Order' } } }",
    ] {
        schemas(text);
    }
}

#[test]
fn debug_hides_texts_dates_and_maps_unless_they_are_public() {
    let api = schemas(
        "User: { properties: { id: { type: string, format: uuid }, side: { enum: [BUY] }, code: { type: string, format: ISO4217 }, \
         amount: { type: string, format: decimal }, at: { type: string, format: date-time }, count: { type: integer }, flag: { type: boolean }, \
         rate: { type: number, format: double }, leg: { properties: { a: {} } }, legs: { type: array, items: { properties: { a: {} } } }, \
         amounts: { type: array, items: { type: string, format: decimal } }, name: { type: string }, born: { type: string, format: date }, \
         names: { type: array, items: { type: string, nullable: true } }, by_name: { additionalProperties: { type: integer } }, any: {}, \
         title: { type: string, x-public: true }, ref: { $ref: '#/components/schemas/Title' } } }\nTitle: { type: string, x-public: true }",
    );
    let fields = find(&api, "User").fields();
    let hidden: Vec<&str> = fields
        .iter()
        .filter(|field| field.is_hidden())
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(hidden, ["name", "born", "names", "by_name", "any"]);
}

#[test]
fn documentation_is_the_description_the_title_or_the_name() {
    let api = schemas(
        "Order: { description: An order., properties: { a: { type: string, description: A text. }, b: { type: string, title: A title }, \
         c: { type: string, description: '' }, d: { $ref: '#/components/schemas/Leg', description: Mine., title: Mine }, e: { $ref: '#/components/schemas/Leg' } } }\n\
         Leg: { description: A leg., properties: { x: {} } }",
    );
    let order = find(&api, "Order");
    assert_eq!(order.description, "An order.");
    assert_eq!(find(&api, "Leg").description, "A leg.");
    let found: Vec<&str> = order
        .fields()
        .iter()
        .map(|field| field.description.as_str())
        .collect();
    assert_eq!(
        found,
        [
            "A text.",
            "A title",
            "`c` of the description.",
            "Mine.",
            "A leg."
        ]
    );
}

#[test]
fn all_components_are_read_except_those_of_the_runtime() {
    let api = sound(
        "paths:\n  /a: { get: { operationId: getA, responses: { '204': {}, '400': { content: { application/problem+json: { schema: { $ref: '#/components/schemas/Error' } } } } } } }\n\
         components:\n  schemas:\n    Error: { properties: { title: {} } }\n    PaginationMeta: { properties: { offset: { type: integer }, total_count: { type: integer } } }\n    Unused: { properties: { a: {} } }",
    );
    assert_eq!(
        outline(&api),
        "getA GET /a: -> nothing, errors 400\n\nUnused\n    a: json, optional\n"
    );
}
